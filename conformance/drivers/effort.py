"""The processor time that a process used, and the time that it waited for a processor.

The input is the id of a process. The output is two sums over its threads, in seconds, as Linux
counts them. They let the runner distinguish a client that hangs from one that is runnable but not
scheduled, because the machine is busy.
"""

from pathlib import Path
from typing import NamedTuple

_NANO = 1e-9


class Effort(NamedTuple):
    """Two sums that never decrease.

    Attributes:
        worked: Seconds of running on a processor.
        waited: Seconds of being runnable without a free processor.
    """

    worked: float
    waited: float


def effort_of(process: int, thread: int | None = None, *, children: bool = False) -> Effort | None:
    """Return the effort of *process*, or of one *thread* of it; None if it cannot be read.

    Args:
        process: the id of the process.
        thread: the id of the thread; by default all threads count.
        children: whether what the process has started, and still runs, counts too.
    """
    tasks = Path("/proc", str(process), "task")
    worked = waited = 0
    try:
        names = [str(thread)] if thread else [path.name for path in tasks.iterdir()]
    except OSError:  # the process has ended, or this system is not Linux
        return None
    for name in names:
        try:
            had, wanted, _ = (tasks / name / "schedstat").read_bytes().split()
        except (OSError, ValueError):  # the thread has ended, or the kernel does not count
            continue
        worked += int(had)
        waited += int(wanted)
        for child in _children(tasks / name) if children else ():
            theirs = effort_of(child, children=True) or Effort(0, 0)
            worked += int(theirs.worked / _NANO)
            waited += int(theirs.waited / _NANO)
    return Effort(worked * _NANO, waited * _NANO)


def _children(task: Path) -> list[int]:
    """Return the ids of the processes that a thread has started and that still run."""
    try:
        return [int(one) for one in (task / "children").read_text().split()]
    except (OSError, ValueError):  # it has ended meanwhile, or the kernel does not list them
        return []
