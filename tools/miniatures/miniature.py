"""A miniature: the reference with one small override, named for its fault (its lie).

A lie is a function that receives a `Liar` and changes the reference with it, at stable places: its
public methods, its named functions and patterns, and the bytes on the wire.  Everything is restored
when the miniature ends.
"""

import inspect
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from conformance.drivers import OURS

Rewrite = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Miniature:
    """One deliberately wrong client.

    Args:
        name: what it does wrong, as a verb.
        about: what it gets wrong: the requirement of `spec.toml`, the subject of a reading, or the
            letter and number of a real client's bug.
        change: makes the change.
        universal: whether it is wrong about everything, so that a case that fails it shows little.
    """

    name: str
    about: tuple[str, ...]
    change: Callable[["Liar"], None]
    universal: bool = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """The reference has this change while the block runs."""
        liar = Liar()
        try:
            self.change(liar)
            yield
        finally:
            liar.put_back()


class Liar:
    """Changes the reference, and keeps what it replaced."""

    def __init__(self) -> None:
        self._undone: list[tuple[Any, str, Any]] = []

    def override(self, path: str, make: Callable[[Any], Any], *, everywhere: bool = True) -> None:
        """Replace the object at *path* of the reference by the result of *make*.

        Args:
            path: ``module.function``, ``module.Class.method`` or ``module.NAME``; ``.NAME`` for a
                public name. A name of a module is replaced in every module that has imported it.
            make: receives the original object.
            everywhere: False to leave the name in modules that have imported it.
        """
        module, _, rest = path.partition(".")
        owner: Any = import_module(f"{OURS}.{module}" if module else OURS)
        *outer, name = rest.split(".")
        for part in outer:
            owner = getattr(owner, part)
        true = vars(owner)[name]
        lie = make(true)
        if inspect.isfunction(true) and inspect.isfunction(lie):
            # Code that inspects the arguments to detect features then finds the original ones.
            lie.__wrapped__ = true  # type: ignore[attr-defined]  # as functools.wraps does
        shared = everywhere and not outer
        owners = [one for one in _modules() if vars(one).get(name) is true] if shared else [owner]
        for one in owners:
            self._undone.append((one, name, true))
            setattr(one, name, lie)

    def remove(self, path: str) -> None:
        """Remove the attribute at *path* of the reference, as for `override`."""
        module, _, rest = path.partition(".")
        owner: Any = import_module(f"{OURS}.{module}" if module else OURS)
        *outer, name = rest.split(".")
        for part in outer:
            owner = getattr(owner, part)
        self._undone.append((owner, name, vars(owner)[name]))
        delattr(owner, name)

    def put_back(self) -> None:
        """Undo all changes, the latest first."""
        while self._undone:
            setattr(*self._undone.pop())

    def hears(self, pattern: bytes, instead: bytes) -> None:
        """Rewrite the bytes that a server sends; bytes encrypted by TLS are left unchanged."""
        self._on_the_wire(hear=lambda octets: re.sub(pattern, instead, octets))

    def says(self, pattern: bytes, instead: bytes) -> None:
        """Rewrite the bytes that the client sends."""
        self._on_the_wire(say=lambda octets: re.sub(pattern, instead, octets))

    def _on_the_wire(self, hear: Rewrite = bytes, say: Rewrite = bytes) -> None:
        def connect(true: Any) -> Any:
            def lie(conn: Any) -> None:
                true(conn)
                if type(conn.sock) is socket.socket:
                    conn.sock = Wire(conn.sock, hear, say)

            return lie

        self.override("_connection.HTTPConnection.connect", connect)


def _modules() -> list[Any]:
    return [one for name, one in sys.modules.items() if name.partition(".")[0] == OURS]


class Wire(socket.socket):
    """A connected socket whose bytes are rewritten, a block at a time."""

    def __init__(self, sock: socket.socket, hear: Rewrite, say: Rewrite) -> None:
        timeout = sock.gettimeout()
        super().__init__(fileno=sock.detach())
        self.settimeout(timeout)
        self._hear = hear
        self._say = say
        self._kept = b""

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Return at most so many of the rewritten bytes."""
        if not self._kept:
            self._kept = self._hear(super().recv(1 << 20, flags & ~socket.MSG_WAITALL))
        octets, self._kept = self._kept[:bufsize], self._kept[bufsize:]
        return octets

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As `recv`, into a buffer."""
        octets = self.recv(nbytes or len(buffer), flags)
        buffer[: len(octets)] = octets
        return len(octets)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send the rewritten bytes."""
        super().sendall(self._say(bytes(data)), flags)


LIES: list[Miniature] = []
"""All miniatures, in the order of their files."""


def lie(
    name: str, *about: str, universal: bool = False
) -> Callable[[Callable[[Liar], None]], None]:
    """Add a function to the table of lies."""

    def enter(change: Callable[[Liar], None]) -> None:
        LIES.append(Miniature(name, about, change, universal))

    return enter


def mishears(name: str, about: str, pattern: bytes, instead: bytes) -> None:
    """Add a client that reads other bytes than a server sends."""
    LIES.append(
        Miniature(name, tuple(about.split("; ")), lambda liar: liar.hears(pattern, instead))
    )


def misspeaks(name: str, about: str, pattern: bytes, instead: bytes) -> None:
    """Add a client that sends other bytes than it should."""
    LIES.append(Miniature(name, tuple(about.split("; ")), lambda liar: liar.says(pattern, instead)))


def overrides(name: str, about: str, path: str, make: Callable[[Any], Any]) -> None:
    """Add a client in which one function, method or name is replaced."""
    change: Callable[[Liar], None] = lambda liar: liar.override(path, make)  # noqa: E731
    LIES.append(Miniature(name, tuple(about.split("; ")), change))


def after_init(change: Callable[[Any], object]) -> Callable[[Any], Any]:
    """Return a function that wraps a constructor so that *change* then modifies the new object."""

    def init(true: Any) -> Any:
        def changed(self: Any, *args: Any, **kwargs: Any) -> None:
            true(self, *args, **kwargs)
            change(self)

        return changed

    return init


def after(change: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Return a function that wraps a method so that *change* may replace its result."""

    def method(true: Any) -> Any:
        def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
            return change(self, true(self, *args, **kwargs))

        return changed

    return method


def before(change: Callable[[Any], object]) -> Callable[[Any], Any]:
    """Return a function that wraps a method so that *change* modifies its object first."""

    def method(true: Any) -> Any:
        def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
            change(self)
            return true(self, *args, **kwargs)

        return changed

    return method
