"""The server as a whole: its life, its errors, its patience, and clients that mean harm."""

import contextlib
import gc
import random
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver import (
    Close,
    Drain,
    Dribble,
    Expect,
    Fill,
    Gate,
    MockServer,
    MockServerError,
    Read,
    ReadRequest,
    Reply,
    Send,
    Stall,
    Step,
    connection,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import (
    REQUEST,
    RESPONSE,
    each_read,
    exactly,
    is_reset,
    listens,
    to_end,
)

ONE = script(connection(ReadRequest(), Send(RESPONSE), Close()))


def ask(server: MockServer, connect: Connect) -> bytes:
    client = connect(server.address)
    client.sendall(REQUEST)
    data = to_end(client)
    client.close()
    return data


def threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "mockserver"}


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_script_that_is_met_raises_nothing(connect: Connect) -> None:
    with MockServer(ONE) as server:
        assert ask(server, connect) == RESPONSE
    assert server.record is not None
    assert server.record.connections[0].requests == (REQUEST,)


def test_an_unplayed_step_fails_with_the_transcript() -> None:
    with pytest.raises(MockServerError, match="connection 1: never opened"), MockServer(ONE):
        pass


def test_a_failed_expectation_fails_with_the_transcript(connect: Connect) -> None:
    wants_post = script(connection(ReadRequest(), Expect(method="POST"), Send(RESPONSE), Close()))
    with pytest.raises(MockServerError) as caught, MockServer(wants_post) as server:
        ask(server, connect)
    assert "- connection 1, step 2 (expect): the method is 'GET', expected 'POST'\n" in str(
        caught.value
    )
    assert "  >      0  data            HTTP/1.1 200 OK\\r\\n\n" in str(caught.value)


def test_a_connection_beyond_the_script_fails(connect: Connect) -> None:
    server = MockServer(ONE).start()
    ask(server, connect)
    with pytest.raises(ConnectionResetError):
        connect(server.address).recv(1)
    with pytest.raises(MockServerError, match="1 connection beyond"):
        server.__exit__(None, None, None)


def test_unread_octets_fail(connect: Connect) -> None:
    server = MockServer(ONE).start()
    client = connect(server.address)
    client.sendall(REQUEST + b"more")
    to_end(client)
    with pytest.raises(MockServerError, match="4 bytes from the client"):
        server.__exit__(None, None, None)


def test_an_exception_of_the_test_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), MockServer(ONE):
        raise ZeroDivisionError


def test_the_url_names_host_and_port() -> None:
    with MockServer() as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)


def test_ipv6(connect: Connect) -> None:
    with MockServer(host="::1") as server:
        assert re.fullmatch(r"http://\[::1\]:\d+", server.url)
        one = server.play(script(connection(ReadRequest(), Send(b"ab"), Drain(), Send(b"cd"))))
        client = connect(one.address)
        client.sendall(REQUEST)
        assert exactly(client, 2) == b"ab"
        assert exactly(client, 1) == b"c"
        record = one.finish().connections[0]
        assert (record.after, record.left, record.source) == ("kept", 1, "::1")


def test_one_play_at_a_time(server: MockServer) -> None:
    server.play(ONE)
    with pytest.raises(MockServerError, match="not finished"):
        server.play(ONE)


def test_a_server_that_does_not_run_cannot_play() -> None:
    with pytest.raises(MockServerError, match="not running"):
        MockServer().play(ONE)


def test_a_server_starts_once(server: MockServer) -> None:
    with pytest.raises(MockServerError, match="started already"):
        server.start()


@pytest.mark.parametrize("patience", [0, -1.0, float("nan")])
def test_patience_is_positive(patience: float) -> None:
    with pytest.raises(ValueError, match="patience"):
        MockServer(patience=patience)


def test_plays_follow_each_other_on_one_port(server: MockServer, connect: Connect) -> None:
    for number in range(200):
        one = server.play(script(connection(ReadRequest(), Send(b"%d" % number), Close())))
        assert ask(server, connect) == b"%d" % number
        assert one.finish().problems == ()


def test_a_connection_between_two_plays_is_reset(server: MockServer, connect: Connect) -> None:
    with pytest.raises(ConnectionResetError):
        connect(server.address).recv(1)
    one = server.play(ONE)
    ask(server, connect)
    assert one.finish().refused_extra == 0


