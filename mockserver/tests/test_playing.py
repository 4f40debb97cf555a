"""Each step does on a real socket what its name says."""

import socket
import time

import pytest

from mockserver import (
    ADDRESS,
    Chunk,
    Close,
    Drain,
    Dribble,
    EndHeaders,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Fill,
    Gate,
    Header,
    Interim,
    LastChunk,
    Listener,
    MockServer,
    Pause,
    Play,
    Read,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Recipe,
    Record,
    Reply,
    Send,
    Shutdown,
    Signal,
    Stall,
    StatusLine,
    Step,
    connection,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, each_read, exactly, is_reset, to_end


def play(server: MockServer, *steps: Step) -> Play:
    return server.play(script(connection(*steps)))


def problems_after(server: MockServer, connect: Connect, sent: bytes, *steps: Step) -> Record:
    """Play steps to a client that sends something and ends its stream."""
    one = play(server, *steps)
    client = connect(one.address)
    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)
    to_end(client)
    client.close()
    return one.finish()


def test_a_response_arrives_as_it_was_written(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Send(RESPONSE), Close())
    client = connect(one.address)
    client.sendall(REQUEST)
    assert to_end(client) == RESPONSE
    record = one.finish()
    assert record.problems == ()
    assert record.connections[0].requests == (REQUEST,)
    assert record.connections[0].sent == RESPONSE
    assert record.connections[0].received == REQUEST


def test_a_head_and_chunks_piece_by_piece(server: MockServer, connect: Connect) -> None:
    one = play(
        server,
        Interim(),
        StatusLine(),
        Header(b"Transfer-Encoding", b"chunked"),
        EndHeaders(),
        Chunk(b"hello"),
        LastChunk(),
        Close(),
    )
    assert to_end(connect(one.address)) == (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"
    )
    roles = [event.role for event in one.finish().connections[0].events if event.data]
    assert roles[-3:] == ["chunk-end", "last-chunk", "end-of-trailers"]


def test_offsets_count_each_direction(server: MockServer, connect: Connect) -> None:
    one = play(server, Read(2), Send(b"abc"), Read(1), Send(b"d"), Close())
    client = connect(one.address)
    client.sendall(b"123")
    to_end(client)
    events = [event[:3] for event in one.finish().connections[0].events if event.data]
    assert events == [("<", 0, b"12"), (">", 0, b"abc"), ("<", 2, b"3"), (">", 3, b"d")]


def test_events_name_their_step(server: MockServer, connect: Connect) -> None:
    one = play(server, Read(1), Send(b"a"), Close())
    client = connect(one.address)
    client.sendall(b"1")
    to_end(client)
    assert [event.step for event in one.finish().connections[0].events] == [0, 1, 2]


def test_a_reply_that_closes_ends_the_stream(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Reply(body=b"x", framing="close"))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert to_end(client).endswith(b"\r\n\r\nx")
    assert one.finish().problems == ()


def test_read_until_and_read_take_what_they_say(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadUntil(b"--"), Read(3), Close())
    client = connect(one.address)
    client.sendall(b"ab--cdefg")
    to_end(client)
    record = one.finish().connections[0]
    assert [event.data for event in record.events if event.direction == "<"] == [
        b"ab--",
        b"cde",
        b"fg",
    ]
    assert record.unread == b"fg"


def test_read_eof_takes_everything(server: MockServer, connect: Connect) -> None:
    record = problems_after(server, connect, b"x" * 200_000, ReadEof(), Send(b"got it"), Close())
    assert record.problems == ()
    assert record.connections[0].received == b"x" * 200_000
    assert record.connections[0].unread == b""


def test_a_shut_down_writing_half_still_reads(server: MockServer, connect: Connect) -> None:
    one = play(server, Send(b"early"), Shutdown(), ReadRequest(), Close())
    client = connect(one.address)
    assert to_end(client) == b"early"
    client.sendall(REQUEST)
    client.close()
    record = one.finish()
    assert record.problems == ()
    assert record.connections[0].requests == (REQUEST,)


def test_each_write_of_a_dribble_is_one_read(server: MockServer, connect: Connect) -> None:
    data = bytes(range(256)) * 2
    one = play(server, Send(b"before"), Dribble(data), Drain(), Close())
    client = connect(one.address)
    assert each_read(client) == [b"before", *(bytes([octet]) for octet in data)]


def test_drained_writes_are_never_merged(server: MockServer, connect: Connect) -> None:
    parts = [b"%03d" % number for number in range(150)]
    steps = [step for part in parts for step in (Send(part), Drain())]
    one = play(server, *steps, Close())
    assert each_read(connect(one.address)) == parts


