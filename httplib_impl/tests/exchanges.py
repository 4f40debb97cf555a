"""Whole exchanges over bytes that were not written by hand.

Some bytes make the choices (method, read style, where the stream is cut, which errors come in
between), the others are what the server sends. `exchange` plays them against a connection in memory
and asserts what has to hold for any bytes: only documented exceptions, no endless loop, nothing
returned twice, no connection kept after an error. It serves Hypothesis, a coverage-guided fuzzer,
and a plain stream of random numbers.
"""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable
from typing import TypeVar

from httplib_impl import HTTPConnection, HTTPException, HTTPResponse
from httplib_impl.tests.support import Event, FileOnly, RawOnly, Wire

Result = TypeVar("Result")

# So many bytes choose; what is after them is the stream.
CHOICES = 12

METHODS = ["GET", "GET", "POST", "HEAD", "CONNECT", "head"]
AMOUNTS = [None, None, -1, 0, 1, 5, 7, 65536, 1 << 62]
ERRORS: list[Callable[[], OSError]] = [TimeoutError, ConnectionResetError, BlockingIOError]

# What responses are made of. A fuzzer that knows the words gets after the first line.
WORDS = [
    *(b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/0.9 ", b"HTTP/2.0 ", b"HTTP/", b"http/1.1 ", b"ICY "),
    *(b"100 ", b"101 ", b"103 ", b"200 ", b"204 ", b"206 ", b"304 ", b"404 ", b"999 ", b"099 "),
    *(b"OK", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b": ", b";", b",", b"\r\n\r\n", b"\n\n"),
    *(b"Content-Length: ", b"content-length:", b"Transfer-Encoding: ", b"Connection: "),
    *(b"Keep-Alive: ", b"Proxy-Connection: ", b"Upgrade: ", b"X: ", b"From ", b"\r\n ", b"\n\t"),
    *(b"chunked", b"identity", b"gzip", b"close", b"keep-alive", b"5", b"0", b"3", b"-1", b"+5"),
    *(b"5\r\n", b"hello", b"hello\r\n", b"0\r\n", b"0\r\n\r\n", b"1;a=b\r\n", b"a\r\n", b"a" * 10),
    *(b"5\r\nhello\r\n" * 3, b"99999999999999999999", b"0x5", b"5_0", b"\x00", b"\xff", b"\x0b"),
]
STARTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n",
    b"HTTP/1.1 100 Go\r\n\r\n",
    b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n",
]
# Chunks of one size, each line spelled otherwise: what a decoder takes at a glance.
CHUNKS = [
    *(b"5\r\nhello\r\n", b"0005\r\nhello\r\n", b"5;name=value\r\nhello\r\n", b"3\r\nabc\r\n"),
    b"5".zfill(25) + b"\r\nhello\r\n",
]
LONG = [b"X: y\r\n" * 101, b"x" * 65536, STARTS[4] * 101, b"1\r\n.\r\n" * 3000]


class Choices:
    """Bytes, used up one by one to choose with."""

    def __init__(self, block: bytes) -> None:
        self._bytes = iter(block)

    def below(self, n: int) -> int:
        return next(self._bytes, 0) % n


class CountingWire(Wire):
    """A wire that is asked for no more than there is, but for a few ends."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__(events)
        self.patience = sum(len(event) if isinstance(event, bytes) else 1 for event in events) + 99

    def recv(self, n: int, flags: int = 0, /) -> bytes:
        self.patience -= 1
        assert self.patience, "the client asks and asks"
        return super().recv(n, flags)


def random_input(source: random.Random) -> bytes:
    """Choices, and a stream made of words, broken in places."""
    words = [source.choice(STARTS)] if source.random() < 0.8 else []
    words += source.choices(WORDS, k=source.randint(0, 16))
    if source.random() < 0.1:
        words = [STARTS[2]]
        words += [chunk * source.choice([1, 3, 4]) for chunk in source.choices(CHUNKS, k=4)]
    if source.random() < 0.003:
        words.insert(source.randint(0, len(words)), source.choice(LONG))
    if source.random() < 0.3:
        words += [source.choice(STARTS), source.choice(STARTS)]
    stream = bytearray(b"".join(words))
    for _ in range(source.choice([0, 0, 0, 1, 3]) if stream else 0):
        stream[source.randrange(len(stream))] = source.randrange(256)
    return source.randbytes(CHOICES) + bytes(stream)


def exchange(data: bytes) -> None:
    """Play up to four requests against these bytes.

    Raises:
        AssertionError: something that must not happen did.
        Exception: one that is not documented escaped.
    """
    choices, stream = Choices(data[:CHOICES]), data[CHOICES:]
    conn = HTTPConnection("example.com", strict=choices.below(2))
    conn.auto_open = 0
    kind = choices.below(8)
    if kind > 1:
        conn.sock = CountingWire(cut(stream, choices))
    else:
        conn.sock = FileOnly(stream) if kind else RawOnly(stream, 1 + choices.below(9))
    conn.debuglevel = int(choices.below(16) == 1)
    with contextlib.redirect_stdout(io.StringIO()) if conn.debuglevel else contextlib.nullcontext():
        returned = 0
        for _ in range(1 + choices.below(4)):
            try:
                returned += one_request(conn, choices)
            except (HTTPException, OSError):
                break
    assert returned <= len(stream)


def cut(stream: bytes, choices: Choices) -> list[Event]:
    """The stream in segments, with an error in between or after."""
    step = [len(stream) or 1, 1, 2, 3, 16, 100, 0][choices.below(7)]
    events: list[Event]
    if step:
        events = [stream[i : i + step] for i in range(0, len(stream), step)]
    else:  # where a head ends: what follows begins with a fetch
        head, end, rest = stream.partition(b"\r\n\r\n")
        events = [part for part in (head + end, rest) if part]
    error = choices.below(8)
    if error < len(ERRORS):
        events.insert(choices.below(len(events) + 1), ERRORS[error]())
    return events


def one_request(conn: HTTPConnection, choices: Choices) -> int:
    """Send a request, read its response in some style; return how many bytes were read."""
    headers = {"Upgrade": "x"} if choices.below(8) == 1 else {}
    conn.request(METHODS[choices.below(len(METHODS))], "/", headers=headers)
    try:
        response = again(conn.getresponse)
    except (TimeoutError, BlockingIOError):
        raise
    except (HTTPException, OSError):
        assert conn.sock is None, "a connection that failed is kept"
        conn.putrequest("GET", "/")  # idle: the next request can start
        raise
    assert type(response.status) is int
    assert 100 <= response.status <= 999
    assert response.msg is not None
    response.getheaders()
    str(response.msg)
    return read_all(response, AMOUNTS[choices.below(len(AMOUNTS))], choices.below(8) == 1)


def read_all(response: HTTPResponse, amount: int | None, give_up: bool) -> int:
    """Read to the end, or close after the first read; return how many bytes there were."""
    total = 0
    while True:
        block = again(lambda amt=amount: response.read(amt))  # type: ignore[misc]  # a default
        total += len(block)
        assert amount is None or amount < 0 or len(block) <= amount
        if give_up:
            response.close()
        if amount == 0:
            amount = 3
        elif not block or response.isclosed():
            assert response.isclosed()
            assert response.read() == b""
            return total


def again(call: Callable[[], Result]) -> Result:
    """Repeat a call that a timeout interrupted, which loses nothing."""
    try:
        return call()
    except (TimeoutError, BlockingIOError):
        return call()
