"""Pure functions that break a well-formed script at one place.

In comes a script and a place in what one of its connections, or routes, writes; out comes another
script. A place is an offset in bytes, or a mark: the role of a piece as transcripts show it, which
of them, and bytes into it: `chunk-size`, `chunk-size:2`, `chunk-data:2+3`. All arguments are plain
values, so that a place and a transform can be written down as data; `TRANSFORMS` has the names.
`FAULTS` has four whole faults by the names under which WireMock's users look for them.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import ClassVar, Literal, TypeVar

from mockserver._connection import LiveConnection
from mockserver._control import Close, Drain, Pause
from mockserver._script import Script, ScriptPart
from mockserver._script import script as as_script
from mockserver._secure import Tunnel
from mockserver._step import MARK, Piece, ScriptError, Step, WritingStep, joined, pieces_of
from mockserver._writing import (
    Dribble,
    EndHeaders,
    Garbage,
    Header,
    Reply,
    Send,
    StatusLine,
    asks_for_head,
)

Steps = tuple[Step, ...]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Part(WritingStep):
    """Write a part of what another step writes, in the same writes; made by transforms only.

    Attributes:
        start: How many bytes to leave out.
        stop: Where to stop, counted in the other step's bytes; None for its end.
    """

    step_name: ClassVar[str] = "part"
    listed: ClassVar[bool] = False
    whole: WritingStep
    start: int = 0
    stop: int | None = None

    def play(self, connection: LiveConnection) -> None:
        """Write it, on a thread that no other connection waits for."""
        connection.let_others_lead()
        part = self._of_head() if asks_for_head(connection.last_request) else self
        WritingStep.play(part, connection)  # `super()` would mean the class without slots

    def _of_head(self) -> "Part":
        """The same part of the answer to a HEAD, in which a reply has no body."""
        if not isinstance(self.whole, Reply) or self.whole.framing == "none":
            return self
        size = len(joined(self.whole.head()))
        return dataclasses.replace(self, stop=size if self.stop is None else min(self.stop, size))

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """The writes of the other step, cut to size; none that would be empty."""
        at = 0
        for pieces in self.whole.writes():
            kept = []
            for role, data in pieces:
                stop = None if self.stop is None else max(0, self.stop - at)
                if part := data[max(0, self.start - at) : stop]:
                    kept.append(Piece(role, part))
                at += len(data)
            if kept:
                yield tuple(kept)
            if self.stop is not None and at >= self.stop:
                return


def cut_at(
    script: ScriptPart,
    at: int | str,
    how: Literal["fin", "rst", "abandon"] = "fin",
    *,
    connection: int = 1,
    route: int | None = None,
) -> Script:
    """End the connection at a place; nothing after it is played.

    Args:
        script: The script, which stays as it is; or its only part.
        at: The place: an offset in bytes, or a mark.
        how: As in `Close`; before a reset the client has taken what was sent.
        connection: Which of the script's connections, from 1.
        route: Which of its routes, from 1, in place of a connection.
    """
    end: Steps = (Drain(), Close(how)) if how == "rst" else (Close(how),)
    return _changed(script, connection, route, lambda steps: (*_split(steps, at)[0], *end))


def inject_at(
    script: ScriptPart, at: int | str, data: bytes, *, connection: int = 1, route: int | None = None
) -> Script:
    """Write more bytes at a place, in a write of their own.

    Args:
        script: The script, which stays as it is; or its only part.
        at: The place: an offset in bytes, or a mark.
        data: What to write.
        connection: Which of the script's connections, from 1.
        route: Which of its routes, from 1, in place of a connection.
    """
    return _with_step(script, at, Send(data), connection, route)


def pause_at(
    script: ScriptPart,
    at: int | str,
    seconds: float,
    *,
    connection: int = 1,
    route: int | None = None,
) -> Script:
    """Be silent at a place.

    Args:
        script: The script, which stays as it is; or its only part.
        at: The place: an offset in bytes, or a mark.
        seconds: For how long.
        connection: Which of the script's connections, from 1.
        route: Which of its routes, from 1, in place of a connection.
    """
    return _with_step(script, at, Pause(seconds), connection, route)


TRANSFORMS: dict[str, Callable[..., Script]] = {
    "cut_at": cut_at,
    "inject_at": inject_at,
    "pause_at": pause_at,
}
"""Every transform by its name."""


def marks(script: ScriptPart, *, connection: int = 1, route: int | None = None) -> tuple[str, ...]:
    """Every mark of what a connection, or a route, writes, in the order of the bytes."""
    found: list[Steps] = []

    def collect(steps: Steps) -> Steps:
        found.append(steps)
        return steps

    _changed(script, connection, route, collect)
    return tuple(name for name, _, _ in _marked(found[0]))


def _with_step(
    script: ScriptPart, at: int | str, step: Step, connection: int, route: int | None
) -> Script:
    def change(steps: Steps) -> Steps:
        before, after = _split(steps, at)
        return (*before, step, *after)

    return _changed(script, connection, route, change)


def _changed(
    part: ScriptPart, connection: int, route: int | None, change: Callable[[Steps], Steps]
) -> Script:
    script = as_script(part)
    if route is None and not script.connections and script.routes:
        route = connection  # there is nothing else that it could mean
    if route is not None:
        routes = list(script.routes)
        one = _item(routes, "route", route)
        routes[route - 1] = dataclasses.replace(one, steps=change(one.steps))
        return dataclasses.replace(script, routes=tuple(routes))
    connections = list(script.connections)
    other = _item(connections, "connection", connection)
    connections[connection - 1] = dataclasses.replace(other, steps=change(other.steps))
    return dataclasses.replace(script, connections=tuple(connections))


def _item(items: list[T], what: str, number: int) -> T:
    if not 1 <= number <= len(items):
        raise ScriptError(f"{what}: the script has {len(items)}, so there is no number {number!r}")
    return items[number - 1]


def _split(steps: Steps, at: int | str) -> tuple[Steps, Steps]:
    """The steps before a place and those after it, a step around it taken apart."""
    offset = _offset(steps, at)
    for index, step in enumerate(steps):
        if not isinstance(step, WritingStep):
            continue
        size = sum(len(piece.data) for piece in pieces_of(step))
        if offset < size or (offset == size and not _writes(steps[index + 1 :])):
            before, after = _halves(step, offset, size)
            return (*steps[:index], *before), (*after, *steps[index + 1 :])
        offset -= size
    raise ScriptError("at: nothing is written here")


def _writes(steps: Steps) -> bool:
    return any(isinstance(step, WritingStep) for step in steps)


def _halves(step: WritingStep, offset: int, size: int) -> tuple[Steps, Steps]:
    """A step as two; what a kind does apart from writing goes to the side where it belongs."""
    if isinstance(step, Tunnel):
        answer = b"".join(piece.data for piece in step.pieces())
        return (dataclasses.replace(step, data=answer[:offset]),), _sent(answer[offset:])
    if isinstance(step, Dribble):
        return _dribbled(step, step.data[:offset]), _dribbled(step, step.data[offset:])
    closing = (Close(),) if isinstance(step, Reply) and step.framing == "close" else ()
    before = (*_delay(step), Part(step, 0, offset)) if offset else ()
    after = (Part(step, offset),) if offset < size else ()
    return before, (*(after if before else _bare(step)), *closing)


def _bare(step: WritingStep) -> Steps:
    """A step whole, without the closing that some do."""
    closes = isinstance(step, Reply) and step.framing == "close"
    return (*_delay(step), Part(step)) if closes else (step,)


def _delay(step: WritingStep) -> Steps:
    return (Pause(step.delay),) if isinstance(step, Reply) and step.delay else ()


def _sent(data: bytes) -> Steps:
    return (Send(data),) if data else ()


def _dribbled(step: Dribble, data: bytes) -> Steps:
    return (dataclasses.replace(step, data=data),) if data else ()


def _offset(steps: Steps, at: int | str) -> int:
    """A place as an offset in everything that the steps write."""
    if isinstance(at, str):
        return _offset_of_mark(steps, at)
    if type(at) is not int:
        raise ScriptError(f"at: must be an offset or a mark, not {at!r:.80}")
    written = max((end for _, _, end in _marked(steps)), default=0)
    if not written:
        raise ScriptError(
            "at: nothing is written here before it is played; "
            "break what respond returns, and write Proxy(..., cut_at=...)"
        )
    if not 0 <= at <= written:
        raise ScriptError(f"at: {at!r} is not within the {written} bytes that are written")
    return at


def _offset_of_mark(steps: Steps, at: str) -> int:
    match = MARK.fullmatch(at)
    if match is None:
        raise ScriptError(
            f"at: a mark is like 'chunk-size:2+1', and an offset is a number, not {at!r}"
        )
    name, extra = f"{match[1]}:{match[2] or 1}", int(match[3] or 0)
    known = {mark: (start, end) for mark, start, end in _marked(steps)}
    if name not in known:
        raise ScriptError(f"at: there is no {name!r}, only {', '.join(known) or 'nothing'}")
    start, end = known[name]
    if start + extra > end:
        raise ScriptError(f"at: {name!r} has {end - start} bytes, so there is no place {at!r}")
    return start + extra


def _marked(steps: Steps) -> Iterator[tuple[str, int, int]]:
    """Each piece that is written: its mark, where it begins and where it ends."""
    at, counts = 0, dict[str, int]()
    for role, data in pieces_of(*steps):
        counts[role] = counts.get(role, 0) + 1
        yield f"{role}:{counts[role]}", at, at + len(data)
        at += len(data)


# ---------------------------------------------------------------------------- whole faults

_NOISE = 256
"""Bytes of noise; with the fixed seed they hold no status line and no chunk-size line."""


def empty_response() -> tuple[Step, ...]:
    """`EMPTY_RESPONSE`: the connection ends in order, and nothing was said: `close fin`."""
    return (Close("fin"),)


def malformed_response_chunk() -> tuple[Step, ...]:
    """`MALFORMED_RESPONSE_CHUNK`: a good head, noise, the end.

    A status line 200, `Transfer-Encoding: chunked`, the blank line, `garbage`, `close fin`.
    """
    coding = Header(b"Transfer-Encoding", b"chunked")
    return (StatusLine(), coding, EndHeaders(), Garbage(_NOISE), Close("fin"))


def random_data_then_close() -> tuple[Step, ...]:
    """`RANDOM_DATA_THEN_CLOSE`: noise in place of a response: `garbage`, `close fin`."""
    return (Garbage(_NOISE), Close("fin"))


def connection_reset_by_peer() -> tuple[Step, ...]:
    """`CONNECTION_RESET_BY_PEER`: a reset in place of a response: `close rst`."""
    return (Close("rst"),)


FAULTS: dict[str, Callable[[], tuple[Step, ...]]] = {
    "EMPTY_RESPONSE": empty_response,
    "MALFORMED_RESPONSE_CHUNK": malformed_response_chunk,
    "RANDOM_DATA_THEN_CLOSE": random_data_then_close,
    "CONNECTION_RESET_BY_PEER": connection_reset_by_peer,
}
"""The builders by WireMock's names."""
