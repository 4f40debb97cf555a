"""A play: from its first connection to its record.

In come accepted sockets and the caller's requests (signals, abort, finish), out comes the record. A
play takes its facts only when every worker has come to rest, so that they do not depend on timing;
only then does it give its sockets up. It starts no threads and accepts nothing itself.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from mockserver import _finish
from mockserver._clock import HeldClock
from mockserver._connection import LiveConnection
from mockserver._listener import Pool
from mockserver._phase import Happens, Owner, Wait
from mockserver._player import plan_of
from mockserver._record import RST_SENT, Record
from mockserver._script import Connection, Script
from mockserver._secure import Starttls
from mockserver._shared import SharedState
from mockserver._state import Plan
from mockserver._step import ScriptError, Step
from mockserver._wire import Wire

_OWN_PATIENCE = 5.0
"""Seconds that the server's own threads may need on a busy machine to take what has come."""


class MockServerError(AssertionError):
    """A test went against its script, or the server was used in a way that cannot work."""


class TLSProvider(Protocol):
    """Makes, or keeps, the server's TLS contexts.

    It gets `versions` and `ciphers` too, by name, from steps that have them.
    """

    def __call__(
        self, cert: str, client_cert: str, alpn: tuple[str, ...], tickets: int
    ) -> ssl.SSLContext:
        """The context for the fields of a `Starttls` step."""


def contexts_of(script: Script, tls: TLSProvider | None) -> dict[Step, ssl.SSLContext]:
    """The TLS context of each handshake of a script.

    Raises:
        ScriptError: There is a handshake, and no provider.
    """
    handshakes = script.handshakes
    if handshakes and tls is None:
        raise ScriptError(
            "starttls: the server was given no TLS provider; "
            "write MockServer(..., tls=certs.CertificateAuthority().server_context)"
        )
    return {one: _context_of(one, tls) for one in handshakes if tls is not None}


def _context_of(one: Starttls, tls: TLSProvider) -> ssl.SSLContext:
    named: Any = {"versions": one.versions, "ciphers": one.ciphers}
    more = {name: value for name, value in named.items() if value}
    try:
        return tls(one.cert, one.client_cert, one.alpn, one.tickets, **more)
    except (ValueError, ssl.SSLError) as error:  # the provider's own words for a name without one
        raise ScriptError(f"starttls: {error}") from None


class _Next(NamedTuple):
    """What the next connection plays."""

    connection: Connection
    plan: Plan


