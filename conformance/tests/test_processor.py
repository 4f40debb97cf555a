"""One processor for both ends, and all of them again where others want it."""

import os
import threading
from collections.abc import Iterator

import pytest

from conformance.drivers.effort import Effort
from conformance.run.processor import OneProcessor

pytestmark = pytest.mark.skipif(
    len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2,
    reason="there is one processor, or they cannot be chosen",
)


class Thread(threading.Thread):
    """A thread that tells on which processors it may run."""

    def __init__(self) -> None:
        super().__init__()
        self._asked, self._told, self._ended = (threading.Event() for _ in range(3))
        self._found: set[int] = set()
        self.start()

    def run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            self._found = os.sched_getaffinity(0)
            self._told.set()
            if self._ended.is_set():
                return

    def processors(self) -> set[int]:
        self._asked.set()
        self._told.wait()
        self._told.clear()
        return self._found

    def end(self) -> None:
        self._ended.set()
        self.processors()
        self.join()


@pytest.fixture
def thread() -> Iterator[Thread]:
    one = Thread()
    yield one
    one.end()


def test_threads_share_one_processor_and_have_all_of_them_behind_it(thread: Thread) -> None:
    before = thread.processors()
    with OneProcessor() as shared:
        shared.look()
        assert len(thread.processors()) == 1
        assert thread.processors() == os.sched_getaffinity(0)
        later = Thread()
        assert later.processors() == os.sched_getaffinity(0)
    assert thread.processors() == later.processors() == os.sched_getaffinity(0) == before
    later.end()


@pytest.mark.parametrize(("waited", "seconds", "kept"), [(3, 1, False), (2, 1, True), (3, 0, True)])
def test_it_is_given_up_where_others_want_it(
    thread: Thread, waited: float, seconds: float, kept: bool
) -> None:
    efforts = iter([Effort(1, 1), Effort(3, 1 + waited)])
    times = iter([0.0, seconds])
    with OneProcessor(lambda: next(efforts), lambda: next(times)) as shared:
        shared.look()
        assert (len(thread.processors()) == 1) is kept


def test_nothing_is_done_where_nobody_tells_how_long_threads_waited(thread: Thread) -> None:
    before = thread.processors()
    with OneProcessor(lambda: None) as shared:
        shared.look()
        assert thread.processors() == before
