"""One accepted socket: raw octets in and out, counted, and what its thread is waiting for.

In come octets to send and waits to make, out come octets or one of the endings. A thread says what
it waits for *before* it blocks and takes it back *after*, before it counts: with the kernel's own
count an observer can tell a thread that is really blocked from one that is about to move. Nothing
here knows steps, requests or TLS.
"""

import enum
import select
import socket
import struct
import time
from collections.abc import Callable

from mockserver._bell import Bell
from mockserver._endings import Expired, PeerReset, Released
from mockserver._kernel import Diagnosis, Peer, question

BLOCK = 1 << 16
BRIEF = 0.002
"""Seconds that a wait for octets may take before another thread is asked to accept."""
_CLOSED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


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


class Wire:
    """The raw connection.

    Attributes:
        waits: What the thread of this connection is blocked on.
        taken: Octets read from the kernel; its end of stream is not counted.
        given: Octets that the kernel took for sending; our end of stream counts as one.
        bell: Rung when a wait begins or ends for good.
        released: Set by an observer that ends the play; the next wake-up obeys it.
        ended: Whether we have ended our stream.
    """

    def __init__(
        self,
        sock: socket.socket,
        near: tuple[str, int],
        far: tuple[str, int],
        patience: float,
        diagnosis: Diagnosis,
        bell: Bell,
        step_aside: Callable[[], None],
    ) -> None:
        self.sock = sock
        self.waits = Wait.NOTHING
        self.taken = 0
        self.given = 0
        self.released = False
        self.ended = False
        self._patience = patience
        self._diagnosis = diagnosis
        self._step_aside = step_aside
        self.bell = bell
        self._ends = near, far
        self._question = b""
        self._brief = True

    @property
    def source(self) -> str:
        """The address from which the client connected, without its port."""
        return self._ends[1][0]

    def wait_for(self, waits: Wait) -> None:
        """Say what the thread is going to be blocked on."""
        self.waits = waits
        self.bell.ring()

    def read(self, *, patient: bool = True) -> bytes:
        """Wait for octets; `b""` is the end of the client's stream.

        Args:
            patient: Whether the wait may expire.
        """
        self.wait_for(Wait.OCTETS)
        data: bytes | None = None
        try:
            data = self.sock.recv(BLOCK)
        except BlockingIOError:
            data = self._read_on(patient)
        except ConnectionError:
            pass
        self.waits = Wait.NOTHING
        if self.released:
            raise Released
        if data is None:
            raise PeerReset
        self.taken += len(data)
        return data

    def _read_on(self, patient: bool) -> bytes | None:
        """The long wait, in which others accept; None for a reset."""
        if self._brief:
            self._step_aside()
            self._brief = False
            _set_receive_timeout(self.sock, self._patience)
        while True:
            try:
                return self.sock.recv(BLOCK)
            except BlockingIOError:
                if patient and not self.released:
                    self.waits = Wait.NOTHING
                    raise Expired from None
            except ConnectionError:
                return None

    def write(self, data: bytes) -> None:
        """Give all octets to the kernel; waits while there is no room."""
        rest: bytes | memoryview = data
        while rest:
            try:
                count = self.sock.send(rest, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._await_room()
                continue
            except ConnectionError:
                raise PeerReset from None
            self.given += count
            if self.released:
                raise Released
            rest = memoryview(rest)[count:]

    def _await_room(self) -> None:
        if not self._poll(select.POLLOUT, Wait.ROOM, self._patience):
            raise Expired

    def await_closing(self, seconds: float | None = None) -> bool:
        """Wait until the client closes its end, in any way, or the time is over.

        Returns:
            Whether it closed.
        """
        waits = Wait.CLOSING if seconds is None else Wait.TIME
        return self._poll(_CLOSED, waits, seconds)

    def _poll(self, mask: int, waits: Wait, seconds: float | None) -> bool:
        self._step_aside()
        poll = select.poll()
        poll.register(self.sock, mask)
        self.wait_for(waits)
        if self.released:  # whoever releases after this line sees what to wake
            raise Released
        happened = poll.poll(None if seconds is None else seconds * 1000)
        self.waits = Wait.NOTHING
        if self.released:
            raise Released
        return bool(happened)

    def await_taking(self) -> None:
        """Wait until the client has read everything that was given to the kernel.

        It asks for the client's own count, which needs no acknowledgement to arrive here.

        A client that closes in order has taken everything; one that does not resets.

        Raises:
            PeerReset: The client gave its end up before it had taken everything.
            Expired: It took nothing for too long, or the kernel cannot be asked.
        """
        self._step_aside()
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
            if not peer.held:
                self._judge_closing()
                return
            took = peer.received - peer.unread
            if took >= self.given:
                return
            if took > before:
                before, since, nap = took, time.monotonic(), 0.0
            elif time.monotonic() - since > self._patience:
                raise Expired
            time.sleep(nap)
            nap = min(nap + 2e-6, 1e-3)
        raise Released

    def _judge_closing(self) -> None:
        """The client has given its end up: in order, with all taken, or by a reset."""
        poll = select.poll()
        poll.register(self.sock, _CLOSED)
        happened = poll.poll(self._patience * 1000)
        if self.released:
            raise Released
        if not happened:
            raise Expired
        if happened[0][1] & select.POLLERR:
            raise PeerReset

    def await_name(self, wait: Callable[[float], bool]) -> None:
        """Wait for an event that is not the client's; `wait` gets the patience in seconds."""
        self._step_aside()
        self.wait_for(Wait.NAME)
        happened = wait(self._patience)
        self.waits = Wait.NOTHING
        if self.released:
            raise Released
        if not happened:
            raise Expired

    def end(self) -> None:
        """End our stream in order; a client that is gone already does not matter."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # ENOTCONN: reset by the client
            return
        finally:
            self.ended = True
        self.given += 1

    def peer(self) -> Peer | None:
        """The client's socket as its kernel sees it; None where that cannot be known."""
        if not self._question:
            self._question = question(*self._ends)
        return self._diagnosis.peer(self._question)

    def rest(self) -> bytes | None:
        """What can be read without waiting: octets, `b""` at the end, None for nothing yet.

        Raises:
            PeerReset: The connection has been reset.
        """
        try:
            data = self.sock.recv(BLOCK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:  # reset by either side
            raise PeerReset from None
        self.taken += len(data)
        return data

    def wake(self) -> None:
        """Wake a blocked thread, without a byte on the wire unless it is blocked in writing."""
        how = socket.SHUT_RDWR if self.waits is Wait.ROOM else socket.SHUT_RD
        try:
            self.sock.shutdown(how)
        except OSError:  # gone already: the thread wakes by itself
            return
