from __future__ import annotations

import io
import socket
import tracemalloc
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httplib_impl import HTTPException, HTTPResponse, IncompleteRead, LineTooLong
from httplib_impl.tests.support import (
    DETERMINISTIC,
    FEEDS,
    Event,
    Feed,
    FileOnly,
    RawOnly,
    Stream,
    Wire,
    byte_by_byte,
    connection,
    in_halves,
    read_in_pieces,
    respond,
    whole,
)

Result = TypeVar("Result")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"


def end_of(response: HTTPResponse, amount: int) -> tuple[bytes, IncompleteRead]:
    """What `read(amount)` returns up to the error, and the error."""
    raw = b""
    try:
        while piece := response.read(amount):
            raw += piece
    except IncompleteRead as error:
        return raw, error
    pytest.fail(f"{raw!r} was taken for the whole body")


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5  \t\r\nhello\r\n0 \r\n\r\n", b"hello"),
        (b'0005;a=b;c="d"\r\nhello\r\n6\r\n world\r\n000;x\r\n\r\n', b"hello world"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
        (b"2\r\n\r\n\r\n0\r\nT: 1\r\nU: 2\n\r\n", b"\r\n"),
        (b"1\r\nx\r\n0\r\nT: 1\r\n\n", b"x"),
        (b"3\r\nabc\r\n" * 40 + b"4\r\nabcd\r\n3\r\nabc\r\n0\r\n\r\n", b"abc" * 40 + b"abcdabc"),
    ],
)
def test_a_chunked_body_is_its_data(chunks: bytes, body: bytes, feed: Feed) -> None:
    response = respond(feed(CHUNKED + chunks), kept_open=True)
    assert response.read() == body
    assert response.isclosed()
    for amount in (1, 7, 1000):
        assert read_in_pieces(respond(feed(CHUNKED + chunks), kept_open=True), amount) == body


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    "tail", [b"0", b"0\r", b"000 ", b"0;x", b"0\r\n", b"0\r\nT: 1\r\n", b"0\r\nT"]
)
def test_an_end_of_stream_after_the_zero_is_complete(tail: bytes, feed: Feed) -> None:
    assert respond(feed(CHUNKED + b"5\r\nhello\r\n" + tail)).read() == b"hello"


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("tail", "data", "expected"),
    [
        (b"", b"", None),
        (b"5", b"", None),
        (b"5\r", b"", None),
        (b"5\r\n", b"", 5),
        (b"5\r\nwor", b"wor", 2),
        (b"5\r\nworld", b"world", None),
        (b"5\r\nworld\r", b"world", None),
        (b"5\r\nworldXX0\r\n\r\n", b"world", None),
        (b"5\r\nworld\n\n0\r\n\r\n", b"world", None),
        (b"5\r\nhello\r\n" * 9 + b"5\r\nworldXX5\r\nhello\r\n", b"hello" * 9 + b"world", None),
        (b"5\r\nhello\r\n" * 9 + b"+\r\nworld\r\n", b"hello" * 9, None),
        (b"\r\n", b"", None),
        (b"zz\r\n", b"", None),
        (b"+5\r\nworld\r\n", b"", None),
        (b"-5\r\nworld\r\n", b"", None),
        (b"0x5\r\nworld\r\n", b"", None),
        (b"0_5\r\nworld\r\n", b"", None),
        (b" 5\r\nworld\r\n", b"", None),
        (b"5\nworld\r\n", b"", None),
        (b"0\n\r\n", b"", None),
        (b"5;a\nb\r\nworld\r\n", b"", None),
        (b"5;a\rb\r\nworld\r\n", b"", None),
        (b"5\xa0\r\nworld\r\n", b"", None),
        (b"5 5\r\nworld\r\n", b"", None),
        (b"HTTP/1.1 200 OK\r\n", b"", None),
        (b"f" * 30 + b"\r\nworld", b"world", 16**30 - 6),
    ],
)
def test_a_cut_or_malformed_chunked_body_keeps_what_was_decoded(
    tail: bytes, data: bytes, expected: int | None, feed: Feed
) -> None:
    raw = CHUNKED + b"5\r\nhello\r\n" + tail
    response = respond(feed(raw))
    with pytest.raises(IncompleteRead) as caught:
        response.read()
    assert (caught.value.partial, caught.value.expected) == (b"hello" + data, expected)
    assert response.isclosed()
    assert response.read() == b""
    for amount in (1, 3, 100):
        pieces, error = end_of(respond(feed(raw)), amount)
        assert (pieces, error.partial, error.expected) == (b"hello" + data, b"", expected)


