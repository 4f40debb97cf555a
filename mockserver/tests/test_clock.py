"""Delays and pauses, by the real time or by a clock that a test holds."""

import time

import pytest

from mockserver import Close, Dribble, HeldClock, MockServer, Pause, Reply, Send, route, script
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, to_end

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_reply_is_delayed(server: MockServer, connect: Connect) -> None:
    play = server.play(script(route(Reply(body=b"hello", delay=0.1), times=None)))
    client = connect(play.address)
    started = time.monotonic()
    client.sendall(REQUEST)
    assert exactly(client, len(HELLO)) == HELLO
    assert time.monotonic() - started >= 0.1
    client.close()
    assert play.finish().complaints() == ()


def test_dribbled_pieces_come_every_so_many_seconds(server: MockServer, connect: Connect) -> None:
    play = server.play(script(route(Dribble(b"abcd", 2, every=0.1), Close())))
    client = connect(play.address)
    started = time.monotonic()
    client.sendall(REQUEST)
    assert exactly(client, 2) == b"ab"
    assert exactly(client, 2) == b"cd"
    assert time.monotonic() - started >= 0.1
    assert to_end(client) == b""
    assert play.finish().complaints() == ()


def test_a_held_clock_lets_an_hour_pass_at_once(connect: Connect) -> None:
    clock = HeldClock()
    steps = Send(b"a"), Pause(3600), Reply(body=b"hello", delay=1800)
    with MockServer(route(*steps), clock=clock) as server:
        client = connect(server.address)
        client.sendall(REQUEST)
        assert exactly(client, 1) == b"a"
        clock.advance(3599)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        clock.advance(1)
        clock.advance(1800)
        assert exactly(client, len(HELLO)) == HELLO
        assert clock.now == 5400
        client.close()


def test_no_patience_ends_while_the_clock_is_held(connect: Connect) -> None:
    clock = HeldClock()
    with MockServer(route(Pause(1), Reply(body=b"hello")), clock=clock, patience=0.05) as server:
        client = connect(server.address)
        client.sendall(REQUEST)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        clock.advance(1)
        assert exactly(client, len(HELLO)) == HELLO
        client.close()


def test_each_piece_of_a_dribble_is_let_go(connect: Connect) -> None:
    clock = HeldClock()
    with MockServer(route(Dribble(b"abc", every=60), Close()), clock=clock) as server:
        client = connect(server.address)
        client.sendall(REQUEST)
        for piece in (b"a", b"b", b"c"):
            assert exactly(client, 1) == piece
            if piece != b"c":
                clock.advance(60)
        assert to_end(client) == b""


def test_pauses_of_several_connections_end_in_the_order_of_their_times(connect: Connect) -> None:
    clock = HeldClock()
    routes = route(Reply(delay=2), path="/2"), route(Reply(delay=1), path="/1")
    with MockServer(*routes, clock=clock) as server:
        first, second = connect(server.address), connect(server.address)
        first.sendall(b"GET /2 HTTP/1.1\r\n\r\n")
        second.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
        server.wait_for(2)

        def both_pause() -> bool:
            return len(clock._pauses) == 2

        server.wait_for(both_pause)
        clock.advance(1)
        assert second.recv(100).startswith(b"HTTP/1.1 200")
        clock.advance(1)
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        first.close()
        second.close()


def test_a_pause_that_never_ends_does_not_keep_a_test_from_its_end(connect: Connect) -> None:
    server = MockServer(route(Pause(60), Reply()), clock=HeldClock()).start()
    play = server.current
    assert play is not None
    connect(server.address).sendall(REQUEST)
    server.wait_for(1)
    record = play.finish()
    server.stop()
    assert record.unplayed == (
        "connection 1, route 1, step 1 (pause): not played",
        "connection 1, route 1, step 2 (reply): not played",
    )
