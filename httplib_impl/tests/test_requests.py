from __future__ import annotations

import array
import io
import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httplib_impl import CannotSendRequest, HTTPConnection, InvalidURL, UnimplementedFileMode
from httplib_impl.tests.support import DETERMINISTIC, connection, respond, sent

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
START = b"Host: example.com\r\nAccept-Encoding: identity\r\n"


def request(*args: Any, **kwargs: Any) -> bytes:
    """The bytes of one request."""
    conn = connection(OK)
    conn.request(*args, **kwargs)
    return sent(conn)


def refused(error: type[Exception], call: Callable[[HTTPConnection], object]) -> None:
    """Whether a call is refused, sends nothing, and leaves the connection good."""
    conn = connection(OK)
    with pytest.raises(error) as caught:
        call(conn)
    assert type(caught.value) is error
    assert conn.sock.sent == []
    conn.request("GET", "/next")
    assert sent(conn) == b"GET /next HTTP/1.1\r\n" + START + b"\r\n"
    assert conn.getresponse().status == 200


@pytest.mark.parametrize(
    ("args", "data"),
    [
        (("GET", "/"), b"GET / HTTP/1.1\r\n" + START + b"\r\n"),
        (("GET", ""), b"GET / HTTP/1.1\r\n" + START + b"\r\n"),
        (("OPTIONS", "*"), b"OPTIONS * HTTP/1.1\r\n" + START + b"\r\n"),
        (("POST", "/"), b"POST / HTTP/1.1\r\n" + START + b"Content-Length: 0\r\n\r\n"),
        (("put", "/"), b"put / HTTP/1.1\r\n" + START + b"Content-Length: 0\r\n\r\n"),
        (("Patch", "/"), b"Patch / HTTP/1.1\r\n" + START + b"Content-Length: 0\r\n\r\n"),
        (("DELETE", "/"), b"DELETE / HTTP/1.1\r\n" + START + b"\r\n"),
        (("GET", "/", ""), b"GET / HTTP/1.1\r\n" + START + b"Content-Length: 0\r\n\r\n"),
        (("GET", "/", b"ab"), b"GET / HTTP/1.1\r\n" + START + b"Content-Length: 2\r\n\r\nab"),
        (("GET", "/", "\xe9"), b"GET / HTTP/1.1\r\n" + START + b"Content-Length: 1\r\n\r\n\xe9"),
    ],
)
def test_a_request_is_these_bytes(args: tuple[Any, ...], data: bytes) -> None:
    assert request(*args) == data


def test_the_fields_of_the_caller_come_last_and_replace_those_sent_by_themselves() -> None:
    headers = {"X": 1, "hOST": "h", "accept-encoding": b"\xff", "Content-length": 9, "Z": None}
    assert request("POST", "/", b"ab", headers) == (
        b"POST / HTTP/1.1\r\nX: 1\r\nhOST: h\r\naccept-encoding: \xff\r\n"
        b"Content-length: 9\r\nZ: None\r\n\r\nab"
    )


def test_no_length_is_added_to_a_transfer_encoding_of_the_caller() -> None:
    data = request("POST", "/", b"0\r\n\r\n", {"transfer-Encoding": "chunked"})
    assert data == (b"POST / HTTP/1.1\r\n" + START + b"transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


def test_the_mapping_of_the_caller_is_not_touched() -> None:
    headers = {"A": "b"}
    request("POST", "/", "x", headers)
    assert headers == {"A": "b"}


def test_head_and_body_leave_in_one_write_and_nothing_leaves_before() -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/")
    conn.putheader("A", "b")
    assert conn.sock.sent == []
    conn.endheaders(b"body")
    assert len(conn.sock.sent) == 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://Other/x", b"Other"),
        ("HTTPS://u:p@other:81/x", b"other:81"),
        ("http://u@v@[::1]:9?x", b"[::1]:9"),
        ("http:///x", b"example.com"),
        ("//other/x", b"example.com"),
        ("/http://other/", b"example.com"),
    ],
)
def test_host_is_that_of_an_absolute_url(url: str, host: bytes) -> None:
    assert b"\r\nHost: " + host + b"\r\n" in request("GET", url)