def test_a_size_of_any_number_of_digits_is_an_incomplete_read_that_can_be_printed() -> None:
    response = respond(CHUNKED + b"f" * 60000 + b"\r\nhello")
    with pytest.raises(IncompleteRead, match="5 bytes read, ") as caught:
        response.read()
    assert caught.value.partial == b"hello"


@pytest.mark.parametrize("feed", FEEDS[:1] + FEEDS[2:])
@pytest.mark.parametrize(
    ("raw", "line_type"),
    [
        (b"5;" + b"a" * 65536 + b"\r\nworld\r\n", "chunk size"),
        (b"0\r\n" + b"a" * 65536 + b"\r\n", "trailer line"),
    ],
)
def test_a_line_over_the_limit_is_too_long_after_the_bytes_before_it(
    raw: bytes, line_type: str, feed: Feed
) -> None:
    raw = CHUNKED + b"5\r\nhello\r\n" + raw
    response = respond(feed(raw))
    with pytest.raises(LineTooLong, match=line_type):
        response.read()
    assert response.isclosed()
    response = respond(feed(raw))
    assert response.read(99) == b"hello"
    with pytest.raises(LineTooLong):
        response.read(99)
    assert response.read(99) == b""


def test_a_size_line_of_65536_bytes_passes() -> None:
    line = b"5;".ljust(65534, b"a") + b"\r\n"
    assert respond(CHUNKED + line + b"hello\r\n0\r\n\r\n").read() == b"hello"


@pytest.mark.parametrize("feed", FEEDS)
def test_one_hundred_trailer_lines_pass_and_one_more_does_not(feed: Feed) -> None:
    body = CHUNKED + b"1\r\nx\r\n0\r\n"
    assert respond(feed(body + b"T: 1\r\n" * 100 + b"\r\n"), kept_open=True).read() == b"x"
    with pytest.raises(HTTPException, match="100 trailers"):
        respond(feed(body + b"T: 1\r\n" * 101 + b"\r\n")).read()


@pytest.mark.parametrize("feed", FEEDS)
def test_a_body_of_a_length_is_read_whole_or_in_pieces(feed: Feed) -> None:
    raw = LENGTH_5 + b"hello and more"
    for amount in (1, 2, 5, 100):
        assert read_in_pieces(respond(feed(raw), kept_open=True), amount) == b"hello"
    for everything in (None, -1, -7):
        assert respond(feed(raw), kept_open=True).read(everything) == b"hello"


@pytest.mark.parametrize("feed", FEEDS)
def test_a_body_of_a_length_is_closed_with_its_last_byte(feed: Feed) -> None:
    response = respond(feed(LENGTH_5 + b"hello"), kept_open=True)
    seen = []
    for amount in (0, 2, 2, 1):
        response.read(amount)
        seen.append((response.isclosed(), response.length))
    assert seen == [(False, 5), (False, 3), (False, 1), (True, 0)]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_short_body_keeps_what_came_and_says_what_is_missing(feed: Feed) -> None:
    response = respond(feed(LENGTH_5 + b"hel"))
    with pytest.raises(IncompleteRead) as caught:
        response.read()
    assert (caught.value.partial, caught.value.expected) == (b"hel", 2)
    assert caught.value.args == (b"hel",)
    assert str(caught.value) == "IncompleteRead(3 bytes read, 2 more expected)"
    assert (response.isclosed(), response.read()) == (True, b"")
    for amount in (1, 2, 3, 100):
        pieces, error = end_of(respond(feed(LENGTH_5 + b"hel")), amount)
        assert (pieces, error.partial, error.expected) == (b"hel", b"", 2)


def test_the_error_of_a_short_body_is_raised_once() -> None:
    response = respond(LENGTH_5 + b"hel")
    assert response.read(9) == b"hel"
    assert not response.isclosed()
    with pytest.raises(IncompleteRead):
        response.read(9)
    assert [response.read(9), response.read()] == [b"", b""]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_body_that_ends_with_the_connection_is_all_that_comes(feed: Feed) -> None:
    for amount in (1, 2, 100):
        assert read_in_pieces(respond(feed(CLOSE + b"hello")), amount) == b"hello"
    assert respond(feed(CLOSE + b"hello")).read() == b"hello"


