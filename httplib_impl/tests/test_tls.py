from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pytest
import trustme

from httplib_impl import (
    CannotSendHeader,
    HTTPConnection,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from httplib_impl._reader import SocketSource
from httplib_impl.tests import support
from httplib_impl.tests.support import expect_gone, hear, listener, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Player = Callable[[socket.socket], None]
Connecting = Callable[..., HTTPResponse]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "end.example").configure_cert(context)
    return context


def secured(context: ssl.SSLContext, play: Callable[[ssl.SSLSocket], None]) -> Player:
    def secure(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as tls:
            play(tls)

    return secure


def answer(peer: socket.socket) -> None:
    read_head(peer)
    peer.sendall(OK)
    expect_gone(peer)


def get(conn: HTTPSConnection) -> bytes:
    conn.request("GET", "/")
    return conn.getresponse().read()


def test_by_default_no_certificate_is_verified(server_context: ssl.SSLContext) -> None:
    with listener(secured(server_context, answer)) as address:
        conn = HTTPSConnection(*address, timeout=10)
        assert get(conn) == b"ok"
        conn.close()


def test_a_context_that_verifies_is_honoured(
    server_context: ssl.SSLContext, authority: trustme.CA
) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with listener(secured(server_context, answer)) as address:
        conn = HTTPSConnection(*address, timeout=10, context=context)
        assert get(conn) == b"ok"
        conn.close()


def failing(context: ssl.SSLContext, heard: list[bytes]) -> Player:
    """A server whose handshake fails; what comes in clear after that is heard."""

    def play(peer: socket.socket) -> None:
        with peer.dup() as raw:
            raw.settimeout(10)
            with suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
                tls.recv(1)
            heard.append(hear(raw))

    return play


@pytest.mark.parametrize("trusted", [False, True])
def test_a_certificate_that_does_not_verify_leaves_nothing_to_send_in_clear_on(
    server_context: ssl.SSLContext, authority: trustme.CA, trusted: bool
) -> None:
    context = ssl.create_default_context()
    server = server_context
    if trusted:  # then it is the name that is wrong
        authority.configure_trust(context)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("other.example").configure_cert(server)
    heard: list[bytes] = []
    with listener(failing(server, heard), failing(server, heard)) as address:
        conn = HTTPSConnection(*address, timeout=10, context=context)
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError):
                conn.request("GET", "/secret")
            assert conn.sock is None
            with pytest.raises(CannotSendHeader):
                conn.endheaders()
    assert heard == [b"", b""]