def test_a_gate_waits_for_the_test(server: MockServer, connect: Connect) -> None:
    one = play(server, Signal("ready"), Gate("go"), Send(b"x"), Close())
    client = connect(one.address)
    one.wait_for("ready")
    client.settimeout(0.02)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(5)
    one.release("go")
    assert to_end(client) == b"x"


def test_a_signal_of_one_connection_opens_the_gate_of_another(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(
        script(
            connection(Gate("second is here"), Send(b"first"), Close()),
            connection(Signal("second is here"), Send(b"second"), Close()),
        )
    )
    first, second = connect(one.address), connect(one.address)
    assert (to_end(first), to_end(second)) == (b"first", b"second")
    assert one.finish().problems == ()


def test_a_pause_delays_what_follows(server: MockServer, connect: Connect) -> None:
    one = play(server, Pause(0.05), Send(b"x"), Close())
    start = time.monotonic()
    assert to_end(connect(one.address)) == b"x"
    assert time.monotonic() - start >= 0.045


def test_a_stall_lasts_until_the_client_closes(impatient: MockServer, connect: Connect) -> None:
    one = play(impatient, ReadRequest(), Stall(), Close())
    client = connect(one.address)
    client.sendall(REQUEST)
    client.settimeout(0.2)  # four times the server's patience
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.close()
    assert one.finish().problems == ()


def test_a_large_fill_arrives_whole(server: MockServer, connect: Connect) -> None:
    one = play(server, Fill(3_000_000, b"0123456789"), Close())
    assert to_end(connect(one.address)) == b"0123456789" * 300_000
    assert len(one.finish().connections[0].sent) == 3_000_000


def test_a_recipe_leaves_the_record_that_its_bytes_leave(
    server: MockServer, connect: Connect
) -> None:
    recipe = Recipe(((b"HTTP/1.1 200 OK\r\n\r\n", 1), (b"abcdefg", 300_000), (b"!", 1)))
    records = []
    for data in (recipe, bytes(recipe)):
        one = play(server, Send(b"before"), Send(data), Close())
        assert to_end(connect(one.address)) == b"before" + bytes(recipe)
        records.append(one.finish())
    assert records[0].transcript() == records[1].transcript()
    assert records[0].connections[0].sent == b"before" + bytes(recipe)
    assert records[0].connections[0].events[1].content is recipe


def test_a_client_that_leaves_a_recipe_halfway_has_what_the_record_says(
    server: MockServer, connect: Connect
) -> None:
    one = play(server, Send(Recipe(((b"abcdefg", 10_000_000),))), Close())
    client = connect(one.address)
    taken = client.recv(70_000, socket.MSG_WAITALL)
    client.close()
    sent = one.finish().connections[0].sent
    assert len(sent) < 70_000_000
    assert sent.startswith(taken)
    assert sent == (b"abcdefg" * (len(sent) // 7 + 1))[: len(sent)]


def test_a_refused_address_refuses(server: MockServer, connect: Connect) -> None:
    one = server.play(script(listener=Listener("refuse")))
    with pytest.raises(ConnectionRefusedError):
        connect(one.address)
    assert one.finish().connections == ()


def test_an_abandoned_connection_stays_open_and_silent(
    server: MockServer, connect: Connect
) -> None:
    one = play(server, Send(b"x"), Close("abandon"))
    client = connect(one.address)
    assert client.recv(10) == b"x"
    client.settimeout(0.02)
    with pytest.raises(TimeoutError):
        client.recv(1)
    record = one.finish()
    assert record.problems == ()
    assert record.connections[0].after == "kept"


def test_a_reset_is_a_reset(server: MockServer, connect: Connect) -> None:
    for _ in range(100):
        one = play(server, Send(b"x"), Drain(), Close("rst"))
        client = connect(one.address)
        assert client.recv(10) == b"x"
        assert is_reset(client)
        one.finish()


def test_an_end_is_an_end_even_with_unread_octets(server: MockServer, connect: Connect) -> None:
    for _ in range(100):
        one = play(server, Read(1), Send(RESPONSE), Close())
        client = connect(one.address)
        client.sendall(REQUEST)
        assert to_end(client) == RESPONSE
        one.finish()


def test_a_client_that_still_uploads_sees_the_end_in_order(
    server: MockServer, connect: Connect
) -> None:
    one = play(server, Read(1), Send(RESPONSE), Close())
    client = connect(one.address)
    client.sendall(b"x" * 20_000_000)
    assert to_end(client) == RESPONSE
    client.close()
    assert len(one.finish().connections[0].unread) == 19_999_999


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        (Expect(method="POST"), "the method is 'GET', expected 'POST'"),
        (Expect(target="/x"), "the target is '/', expected '/x'"),
        (Expect(headers=((b"host", b"y"),)), "field host has ['x'], expected 'y'"),
        (Expect(absent=("Host",)), "field Host has ['x'], expected none"),
        (Expect(body=b"x"), "the body is b'', expected b'x'"),
        (Expect(connection="same"), "the connection is 'new', expected 'same'"),
        (Expect(raw=b"GET"), f"the request is {REQUEST!r}, expected b'GET'"),
    ],
)
def test_a_request_that_was_not_expected_is_a_problem(
    server: MockServer, connect: Connect, expect: Expect, problem: str
) -> None:
    record = problems_after(server, connect, REQUEST, ReadRequest(), expect, Close())
    assert record.problems == (f"connection 1, step 2 (expect): {problem}",)
    assert record.connections[0].unplayed == ()


def test_a_request_that_was_expected_is_none(server: MockServer, connect: Connect) -> None:
    fits = Expect("GET", "/", ((b"HOST", b"x"),), ("Cookie",), b"", REQUEST, "new")
    record = problems_after(server, connect, REQUEST, ReadRequest(), fits, Close())
    assert record.problems == ()


def test_the_address_is_a_hole_in_raw(server: MockServer, connect: Connect) -> None:
    raw = b"GET / HTTP/1.1\r\nHost: " + ADDRESS + b"\r\n\r\n"
    one = play(server, ReadRequest(), Expect(raw=raw), Close())
    client = connect(one.address)
    client.sendall(b"GET / HTTP/1.1\r\nHost: %b:%d\r\n\r\n" % (b"127.0.0.1", one.address[1]))
    to_end(client)
    assert one.finish().problems == ()


def test_a_second_request_is_on_the_same_connection(server: MockServer, connect: Connect) -> None:
    steps = (ReadRequest(), ReadRequest(), Expect(connection="same"), Close())
    assert problems_after(server, connect, REQUEST * 2, *steps).problems == ()


def test_an_expected_end_of_stream(server: MockServer, connect: Connect) -> None:
    assert problems_after(server, connect, b"", ExpectEof(), Close()).problems == ()


def test_octets_are_no_end_of_stream(server: MockServer, connect: Connect) -> None:
    record = problems_after(server, connect, b"x", ExpectEof(), Close())
    assert record.problems == (
        "connection 1, step 1 (expect_eof): "
        "the client sent bytes; expected that the client ended its stream",
    )


def test_an_end_of_stream_is_no_reset(server: MockServer, connect: Connect) -> None:
    one = play(server, ExpectReset())
    connect(one.address).shutdown(socket.SHUT_WR)
    assert one.finish().problems == (
        "connection 1, step 1 (expect_reset): "
        "the client ended its stream; expected that the client reset the connection",
    )


@pytest.mark.parametrize("expected", [ExpectReset(), ExpectEof()])
def test_a_reset_is_told_from_an_end(server: MockServer, connect: Connect, expected: Step) -> None:
    one = play(server, Send(b"unread"), expected)
    client = connect(one.address)
    exactly(client, 1)
    client.close()  # with octets unread: a reset
    assert bool(one.finish().problems) == isinstance(expected, ExpectEof)


def test_silence_is_kept_until_the_play_is_finished(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), ExpectNoBytes())
    client = connect(one.address)
    client.sendall(REQUEST)
    assert one.finish().problems == ()


def test_silence_can_end_with_the_stream(server: MockServer, connect: Connect) -> None:
    steps = (ReadRequest(), ExpectNoBytes(), Send(b"bye"), Close())
    assert problems_after(server, connect, REQUEST, *steps).problems == ()


def test_silence_is_broken_by_an_octet(server: MockServer, connect: Connect) -> None:
    record = problems_after(
        server, connect, REQUEST + b"x", ReadRequest(), ExpectNoBytes(), Close()
    )
    assert record.problems == (
        "connection 1, step 2 (expect_no_bytes): the client sent bytes; expected none",
    )
    assert record.connections[0].unread == b"x"


def test_a_pause_is_not_cut_short_by_half_a_closing(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadEof(), Pause(0.05), Send(b"x"), Close())
    client = connect(one.address)
    start = time.monotonic()
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b"x"
    assert time.monotonic() - start >= 0.045


def test_a_pause_ends_with_the_client(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Pause(60), Close())
    client = connect(one.address)
    client.sendall(REQUEST)
    client.close()
    assert one.finish().problems == ()


def test_a_stall_outlasts_half_a_closing(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadEof(), Stall(), Close())
    client = connect(one.address)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.close()
    assert one.finish().problems == ()
