"""The network of the unit tests: what a server sends is a list, what a client sends is kept."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, settings

from httplib_impl import HTTPConnection, HTTPResponse

# The same examples at every run, however busy the machine is.
DETERMINISTIC = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

# The reading end of a pipe into which nothing is ever written.
_IDLE, _NEVER_WRITTEN = os.pipe()

Event = bytes | OSError
Feed = Callable[[bytes], list[Event]]


class Wire(socket.socket):
    """A socket that gives one segment per `recv` and raises the errors in between.

    After the last segment the stream ends, unless it is kept open: then a read is a hang, and
    fails the test. Its descriptor is one on which nothing ever arrives.
    """

    def __init__(self, events: Sequence[Event], kept_open: bool = False) -> None:
        super().__init__()
        super().close()  # a subclass of a real socket, without one
        self._closed = False  # which `makefile` looks at
        self.events = list(events)
        self.kept_open = kept_open
        self.sent: list[bytes] = []
        self.closed = False

    @property
    def holders(self) -> int:
        """How many files of the socket are open."""
        return int(self._io_refs)  # type: ignore[attr-defined]  # as `makefile` counts

    def recv(self, n: int, flags: int = 0, /) -> bytes:  # noqa: ARG002  # none is used
        if not self.events:
            assert not self.kept_open, "the client waits for bytes that never come"
            return b""
        event = self.events.pop(0)
        if isinstance(event, OSError):
            raise event
        if len(event) > n:
            self.events.insert(0, event[n:])
        return event[:n]

    def recv_into(self, room: Any, *limits: int) -> int:  # noqa: ARG002
        data = self.recv(len(room))
        room[: len(data)] = data
        return len(data)

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ARG002  # none is used
        self.sent.append(bytes(data))

    def fileno(self) -> int:
        return -1 if self.closed else _IDLE

    def close(self) -> None:
        self.closed = True

    def unread(self) -> bytes:
        return b"".join(event for event in self.events if isinstance(event, bytes))


class Stream(io.BytesIO):
    """What a socket-like still has to give; a file of it can be closed, and another made."""

    closings = 0

    def close(self) -> None:
        self.closings += 1


class FileOnly:
    """The least that may be given as a socket."""

    def __init__(self, data: bytes) -> None:
        self.file = Stream(data)
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def makefile(self, mode: str, bufsize: int) -> io.BytesIO:
        assert (mode, bufsize) == ("rb", 0)
        return self.file

    def close(self) -> None:
        pass


class RawOnly(FileOnly):
    """The same with raw files, whose `read` gives what is there, some bytes at a time."""

    def __init__(self, data: bytes, at_a_time: int = 1 << 20) -> None:
        super().__init__(data)
        self.at_a_time = at_a_time

    def makefile(self, mode: str, bufsize: int) -> Any:
        stream, most = super().makefile(mode, bufsize), self.at_a_time

        class Raw(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def readinto(self, room: Any) -> int:
                data = stream.read(min(len(room), most))
                room[: len(data)] = data
                return len(data)

        return Raw()


def whole(data: bytes) -> list[Event]:
    return [data]


def byte_by_byte(data: bytes) -> list[Event]:
    return [data[i : i + 1] for i in range(len(data))]


def in_halves(data: bytes) -> list[Event]:
    return [data[: len(data) // 2], data[len(data) // 2 :]] if len(data) > 1 else [data]


FEEDS: list[Feed] = [whole, byte_by_byte, in_halves]


def connection(
    data: bytes | list[Event], kept_open: bool = False, strict: int = 0
) -> HTTPConnection:
    conn = HTTPConnection("example.com", strict=strict)
    conn.sock = Wire([data] if isinstance(data, bytes) else data, kept_open)
    return conn


def respond(
    data: bytes | list[Event], method: str = "GET", kept_open: bool = False, strict: int = 0
) -> HTTPResponse:
    """The response that a connection reads from these bytes."""
    conn = connection(data, kept_open, strict)
    conn.request(method, "/")
    return conn.getresponse()


def sent(conn: HTTPConnection) -> bytes:
    return b"".join(conn.sock.sent)


def read_in_pieces(response: HTTPResponse, amount: int) -> bytes:
    return b"".join(iter(lambda: response.read(amount), b""))


@contextlib.contextmanager
def listener(*players: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """A local server that hands its connections to the players, one after the other."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            try:
                for play in players:
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(10)
                        play(peer)
            except BaseException as error:  # noqa: BLE001  # it is raised in the test's thread
                failures.append(error)
                server.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            thread.join(15)
    assert not thread.is_alive(), "the server waits for a client that never came"
    if failures:
        raise failures[0]


def hear(peer: socket.socket) -> bytes:
    """All that the client sends until it closes, or resets, as one that left bytes unread does."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while data := peer.recv(1000):
            heard += data
    return heard


def expect_gone(peer: socket.socket) -> None:
    """Wait until the client has closed."""
    assert hear(peer) == b"", "the client sends where it was to be gone"


def read_head(peer: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        assert byte, f"the client closed the connection behind {head!r}"
        head += byte
    return head
