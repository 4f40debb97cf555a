"""The request reader takes anything, whole or octet by octet, and leaves what follows alone."""

from collections.abc import Callable, Iterable

import pytest

from mockserver._phase import EndOfStream
from mockserver._request import Inbox, read_request, request_parts

LIMIT = 1 << 20

WHOLE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"no request at all\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\ncontent-length:5\n\nhello",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n",
]


def whole(data: bytes) -> list[bytes]:
    return [data]


def octet_by_octet(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def with_body(_: bytes) -> bool:
    return True


def inbox_of(parts: Iterable[bytes]) -> Inbox:
    arriving = iter(parts)
    return Inbox(lambda: next(arriving, b""))


@pytest.mark.parametrize("cut", [whole, octet_by_octet])
@pytest.mark.parametrize("raw", WHOLE)
def test_a_request_is_read_to_its_end_and_no_further(
    raw: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    inbox = inbox_of(cut(raw + b"GET /next"))
    assert read_request(inbox, LIMIT, with_body) is None
    assert inbox.take() == raw


@pytest.mark.parametrize("raw", [one for one in WHOLE if not one.endswith(b"\n\n")])
def test_a_request_that_is_cut_off_is_an_end_of_stream(raw: bytes) -> None:
    inbox = inbox_of([raw[:-1]])
    with pytest.raises(EndOfStream):
        read_request(inbox, LIMIT, with_body)
    assert inbox.take() == raw[:-1]


def test_the_body_can_be_left_unread() -> None:
    inbox = inbox_of([b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"])
    read_request(inbox, LIMIT, lambda _: False)
    inbox.take()
    assert inbox.buffer == b"hello"


@pytest.mark.parametrize("size", [b"zz", b"", b"-5", b"0x5"])
def test_a_bad_chunk_size_is_noted(size: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    inbox = inbox_of([head + size + b"\r\nhello"])
    assert read_request(inbox, LIMIT, with_body) == "a chunk-size line is not hexadecimal"
    assert inbox.take() == head + size + b"\r\n"


def test_a_chunk_without_its_end_is_noted() -> None:
    raw = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"
    oddity = read_request(inbox_of([raw]), LIMIT, with_body)
    assert oddity == "the end of a chunk is not a line end"


@pytest.mark.parametrize("cut", [whole, octet_by_octet])
@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nX: " + b"y" * 200,
        b"PUT / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n" + b"z" * 200,
    ],
)
def test_the_limit_holds_for_heads_and_bodies(
    raw: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    inbox = inbox_of(cut(raw))
    assert read_request(inbox, 100, with_body) == "the request is longer than 100 bytes"
    assert inbox.take() == raw[:100]


def test_a_request_of_exactly_the_limit_is_whole() -> None:
    raw = b"GET / HTTP/1.1\r\n\r\n"
    assert read_request(inbox_of([raw]), len(raw), with_body) is None


def test_a_length_of_many_digits_is_no_number() -> None:
    raw = b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"
    assert read_request(inbox_of([raw]), LIMIT, with_body) is None


def test_a_marker_that_arrives_in_parts_is_found() -> None:
    inbox = inbox_of([b"ab-", b"-", b"-cd"])
    inbox.start()
    assert inbox.through(b"---") == b"ab---"


def test_parts_of_a_request() -> None:
    parts = request_parts(
        b"\r\nPUT /a%20b HTTP/1.1\r\nHOST:  x \r\nA: 1\r\na: 2\r\n\r\nbody\r\n\r\n"
    )
    assert parts.method == "PUT"
    assert parts.target == "/a%20b"
    assert parts.values(b"Host") == [b"x"]
    assert parts.values(b"A") == [b"1", b"2"]
    assert parts.body == b"body\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "method", "target"),
    [
        (b"", "", ""),
        (b"x", "x", ""),
        (b"\r\n\r\n", "", ""),
        (b"\xff\0 \xfe\r\n:\r\n\r\n", "\xff\0", "\xfe"),
        (b"a b c d\r\n", "a", "b"),
    ],
)
def test_nonsense_has_parts_too(raw: bytes, method: str, target: str) -> None:
    parts = request_parts(raw)
    assert (parts.method, parts.target, parts.body) == (method, target, b"")
