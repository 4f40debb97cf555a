"""Both ends of an exchange on one processor, as long as nobody else wants it.

In: how long threads of this process worked and waited.  Out: which processors they may have.  Where
client and server share an interpreter, one of them waits while the other works; a second processor
makes nothing faster, and to wake a thread up across processors costs more than what it has to do
there.  Where the system cannot tell or set this, nothing is done.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from conformance.drivers.effort import Effort, effort_of

_PERIOD = 1.0
"""Seconds between two looks at what the threads had."""
_TASKS = Path("/proc/self/task")


def _effort() -> Effort | None:
    return effort_of(os.getpid())


class OneProcessor:
    """A context in which all threads of this process share the processor on which it is now.

    Args:
        effort: tells what this process has had of the processors.
        clock: tells the time, in seconds.
    """

    def __init__(
        self,
        effort: Callable[[], Effort | None] = _effort,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._effort = effort
        self._clock = clock
        self._before: set[int] = set()

    def __enter__(self) -> "OneProcessor":
        here = _here()
        self._seen, self._looked = self._effort(), self._clock()
        if self._seen and here is not None:
            self._before = os.sched_getaffinity(0)
            _allow({here})
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.give_up()

    def look(self) -> None:
        """Give it up where the threads wait for it longer than they have it."""
        now = self._clock()
        if not self._before or now - self._looked < _PERIOD:
            return
        seen, before = self._effort(), self._seen
        self._seen, self._looked = seen, now
        # Each end waits a little for the other; only somebody else can make them wait that long.
        if seen and before and seen.waited - before.waited > seen.worked - before.worked:
            self.give_up()

    def give_up(self) -> None:
        """Let all threads have the processors that they had before."""
        before, self._before = self._before, set()
        if before:
            _allow(before)


def _here() -> int | None:
    """Return the number of the processor that runs this; None where it cannot be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        fields = Path("/proc/self/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        return int(fields[36])  # proc(5) counts the name and what stands before it as 1 and 2
    except (OSError, IndexError, ValueError):
        return None


def _allow(processors: set[int]) -> None:
    for thread in _TASKS.iterdir():
        with contextlib.suppress(OSError):  # this thread is gone, or the system does not allow it
            os.sched_setaffinity(int(thread.name), processors)