@pytest.mark.parametrize(
    ("args", "host"),
    [
        (("h", 80), b"h"),
        (("h", 81), b"h:81"),
        (("::1", 80), b"[::1]"),
        (("[::1]", 81), b"[::1]:81"),
        (("[::1]:82",), b"[::1]:82"),
        (("h:8080", 80), b"[h:8080]"),  # as 2.7: whatever has a colon
        (("b\xfccher.example",), b"xn--bcher-kva.example"),
    ],
)
def test_host_is_else_that_of_the_connection(args: tuple[Any, ...], host: bytes) -> None:
    conn = HTTPConnection(*args)
    conn.sock = connection(OK).sock
    conn.request("GET", "/")
    assert b"\r\nHost: " + host + b"\r\n" in sent(conn)


def test_host_follows_the_address() -> None:
    conn = connection([OK, OK, OK])
    hosts = []
    for host, port in (("a", 80), ("b", 80), ("b", 81)):
        conn.host, conn.port = host, port
        conn.request("GET", "/")
        conn.getresponse().read()
        hosts.append(conn.sock.sent[-1].split(b"\r\n")[1])
    assert hosts == [b"Host: a", b"Host: b", b"Host: b:81"]


def test_a_host_that_was_put_in_later_cannot_end_its_line() -> None:
    conn = connection(OK)
    conn.host = "h\r\nX: y"
    with pytest.raises(ValueError, match="not allowed"):
        conn.request("GET", "/")
    assert sent(conn) == b""


def test_skipped_fields_are_not_sent() -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/", skip_host=1, skip_accept_encoding=True)
    conn.endheaders()
    assert sent(conn) == b"GET / HTTP/1.1\r\n\r\n"


def test_http_1_0_sends_neither_host_nor_accept_encoding() -> None:
    conn = connection(OK)
    conn._http_vsn, conn._http_vsn_str = 10, "HTTP/1.0"
    conn.request("GET", "/")
    assert sent(conn) == b"GET / HTTP/1.0\r\n\r\n"


def test_further_values_are_continuation_lines() -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/", True, True)
    conn.putheader("A", "1", b"2", 3)
    conn.putheader("B")
    conn.putheader("C", "d\r\n e", "f\n\tg")
    conn.endheaders()
    assert sent(conn) == (
        b"GET / HTTP/1.1\r\nA: 1\r\n\t2\r\n\t3\r\nB: \r\nC: d\r\n e\r\n\tf\n\tg\r\n\r\n"
    )


METHODS = ["", " ", "G T", "GET\r\n", "GE\x00", "G\xe9T", "G\u20acT", "GET:", "a/b", "GET\n"]
URLS = ["/a b", "/\r\n", "/\x7f", "/\x80", "/\xfc", "/\u20ac", " /", "/\x00", "/\t"]
NAMES = ["", " A", "\tA", "A:", "A\r", "A\nB", "A\x00"]
VALUES = ["a\r\nb", "a\nb", "a\r", "a\n", "\rb", "a\r\n\r\n b", "a\x00", b"a\nB: c", "a\r\n \r\n"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    refused(ValueError, lambda conn: conn.request(method, "/"))
    refused(ValueError, lambda conn: conn.putrequest(method, "/"))


@pytest.mark.parametrize("url", URLS)
def test_a_url_with_other_than_printable_ascii_is_refused(url: str) -> None:
    refused(InvalidURL, lambda conn: conn.request("GET", url))
    refused(InvalidURL, lambda conn: conn.putrequest("GET", url))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_would_break_the_line_is_refused(name: str) -> None:
    refused(ValueError, lambda conn: conn.request("GET", "/", None, {"A": "b", name: "c"}))


BYTES: Any = b"GET"  # where the types say text


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("method", lambda conn: conn.request(BYTES, "/")),
        ("method", lambda conn: conn.putrequest(BYTES, "/")),
        ("URL", lambda conn: conn.request("GET", BYTES)),
        ("URL", lambda conn: conn.putrequest("GET", BYTES)),
        ("header name", lambda conn: conn.request("GET", "/", None, {BYTES: "x"})),
    ],
)
def test_bytes_where_text_belongs_are_refused_by_name(
    name: str, call: Callable[[HTTPConnection], None]
) -> None:
    refused(TypeError, call)
    with pytest.raises(TypeError, match=f"^{name} is text, not bytes$"):
        call(HTTPConnection("h"))


