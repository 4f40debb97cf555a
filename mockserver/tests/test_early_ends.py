"""A script that ends a connection early complains of nothing that was still on its way to it.

A client cannot know that the server is about to end the connection, so what it sends meanwhile is
its right. The bytes are in the record; they are a problem only where a step says so.
"""

import contextlib
import socket
import threading
import time

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Drain,
    ExpectEof,
    ExpectNoBytes,
    MockServer,
    MockServerError,
    Pause,
    ReadEof,
    ReadRequest,
    Record,
    Reply,
    Route,
    Send,
    Shutdown,
    Starttls,
    Step,
    Tunnel,
    connection,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import RESPONSE, exactly, to_end

HEAD = b"POST /upload HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
BODY = b"0123456789" * 100_000
EARLY = route(Reply(413), Close("fin"), body="none")


def answered(sock: socket.socket, *sent: bytes) -> bytes:
    """Send, each by itself, and then read to the end: as clients do that do not look back."""
    for data in sent:
        sock.sendall(data)
    return to_end(sock)


@pytest.mark.parametrize("size", [1, 10, 4096, 65536, 1_000_000])
@pytest.mark.parametrize("apart", [False, True], ids=["in one write", "after the head"])
def test_a_body_in_flight_is_no_complaint(connect: Connect, size: int, *, apart: bool) -> None:
    parts = (HEAD, BODY[:size]) if apart else (HEAD + BODY[:size],)
    with MockServer(script(EARLY)) as server:
        assert answered(connect(server.address), *parts).startswith(b"HTTP/1.1 413 ")
    assert server.record is not None
    (one,) = server.record.connections
    assert one.requests == (HEAD,)
    assert one.unread == BODY[:size]
    assert one.received == HEAD + BODY[:size]


def test_a_body_that_comes_after_the_end_is_in_the_record(connect: Connect) -> None:
    with MockServer(script(EARLY)) as server:
        client = connect(server.address)
        client.sendall(HEAD)
        to_end(client)
        client.sendall(b"late")
    assert server.record is not None
    assert server.record.connections[0].unread == b"late"
    assert "unread          late" in server.record.transcript()


def test_a_client_is_not_held_up_by_what_the_record_cannot_keep(connect: Connect) -> None:
    block = bytes(1 << 20)
    with MockServer(script(EARLY)) as server:
        client = connect(server.address)
        client.sendall(HEAD)
        for _ in range(80):
            client.sendall(block)
        assert to_end(client).startswith(b"HTTP/1.1 413 ")
    assert server.record is not None
    (one,) = server.record.connections
    assert len(one.unread) == 64 << 20
    assert one.events[-1].role == f"{16 << 20} more bytes came and were not kept"


def recorded(server: MockServer, *parts: Step | Route, sent: bytes, reads: int) -> Record:
    """What is left of a client that sends, reads so many bytes, and keeps its end."""
    if isinstance(parts[0], Route):
        play = server.play(script(*(part for part in parts if isinstance(part, Route))))
    else:
        play = server.play(script(connection(*(one for one in parts if isinstance(one, Step)))))
    with socket.create_connection(play.address, timeout=10) as sock:
        sock.sendall(sent)
        assert len(exactly(sock, reads)) == reads
        return play.finish()