def test_a_server_that_speaks_in_clear_gets_nothing_in_clear() -> None:
    def clear(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 400 No TLS\r\n\r\n")
        heard.append(hear(peer))

    heard: list[bytes] = []
    with listener(clear, clear) as address:
        conn = HTTPSConnection(*address, timeout=10)
        for _ in range(2):
            with pytest.raises(ssl.SSLError):
                conn.request("GET", "/secret")
            assert conn.sock is None
    assert len(heard) == 2
    assert not any(b"secret" in data for data in heard)


def test_a_client_certificate_comes_from_the_two_files(
    authority: trustme.CA, tmp_path: Path
) -> None:
    client = authority.issue_cert("client@example.org")
    key, chain, both = (tmp_path / name for name in ("key.pem", "chain.pem", "both.pem"))
    client.private_key_pem.write_to_path(str(key))
    client.cert_chain_pems[0].write_to_path(str(chain))
    client.private_key_and_cert_chain_pem.write_to_path(str(both))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    def play(peer: ssl.SSLSocket) -> None:
        certificate = peer.getpeercert()
        assert certificate
        names.append(certificate["subjectAltName"])
        answer(peer)

    names: list[object] = []
    with listener(*[secured(context, play)] * 2) as address:
        for key_file, cert_file in ((str(key), str(chain)), (None, str(both))):
            conn = HTTPSConnection(*address, key_file, cert_file, timeout=10)
            assert get(conn) == b"ok"
            conn.close()
    assert names == [(("email", "client@example.org"),)] * 2


def test_a_file_that_is_not_there_is_an_error_of_the_constructor(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        HTTPSConnection("h", 443, str(tmp_path / "key.pem"), str(tmp_path / "cert.pem"))


def test_tls_goes_through_a_tunnel_to_the_name_of_the_endpoint(
    server_context: ssl.SSLContext, authority: trustme.CA
) -> None:
    def proxy(peer: socket.socket) -> None:
        assert read_head(peer).startswith(b"CONNECT end.example:443 HTTP/1.0\r\n")
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        secured(server_context, answer)(peer)

    context = ssl.create_default_context()
    authority.configure_trust(context)
    with listener(proxy) as address:
        conn = HTTPSConnection(*address, timeout=10, context=context)
        conn.set_tunnel("end.example")
        assert get(conn) == b"ok"
        conn.close()


def test_session_tickets_are_no_leftovers_and_the_connection_is_reused(
    server_context: ssl.SSLContext,
) -> None:
    def twice(peer: socket.socket) -> None:
        for _ in range(2):
            read_head(peer)
            peer.sendall(OK)

    with listener(secured(server_context, twice)) as address:
        conn = HTTPSConnection(*address, timeout=10)
        assert [get(conn), get(conn)] == [b"ok", b"ok"]
        assert conn.sock.gettimeout() == 10
        conn.close()


@pytest.mark.parametrize("late", [b"HTTP/1.1 200 Evil\r\n\r\n", None])
def test_late_bytes_or_an_end_make_the_next_request_dial_anew(
    server_context: ssl.SSLContext, late: bytes | None
) -> None:
    taken, spoiled = threading.Event(), threading.Event()

    def poisoned(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)
        assert taken.wait(10)
        if late:
            peer.sendall(late)
        else:
            peer.shutdown(socket.SHUT_WR)
        spoiled.set()
        while peer.recv(100):
            pass

    with listener(secured(server_context, poisoned), secured(server_context, answer)) as address:
        conn = HTTPSConnection(*address, timeout=10)
        assert get(conn) == b"ok"
        taken.set()
        assert spoiled.wait(10)
        assert get(conn) == b"ok"
        conn.close()


def test_a_body_cut_by_an_end_of_tls_is_incomplete(server_context: ssl.SSLContext) -> None:
    def cut(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhello")

    with listener(secured(server_context, cut)) as address:
        conn = HTTPSConnection(*address, timeout=10)
        conn.request("GET", "/")
        response = conn.getresponse()
        with pytest.raises(IncompleteRead) as caught:
            response.read()
        assert caught.value.partial == b"hello"


IGNORES_ENDS = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)


@contextmanager
def broken_off(context: ssl.SSLContext, *, reset: bool = False) -> Iterator[Connecting]:
    """A server that ends the TCP connection, and not TLS, when part of a body was read.

    The function that it gives is called with a connection to it, and returns the response.
    """

    def play(peer: ssl.SSLSocket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        assert taken.wait(10)
        if reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    taken = threading.Event()
    with listener(secured(context, play)) as address:

        def respond(
            kind: type[HTTPSConnection] = HTTPSConnection, context: ssl.SSLContext | None = None
        ) -> HTTPResponse:
            conn = kind(*address, timeout=10, context=context)
            conn.request("GET", "/")
            response = conn.getresponse()
            assert response.read(5) == b"hello"
            taken.set()
            return response

        yield respond


@pytest.fixture
def hiding(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A context as in Python 3.11.2, where every one hides an end without close_notify."""
    make = ssl._create_unverified_context

    def made() -> ssl.SSLContext:
        context = make()
        context.options |= IGNORES_ENDS
        return context

    monkeypatch.setattr(ssl, "_create_unverified_context", made)
    return made()


@pytest.mark.parametrize("given", [False, True])
def test_an_end_that_every_context_hides_is_found(
    server_context: ssl.SSLContext, hiding: ssl.SSLContext, given: bool
) -> None:
    options = hiding.options
    with broken_off(server_context) as respond:
        response = respond(context=hiding if given else None)
        with pytest.raises(IncompleteRead):
            response.read()
        assert response._sock_.suppress_ragged_eofs  # as before
    assert hiding.options == (options & ~IGNORES_ENDS if given else options)


@pytest.mark.parametrize("given", [False, True])
def test_a_reset_that_every_context_hides_is_found(
    server_context: ssl.SSLContext, hiding: ssl.SSLContext, given: bool
) -> None:
    with broken_off(server_context, reset=True) as respond:
        response = respond(context=hiding if given else None)
        with pytest.raises(ConnectionResetError):
            response.read()


def test_a_reset_is_found_where_the_caller_has_wrapped_the_socket(
    server_context: ssl.SSLContext, hiding: ssl.SSLContext
) -> None:
    class Wrapping(HTTPSConnection):
        def connect(self) -> None:
            HTTPConnection.connect(self)
            self.sock = hiding.wrap_socket(self.sock, server_hostname=self.host)

    with broken_off(server_context, reset=True) as respond, pytest.raises(ConnectionResetError):
        respond(Wrapping).read()


def test_a_context_that_alone_hides_ends_is_left_as_it_is(server_context: ssl.SSLContext) -> None:
    """It is the caller's choice where the option is not in every context."""
    context = ssl._create_unverified_context()
    chosen = IGNORES_ENDS & ~context.options
    context.options |= chosen
    with broken_off(server_context) as respond:
        response = respond(context=context)
        with nullcontext() if chosen else pytest.raises(IncompleteRead):
            assert response.read() == b""
    assert context.options & IGNORES_ENDS == chosen


def test_a_context_may_be_any_object_that_wraps_a_socket() -> None:
    class Clear:
        def wrap_socket(self, sock: socket.socket, server_hostname: str) -> socket.socket:
            assert server_hostname == "127.0.0.1"
            return sock

    with listener(answer) as address:
        conn = HTTPSConnection(*address, timeout=10, context=Clear())  # type: ignore[arg-type]
        assert get(conn) == b"ok"
        conn.close()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b"])
def test_an_end_for_which_ssl_has_no_class_of_its_own_is_one(head: bytes) -> None:
    """Python 3.11.2 raises the base class where others raise SSLEOFError, in every call."""
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, "unexpected eof while reading")
    error.reason = "UNEXPECTED_EOF_WHILE_READING"
    response = support.respond([head, *[error] * 9])
    with pytest.raises(IncompleteRead):
        response.read()


def test_bytes_in_the_record_that_ends_a_body_are_leftovers(
    server_context: ssl.SSLContext,
) -> None:
    """They are decrypted already, so the system knows nothing of them."""
    body = bytes(range(256)) * 64

    def poisoned(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        peer.sendall(body[:10_000])
        peer.sendall(body[10_000:] + b"HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil")
        hear(peer)

    with listener(secured(server_context, poisoned), secured(server_context, answer)) as address:
        conn = HTTPSConnection(*address, timeout=10)
        assert get(conn) == body
        assert conn.sock.pending() > 0
        assert get(conn) == b"ok"
        conn.close()


class LateTickets:
    """A TLS socket whose system has bytes, none of which are data."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.timeouts = [7.0]

    def fileno(self) -> int:
        return self.descriptor

    def pending(self) -> int:
        return 0

    def gettimeout(self) -> float:
        return self.timeouts[-1]

    def settimeout(self, timeout: float) -> None:
        self.timeouts.append(timeout)

    def recv(self, n: int) -> bytes:
        assert (n, self.timeouts[-1]) == (1, 0)
        raise ssl.SSLWantReadError


def test_a_look_for_late_bytes_leaves_the_timeout_as_it_was() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"tickets")
    sock = LateTickets(reading)
    assert not SocketSource(sock).is_stale()
    assert sock.timeouts == [7, 0, 7]
    os.close(reading)
    os.close(writing)
