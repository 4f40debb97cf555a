"""Steps on connections that a caller accepts, with limits for clients that are not trusted."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Drain,
    Dribble,
    Ended,
    Expect,
    Fill,
    Gate,
    GivenConnection,
    Limits,
    Pause,
    ReadRequest,
    Reply,
    Script,
    ScriptError,
    Send,
    SharedState,
    Shutdown,
    Signal,
    Stall,
    Starttls,
    Step,
    play_steps,
)
from mockserver._phase import Wait
from mockserver._wire import Wire
from mockserver.tests.support import REQUEST, RESPONSE, each_read, exactly, is_reset, to_end

BRIEF = Limits(wait=0.05)
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A client, and what a server of the caller's has accepted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        accepted, _ = listener.accept()
        with client, accepted:
            yield client, accepted


def reading(client: socket.socket) -> list[bytes]:
    """What each read gives up to the end, and then close."""
    with client:
        return each_read(client)


def meanwhile(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_steps_are_played_on_a_socket(pair: Pair) -> None:
    client, accepted = pair
    client.sendall(REQUEST)
    seen: list[bytes] = []
    thread = meanwhile(lambda: seen.extend(reading(client)))
    record = play_steps(accepted, ReadRequest(), Reply(body=b"hello"), Close())
    thread.join()
    assert seen == [RESPONSE]
    assert (record.requests, record.sent, record.unplayed) == ((REQUEST,), RESPONSE, ())


def test_each_piece_of_a_dribble_is_one_read(pair: Pair) -> None:
    client, accepted = pair
    seen: list[bytes] = []
    thread = meanwhile(lambda: seen.extend(reading(client)))
    play_steps(accepted, Dribble(b"abc"), Drain(), Close())
    thread.join()
    assert seen == [b"a", b"b", b"c"]


def test_what_was_not_reached_is_in_the_record(pair: Pair) -> None:
    client, accepted = pair
    client.close()
    record = play_steps(accepted, ReadRequest(), Reply())
    assert record.unplayed == (ReadRequest(), Reply())
    assert [event.role for event in record.events] == ["the client ended its stream", "fin sent"]


def test_a_handshake_needs_a_provider(pair: Pair) -> None:
    with pytest.raises(ScriptError, match="no TLS provider"):
        play_steps(pair[1], Starttls(), ReadRequest())


def test_steps_in_an_impossible_order_are_refused(pair: Pair) -> None:
    with pytest.raises(ScriptError, match="the connection is closed by then"):
        play_steps(pair[1], Close(), Reply())


def test_tls(pair: Pair, authority: CertificateAuthority) -> None:
    client, accepted = pair

    def asks() -> None:
        context = authority.client_context()
        with context.wrap_socket(client, server_hostname="127.0.0.1") as tls:
            tls.sendall(REQUEST)
            assert to_end(tls) == RESPONSE

    asking = meanwhile(asks)
    steps = (Starttls(), ReadRequest(), Send(RESPONSE), Close())
    record = play_steps(accepted, *steps, tls=authority.server_context)
    asking.join()
    assert (record.requests, record.unplayed) == ((REQUEST,), ())
    assert record.tls is not None
    assert record.tls.startswith("TLSv1")


@pytest.mark.parametrize("step", [ReadRequest(), Stall(), Gate("never"), Drain(), Fill(1 << 25)])
def test_every_wait_has_a_limit(pair: Pair, step: Step) -> None:
    client, accepted = pair
    record = play_steps(accepted, Send(b"x"), step, Close(), limits=BRIEF)
    assert record.unplayed == ((Close(),) if isinstance(step, Stall) else (step, Close()))
    assert record.events[-1].role == "nothing moved for 0.05 s, the limit"
    assert exactly(client, 1) == b"x" or not isinstance(step, Drain)
    with pytest.raises(ConnectionResetError):
        to_end(client)


def test_a_pause_is_cut_short_at_the_limit(pair: Pair) -> None:
    client, accepted = pair
    with client:
        record = play_steps(accepted, Pause(3600), Send(b"x"), Close(), limits=BRIEF)
    assert record.unplayed == ()


@pytest.mark.parametrize("steps", [(Fill(2000),), (ReadRequest(),)])
def test_bytes_have_a_limit_in_each_direction(pair: Pair, steps: tuple[Step, ...]) -> None:
    client, accepted = pair
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n" + bytes(2000))
    record = play_steps(accepted, *steps, Close(), limits=Limits(total=1000))
    assert record.events[-1].role == "more than 1000 bytes, the limit"
    assert is_reset(client)


def test_one_connection_carries_several_plays(pair: Pair) -> None:
    client, accepted = pair
    given = GivenConnection(accepted)
    client.sendall(REQUEST + REQUEST[:9])
    assert given.head() == REQUEST
    first = given.play((ReadRequest(), Reply()))
    client.sendall(REQUEST[9:])
    assert given.head() == REQUEST
    second = given.play((ReadRequest(), Expect(method="GET"), Reply(), Shutdown()))
    client.close()
    given.close()
    assert [one.record.requests for one in (first, second)] == [(REQUEST,), (REQUEST,)]
    assert second.record.events[0].offset == 0


def test_each_play_on_a_connection_has_its_own_count_of_bytes(pair: Pair) -> None:
    client, accepted = pair
    given = GivenConnection(accepted, Limits(total=1000))
    for _ in range(3):
        assert given.play((Fill(900),)).record.unplayed == ()
        assert exactly(client, 900) == b"x" * 900
    client.close()
    given.close()


def test_connections_share_signals(pair: Pair) -> None:
    client, accepted = pair
    state = SharedState(Script(), ("127.0.0.1", 1), {})
    given = GivenConnection(accepted)
    playing = meanwhile(lambda: given.play((Gate("go"), Send(b"gone"), Close()), state))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            other = GivenConnection(listener.accept()[0])
            other.play((Signal("go"), Close()), state, 2)
            assert to_end(client) == b"gone"
            playing.join()
        other.close()
    client.close()
    given.close()
    assert [one.number for one in sorted(state.connections, key=lambda one: one.number)] == [1, 2]


def send_until_full(client: socket.socket) -> None:
    """Send to a server that reads nothing, until a send would wait."""
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while client.send(bytes(1 << 20)):
            pass


@pytest.mark.parametrize("step", [Stall(), Pause(60), Gate("never")])
@pytest.mark.parametrize("unread", [False, True], ids=["all read", "unread bytes before its end"])
def test_a_client_that_leaves_is_not_waited_for(pair: Pair, step: Step, unread: bool) -> None:
    client, accepted = pair
    if unread:
        send_until_full(client)
    client.close()
    playing = meanwhile(lambda: play_steps(accepted, step, limits=Limits(60, 1 << 40)))
    playing.join(20)
    assert not playing.is_alive(), "it is still waited for"


def test_a_client_that_leaves_later_is_not_waited_for(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, accepted = pair
    client.sendall(b"unread")
    asked, original = threading.Event(), Wire.has_left

    def has_left(wire: Wire, happened: int) -> bool:
        asked.set()
        return original(wire, happened)

    monkeypatch.setattr(Wire, "has_left", has_left)
    playing = meanwhile(lambda: play_steps(accepted, Stall(), limits=Limits(60)))
    assert asked.wait(20)
    client.close()
    playing.join(20)
    assert not playing.is_alive(), "it is still waited for"


def test_a_client_that_has_only_ended_its_stream_is_waited_for(pair: Pair) -> None:
    client, accepted = pair
    send_until_full(client)
    client.shutdown(socket.SHUT_WR)
    record = play_steps(accepted, Stall(), limits=BRIEF)
    assert record.events[0].role == "nothing moved for 0.05 s, the limit"


@pytest.mark.parametrize("half_closed", [False, True])
def test_a_client_that_takes_what_is_left_sees_no_end_of_the_stream(
    pair: Pair, half_closed: bool
) -> None:
    client, accepted = pair
    if half_closed:
        client.shutdown(socket.SHUT_WR)
    given = GivenConnection(accepted, Limits(wait=60))
    state = SharedState(Script(), given.address, {})
    playing = meanwhile(lambda: given.play((Fill(1 << 29),), state))
    while not state.connections or state.connections[0].wire.waits is not Wait.ROOM:
        playing.join(0.001)
    given.break_off()
    playing.join(10)
    assert not playing.is_alive()
    sent = state.connections[0].wire.given
    assert len(exactly(client, sent)) == sent
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)
    given.close()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


@pytest.mark.parametrize("step", [ReadRequest(), Stall(), Drain(), Pause(60)])
def test_another_thread_can_break_it_off(pair: Pair, step: Step) -> None:
    client, accepted = pair
    given = GivenConnection(accepted, Limits(wait=60))
    playing = meanwhile(lambda: given.play((Send(b"x"), step)))
    assert client.recv(1, socket.MSG_PEEK) == b"x"
    given.break_off()
    playing.join(10)
    assert not playing.is_alive()
    with pytest.raises(Ended):
        given.receive()
    given.close()
