"""The steps that write: raw bytes, whole replies, heads and chunks piece by piece, bulk.

In come arguments that may lie about lengths and break every rule of grammar; out come the exact
bytes with the role of each piece. Only `Reply` adds fields, and only the one that its
framing needs; there is never a Date or a Server.
"""

import json
import random
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Literal, NoReturn

from mockserver._connection import LiveConnection
from mockserver._step import (
    BLOCK,
    CRLF,
    Action,
    Count,
    FinalStatus,
    GivenHeaders,
    Headers,
    InterimStatus,
    Leaves,
    Piece,
    Positive,
    Recipe,
    ScriptError,
    Seconds,
    SomeBytes,
    Step,
    WritingStep,
    field_lines,
    joined,
    write_of,
)

__all__ = [
    "Chunk",
    "Dribble",
    "EndHeaders",
    "Fill",
    "Garbage",
    "Header",
    "Interim",
    "LastChunk",
    "Reply",
    "Send",
    "StatusLine",
]


def status_line(status: int, reason: bytes | None, version: bytes = b"HTTP/1.1") -> Piece:
    """A status line; the registered phrase replaces a missing reason."""
    if reason is None:
        reason = HTTPStatus(status).phrase.encode() if status in _REGISTERED else b""
    return Piece("status-line", b"%b %d %b" % (version, status, reason) + CRLF)


_REGISTERED = frozenset(HTTPStatus)
_WITHOUT_CONTENT = frozenset({*range(100, 200), 204, 205, 304})
"""Statuses that cannot have content (RFC 9110, 15.2, 15.3.5, 15.3.6 and 15.4.5)."""
_WITHOUT_FRAMING = _WITHOUT_CONTENT - {205}
"""Statuses after whose head a message ends, whatever its fields are (RFC 9112, 6.3, rule 1)."""
_MAYBE_HEAD = (b"H", b"\r", b"\n")
"""How a request with HEAD can begin: a server forgives blank lines before it."""


def asks_for_head(raw: bytes) -> bool:
    """Whether a request has the method HEAD, so that its answer has no body."""
    return raw[:1] in _MAYBE_HEAD and raw.lstrip(b"\r\n").startswith(b"HEAD ")


@dataclass(frozen=True, slots=True)
class Send(WritingStep):
    """Write exactly these bytes, in one write; those of a recipe in blocks, while they are made."""

    step_name: ClassVar[str] = "send"
    primary: ClassVar[str | None] = "data"
    data: Recipe | bytes

    def play(self, connection: LiveConnection) -> None:
        """Write the bytes; many of them on a thread that no other connection waits for."""
        if isinstance(self.data, bytes):
            connection.write(self.pieces())
        else:
            connection.let_others_lead()
            connection.write_recipe("data", self.data)

    def action(self, steps: tuple[Step, ...], *, repeated: bool) -> Action:  # noqa: ARG002 - see the base
        """Play it; a write that is repeated, and not of a recipe, is made once."""
        return write_of(self) if repeated and isinstance(self.data, bytes) else self.play

    def pieces(self) -> tuple[Piece, ...]:
        """The bytes, unchanged; a recipe is followed."""
        return (Piece("data", bytes(self.data)),)