def test_read_after_the_end_returns_nothing() -> None:
    for raw in (LENGTH_5 + b"hello", CLOSE, CHUNKED + b"0\r\n\r\n"):
        response = respond(raw)
        response.read()
        assert [response.read(), response.read(3), response.read(0)] == [b"", b"", b""]


def test_chunked_and_close_are_closed_by_the_call_that_meets_the_end() -> None:
    for raw in (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", CLOSE + b"hello"):
        response = respond(raw)
        assert (response.read(5), response.isclosed()) == (b"hello", False)
        assert (response.read(1), response.isclosed()) == (b"", True)


@pytest.mark.parametrize("head", [LENGTH_5, CLOSE, CHUNKED + b"5\r\n"])
@pytest.mark.parametrize("feed", [whole, in_halves])
def test_a_timeout_loses_nothing_and_the_call_can_be_repeated(head: bytes, feed: Feed) -> None:
    body: list[Event] = [
        *feed(head + b"he"),
        TimeoutError(),
        b"l",
        TimeoutError(),
        TimeoutError(),
        b"lo",
    ]
    body += [b"\r\n0\r\n\r\n"] if head.startswith(CHUNKED) else []
    for amount in (None, 5):
        conn = connection(list(body))
        conn.request("GET", "/")
        response = patiently(conn.getresponse)
        assert patiently(partial(response.read, amount)) == b"hello"


def test_a_large_body_loses_nothing_to_timeouts_and_cuts() -> None:
    block = bytes(range(256)) * 1024
    events: list[Event] = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * 20)]
    for _ in range(19):
        events += [block, TimeoutError()]
    response = respond([*events, block])
    assert patiently(response.read) == block * 20
    response = respond(events)
    with pytest.raises(IncompleteRead) as caught:
        patiently(response.read)
    assert (caught.value.partial, caught.value.expected) == (block * 19, len(block))


def test_large_chunks_are_joined_in_order() -> None:
    sizes = [70000, 5000, 5000, 5000, 1, 300000, 4096, 4095] * 3
    data = [bytes([i]) * size for i, size in enumerate(sizes)]
    raw = CHUNKED + b"".join([b"%x\r\n%b\r\n" % (len(d), d) for d in data]) + b"0\r\n\r\n"
    for block in (65536, 1 << 20, 999):
        events: list[Event] = [raw[i : i + block] for i in range(0, len(raw), block)]
        assert respond(list(events), kept_open=True).read() == b"".join(data)
        assert read_in_pieces(respond(events, kept_open=True), 70001) == b"".join(data)


def test_what_a_timed_out_read_had_received_can_be_read_in_pieces() -> None:
    response = respond([LENGTH_5 + b"hell", TimeoutError(), b"o"], kept_open=True)
    with pytest.raises(TimeoutError):
        response.read()
    assert response.length == 5
    assert [response.read(2), response.read(2), response.read(2)] == [b"he", b"ll", b"o"]


@pytest.mark.parametrize("head", [LENGTH_5, CLOSE, CHUNKED + b"5\r\n"])
def test_a_reset_comes_after_the_bytes_before_it_and_is_never_an_end(head: bytes) -> None:
    response = respond([head + b"hel", ConnectionResetError()])
    assert response.read(100) == b"hel"
    for amount in (100, None, 1):
        with pytest.raises(ConnectionResetError):
            response.read(amount)


@pytest.mark.parametrize("head", [LENGTH_5, CLOSE, CHUNKED + b"5\r\n"])
def test_a_reset_fails_a_read_of_everything_and_loses_nothing(head: bytes) -> None:
    response = respond([head + b"hel", ConnectionResetError()])
    with pytest.raises(ConnectionResetError):
        response.read()
    assert response.read(100) == b"hel"
    with pytest.raises(ConnectionResetError):
        response.read(100)


def patiently(call: Callable[[], Result]) -> Result:
    """Call until the call does not time out."""
    while True:
        try:
            return call()
        except TimeoutError:
            continue


SIZES = st.lists(st.sampled_from([1, 2, 15, 16, 17, 255, 256]) | st.integers(1, 40), max_size=30)


@DETERMINISTIC
@given(SIZES, st.integers(1, 300), st.randoms(use_true_random=False))
def test_chunks_are_the_same_whole_byte_by_byte_and_with_trailing_data(
    sizes: list[int], amount: int, random: Random
) -> None:
    body = random.randbytes(sum(sizes))
    raw, start = CHUNKED, 0
    for size in sizes:
        raw += b"%x\r\n%b\r\n" % (size, body[start : start + size])
        start += size
    raw += b"0\r\n\r\n"
    for events in ([raw], [raw + b"trailing"], byte_by_byte(raw)):
        assert respond(list(events), kept_open=True).read() == body
        assert read_in_pieces(respond(list(events), kept_open=True), amount) == body


