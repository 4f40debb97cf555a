"""One accepted socket: raw bytes in and out, the waits of its thread, and what an observer can see.

In come bytes to send and waits to make, out come bytes that arrived, ends of waits, or one of the
endings. A thread says what it waits for *before* it blocks and takes that back *after*, and bytes
are counted only then. So an observer that finds a waiting thread, and the kernel's counts equal to
ours, can be sure that nothing is on its way. Nothing here uses steps, requests or TLS.
"""

import contextlib
import math
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

from mockserver._kernel import Diagnosis, Peer, question
from mockserver._phase import (
    CLIENT_HAS_ENDED,
    SERVER_HAS_ENDED,
    TABLE,
    Expired,
    Happens,
    Owner,
    PeerReset,
    Phase,
    Released,
    Wait,
)

BLOCK = 1 << 16
BRIEF = 0.002
"""Seconds that a wait for bytes may take before another thread is asked to lead."""
_RESET = select.POLLERR
_SHUT = getattr(select, "POLLRDHUP", 0)
"""Nothing more is to be read: the client has ended its stream, or `wake` was called."""
CLOSED = select.POLLHUP | select.POLLERR | _SHUT
_ASK_AGAIN = 0.01
"""Seconds between two questions about a client that has closed half of its end."""


class Condition:
    """How threads report to an observer that something has changed.

    Unlike `threading.Condition` it costs a thread one comparison where no observer waits, which is
    the usual case; and it asks again on its own, because the kernel reports nothing.

    Attributes:
        waiting: How many observers wait.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self.waiting = 0

    def notify(self) -> None:
        """Report a change; called after the change."""
        if self.waiting:
            self._event.set()

    def wait_for(self, predicate: Callable[[], bool], deadline: float) -> bool:
        """Wait for what a thread will report, or silently the kernel will make true.

        Args:
            predicate: Asked first, after each report, and in growing intervals up to 1 ms.
            deadline: When to give up, by the monotonic clock.

        Returns:
            Whether it became true.
        """
        if predicate():
            return True
        self._count(1)
        try:
            return self._wait_for(predicate, deadline)
        finally:
            self._count(-1)

    def _wait_for(self, predicate: Callable[[], bool], deadline: float) -> bool:
        nap = 5e-5
        self._event.clear()  # before the predicate is asked: no report in between is lost
        while not predicate():
            if time.monotonic() > deadline:
                return False
            self._event.wait(nap)
            self._event.clear()
            nap = min(nap * 2, 1e-3)
        return True

    def _count(self, change: int) -> None:
        with self._lock:
            self.waiting += change


# A member of an enum is slow to look up: 40 ns each, of the 8 us that a request takes.
_DONTWAIT = int(socket.MSG_DONTWAIT)
_BYTES, _NOTHING, _READY = Wait.BYTES, Wait.NOTHING, Wait.READY
_WORKER, _SELECTOR, _NO_ONE = Owner.WORKER, Owner.SELECTOR, Owner.NO_ONE


def configure(sock: socket.socket) -> None:
    """Set the options of a connection; on Linux connections have them from their listener.

    Every close is a reset unless the stream was ended before; a blocking `recv` is brief.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _set_receive_timeout(sock, BRIEF)


def _set_receive_timeout(sock: socket.socket, seconds: float) -> None:
    whole = int(seconds)
    value = struct.pack("ll", whole, int((seconds - whole) * 1e6))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)


def _stay() -> None:
    """No thread waits for this one's place."""


