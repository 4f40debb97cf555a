"""The speed of the mock server, compared with one thread per connection and pytest-httpserver.

All three answer the same request with the same bytes, in the same run and on one processor. Rounds
are interleaved, and each ratio is the median of the ratios of the rounds. The client is a process
of its own that only sends and receives on plain sockets; because it still costs as much as a
server, only the processor time of the server's process is compared. The mock server interprets its
steps and records its transcript, as in any test.

Run ``python -m benchmarks.mock_server [--rounds N] [--requests N]``. The comparison with
pytest-httpserver needs the extra ``bench``.
"""

import argparse
import contextlib
import importlib.util
import logging
import multiprocessing
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection as Pipe
from typing import Any

from mockserver import (
    Close,
    Goto,
    Label,
    MockServer,
    ReadRequest,
    Reply,
    Step,
    connection,
    route,
    script,
)
from mockserver._listener import Selector

REQUEST = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLIENTS = 8
"""The number of connections that are open at once, if connections are kept."""
_GOALS = {"thread": (0.9, 2.0), "pytest-httpserver": (25.0, 4.0)}
_SLOW = 20
"""Divisor of the number of requests to pytest-httpserver, which takes much longer for each."""

Serving = Callable[[bool], AbstractContextManager[int]]
"""A context manager that gives the server's port; its argument: whether connections are kept."""


# ---------------------------------------------------------------------------- the client


def client(orders: Pipe) -> None:
    """Carry out orders, each a port, whether to keep connections, and a number of requests."""
    while (order := orders.recv()) is not None:
        port, kept, count = order
        work = keep_alive if kept else new_connections
        work(port, count)
        orders.send(None)


