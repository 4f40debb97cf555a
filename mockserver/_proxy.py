"""The step that passes a request on to another server, and its answer back, with faults in it.

In come a request and the bytes of another server as they arrive; out go the same bytes, except for
what the step changes, each in the write for which it arrived. Places in the answer are offsets or
marks, as in the transforms, and are found while it passes: an answer of any length takes little
memory, and the record keeps the beginning of it. What the other server does wrong is a 502 with
one sentence, or, in the midst of an answer, the same end for the client; the test reports both.
"""

import re
import typing
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from mockserver._connection import LiveConnection
from mockserver._control import Close, Drain, Stall
from mockserver._message import Head, NotHTTP, body_parts, response_head
from mockserver._phase import EndOfStream
from mockserver._record import NOT_KEPT
from mockserver._request import Inbox, Request
from mockserver._step import (
    CRLF,
    MARK,
    Count,
    GivenHeaders,
    Headers,
    Leaves,
    Piece,
    ScriptError,
    Seconds,
    Step,
    joined,
)
from mockserver._upstream import SYSTEM, Upstream, UpstreamFailed, origin_of
from mockserver._writing import Reply, asks_for_head, status_line

__all__ = ["Proxy"]

_HOST = re.compile(rb"(?im)^(host[ \t]*:[ \t]*)[^\r\n]*")
_WITHOUT_BODY = frozenset({*range(100, 200), 204, 304})
_REMEDIES = {
    "upstream": " (for a MockServer its .url)",
    "inject_at": " (what is written there is data=...)",
    "pause_at": " (for how long is seconds=...)",
}
_ENDS: dict[str, tuple[Step, ...]] = {
    "": (),
    "upstream": (Close("fin"),),
    "fin": (Close("fin"),),
    "rst": (Drain(), Close("rst")),
    "stall": (Stall(), Close("fin")),
}


