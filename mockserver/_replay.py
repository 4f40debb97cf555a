"""A record, played again: what was sent becomes sends, what was received becomes reads.

In comes a record, out comes a script that makes the same bytes leave: connection by connection and
in the same writes, for a client that does the same, or as routes, for one that asks for the same on
any connections. Times, signals and damaged TLS are not in a record, so neither are they in the
script.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from mockserver._control import (
    Close,
    Drain,
    ExpectReset,
    Read,
    ReadEof,
    ReadRequest,
    Shutdown,
    Stall,
)
from mockserver._phase import EndOfStream, PeerReset
from mockserver._record import (
    ABANDONED,
    CLIENT_CLOSED,
    FIN_SENT,
    NOT_KEPT,
    RST_SENT,
    TLS_ESTABLISHED,
    UNREAD,
    ConnectionRecord,
    Event,
    Record,
)
from mockserver._request import Inbox, Request, asks_to_close, read_request
from mockserver._script import Connection, Route, Script, route, script
from mockserver._secure import Starttls, Tunnel
from mockserver._step import ScriptError, Step
from mockserver._writing import Send

_BLOCKS = ("data", "fill", "garbage")
"""Roles of which a write has one piece at most."""


def script_from(record: Record) -> Script:
    """The script that plays a record again.

    Raises:
        ScriptError: A handshake failed, or TLS was damaged: that is not in a record.
    """
    connections = tuple(Connection(tuple(_steps(one))) for one in record.connections)
    # If a client asked for an end, the record has it, or the server that was recorded stayed.
    asked = any(asks_to_close(raw) for one in record.connections for raw in one.requests)
    return Script(connections, obliging=not asked)


def routes_from(record: Record) -> Script:
    """The script that answers the requests of a record again, each by method and target.

    Requests for the same are answered in their order; on which connections they come, and when,
    does not matter. It is for what `Proxy` has passed on.

    Raises:
        ScriptError: There is no request, or the record does not have all bytes of an answer.
    """
    found = [route for one in record.connections for route in _routes(one)]
    routes = [replace(one, times=sum(1 for _ in same)) for one, same in groupby(found)]
    handshakes = [Starttls()] if any(one.tls for one in record.connections) else []
    if not routes:
        raise ScriptError("routes_from: the record has no request")
    return script(*handshakes, *routes)


def _routes(one: ConnectionRecord) -> Iterator[Route]:
    asked: Request | None = None
    steps: list[Step] = []
    for first, *rest in _writes([event for event in one.events if event.role != UNREAD]):
        if NOT_KEPT in first.role:
            raise ScriptError(f"routes_from: {first.role}; give Proxy a larger keep")
        if first.role == "request":
            if asked is not None:
                yield _answering(asked, steps)
            asked, steps = Request(0, first.data), []
        elif first.direction == ">":
            steps.append(Send(b"".join(event.data for event in (first, *rest))))
        else:
            ending = [step for step in _after_note(first.role, reads_on=False) if _ends(step)]
            steps += [Drain(), *ending] if Close("rst") in ending and steps else ending
    if asked is not None:
        yield _answering(asked, steps)


def _ends(step: Step) -> bool:
    return isinstance(step, Close | Stall)


def _answering(asked: Request, steps: list[Step]) -> Route:
    answer = tuple(steps) or (Stall(),)
    try:
        return route(*answer, method=asked.method, target=asked.target)
    except ScriptError:  # a malformed request; what is next in line answers it
        return route(*answer)


def _steps(one: ConnectionRecord) -> list[Step]:
    if one.tls is not None and one.tls.startswith(("failed: ", "fault: ")):
        raise ScriptError(f"a record of TLS that {one.tls} cannot be played again")
    steps: list[Step] = []
    events = [event for event in one.events if event.role != UNREAD]
    for index, group in enumerate(writes := list(_writes(events))):
        first = group[0]
        if first.direction == ">":
            if index and _is_dribbled(writes[index - 1][0], first):
                steps.append(Drain())
            steps.append(Send(b"".join(event.data for event in group)))
        elif first.direction == "<":
            steps.append(_reading(first))
        elif first.role.startswith(TLS_ESTABLISHED):
            steps[:] = [*_as_tunnel(steps), Starttls()]
        else:
            reads_on = any(_reads(later[0]) for later in writes[index + 1 :])
            steps += _after_note(first.role, reads_on=reads_on)
    return steps


def _writes(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events, those of one write together."""
    begins = [True, *(not _together(*pair) for pair in pairwise(events))]
    number = 0
    numbers = [number := number + begin for begin in begins]
    for _, group in groupby(zip(numbers, events, strict=False), lambda item: item[0]):
        yield [event for _, event in group]


def _together(one: Event, later: Event) -> bool:
    same = one.direction == later.direction == ">" and one.step == later.step
    return same and later.role not in _BLOCKS


def _is_dribbled(one: Event, later: Event) -> bool:
    return one.direction == ">" and one.step == later.step and one.role == later.role == "data"


def _reading(event: Event) -> Step:
    if event.role == "request":
        for step in (ReadRequest(), ReadRequest("none")):
            if _takes(step, event.data):
                return step
    return Read(len(event.data))


def _takes(step: ReadRequest, raw: bytes) -> bool:
    """Whether a step takes exactly these bytes."""
    parts = [raw]
    inbox = Inbox(lambda: parts.pop() if parts else b"")
    try:
        read_request(inbox, step.limit, lambda _: step.body == "framed")
    except EndOfStream:
        return False
    return inbox.take() == raw


def _as_tunnel(steps: list[Step]) -> list[Step]:
    """The steps before a handshake, which can only be those of a tunnel."""
    if steps and isinstance(answer := steps[-1], Send):
        return [*steps[:-2], Tunnel(data=bytes(answer.data))]
    return steps


def _reads(event: Event) -> bool:
    return event.direction == "<" or event.role in (EndOfStream.note, PeerReset.note)


def _after_note(note: str, *, reads_on: bool) -> list[Step]:
    notes: dict[str, Step] = {
        EndOfStream.note: ReadEof(),
        PeerReset.note: ExpectReset(),
        FIN_SENT: Shutdown() if reads_on else Close("fin"),
        RST_SENT: Close("rst"),
        ABANDONED: Close("abandon"),
        CLIENT_CLOSED: Stall(),
    }
    return [notes[note]] if note in notes else []
