"""Reads one request off a stream of bytes, leniently, and offers it as an object.

In come bytes as they arrive, out comes the raw request, head and body, and a note where the rest
of it cannot be found. It forgives everything that it can (bare LF, blank lines ahead, odd fields)
and raises nothing about grammar; this parser belongs to the server and is shared with no client.
A `Request` holds nothing but those bytes: each part is taken out of them when it is asked for, so
a request at which no test looks costs nothing.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver._phase import EndOfStream

_BLANK = (b"\r\n", b"\n")
_LINE_ENDS = (b"\r", b"\n")
_AHEAD = re.compile(rb"[\r\n]*")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"(?i)\ncontent-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n")
_CHUNKED = re.compile(rb"(?i)\ntransfer-encoding[ \t]*:.*\bchunked\b")
_REQUEST_LINE = re.compile(r"[!#-\[\]^-z|~]+ [!-~]+ HTTP/[0-9]\.[0-9]")
_FIELD_LINE = re.compile(rb"[!#-'*+\-.0-9A-Z^-z|~]+:")
_CHARSET = re.compile(r"(?i)\bcharset=\"?([^\s;\"]+)")
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


def _first_line(data: bytes) -> bytes:
    """The first line that is not blank, with its end; all of them if none ends."""
    if data[:1] in _LINE_ENDS:
        data = data.lstrip(b"\r\n")
    return data[: data.find(b"\n") + 1] or data


@lru_cache(maxsize=256)
def _words_of(line: bytes) -> tuple[str, str, str]:
    """Method, target and version of a request line; empty where they are missing."""
    method, target, version = [*line.strip().decode("latin-1").split(" ", 2), "", ""][:3]
    return method, target, version


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

    def some(self, n: int) -> bytes:
        """Take what has arrived: at least one byte, and at most `n`."""
        self.start()
        if not self.buffer:
            self._receive()
        self._at = min(n, len(self.buffer))
        return self.take()

    def latest(self, n: int) -> bytes:
        """The last `n` of the bytes that have been read."""
        return bytes(self.buffer[self._at - n : self._at])

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


def _read_chunks(inbox: Inbox, data: bytearray | None = None) -> str | None:
    """Read a chunked body; the chunk-data is added to `data`, if the caller needs it."""
    while size := _SIZE.match(inbox.through(b"\n")):
        if length := int(size[1], 16):
            inbox.exactly(length)
            if data is not None:
                data += inbox.latest(length)
            if inbox.through(b"\n") not in _BLANK:
                return "the end of a chunk is not a line end"
            continue
        while inbox.through(b"\n") not in _BLANK:
            pass
        return None
    return "a chunk-size line is not hexadecimal"


# ---------------------------------------------------------------------------- as an object


class Values(Mapping[str, str]):
    """Values by name, in the order of the wire; of several with one name, `[name]` is the first.

    Args:
        pairs: Every name with its value; a name may occur more than once.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)

    def get_all(self, name: str) -> list[str]:
        """Every value of a name; empty without one."""
        return [value for key, value in self.pairs if self._same(key, name)]

    def __getitem__(self, name: str) -> str:
        if values := self.get_all(name):
            return values[0]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        names: list[str] = []
        for key, _ in self.pairs:
            if not any(self._same(key, name) for name in names):
                names.append(key)
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.pairs)!r})"

    @staticmethod
    def _same(one: str, other: str) -> bool:
        return one == other


class Fields(Values):
    """Field values by name, in any case; several of one name are joined (RFC 9110, 5.3)."""

    def __getitem__(self, name: str) -> str:
        if values := self.get_all(name):
            return ", ".join(values)
        raise KeyError(name)

    @staticmethod
    def _same(one: str, other: str) -> bool:
        return one.lower() == other.lower()


def head_of(raw: bytes) -> bytes:
    """The head of a request, with its blank line; all of it where there is none."""
    end = _BLANK_LINE.search(raw)
    return raw[: end.end()] if end else raw


@lru_cache(maxsize=256)
def asks_to_close(raw: bytes) -> bool:
    r"""Whether a request asks that its connection be closed after the response (RFC 9112, 9.3).

    A request of HTTP/1.0 does unless it asks to keep the connection. After CONNECT the connection
    is a tunnel.

    >>> asks_to_close(b"GET / HTTP/1.0\r\n\r\n")
    True
    """
    request = Request(0, head_of(raw))
    if request.method == "CONNECT":
        return False
    fields = request.headers.get_all("Connection")
    options = {one.strip().lower() for field in fields for one in field.split(",")}
    return "close" in options or (request.version == "HTTP/1.0" and "keep-alive" not in options)


