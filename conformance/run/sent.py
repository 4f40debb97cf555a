"""Finds what the server sent in one run of a case.

The input is the case as it was run, with its setting and for its profile, and the server's record.
The output is the bytes of each connection that was made.

If the run has a transcript, these are the bytes of the record, which the transcript shows too.  If
it has none, because the case passed, they are the bytes of the steps that were played: a client may
leave while the server still writes, so the record could differ between runs, and the steps do not.
"""

import itertools
from collections.abc import Iterable

from conformance.cases import Case, sent_octets
from mockserver import Close, Connection, Drain, Record, Shutdown, Step, WritingStep, pieces_of

FEW = 4_096
"""Bytes that are kept with a result that is not a failure."""


def recorded(record: Record) -> list[bytes]:
    """Return the bytes of each connection according to *record*."""
    return [one.sent for one in record.connections]


def planned(case: Case, record: Record) -> list[bytes]:
    """Return the bytes that the steps of *case* send on the connections of *record*.

    The result is empty if that is too much.  A step that waits for a request that never arrived
    ends the bytes; if the client left while the server wrote, the rest of that write is included.
    """
    found: list[bytes] = []
    size = 0
    for index, one in enumerate(record.connections):
        size += sum(len(event.content) for event in one.events if event.direction == ">")
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
"""Steps that the server performs or not, depending on when the client leaves."""


def _is_large(steps: Iterable[Step]) -> bool:
    """Return whether *steps* write more than is kept, without making all of it."""
    size = 0
    for piece in pieces_of(*steps):
        size += len(piece.data)
        if size > FEW:
            return True
    return False