class Wire:
    """A raw connection.

    Attributes:
        descriptor: The number of the socket, while it is open.
        phase: What has become of the two streams.
        owner: Who may act on the connection.
        waits: What the thread of this connection is blocked on.
        taken: Bytes read from the kernel; its end of stream is not counted.
        given: Bytes that the kernel took for sending; our end of stream counts as one.
        patience: Seconds without progress after which a wait expires.
        deadline: When the patience with a connection without a thread is over, monotonic.
        step_aside: Called before a long wait, on the thread that will wait.
        selector: What watches the socket, or None.
        condition: Notified when a wait begins, and when the steps are over.
        moving: Held for a change of owner or phase.
    """

    __slots__ = (
        "_diagnosis",
        "_ends",
        "_question",
        "_timeout",
        "condition",
        "deadline",
        "descriptor",
        "given",
        "moving",
        "owner",
        "patience",
        "phase",
        "selector",
        "sock",
        "step_aside",
        "taken",
        "waits",
    )

    def __init__(
        self,
        sock: socket.socket,
        near: tuple[str, int],
        far: tuple[str, int],
        patience: float,
        diagnosis: Diagnosis,
        condition: Condition,
    ) -> None:
        self.sock = sock
        self.descriptor = sock.fileno()
        self.phase = Phase.OPEN
        self.owner = Owner.WORKER
        self.waits = Wait.NOTHING
        self.taken = 0
        self.given = 0
        self.patience = patience
        self.deadline = math.inf
        self.step_aside: Callable[[], None] = _stay
        self.selector: object | None = None
        self.condition = condition
        self.moving = threading.RLock()
        self._ends = near, far
        self._diagnosis = diagnosis
        self._question = b""
        self._timeout = BRIEF

    # ------------------------------------------------------------------------ state

    @property
    def source(self) -> str:
        """The address from which the client connected, without its port."""
        return self._ends[1][0]

    @property
    def source_port(self) -> int:
        """The port from which the client connected."""
        return self._ends[1][1]

    @property
    def server_ended(self) -> bool:
        """Whether we have ended our stream."""
        return self.phase in SERVER_HAS_ENDED

    @property
    def client_ended(self) -> bool:
        """Whether the client's stream has been read to its end, or broke."""
        return self.phase in CLIENT_HAS_ENDED

    @property
    def is_reset(self) -> bool:
        """Whether we have reset the connection."""
        return self.phase is Phase.SERVER_RESET

    def happens(self, event: Happens) -> None:
        """Pass to the next phase."""
        with self.moving:
            self.phase = TABLE[event][self.phase]

    def peer(self) -> Peer | None:
        """The client's socket as its kernel reports it; None where the system does not say."""
        if not self._question:
            self._question = question(*self._ends)
        return self._diagnosis.peer(self._question)

    def pass_to(self, owner: Owner) -> bool:
        """Give the connection to another owner; not where it has been given up."""
        with self.moving:
            if self.owner is _NO_ONE:
                return False
            self.owner = owner
        return True

    def leave(self) -> bool:
        """Say that no thread uses the connection any more; whether the play keeps it."""
        self.waits = Wait.OVER
        kept = self.pass_to(Owner.PLAY)
        self.condition.notify()
        return kept

    def give_up(self) -> Owner:
        """Let the connection be closed, by its worker if it has one; returns its owner so far."""
        with self.moving:
            owner, self.owner = self.owner, _NO_ONE
        return owner

    def close(self) -> None:
        """Close the socket: a reset, unless we have ended our stream."""
        self.waits = Wait.OVER
        self.sock.close()

    def wake(self) -> None:
        """Wake a blocked thread.

        Our stream is not ended: a client that takes what is left would see that end first, and the
        reset after it.
        """
        with contextlib.suppress(OSError):  # gone already: the thread wakes without help
            self.sock.shutdown(socket.SHUT_RD)

    def wait_for(self, waits: Wait) -> None:
        """Say what the thread is going to be blocked on."""
        self.waits = waits
        self.condition.notify()

    # ------------------------------------------------------------------------ reading and writing

    def read(self, *, patient: bool = True) -> bytes:
        """Wait for bytes; `b""` is the end of the client's stream.

        Args:
            patient: Whether the wait may expire.
        """
        if self.waits is _NOTHING:  # else it is said already, or no wait is to come
            self.wait_for(_BYTES)
        data: bytes | None = None
        try:
            data = self.sock.recv(BLOCK)
        except BlockingIOError:
            data = self._read_on(patient)
        except ConnectionError:
            pass
        self.waits = _NOTHING
        if self.owner is _NO_ONE:
            raise Released
        if data is None:
            self.happens(Happens.CLIENT_RESETS)
            raise PeerReset
        self.taken += len(data)
        if not data:
            self._meet_the_end()
        return data

    def _read_on(self, patient: bool) -> bytes | None:
        """The long wait, in which others lead; None for a reset."""
        if self.waits is not _BYTES:
            self.wait_for(_BYTES)
        if self._timeout != self.patience:
            self.step_aside()
            self._wait_at_most(self.patience)
        while True:
            try:
                return self.sock.recv(BLOCK)
            except BlockingIOError:
                if self._timeout != self.patience:  # it has been changed meanwhile
                    self._wait_at_most(self.patience)
                elif patient and self.owner is not _NO_ONE:
                    self.waits = _NOTHING
                    raise self._expired() from None
            except ConnectionError:
                return None

    def park(self) -> bool:
        """Let the connection wait without a thread; False where it has been given up."""
        if self._timeout != BRIEF:
            self._wait_at_most(BRIEF)
        with self.moving:
            if self.owner is _NO_ONE:
                return False
            self.owner = _SELECTOR
        self.waits = _BYTES
        return True

    def resume(self) -> None:
        """Let a worker have the connection, because bytes or an end have come."""
        with self.moving:
            if self.owner is not _NO_ONE:
                self.owner = _WORKER
        self.waits = _READY

    def _wait_at_most(self, seconds: float) -> None:
        self._timeout = seconds
        _set_receive_timeout(self.sock, seconds)

    def rest(self) -> bytes | None:
        """What can be read without waiting: bytes, `b""` at the end, None for nothing yet.

        Raises:
            PeerReset: The connection has been reset.
        """
        try:
            data = self.sock.recv(BLOCK, _DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:  # reset by either side
            self.happens(Happens.CLIENT_RESETS)
            raise PeerReset from None
        self.taken += len(data)
        if not data:
            self._meet_the_end()
        return data

    def _meet_the_end(self) -> None:
        """Distinguish an end from a reset, which the kernel reports once and then as an end.

        Raises:
            PeerReset: It is a reset that was met before.
        """
        if self.phase is Phase.CLIENT_RESET:
            raise PeerReset
        self.happens(Happens.CLIENT_ENDS)

    def write(self, data: bytes) -> None:
        """Give all bytes to the kernel; waits while there is no room."""
        rest: bytes | memoryview = data
        while rest:
            try:
                count = self.sock.send(rest, _DONTWAIT)
            except BlockingIOError:
                self._await_room()
                continue
            except ConnectionError:
                self.happens(Happens.CLIENT_RESETS)
                raise PeerReset from None
            self.given += count
            if self.owner is _NO_ONE:
                raise Released
            if count == len(rest):
                return
            rest = memoryview(rest)[count:]

    def end(self) -> None:
        """End our stream in order; a client that is gone already does not matter."""
        with contextlib.suppress(OSError):  # ENOTCONN: reset by the client
            self.sock.shutdown(socket.SHUT_WR)
            self.given += 1
        self.happens(Happens.SERVER_ENDS)

    # ------------------------------------------------------------------------ waiting

    def _expired(self) -> Expired:
        """What ends a wait in which nothing has moved."""
        return Expired()

    def _await_room(self) -> None:
        deadline = time.monotonic() + self.patience
        happened = self._poll(select.POLLOUT | _SHUT, Wait.ROOM, self.patience if _SHUT else 0)
        # A client that has ended its stream hides what `wake` does: ask again and again.
        while not happened & ~_SHUT:
            if (left := deadline - time.monotonic()) <= 0:
                raise self._expired()
            happened = self._poll(select.POLLOUT, Wait.ROOM, min(left, _ASK_AGAIN))

    def await_closing(self, seconds: float | None = None) -> bool:
        """Wait until the client gives its end up, or for *seconds*; returns whether it has."""
        waits = Wait.CLOSING if seconds is None else Wait.TIME
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        happened = self._poll(CLOSED | select.POLLIN, waits, seconds)
        while happened and not self.has_left(happened):
            if (left := deadline - time.monotonic()) <= 0:
                return False
            mask = _RESET if happened & CLOSED else CLOSED
            happened |= self._poll(mask, waits, min(left, _ASK_AGAIN))
        return bool(happened)

    def has_left(self, happened: int) -> bool:
        """Whether the client gave its end up, as far as the system says, after what `poll` reports.

        An end of stream can be half a closing: the client may wait for what we have to say. And it
        cannot arrive after bytes that find no room here: then only the client's kernel has it.
        """
        peer, closed = self.peer(), bool(happened & CLOSED)
        return closed if peer is None else not peer.held and (closed or peer.ending)

    def await_taking(self) -> None:
        """Wait until the client has read everything that was given to the kernel.

        It asks for the client's own count, which needs no acknowledgement to arrive here. A client
        that closes in order has taken everything; one that has not resets.

        Raises:
            PeerReset: The client gave its end up before it had taken everything.
            Expired: It took nothing for too long, or the kernel cannot be asked.
        """
        self.step_aside()
        self.wait_for(Wait.TAKING)
        try:
            self._poll_peer()
        finally:
            self.waits = Wait.NOTHING

    def _poll_peer(self) -> None:
        before, since, nap = -1, time.monotonic(), 0.0
        while self.owner is not _NO_ONE:
            peer = self.peer()
            if peer is None:
                raise Expired("the client's queue cannot be seen on this system")
            took = peer.received - peer.unread
            if not (peer.held or (peer.ending and peer.received >= self.given)):
                # It has given its end up, if our own socket confirms that; else ask again.
                if self._is_closed(nap):
                    return
            elif took >= self.given:
                return
            if took > before:
                before, since, nap = took, time.monotonic(), 0.0
            elif time.monotonic() - since > self.patience:
                raise self._expired()
            time.sleep(nap)
            nap = min(nap + 2e-6, 1e-3)
        raise Released

    def _is_closed(self, seconds: float) -> bool:
        """Whether the client has given its end up: in order, with all taken.

        Raises:
            PeerReset: By a reset.
        """
        poll = select.poll()
        poll.register(self.sock, CLOSED)
        happened = poll.poll(seconds * 1000)
        if happened and happened[0][1] & _RESET and self.owner is not _NO_ONE:
            self.happens(Happens.CLIENT_RESETS)
            raise PeerReset
        return bool(happened) and self.owner is not _NO_ONE

    def await_name(self, wait: Callable[[float], bool]) -> None:
        """Wait for an event that is not the client's; `wait` gets the patience in seconds."""
        self.step_aside()
        self.wait_for(Wait.NAME)
        happened = wait(self.patience)
        self.waits = Wait.NOTHING
        if self.owner is _NO_ONE:
            raise Released
        if not happened:
            raise self._expired()

    def _poll(self, mask: int, waits: Wait, seconds: float | None) -> int:
        """Wait for one of the events in *mask*; returns those that happened, 0 for none in time."""
        self.step_aside()
        poll = select.poll()
        poll.register(self.sock, mask)
        self.wait_for(waits)
        if self.owner is _NO_ONE:  # one that gives it up after this line finds what to wake
            raise Released
        happened = poll.poll(None if seconds is None else seconds * 1000)
        self.waits = Wait.NOTHING
        if self.owner is _NO_ONE:
            raise Released
        return happened[0][1] if happened else 0
