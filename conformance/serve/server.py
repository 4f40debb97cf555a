"""The server: its ports, a thread for each connection, and a prompt stop.

The input is the corpus, and where to listen.  Each accepted connection gets what its client
requests.  Every wait is bounded; connections beyond the limit are reset.
"""

import contextlib
import itertools
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from errno import EADDRINUSE
from functools import partial
from types import TracebackType
from typing import Any, Self

from certs import CertificateAuthority
from conformance.cases import Corpus
from conformance.reproduce import Catalogue, Ports, is_silent
from conformance.serve.api import PlaysApi
from conformance.serve.doors import Doors
from conformance.serve.gate import Gate, reaches_loopback
from conformance.serve.playground import Playground
from conformance.serve.plays import Plays
from conformance.serve.visits import VisitBounds, Visits
from mockserver import Ended, GivenConnection, Limits, MockServer, Script

Door = Callable[[GivenConnection], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits for each connection.

    Args:
        stall: seconds that any single wait lasts.
        octets: bytes that one play reads and writes.
        connections: connections that are open at once.
        visits: limits for browsers that are judged.
    """

    stall: float = 10.0
    octets: int = 1 << 26
    connections: int = 256
    visits: VisitBounds = field(default_factory=VisitBounds)


class ServeError(Exception):
    """The server cannot listen as requested; the message is one line with the place."""


class Server:
    """Serves cases until it is stopped; a context manager.

    Args:
        corpus: the cases.
        only: the id of the one case that every connection plays; None for all cases, by path.
        ports: the host, and the requested ports; 0 stands for any free port.
        bounds: the limits for each connection.
        playground: makes the page on which bytes are edited and played; None for no such page.
        token: what a program needs to begin plays; None for one that is drawn.

    Attributes:
        ports: where it listens.
        gate: what protects plays and playground; it has the token.

    Raises:
        ServeError: a port cannot be used.
    """

    def __init__(
        self,
        corpus: Corpus,
        ports: Ports,
        *,
        only: str | None = None,
        bounds: Bounds | None = None,
        playground: Callable[[Catalogue, Gate], Playground] | None = Playground,
        token: str | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._limits = Limits(self._bounds.stall, self._bounds.octets)
        self._numbers = itertools.count(1)
        self._make_playground = playground
        self._token = token
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._silent: list[MockServer] = []
        self._visitors: dict[GivenConnection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._acceptor = threading.Thread(target=self._accept_all, name="serve", daemon=True)
        try:
            self.ports = self._listen(Catalogue(corpus, only), ports)
        except BaseException:
            self._give_up_ports()
            raise

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Wait until the server is stopped."""
        self._stopped.wait()

    def stop(self) -> None:
        """Stop listening, abort every play, and wait for the threads."""
        self._stopped.set()
        self._wake.send(b"!")
        self._acceptor.join()
        self._doors.rounds.release()
        if self.playground is not None:
            self.playground.stop()
        self._visits.stop()
        self.plays.stop()
        with self._lock:
            visitors = dict(self._visitors)
        for given in visitors:
            given.break_off()
        for thread in visitors.values():
            thread.join(self._bounds.stall)
        self._give_up_ports()

    def _listen(self, catalogue: Catalogue, wanted: Ports) -> Ports:
        sockets = {
            name: _listener(wanted.host, getattr(wanted, name), self._selector)
            for name in ("http", "tls", "proxy", "control")
        }
        found = {name: sock.getsockname()[1] for name, sock in sockets.items()}
        own: dict[str, int] = {}
        ports = Ports(wanted.host, **found, own=own)
        # No client of another interface may use it, so there would be a link that is refused.
        made = self._make_playground if reaches_loopback(wanted.host) else None
        authority = CertificateAuthority()
        gate = self.gate = Gate(ports, self._token)
        self.playground = None if made is None else made(catalogue, gate)
        self.plays = Plays(authority)
        self._visits = Visits(catalogue, self._bounds.visits, playground=made is not None)
        doors = self._doors = Doors(
            catalogue,
            ports,
            authority,
            self._limits,
            PlaysApi(self.plays, gate),
            self.playground,
            self._visits,
        )
        for name, sock in sockets.items():
            self._selector.modify(sock, selectors.EVENT_READ, doors.of(name))
        for entry in catalogue.with_own_port():
            if is_silent(entry.case):
                own[entry.case.id] = self._play_aside(wanted.host, entry.case.script)
                continue
            sock = _listener(wanted.host, 0, self._selector)
            self._selector.modify(sock, selectors.EVENT_READ, partial(doors.own, entry=entry))
            own[entry.case.id] = sock.getsockname()[1]
        self._selector.register(self._woken, selectors.EVENT_READ)
        return ports

    def _play_aside(self, host: str, script: Script) -> int:
        """Let the mock server play a listener that does not accept; return its port."""
        server = MockServer(host=host)
        server.start()
        self._silent.append(server)
        return server.play(script).address[1]

    def _accept_all(self) -> None:
        while not self._stopped.is_set():
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._accept(key.fileobj, key.data)

    def _accept(self, listener: Any, door: Door) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:  # the client has already left
            return
        try:
            given = GivenConnection(sock, self._limits, next(self._numbers))
        except OSError:  # as above
            sock.close()
            return
        if len(self._visitors) >= self._bounds.connections and door != self._doors.control:
            given.reset()
            return
        thread = threading.Thread(
            target=self._visit, args=(given, door), name="serve-visit", daemon=True
        )
        with self._lock:
            self._visitors[given] = thread
        thread.start()

    def _visit(self, given: GivenConnection, door: Door) -> None:
        try:
            door(given)
        except Ended:
            pass  # if something was played, its transcript shows the error
        finally:
            with contextlib.suppress(OSError):
                given.close()
            with self._lock:
                self._visitors.pop(given, None)

    def _give_up_ports(self) -> None:
        for key in list(self._selector.get_map().values()):
            listener: Any = key.fileobj
            listener.close()
        self._selector.close()
        self._wake.close()
        self._woken.close()
        for server in self._silent:
            server.stop()


def _listener(host: str, port: int, selector: selectors.BaseSelector) -> socket.socket:
    """Return a listening socket, registered so that `stop` closes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        reason = "is in use" if error.errno == EADDRINUSE else f"cannot be had: {error.strerror}"
        raise ServeError(f"port {port} on {host} {reason}") from None
    selector.register(sock, selectors.EVENT_READ)
    return sock
