"""What a process has had of the processors, and what it wanted and did not get.

In: the number of a process.  Out: two sums over its threads, as Linux keeps them, in seconds.  With
these a watch can tell a client that is stuck from one that nobody lets run.
"""

from pathlib import Path
from typing import NamedTuple

_NANO = 1e-9


class Effort(NamedTuple):
    """Two sums that only rise.

    Attributes:
        worked: Seconds on a processor.
        waited: Seconds in which a thread could run and no processor was free.
    """

    worked: float
    waited: float


def effort_of(process: int, thread: int | None = None) -> Effort | None:
    """Return the effort of *process*, or of one *thread* of it; None where nothing tells it."""
    tasks = Path("/proc", str(process), "task")
    worked = waited = 0
    try:
        names = [str(thread)] if thread else [path.name for path in tasks.iterdir()]
    except OSError:  # gone, or not this kind of system
        return None
    for name in names:
        try:
            had, wanted, _ = (tasks / name / "schedstat").read_bytes().split()
        except (OSError, ValueError):  # this thread is gone, or the kernel keeps no such sums
            continue
        worked += int(had)
        waited += int(wanted)
    return Effort(worked * _NANO, waited * _NANO)