def test_an_absent_url_is_the_root() -> None:
    absent: Any = None
    assert request("GET", absent).startswith(b"GET / HTTP/1.1\r\n")
    assert request("GET", "").startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_would_break_the_line_is_refused(value: str | bytes) -> None:
    refused(ValueError, lambda conn: conn.request("GET", "/", None, {"A": "b", "C": value}))


@pytest.mark.parametrize("value", VALUES)
def test_a_refused_header_leaves_the_request_started(value: str | bytes) -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/", 1, 1)
    with pytest.raises(ValueError, match="not allowed"):
        conn.putheader("A", "good", value)
    conn.putheader("B", "c")
    conn.endheaders()
    assert sent(conn) == b"GET / HTTP/1.1\r\nB: c\r\n\r\n"


def test_text_that_iso_8859_1_cannot_hold_is_refused() -> None:
    refused(UnicodeEncodeError, lambda conn: conn.request("GET", "/", "\u20ac"))
    refused(UnicodeEncodeError, lambda conn: conn.request("GET", "/", None, {"A": "\u20ac"}))
    refused(UnicodeEncodeError, lambda conn: conn.request("GET", "/", None, {"\u20ac": "a"}))


@pytest.mark.parametrize("body", [[b"a"], (b"a",), iter([b"a"]), 5, {"a": 1}, object()])
def test_a_body_that_is_neither_bytes_nor_text_nor_a_file_is_refused(body: object) -> None:
    refused(TypeError, lambda conn: conn.request("POST", "/", body))


def test_a_refused_request_does_not_disturb_one_that_was_started() -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/first", 1, 1)
    for method in ("GET", "G T"):
        with pytest.raises(CannotSendRequest):
            conn.request(method, "/", b"body")
    conn.endheaders()
    assert sent(conn) == b"GET /first HTTP/1.1\r\n\r\n"


@DETERMINISTIC
@given(st.text(max_size=20), st.text(max_size=20))
def test_a_field_that_is_accepted_is_one_field(name: str, value: str) -> None:
    conn = connection(OK)
    conn.putrequest("GET", "/", 1, 1)
    try:
        conn.putheader(name, value)
    except ValueError:  # UnicodeEncodeError is one, too
        return
    conn.endheaders()
    head, end, rest = sent(conn).partition(b"\r\n\r\n")
    assert (end, rest) == (b"\r\n\r\n", b"")
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    assert all(line[:1] in (b" ", b"\t") for line in lines[2:])


BUFFERS: list[Any] = [
    bytearray(b"abcd"),
    memoryview(b"abcd"),
    memoryview(b"a-b-c-d")[::2],
    array.array("h", [0x6261, 0x6463]),
]


@pytest.mark.parametrize("body", BUFFERS)
def test_a_bytes_like_body_is_counted_in_bytes(body: Any) -> None:
    assert request("PUT", "/", body).endswith(b"Content-Length: 4\r\n\r\nabcd")