@dataclass(frozen=True, slots=True)
class Proxy(Step):
    """Pass the request that was read last on to another server, and its answer back.

    Each request goes over a connection of its own, with the other server's `Host`, and is else
    unchanged; so is the answer, but for what the fields change in it. The client's connection is
    kept, or ended, as the other server's answer says.

    A place is an offset in all bytes of the answer, interim responses included, or a mark, as
    `marks` lists them for scripts: `body+100`, `field-line:2`, `chunk-data:3+1`.

    Attributes:
        upstream: Where the other server is: scheme, host, port, and what comes before each path.
        status: The status in place of the answer's own.
        reason: The reason phrase in place of the answer's own; with a status, the registered one.
        headers: Fields in place of those of the same name, or in addition.
        without: Names of fields that are left out.
        cut_at: The place at which the answer ends.
        inject_at: The place at which `data` is written in addition.
        pause_at: The place at which `seconds` of silence come.
        end: What comes at the cut, or after the answer: a `fin`, a `rst` once the client has taken
            everything, or a `stall` until the client closes; `upstream` for what the other server
            does, and a `fin` at a cut.
        trust: For `https`: a file with the certificates of authorities, or `system`.
        timeout: Seconds for which the other server may do nothing.
        keep: How many bytes of the body of a request, and of an answer, the record keeps.
        remote: Whether the other server may be on another machine; case files cannot say so.
    """

    step_name: ClassVar[str] = "proxy"
    primary: ClassVar[str | None] = "upstream"
    upstream: str
    status: int | None = None
    reason: bytes | None = None
    headers: GivenHeaders = ()
    without: tuple[str, ...] = ()
    cut_at: int | str | None = None
    inject_at: int | str | None = None
    data: bytes = b""
    pause_at: int | str | None = None
    seconds: Seconds = 0
    end: Literal["upstream", "fin", "rst", "stall"] = "upstream"
    trust: str = ""
    timeout: Seconds = 10
    keep: Count = 1 << 20
    remote: bool = field(default=False, metadata={"python_only": True})

    def check(self) -> None:
        """Refuse what cannot be reached, and an offset without its fault, or the reverse."""
        try:
            origin = origin_of(self.upstream)
        except ValueError as error:
            self.refuse("upstream", str(error))
        if not (self.remote or origin.is_loopback):
            self.refuse("upstream", "must be on this machine, unless remote=True is given")
        if origin.scheme == "https" and not self.trust:
            raise ScriptError("proxy: https needs trust: a file with authorities, or 'system'")
        if self.trust not in ("", SYSTEM) and not Path(self.trust).is_file():
            self.refuse("trust", "must be 'system' or a file")
        for name in ("cut_at", "inject_at", "pause_at"):
            self._check_place(name, getattr(self, name))
        for place, other in (("inject_at", "data"), ("pause_at", "seconds")):
            if (getattr(self, place) is None) != (not getattr(self, other)):
                raise ScriptError(f"proxy: {place} and {other} need each other")

    def _check_place(self, name: str, at: int | str | None) -> None:
        if isinstance(at, int) and at < 0:
            self.refuse(name, "must be at least 0")
        if isinstance(at, str) and not MARK.fullmatch(at):
            self.refuse(name, "must be an offset, or a mark like 'body+100' or 'chunk-size:2'")

    def refuse(self, field: str, reason: str) -> typing.NoReturn:
        """As for every step, with the remedy for usual slips."""
        is_near = isinstance(getattr(self, field), str | int)
        Step.refuse(self, field, reason if is_near else reason + _REMEDIES.get(field, ""))

    @property
    def lasts(self) -> bool:
        """A client that gives up waiting for the other server does what it should."""
        return True

    @property
    def leaves(self) -> Leaves:
        """The connection is closed where the step says so; the other server may say so, too."""
        ends = self.end != "upstream" or self.cut_at is not None
        return Leaves.CLOSED if ends else Leaves.OPEN

    def play(self, connection: LiveConnection) -> None:
        """Pass the request on, on a thread that no other connection waits for."""
        connection.let_others_lead()
        passing = _Passing(self, connection)
        origin = origin_of(self.upstream)
        how: str = self.end
        try:
            with Upstream(origin, self.trust, self.timeout, connection.wire) as upstream:
                ends = _Exchange(self, connection, passing, upstream).run(origin.path)
            passing.finish()
            if how == "upstream" and not ends:
                return
        except _Cut:
            pass
        except UpstreamFailed as failure:
            how = self._fail(connection, passing, failure)
        finally:
            passing.note_unkept()
        for step in _ENDS[how]:
            step.play(connection)
        if how:
            connection.skip_rest()

    def _fail(
        self, connection: LiveConnection, passing: "_Passing", failure: UpstreamFailed
    ) -> str:
        """Report it, and answer it where there is no answer yet; returns how the answer ends."""
        text = f"{self.upstream} {failure}"
        connection.problem(text)
        passing.flush()
        if passing.in_answer:
            return "rst" if failure.is_reset else "fin"
        Reply(502, text=f"proxy: {text}\n").play(connection)
        return "" if connection.request_is_whole else "fin"


class _Cut(Exception):
    """The place has come at which the answer is to end."""


