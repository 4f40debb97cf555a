"""What becomes of a connection's two streams, and who may act on it, read from real sockets."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from mockserver import (
    Close,
    ExpectNoBytes,
    Gate,
    MockServer,
    ReadEof,
    ReadRequest,
    Reply,
    Send,
    Shutdown,
    Stall,
    Step,
    connection,
    script,
)
from mockserver._phase import CLIENT_HAS_ENDED, SERVER_HAS_ENDED, TABLE, Happens, Owner, Phase
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, to_end

ENDS = (Happens.SERVER_ENDS, Happens.CLIENT_ENDS)


def test_the_table_has_every_phase_for_every_event() -> None:
    assert set(TABLE) == set(Happens)
    for row in TABLE.values():
        assert set(row) == set(Phase)


def test_the_order_in_which_two_streams_end_does_not_matter() -> None:
    for first, second in (ENDS, ENDS[::-1]):
        assert TABLE[second][TABLE[first][Phase.OPEN]] is Phase.BOTH_ENDED


@pytest.mark.parametrize("phase", Phase)
def test_an_end_is_an_end_for_good(phase: Phase) -> None:
    for row in TABLE.values():
        later = row[phase]
        assert later is Phase.SERVER_RESET or (
            (phase not in SERVER_HAS_ENDED or later in SERVER_HAS_ENDED)
            and (phase not in CLIENT_HAS_ENDED or later in CLIENT_HAS_ENDED)
        )


@pytest.mark.parametrize("event", Happens)
def test_nothing_follows_our_reset(event: Happens) -> None:
    assert TABLE[event][Phase.SERVER_RESET] is Phase.SERVER_RESET


def test_a_reset_that_is_reported_once_more_as_an_end_is_still_a_reset() -> None:
    row = TABLE[Happens.CLIENT_ENDS]
    assert row[TABLE[Happens.CLIENT_RESETS][Phase.OPEN]] is Phase.CLIENT_RESET


def test_what_is_given_up_goes_to_no_other_owner(server: MockServer, connect: Connect) -> None:
    play = server.play(script(connection(Stall())))
    connect(play.address)
    wait_until(lambda: bool(play.connections))
    wire = play.connections[0].wire
    play.abort()
    assert not wire.park()
    assert not wire.pass_to(Owner.WORKER)
    wire.resume()
    assert wire.owner is Owner.NO_ONE


def resets(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def half_closes(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def does_nothing(_: socket.socket) -> None:
    return None


@pytest.mark.parametrize(
    ("steps", "client", "phase"),
    [
        ((Close(),), does_nothing, Phase.SERVER_ENDED),
        ((Shutdown(),), does_nothing, Phase.SERVER_ENDED),
        ((Close("abandon"),), does_nothing, Phase.OPEN),
        ((Stall(),), does_nothing, Phase.OPEN),
        ((ReadEof(),), half_closes, Phase.CLIENT_ENDED),
        ((ReadEof(), Close()), half_closes, Phase.BOTH_ENDED),
        ((ExpectNoBytes(),), resets, Phase.CLIENT_RESET),
        ((ExpectNoBytes(), Close()), resets, Phase.BOTH_ENDED),
        ((Close("rst"),), does_nothing, Phase.SERVER_RESET),
    ],
)
def test_a_connection_is_in_the_phase_that_its_steps_and_its_client_lead_to(
    server: MockServer,
    connect: Connect,
    steps: tuple[Step, ...],
    client: Callable[[socket.socket], None],
    phase: Phase,
) -> None:
    play = server.play(script(connection(ReadRequest(), *steps)))
    sock = connect(play.address)
    sock.sendall(REQUEST)
    wait_until(lambda: bool(play.requests))
    client(sock)
    wait_until(lambda: play.connections[0].wire.phase is phase)
    play.finish()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_connection_passes_from_owner_to_owner(server: MockServer, connect: Connect) -> None:
    steps = (ReadRequest(), Gate("go"), Reply(), ReadRequest(), Reply())
    play = server.play(script(connection(*steps), connection(optional=True)))
    sock = connect(play.address)
    wait_until(lambda: bool(play.connections))
    wire = play.connections[0].wire
    wait_until(lambda: wire.owner is Owner.SELECTOR)
    sock.sendall(REQUEST)
    wait_until(lambda: wire.owner is Owner.WORKER)
    play.release("go")
    wait_until(lambda: wire.owner is Owner.SELECTOR)
    sock.sendall(REQUEST)
    wait_until(lambda: wire.owner is Owner.PLAY)
    play.finish()
    assert wire.owner is Owner.NO_ONE


def ask(clients: list[socket.socket]) -> None:
    with contextlib.suppress(ConnectionError):
        for sock in clients:
            sock.sendall(REQUEST)


def test_a_connection_can_be_given_up_whoever_has_it(server: MockServer) -> None:
    for number in range(200):
        play = server.play(script(connection(ReadRequest(), Send(b"x"), ReadRequest(), times=4)))
        with contextlib.ExitStack() as stack:
            dialled = [socket.create_connection(play.address, timeout=10) for _ in range(4)]
            clients = [stack.enter_context(sock) for sock in dialled]
            asking = threading.Thread(target=ask, args=(clients,))
            asking.start()
            if number % 2:
                exactly(clients[0], 1)
            play.abort()
            asking.join()
            record = play.finish()
            assert all(one.after == "gone" for one in record.connections), number
            assert len(record.connections) + record.refused_extra == 4
            assert record.errors == ()
            for sock in clients:
                with contextlib.suppress(ConnectionError):
                    to_end(sock)


def test_no_connection_is_accepted_while_a_play_is_given_up(
    server: MockServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = server.play(script(connection(ReadRequest(), times=2)))
    give_up = play._give_up

    def dial_first() -> None:
        with contextlib.suppress(ConnectionResetError):  # the reset can overtake the connect
            connect(play.address)
        wait_until(lambda: bool(play.connections) or play.refused_extra > 0)
        give_up()

    monkeypatch.setattr(play, "_give_up", dial_first)
    play.abort()
    record = play.finish()
    assert (record.connections, record.refused_extra) == ((), 1)
