"""Runners side by side: the same results in the same order as from one, in less time.

In: a call that makes a runner, and cases.  Out: a result for each, in order.  Each runner has its
driver, its servers and its watch, and takes the next case when it is done with one; most of a run
is waiting for clients that wait.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from conformance.cases import Case
from conformance.drivers import Identity
from conformance.run.results import Result


class RunsCases(Protocol):
    """What a runner is to those who share cases out."""

    @property
    def identity(self) -> Identity:
        """Who is being judged."""

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order."""

    def close(self) -> None:
        """End it."""


class Runners:
    """Several runners of one implementation, used like one.

    Args:
        make: starts a runner.
        count: how many; the first is started at once, the others when there is work for them.

    Raises:
        DriverError: the implementation cannot be started.
    """

    def __init__(self, make: Callable[[], RunsCases], count: int) -> None:
        self._make = make
        self._count = count
        self._runners = [make()]
        self._ended = threading.Event()

    @property
    def identity(self) -> Identity:
        """Who is being judged."""
        return self._runners[0].identity

    def __enter__(self) -> "Runners":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all of them."""
        self._ended.set()
        for runner in self._runners:
            runner.close()

    def run(self, cases: Sequence[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order.

        Raises:
            DriverError: the implementation cannot be started again.
        """
        if self._count == 1:
            yield from self._runners[0].run(iter(cases))
            return
        while len(self._runners) < min(self._count, len(cases)):
            self._runners.append(self._make())
        yield from self._shared_out(cases)

    def _shared_out(self, cases: Sequence[Case]) -> Iterator[Result]:
        feed, done = _Feed(cases, self._ended), queue.SimpleQueue[_Done]()
        workers = [
            threading.Thread(target=_work, args=(runner, feed, done), daemon=True)
            for runner in self._runners
        ]
        for worker in workers:
            worker.start()
        early: dict[int, Result] = {}
        for index in range(len(cases)):
            while index not in early:
                place, result = done.get()
                if isinstance(result, BaseException):
                    raise result
                early[place] = result
            yield early.pop(index)


_Done = tuple[int, "Result | BaseException"]


class _Feed:
    """The cases, each taken once, by whoever comes first."""

    def __init__(self, cases: Sequence[Case], ended: threading.Event) -> None:
        self._waiting = enumerate(cases)
        self._ended = ended
        self._lock = threading.Lock()

    def take(self) -> tuple[int, Case] | None:
        """Return the next case and its place; None when there is none left."""
        with self._lock:
            return None if self._ended.is_set() else next(self._waiting, None)


class _Share:
    """What one runner takes of a feed, and the places of what it has not yet answered."""

    def __init__(self, feed: _Feed) -> None:
        self._feed = feed
        self.places: deque[int] = deque()

    def __iter__(self) -> Iterator[Case]:
        return self

    def __next__(self) -> Case:
        taken = self._feed.take()
        if taken is None:
            raise StopIteration
        place, case = taken
        self.places.append(place)
        return case


def _work(runner: RunsCases, feed: _Feed, done: "queue.SimpleQueue[_Done]") -> None:
    share = _Share(feed)
    try:
        for result in runner.run(share):
            done.put((share.places.popleft(), result))
    except BaseException as error:  # noqa: BLE001 # whoever waits for results raises it
        done.put((-1, error))