def test_a_connection_from_before_a_play_is_not_part_of_it(
    server: MockServer, connect: Connect
) -> None:
    for _ in range(50):
        with contextlib.suppress(ConnectionResetError):
            connect(server.address)
        one = server.play(ONE)
        assert ask(server, connect) == RESPONSE
        assert one.finish().problems == ()


def test_a_discarded_port_is_refused(server: MockServer, connect: Connect) -> None:
    for _ in range(30):
        old = server.address
        server.discard()
        assert server.address != old
        assert not listens(old[1])
        assert listens(server.address[1])
    one = server.play(ONE)
    assert ask(server, connect) == RESPONSE
    assert one.finish().problems == ()


def test_the_process_default_timeout_does_not_matter(connect: Connect) -> None:
    socket.setdefaulttimeout(0.01)
    try:
        with MockServer() as server:
            one = server.play(script(connection(ReadRequest(), Send(RESPONSE), Close())))
            client = connect(one.address)
            time.sleep(0.05)
            client.sendall(REQUEST)
            assert to_end(client) == RESPONSE
            assert one.finish().problems == ()
    finally:
        socket.setdefaulttimeout(None)


def test_a_write_leaves_at_once(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(Stall())))
    connect(one.address)
    wait_until(lambda: bool(one.connections))
    accepted = one.connections[0].wire.sock
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ((Read(100),), "step 1 (read)"),
        ((ReadRequest(),), "step 1 (read_request)"),
        ((Gate("never"),), "step 1 (gate)"),
        ((Fill(30_000_000),), "step 1 (fill)"),
        ((Send(RESPONSE), Drain()), "step 2 (drain)"),
    ],
)
def test_a_wait_that_expires_is_a_problem_and_frees_the_client(
    impatient: MockServer, connect: Connect, steps: tuple[Step, ...], name: str
) -> None:
    one = impatient.play(script(connection(*steps, Close())))
    client = connect(one.address)
    client.sendall(b"x")
    wait_until(lambda: any(each.wire.is_reset for each in one.connections))
    with pytest.raises(ConnectionResetError):
        each_read(client)
    record = one.finish()
    assert record.problems[0] == f"connection 1, {name}: patience ran out"
    assert record.connections[0].after == "gone"


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll for something that the server will do by itself, for at most five seconds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_client_that_waits_behind_the_last_step_is_freed(
    impatient: MockServer, connect: Connect
) -> None:
    one = impatient.play(script(connection(ReadRequest(), Reply())))
    client = connect(one.address)
    client.sendall(REQUEST * 2)
    with pytest.raises(ConnectionResetError):
        each_read(client)
    record = one.finish()
    assert record.problems == ("connection 1: the client waits after the last step",)
    assert record.connections[0].unread == REQUEST


def test_slow_octets_are_progress(impatient: MockServer, connect: Connect) -> None:
    one = impatient.play(ONE)
    client = connect(one.address)
    for octet in REQUEST[:10]:
        client.sendall(bytes([octet]))
        time.sleep(0.01)
    client.sendall(REQUEST[10:])
    assert to_end(client) == RESPONSE
    assert one.finish().problems == ()


def test_an_abort_wakes_a_client_that_waits(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(ReadRequest(), Stall()), connection(Gate("never"))))
    clients = [connect(one.address), connect(one.address)]
    clients[0].sendall(REQUEST)
    wait_until(lambda: len(one.connections) == 2)
    threading.Timer(0.01, one.abort).start()
    assert [is_reset(client) for client in clients] == [True, True]
    record = one.finish()
    assert [one.after for one in record.connections] == ["gone", "gone"]
    assert record.errors == ()


def test_progress_rises_with_every_octet(server: MockServer, connect: Connect) -> None:
    one = server.play(ONE)
    seen = [one.progress]
    client = connect(one.address)
    wait_until(lambda: one.progress > seen[-1])
    for part in (REQUEST[:5], REQUEST[5:10]):
        seen.append(one.progress)
        client.sendall(part)
        wait_until(lambda: one.progress > seen[-1])
    assert one.progress > seen[-1]


def test_no_thread_and_no_descriptor_is_left_behind(connect: Connect) -> None:
    before = threads()
    at_start = descriptors()
    for _ in range(5):
        with MockServer() as server:
            stalls = [connection(ReadRequest(), Stall()) for _ in range(4)]
            one = server.play(script(*stalls))
            clients = [connect(one.address) for _ in stalls]
            for client in clients:
                client.sendall(REQUEST)
            one.finish()
            for client in clients:
                client.close()
    assert threads() == before
    assert descriptors() == at_start


