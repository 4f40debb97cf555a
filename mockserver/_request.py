"""Reads one request off a stream of bytes, leniently, and takes a raw request apart.

In come bytes as they arrive, out comes the raw request, head and body, and a note where the rest
of it cannot be found. It forgives everything that it can (bare LF, blank lines ahead, odd fields)
and raises nothing about grammar; this parser belongs to the server and is shared with no client.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from mockserver._phase import EndOfStream

_BLANK = (b"\r\n", b"\n")
_LINE_ENDS = (b"\r", b"\n")
_AHEAD = re.compile(rb"[\r\n]*")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"(?i)\ncontent-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n")
_CHUNKED = re.compile(rb"(?i)\ntransfer-encoding[ \t]*:.*\bchunked\b")
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n\Z", re.DOTALL)


_FRAMED = re.compile(rb"(?i)\n(?:content-length|transfer-encoding)[ \t]*:")
SHORT = 4096
"""Bytes of requests that are worth a memory: most clients send the same few again and again."""


@lru_cache(maxsize=256)
def is_bare(data: bytes) -> bool:
    """Whether bytes are a head, whole and alone, that announces no body."""
    end = _BLANK_LINE.search(data)
    alone = end is not None and end.end() == len(data) and data[:1] not in _LINE_ENDS
    return alone and _FRAMED.search(data) is None


class Full(Exception):
    """The limit of a read is reached."""


class Inbox:
    """The bytes that have arrived; `at` says how many of them the current step has read.

    Attributes:
        buffer: What no step has taken yet.
    """

    def __init__(self, more: Callable[[], bytes], buffer: bytearray | None = None) -> None:
        self.buffer = bytearray() if buffer is None else buffer
        self._more = more
        self._at = 0
        self._limit: int | None = None

    def start(self, limit: int | None = None) -> None:
        """Begin a read that may go through `limit` bytes."""
        self._at = 0
        self._limit = limit

    def take(self) -> bytes:
        """Hand out, and forget, what has been read since `start`."""
        data = bytes(self.buffer[: self._at])
        del self.buffer[: self._at]
        self._at = 0
        return data

    def exactly(self, n: int) -> None:
        """Read `n` bytes."""
        while len(self.buffer) < self._at + n:
            self._receive()
        self._advance(self._at + n)

    def through(self, marker: bytes) -> bytes:
        """Read through the next marker; returns what was read."""
        start = searched = self._at
        while (found := self.buffer.find(marker, searched)) < 0:
            searched = max(start, len(self.buffer) - len(marker) + 1)
            self._receive()
        self._advance(found + len(marker))
        return bytes(self.buffer[start : self._at])

    def head(self) -> bytes:
        """Read through the first blank line after a line that is not blank."""
        searched = 0
        while (end := self._end_of_head(searched) if self.buffer else None) is None:
            searched = max(0, len(self.buffer) - 2)
            self._receive()
        self._advance(end)
        return bytes(self.buffer[:end])

    def _end_of_head(self, searched: int) -> int | None:
        # A match holds on to the buffer, which must be free to grow: it does not leave this method.
        if self.buffer[:1] in _LINE_ENDS and (ahead := _AHEAD.match(self.buffer)):
            searched = max(searched, ahead.end())
        found = _BLANK_LINE.search(self.buffer, searched)
        return found.end() if found else None

    def _receive(self) -> None:
        if self._limit is not None and len(self.buffer) >= self._limit:
            self._advance(self._limit + 1)
        data = self._more()
        if not data:
            self._at = len(self.buffer)
            raise EndOfStream
        self.buffer += data

    def _advance(self, to: int) -> None:
        if self._limit is not None and to > self._limit:
            self._at = self._limit
            raise Full
        self._at = to


def read_request(inbox: Inbox, limit: int, with_body: Callable[[bytes], bool]) -> str | None:
    """Read one request; `inbox.take()` then gives its bytes.

    Args:
        inbox: Where bytes come from.
        limit: How many bytes to read at most.
        with_body: Whether to read the body that a head announces.

    Returns:
        Why reading stopped early, or None for a whole request.

    Raises:
        EndOfStream: The client ended its stream first; `inbox.take()` gives what came.
    """
    inbox.start(limit)
    try:
        head = inbox.head()
        return _read_body(inbox, head) if with_body(head) else None
    except Full:
        return f"the request is longer than {limit} bytes"


def _read_body(inbox: Inbox, head: bytes) -> str | None:
    if head.startswith(b"CONNECT "):
        return None
    if _CHUNKED.search(head):
        return _read_chunks(inbox)
    if length := _LENGTH.search(head):
        inbox.exactly(int(length[1]))
    return None


def _read_chunks(inbox: Inbox) -> str | None:
    while size := _SIZE.match(inbox.through(b"\n")):
        if length := int(size[1], 16):
            inbox.exactly(length)
            if inbox.through(b"\n") not in _BLANK:
                return "the end of a chunk is not a line end"
            continue
        while inbox.through(b"\n") not in _BLANK:
            pass
        return None
    return "a chunk-size line is not hexadecimal"


class RequestParts(NamedTuple):
    """A raw request taken apart; what is missing is empty."""

    method: str
    target: str
    fields: list[tuple[bytes, bytes]]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name, in order."""
        return [value for key, value in self.fields if key == name.lower()]


def request_parts(raw: bytes) -> RequestParts:
    """Take a raw request apart: names in lower case, values stripped, the body unchanged."""
    raw = raw.lstrip(b"\r\n")
    end = _BLANK_LINE.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    line, *lines = head.split(b"\n")
    words = [*line.strip().split(b" ", 2), b"", b""]
    method, target = (word.decode("latin-1") for word in words[:2])
    pairs = [one.partition(b":") for one in lines]
    fields = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    return RequestParts(method, target, fields, body)
