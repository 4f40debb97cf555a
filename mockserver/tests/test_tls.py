"""TLS as the first step and inside a tunnel; failures are facts, not errors."""

import contextlib
import socket
import ssl
from typing import Any

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Dispatch,
    Drain,
    Fill,
    MockServer,
    Play,
    Read,
    ReadEof,
    ReadRequest,
    Record,
    Reply,
    Send,
    Stall,
    Starttls,
    Step,
    TlsFault,
    Tunnel,
    connection,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, exactly, to_end

CONNECT = b"CONNECT x:443 HTTP/1.0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n\r\n"


def play(server: MockServer, *steps: Step) -> Play:
    return server.play(script(connection(*steps)))


def encrypted(
    sock: socket.socket, authority: CertificateAuthority, cert: str | None = None
) -> ssl.SSLSocket:
    context = authority.client_context("full", cert)
    return context.wrap_socket(sock, server_hostname="127.0.0.1")


def test_a_response_over_tls(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = play(server, Starttls(), ReadRequest(), Send(RESPONSE), Close())
    with encrypted(connect(one.address), authority) as client:
        client.sendall(REQUEST)
        assert to_end(client) == RESPONSE
    record = one.finish()
    assert record.problems == ()
    only = record.connections[0]
    assert (only.requests, only.sent, only.tls, only.after) == (
        (REQUEST,),
        RESPONSE,
        "TLSv1.3",
        "closed",
    )


def test_tls_inside_a_tunnel(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = play(server, Tunnel(), Starttls(), ReadRequest(), Send(RESPONSE), Close())
    raw = connect(one.address)
    raw.sendall(CONNECT)
    assert exactly(raw, len(ANSWER)) == ANSWER
    with encrypted(raw, authority) as client:
        client.sendall(REQUEST)
        assert to_end(client) == RESPONSE
    only = one.finish().connections[0]
    assert only.requests == (CONNECT, REQUEST)
    assert only.received == CONNECT + REQUEST
    assert only.sent == ANSWER + RESPONSE


def test_a_client_hello_that_comes_with_the_connect_belongs_to_tls(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    pump = authority.client_context("none").wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        pump.do_handshake()
    one = play(server, Tunnel(), Starttls(), ReadRequest(), Close())
    raw = connect(one.address)
    raw.sendall(CONNECT + outgoing.read())
    assert exactly(raw, len(ANSWER)) == ANSWER
    while True:
        try:
            pump.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(raw.recv(65536))
        else:
            break
    pump.write(REQUEST)
    raw.sendall(outgoing.read())
    assert one.finish().connections[0].requests == (CONNECT, REQUEST)


def test_alpn_is_offered(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = play(server, Starttls(alpn=("http/1.1",)), Close())
    context = authority.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(connect(one.address), server_hostname="127.0.0.1") as client:
        assert client.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("tickets", [0, 2])
def test_session_tickets_come_where_asked_only(
    server: MockServer, connect: Connect, authority: CertificateAuthority, tickets: int
) -> None:
    one = play(server, Starttls(tickets=tickets), Drain(), ReadRequest(), Close())
    context = authority.client_context()
    with context.wrap_socket(connect(one.address), server_hostname="127.0.0.1") as client:
        client.sendall(REQUEST)
        assert ends(client)
        assert client.session is not None
        assert client.session.has_ticket == bool(tickets)


def ends(client: ssl.SSLSocket) -> bool:
    """Whether nothing more comes: over TLS a reset can look like an end."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def refused_handshake(
    server: MockServer, connect: Connect, authority: CertificateAuthority, cert: str
) -> Record:
    one = play(server, Starttls(cert), ReadRequest(), Close())
    raw = connect(one.address)
    with pytest.raises(ssl.SSLCertVerificationError):
        encrypted(raw, authority)
    raw.close()
    return one.finish()


@pytest.mark.parametrize(
    "cert", ["wrong-host", "names", "expired", "not-yet-valid", "untrusted", "self-signed"]
)
def test_a_handshake_that_the_client_refuses_is_a_fact(
    server: MockServer, connect: Connect, authority: CertificateAuthority, cert: str
) -> None:
    record = refused_handshake(server, connect, authority, cert)
    only = record.connections[0]
    assert record.errors == ()
    assert only.tls is not None
    assert only.tls.startswith("failed: SSLError")
    assert only.unplayed == (Starttls(cert), ReadRequest(), Close())


@pytest.mark.parametrize("cert", [None, "client-untrusted", "client-expired"])
def test_a_client_without_a_good_certificate_is_turned_away(
    server: MockServer, connect: Connect, authority: CertificateAuthority, cert: str | None
) -> None:
    one = play(server, Starttls(client_cert="required"), ReadRequest())
    with pytest.raises(ssl.SSLError), encrypted(connect(one.address), authority, cert) as client:
        client.recv(1)  # in TLS 1.3 the client learns of it only here
    tls = one.finish().connections[0].tls
    assert tls is not None
    assert tls.startswith("failed: SSL")


@pytest.mark.parametrize(("asks", "cert"), [("required", "client"), ("optional", None)])
def test_a_client_certificate_is_taken(
    server: MockServer,
    connect: Connect,
    authority: CertificateAuthority,
    asks: str,
    cert: str | None,
) -> None:
    step = Starttls(client_cert="required" if asks == "required" else "optional")
    one = play(server, step, Send(b"welcome"), Close())
    with encrypted(connect(one.address), authority, cert) as client:
        assert to_end(client) == b"welcome"
    assert one.finish().problems == ()


@pytest.mark.parametrize("first", [REQUEST, b"\x16\x03\x01\x00\x02ab", b""])
def test_a_client_that_speaks_no_tls_is_a_fact(
    server: MockServer, connect: Connect, first: bytes
) -> None:
    one = play(server, Starttls(), ReadRequest())
    raw = connect(one.address)
    raw.sendall(first)
    raw.shutdown(socket.SHUT_WR)
    to_end(raw)
    record = one.finish()
    assert record.errors == ()
    assert record.connections[0].tls is not None
    assert record.connections[0].tls.startswith("failed: ")


def test_an_end_over_tls_is_announced(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = play(server, Starttls(), Send(b"x"), Close())
    context = authority.client_context()
    with context.wrap_socket(
        connect(one.address), server_hostname="127.0.0.1", suppress_ragged_eofs=False
    ) as client:
        assert exactly(client, 2) == b"x"


def test_a_reset_over_tls_comes_behind_the_octets_before_it(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    for _ in range(20):
        one = play(server, Starttls(), ReadRequest(), Send(RESPONSE), Drain(), Close("rst"))
        with encrypted(connect(one.address), authority) as client:
            client.sendall(REQUEST)
            assert exactly(client, len(RESPONSE)) == RESPONSE
            assert ends(client)
        assert one.finish().connections[0].after == "gone"


def test_bulk_over_tls_in_both_directions(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = play(server, Starttls(), Read(1_000_000), Fill(1_000_000, b"ab"), Close())
    with encrypted(connect(one.address), authority) as client:
        client.sendall(b"x" * 1_000_000)
        assert to_end(client) == b"ab" * 500_000
    assert one.finish().connections[0].received == b"x" * 1_000_000


def test_octets_that_no_step_reads_are_decrypted(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    for steps in ((ReadRequest(), Stall()), (ReadRequest(),), (ReadRequest(), Close())):
        one = play(server, Starttls(), *steps)
        with encrypted(connect(one.address), authority) as client:
            client.sendall(REQUEST)
            client.sendall(b"more")
            only = one.finish().connections[0]
        assert (only.unread, only.after) == (b"more", "kept")


@pytest.mark.parametrize("announced", [True, False])
def test_the_client_ends_its_stream_with_or_without_saying_so(
    server: MockServer, connect: Connect, authority: CertificateAuthority, *, announced: bool
) -> None:
    one = play(server, Starttls(), ReadEof(), Close())
    client = encrypted(connect(one.address), authority)
    client.sendall(b"all")
    if announced:
        client.unwrap().close()
    client.close()
    record = one.finish()
    assert record.problems == ()
    assert record.connections[0].received == b"all"


REFUSED = [
    (Starttls("expired", refused=True),),
    (Starttls("expired", refused=True), ReadRequest(), Reply()),
    (Starttls("self-signed", refused=True), route(Reply(), path="/a")),
    (Starttls("missing-intermediate", refused=True), Reply()),
    (connection(Starttls("wrong-host", refused=True), Dispatch()), route(Reply())),
]


@pytest.mark.parametrize("parts", REFUSED)
def test_a_refusal_that_must_come_is_no_complaint(
    server: MockServer, connect: Connect, authority: CertificateAuthority, parts: Any
) -> None:
    one = server.play(script(*parts))
    raw = connect(one.address)
    with pytest.raises(ssl.SSLCertVerificationError):
        encrypted(raw, authority)
    raw.close()
    record = one.finish()
    assert record.complaints() == ()
    assert record.connections[0].tls is not None
    assert record.connections[0].tls.startswith("failed: SSLError")


@pytest.mark.parametrize("parts", REFUSED)
def test_a_refusal_that_must_come_is_missed(server: MockServer, parts: Any) -> None:
    assert server.play(script(*parts)).finish().complaints() == ("connection 1: never opened",)


def test_a_client_that_accepts_what_it_must_refuse_is_a_problem(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = server.play(script(Starttls("expired", refused=True), ReadRequest(), Reply()))
    context = authority.client_context("none")
    with context.wrap_socket(connect(one.address)) as client:
        client.sendall(REQUEST)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    text = "the client has accepted the certificate 'expired'"
    assert one.finish().complaints() == (f"connection 1, step 1 (starttls): {text}",)


def test_a_client_that_has_no_certificate_is_refused(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = server.play(script(Starttls(client_cert="required", refused=True)))
    with pytest.raises(ssl.SSLError), encrypted(connect(one.address), authority) as client:
        client.recv(1)
    assert one.finish().complaints() == ()


def test_a_version_that_a_step_asks_for_is_spoken(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    cipher = "ECDHE-ECDSA-AES128-GCM-SHA256"
    one = server.play(script(Starttls(versions=("TLSv1.2",), ciphers=cipher), Reply()))
    with encrypted(connect(one.address), authority) as client:
        client.sendall(REQUEST)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        assert (client.version(), (client.cipher() or "")[0]) == ("TLSv1.2", cipher)
    assert one.finish().complaints() == ()


@pytest.mark.parametrize(
    ("parts", "scheme"),
    [
        ((Starttls(), Reply()), "https"),
        ((Starttls(), ReadRequest(), Reply()), "https"),
        ((connection(Starttls(), Dispatch()), route(Reply())), "https"),
        ((connection(TlsFault("alert")),), "https"),
        ((connection(Tunnel(), Starttls()),), "http"),
        ((route(Reply()),), "http"),
    ],
)
def test_the_url_is_right_by_what_the_script_does(
    authority: CertificateAuthority, parts: Any, scheme: str
) -> None:
    with MockServer(*parts, tls=authority.server_context) as server:
        host, port = server.address
        assert server.url == f"{scheme}://{host}:{port}"
        assert server.https_url == f"https://{host}:{port}"
        server.clear(check=False)


def test_a_route_after_a_refusal_must_be_asked_for(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = server.play(
        script(
            connection(Starttls("expired", refused=True)),
            connection(Starttls(), Dispatch()),
            route(Reply()),
        )
    )
    for _ in range(2):
        with contextlib.suppress(ssl.SSLCertVerificationError):
            encrypted(connect(one.address), authority).close()
    assert one.finish().complaints() == ("route 1: answered 0 of 1 requests",)
