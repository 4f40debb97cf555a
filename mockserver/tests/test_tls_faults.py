"""A server that does TLS wrongly; clients see it at the handshake, or in a record."""

import socket
import ssl
from typing import Literal

import pytest

from certs import CertificateAuthority
from mockserver import (
    MockServer,
    ReadRequest,
    Record,
    ScriptError,
    Send,
    Starttls,
    Step,
    TlsFault,
    Tunnel,
    connection,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, to_end

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
CONNECT = b"CONNECT x:443 HTTP/1.0\r\n\r\n"


def client_context(authority: CertificateAuthority) -> ssl.SSLContext:
    """A context that reports an end without close_notify: in Python 3.11.2 none does."""
    context = authority.client_context("full")
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


def shaken(
    server: MockServer, connect: Connect, authority: CertificateAuthority, *steps: Step
) -> tuple[ssl.SSLError | None, Record]:
    """What the handshake of a client comes to, and the record."""
    one = server.play(script(connection(*steps)))
    raw = connect(one.address)
    if isinstance(steps[0], Tunnel):
        raw.sendall(CONNECT)
        exactly(raw, len(HEAD))
    seen = None
    with raw:
        try:
            client_context(authority).wrap_socket(raw, server_hostname="127.0.0.1").close()
        except ssl.SSLError as error:
            seen = error
    return seen, one.finish()


EARLY = [
    (TlsFault("plaintext"), "WRONG_VERSION_NUMBER", "plaintext"),
    (TlsFault("plaintext", b"hello"), None, "plaintext"),
    (TlsFault("alert"), "SSLV3_ALERT_HANDSHAKE_FAILURE", "alert"),
    (TlsFault("cut-hello"), "UNEXPECTED_EOF_WHILE_READING", "cut-hello"),
]


@pytest.mark.parametrize("before", [(), (Tunnel(),)])
@pytest.mark.parametrize(("fault", "reason", "kind"), EARLY)
def test_a_handshake_that_fails(
    server: MockServer,
    connect: Connect,
    authority: CertificateAuthority,
    fault: TlsFault,
    reason: str | None,
    kind: str,
    before: tuple[Step, ...],
) -> None:
    seen, record = shaken(server, connect, authority, *before, fault)
    assert seen is not None
    assert reason is None or _is(seen, reason)
    assert record.complaints() == ()
    assert record.connections[0].tls == f"fault: {kind}"


def _is(error: ssl.SSLError, reason: str) -> bool:
    return error.reason == reason or (
        isinstance(error, ssl.SSLEOFError) and reason == "UNEXPECTED_EOF_WHILE_READING"
    )


def test_the_answer_in_clear_is_in_the_record(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    _, record = shaken(
        server, connect, authority, TlsFault("plaintext", b"HTTP/1.1 400 No\r\n\r\n")
    )
    assert record.connections[0].sent == b"HTTP/1.1 400 No\r\n\r\n"


def test_a_transcript_of_a_fault_is_stable(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    texts = {
        shaken(server, connect, authority, TlsFault("cut-hello"))[1].transcript() for _ in range(5)
    }
    assert texts == {
        "connection 1\n"
        "  = ClientHello read\n"
        "  = half of the ServerHello's record sent\n"
        "  = fin sent\n"
        "  = client: closed\n"
    }


def test_a_client_that_does_not_speak_tls(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(TlsFault("alert"))))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert to_end(client) == b""
    client.close()
    record = one.finish()
    assert record.unplayed == ("connection 1, step 1 (tls_fault): not played",)
    assert record.connections[0].unread == REQUEST


def opened(
    server: MockServer, connect: Connect, authority: CertificateAuthority, *steps: Step
) -> ssl.SSLSocket:
    one = server.play(script(connection(Starttls(), ReadRequest(), *steps)))
    client = client_context(authority).wrap_socket(
        connect(one.address), server_hostname="127.0.0.1", suppress_ragged_eofs=False
    )
    client.sendall(REQUEST)
    return client


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (TlsFault("half-record"), "UNEXPECTED_EOF_WHILE_READING"),
        (TlsFault("half-record", bytes(16384)), "UNEXPECTED_EOF_WHILE_READING"),
        (TlsFault("flipped-bit"), "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        (TlsFault("no-close-notify"), "UNEXPECTED_EOF_WHILE_READING"),
    ],
)
def test_a_record_that_is_damaged(
    server: MockServer,
    connect: Connect,
    authority: CertificateAuthority,
    fault: TlsFault,
    reason: str,
) -> None:
    for _ in range(10):
        with opened(server, connect, authority, Send(HEAD), fault) as client:
            assert client.recv(len(HEAD)) == HEAD
            with pytest.raises(ssl.SSLError) as caught:
                client.recv(100)
        assert _is(caught.value, reason)
        assert server.current is not None
        record = server.current.finish()
        assert record.complaints() == ()
        assert record.connections[0].tls == f"fault: {fault.kind}"


def test_data_before_an_end_without_close_notify(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    with opened(server, connect, authority, TlsFault("no-close-notify", HEAD)) as client:
        assert client.recv(100) == HEAD
        with pytest.raises(ssl.SSLError):
            client.recv(100)
    assert server.current is not None
    assert server.current.finish().connections[0].sent == HEAD


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("alert", b"x"), "data has no place in alert"),
        (("plaintext", b""), "data must not be empty"),
        (("half-record", bytes(16385)), "data must be at most 16384 bytes"),
        (("half-records",), "kind must be"),
        (("cut-hello", None, ""), "cert must not be empty"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    arguments: tuple[object, ...], message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        TlsFault(*arguments)  # type: ignore[arg-type]  # what a script may get wrong


def test_a_plain_socket_hears_the_alert(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = authority.client_context("none").wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    one = server.play(script(connection(TlsFault("alert"))))
    client: socket.socket = connect(one.address)
    client.sendall(outgoing.read())
    assert to_end(client) == bytes.fromhex("15 03 03 00 02 02 28")
    one.finish()


@pytest.mark.parametrize("kind", ["plaintext", "alert", "cut-hello"])
def test_a_client_that_gives_up_before_its_hello_is_whole(
    server: MockServer, connect: Connect, kind: Literal["plaintext", "alert", "cut-hello"]
) -> None:
    one = server.play(script(connection(TlsFault(kind))))
    client = connect(one.address)
    client.sendall(bytes.fromhex("16 03 01 01 00 01"))
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b""
    record = one.finish()
    assert record.problems == ()
    assert record.unplayed == ("connection 1, step 1 (tls_fault): not played",)


def test_a_hello_that_makes_no_sense_cannot_be_half_answered(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(script(connection(TlsFault("cut-hello"))))
    client = connect(one.address)
    client.sendall(bytes.fromhex("16 03 01 00 04 00 00 00 00"))
    assert to_end(client) == b""
    client.close()
    assert one.finish().unplayed == ("connection 1, step 1 (tls_fault): not played",)
