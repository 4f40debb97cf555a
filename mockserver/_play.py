"""One play of a script: its connections, its signals, and how it comes to its end.

In come accepted sockets and the caller's wishes (signals, abort, finish), out comes the record. A
play takes its facts only when every thread has come to rest, so that they do not depend on timing;
only then does it give its sockets up. It starts no threads and accepts nothing itself.
"""

import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mockserver._blocking import Wait
from mockserver._finish import settle, take_facts, unmet_expectations, unplayed
from mockserver._record import RST_SENT, ConnectionRecord, ReceivedRequest, Record
from mockserver._request import request_parts
from mockserver._script import Route, Script
from mockserver._secure import Starttls
from mockserver._session import Plan, Session
from mockserver._wire import Wire

if TYPE_CHECKING:
    from mockserver._pool import Pool

_OVER = Wait.OVER
_OWN_PATIENCE = 5.0
"""Seconds that the server's own threads may need on a busy machine to take what has come."""


class MockServerError(AssertionError):
    """A test went against its script, or the server was used in a way that cannot work."""


class Play:
    """A script that is being played. Made by `MockServer.play`.

    Attributes:
        script: What is played.
        address: Host and port to connect to.
    """

    def __init__(
        self,
        script: Script,
        address: tuple[str, int],
        *,
        patience: float,
        pool: "Pool",
        contexts: Mapping[Starttls, ssl.SSLContext],
        reserved: tuple[socket.socket, ...] = (),
    ) -> None:
        self.script = script
        self.address = address
        self.contexts = contexts
        self.sessions: list[Session] = []
        self._next = script.nth(0)
        self._tended: list[Session] = []
        self.came: list[int | bytes] = []  # number and octets by turns
        self.plans: dict[int, Plan] = {}
        self.lock = threading.Lock()
        self.refused_extra = 0
        self.over = False
        self.errors: list[str] = []
        self._patience = patience
        self._pool = pool
        self._reserved = reserved
        self._problems: list[str] = []
        self._answered = [0] * len(script.routes)
        self._names: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._record: Record | None = None

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request so far, in the order in which they were read."""
        fields: Iterator[Any] = iter(tuple(self.came))
        return [ReceivedRequest(number, raw) for number, raw in zip(fields, fields, strict=True)]

    @property
    def address_text(self) -> bytes:
        """The address as a Host field has it."""
        host, port = self.address
        return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()

    @property
    def progress(self) -> int:
        """A number that rises with everything that happens; it costs the threads nothing."""
        happened = sum(len(one.log) + one.wire.taken + one.wire.given for one in self.sessions)
        return happened + len(self.sessions) + self.refused_extra

    @property
    def activity(self) -> tuple[int, ...]:
        """What changes as long as either side does anything, the client's taking of octets too."""
        peers = [one.wire.peer() for one in tuple(self.sessions)]
        return self.progress, *(peer.unread for peer in peers if peer is not None)

    @property
    def full(self) -> bool:
        """Whether every connection of the script has come."""
        return self._next is None

    @property
    def crowded(self) -> bool:
        """Whether others may have something to play while a session waits for octets."""
        ears = self._pool.ears
        return ears.can_park and (self._next is not None or bool(ears.parked))

    def release(self, name: str) -> None:
        """Open the gates of this name, now and for as long as the play lasts."""
        self.give(name)

    def wait_for(self, name: str) -> None:
        """Wait until a `signal` step has given this name.

        Raises:
            MockServerError: It was not given while the server's patience lasted.
        """
        if not self._named(name).wait(self._patience):
            raise MockServerError(f"the signal {name!r} was not given in {self._patience:g} s")

    def finish(self) -> Record:
        """Take the facts and give all sockets up.

        The client has by now finished all its calls, and still holds its objects. Waits until
        every connection's thread has ended or is blocked on its peer with nothing in flight.

        Returns:
            The record; the same one when called again.
        """
        if self._record is None:
            unsettled = self._settle()
            with self.lock:
                self.over = True
                unmet = [text for one in self.sessions for text in unmet_expectations(one)]
                missed = self._missed()
                records = tuple(map(take_facts, self.sessions))
            self._record = Record(
                records,
                self.refused_extra,
                (*self._problems, *unsettled, *unmet),
                tuple(self.errors),
                missed,
                self.address,
            )
            self._release_all()
            self._pool.dismiss(self)
        return self._record

    @property
    def so_far(self) -> Record:
        """The record, if the play is finished; before that, what has happened up to now."""
        if self._record is not None:
            return self._record
        with self.lock:
            connections = tuple(
                ConnectionRecord(
                    tuple(one.events), tuple(one.requests), tls=one.tls, source=one.wire.source
                )
                for one in self.sessions
            )
            problems, errors = tuple(self._problems), tuple(self.errors)
        return Record(connections, self.refused_extra, problems, errors, address=self.address)

    def abort(self, note: str = "aborted") -> None:
        """Reset every connection of this play at once; callable from any thread.

        Args:
            note: what the transcript of each connection says of it.
        """
        with self.lock:
            if self.over:
                return
            for session in self.sessions:
                session.reset = True
                session.note(note)
        self._release_all()

    def admit(self, sock: socket.socket, far: tuple[str, int]) -> Session | None:
        """Make a session for the next connection, or reset one that the script does not have."""
        with self.lock:
            number = len(self.sessions) + 1
            connection = self._next
            if self.over or connection is None:
                self.refused_extra += 1
                sock.close()
                return None
            pool = self._pool
            wire = Wire(sock, self.address, far, self._patience, pool.diagnosis, pool.bell)
            session = Session(number, connection.steps, wire, self)
            self.sessions.append(session)
            if connection.times is not None:
                self._next = self.script.nth(number)
            return session

    def leave(self, session: Session) -> None:
        """Take a session back from its thread."""
        with self.lock:
            session.wire.wait_for(_OVER)
            if session.wire.released:
                session.wire.sock.close()
            else:
                self._tended.append(session)

    def tend(self) -> None:
        """Keep clients moving that send to connections whose steps have ended.

        A connection that both sides have ended is closed: nothing can happen to it any more, and
        a play of many connections need not hold them all.
        """
        with self.lock:
            now = time.monotonic()
            self._tended = [one for one in self._tended if self._needs_tending(one, now)]

    def _needs_tending(self, session: Session, now: float) -> bool:
        if session.wire.released or session.reset:
            return False
        if session.drink() or not session.unread_since:
            session.unread_since = now
        if session.stream_over:
            if session.wire.ended and session.wire.exhausted:
                session.wire.sock.close()
            return False
        waits_in_vain = session.buffer and not (session.ended_by_script or session.wire.ended)
        if waits_in_vain and now - session.unread_since > self._patience:
            session.note(RST_SENT)
            session.abort()
            self.problem(f"connection {session.number}: the client waits behind the last step")
        return not session.reset

    def problem(self, text: str) -> None:
        """Note something that went against the script."""
        self._problems.append(text)

    def choose(self, head: bytes) -> tuple[int, Route] | None:
        """The first route that fits a request and is not used up, and its number from 1."""
        method, target, _, _ = request_parts(head)
        with self.lock:
            for index, route in enumerate(self.script.routes):
                left = route.times is None or self._answered[index] < route.times
                if left and route.fits(method, target):
                    self._answered[index] += 1
                    return index + 1, route
        return None

    def give(self, name: str) -> None:
        """Give a signal."""
        self._named(name).set()

    def await_name(self, session: Session, name: str) -> None:
        """Wait, on a connection's thread, for a signal."""
        event = self._named(name)
        session.gate = event
        session.wire.await_name(event.wait)

    def stuck(self) -> list[str]:
        """What the threads that are still at work are waiting for."""
        return [
            f"{one.place} waits for {one.wire.waits.value}"
            for one in self.sessions
            if one.wire.waits is not Wait.OVER and one.index < len(one.steps)
        ]

    def _named(self, name: str) -> threading.Event:
        with self.lock:
            event = self._names[name]
            if self.over:
                event.set()
            return event

    def _settle(self) -> list[str]:
        deadline = time.monotonic() + max(self._patience, _OWN_PATIENCE)
        if not self._reserved:
            self._pool.admit_all(self, deadline)
        return [f"connection {one.number}: does not come to rest" for one in settle(self, deadline)]

    def _missed(self) -> tuple[str, ...]:
        steps = [f"{where}: not played" for one in self.sessions for where, _ in unplayed(one)]
        routes = [
            f"route {number}: answered {answered} of {route.times} requests"
            for number, (route, answered) in enumerate(
                zip(self.script.routes, self._answered, strict=True), 1
            )
            if not route.optional and answered < (route.times or 0)
        ]
        return (*steps, *self.script.missing(len(self.sessions)), *routes)

    def _release_all(self) -> None:
        with self.lock:
            self.over = True
            for session in self.sessions:
                if not session.wire.released:
                    session.wire.released = True
                    if session.wire.waits is Wait.OVER or self._pool.ears.take(session):
                        session.wire.waits = Wait.OVER
                        session.wire.sock.close()
                    else:
                        session.wire.wake()
            for event in self._names.values():
                event.set()
        for one in self._reserved:
            one.close()
