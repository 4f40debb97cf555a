"""The parts of a stand-alone script other than the bytes and the calls of its case.

The source of these functions is copied into the script, each with all that it needs.  Therefore
they import the standard library only, call nothing from this project, and are the same for every
case.
"""

import fcntl
import io
import os
import socket
import struct
import tempfile
import termios
import threading
import time
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from typing import Any

Plan = list[list[tuple[Any, ...]]]
NAMES: dict[str, threading.Event] = {}


def listen(host: str, connections: Plan, refuse: bool = False) -> int:
    """Play *connections* on a port of its own, in the order in which clients connect."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    server.bind((host, 0))
    if not refuse:
        server.listen(16)
    held: list[socket.socket] = [server]

    def accept() -> None:
        for steps in connections:
            sock = server.accept()[0]
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            held.append(sock)
            threading.Thread(target=play, args=(sock, steps), daemon=True).start()
        while not refuse:
            server.accept()[0].close()

    threading.Thread(target=accept, daemon=True).start()
    return int(server.getsockname()[1])


def play(sock: socket.socket, steps: list[tuple[Any, ...]]) -> None:
    """Play the steps of one connection until they end or the client leaves."""
    inbox = bytearray()
    try:
        for name, *values in steps:
            if name == "send":
                sock.sendall(values[0])
            elif name == "read":
                read(sock, inbox, *values)
            elif name == "read to the end":
                while sock.recv(65536):
                    pass
            elif name == "end":
                sock.shutdown(socket.SHUT_WR)
            elif name == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            else:
                wait(sock, name, *values)
    except (OSError, EOFError):  # the client has closed: there is no peer left
        sock.close()


def wait(sock: socket.socket, name: str, value: Any = None) -> None:
    """Wait until the client has read, for another connection, or for a number of seconds."""
    if name == "wait until it is taken":
        while struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]:
            time.sleep(0.0001)
    elif name == "wait for":
        NAMES.setdefault(value, threading.Event()).wait()
    elif name == "signal":
        NAMES.setdefault(value, threading.Event()).set()
    elif name == "pause":
        time.sleep(value)


def read(sock: socket.socket, inbox: bytearray, wanted: int | bytes) -> None:
    """Read a number of bytes, or up to and including a marker."""
    while len(inbox) < wanted if isinstance(wanted, int) else wanted not in inbox:
        data = sock.recv(65536)
        if not data:
            raise EOFError
        inbox += data
    count = wanted if isinstance(wanted, int) else inbox.index(wanted) + len(wanted)
    del inbox[:count]


class Missing:
    """Stands for the result of a call that failed: calls on it are skipped."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"{name}: no such object")

    def __getitem__(self, key: Any) -> Any:
        raise LookupError(f"{key}: no such object")


def step(name: str, call: Callable[[], Any]) -> Any:
    """Make a call and print its result or its error."""
    try:
        result = call()
    except LookupError as error:
        missing = str(error).endswith(": no such object")
        print(f"{name}: not called" if missing else f"{name}: {type(error).__name__}: {error}")
        return Missing()
    except Exception as error:  # noqa: BLE001 - whatever escapes is what the script has to show
        print(f"{name}: {type(error).__name__}: {error}")
        return Missing()
    print(f"{name}: {shown(result)}")
    return result


def shown(value: Any) -> str:
    """Return a value as text, and an object by the name of its class."""
    if isinstance(value, list | tuple | KeysView | ValuesView | ItemsView):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{shown(key)}: {shown(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    return f"<{value.__name__ if isinstance(value, type) else type(value).__name__}>"


def opened(data: bytes, mode: str = "rb", seek: int = 0) -> Any:
    """Return a real file with this content, opened."""
    descriptor, path = tempfile.mkstemp()
    with os.fdopen(descriptor, "wb") as made:
        made.write(data)
    text = {} if "b" in mode else {"encoding": "latin-1", "newline": ""}
    file = open(path, mode, **text)  # type: ignore[call-overload]  # noqa: SIM115, PTH123 - the client reads it
    os.unlink(path)  # noqa: PTH108
    file.seek(seek)
    return file


class SocketLike:
    """A socket with `sendall`, `makefile` and `close` only."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sends: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Store what is sent."""
        self.sends.append(bytes(data))

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        """Return a file for reading what was sent."""
        return io.BytesIO(self.data)

    def close(self) -> None:
        """Do nothing."""
