"""Steps on a connection that the caller has: the same player, without a listener and its threads.

In comes a connected socket, out come plays of steps on it, one after the other, each with its
events. It is for a caller with a server of its own, whose clients are not trusted: whatever a wait
is for, and however much is sent, there are limits. Everything runs on the caller's thread.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext, SSLObject

from mockserver._connection import LiveConnection
from mockserver._kernel import Diagnosis
from mockserver._phase import (
    ClientLeft,
    Ended,
    EndOfStream,
    Expired,
    LimitReached,
    Owner,
    TLSBroken,
    Wait,
)
from mockserver._play import TLSProvider, contexts_of
from mockserver._player import plan_of, play_on
from mockserver._reads import never
from mockserver._record import RST_SENT, TLS_ESTABLISHED, ConnectionRecord
from mockserver._request import Request, read_request
from mockserver._script import Connection, Script
from mockserver._shared import SharedState
from mockserver._step import Step
from mockserver._tls import TLS
from mockserver._wire import CLOSED, Condition, Wire, configure

_LONGEST_HEAD = 1 << 20
_LATE_SIGNAL = 1.0
"""Seconds in which a signal can still come after the client has left, from its next connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for a connection whose client is not trusted.

    Attributes:
        wait: Seconds that any single wait lasts.
        total: Bytes that are read and written in all.
    """

    wait: float = 10.0
    total: int = 1 << 26


class LimitedWire(Wire):
    """A raw connection with limits; its waits have no end of their own, only these."""

    __slots__ = ("_limits", "_spent")

    def __init__(
        self,
        sock: socket.socket,
        near: tuple[str, int],
        far: tuple[str, int],
        limits: Limits,
        diagnosis: Diagnosis,
        condition: Condition,
    ) -> None:
        super().__init__(sock, near, far, limits.wait, diagnosis, condition)
        self._limits = limits
        self._spent = 0

    def count_anew(self) -> None:
        """Count bytes from nothing again."""
        self._spent = 0

    def read(self, *, patient: bool = True) -> bytes:  # noqa: ARG002 - every wait has its limit
        """Wait for bytes, within the limits."""
        data = super().read()
        self._spend(len(data))
        return data

    def rest(self) -> bytes | None:
        """What can be read without waiting, within the limits."""
        data = super().rest()
        self._spend(len(data or b""))
        return data

    def write(self, data: bytes) -> None:
        """Give all bytes to the kernel, within the limits."""
        self._spend(len(data))
        super().write(data)

    def await_closing(self, seconds: float | None = None) -> bool:
        """Wait until the client gives its end up, but no longer than the limit."""
        longest = self._limits.wait
        closed = super().await_closing(longest if seconds is None else min(seconds, longest))
        if seconds is None and not closed:
            raise self._expired()
        return closed

    def await_name(self, wait: Callable[[float], bool]) -> None:
        """Wait for an event that is not the client's; for a client that has left, only briefly."""

        def happens(seconds: float) -> bool:
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                is_late = self.has_left(self._poll(CLOSED, Wait.NAME, 0))
                if wait(min(left, _LATE_SIGNAL)):
                    return True
                if is_late:
                    raise ClientLeft
            return False

        super().await_name(happens)

    def _expired(self) -> Expired:
        return LimitReached(f"nothing moved for {self._limits.wait:g} s, the limit")

    def _spend(self, count: int) -> None:
        self._spent += count
        if self._spent > self._limits.total:
            raise LimitReached(f"more than {self._limits.total} bytes, the limit")