GRAMMAR = [
    b"5\r\nhello\r\n",
    b"1\r\nx\r\n",
    b"0",
    b"\r",
    b"\n",
    b"\r\n",
    b"3",
    b";",
    b"ab",
    b"f" * 9,
]


@DETERMINISTIC
@given(st.lists(st.sampled_from(GRAMMAR) | st.binary(max_size=4), max_size=12), st.integers(1, 9))
def test_any_chunked_bytes_end_alike_whole_byte_by_byte_and_in_pieces(
    pieces: list[bytes], amount: int
) -> None:
    raw = CHUNKED + b"".join(pieces)
    outcomes: list[tuple[bytes, bytes, int | None]] = []
    for feed in FEEDS:
        try:
            outcomes.append((respond(feed(raw)).read(), b"", 0))
        except IncompleteRead as error:
            outcomes.append((b"", error.partial, error.expected))
    response, data = respond(raw), b""
    try:
        while piece := response.read(amount):
            data += piece
        outcomes.append((data, b"", 0))
    except IncompleteRead as error:
        outcomes.append((b"", data + error.partial, error.expected))
    assert len(set(outcomes)) == 1


def test_an_announced_length_takes_no_memory() -> None:
    tracemalloc.start()
    for head in (b"Content-Length: 10000000000000", b"Transfer-Encoding: chunked"):
        start = b"fffffffffff\r\n" if b"chunked" in head else b""
        response = respond(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + start + b"hello")
        with pytest.raises(IncompleteRead):
            response.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


@pytest.mark.parametrize("framing", ["length", "close", "chunked"])
def test_a_large_body_takes_little_more_memory_than_itself(framing: str) -> None:
    n = 16 << 20
    head, start, end = {
        "length": (b"Content-Length: %d" % n, b"", b""),
        "close": (b"A: b", b"", b""),
        "chunked": (b"Transfer-Encoding: chunked", b"%x\r\n" % n, b"\r\n0\r\n\r\n"),
    }[framing]
    block = b"x" * 65536
    head = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + start
    response = respond([head, *[block] * (n >> 16), end])
    tracemalloc.start()
    body = response.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert body == b"x" * n
    assert peak < n + n // 8 + (2 << 20)


