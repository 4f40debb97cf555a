"""Listeners that do not accept as usual, and small receive queues."""

import contextlib
import socket
import time

import pytest

from mockserver import (
    Close,
    Listener,
    MockServer,
    ReadEof,
    ReadRequest,
    Script,
    Send,
    Stall,
    connection,
    script,
)
from mockserver.tests.support import listens, to_end

HEAD = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connect_that_stalls(host: str) -> None:
    with MockServer(host=host) as server:
        for _ in range(20):
            one = server.play(Script(listener=Listener("connect_stall")))
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as client:
                client.settimeout(0.02)
                with pytest.raises(TimeoutError):
                    client.connect(one.address)
            assert one.finish().complaints() == ()


def test_a_stalling_port_is_given_back(server: MockServer) -> None:
    one = server.play(Script(listener=Listener("connect_stall")))
    one.finish()
    assert not listens(one.address[1])


def test_a_connection_that_is_reset_as_it_comes(server: MockServer) -> None:
    one = server.play(Script(listener=Listener("accept_rst")))
    for _ in range(100):
        # A reset can be quicker than the return of `connect`.
        with pytest.raises(ConnectionResetError):
            connected_read(one.address)
    record = one.finish()
    assert record.complaints() == ()
    assert {(each.after, each.received) for each in record.connections} == {("gone", b"")}
    assert len(record.connections) == 100


def connected_read(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, 10) as client:
        return client.recv(1)


def test_nobody_has_to_come_to_be_reset(server: MockServer) -> None:
    assert server.play(Script(listener=Listener("accept_rst"))).finish().complaints() == ()


def sent_until_it_waits(client: socket.socket) -> int:
    sent = 0
    client.settimeout(0.05)
    with contextlib.suppress(TimeoutError):
        while sent < 10_000_000:
            sent += client.send(bytes(10_000))
    return sent


def test_a_small_receive_queue_makes_the_client_wait(server: MockServer) -> None:
    sent = []
    for size in (None, 4096, None):
        one = server.play(script(connection(Stall()), listener=Listener(receive_buffer=size)))
        client = connect_with_small_queue(one.address)
        sent.append(sent_until_it_waits(client))
        client.close()
        assert one.finish().problems == ()
    assert sent[1] < 50_000 < min(sent[0], sent[2])


def connect_with_small_queue(address: tuple[str, int]) -> socket.socket:
    """A client whose own queue for sending hides little of the server's."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.connect(address)
    return client


def test_the_answer_comes_before_the_body_is_read(server: MockServer) -> None:
    early = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n"
    one = server.play(
        script(
            connection(ReadRequest(body="none"), Send(early), Stall()),
            listener=Listener(receive_buffer=4096),
        )
    )
    client = connect_with_small_queue(one.address)
    client.sendall(HEAD)
    sent_until_it_waits(client)
    client.settimeout(10)
    assert client.recv(1000) == early
    client.close()
    assert one.finish().problems == ()


def test_a_body_is_taken_when_the_script_comes_to_read_it(server: MockServer) -> None:
    one = server.play(
        script(
            connection(ReadRequest(body="none"), Send(b"x"), ReadEof(), Close()),
            listener=Listener(receive_buffer=4096),
        )
    )
    client = connect_with_small_queue(one.address)
    client.settimeout(10)
    client.sendall(HEAD)
    assert client.recv(1) == b"x"
    client.sendall(bytes(1_000_000))
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b""
    client.close()
    record = one.finish()
    assert record.complaints() == ()
    assert len(record.connections[0].received) == len(HEAD) + 1_000_000


def test_a_refused_script_changes_no_listener(server: MockServer) -> None:
    before = server.address
    server.play(Script()).finish()
    assert server.address == before
    server.play(Script(listener=Listener(receive_buffer=4096))).finish()
    assert server.address != before


def test_a_stalled_connect_ends_with_an_abort(server: MockServer) -> None:
    one = server.play(Script(listener=Listener("connect_stall")))
    started = time.monotonic()
    one.abort()
    assert not listens(one.address[1])
    one.finish()
    assert time.monotonic() - started < 5
