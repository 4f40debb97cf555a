"""What the head of a request announced and was not sent: where the next request may go."""

from __future__ import annotations

import pytest

from httplib_impl import HTTPConnection, NotConnected
from httplib_impl._remainder import Remainder, endless
from httplib_impl.tests.support import FEEDS, Event, Feed, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"
NEXT = b"HTTP/1.1 299 Next\r\nContent-Length: 2\r\n\r\nok"


class Dialling(HTTPConnection):
    """Connects to the given wires, one after the other."""

    def __init__(self, *wires: Wire) -> None:
        super().__init__("h")
        self.wires = list(wires)

    def connect(self) -> None:
        self.sock = self.wires.pop(0)


def started(*lines: tuple[str, object], answer: list[Event] | None = None) -> Dialling:
    conn = Dialling(Wire(answer or [NO], kept_open=True), Wire([NEXT], kept_open=True))
    conn.putrequest("PUT", "/")
    for name, value in lines:
        conn.putheader(name, value)
    return conn


def goes_elsewhere(conn: Dialling) -> bool:
    """Whether the next request is sent on the second wire."""
    conn.request("GET", "/next")
    return conn.getresponse().status == 299


WHOLE = [
    ([b"Content-Length: 5"], b"hello"),
    ([b"content-length: 5", b"Content-Length: 5"], b"hello"),
    ([b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    (
        [b"Transfer-Encoding: gzip, chunked"],
        b"5;x=y\r\nhello\r\n1\r\n!\r\n00\r\nTrailer: 1\r\n\r\n",
    ),
    ([b"Content-Length: 3", b"Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: identity", b"Content-Length: 2"], b"ok"),
]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(("lines", "body"), WHOLE)
def test_a_body_is_owed_up_to_its_last_byte(lines: list[bytes], body: bytes, feed: Feed) -> None:
    rest = Remainder(lines)
    for data in feed(body[:-1]):
        assert isinstance(data, bytes)
        rest.sent(data)
        assert rest
    rest.sent(body[-1:])
    assert not rest
    rest.sent(b"more")
    assert not rest


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: five"],
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Transfer-Encoding: gzip"],
        [b"Transfer-Encoding: chunked"],
    ],
)
def test_what_no_server_understands_is_owed_for_ever(lines: list[bytes]) -> None:
    rest = Remainder(lines)
    rest.sent(b"hello\r\n0\r\n\r\n" * 10)
    assert rest
    assert endless()


@pytest.mark.parametrize(
    "lines", [[], [b"Content-Length: 0"], [b"Content-Length: 000"], [b"Transfer-Encoding: "]]
)
def test_nothing_is_owed_without_a_body(lines: list[bytes]) -> None:
    assert not Remainder(lines)


def test_an_empty_write_pays_nothing_and_breaks_nothing() -> None:
    rest = Remainder([b"Transfer-Encoding: chunked"])
    for data in (b"", b"2", b"", b"\r\nok", b"", b"\r", b"\n0\r\n", b"", b"\r\n"):
        assert rest
        rest.sent(data)
    assert not rest


@pytest.mark.parametrize("sent", [b"", b"hell"])
def test_the_connection_is_closed_with_the_end_of_the_answer(sent: bytes) -> None:
    conn = started(("Content-Length", "5"))
    conn.endheaders(sent)
    wire = conn.sock
    response = conn.getresponse()
    assert (response.read(1), conn.sock, wire.closed) == (b"n", wire, False)
    assert (response.read(1), conn.sock, wire.closed) == (b"o", None, True)
    assert goes_elsewhere(conn)


def test_the_rest_goes_nowhere_else() -> None:
    conn = started(("Content-Length", "5"))
    conn.endheaders()
    conn.getresponse().read()
    with pytest.raises(NotConnected):
        conn.send(b"hello")
    assert goes_elsewhere(conn)


def test_a_rest_that_is_sent_late_keeps_the_connection() -> None:
    conn = started(("Content-Length", "5"), answer=[NO, OK])
    conn.endheaders(b"he")
    response = conn.getresponse()
    conn.send(b"llo")
    assert response.read() == b"no"
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"
    assert len(conn.wires) == 1


def test_an_unread_answer_stays_readable_when_the_next_request_dials() -> None:
    conn = started(("Transfer-Encoding", "chunked"))
    conn.endheaders()
    response = conn.getresponse()
    assert goes_elsewhere(conn)
    assert (response.will_close, response.read()) == (True, b"no")


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), KeyboardInterrupt()])
def test_after_a_send_that_failed_nothing_follows_on_the_connection(error: BaseException) -> None:
    class Failing(Wire):
        def sendall(self, data: object, flags: int = 0, /) -> None:  # noqa: ARG002
            raise error

    conn = Dialling(Failing([NO], kept_open=True), Wire([NEXT], kept_open=True))
    with pytest.raises(type(error)):
        conn.request("GET", "/")
    assert conn.getresponse().read() == b"no"
    assert goes_elsewhere(conn)


def test_a_refused_request_owes_nothing() -> None:
    conn = Dialling(Wire([OK, OK], kept_open=True))
    conn.request("GET", "/")
    conn.getresponse().read()
    with pytest.raises(ValueError, match="not allowed"):
        conn.request("PUT", "/", b"x", {"Content-Length": "9", "Bad\n": "x"})
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"


def test_after_an_upgrade_the_socket_is_the_callers_whatever_is_owed() -> None:
    conn = started(
        ("Upgrade", "x"), ("Content-Length", "5"), answer=[b"HTTP/1.1 101 Go\r\n\r\nhello"]
    )
    conn.endheaders()
    assert conn.getresponse().read() == b""
    assert conn.sock.recv(5) == b"hello"
