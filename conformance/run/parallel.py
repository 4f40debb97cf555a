"""Runs cases in several runners in parallel, with the same results in the same order as in one.

The input is a function that makes a runner, and cases.  The output is a result for each case, in
order.  Each runner has its own driver, servers and watch, and takes the next case when it has
finished one.  Threads suffice, because most of a run is waiting for clients that wait.

If a driver cannot be restarted, the case at that moment is lost.  After `MOST_STARTS` failed starts
in a row no further start is tried, and each remaining case has the result NOT_RUN with the reason.
A `Line` keeps which runner ran which cases, and in which order: a second run in the same order
needs it.
"""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from conformance.cases import Case
from conformance.drivers import NO_RESTART, DriverError, Identity
from conformance.judge import Verdict
from conformance.results import Result, not_run

MOST_STARTS = 5
"""Failed starts in a row after which a driver is not started again."""


class RunsCases(Protocol):
    """The interface of a runner that `Runners` needs."""

    @property
    def identity(self) -> Identity:
        """The implementation under test."""

    def examine(self) -> None:
        """Let the implementation complete well-formed exchanges.

        Raises:
            DriverError: it does not complete one of them.
        """

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order."""

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*."""

    def close(self) -> None:
        """Stop the runner."""


class Line:
    """The names of the cases that one runner has run, in order; the built cases are not kept.

    Attributes:
        names: the names.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, name: str) -> None:
        """Add the case called *name*, which is run next."""
        self._places[name] = len(self.names)
        self.names.append(name)

    def has(self, name: str) -> bool:
        """Return whether the case called *name* was run here."""
        return name in self._places

    def place(self, name: str) -> int:
        """Return how many cases were run here before the one called *name*."""
        return self._places[name]


class Runners:
    """Several runners of one implementation, with the interface of one runner.

    Args:
        make: starts a runner.
        count: how many; the first is started at once, the others when there are cases for them.

    Raises:
        DriverError: the implementation cannot be started.
    """

    def __init__(self, make: Callable[[], RunsCases], count: int) -> None:
        self._make = make
        self._count = count
        self._hands = [_Hand(make, make())]
        self._ended = threading.Event()
        self._early: dict[int, Result] = {}
        self.identity = self._hands[0].identity
        """The implementation under test."""

    def __enter__(self) -> "Runners":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all runners."""
        self._ended.set()
        for hand in self._hands:
            hand.close()

    def line(self, name: str) -> Line:
        """Return the line of the runner that ran the case called *name*."""
        return next(hand.line for hand in self._hands if hand.line.has(name))

    @property
    def early(self) -> list[Result]:
        """Results that an earlier case still delays, in order.

        Empty unless the run was interrupted.
        """
        return [self._early[index] for index in sorted(self._early)]

    def examine(self) -> None:
        """Let the implementation complete well-formed exchanges.

        A separate runner does this, so that state which an exchange leaves in its process does not
        affect any case.  If no second one can be started, the one that runs the cases does it.

        Raises:
            DriverError: it does not complete one of them; all runners are then closed.
        """
        try:
            runner = self._separate()
            if runner is None:
                self._hands[0].examine()
            else:
                with contextlib.closing(runner):
                    runner.examine()
        except DriverError:
            self.close()
            raise

    def run(self, cases: Sequence[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order."""
        if self._count == 1:
            yield from self._hands[0].run(iter(cases))
            return
        while len(self._hands) < min(self._count, len(cases)):
            runner = self._separate()
            if runner is None:
                break
            self._hands.append(_Hand(self._make, runner))
        yield from self._shared_out(cases)

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*."""
        return self._hands[0].run_case(case)

    def _separate(self) -> RunsCases | None:
        """Return another runner; None if the first uses what only one process can use."""
        try:
            return self._make()
        except DriverError:
            return None

    def _shared_out(self, cases: Sequence[Case]) -> Iterator[Result]:
        feed, done = _Feed(cases, self._ended), queue.SimpleQueue[_Done]()
        workers = [
            threading.Thread(target=_work, args=(hand, feed, done), daemon=True)
            for hand in self._hands
        ]
        for worker in workers:
            worker.start()
        early = self._early
        for index in range(len(cases)):
            while index not in early:
                place, result = done.get()
                if isinstance(result, BaseException):
                    raise result
                early[place] = result
            yield early.pop(index)


_Done = tuple[int, "Result | BaseException"]


class _Hand:
    """One runner, its replacement when it cannot go on, and the cases that both have run."""

    def __init__(self, make: Callable[[], RunsCases], runner: RunsCases) -> None:
        self.line = Line()
        self.identity = runner.identity
        self._make = make
        self._runner: RunsCases | None = runner
        self._failed_starts = 0
        self._problem = ""
        self._pending: deque[Case] = deque()

    def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    def examine(self) -> None:
        """Let the runner complete well-formed exchanges."""
        self._started().examine()

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order."""
        while not self._is_over:
            try:
                for result in self._started().run(self._taken(cases)):
                    yield self._noted(self._pending.popleft(), result)
            except DriverError as error:
                case = self._pending.popleft() if self._pending else next(cases, None)
                if case is None:
                    return
                yield self._noted(case, self._lost(case, error))
                cases = _before(self._pending, cases)
            else:
                if not self._is_over:
                    return
        for case in _before(self._pending, cases):
            yield self._unreached(case)

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*."""
        if self._is_over:
            return self._unreached(case)
        try:
            runner = self._started()
            self.line.add(case.name)
            return self._noted(case, runner.run_case(case))
        except DriverError as error:
            return self._noted(case, self._lost(case, error))

    def _started(self) -> RunsCases:
        if self._runner is None:
            self._runner = self._make()
        return self._runner

    def _taken(self, cases: Iterator[Case]) -> Iterator[Case]:
        """Yield *cases*, adding each to the line, as long as the driver can be started."""
        while not self._is_over and (case := next(cases, None)) is not None:
            self._pending.append(case)
            self.line.add(case.name)
            yield case

    @property
    def _is_over(self) -> bool:
        return self._failed_starts >= MOST_STARTS

    def _lost(self, case: Case, error: DriverError) -> Result:
        """Return the result of *case*, at which the runner failed.

        The next case starts another runner.
        """
        self.close()
        if not self.line.has(case.name):
            self.line.add(case.name)
        problem = str(error).removeprefix(NO_RESTART)
        return not_run(case, Verdict.DRIVER_ERROR, f"{NO_RESTART}{problem}")

    def _noted(self, case: Case, result: Result) -> Result:
        """Return *result* of *case*, after updating the count of failed starts."""
        if self._is_over:  # the case was taken before the last start failed
            return self._unreached(case)
        if result.verdict == Verdict.DRIVER_ERROR and result.reason.startswith(NO_RESTART):
            self._failed_starts += 1
            self._problem = result.reason.removeprefix(NO_RESTART)
        else:
            self._failed_starts = 0
        return result

    @property
    def _reason(self) -> str:
        return f"the driver could not be started {MOST_STARTS} times in a row: {self._problem}"

    def _unreached(self, case: Case) -> Result:
        return not_run(case, Verdict.NOT_RUN, self._reason)


def _before(first: deque[Case], rest: Iterator[Case]) -> Iterator[Case]:
    """Yield the cases of *first*, removing them, and then *rest*."""
    while first:
        yield first.popleft()
    yield from rest


class _Feed:
    """The cases; each is taken once, by the first runner that is free."""

    def __init__(self, cases: Sequence[Case], ended: threading.Event) -> None:
        self._waiting = enumerate(cases)
        self._ended = ended
        self._lock = threading.Lock()

    def take(self) -> tuple[int, Case] | None:
        """Return the next case and its place; None when all are taken."""
        with self._lock:
            return None if self._ended.is_set() else next(self._waiting, None)


class _Share:
    """The cases that one runner takes from a feed, and the places of those without a result yet."""

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


def _work(hand: _Hand, feed: _Feed, done: "queue.SimpleQueue[_Done]") -> None:
    share = _Share(feed)
    try:
        for result in hand.run(share):
            done.put((share.places.popleft(), result))
    except BaseException as error:  # noqa: BLE001 # the thread that waits for results raises it
        done.put((-1, error))