class GivenConnection:
    """A connected TCP socket on which steps can be played; used by one thread.

    Args:
        sock: The socket. Its options change: what is open when it is closed is reset.
        limits: What its client cannot exceed.
        number: Which of the caller's connections it is, from 1.

    Attributes:
        address: Our address and port, as the client has dialled them.
        client: Address and port of the client.
        number: As given.
        server_name: The name that the client asked for in its handshake; empty for none.
    """

    def __init__(self, sock: socket.socket, limits: Limits | None = None, number: int = 1) -> None:
        sock.setblocking(True)
        configure(sock)
        self._diagnosis = Diagnosis()
        near, far = sock.getsockname()[:2], sock.getpeername()[:2]
        self._wire = LimitedWire(sock, near, far, limits or Limits(), self._diagnosis, Condition())
        self._wire.owner = Owner.PLAY
        self.address = near
        self.client = far
        self.number = number
        self.server_name = ""
        self._live = LiveConnection(1, (), [], self._wire, SharedState(Script(), near, {}))

    @property
    def buffer(self) -> bytearray:
        """What has arrived and no step has taken; the next play begins with it."""
        return self._live.buffer

    @property
    def ended(self) -> bool:
        """Whether our stream is ended, or the connection reset: nothing more can be played."""
        return self._wire.server_ended or self._wire.is_reset

    @property
    def ssl_object(self) -> SSLObject | None:
        """What OpenSSL reports of the handshake; None where there was none."""
        channel = self._live.channel
        return channel.object if isinstance(channel, TLS) else None

    def play(
        self, steps: tuple[Step, ...], state: SharedState | None = None, number: int = 1
    ) -> LiveConnection:
        """Play steps as far as the client, and the limits, let them.

        Args:
            steps: What to play.
            state: What this play shares with those of other connections; None for nothing.
            number: Which of these connections it is, from 1.

        Returns:
            What has been played; it is in `state.connections` as soon as the play begins.

        Raises:
            Ended: The connection has been broken off.
        """
        if state is None:
            state = SharedState(Script(), self.address, {})
        self._wire.count_anew()
        live = self._live = self._live.followed_by(number, steps, plan_of(steps), state)
        self._wire.pass_to(Owner.WORKER)
        state.connections.append(live)
        play_on(live)
        self._wire.pass_to(Owner.PLAY)
        return live

    def receive(self) -> bool:
        """Wait for bytes; False at the client's end of stream.

        Raises:
            Ended: None came within the limits, or the connection broke.
        """
        data = self._live.channel.read()
        self.buffer.extend(data)
        return bool(data)

    def head(self) -> bytes | None:
        """Wait for the head of a request, and leave it in the buffer; None at an end of stream.

        Raises:
            Ended: As `receive`; or the head is too long.
        """
        self._wire.count_anew()
        inbox = self._live.inbox
        try:
            too_long = read_request(inbox, _LONGEST_HEAD, never)
        except EndOfStream:
            return None
        if too_long:
            raise LimitReached(f"a head of more than {_LONGEST_HEAD} bytes, the limit")
        head = inbox.take()
        self.buffer[:0] = head
        return head

    def request(self, longest: int) -> Request | str:
        """Take one request, with the body that its head announces, out of what arrives.

        Args:
            longest: How many bytes to read at most.

        Returns:
            The request, or why reading stopped early.

        Raises:
            Ended: As `receive`, or the client ended its stream first.
        """
        self._wire.count_anew()
        inbox = self._live.inbox
        problem = read_request(inbox, longest, lambda _: True)
        raw = inbox.take()
        return problem or Request(1, raw)

    def take(self, count: int) -> bytes:
        """Take so many bytes out of the buffer."""
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def start_tls(self, context: SSLContext, server_name: str = "") -> None:
        """Do a handshake as the server; what is in the buffer belongs to it.

        Args:
            context: What to offer.
            server_name: The name in the ClientHello, if the caller has read it.

        Raises:
            Ended: It failed.
        """
        self.server_name = server_name
        tls = self._live.encrypt(context)
        try:
            tls.handshake()
        except TLSBroken:
            self._live.end()
            raise
        self._live.note(TLS_ESTABLISHED + tls.version)

    def await_closing(self) -> None:
        """Wait until the client gives its end up.

        Raises:
            Ended: It has not within the limits.
        """
        self._wire.await_closing()

    def reset(self) -> None:
        """Reset the connection."""
        self._live.note(RST_SENT)
        self._live.abort()

    def break_off(self) -> None:
        """From another thread: wake the one that waits here; nothing more is read or written."""
        self._wire.give_up()
        self._wire.wake()

    def close(self) -> None:
        """Close; after a stream that was ended in order, the client's own end is waited for.

        A connection that was broken off is reset.
        """
        sock = self._wire.sock
        if self._wire.server_ended:
            with contextlib.suppress(Ended, OSError):
                while self._wire.read():
                    pass
        elif self._wire.owner is not Owner.NO_ONE and not self._wire.is_reset:
            # Let the kernel end it in order.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        sock.close()
        self._diagnosis.close()


def play_steps(
    sock: socket.socket,
    *steps: Step,
    tls: TLSProvider | None = None,
    limits: Limits | None = None,
) -> ConnectionRecord:
    """Play steps on a connected socket, on this thread, and close it.

    After steps that leave the connection open, the client's closing is waited for, within the
    limits.

    Args:
        sock: The socket, for instance one that a server of the caller's has accepted.
        steps: What to play.
        tls: Where TLS contexts come from; needed for `Starttls`.
        limits: What the client cannot exceed.

    Returns:
        What has happened; the steps that were not reached are `unplayed`.

    Raises:
        ScriptError: The steps cannot be played in this order, or need TLS.
    """
    script = Script((Connection(steps),))
    given = GivenConnection(sock, limits)
    try:
        state = SharedState(script, sock.getsockname()[:2], contexts_of(script, tls))
        live = given.play(steps, state)
        if not given.ended:
            with contextlib.suppress(Ended):
                given.await_closing()
        return live.record
    finally:
        given.close()
