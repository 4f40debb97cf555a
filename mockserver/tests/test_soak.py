"""Clients that mean harm, and many of them: nobody hangs, nothing breaks, nothing is left."""

import contextlib
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Dispatch,
    Fill,
    Gate,
    MockServer,
    MockServerError,
    Read,
    ReadRequest,
    Reply,
    Send,
    Stall,
    Starttls,
    Step,
    connection,
    route,
    script,
)
from mockserver.tests.support import REQUEST, RESPONSE, to_end
from mockserver.tests.test_thousand import KINDS

STALLED = 1000


@pytest.fixture
def descriptors() -> None:
    """Room for both ends of a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * STALLED + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this process may have no more than {hard} descriptors, and needs {needed}")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def dialled(server: MockServer, sent: bytes = b"") -> socket.socket:
    sock = socket.create_connection(server.address, timeout=20)
    sock.sendall(sent)
    return sock


STALLS: dict[str, tuple[tuple[Step, ...], bytes]] = {
    "in the step that stalls": ((Stall(),), b""),
    "behind a gate": ((Gate("never"),), b""),
    "before a request": ((ReadRequest(optional=True),), b""),
    "in the midst of a request": ((ReadRequest(), Reply()), b"GET / HT"),
    "taking nothing": ((ReadRequest(), Fill(1 << 26)), REQUEST),
}


@pytest.mark.usefixtures("descriptors")
def test_a_thousand_stalled_connections_are_held_while_others_are_served() -> None:
    each = STALLED // len(STALLS)
    parts = [connection(*steps, times=each) for steps, _ in STALLS.values()]
    served = connection(ReadRequest(), Send(RESPONSE), Close(), times=50)
    with MockServer(patience=60.0) as server, contextlib.ExitStack() as clients:
        play = server.play(script(*parts, served))
        for _, sent in STALLS.values():
            for _ in range(each):
                clients.enter_context(dialled(server, sent))
        for _ in range(50):
            with dialled(server, REQUEST) as sock:
                assert to_end(sock) == RESPONSE
        play.abort()
        record = play.finish()
    assert record.errors == ()
    assert len(record.connections) == STALLED + 50


@pytest.mark.usefixtures("descriptors")
def test_stopping_over_stalled_connections_takes_no_time() -> None:
    before = set(threading.enumerate())
    server = MockServer(patience=60.0).start()
    server.play(script(connection(Stall(), times=100), connection(ReadRequest(), times=None)))
    clients = [dialled(server) for _ in range(200)]
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 0.9  # a thread that does not end is given a second
    assert set(threading.enumerate()) <= before
    for sock in clients:
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        sock.close()


def test_a_stop_that_fails_names_what_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(Read, "play", lambda *_: let_go.wait(20))
    server = MockServer().start()
    server.play(script(connection(ReadRequest(), Read(5))))
    with dialled(server, REQUEST + b"hello"):
        while "request" not in server.transcript:
            time.sleep(0.001)
        with pytest.raises(MockServerError, match=r"connection 1, step 2 \(read\)"):
            server.stop()
    let_go.set()


def resets(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def asks_and_resets(sock: socket.socket) -> None:
    sock.sendall(REQUEST)
    resets(sock)


def closes_half_of_it(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def closes_half_of_it_inside_a_request(sock: socket.socket) -> None:
    sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
    sock.shutdown(socket.SHUT_WR)


def says_something_and_waits(sock: socket.socket) -> None:
    sock.sendall(b"G")


def sends_what_is_no_request(sock: socket.socket) -> None:
    sock.sendall(b"\0\xff\r\n: \r\n\n\r\n" * 50)


def sends_without_end(sock: socket.socket) -> None:
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        for _ in range(200):
            sock.send(b"X: y\r\n" * 2000)


def reads_nothing(sock: socket.socket) -> None:
    sock.sendall(REQUEST)


HOSTILE: list[Callable[[socket.socket], None]] = [
    resets,
    asks_and_resets,
    closes_half_of_it,
    closes_half_of_it_inside_a_request,
    says_something_and_waits,
    sends_what_is_no_request,
    sends_without_end,
    reads_nothing,
]
SCRIPTS = {
    **{name: kind.steps for name, kind in KINDS.items()},
    "starttls": (Starttls(), ReadRequest(), Reply()),
    "large": (ReadRequest(), Fill(1 << 24), Close()),
    "dispatch": (Dispatch(),),
}


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    def held() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    threads, descriptors = held()
    yield
    after = held()
    # Fewer are no leak: what an earlier test had started may have ended meanwhile.
    assert after[0] <= threads, after
    assert after[1] <= descriptors, after


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("name", SCRIPTS)
def test_hostile_clients_break_nothing(authority: CertificateAuthority, name: str) -> None:
    routes = [route(Reply(), times=None)] if name == "dispatch" else []
    play_of = script(connection(*SCRIPTS[name], times=len(HOSTILE)), *routes)
    with MockServer(tls=authority.server_context, patience=0.03) as server:
        play = server.play(play_of)
        clients = [dialled(server) for _ in HOSTILE]
        for client, does in zip(clients, HOSTILE, strict=True):
            with contextlib.suppress(OSError):  # the server may have ended it already
                does(client)
        record = play.finish()
        for client in clients:
            client.close()
        assert record.errors == ()
        assert len(record.connections) == len(HOSTILE)
        good = server.play(script(connection(ReadRequest(), Send(RESPONSE), Close())))
        with dialled(server, REQUEST) as sock:
            assert to_end(sock) == RESPONSE
        assert good.finish().complaints() == ()
