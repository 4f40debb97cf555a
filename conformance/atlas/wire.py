"""The exchange of a case, event by event: what the client calls, and what the server does.

The input is a case and its twin.  The output is events in the order in which they happen.  Those in
which the server sends have lines of bytes: each with its offset, its parts by role, and the call
that consumes it.

A call consumes what its accepted result consists of: the first outcome says which bytes a `read`
returns, and they are followed on the wire.  Where the outcome does not say so, or the bytes are not
those that follow, no call is named; nothing is guessed.

Of long bytes both ends are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from conformance.cases import Case, Expectation, Octets, Op, Place
from conformance.report import roles_of_raw
from mockserver import Connection, Fill, Garbage, Piece, Route, Step, WritingStep

_MOST_PIECE = 600
_FIRST, _LAST = 400, 100
_MOST = 2_400
"""Bytes of one step that are shown, apart from the last ones."""
_MOST_LINES = 48
_ENDS = frozenset({"chunk-end"})
_ASKS = frozenset({"request", "endheaders", "fetch"})
"""Calls after which a whole head has been sent."""
_READS = frozenset({"read", "readline", "recv"})


class Span(NamedTuple):
    """Bytes of one role within a line.

    Args:
        role: such as ``chunk-size``; empty for a note about bytes that are left out.
        octets: the bytes.
        marked: whether the bytes differ from those of the twin.
        note: the note, in place of bytes.
    """

    role: str
    octets: bytes
    marked: bool = False
    note: str = ""


@dataclass(slots=True)
class Line:
    """Bytes up to a line feed.

    Args:
        offset: the offset of the first byte, from the first byte of the connection.
        spans: the bytes, by role.
        by: the call that consumes them; empty if it is not known, or none does.
    """

    offset: int
    spans: list[Span] = field(default_factory=list)
    by: str = ""

    @property
    def role(self) -> str:
        """The role of the line: that of its first part, a name standing for the whole field."""
        role = self.spans[0].role
        return "field" if role == "field-name" else role.removesuffix("-name")


@dataclass(slots=True)
class Event:
    """Something that the client or the server does.

    Args:
        who: ``client`` or ``server``.
        text: what it does.
        name: the id of the call; empty for the server.
        state: the state of the client after it; empty if it stays the same.
        lines: the bytes that the server sends.
        connection: the number of the connection, if there are several.
    """

    who: str
    text: str
    name: str = ""
    state: str = ""
    lines: list[Line] = field(default_factory=list)
    connection: int = 0


def events(case: Case, place: Place | None) -> list[Event]:
    """Return the events of *case*.

    Args:
        case: the case.
        place: where its bytes differ from those of its twin; None where they do not.
    """
    script = case.script
    parts: list[Connection | Route] = [*script.connections, *script.routes]
    found: list[Event] = []
    waiting = list(case.ops)
    readers = Readers(case)
    for number, part in enumerate(parts):
        shown = number + 1 if len(parts) > 1 else 0
        mark = place if place is not None and place.connection == number else None
        at, is_sent = 0, False
        for step in part.steps:
            if step.step_name in _WAITING and not is_sent:
                found += _calls_until_sent(waiting, readers)
                is_sent = True
            event = Event("server", _server_text(step), connection=shown)
            pieces = _pieces(step)
            if pieces:
                event.lines, at = _lines(pieces, at, mark, readers)
                is_sent = step.step_name == "tunnel"
            found.append(event)
    found += (_call(op, readers) for op in waiting)
    return found


_WAITING = frozenset(
    {"read_request", "read", "read_until", "read_eof", "dispatch", "starttls", "tunnel"}
)


def _calls_until_sent(waiting: list[Op], readers: "Readers") -> Iterator[Event]:
    """Yield, and take from *waiting*, the calls up to the one that sends the next request."""
    asks = [at for at, op in enumerate(waiting) if op.message.get("call") in _ASKS]
    if asks:
        for op in waiting[: asks[0] + 1]:
            yield _call(op, readers)
        del waiting[: asks[0] + 1]


def _call(op: Op, readers: "Readers") -> Event:
    return Event("client", op.text, op.id, readers.state(op))


_STATES = {
    "new": "idle",
    "connect": "connected",
    "putrequest": "request begun",
    "endheaders": "request sent",
    "request": "request sent",
    "fetch": "done",
    "getresponse": "head read",
    "read": "body read",
    "close": "closed",
}
"""The state of the client after a call that succeeds."""


_REFUSALS = frozenset({"ResponseNotReady", "ImproperConnectionState", "NotConnected"})


class Readers:
    """Which call consumes which bytes, according to the first accepted outcome.

    Args:
        case: a case for httplib's interface; in another profile no call is named.
    """

    def __init__(self, case: Case) -> None:
        outcomes = case.accepted()
        self._wanted = outcomes[0].ops if outcomes else {}
        self._judged = bool(outcomes)
        self._heads = [
            op
            for op in case.ops
            if op.message.get("call") == "getresponse" and not self._refused(op)
        ]
        self._ops = case.ops
        self._head: Op | None = None
        self._reads: list[tuple[Op, bytes | None]] = []
        self._lost = not outcomes

    def _refused(self, op: Op) -> bool:
        """Return whether the state of the connection refuses the call, so that it reads nothing."""
        wanted = self._wanted.get(op.id)
        return wanted is not None and not _REFUSALS.isdisjoint(wanted.raises)

    def state(self, op: Op) -> str:
        """Return the state of the client after *op*, if its outcome names it."""
        wanted = self._wanted.get(op.id)
        if wanted is not None and wanted.raises:
            return f"{op.id} raises {' or '.join(wanted.raises)}"
        call = "new" if op.id == "new" else str(op.message.get("call", ""))
        if call == "read" and (op.message.get("args") or str(op.message.get("on")) == "builtins"):
            return ""
        return _STATES.get(call, "") if self._judged else ""

    def of(self, piece: Piece) -> str:
        """Return the name of the call that consumes *piece*; pieces come in their order."""
        if piece.role == "status-line":
            self._begin(piece.data)
        if self._lost or self._head is None or piece.role in ("excess", "data"):
            return ""
        if piece.role in ("status-line", "field-line", "end-of-head"):
            return self._head.id
        if piece.role in ("body", "chunk-data"):
            return self._taken(piece.data)
        return self._reads[0][0].id if self._reads else ""

    def _begin(self, line: bytes) -> None:
        """Note that a head begins: the next call of getresponse reads it, if it is final."""
        code = line[9:12]
        interim = code.startswith(b"1") and code != b"101"
        if not self._heads:
            self._head, self._reads = None, []
            return
        self._head = self._heads[0] if interim else self._heads.pop(0)
        wanted = self._wanted.get(self._head.id)
        raises = wanted is not None and bool(wanted.raises)
        self._reads = []
        if not raises and not interim:
            self._reads = [
                (op, _returned(self._wanted.get(op.id))) for op in self._reading(self._head)
            ]
        self._lost = self._lost or any(octets is None for _, octets in self._reads)

    def _reading(self, head: Op) -> Iterator[Op]:
        """Yield the calls that read the body of the response that *head* returns."""
        name = head.message.get("as")
        for op in self._ops[self._ops.index(head) + 1 :]:
            if op.message.get("as") == name:
                return  # the name stands for another response from here on
            if op.message.get("on") == name and op.message.get("call") in _READS:
                yield op

    def _taken(self, data: bytes) -> str:
        """Return the call that returns the first byte of *data*, and pass over what it returns."""
        by = ""
        while data and self._reads:
            op, octets = self._reads[0]
            common = min(len(data), len(octets or b""))
            if octets is None or data[:common] != octets[:common]:
                self._lost = True
                return by
            by = by or (op.id if common else "")
            data = data[common:]
            rest = octets[common:]
            if rest or not data:
                self._reads[0] = (op, rest)
                return by
            if len(self._reads) == 1:
                return by
            self._reads.pop(0)
        return by


def _returned(wanted: Expectation | None) -> bytes | None:
    """Return the bytes of the body that a call returns, or had read when it failed."""
    if wanted is None:
        return None
    value = wanted.attributes.get("partial") if wanted.raises else wanted.value
    if not isinstance(value, Octets):
        return None
    parts = [part for part in value.pieces if isinstance(part, bytes)]
    return b"".join(parts) if len(parts) == len(value.pieces) else None


_ENDING = frozenset({"close", "shutdown"})


def _server_text(step: Step) -> str:
    """Return what a step does: its name, and each argument that is not the default."""
    words = [step.step_name.replace("_", " ")]
    for one in fields(step):
        value = getattr(step, one.name)
        if isinstance(step, WritingStep) and isinstance(value, bytes | tuple):
            continue
        if value != one.default or (one.name == step.primary and step.step_name in _ENDING):
            words.append(f"{one.name}={value!r}"[:200])
    return " ".join(words)


def _pieces(step: Step) -> list[Piece]:
    if not isinstance(step, WritingStep) or isinstance(step, Fill | Garbage):
        return []
    return [piece for pieces in step.writes() for piece in pieces]


def _by_role(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield *pieces*, raw bytes split by their roles."""
    if all(piece.role == "data" for piece in pieces):
        yield from roles_of_raw(b"".join(piece.data for piece in pieces))
    else:
        yield from pieces