@dataclass(frozen=True, slots=True)
class Reply(WritingStep):
    """Write a well-formed final response, in one write.

    To a HEAD it is what a GET would get, without the body (RFC 9110, 9.3.2). A status that cannot
    have content takes no body, and gets no field that frames one.

    `text` and `json` are other ways to give the body: they become `body`, and the Content-Type that
    says so, unless the headers have one.

    Attributes:
        headers: A mapping, or pairs, of text or bytes.
        delay: Seconds of silence before it.
        text: The body as text, which is sent in UTF-8.
        json: The body as what `json.dumps` takes; None is null, and `...` is no body.
        framing: What ends the body: `length` adds Content-Length, `chunked` sends one chunk,
            `close` adds `Connection: close` and closes after the body, `none` adds nothing and
            leaves nothing out: a body is sent after any status and to any method. A field that the
            headers have is not added; a Content-Length there can lie.
    """

    step_name: ClassVar[str] = "reply"
    primary: ClassVar[str | None] = "status"
    status: FinalStatus = 200
    reason: bytes | None = None
    version: bytes = b"HTTP/1.1"
    headers: GivenHeaders = ()
    body: bytes = b""
    framing: Literal["length", "chunked", "close", "none"] = "length"
    text: str | None = None
    json: Any = ...
    delay: Seconds = 0

    def __post_init__(self) -> None:
        Step.__post_init__(self)  # `super()` would mean the class without slots
        self._check_content()
        if self.text is None and self.json is ...:
            return
        if (self.text is not None) + (self.json is not ...) + bool(self.body) > 1:
            raise ScriptError("reply: has more than one of body, text and json; give one of them")
        media, body = b"text/plain; charset=utf-8", (self.text or "").encode()
        if self.json is not ...:
            media, body = b"application/json", self._json()
        object.__setattr__(self, "body", body)
        headers = typing.cast("Headers", self.headers)
        if not any(name.lower() == b"content-type" for name, _ in headers):
            object.__setattr__(self, "headers", (*headers, (b"Content-Type", media)))
        object.__setattr__(self, "text", None)
        object.__setattr__(self, "json", ...)

    def refuse(self, field: str, reason: str) -> NoReturn:
        """As for every step; content where the status or its phrase stands is named as such."""
        content = {"str": "text=...", "dict": "json=...", "list": "json=...", "bytes": "body=..."}
        given = type(getattr(self, field)).__name__
        if field in ("status", "reason") and given in content:
            reason += f" (for content write {content[given]})"
        Step.refuse(self, field, reason)

    def _check_content(self) -> None:
        """Refuse a body where a client would take it for the next response, and a lone 1xx."""
        given = [name.lower() for name, _ in typing.cast("Headers", self.headers)]
        if self.framing == "length" and b"transfer-encoding" in given:
            raise ScriptError(
                "reply: headers have Transfer-Encoding; write framing='chunked', "
                "or framing='none' to send exactly what is written"
            )
        if self.status not in _WITHOUT_CONTENT or self.framing == "none":
            return
        if self.status < 200 and self.status != 101:
            raise ScriptError(
                f"reply: status {self.status} is interim, and the client waits for another; "
                f"write Interim({self.status}) before the Reply"
            )
        has_content = bool(self.body or self.text is not None or self.json is not ...)
        if has_content or self.framing == "chunked":
            what = "has content" if has_content else "is chunked"
            raise ScriptError(
                f"reply: {what}, which status {self.status} cannot have; leave that out, "
                f"or add framing='none' to send exactly what is written"
            )

    def _json(self) -> bytes:
        try:
            return json.dumps(self.json, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            self.refuse("json", f"must be what json.dumps takes ({error})")

    @property
    def leaves(self) -> Leaves:
        """The connection is closed where that ends the body."""
        return Leaves.CLOSED if self.framing == "close" else Leaves.OPEN

    def play(self, connection: LiveConnection) -> None:
        """Write it, and close where that ends the body."""
        if self.delay:
            connection.pause(self.delay)
        without_body = self.framing != "none" and asks_for_head(connection.last_request)
        connection.write(self.head() if without_body else self.pieces())
        if self.framing == "close":
            connection.end_by(self)
            connection.end()

    def action(self, steps: tuple[Step, ...], *, repeated: bool) -> Action:  # noqa: ARG002 - see the base
        """Play it; a write that is repeated, and does nothing more, is made once."""
        if not repeated or self.delay or self.framing == "close":
            return self.play
        if self.framing == "none":
            return write_of(self)
        pieces, head = self.pieces(), self.head()
        whole, bare = joined(pieces), joined(head)

        def answer(connection: LiveConnection) -> None:
            if asks_for_head(connection.last_request):
                connection.write(head, bare)
            else:
                connection.write(pieces, whole)

        return answer

    def pieces(self) -> tuple[Piece, ...]:
        """Status line, fields, the framing's own field, blank line, body."""
        return (*self.head(), *self._body())

    def head(self) -> tuple[Piece, ...]:
        """What `pieces` has before the body."""
        return (
            status_line(self.status, self.reason, self.version),
            *field_lines(self.headers),
            *field_lines(self._framing_fields()),
            Piece("end-of-head", CRLF),
        )

    def _framing_fields(self) -> Headers:
        if self.framing == "length" and self.status in _WITHOUT_FRAMING:
            return ()
        fields: dict[str, Headers] = {
            "length": ((b"Content-Length", b"%d" % len(self.body)),),
            "chunked": ((b"Transfer-Encoding", b"chunked"),),
            "close": ((b"Connection", b"close"),),
            "none": (),
        }
        given = {name.lower() for name, _ in typing.cast("Headers", self.headers)}
        return tuple(one for one in fields[self.framing] if one[0].lower() not in given)

    def _body(self) -> tuple[Piece, ...]:
        if self.framing != "chunked":
            return (Piece("body", self.body),) if self.body else ()
        chunk = Chunk(self.body).pieces() if self.body else ()
        return (*chunk, *LastChunk().pieces())


@dataclass(frozen=True, slots=True)
class StatusLine(WritingStep):
    """Write a status line as it is given, and its end."""

    step_name: ClassVar[str] = "status_line"
    primary: ClassVar[str | None] = "raw"
    raw: bytes = b"HTTP/1.1 200 OK"
    eol: bytes = CRLF

    def pieces(self) -> tuple[Piece, ...]:
        """One status-line."""
        return (Piece("status-line", self.raw + self.eol),)


@dataclass(frozen=True, slots=True)
class Header(WritingStep):
    """Write one field line."""

    step_name: ClassVar[str] = "header"
    name: bytes
    value: bytes
    sep: bytes = b": "
    eol: bytes = CRLF

    def pieces(self) -> tuple[Piece, ...]:
        """One field-line."""
        return (Piece("field-line", self.name + self.sep + self.value + self.eol),)


@dataclass(frozen=True, slots=True)
class EndHeaders(WritingStep):
    """Write the blank line that ends a head."""

    step_name: ClassVar[str] = "end_headers"
    primary: ClassVar[str | None] = "eol"
    eol: bytes = CRLF

    def pieces(self) -> tuple[Piece, ...]:
        """The end of the head."""
        return (Piece("end-of-head", self.eol),)


@dataclass(frozen=True, slots=True)
class Interim(WritingStep):
    """Write interim responses, each a whole head, all in one write."""

    step_name: ClassVar[str] = "interim"
    primary: ClassVar[str | None] = "status"
    status: InterimStatus = 100
    headers: GivenHeaders = ()
    times: Positive = 1
    reason: bytes | None = None

    def pieces(self) -> tuple[Piece, ...]:
        """`times` heads."""
        head = (
            status_line(self.status, self.reason),
            *field_lines(self.headers),
            Piece("end-of-head", CRLF),
        )
        return head * self.times


@dataclass(frozen=True, slots=True)
class Chunk(WritingStep):
    """Write one chunk.

    Attributes:
        size: The text of the chunk-size, which may lie; None for the true one.
        ext: What follows the size, its `;` included.
        eol: What ends the size line.
        end: What follows the chunk-data.
    """

    step_name: ClassVar[str] = "chunk"
    primary: ClassVar[str | None] = "data"
    data: bytes
    size: bytes | None = None
    ext: bytes = b""
    eol: bytes = CRLF
    end: bytes = CRLF

    def pieces(self) -> tuple[Piece, ...]:
        """Size line, data and the end of the chunk."""
        size = b"%x" % len(self.data) if self.size is None else self.size
        return (
            Piece("chunk-size", size + self.ext + self.eol),
            Piece("chunk-data", self.data),
            Piece("chunk-end", self.end),
        )


@dataclass(frozen=True, slots=True)
class LastChunk(WritingStep):
    """Write the last chunk, the trailer section and its end."""

    step_name: ClassVar[str] = "last_chunk"
    size: bytes = b"0"
    trailers: GivenHeaders = ()
    eol: bytes = CRLF
    end: bytes = CRLF

    def pieces(self) -> tuple[Piece, ...]:
        """Last chunk, trailers and the final blank line."""
        return (
            Piece("last-chunk", self.size + self.eol),
            *field_lines(self.trailers, "trailer"),
            Piece("end-of-trailers", self.end),
        )


@dataclass(frozen=True, slots=True)
class Fill(WritingStep):
    """Write `n` bytes of a repeated pattern, in blocks, without holding them in memory."""

    step_name: ClassVar[str] = "fill"
    primary: ClassVar[str | None] = "n"
    n: Count
    pattern: SomeBytes = b"x"

    def play(self, connection: LiveConnection) -> None:
        """Write it all, on a thread that no other connection waits for."""
        connection.let_others_lead()
        WritingStep.play(self, connection)  # `super()` would mean the class without slots

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """Blocks of whole patterns, then what is left."""
        whole = self.pattern * (BLOCK // len(self.pattern) or 1)
        for _ in range(self.n // len(whole)):
            yield (Piece("fill", whole),)
        if rest := self.n % len(whole):
            yield (Piece("fill", whole[:rest]),)


@dataclass(frozen=True, slots=True)
class Garbage(WritingStep):
    """Write `n` bytes of noise, the same for the same seed."""

    step_name: ClassVar[str] = "garbage"
    primary: ClassVar[str | None] = "n"
    n: Count
    seed: int = 0

    def play(self, connection: LiveConnection) -> None:
        """Write it all, on a thread that no other connection waits for."""
        connection.let_others_lead()
        WritingStep.play(self, connection)  # `super()` would mean the class without slots

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """Blocks of noise."""
        noise = random.Random(self.seed)
        for start in range(0, self.n, BLOCK):
            yield (Piece("garbage", noise.randbytes(min(BLOCK, self.n - start))),)


@dataclass(frozen=True, slots=True)
class Dribble(WritingStep):
    """Write in small pieces; each waits until the client has taken everything before it.

    Attributes:
        size: Bytes of a piece.
        every: Seconds of silence between two pieces; then the client may give up in the midst.
    """

    step_name: ClassVar[str] = "dribble"
    primary: ClassVar[str | None] = "data"
    data: bytes
    size: Positive = 1
    every: Seconds = 0

    @property
    def lasts(self) -> bool:
        """A client that loses patience with a slow server does what it should."""
        return bool(self.every)

    def play(self, connection: LiveConnection) -> None:
        """Write each piece when the client has taken those before it."""
        for index, pieces in enumerate(self.writes()):
            connection.wire.await_taking()
            if index and self.every:
                connection.pause(self.every)
            connection.write(pieces)

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """The data, `size` bytes at a time."""
        for start in range(0, len(self.data), self.size):
            yield (Piece("data", self.data[start : start + self.size]),)