class _Exchange:
    """One request on its way to another server, and the answer on its way back."""

    def __init__(
        self, step: Proxy, connection: LiveConnection, passing: "_Passing", upstream: Upstream
    ) -> None:
        self._step = step
        self._connection = connection
        self._passing = passing
        self._upstream = upstream
        self._inbox = Inbox(self._receive)
        self._kept = 0

    def run(self, prefix: str) -> bool:
        """Pass everything on; returns whether the client's connection ends after it.

        Args:
            prefix: What comes before the path of the request.

        Raises:
            UpstreamFailed: The other server has not done its part.
            _Cut: The answer is to end here.
        """
        raw = self._connection.last_request.lstrip(b"\r\n")
        request = Request(0, raw)
        if request.method == "CONNECT":
            raise UpstreamFailed("is asked for a tunnel, which is not passed on")
        self._upstream.send(_readdressed(raw, prefix, origin_of(self._step.upstream).authority))
        head, is_whole = None, True
        if not self._connection.request_is_whole:
            if "100-continue" in request.headers.get("Expect", "").lower():
                head = self._head()
            if head is None or head.status == 100:
                is_whole = self._send_body(raw)
                head = None
            else:
                is_whole = head.status < 200
        while head is None or head.status < 200:
            head = self._head()
        self._passing.begin_answer()
        try:
            self._pass_body(head, without_body=asks_for_head(raw))
        except EndOfStream:
            raise UpstreamFailed("ended its stream before the body was whole") from None
        return head.closes or self._upstream.has_ended or not is_whole

    def _receive(self) -> bytes:
        self._passing.flush()  # what has come is passed on before a wait for more
        return self._upstream.receive()

    def _send_body(self, raw: bytes) -> bool:
        """Pass on the body that follows a head; whether the other server took it all."""
        self._passing.flush()  # a client may wait for a 100 before it sends more
        lines = tuple(raw.splitlines(keepends=True))
        connection = self._connection
        for piece, _ in body_parts(connection.inbox, Head(lines).framing):
            self._kept += len(piece.data)
            if self._kept <= self._step.keep:
                connection.took(piece.data, piece.role)
            else:
                connection.took_unkept(len(piece.data))
            if not self._upstream.send(piece.data):
                return False
        return True

    def _head(self) -> Head:
        """Pass on the head of a response; a final one with its changes."""
        try:
            head = response_head(self._inbox)
        except NotHTTP as error:
            raise UpstreamFailed(f"does not answer in HTTP: {error}") from None
        except EndOfStream:
            came = bytes(self._inbox.buffer[:80])
            text = f"a whole head, after {came!r}" if came else "it had answered"
            raise UpstreamFailed(f"ended its stream before {text}") from None
        if head.status == 101:
            raise UpstreamFailed("switches protocols, which is not passed on")
        if head.status >= 200:
            self._passing.begin_answer()
        for piece in _changed(head, self._step) if head.status >= 200 else _as_pieces(head.lines):
            self._passing.put(piece)
        return head

    def _pass_body(self, head: Head, *, without_body: bool) -> None:
        if not without_body and head.status not in _WITHOUT_BODY:
            for piece, begins in body_parts(self._inbox, head.framing):
                self._passing.put(piece, begins=begins)


def _readdressed(raw: bytes, prefix: str, host: str) -> bytes:
    """A request for another server: its target in origin form, its Host the other server's."""
    line, end, rest = raw.partition(b"\n")
    words = line.split(b" ", 2)
    if len(words) == 3:
        target = re.sub(rb"(?i)\Ahttps?://[^/?]*", b"", words[1])
        slash = b"" if target.startswith((b"/", b"*")) else b"/"
        words[1] = target if target == b"*" else prefix.encode() + slash + target
    head, blank, body = _at_blank_line(rest)
    return b" ".join(words) + end + _HOST.sub(rb"\g<1>" + host.encode(), head, 1) + blank + body


def _at_blank_line(rest: bytes) -> tuple[bytes, bytes, bytes]:
    found = re.search(rb"(?:\A|\n)\r?\n", rest)
    return (rest[: found.start()], rest[found.start() :], b"") if found else (rest, b"", b"")


def _as_pieces(lines: tuple[bytes, ...]) -> list[Piece]:
    first, *fields, last = lines
    head = [Piece("status-line", first), *(Piece("field-line", line) for line in fields)]
    return [*head, Piece("end-of-head", last)]


def _changed(head: Head, step: Proxy) -> list[Piece]:
    """The pieces of a final head, with the step's changes."""
    first, *fields, last = head.lines
    if step.status is not None or step.reason is not None:
        version = first.split(b" ", 1)[0]
        status = head.status if step.status is None else step.status
        first = status_line(status, step.reason, version).data
    given = typing.cast("Headers", step.headers)
    new = {name.lower(): name + b": " + value + CRLF for name, value in given}
    dropped = {name.lower().encode("latin-1") for name in step.without}
    lines: list[bytes] = []
    goes = False
    for line in fields:
        if line[:1] not in (b" ", b"\t"):  # else it continues the field before it
            name = line.partition(b":")[0].strip().lower()
            goes = name in dropped or name in {one.lower() for one, _ in given}
            if name in new:
                lines.append(new.pop(name))
        if not goes:
            lines.append(line)
    return _as_pieces((first, *lines, *new.values(), last))


