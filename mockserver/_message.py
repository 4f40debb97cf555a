r"""Reads an HTTP/1 message off a stream, part by part, with the role of each part.

In come bytes as another server sends them, out come the same bytes as soon as they are there: the
lines of the head, then the body by its framing (RFC 9112, 6.3). So a message of any length passes
through in little memory. It is lenient: a framing that is broken is passed on up to the end of the
stream. This parser belongs to the server and is shared with no client.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mockserver._phase import EndOfStream
from mockserver._request import Full, Inbox
from mockserver._step import BLOCK, Piece

_STATUS_LINE = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: |\r?\n)")
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n\Z", re.DOTALL)
_DIGITS = re.compile(rb"[0-9]{1,18}\Z")
_BLANK = (b"\r\n", b"\n")
_LONGEST_HEAD = 1 << 20

Framing = int | Literal["chunked", "close"]
"""What ends a body: so many bytes, the last chunk, or the end of the stream."""


class NotHTTP(ValueError):
    """The bytes are not the head of a response."""


class Part(NamedTuple):
    """Some bytes of a message.

    Attributes:
        piece: The bytes, and what they are on the wire.
        begins: Whether a line, a chunk or a body begins with them, and does not go on.
    """

    piece: Piece
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message.

    Attributes:
        lines: The start line, the field lines and the blank line, each with its end.
        status: The status of a response; 0 for a request.
        version: The version of a response, such as `1.1`.
    """

    lines: tuple[bytes, ...]
    status: int = 0
    version: str = ""

    def values(self, name: bytes) -> list[bytes]:
        """The items of every field of this name, in lower case."""
        found = [line.partition(b":") for line in self.lines[1:]]
        values = [value for title, _, value in found if title.strip().lower() == name]
        return [item.strip().lower() for value in values for item in value.split(b",")]

    @property
    def framing(self) -> Framing:
        """What ends the body that the fields announce; of a request without any, 0 bytes."""
        if codings := self.values(b"transfer-encoding"):
            return "chunked" if codings[-1] == b"chunked" else "close"
        lengths = set(self.values(b"content-length"))
        if len(lengths) == 1 and _DIGITS.match(length := lengths.pop()):
            return int(length)
        return "close" if self.status else 0

    @property
    def closes(self) -> bool:
        """Whether the sender of the response ends its stream after it."""
        options = self.values(b"connection")
        return b"close" in options or (self.version == "1.0" and b"keep-alive" not in options)


def response_head(inbox: Inbox) -> Head:
    """Read the head of a response.

    Raises:
        NotHTTP: It is none.
        EndOfStream: The stream ended first.
    """
    inbox.start(_LONGEST_HEAD)
    try:
        lines = [inbox.through(b"\n")]
        found = _STATUS_LINE.match(lines[0])
        if found is None:
            raise NotHTTP(f"{lines[0][:80]!r} is no status line")
        while lines[-1] not in _BLANK:
            lines.append(inbox.through(b"\n"))
    except Full:
        raise NotHTTP(f"the head is longer than {_LONGEST_HEAD} bytes") from None
    inbox.take()
    return Head(tuple(lines), int(found[2]), found[1].decode())


def body_parts(inbox: Inbox, framing: Framing) -> Iterator[Part]:
    """Read a body, part by part.

    Raises:
        EndOfStream: The stream ended before the body did.
    """
    if framing == "chunked":
        yield from _chunked(inbox)
    elif framing == "close":
        yield from _rest(inbox, "body")
    else:
        yield from _counted(inbox, "body", framing)


def _counted(inbox: Inbox, role: str, left: int) -> Iterator[Part]:
    begins = True
    while left:
        data = inbox.some(min(left, BLOCK))
        left -= len(data)
        yield Part(Piece(role, data), begins)
        begins = False


def _rest(inbox: Inbox, role: str) -> Iterator[Part]:
    begins = True
    try:
        while True:
            yield Part(Piece(role, inbox.some(BLOCK)), begins)
            begins = False
    except EndOfStream:
        return


def _chunked(inbox: Inbox) -> Iterator[Part]:
    while size := _SIZE.match(line := _line(inbox)):
        if not (length := int(size[1], 16)):
            yield Part(Piece("last-chunk", line))
            while (line := _line(inbox)) not in _BLANK:
                yield Part(Piece("trailer", line))
            yield Part(Piece("end-of-trailers", line))
            return
        yield Part(Piece("chunk-size", line))
        yield from _counted(inbox, "chunk-data", length)
        if (line := _line(inbox)) not in _BLANK:
            break
        yield Part(Piece("chunk-end", line))
    yield Part(Piece("data", line))
    yield from _rest(inbox, "data")


def _line(inbox: Inbox) -> bytes:
    """A line of the chunked coding; what is too long for one, as it is."""
    inbox.start(_LONGEST_HEAD)
    with contextlib.suppress(Full):
        inbox.through(b"\n")
    return inbox.take()