class Play(SharedState):
    """A script that is being played. Made by `MockServer.play`.

    Attributes:
        refused_extra: How many came beyond the script.
        errors: Faults of the server itself.
    """

    def __init__(
        self,
        script: Script,
        address: tuple[str, int],
        *,
        patience: float,
        pool: Pool,
        contexts: Mapping[Step, ssl.SSLContext],
        reserved: tuple[socket.socket, ...] = (),
        clock: HeldClock | None = None,
    ) -> None:
        super().__init__(script, address, contexts, clock)
        self.refused_extra = 0
        self.errors: list[str] = []
        self._next = self._planned_next()
        self._draining: list[LiveConnection] = []
        self._patience = patience
        self._pool = pool
        self._reserved = reserved
        self._moves = 0
        self._record: Record | None = None

    # ------------------------------------------------------------------------ for the caller

    @property
    def progress(self) -> int:
        """A number that rises with everything that happens; it costs the threads nothing."""
        all_of_them = self.connections
        happened = sum(len(one.log) + one.wire.taken + one.wire.given for one in all_of_them)
        return happened + len(all_of_them) + self.refused_extra

    @property
    def activity(self) -> tuple[int, ...]:
        """What stays the same only while the server waits for the client, and the client is idle.

        It changes as long as either side does anything, the client's taking of bytes too; and from
        one call to the next while the server itself has something to do, however slowly.
        """
        connections = tuple(self.connections)
        peers = [one.wire.peer() for one in connections]
        self._moves += any(map(_finish.is_moving, connections))
        return self.progress, self._moves, *(peer.unread for peer in peers if peer is not None)

    @property
    def is_idle(self) -> bool:
        """Whether the server has done all it can, and a client that stays has taken every byte."""
        connections = tuple(self.connections)
        peers = [peer for one in connections if (peer := one.wire.peer()) is not None]
        stay = [peer for peer in peers if peer.open]
        taken = bool(stay) and not any(peer.unread for peer in stay)
        return taken and not any(map(_finish.is_moving, connections))

    def release(self, name: str) -> None:
        """Open the gates of this name, now and for as long as the play lasts."""
        self.named(name).set()

    def wait_for(self, name: str) -> None:
        """Wait until a `signal` step has given this name.

        Raises:
            MockServerError: It was not given while the server's patience lasted.
        """
        if not self.named(name).wait(self._patience):
            raise MockServerError(f"the signal {name!r} was not given in {self._patience:g} s")

    @property
    def is_finished(self) -> bool:
        """Whether its record has been taken."""
        return self._record is not None

    @property
    def is_played(self) -> bool:
        """Whether everything that the script asks for has been done."""
        with self.lock:
            return not self._missed()

    def be_patient(self, seconds: float) -> None:
        """Change the patience, also of waits that have begun."""
        with self.lock:
            self._patience = seconds
            for one in self.connections:
                one.wire.deadline += seconds - one.wire.patience
                one.wire.patience = seconds

    def rest(self) -> None:
        """Wait until the server has nothing to do and nothing is in flight; the play goes on.

        So a caller's next request begins in a known state: what the server sends when no client has
        asked, and the end of a connection, have come to the client's kernel.
        """
        self._settle()

    def finish(self) -> Record:
        """Take the facts and give all sockets up.

        The client has by now finished all its calls, and still holds its objects. Waits until
        every connection's thread has ended or is blocked on its peer with nothing in flight.

        Returns:
            The record; the same one when called again.
        """
        if self._record is None:
            self._record = self._facts(_finish.take_facts, None)
            self._give_up()
            self._pool.dismiss(self)
        return self._record

    def settled(self, seconds: float = _OWN_PATIENCE) -> Record:
        """Wait until nothing is on its way, pauses aside; returns the record so far."""
        return self._record or self._facts(_finish.facts_so_far, seconds)

    def _facts(self, facts: _finish.TakeFacts, seconds: float | None) -> Record:
        unsettled = self._settle(seconds)
        with self.lock:
            self.released |= seconds is None
            unmet = [text for one in self.connections for text in _finish.unmet_expectations(one)]
            missed, problems = self._missed(), (*self.problems, *unsettled, *unmet)
            records, errors = tuple(map(facts, self.connections)), tuple(self.errors)
        return Record(records, self.refused_extra, problems, errors, missed, self.address)

    @property
    def so_far(self) -> Record:
        """The record, if the play is finished; before that, what has happened up to now."""
        if self._record is not None:
            return self._record
        with self.lock:
            connections = tuple(one.so_far for one in self.connections)
            problems, errors = tuple(self.problems), tuple(self.errors)
        return Record(connections, self.refused_extra, problems, errors, address=self.address)

    def report(self) -> str:
        """What has happened up to now, and what has not, in a few lines; nothing for nothing."""
        record = self.so_far
        if self._record is None:
            with self.lock:
                record = replace(record, unplayed=self._missed())
        return record.report()

    def abort(self, note: str = "aborted") -> None:
        """Reset every connection of this play at once; callable from any thread.

        Args:
            note: What the transcript of each connection says of it.
        """
        with self.lock:
            if self.released:
                return
            self.released = True  # a connection that is accepted later is refused
            for one in self.connections:
                one.wire.happens(Happens.SERVER_RESETS)
                one.note(note)
        self._give_up()

    def stuck(self) -> list[str]:
        """What the threads that are still at work are waiting for."""
        return [
            f"{one.place} waits for {one.wire.waits.value}"
            for one in self.connections
            if one.wire.waits is not Wait.OVER and one.current is not None
        ]

    # ------------------------------------------------------------------------ for the pool

    @property
    def full(self) -> bool:
        """Whether every connection of the script has come."""
        return self._next is None

    @property
    def others_may_play(self) -> bool:
        """Whether others may have something to play while a connection waits for bytes."""
        selector = self._pool.selector
        return selector.can_park and (self._next is not None or bool(selector.parked))

    def admit(self, sock: socket.socket, far: tuple[str, int]) -> LiveConnection | None:
        """Take the next connection, or reset one that the script does not have."""
        with self.lock:
            number = len(self.connections) + 1
            planned = self._next
            if self.released or planned is None:
                self.refused_extra += 1
                sock.close()
                return None
            pool = self._pool
            wire = Wire(sock, self.address, far, self._patience, pool.diagnosis, pool.condition)
            connection, plan = planned
            live = LiveConnection(number, connection.steps, plan, wire, self)
            self.connections.append(live)
            if connection.times is not None:
                self._next = self._planned_next()
            return live

    def leave(self, connection: LiveConnection) -> None:
        """Take a connection back from its thread."""
        with self.lock:
            if connection.wire.leave():
                self._draining.append(connection)
            else:
                connection.wire.close()

    def drain_ended(self) -> None:
        """Keep clients moving that send to connections whose steps have ended.

        A connection that both sides have ended is closed: nothing can happen to it any more, and
        a play of many connections need not hold them all.
        """
        with self.lock:
            now = time.monotonic()
            self._draining = [one for one in self._draining if self._needs_draining(one, now)]

    def _needs_draining(self, one: LiveConnection, now: float) -> bool:
        wire = one.wire
        if wire.owner is not Owner.PLAY or wire.is_reset:
            return False
        if one.drain_input() or not one.unread_since:
            one.unread_since = now
        if one.channel.client_ended:
            if wire.server_ended and wire.client_ended:
                wire.close()
            return False
        is_stuck = one.buffer and one.ended_by is None and not wire.server_ended
        if is_stuck and now - one.unread_since > self._patience:
            one.note(RST_SENT)
            one.abort()
            self.problem(f"connection {one.number}: the client waits after the last step")
        return not wire.is_reset

    def _planned_next(self) -> _Next | None:
        connection = self.script.nth(len(self.connections))
        if connection is None:
            return None
        if self.connections and self._next and connection is self._next.connection:
            return self._next
        return _Next(connection, plan_of(connection.steps, times=connection.times))

    def _settle(self, seconds: float | None = None) -> list[str]:
        """Wait for so long, pauses aside; None waits for them too."""
        own = max(self._patience, _OWN_PATIENCE) if seconds is None else seconds
        deadline, through = time.monotonic() + own, seconds is None
        if not self._reserved:
            self._pool.admit_all(self, deadline)
        late = _finish.settle(self.connections, lambda: self.progress, deadline, through)
        return [f"connection {one.number}: does not come to rest" for one in late]

    def _missed(self) -> tuple[str, ...]:
        steps = [f"{where}: not played" for one in self.connections for where, _ in one.unplayed()]
        return (*steps, *self.script.missing(len(self.connections)), *self.missed_routes())

    def _give_up(self) -> None:
        """Close what no worker uses, and wake the workers of the rest."""
        with self.lock:
            for one in self.connections:
                owner = one.wire.give_up()
                if owner is Owner.PLAY or self._pool.selector.take(one):
                    one.wire.close()
                elif owner is not Owner.NO_ONE:
                    one.wire.wake()
        self.open_gates()
        for sock in self._reserved:
            sock.close()