CLOSED = len(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("parts", "reads"),
    [
        ((ReadRequest("none"), Send(RESPONSE), Close("fin")), len(RESPONSE)),
        ((ReadRequest("none"), Send(RESPONSE), Close("abandon")), len(RESPONSE)),
        ((ReadRequest("none"), Send(RESPONSE), Drain(), Close("rst")), len(RESPONSE)),
        ((ReadRequest("none"), Send(RESPONSE), Shutdown()), len(RESPONSE)),
        ((ReadRequest("none"), Reply(framing="close")), CLOSED),
        ((Tunnel(407), Close()), len(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")),
        ((Tunnel(), ReadRequest("none"), Close()), len(b"HTTP/1.1 200 OK\r\n\r\n")),
        ((route(Send(RESPONSE), Close("abandon"), body="none"),), len(RESPONSE)),
        ((route(Send(RESPONSE), Drain(), Close("rst"), body="none"),), len(RESPONSE)),
        ((route(Send(RESPONSE), Shutdown(), body="none"),), len(RESPONSE)),
        ((route(Reply(framing="close"), body="none"),), CLOSED),
    ],
)
def test_every_end_of_the_script_ends_the_complaints(
    server: MockServer, parts: tuple[Step | Route, ...], reads: int
) -> None:
    sent = HEAD.replace(b"POST", b"CONNECT") if isinstance(parts[0], Tunnel) else HEAD
    inside = HEAD if parts[1:] and isinstance(parts[1], ReadRequest) else b""
    for _ in range(20):
        record = recorded(server, *parts, sent=sent + inside + b"0123456789", reads=reads)
        assert record.complaints() == ()
        assert record.connections[0].unread == b"0123456789"


def test_an_abandoned_client_is_left_alone_though_it_sends(
    impatient: MockServer, connect: Connect
) -> None:
    play = impatient.play(script(connection(ReadRequest("none"), Close("abandon"))))
    client = connect(play.address)
    client.sendall(HEAD + BODY[:10])
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(1)
    record = play.finish()
    assert record.complaints() == ()
    assert (record.connections[0].unread, record.connections[0].after) == (BODY[:10], "kept")


def test_inside_tls(server: MockServer, authority: CertificateAuthority) -> None:
    context = authority.client_context()
    steps = (Starttls(), ReadRequest("none"), Reply(413), Close())
    for late in (False, True):
        play = server.play(script(connection(*steps)))
        with (
            socket.create_connection(play.address, timeout=10) as sock,
            context.wrap_socket(sock, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(HEAD if late else HEAD + b"0123456789")
            assert to_end(tls).startswith(b"HTTP/1.1 413 ")
            if late:
                tls.sendall(b"0123456789")
            record = play.finish()
        assert record.complaints() == ()
        assert record.connections[0].unread == b"0123456789"


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((Shutdown(), ExpectNoBytes()), "the client sent bytes; expected none"),
        (
            (Shutdown(), ExpectEof()),
            "the client sent bytes; expected that the client ended its stream",
        ),
        ((ExpectNoBytes(), Close()), "the client sent bytes; expected none"),
    ],
)
def test_a_script_that_allows_no_bytes_says_so(
    server: MockServer, connect: Connect, steps: tuple[Step, ...], problem: str
) -> None:
    play = server.play(script(connection(ReadRequest("none"), Send(RESPONSE), *steps)))
    client = connect(play.address)
    client.sendall(HEAD + b"0123456789")
    exactly(client, len(RESPONSE))
    (complaint,) = play.finish().complaints()
    assert complaint.endswith(problem)


@pytest.mark.parametrize("steps", [(), (Drain(),), (Pause(0.01),)])
def test_a_script_that_leaves_the_connection_open_complains_as_ever(
    server: MockServer, connect: Connect, steps: tuple[Step, ...]
) -> None:
    play = server.play(script(connection(ReadRequest("none"), Send(RESPONSE), *steps)))
    client = connect(play.address)
    client.sendall(HEAD + b"0123456789")
    exactly(client, len(RESPONSE))
    complaints = play.finish().complaints()
    assert complaints == ("connection 1: 10 bytes from the client that no step reads",)


SURPLUS = (
    (ReadRequest(), Reply(), Close()),
    (ReadRequest(), Shutdown()),
    (Tunnel(), ReadRequest(), Close()),
)


@pytest.mark.parametrize("steps", SURPLUS)
def test_what_comes_together_with_a_whole_request_was_not_in_flight(
    server: MockServer, connect: Connect, steps: tuple[Step, ...]
) -> None:
    connect_first = b"CONNECT a:1 HTTP/1.1\r\n\r\n" if isinstance(steps[0], Tunnel) else b""
    play = server.play(script(connection(*steps)))
    client = connect(play.address)
    client.sendall(connect_first + b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd")
    to_end(client)
    complaints = play.finish().complaints()
    assert complaints == ("connection 1: 1 byte from the client that no step reads",)


def test_what_follows_a_connect_may_be_in_flight(server: MockServer, connect: Connect) -> None:
    play = server.play(script(route(Reply(407), Close())))
    client = connect(play.address)
    client.sendall(b"CONNECT a:1 HTTP/1.1\r\n\r\nhello")
    to_end(client)
    assert play.finish().complaints() == ()


def test_a_step_that_reads_to_the_end_has_everything(server: MockServer, connect: Connect) -> None:
    play = server.play(script(connection(ReadRequest("none"), Shutdown(), ReadEof())))
    client = connect(play.address)
    client.sendall(HEAD + b"0123456789")
    client.close()
    record = play.finish()
    assert record.complaints() == ()
    assert record.connections[0].unread == b""


def test_a_route_that_is_missed_is_still_a_complaint(connect: Connect) -> None:
    with (
        pytest.raises(MockServerError, match="route 2: answered 0 of 1 requests"),
        MockServer(script(EARLY, route(Reply()))) as server,
    ):
        answered(connect(server.address), HEAD + b"0123456789")


def test_many_clients_at_once_send_as_they_like(server: MockServer) -> None:
    play = server.play(script(route(Reply(413), Close("fin"), body="none", times=None)))

    def upload(number: int) -> None:
        with socket.create_connection(play.address, timeout=10) as sock:
            sock.sendall(HEAD)
            with contextlib.suppress(ConnectionError):
                for start in range(0, number * 1000, 997):
                    sock.sendall(BODY[start : start + 997])
                    if number % 3 == 0:
                        time.sleep(0)
                to_end(sock)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = play.finish()
    assert record.complaints() == ()
    assert sorted(len(one.unread) for one in record.connections) == [
        -(-number * 1000 // 997) * 997 for number in range(40)
    ]