def _lines(
    pieces: Sequence[Piece], at: int, mark: Place | None, readers: Readers
) -> tuple[list[Line], int]:
    """Return the lines of what one step writes, and the offset after it."""
    found: list[Line] = []
    end = at + sum(len(piece.data) for piece in pieces)
    start, is_open = at, False
    for piece in _by_role(pieces):
        if at - start > _MOST or len(found) > _MOST_LINES:
            found.append(_gap(at, end - at - _LAST))
            at = max(at, end - _LAST)
            last = b"".join(one.data[-_LAST:] for one in pieces[-_LAST:])[at - end :]
            _add(found, Piece("data", last), at, mark, is_open=False, by="")
            break
        by = readers.of(piece)
        for part in _parts(piece):
            for offset, octets in _ends(part.data):
                if offset:
                    found.append(_gap(at + _FIRST, len(part.data) - _FIRST - _LAST))
                    is_open = False
                shown = Piece(part.role, octets)
                is_open = _add(found, shown, at + offset, mark, is_open=is_open, by=by)
            at += len(part.data)
    return found, end


def _gap(at: int, count: int) -> Line:
    text = f"… {count} bytes …" if count > 0 else "…"
    return Line(at, [Span("", b"", note=text)])


def _ends(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield *octets*, or both ends of long ones, with their offsets."""
    if len(octets) <= _MOST_PIECE:
        yield 0, octets
    else:
        yield 0, octets[:_FIRST]
        yield len(octets) - _LAST, octets[-_LAST:]


def _parts(piece: Piece) -> Iterator[Piece]:
    """Yield the parts of a piece: the name and the value of a field, the size and extensions."""
    sign = b":" if piece.role in ("field-line", "trailer") else b";"
    if piece.role in ("field-line", "trailer", "chunk-size", "last-chunk") and sign in piece.data:
        first, rest, names = *_split(piece.data, sign), _NAMES[piece.role]
        yield Piece(names[0], first)
        yield Piece(names[1], rest)
    else:
        yield piece


def _split(octets: bytes, sign: bytes) -> tuple[bytes, bytes]:
    at = octets.index(sign)
    return octets[:at], octets[at:]


_NAMES = {
    "field-line": ("field-name", "field-value"),
    "trailer": ("trailer-name", "trailer-value"),
    "chunk-size": ("chunk-size", "chunk-extension"),
    "last-chunk": ("last-chunk", "chunk-extension"),
}


def _add(
    found: list[Line], piece: Piece, at: int, mark: Place | None, *, is_open: bool, by: str
) -> bool:
    """Add *piece* to the lines; return whether its last line can be continued.

    Args:
        found: the lines so far.
        piece: bytes of one role.
        at: their offset.
        mark: what differs from the twin.
        is_open: whether the last of the lines has not ended.
        by: the call that consumes the bytes.
    """
    offset = 0
    octets = piece.data
    while offset < len(octets):
        end = octets.find(b"\n", offset) + 1 or len(octets)
        if not is_open:
            found.append(Line(at + offset))
        line = found[-1]
        line.by = line.by or by
        line.spans += _marked(piece.role, octets[offset:end], at + offset, mark)
        is_open = octets[end - 1] != 0x0A
        offset = end
    return is_open


def _marked(role: str, octets: bytes, at: int, mark: Place | None) -> Iterator[Span]:
    """Yield *octets* as spans; those in which they differ from the twin are marked."""
    if mark is None or mark.end < at or mark.start >= at + len(octets):
        yield Span(role, octets)
        return
    start, end = max(mark.start - at, 0), min(mark.end - at, len(octets))
    if start:
        yield Span(role, octets[:start])
    if mark.start >= at:
        yield Span(role, octets[start:end], marked=True)
    elif end:
        yield Span(role, octets[:end], marked=True)
    if octets[end:]:
        yield Span(role, octets[end:])
