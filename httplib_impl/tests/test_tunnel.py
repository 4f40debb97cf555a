from __future__ import annotations

import socket
from typing import Any

import pytest

from httplib_impl import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    InvalidURL,
    LineTooLong,
)
from httplib_impl._tunnel import connect_request, read_answer
from httplib_impl.tests.support import (
    FEEDS,
    Feed,
    Wire,
    connection,
    expect_gone,
    listener,
    read_head,
)

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"


def opened(data: bytes, feed: Feed, strict: bool = False) -> Wire:
    wire = Wire(feed(data), kept_open=True)
    wire.sendall(connect_request("end.example", 443, {"A": "b"}))
    read_answer(wire, strict, 0)
    return wire


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 100 Go\r\nX: y\r\n\r\n"])
def test_after_the_head_every_byte_is_left_on_the_socket(interim: bytes, feed: Feed) -> None:
    wire = opened(interim + ESTABLISHED + b"\x16\x03\x01", feed)
    assert wire.unread() == b"\x16\x03\x01"
    assert wire.sent == [b"CONNECT end.example:443 HTTP/1.0\r\nA: b\r\n\r\n"]


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", OSError, "407 Who are you"),
        (b"HTTP/1.1 201 Created\r\n\r\n", OSError, "201 Created"),
        (b"HTTP/1.1 101 Go\r\n\r\n", OSError, "101 Go"),
        (b"HTTP/2.0 200 OK\r\n\r\n", OSError, "HTTP/2.0"),
        (b"HTTP/0.9 200 OK\r\n\r\n", OSError, "status line"),
        (b"garbage\r\n", OSError, "status line"),
        (b"HTTP/1.1 abc\r\n\r\n", BadStatusLine, "abc"),
        (b"HTTP/1.1 " + b"x" * 65536, LineTooLong, "65536"),
        (b"HTTP/1.1 200 OK\r\n" + b"no colon\r\n" * 101 + b"\r\n", HTTPException, "100 headers"),
    ],
)
def test_any_other_answer_fails(data: bytes, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        opened(data, FEEDS[0])
    assert type(caught.value) is error


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_an_answer_cut_in_its_head_fails(data: bytes) -> None:
    wire = Wire([data])
    with pytest.raises(OSError, match="closed the connection"):
        read_answer(wire, False, 0)


def test_no_answer_is_a_bad_status_line() -> None:
    with pytest.raises(BadStatusLine, match="No status line received"):
        read_answer(Wire([]), False, 0)


def test_strict_holds_for_the_answer() -> None:
    with pytest.raises(BadStatusLine):
        opened(b"garbage\r\n", FEEDS[0], strict=True)


@pytest.mark.parametrize(
    ("make", "args", "line"),
    [
        (HTTPConnection, ("h",), b"CONNECT h:80 "),
        (HTTPSConnection, ("h",), b"CONNECT h:443 "),
        (HTTPConnection, ("h:81",), b"CONNECT h:81 "),
        (HTTPConnection, ("h", "82"), b"CONNECT h:82 "),
        (HTTPConnection, ("::1", 83), b"CONNECT [::1]:83 "),
        (HTTPConnection, ("[::1]:84",), b"CONNECT [::1]:84 "),
        (HTTPConnection, ("h:8080", 80), b"CONNECT h:8080:80 "),  # as 2.7: not an IPv6 address
    ],
)
def test_the_endpoint_is_written_with_its_port(
    make: type[HTTPConnection], args: tuple[Any, ...], line: bytes
) -> None:
    conn = make("proxy", 3128)
    conn.set_tunnel(*args)
    conn.sock = Wire([ESTABLISHED])
    conn._tunnel()
    assert conn.sock.sent[0].startswith(line)


def test_a_tunnel_on_an_open_connection_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError):
        connection(b"").set_tunnel("h")


def test_headers_are_checked_when_given_and_copied() -> None:
    conn = HTTPConnection("proxy")
    for headers in ({"A": "b\r\nC: d"}, {"A:": "b"}, {"": "b"}, {"A": "\x00"}):
        with pytest.raises(ValueError, match="not allowed"):
            conn.set_tunnel("h", headers=headers)
    with pytest.raises(InvalidURL):
        conn.set_tunnel("h\r\nX: y")
    mine = {"N": 5}
    conn.set_tunnel("h", None, mine)
    mine["M"] = 6
    conn.sock = Wire([ESTABLISHED])
    conn._tunnel()
    assert conn.sock.sent == [b"CONNECT h:80 HTTP/1.0\r\nN: 5\r\n\r\n"]


def test_requests_go_through_the_tunnel_at_every_dial() -> None:
    def proxy(peer: socket.socket) -> None:
        assert read_head(peer) == b"CONNECT end.example:8080 HTTP/1.0\r\nP: q\r\n\r\n"
        peer.sendall(ESTABLISHED)
        assert b"\r\nHost: end.example:8080\r\n" in read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    with listener(proxy, proxy) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.set_tunnel("end.example:8080", headers={"P": "q"})
        for _ in range(2):
            conn.request("GET", "/")
            assert conn.getresponse().read() == b"ok"


def test_a_refused_tunnel_leaves_no_socket_on_which_to_send_in_clear() -> None:
    def refusing(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 403 No\r\n\r\n")
        expect_gone(peer)

    with listener(refusing, refusing) as address:
        conn = HTTPSConnection(*address, timeout=10)
        conn.set_tunnel("end.example")
        for _ in range(2):
            with pytest.raises(OSError, match="403 No"):
                conn.request("GET", "/secret")
            assert conn.sock is None
