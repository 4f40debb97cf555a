"""The waits of a connection's thread, and how an observer can tell what it is blocked on.

In come waits to make, out come their ends, or one of the endings. A thread says what it waits for
*before* it blocks and takes it back *after*: with the kernel's own counts an observer can then tell
a thread that is really blocked from one that is about to move. Nothing here reads or writes octets.
"""

import enum
import math
import select
import socket
import threading
import time
from collections.abc import Callable

from mockserver._bell import Bell
from mockserver._endings import Expired, PeerReset, Released
from mockserver._kernel import Diagnosis, Peer, question

_RESET = select.POLLERR
_CLOSED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
_LOOK_AGAIN = 0.01
"""Seconds between two looks at a client that has closed half of its end: the rest sends nothing."""


class Wait(enum.Enum):
    """What a connection's thread is blocked on."""

    NOTHING = "it is running"
    OCTETS = "octets from the client"
    ROOM = "room in the client's queue"
    CLOSING = "the client's closing"
    TAKING = "the client's taking what was sent"
    NAME = "a signal"
    TIME = "a pause"
    OVER = "nothing any more"


def _stay() -> None:
    """Nobody waits for this thread's place."""


class Blocking:
    """A connection as far as it makes a thread wait.

    Attributes:
        descriptor: The number of the socket, while it is open.
        waits: What the thread of this connection is blocked on.
        given: Octets that the kernel took for sending; our end of stream counts as one.
        patience: Seconds without progress after which a wait expires.
        step_aside: Called before a long wait, on the thread that will wait.
        deadline: When a parked connection's patience is over, by the monotonic clock.
        heard: Whether the leading thread listens to the connection.
        bell: Rung when a wait begins or ends for good.
        released: Set by an observer that ends the play; the next wake-up obeys it.
        moving: Held for the end of a wait; an observer that acts for a waiting thread holds it.
    """

    __slots__ = (
        "_diagnosis",
        "_ends",
        "_question",
        "bell",
        "deadline",
        "descriptor",
        "given",
        "heard",
        "moving",
        "patience",
        "released",
        "sock",
        "step_aside",
        "waits",
    )

    def __init__(
        self,
        sock: socket.socket,
        near: tuple[str, int],
        far: tuple[str, int],
        patience: float,
        diagnosis: Diagnosis,
        bell: Bell,
    ) -> None:
        self.sock = sock
        self.descriptor = sock.fileno()
        self.waits = Wait.NOTHING
        self.given = 0
        self.bell = bell
        self.released = False
        self.moving = threading.Lock()
        self._ends = near, far
        self.patience = patience
        self.step_aside: Callable[[], None] = _stay
        self.deadline = math.inf
        self.heard = False
        self._diagnosis = diagnosis
        self._question = b""

    @property
    def source(self) -> str:
        """The address from which the client connected, without its port."""
        return self._ends[1][0]

    def peer(self) -> Peer | None:
        """The client's socket as its kernel sees it; None where that cannot be known."""
        if not self._question:
            self._question = question(*self._ends)
        return self._diagnosis.peer(self._question)

    def wait_for(self, waits: Wait) -> None:
        """Say what the thread is going to be blocked on."""
        self.waits = waits
        self.bell.ring()

    def await_room(self) -> None:
        """Wait until the kernel takes octets again."""
        if not self._poll(select.POLLOUT, Wait.ROOM, self.patience):
            raise Expired

    def await_closing(self, seconds: float | None = None) -> None:
        """Wait until the client gives its end up, or the time is over.

        Args:
            seconds: How long; None for as long as it takes.
        """
        waits = Wait.CLOSING if seconds is None else Wait.TIME
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        if not self._poll(_CLOSED, waits, seconds):
            return
        # An end of stream can be half a closing: the client may wait for what we have to say.
        while self._is_held() and (left := deadline - time.monotonic()) > 0:
            self._poll(_RESET, waits, min(left, _LOOK_AGAIN))

    def _is_held(self) -> bool:
        peer = self.peer()
        return peer is not None and peer.held

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
        while not self.released:
            peer = self.peer()
            if peer is None:
                raise Expired("the client's queue cannot be seen on this system")
            if not (peer.held or (peer.ending and peer.received >= self.given)):
                self._judge_closing()
                return
            took = peer.received - peer.unread
            if took >= self.given:
                return
            if took > before:
                before, since, nap = took, time.monotonic(), 0.0
            elif time.monotonic() - since > self.patience:
                raise Expired
            time.sleep(nap)
            nap = min(nap + 2e-6, 1e-3)
        raise Released

    def _judge_closing(self) -> None:
        """The client has given its end up: in order, with all taken, or by a reset."""
        poll = select.poll()
        poll.register(self.sock, _CLOSED)
        happened = poll.poll(self.patience * 1000)
        if self.released:
            raise Released
        if not happened:
            raise Expired
        if happened[0][1] & _RESET:
            raise PeerReset

    def await_name(self, wait: Callable[[float], bool]) -> None:
        """Wait for an event that is not the client's; `wait` gets the patience in seconds."""
        self.step_aside()
        self.wait_for(Wait.NAME)
        happened = wait(self.patience)
        self.waits = Wait.NOTHING
        if self.released:
            raise Released
        if not happened:
            raise Expired

    def _poll(self, mask: int, waits: Wait, seconds: float | None) -> bool:
        self.step_aside()
        poll = select.poll()
        poll.register(self.sock, mask)
        self.wait_for(waits)
        if self.released:  # whoever releases after this line sees what to wake
            raise Released
        happened = poll.poll(None if seconds is None else seconds * 1000)
        with self.moving:
            self.waits = Wait.NOTHING
        if self.released:
            raise Released
        return bool(happened)

    def wake(self) -> None:
        """Wake a blocked thread, without a byte on the wire unless it is blocked in writing."""
        how = socket.SHUT_RDWR if self.waits is Wait.ROOM else socket.SHUT_RD
        try:
            self.sock.shutdown(how)
        except OSError:  # gone already: the thread wakes by itself
            return