class Pipe:
    """A file that cannot be asked where it is."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, n: int) -> bytes:
        return self._file.read(n)


class Counted(Pipe):
    """A file that only knows how much is left."""

    def __init__(self, data: bytes, length: int) -> None:
        super().__init__(data)
        self.length = length

    def __len__(self) -> int:
        return self.length


class Answering(Pipe):
    """A file that answers for any name of an object, as a wrapper does, but cannot be counted."""

    def __getattr__(self, name: str) -> Any:
        if name in ("tell", "seek", "readable"):
            raise AttributeError(name)
        return lambda: 3


def at(position: int, file: Any) -> Any:
    file.seek(position)
    return file


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (lambda: io.BytesIO(b"0123456789"), b"0123456789"),
        (lambda: at(4, io.BytesIO(b"0123456789")), b"456789"),
        (lambda: at(99, io.BytesIO(b"0123456789")), b""),
        (lambda: Pipe(b"0123456789"), b"0123456789"),
        (lambda: Answering(b"0123456789"), b"0123456789"),
        (lambda: Counted(b"0123456789", 10), b"0123456789"),
        (lambda: Counted(b"0123456789", 4), b"0123"),
        (lambda: io.BytesIO(b"x" * 200000), b"x" * 200000),
        (lambda: Pipe(b""), b""),
    ],
)
def test_a_file_is_sent_from_its_position_to_its_end(make: Any, data: bytes) -> None:
    expected = b"Content-Length: %d\r\n\r\n" % len(data) + data
    assert request("POST", "/", make()).endswith(expected)


def test_a_real_file_a_pipe_and_a_mapped_file_are_files(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        assert request("POST", "/", at(3, file)).endswith(b"Content-Length: 7\r\n\r\n3456789")
    with path.open("r+b") as both, mmap.mmap(both.fileno(), 0) as mapped:
        assert request("POST", "/", at(8, mapped)).endswith(b"Content-Length: 2\r\n\r\n89")
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    with open(reading, "rb") as file:  # noqa: PTH123  # a descriptor has no path
        assert request("POST", "/", file).endswith(b"Content-Length: 5\r\n\r\npiped")


@pytest.mark.parametrize("field", ["Content-Length", "transfer-encoding"])
def test_a_file_is_streamed_as_it_is_where_the_caller_frames_it(field: str) -> None:
    data = request("POST", "/", at(1, io.BytesIO(b"0123")), {field: "x"})
    assert data.endswith(b"identity\r\n" + field.encode() + b": x\r\n\r\n123")


def test_endheaders_and_send_take_files_and_add_no_length() -> None:
    conn = connection(OK)
    conn.putrequest("POST", "/", 1, 1)
    conn.endheaders(io.BytesIO(b"one "))
    conn.send(Pipe(b"two "))
    conn.send("three ")
    conn.send(bytearray(b"four"))
    assert sent(conn) == b"POST / HTTP/1.1\r\n\r\none two three four"


def test_a_file_shorter_than_counted_closes_the_connection_and_is_an_error() -> None:
    conn = connection(OK)
    wire = conn.sock
    with pytest.raises(OSError, match="ended 3 bytes before"):
        conn.request("POST", "/", Counted(b"0123456", 10))
    assert wire.closed
    assert conn.sock is None
    assert b"".join(wire.sent).endswith(b"Content-Length: 10\r\n\r\n0123456")
    conn.sock = connection(OK).sock
    conn.request("GET", "/")
    assert conn.getresponse().status == 200


class Stream(Pipe):
    def readable(self) -> bool:
        return False


class WriteOnly(Pipe):
    def read(self, n: int) -> bytes:
        assert n
        raise io.UnsupportedOperation("read")


class Texts:
    def read(self, n: int) -> str:
        return "text"[:n]


@pytest.mark.parametrize(
    "body", [io.StringIO("text"), Stream(b"x"), WriteOnly(b"x"), Texts(), io.StringIO("")]
)
def test_a_file_that_cannot_give_bytes_is_refused(body: Any) -> None:
    refused(UnimplementedFileMode, lambda conn: conn.request("POST", "/", body))
    refused(
        UnimplementedFileMode,
        lambda conn: conn.request("POST", "/", body, {"Content-Length": "4"}),
    )


def test_a_file_that_gives_text_is_named_by_what_it_gives() -> None:
    with pytest.raises(UnimplementedFileMode, match=r"^the body file gave str, not bytes$"):
        request("POST", "/", Texts())


@pytest.mark.parametrize("mode", ["wb", "w", "a+"])
def test_a_file_opened_for_writing_or_text_is_refused(mode: str, tmp_path: Path) -> None:
    with (tmp_path / "body").open(mode) as file:
        refused(UnimplementedFileMode, lambda conn: conn.request("POST", "/", file))


def test_the_wrapper_of_a_temporary_file_is_a_file() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"octets")
        file.seek(2)
        assert request("POST", "/", file).endswith(b"Content-Length: 4\r\n\r\ntets")


def test_no_empty_read_probes_a_file() -> None:
    class Watched(Pipe):
        amounts: list[int] = []  # noqa: RUF012  # one instance

        def read(self, n: int) -> bytes:
            self.amounts.append(n)
            return super().read(n)

    request("POST", "/", Watched(b"abc"))
    assert 0 not in Watched.amounts


def test_the_first_block_is_read_before_the_head_leaves() -> None:
    conn = connection(OK)

    class Watching(Pipe):
        def read(self, n: int) -> bytes:
            seen.append(list(conn.sock.sent))
            return super().read(n)

    seen: list[list[bytes]] = []
    conn.request("POST", "/", Watching(b"abc"), {"Content-Length": "3"})
    assert seen[0] == []


def test_an_unread_body_of_a_response_can_be_the_body_of_a_request() -> None:
    body = respond(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    assert request("POST", "/", body).endswith(b"Content-Length: 5\r\n\r\nhello")
