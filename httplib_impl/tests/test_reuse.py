"""Where only a real socket will do: leftovers, ends and resets on a kept connection."""

from __future__ import annotations

import select
import socket
import struct
import threading

import pytest

from httplib_impl import HTTPConnection, HTTPResponse, NotConnected
from httplib_impl.tests.support import expect_gone, listener, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(peer: socket.socket) -> None:
    read_head(peer)
    peer.sendall(OK)
    expect_gone(peer)


def wait_until_readable(sock: socket.socket) -> None:
    assert select.select([sock], [], [], 10)[0]


def test_a_kept_connection_is_reused() -> None:
    def twice(peer: socket.socket) -> None:
        for _ in range(2):
            read_head(peer)
            peer.sendall(OK)

    with listener(twice) as address:
        conn = HTTPConnection(*address, timeout=10)
        for _ in range(2):
            conn.request("GET", "/")
            assert conn.getresponse().read() == b"ok"
        conn.close()


@pytest.mark.parametrize("used", [False, True])
def test_a_socket_that_the_caller_has_closed_is_replaced(used: bool) -> None:
    with listener(answer if used else expect_gone, answer) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.connect()
        if used:
            conn.request("GET", "/")
            assert conn.getresponse().read() == b"ok"
        conn.sock.close()
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        conn.close()


@pytest.mark.parametrize("late", [b"HTTP/1.1 200 Evil\r\n\r\n", b"\r\n", None])
def test_bytes_or_an_end_that_come_later_make_the_next_request_dial_anew(
    late: bytes | None,
) -> None:
    taken = threading.Event()

    def poisoned(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)
        assert taken.wait(10)
        if late:
            peer.sendall(late)
            expect_gone(peer)

    with listener(poisoned, answer) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        taken.set()
        wait_until_readable(conn.sock)
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        conn.close()


def test_without_auto_open_a_server_that_hung_up_is_not_connected() -> None:
    def once(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)

    with listener(once) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        wait_until_readable(conn.sock)
        conn.auto_open = 0
        with pytest.raises(NotConnected):
            conn.request("GET", "/")


def test_bytes_before_a_reset_are_returned_first() -> None:
    taken = threading.Event()

    def reset(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
        assert taken.wait(10)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with listener(reset) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.request("GET", "/")
        response = conn.getresponse()
        assert response.read(5) == b"hello"
        taken.set()
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                response.read(5)
        conn.close()


def test_a_timeout_can_be_waited_out() -> None:
    timed_out = threading.Event()

    def slow(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        assert timed_out.wait(10)
        peer.sendall(b"world")

    with listener(slow) as address:
        conn = HTTPConnection(*address, timeout=0.2)
        conn.request("GET", "/")
        response = conn.getresponse()
        with pytest.raises(TimeoutError):
            response.read()
        timed_out.set()
        conn.sock.settimeout(10)
        assert response.read() == b"helloworld"
        conn.close()


def test_a_response_that_closes_keeps_the_socket_open_until_it_is_read() -> None:
    def closing(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nhel")
        peer.sendall(b"lo")
        peer.shutdown(socket.SHUT_WR)
        expect_gone(peer)

    with listener(closing) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.request("GET", "/")
        response = conn.getresponse()
        conn.close()
        assert response.read() == b"hello"


def test_a_bare_socket_may_be_closed_before_its_response_is_read() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(OK)
        response = HTTPResponse(ours)
        response.begin()
        assert response.fileno() == ours.fileno()
        ours.close()
        assert response.read() == b"ok"
        assert theirs.recv(1) == b""


def test_after_an_upgrade_the_socket_is_the_callers() -> None:
    def upgrading(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 101 Go\r\nUpgrade: echo\r\n\r\nfirst")
        peer.sendall(peer.recv(4))

    with listener(upgrading) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.request("GET", "/", headers={"Upgrade": "echo", "Connection": "Upgrade"})
        assert conn.getresponse().status == 101
        received = b""
        conn.sock.sendall(b"ping")
        while len(received) < 9:
            received += conn.sock.recv(100)
        assert received == b"firstping"
        conn.close()


def test_a_failed_connect_is_an_os_error_and_leaves_the_connection_idle() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        host, port = bound.getsockname()
        conn = HTTPConnection(host, port, timeout=10)
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                conn.request("GET", "/")
            assert conn.sock is None


def test_the_source_address_is_where_the_connection_comes_from() -> None:
    with socket.socket() as chosen:
        chosen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        chosen.bind(("127.0.0.1", 0))
        source = chosen.getsockname()
    with listener(answer) as address:
        conn = HTTPConnection(*address, None, 10, source)
        conn.request("GET", "/")
        assert conn.sock.getsockname() == source
        conn.getresponse().read()
        conn.close()


def test_connect_can_be_called_first_and_again() -> None:
    def gone(peer: socket.socket) -> None:
        expect_gone(peer)

    with listener(gone, answer) as address:
        conn = HTTPConnection(*address, timeout=10)
        conn.connect()
        conn.connect()
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        conn.close()
