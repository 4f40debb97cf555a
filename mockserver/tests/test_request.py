"""The request reader takes anything, whole or octet by octet, and leaves what follows alone."""

from collections.abc import Callable, Iterable

import pytest

from mockserver._phase import EndOfStream
from mockserver._request import Inbox, Request, read_request

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
    request = Request(
        1,
        b"\r\nPUT /a%20b?x=1&y=&x=%C3%A4 HTTP/1.1\r\nHOST:  x \r\nA: 1\r\na: 2\r\n\r\nbody\r\n\r\n",
    )
    assert (request.method, request.target) == ("PUT", "/a%20b?x=1&y=&x=%C3%A4")
    assert (request.path, request.version) == ("/a b", "HTTP/1.1")
    assert request.query.pairs == (("x", "1"), ("y", ""), ("x", "ä"))
    assert request.query == {"x": "1", "y": ""}
    assert request.query.get_all("x") == ["1", "ä"]
    assert (request.headers["host"], request.headers["A"]) == ("x", "1, 2")
    assert request.headers.get_all("a") == ["1", "2"]
    assert list(request.headers) == ["HOST", "A"]
    assert request.body == b"body\r\n\r\n"
    assert request.problem is None


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a?b=c?d", "/a", {"b": "c?d"}),
        ("http://host:80/a/b?c=d", "/a/b", {"c": "d"}),
        ("http://[::1/a", "http://[::1/a", {}),
        ("/login?next=http://x/", "/login", {"next": "http://x/"}),
        ("*", "*", {}),
        ("", "", {}),
    ],
)
def test_the_path_and_the_query_of_a_target(target: str, path: str, query: dict[str, str]) -> None:
    request = Request(1, f"GET {target} HTTP/1.1\r\n\r\n".encode())
    assert (request.path, dict(request.query)) == (path, query)


def test_the_target_of_a_connect_has_no_path() -> None:
    request = Request(1, b"CONNECT host:443 HTTP/1.1\r\n\r\n\x16\x03")
    assert (request.target, request.path, request.body) == ("host:443", "", b"\x16\x03")


def test_a_chunked_body_is_decoded() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = Request(1, head + b'6;x\r\n{"a": \r\n2\r\n1}\r\n0\r\nT: 1\r\n\r\n')
    assert request.body == b'{"a": 1}'
    assert request.json() == {"a": 1}
    assert request.problem is None


def test_text_is_decoded_by_its_charset() -> None:
    head = "POST / HTTP/1.1\r\nContent-Length: 1\r\n"
    latin = Request(
        1, f"{head}Content-Type: text/plain; charset=latin-1\r\n\r\nä".encode("latin-1")
    )
    assert latin.text == "ä"
    assert Request(1, f"{head}\r\nä".encode()).text == "ä"
    odd = Request(1, f"{head}Content-Type: text/plain; charset=no-such\r\n\r\nä".encode())
    assert odd.text == "ä"


def test_a_body_that_is_not_json_is_shown() -> None:
    with pytest.raises(ValueError, match=r"the body is not JSON: b'a=1' \(Expecting value"):
        Request(1, b"POST / HTTP/1.1\r\n\r\na=1").json()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", None),
        (b"GET /\r\n\r\n", "the request line is 'GET /'"),
        (b"GET / HTTP/1.1\r\nHost: x", "the head is cut off"),
        (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", "a field line is b'Host x'"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "a field line is b'Host : x'"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", "the body has 3 of 5 bytes"),
        (
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
            "a chunk-size line is not hexadecimal",
        ),
        (
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "the chunked body is cut off",
        ),
    ],
)
def test_a_malformed_request_says_so(raw: bytes, problem: str | None) -> None:
    assert Request(1, raw).problem == problem


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
    request = Request(1, raw)
    assert (request.method, request.target, request.body) == (method, target, b"")
    assert request.problem is not None
    assert (request.text, dict(request.query)) == ("", {})
