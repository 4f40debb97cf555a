"""What is known about each connection when a play is finished, without a race."""

import contextlib
import socket
import time

import pytest

from mockserver import (
    Close,
    ConnectionRecord,
    Drain,
    Dribble,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Fill,
    Gate,
    MockServer,
    Pause,
    Play,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Reply,
    Send,
    Signal,
    Stall,
    Step,
    connection,
    script,
)
from mockserver._kernel import Diagnosis, Peer, question
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, exactly, to_end

TIMES = 60


def play(server: MockServer, *steps: Step) -> Play:
    return server.play(script(connection(*steps)))


def asked(one: Play, connect: Connect) -> socket.socket:
    client = connect(one.address)
    client.sendall(REQUEST)
    return client


def test_a_client_that_closed(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), Close())
        client = asked(one, connect)
        to_end(client)
        client.close()
        record = one.finish().connections[0]
        assert (record.after, record.left, record.unplayed) == ("closed", None, ())


def test_a_client_that_keeps_its_end(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), Close())
        to_end(asked(one, connect))
        record = one.finish().connections[0]
        assert (record.after, record.left, record.unplayed) == ("kept", 0, ())


@pytest.mark.parametrize("end", [(), (Close(),), (Close("abandon"),), (Drain(), Close())])
@pytest.mark.parametrize("n", [0, 1, len(RESPONSE) - 1])
def test_what_the_client_has_not_read(
    server: MockServer, connect: Connect, end: tuple[Step, ...], n: int
) -> None:
    for _ in range(10):
        one = play(server, ReadRequest(), Send(RESPONSE), *end)
        client = asked(one, connect)
        exactly(client, n)
        record = one.finish().connections[0]
        assert (record.after, record.left) == ("kept", len(RESPONSE) - n)


def test_a_client_that_reset(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), ReadRequest())
        client = asked(one, connect)
        exactly(client, 1)
        client.close()
        record = one.finish().connections[0]
        assert (record.after, record.unplayed) == ("closed", (ReadRequest(),))
        assert "the client reset the connection" in [event.role for event in record.events]


def test_a_connection_that_the_server_reset(server: MockServer, connect: Connect) -> None:
    for _ in range(4 * TIMES):
        one = play(server, ReadRequest(), Close("rst"))
        asked(one, connect)
        record = one.finish().connections[0]
        assert (record.after, record.left, record.unplayed) == ("gone", None, ())


def test_steps_that_wait_for_a_client_that_does_nothing_more(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), ReadRequest(), Close())
        client = asked(one, connect)
        exactly(client, len(RESPONSE))
        record = one.finish()
        assert record.connections[0].unplayed == (ReadRequest(), Close())
        assert record.problems == ()
        assert record.unplayed == (
            "connection 1, step 3 (read_request): not played",
            "connection 1, step 4 (close): not played",
        )


def test_everything_that_could_be_played_is_in_the_record(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Reply(), ReadRequest(), Reply(), ReadRequest())
        connect(one.address).sendall(REQUEST * 2 + REQUEST[:7])
        record = one.finish().connections[0]
        assert record.requests == (REQUEST, REQUEST)
        assert record.unplayed == (ReadRequest(),)
        assert record.unread == REQUEST[:7]


@pytest.mark.parametrize("end", [(), (Close(),)])
def test_octets_that_no_step_reads(
    server: MockServer, connect: Connect, end: tuple[Step, ...]
) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), *end)
        client = asked(one, connect)
        exactly(client, len(RESPONSE))
        client.sendall(b"more")
        record = one.finish().connections[0]
        assert (record.unread, record.received) == (b"more", REQUEST + b"more")


def test_octets_sent_before_the_client_closed(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE))
        client = asked(one, connect)
        exactly(client, len(RESPONSE))
        client.sendall(b"more")
        client.close()
        record = one.finish().connections[0]
        assert (record.unread, record.after) == (b"more", "closed")


def test_a_request_that_is_cut_off_is_in_the_record(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Send(RESPONSE))
    client = connect(one.address)
    client.sendall(REQUEST[:-1])
    client.close()
    record = one.finish().connections[0]
    assert record.requests == (REQUEST[:-1],)
    assert record.unplayed == (ReadRequest(), Send(RESPONSE))


