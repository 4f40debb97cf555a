"""Keeps client and server on one processor while no other program needs it.

The input is how long the threads of this process worked and waited.  The output is the set of
processors that they may use.  If client and server share an interpreter, one of them waits while
the other works, so a second processor saves no time, and waking a thread on another processor costs
more than the work that the thread then does.  If the system cannot report or set this, nothing is
changed.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from conformance.drivers import Effort, effort_of

_PERIOD = 1.0
"""Seconds between two readings of the threads' times."""
_TASKS = Path("/proc/self/task")


def _effort() -> Effort | None:
    return effort_of(os.getpid())


class OneProcessor:
    """A context in which all threads of this process share the processor of the calling thread.

    Args:
        effort: returns the times that this process has worked and waited; None if unknown.
        clock: returns the time, in seconds.
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
        """Give up the shared processor if the threads wait for it longer than they use it."""
        now = self._clock()
        if not self._before or now - self._looked < _PERIOD:
            return
        seen, before = self._effort(), self._seen
        self._seen, self._looked = seen, now
        # Client and server wait only a little for each other.  A longer wait means that another
        # program uses this processor.
        if seen and before and seen.waited - before.waited > seen.worked - before.worked:
            self.give_up()

    def give_up(self) -> None:
        """Let all threads use the processors that they had before."""
        before, self._before = self._before, set()
        if before:
            _allow(before)


def _here() -> int | None:
    """Return the number of the present processor; None if it cannot be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        fields = Path("/proc/self/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        return int(fields[36])  # proc(5) counts from 1, and the split begins after fields 1 and 2
    except (OSError, IndexError, ValueError):
        return None


def _allow(processors: set[int]) -> None:
    for thread in _TASKS.iterdir():
        with contextlib.suppress(OSError):  # this thread has ended, or the system does not allow it
            os.sched_setaffinity(int(thread.name), processors)