def keep_alive(port: int, count: int) -> None:
    """Make *count* requests on connections that are kept."""
    sockets = [dial(port) for _ in range(CLIENTS)]
    for _ in range(count // CLIENTS):
        for sock in sockets:
            sock.send(REQUEST)
        for index, sock in enumerate(sockets):
            if not receive(sock):  # the server closes connections: reconnect
                sock.close()
                sockets[index] = dial(port)
    for sock in sockets:
        sock.close()


def new_connections(port: int, count: int) -> None:
    """Make *count* requests, each on a connection of its own."""
    for _ in range(count):
        with dial(port) as sock:
            sock.send(REQUEST)
            while receive(sock):
                pass


def dial(port: int) -> socket.socket:
    """Return a connected socket."""
    sock = socket.socket()
    sock.connect(("127.0.0.1", port))
    return sock


def receive(sock: socket.socket) -> bool:
    """Receive one response, or the end of the stream; return whether another can follow."""
    data = sock.recv(65536)
    while data and not data.endswith(b"hello"):
        more = sock.recv(65536)
        if not more:
            return False
        data += more
    return bool(data) and not data.startswith((b"HTTP/1.0", b"HTTP/1.1 5"))


# ---------------------------------------------------------------------------- the servers


@contextlib.contextmanager
def mock_server(kept: bool) -> Iterator[int]:
    """The mock server, with steps and transcript."""
    steps: tuple[Step, ...] = (ReadRequest(), Reply(body=b"hello"), Close())
    if kept:
        steps = (
            Label("next"),
            ReadRequest(optional=True),
            Reply(body=b"hello"),
            Goto("next", None),
        )
    server = MockServer(script(connection(*steps, optional=True, times=None)))
    with server:
        yield server.address[1]


@contextlib.contextmanager
def with_routes(kept: bool) -> Iterator[int]:
    """The mock server with routes that compare each request, the second of which fits."""
    answer = (Reply(body=b"hello"),) if kept else (Reply(body=b"hello"), Close())
    other = route(*answer, method="PUT", target="/hello", optional=True)
    play = script(other, route(*answer, method="GET", target="/hello", times=None))
    with MockServer(play) as server:
        yield server.address[1]


@contextlib.contextmanager
def with_kept_threads(kept: bool) -> Iterator[int]:
    """The mock server with one thread per waiting connection, instead of a selector."""
    usual, Selector.can_park = Selector.can_park, False
    try:
        with mock_server(kept) as port:
            yield port
    finally:
        Selector.can_park = usual


@contextlib.contextmanager
def thread_per_connection(kept: bool) -> Iterator[int]:
    """The simplest server of this kind: a loop in one thread per connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def serve(sock: socket.socket) -> None:
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b""
            while data := sock.recv(65536):
                head += data
                if head.endswith(b"\r\n\r\n"):
                    sock.sendall(RESPONSE)
                    head = b""
                    if not kept:
                        sock.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener is shut down
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


@contextlib.contextmanager
def pytest_httpserver(_: bool) -> Iterator[int]:
    """pytest-httpserver, a common test server in Python; it keeps no connection open."""
    from pytest_httpserver import HTTPServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = HTTPServer(host="127.0.0.1", port=0)
    server.expect_request("/hello").respond_with_data(b"hello")
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


# ---------------------------------------------------------------------------- the measures


def first_byte() -> float:
    """Return the seconds from making a server to the first byte of a response."""
    play = script(connection(ReadRequest(), Reply(body=b"hello")))
    started = time.perf_counter()
    server = MockServer(play).start()
    with dial(server.address[1]) as sock:
        sock.send(REQUEST)
        sock.recv(1)
        elapsed = time.perf_counter() - started
    server.stop()
    return elapsed


def stop() -> float:
    """Return the seconds that `stop` takes while a client waits for more bytes."""
    server = MockServer(script(connection(ReadRequest(), Reply(body=b"hello"), ReadRequest())))
    server.start()
    with dial(server.address[1]) as sock:
        sock.send(REQUEST)
        sock.recv(65536)
        started = time.perf_counter()
        server.stop()
        return time.perf_counter() - started


def rate(orders: Any, serving: Serving, kept: bool, count: int) -> float:
    """Return the requests that a server answers per second of its processor time."""
    with serving(kept) as port:
        started = time.process_time()
        orders.send((port, kept, count))
        orders.recv()
        return count / (time.process_time() - started)


def compare(rounds: int, requests: int, orders: Any) -> None:
    """Print the rates and their ratios."""
    servers: dict[str, Serving] = {
        "mockserver": mock_server,
        "with routes": with_routes,
        "with kept threads": with_kept_threads,
        "thread": thread_per_connection,
    }
    if importlib.util.find_spec("pytest_httpserver"):
        servers["pytest-httpserver"] = pytest_httpserver
    for place, (kept, title) in enumerate(
        ((True, f"keep-alive, {CLIENTS} clients"), (False, "a new connection each"))
    ):
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, serving in servers.items():
                count = requests // (_SLOW if name == "pytest-httpserver" else 1)
                rates[name].append(rate(orders, serving, kept, count))
        print(title)
        for name, seen in rates.items():
            print(
                f"  {name:<18} {statistics.median(seen):8.0f} requests a second of its time", end=""
            )
            print(_ratio(rates["mockserver"], seen, name, place))
        if "pytest-httpserver" not in servers:
            print("  pytest-httpserver  is not installed: pip install 'httplib-kit[bench]'")


def _ratio(ours: list[float], theirs: list[float], name: str, place: int) -> str:
    if ours is theirs:
        return ""
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    goal = f" (goal: {_GOALS[name][place]:g})" if name in _GOALS else ""
    return f"   mockserver is {ratio:6.2f} × as fast{goal}"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=4000)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    context = multiprocessing.get_context("spawn")
    orders, theirs = context.Pipe()
    process = context.Process(target=client, args=(theirs,), daemon=True)
    process.start()
    compare(options.rounds, options.requests, orders)
    orders.send(None)
    process.join()
    for measure in (first_byte, stop):
        seen = statistics.median(measure() for _ in range(200))
        name = measure.__name__.replace("_", " ")
        print(f"{name:<20} {seen * 1e3:8.2f} ms   (median of 200; goal: 1)")


if __name__ == "__main__":
    main()