class _Passing:
    """Writes an answer to the client, and does at their places what the step asks for.

    Attributes:
        in_answer: Whether the final response has begun.
    """

    def __init__(self, step: Proxy, connection: LiveConnection) -> None:
        self.in_answer = False
        self._step = step
        self._connection = connection
        self._offset = 0
        self._counts: Counter[str] = Counter()
        self._waiting: list[Piece] = []
        self._kept = self._unkept = 0
        acts: dict[str, Callable[[], None]] = {
            "pause_at": lambda: connection.pause(step.seconds),
            "inject_at": lambda: connection.write((Piece("data", step.data),)),
            "cut_at": self._cut,
        }
        self._marked: dict[str, tuple[str, str, int]] = {}
        self._due: list[tuple[int, str, Callable[[], None]]] = []
        self._acts = acts
        for name in acts:
            at: Any = getattr(step, name)
            if isinstance(at, int):
                self._due.append((at, name, acts[name]))
            elif match := MARK.fullmatch(at or ""):
                self._marked[name] = (match[1], match[2] or "1", int(match[3] or 0))

    def begin_answer(self) -> None:
        """The final response begins."""
        self.in_answer = True

    def put(self, piece: Piece, *, begins: bool = True) -> None:
        """Pass bytes on, and do what is due before and within them.

        Raises:
            _Cut: The answer is to end here.
        """
        role, data = piece
        if begins:
            self._counts[role] += 1
            self._find(role)
        while self._due and (first := min(self._due, key=_place))[0] < self._offset + len(data):
            split = first[0] - self._offset
            self._hold(Piece(role, data[:split]))
            data = data[split:]
            self._do(first)
        self._hold(Piece(role, data))

    def finish(self) -> None:
        """The answer is over: do what is due at its end, and report what has had no place.

        Raises:
            _Cut: The answer is to end here, before the connection goes on.
        """
        self.flush()
        while self._due and (first := min(self._due, key=_place))[0] <= self._offset:
            self._do(first)
        for at, name, _ in self._due:
            text = f"{name}={at} is beyond the {self._offset} bytes of the answer"
            self._connection.problem(text)
        for name in self._marked:
            known = ", ".join(f"{role}:1 to {count}" for role, count in self._counts.items())
            text = f"{name}={getattr(self._step, name)!r} is not in the answer, which has {known}"
            self._connection.problem(text)

    def flush(self) -> None:
        """Write what has been passed on so far."""
        if not self._waiting:
            return
        pieces = tuple(self._waiting)
        self._waiting.clear()
        data = joined(pieces)
        self._kept += len(data)
        if self._kept <= self._step.keep and not self._unkept:
            self._connection.write(pieces, data)
        else:
            self._unkept += len(data)
            self._connection.pass_on(data)

    def note_unkept(self) -> None:
        """Note how much the record does not have."""
        if self._unkept:
            self._connection.note(f"{self._unkept} {NOT_KEPT}")

    def _hold(self, piece: Piece) -> None:
        if piece.data:
            self._waiting.append(piece)
            self._offset += len(piece.data)

    def _find(self, role: str) -> None:
        """Turn the marks that mean the piece which begins here into offsets."""
        if not self._marked:
            return
        number = str(self._counts[role])
        for name, (other, which, more) in list(self._marked.items()):
            if (other, which) == (role, number):
                del self._marked[name]
                self._due.append((self._offset + more, name, self._acts[name]))

    def _do(self, due: tuple[int, str, Callable[[], None]]) -> None:
        self._due.remove(due)
        self.flush()
        due[2]()

    def _cut(self) -> None:
        raise _Cut


_ORDER = ("pause_at", "inject_at", "cut_at")


def _place(due: tuple[int, str, Callable[[], None]]) -> tuple[int, int]:
    return due[0], _ORDER.index(due[1])