def test_a_half_closed_client_is_not_left_waiting(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Send(RESPONSE))
    client = connect(one.address)
    client.sendall(REQUEST[:-1])
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b""
    assert one.finish().connections[0].unplayed == (ReadRequest(), Send(RESPONSE))


def test_a_client_that_only_connected(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Close())
        connect(one.address)
        record = one.finish()
        assert len(record.connections) == 1
        assert record.connections[0].after == "kept"


def test_a_connection_that_never_came(server: MockServer) -> None:
    one = play(server, ReadRequest())
    record = one.finish()
    assert record.connections == ()
    assert (record.problems, record.unplayed) == ((), ("connection 1: never opened",))


def test_connections_beyond_the_script_are_reset_and_counted(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(TIMES):
        one = play(server, ReadRequest(), Send(RESPONSE), Close())
        asked(one, connect)
        for _ in range(2):
            with contextlib.suppress(ConnectionResetError):  # it can be as quick as that
                connect(one.address)
        record = one.finish()
        assert (len(record.connections), record.refused_extra) == (1, 2)
        assert record.complaints() == ("2 connections beyond the script",)


@pytest.mark.parametrize("step", [Stall(), ReadRequest(), Gate("never"), Drain()])
def test_a_client_beyond_the_script_does_not_wait(
    server: MockServer, connect: Connect, step: Step
) -> None:
    one = play(server, ReadRequest(), Send(RESPONSE), step)
    asked(one, connect)
    with pytest.raises(ConnectionResetError):
        ends_within_two_seconds(connect(one.address))
    assert one.finish().refused_extra == 1


def ends_within_two_seconds(client: socket.socket) -> None:
    """Wait less long than the server would by its patience."""
    client.settimeout(2)
    client.recv(1)


def test_connections_are_numbered_as_they_were_opened(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        both = [connection(Send(text), Close()) for text in (b"first", b"second")]
        one = server.play(script(*both))
        first, second = connect(one.address), connect(one.address)
        assert (to_end(second), to_end(first)) == (b"second", b"first")
        one.finish()


@pytest.mark.parametrize("closes", [False, True])
def test_a_stall_counts_as_played(server: MockServer, connect: Connect, *, closes: bool) -> None:
    for _ in range(20):
        one = play(server, ReadRequest(), Stall(), Close())
        client = asked(one, connect)
        if closes:
            client.close()
        record = one.finish().connections[0]
        assert record.unplayed == (() if closes else (Close(),))
        assert record.after == ("closed" if closes else "kept")


@pytest.mark.parametrize(
    "step", [Drain(), Dribble(b"abc"), Fill(30_000_000), Gate("never"), ReadEof()]
)
def test_a_step_that_cannot_go_on_is_unplayed(
    server: MockServer, connect: Connect, step: Step
) -> None:
    for _ in range(5):
        one = play(server, ReadRequest(), Send(RESPONSE), step, Close())
        client = asked(one, connect)
        exactly(client, 1)
        record = one.finish()
        assert record.connections[0].unplayed == (step, Close())
        assert record.connections[0].after == "kept"


def test_what_was_written_of_a_large_send_is_in_the_record(
    server: MockServer, connect: Connect
) -> None:
    data = b"0123456789" * 2_000_000
    one = play(server, Send(data), Close())
    client = connect(one.address)
    exactly(client, 1000)
    sent = one.finish().connections[0].sent
    assert 1000 <= len(sent) < len(data)
    assert data.startswith(sent)


def test_what_was_written_before_patience_ran_out_is_in_the_record_once(
    impatient: MockServer, connect: Connect
) -> None:
    data = b"".join(b"%08d" % number for number in range(1_000_000))
    one = play(impatient, Send(data), Close())
    connect(one.address)
    deadline = time.monotonic() + 10
    while not one.problems and time.monotonic() < deadline:
        time.sleep(0.001)
    sent = one.finish().connections[0].sent
    assert len(sent) < len(data)
    assert data.startswith(sent)


def test_silence_counts_as_played(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), ExpectNoBytes(), Close())
    asked(one, connect)
    assert one.finish().connections[0].unplayed == (Close(),)


def test_the_record_of_a_finished_play_does_not_change(
    server: MockServer, connect: Connect
) -> None:
    one = play(server, ReadRequest())
    client = connect(one.address)
    first = one.finish()
    client.close()
    assert one.finish() is first


def test_the_record_says_where_the_client_came_from(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest())
    client = connect(one.address)
    record = one.finish().connections[0]
    assert (record.source, record.source_port) == client.getsockname()


def test_what_is_open_at_the_end_is_reset(server: MockServer, connect: Connect) -> None:
    one = play(server, ReadRequest(), Send(RESPONSE))
    client = asked(one, connect)
    exactly(client, len(RESPONSE))
    one.finish()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


@pytest.mark.parametrize("closes", [False, True])
def test_where_the_kernel_cannot_be_asked_the_ends_are_still_known(
    monkeypatch: pytest.MonkeyPatch, connect: Connect, *, closes: bool
) -> None:
    monkeypatch.setattr(Diagnosis, "peer", lambda *_: None)
    with MockServer() as server:
        one = play(server, ReadRequest(), Send(RESPONSE), ReadRequest())
        client = asked(one, connect)
        exactly(client, len(RESPONSE))
        if closes:
            client.close()
        record = one.finish().connections[0]
        assert record == ConnectionRecord(
            record.events,
            (REQUEST,),
            (ReadRequest(),),
            "closed" if closes else "kept",
            None,
            source="127.0.0.1",
            source_port=record.source_port,
        )


def test_where_the_kernel_cannot_be_asked_a_drain_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(Diagnosis, "peer", lambda *_: None)
    with MockServer() as server:
        one = play(server, ReadRequest(), Send(b"x"), Drain())
        client = asked(one, connect)
        with pytest.raises(ConnectionResetError):
            exactly(client, 10)
        assert "connection 1, step 3 (drain): the client's queue cannot be seen on this system" in (
            one.finish().problems
        )


@pytest.mark.parametrize("wrong", [Peer(0), Peer(1, held=False), Peer(7)])
def test_a_client_is_not_taken_for_gone_by_one_answer_of_the_kernel(
    server: MockServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, wrong: Peer
) -> None:
    ask, answers = Diagnosis.peer, [wrong] * 3
    monkeypatch.setattr(Diagnosis, "peer", lambda *args: answers.pop() if answers else ask(*args))
    one = play(server, Send(b"a"), Drain(), Send(b"b"), Close())
    client = connect(one.address)
    client.settimeout(2)  # the server's patience is 5 s
    assert (exactly(client, 1), client.recv(1)) == (b"a", b"b")
    assert answers == []
    assert one.finish().complaints() == ()


def test_an_answer_that_was_not_read_is_not_taken_for_the_next(connect: Connect) -> None:
    diagnosis = Diagnosis()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = connect(listener.getsockname())
        accepted, far = listener.accept()
        with accepted:
            message = question(accepted.getsockname(), far)
            assert diagnosis.peer(message) == Peer(1, held=True)
            assert diagnosis._netlink is not None
            diagnosis._netlink.send(message)
            accepted.sendall(b"abc")
            assert diagnosis.peer(message) == Peer(1, unread=3, received=3, held=True)
    client.close()
    diagnosis.close()


def test_a_drain_is_done_when_the_client_has_closed_in_order(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(TIMES):
        one = play(server, Send(RESPONSE), Drain(), Close("rst"))
        client = connect(one.address)
        exactly(client, len(RESPONSE))
        client.close()
        record = one.finish()
        assert record.problems == ()
        assert record.connections[0].after == "gone"


def test_a_gate_that_has_been_opened_is_gone_through(server: MockServer, connect: Connect) -> None:
    for _ in range(TIMES):
        one = play(server, Signal("here"), Gate("go"), Send(RESPONSE))
        connect(one.address)
        one.wait_for("here")
        one.release("go")
        record = one.finish().connections[0]
        assert (record.unplayed, record.left) == ((), len(RESPONSE))


def test_a_drain_is_not_done_when_the_client_has_reset(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(TIMES):
        one = play(server, Send(RESPONSE), Drain(), Close())
        client = connect(one.address)
        client.recv(1, socket.MSG_PEEK)
        client.close()
        assert one.finish().connections[0].unplayed == (Drain(), Close())


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (ExpectEof(), "connection 1, step 2 (expect_eof): the client has not ended its stream"),
        (
            ExpectReset(),
            "connection 1, step 2 (expect_reset): the client has not reset the connection",
        ),
    ],
)
def test_an_expected_end_that_has_not_come_by_the_finish(
    server: MockServer, connect: Connect, step: Step, problem: str
) -> None:
    one = play(server, ReadRequest(), step)
    client = asked(one, connect)
    record = one.finish()
    client.close()
    assert record.problems == (problem,)
    assert record.connections[0].unplayed == (step,)


def test_silence_up_to_the_finish_is_what_was_expected(
    server: MockServer, connect: Connect
) -> None:
    one = play(server, ReadRequest(), ExpectNoBytes())
    asked(one, connect)
    assert one.finish().complaints() == ()


@pytest.mark.parametrize(
    "steps",
    [
        (Stall(),),
        (Stall(), Close()),
        (Drain(), Stall()),
        (Send(b"x"), Drain(), Close()),
        (Gate("never"),),
    ],
)
def test_an_end_of_stream_behind_octets_that_nobody_reads(
    server: MockServer, connect: Connect, steps: tuple[Step, ...]
) -> None:
    one = play(server, ReadUntil(b"\r\n\r\n"), *steps)
    client = connect(one.address)
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.sendall(b"POST / HTTP/1.1\r\n\r\n" + bytes(16_000_000))
    if Send(b"x") in steps:
        exactly(client, 1)
    client.close()
    record = one.finish()
    assert record.problems == ()
    assert record.connections[0].after == "closed"
    assert record.connections[0].unplayed == ((Gate("never"),) if Gate("never") in steps else ())


# ---- without an end


def test_what_a_script_still_asks_for_is_known_while_it_goes_on(connect: Connect) -> None:
    with MockServer() as server:
        running = play(server, ReadRequest(), Send(RESPONSE), ReadRequest(), Send(RESPONSE))
        assert running.settled().unplayed == ("connection 1: never opened",)
        with connect(running.address) as client:
            client.sendall(REQUEST)
            exactly(client, len(RESPONSE))
            first = running.settled()
            assert first.unplayed == (
                "connection 1, step 3 (read_request): not played",
                "connection 1, step 4 (send): not played",
            )
            assert first.connections[0].requests == (REQUEST,)
            client.sendall(REQUEST)
            exactly(client, len(RESPONSE))
            assert running.settled().complaints() == ()
            assert not running.is_finished
        assert running.finish().complaints() == ()
        assert running.settled() is running.finish()


@pytest.mark.parametrize("time", range(TIMES // 6))
def test_a_client_that_is_done_finds_the_script_played(connect: Connect, time: int) -> None:
    with MockServer() as server:
        running = play(server, ReadRequest(), Send(RESPONSE), Drain(), Close())
        with connect(running.address) as client:
            client.sendall(REQUEST)
            exactly(client, len(RESPONSE))
            assert running.settled().complaints() == (), time
        running.finish()


def test_bytes_beyond_the_script_are_known_while_it_goes_on(connect: Connect) -> None:
    with MockServer() as server:
        running = play(server, ReadRequest(), Send(RESPONSE))
        with connect(running.address) as client:
            client.sendall(REQUEST + b"more")
            exactly(client, len(RESPONSE))
            (complaint,) = running.settled().complaints()
            assert "4 bytes from the client that no step reads" in complaint
        running.finish()


def test_a_pause_is_not_waited_for(connect: Connect) -> None:
    with MockServer() as server:
        running = play(server, ReadRequest(), Send(b"a"), Pause(3600), Reply())
        with connect(running.address) as client:
            client.sendall(REQUEST)
            exactly(client, 1)
            assert running.settled().unplayed == (
                "connection 1, step 3 (pause): not played",
                "connection 1, step 4 (reply): not played",
            )
        running.abort()