def test_a_socket_that_only_makes_a_file_is_read_to_the_byte() -> None:
    for raw in (LENGTH_5 + b"hello", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"):
        sock = FileOnly(raw + b"HTTP/1.1 404 Next\r\n\r\n")
        conn = connection(b"")
        conn.sock = sock
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"hello"
        assert sock.file.read() == b"HTTP/1.1 404 Next\r\n\r\n"


class Interrupted(Stream):
    """A file of which the call of this number fails once, or gives a byte too few."""

    def __init__(self, raw: bytes, number: int, failure: str) -> None:
        super().__init__(raw)
        self.countdown, self.failure = number, failure

    def interrupted(self, raw: bytes) -> Any:
        self.countdown -= 1
        if self.countdown or len(raw) < 2:  # a file gives nothing at its end only
            return raw
        self.seek(-1 if self.failure == "short" else -len(raw), io.SEEK_CUR)
        if self.failure == "timeout":
            raise TimeoutError
        return None if self.failure == "nothing" else raw[:-1]

    def readline(self, limit: int | None = -1, /) -> Any:
        return self.interrupted(super().readline(limit))

    def read(self, n: int | None = -1, /) -> Any:
        return self.interrupted(super().read(n))


@pytest.mark.parametrize("failure", ["short", "timeout", "nothing"])
@pytest.mark.parametrize("amount", [None, 7, 12, 13])
@pytest.mark.parametrize("number", range(1, 22))
def test_a_file_that_is_interrupted_in_any_call_loses_nothing(
    number: int, amount: int | None, failure: str
) -> None:
    chunks = b"5\r\nhello\r\n7\r\n, world\r\n1;a=b\r\n!\r\n" * 2
    file = Interrupted(CHUNKED + chunks + b"0\r\nA: b\r\n\r\nnext", number, failure)
    conn = connection(b"")
    conn.sock = sock = FileOnly(b"")
    sock.file = file
    conn.request("GET", "/")
    response = repeated(conn.getresponse)
    body = b""
    while not response.isclosed():
        body += repeated(lambda: response.read(amount))
    assert (body, bytes(file.getbuffer()[file.tell() :])) == (b"hello, world!" * 2, b"next")


@pytest.mark.parametrize("chunks", [b"5\r\nhello", b"5\r\nhello\r\n5\r\nhello"])
def test_from_a_file_no_more_is_read_than_was_asked_for(chunks: bytes) -> None:
    """The line end of the last chunk may be sent much later."""

    class Silent(Stream):
        def read(self, n: int | None = -1, /) -> bytes:
            data = super().read(n)
            assert n == len(data), "the client waits for bytes that are not here"
            return data

    conn = connection(b"")
    conn.sock = sock = FileOnly(b"")
    sock.file = Silent(CHUNKED + chunks)
    conn.request("GET", "/")
    data = b"hello" * chunks.count(b"hello")
    assert conn.getresponse().read(len(data)) == data


def test_a_file_may_give_fewer_bytes_than_it_is_asked_for() -> None:
    class Short(Stream):
        def read(self, n: int | None = -1, /) -> bytes:
            return super().read(min(n or 0, 3))

    conn = connection(b"")
    conn.sock = sock = FileOnly(b"")
    sock.file = Short(CHUNKED + b"4\r\nx\r\n!\r\n" * 3 + b"0\r\n\r\n")
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"x\r\n!" * 3


def repeated(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (TimeoutError, BlockingIOError):
        return call()


def test_what_a_raw_file_gives_too_early_is_kept_for_the_next_response() -> None:
    conn = connection(b"")
    conn.sock = RawOnly(LENGTH_5 + b"hello" + LENGTH_5 + b"again" + b"HTTP/1.1 200 OK\r\n\r\nend")
    for body in (b"hello", b"again", b"end"):
        conn.request("GET", "/")
        assert conn.getresponse().read() == body


def unread(_: int) -> bytes:
    raise AssertionError("it is read through its file")


def test_what_a_raw_file_gives_too_early_is_left_where_the_socket_has_recv() -> None:
    conn: Any = connection(b"")
    conn.sock = RawOnly(LENGTH_5 + b"hello" + LENGTH_5 + b"wrong")
    conn.sock.recv = unread
    conn._create_connection = lambda *_: FileOnly(LENGTH_5 + b"again")
    for body in (b"hello", b"again"):
        conn.request("GET", "/")
        assert conn.getresponse().read() == body


def test_a_socket_like_with_recv_and_without_a_descriptor_is_kept() -> None:
    conn: Any = connection(b"")
    conn.sock = sock = FileOnly(LENGTH_5 + b"hello" + LENGTH_5 + b"again")
    conn.sock.recv = unread
    for body in (b"hello", b"again"):
        conn.request("GET", "/")
        assert conn.getresponse().read() == body
    assert conn.sock is sock


def test_a_socket_with_a_makefile_of_its_own_is_read_through_it() -> None:
    class Own(socket.socket):
        def makefile(self, *_: Any, **__: Any) -> Any:
            return io.BytesIO(LENGTH_5 + b"hello")

    with Own() as sock:
        response = HTTPResponse(sock)
        response.begin()
        assert response.read() == b"hello"


def test_the_file_of_a_socket_like_needs_no_readinto() -> None:
    class Plain:
        def __init__(self, data: bytes) -> None:
            file = io.BytesIO(data)
            self.read, self.readline, self.close = file.read, file.readline, file.close

    conn: Any = connection(b"")
    conn.sock = FileOnly(b"")
    conn.sock.file = Plain(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000)
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"x" * 2_000_000


def test_after_an_upgrade_nothing_is_taken_from_a_raw_file() -> None:
    conn = connection(b"")
    conn.sock = sock = RawOnly(b"HTTP/1.1 101 Go\r\n\r\nother protocol")
    conn.request("GET", "/", headers={"Upgrade": "other"})
    assert conn.getresponse().status == 101
    assert sock.file.read() == b"other protocol"


def test_a_response_on_a_bare_socket_takes_no_byte_after_its_end() -> None:
    wire = Wire([CHUNKED + b"5\r\nhello\r\n0\r\n\r\nnext"])
    response = HTTPResponse(wire)
    response.begin()
    response.begin()
    assert (response.read(), wire.unread(), wire.closed) == (b"hello", b"next", False)
