"""What the server sent in one run of a case.

In: the case as it was run, with its setting and for its profile, and the server's record.  Out: the
bytes of each connection that was made.

Where the run has a transcript, these are the bytes of the record, which the transcript shows too.
Where it has none, because all went well, they are those of the steps that were played, without the
chance that a client leaves while the server still writes: so the same run gives the same bytes.
"""

import itertools
from collections.abc import Iterable

from conformance.cases import Case
from conformance.cases.twins import sent_octets
from mockserver import Close, Connection, Drain, Record, Shutdown, Step, WritingStep

FEW = 4_096
"""Bytes of a case that are kept with a result that is no failure."""


def recorded(record: Record) -> list[bytes]:
    """Return what *record* says that each connection carried."""
    return [one.sent for one in record.connections]


def planned(case: Case, record: Record) -> list[bytes]:
    """Return what the steps of *case* send on the connections of *record*; nothing for too much.

    A step that waits for a request that never came ends what was sent; where the client left while
    the server wrote, the rest of what it writes counts.
    """
    found: list[bytes] = []
    size = 0
    for index, one in enumerate(record.connections):
        size += sum(len(event.data) for event in one.events if event.direction == ">")
        connection = case.script.nth(index)
        ending = one.unplayed
        if connection is not None and ending and isinstance(ending[0], _WRITES_OR_ENDS):
            steps = connection.steps
            done = len(steps) - len(ending)
            rest = itertools.takewhile(lambda step: isinstance(step, _WRITES_OR_ENDS), ending)
            played = (*steps[:done], *rest)
            if _is_large(played):
                return []
            found.append(sent_octets(Connection(played)))
        elif size <= FEW:
            found.append(one.sent)
        if size > FEW:
            return []
    return found


_WRITES_OR_ENDS = (WritingStep, Drain, Close, Shutdown)
"""Steps that the server does, or leaves undone, according to when the client leaves."""


def _is_large(steps: Iterable[Step]) -> bool:
    """Tell whether *steps* write more than is kept, without making all of it."""
    size = 0
    for step in steps:
        for pieces in step.writes() if isinstance(step, WritingStep) else ():
            size += sum(len(piece.data) for piece in pieces)
            if size > FEW:
                return True
    return False
