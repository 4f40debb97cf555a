"""A record can be played again as a script: the same octets, in the same writes."""

import socket
from collections.abc import Callable

import pytest

from certs import CertificateAuthority
from mockserver import (
    Chunk,
    Close,
    Dribble,
    ExpectReset,
    Fill,
    Interim,
    LastChunk,
    MockServer,
    Read,
    ReadEof,
    ReadRequest,
    Record,
    Reply,
    Script,
    ScriptError,
    Send,
    Shutdown,
    Stall,
    Starttls,
    Step,
    TlsFault,
    Tunnel,
    connection,
    script,
    script_from,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, each_read, exactly, to_end

POST = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"


def asked(sock: socket.socket) -> None:
    sock.sendall(REQUEST)
    to_end(sock)


def posted(sock: socket.socket) -> None:
    sock.sendall(POST)
    to_end(sock)


def asked_twice(sock: socket.socket) -> None:
    for _ in range(2):
        sock.sendall(REQUEST)
        exactly(sock, len(RESPONSE))


def ended(sock: socket.socket) -> None:
    sock.sendall(REQUEST)
    sock.shutdown(socket.SHUT_WR)
    to_end(sock)


def left(sock: socket.socket) -> None:
    sock.sendall(REQUEST)


PLAYS: list[tuple[tuple[Step, ...], Callable[[socket.socket], None], tuple[Step, ...]]] = [
    (
        (ReadRequest(), Send(RESPONSE), Close()),
        asked,
        (ReadRequest(), Send(RESPONSE), Close()),
    ),
    (
        (ReadRequest(), Reply(body=b"hello"), ReadRequest(), Reply(body=b"hello")),
        asked_twice,
        (ReadRequest(), Send(RESPONSE), ReadRequest(), Send(RESPONSE), ReadEof()),
    ),
    (
        (ReadRequest("none"), Read(3), Interim(times=2), Chunk(b"x"), LastChunk(), Close()),
        posted,
        (
            *(ReadRequest("none"), Read(3), Send(b"HTTP/1.1 100 Continue\r\n\r\n" * 2)),
            *(Send(b"1\r\nx\r\n"), Send(b"0\r\n\r\n"), Close()),
        ),
    ),
    (
        (ReadRequest(), ReadEof(), Send(b"late"), Close()),
        ended,
        (ReadRequest(), ReadEof(), Send(b"late"), Close()),
    ),
    (
        (ReadRequest(), Shutdown(), ReadEof()),
        ended,
        (ReadRequest(), Shutdown(), ReadEof()),
    ),
    ((ReadRequest(), Stall()), left, (ReadRequest(), Stall())),
    (
        (ReadRequest(), Send(RESPONSE), ExpectReset()),
        left,
        (ReadRequest(), Send(RESPONSE), ExpectReset()),
    ),
    (
        (ReadRequest(), Fill(70_000), Close()),
        asked,
        (ReadRequest(), Send(b"x" * 65_536), Send(b"x" * 4464), Close()),
    ),
]


def played(
    server: MockServer, connect: Connect, what: Script, act: Callable[[socket.socket], None]
) -> Record:
    one = server.play(what)
    client = connect(one.address)
    act(client)
    if Stall() not in what.connections[0].steps and act is left:
        exactly(client, 1)
    client.close()
    return one.finish()


@pytest.mark.parametrize(("steps", "act", "replayed"), PLAYS)
def test_a_record_becomes_a_script(
    server: MockServer,
    connect: Connect,
    steps: tuple[Step, ...],
    act: Callable[[socket.socket], None],
    replayed: tuple[Step, ...],
) -> None:
    first = played(server, connect, script(connection(*steps)), act)
    again = script_from(first)
    assert tuple(step for step in again.connections[0].steps if step != ReadEof()) == tuple(
        step for step in replayed if step != ReadEof()
    )
    second = played(server, connect, again, act)
    assert second.problems == ()
    facts = [(one.sent, one.received, one.requests, one.after) for one in first.connections]
    assert facts == [
        (one.sent, one.received, one.requests, one.after) for one in second.connections
    ]
    assert script_from(second) == again


def test_dribbled_octets_are_dribbled_again(server: MockServer, connect: Connect) -> None:
    def reads(what: Script) -> tuple[list[bytes], Record]:
        one = server.play(what)
        client = connect(one.address)
        client.sendall(REQUEST)
        seen = each_read(client)
        client.close()
        return seen, one.finish()

    pieces, record = reads(script(connection(ReadRequest(), Dribble(RESPONSE, 3), Close())))
    assert pieces[0] == RESPONSE[:3]
    assert reads(script_from(record))[0] == pieces


def test_a_reset_by_the_server_is_played_again(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(ReadRequest(), Close("rst")), connection(Close("abandon"))))
    connect(one.address).sendall(REQUEST)
    connect(one.address)
    assert script_from(one.finish()) == one.script


def test_tls_is_played_again(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    what = script(connection(Tunnel(), Starttls(), ReadRequest(), Send(RESPONSE), Close()))
    one = server.play(what)
    raw = connect(one.address)
    raw.sendall(b"CONNECT x:443 HTTP/1.0\r\n\r\n")
    exactly(raw, 19)
    with authority.client_context("full").wrap_socket(raw, server_hostname="127.0.0.1") as client:
        client.sendall(REQUEST)
        to_end(client)
    assert script_from(one.finish()).connections[0].steps == (
        *(Tunnel(data=b"HTTP/1.1 200 OK\r\n\r\n"), Starttls()),
        *(ReadRequest(), Send(RESPONSE), Close()),
    )


def test_damaged_tls_cannot_be_played_again(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(TlsFault("alert"))))
    connect(one.address).sendall(bytes.fromhex("16 03 01 00 01 00"))
    with pytest.raises(ScriptError, match="fault: alert cannot be played again"):
        script_from(one.finish())


def test_half_a_request_becomes_a_read(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(ReadRequest())))
    client = connect(one.address)
    client.sendall(b"GET / HT")
    client.shutdown(socket.SHUT_WR)
    to_end(client)
    client.close()
    assert script_from(one.finish()).connections[0].steps == (Read(8), ReadEof(), Close())