@dataclass(frozen=True)
class Request:
    r"""A request, unchanged, and its parts; text is decoded as Latin-1, where nothing else is said.

    A malformed request has parts too, empty where they are missing; `problem` says what is wrong.

    >>> request = Request(1, b"POST /a?n=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    >>> request.path, request.query["n"], request.headers["content-length"], request.json()
    ('/a', '1', '2', {})

    Attributes:
        connection: The number of its connection, from 1.
        raw: Its bytes, head and body.
    """

    connection: int
    raw: bytes

    @cached_property
    def _split(self) -> tuple[bytes, bytes]:
        """The head without its blank line, and the body unchanged."""
        raw = self.raw.lstrip(b"\r\n")
        end = _BLANK_LINE.search(raw)
        return (raw[: end.start() + 1], raw[end.end() :]) if end else (raw, b"")

    @property
    def line(self) -> str:
        """The request line, without its end."""
        return _first_line(self.raw).strip().decode("latin-1")

    @property
    def _words(self) -> tuple[str, str, str]:
        line = _first_line(self.raw)
        return _words_of(line) if len(line) <= SHORT else _words_of.__wrapped__(line)

    @property
    def method(self) -> str:
        """The method, as it was sent."""
        return self._words[0]

    @property
    def target(self) -> str:
        """The request target, as it was sent."""
        return self._words[1]

    @property
    def version(self) -> str:
        """What follows the target: `HTTP/1.1`."""
        return self._words[2]

    @cached_property
    def path(self) -> str:
        """The target's path, percent-decoded as UTF-8, also out of an absolute URL."""
        return unquote(self._url[0])

    @cached_property
    def query(self) -> Values:
        """The names and values of the target's query, decoded as HTML forms encode them."""
        return Values(parse_qsl(self._url[1], keep_blank_values=True))

    @cached_property
    def _url(self) -> tuple[str, str]:
        """Path and query of the target, still encoded."""
        target = self.target
        if self.method == "CONNECT":
            return "", ""
        if "://" in target.partition("?")[0]:
            try:
                parts = urlsplit(target)
            except ValueError:  # brackets that do not match, for instance
                return target, ""
            return parts.path, parts.query
        path, _, query = target.partition("?")
        return path, query

    @cached_property
    def headers(self) -> Fields:
        """The header fields, their values without outer blanks."""
        lines = self._split[0].decode("latin-1").split("\n")[1:]
        pairs = (line.partition(":") for line in lines if line.strip())
        return Fields((name.strip(), value.strip()) for name, _, value in pairs)

    @cached_property
    def _framed(self) -> tuple[bytes, str | None]:
        """The content, and what is wrong with its framing."""
        head, body = self._split
        if head.startswith(b"CONNECT "):
            return body, None
        if _CHUNKED.search(head):
            data = bytearray()
            try:
                problem = _read_chunks(Inbox(bytes, bytearray(body)), data)
            except EndOfStream:
                problem = "the chunked body is cut off"
            return bytes(data), problem
        if (length := _LENGTH.search(head)) and int(length[1]) > len(body):
            return body, f"the body has {len(body)} of {int(length[1])} bytes"
        return body, None

    @property
    def body(self) -> bytes:
        """The content: the body, decoded where it is chunked."""
        return self._framed[0]

    @property
    def text(self) -> str:
        """The content as text, in the charset of Content-Type, else in UTF-8."""
        charset = _CHARSET.search(self.headers.get("Content-Type", ""))
        try:
            return self.body.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:  # there is no such charset
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The content, as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ValueError(f"the body is not JSON: {self.body[:80]!r} ({error})") from None

    @property
    def problem(self) -> str | None:
        """What is malformed in it; None for a request that is not."""
        head, _ = self._split
        if not _REQUEST_LINE.fullmatch(self.line):
            return f"the request line is {self.line[:80]!r}"
        if not _BLANK_LINE.search(self.raw.lstrip(b"\r\n")):
            return "the head is cut off"
        for line in head.split(b"\n")[1:]:
            if line.strip() and not _FIELD_LINE.match(line):
                return f"a field line is {line.rstrip()[:80]!r}"
        return self._framed[1]