def test_stopping_under_a_play_ends_its_threads(connect: Connect) -> None:
    before = threads()
    server = MockServer().start()
    one = server.play(script(connection(ReadRequest(), Stall()), connection(Gate("never"))))
    clients = [connect(one.address), connect(one.address)]
    clients[0].sendall(REQUEST)
    server.stop()
    assert [is_reset(client) for client in clients] == [True, True]
    assert threads() == before


def test_a_stopped_server_listens_no_more() -> None:
    with MockServer() as server:
        _, port = server.address
    assert not listens(port)


def test_many_stalled_connections_do_not_hold_up_the_next(
    server: MockServer, connect: Connect
) -> None:
    count = 200
    stalls = [connection(Stall()) for _ in range(count)]
    one = server.play(script(*stalls, connection(ReadRequest(), Send(RESPONSE), Close())))
    for _ in range(count):
        connect(one.address)
    assert ask(server, connect) == RESPONSE
    record = one.finish()
    assert record.problems == ()
    assert [item.after for item in record.connections] == ["kept"] * count + ["closed"]


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_never_an_error_of_the_server(
    impatient: MockServer, connect: Connect, seed: int
) -> None:
    noise = random.Random(seed)
    steps = (ReadRequest(), Expect(method="GET"), Reply(), ReadRequest(), Reply(), Close())
    one = impatient.play(script(connection(*steps)))
    client = connect(one.address)
    alphabet = [b"\r\n", b"\n", b"GET / HTTP/1.1\r\n", b"Content-Length: 3\r\n", b"\0", b"x"]
    alphabet += [b"Transfer-Encoding: chunked\r\n", b"5\r\n", noise.randbytes(3)]
    client.sendall(b"".join(noise.choices(alphabet, k=60)))
    if noise.random() < 0.5:
        client.close()
    assert one.finish().errors == ()


def test_a_fault_of_the_server_is_in_the_record_and_kills_no_thread(
    server: MockServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Send, "play", broken)
        one = server.play(ONE)
        client = connect(one.address)
        client.sendall(REQUEST)
        assert is_reset(client)
        record = one.finish()
    assert record.errors == ("connection 1: ZeroDivisionError: of ours",)
    one = server.play(ONE)
    assert ask(server, connect) == RESPONSE
    assert one.finish().complaints() == ()


@pytest.mark.parametrize("step", [Drain(), Dribble(b"ab")])
def test_a_server_that_gets_no_processor_is_not_an_idle_client(
    server: MockServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    go_on = threading.Event()
    asleep = threading.Event()

    def starved(_: float) -> None:
        asleep.set()
        go_on.wait(10)

    monkeypatch.setattr("mockserver._wire.time.sleep", starved)
    one = server.play(script(connection(Send(b"x"), step, Close())))
    client = connect(one.address)
    assert asleep.wait(10)
    idle = [one.activity for _ in range(3)]
    assert idle == [idle[0]] * 3  # the client has something to take
    exactly(client, 1)
    busy = [one.activity for _ in range(3)]
    assert len(set(busy)) == 3
    monkeypatch.undo()
    go_on.set()
    to_end(client)
    assert one.finish().complaints() == ()


def test_a_play_in_which_both_sides_wait_is_idle(server: MockServer, connect: Connect) -> None:
    steps = [(ReadRequest(),), (Stall(),), (Gate("never"),), (Send(b"x"), Drain()), (Close(),)]
    one = server.play(script(*(connection(*each) for each in steps)))
    clients = [connect(one.address) for _ in steps]
    exactly(clients[-1], 1)
    wait_until(lambda: one.activity == one.activity)
    seen = [one.activity for _ in range(3)]
    assert seen == [seen[0]] * 3
    one.finish()


def test_a_server_that_runs_already_can_be_entered(connect: Connect) -> None:
    with MockServer(Reply()).start() as server:
        client = connect(server.address)
        client.sendall(REQUEST)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        client.close()


def test_tls_where_none_is_spoken_is_named(connect: Connect) -> None:
    server = MockServer(Reply(), patience=0.05).start()
    client = connect(server.address)
    client.sendall(b"\x16\x03\x01\x00\x05hello")
    assert is_reset(client)
    text = "patience ran out; the client begins TLS, and the script has no Starttls()"
    with pytest.raises(MockServerError, match=re.escape(text)):
        server.__exit__(None, None, None)
