"""One accepted socket: raw octets in and out, and how many.

In come octets to send, out come octets that arrived, or one of the endings. Octets are counted only
after the thread has said that it no longer waits for them, so that an observer who finds a waiting
thread and equal counts knows that nothing is on its way. Nothing here knows steps, requests or TLS.
"""

import socket
import struct

from mockserver._bell import Bell
from mockserver._blocking import Blocking, Wait
from mockserver._endings import Expired, PeerReset, Released
from mockserver._kernel import Diagnosis

_OCTETS, _NOTHING = Wait.OCTETS, Wait.NOTHING  # a member of an enum is slow to look up
BLOCK = 1 << 16
BRIEF = 0.002
"""Seconds that a wait for octets may take before another thread is asked to accept."""


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


class Wire(Blocking):
    """The raw connection.

    Attributes:
        taken: Octets read from the kernel; its end of stream is not counted.
        ended: Whether we have ended our stream.
        exhausted: Whether the end of the client's stream has come.
        brief: Whether the next wait for octets is a brief one.
    """

    __slots__ = ("_broken", "brief", "ended", "exhausted", "taken")

    def __init__(
        self,
        sock: socket.socket,
        near: tuple[str, int],
        far: tuple[str, int],
        patience: float,
        diagnosis: Diagnosis,
        bell: Bell,
    ) -> None:
        super().__init__(sock, near, far, patience, diagnosis, bell)
        self.taken = 0
        self.ended = False
        self.exhausted = False
        self._broken = False
        self.brief = True

    def read(self, *, patient: bool = True) -> bytes:
        """Wait for octets; `b""` is the end of the client's stream.

        Args:
            patient: Whether the wait may expire.
        """
        if self.waits is not _OCTETS:  # as it is while the connection is parked
            self.wait_for(_OCTETS)
        data: bytes | None = None
        try:
            data = self.sock.recv(BLOCK)
        except BlockingIOError:
            data = self._read_on(patient)
        except ConnectionError:
            pass
        self.waits = _NOTHING
        if self.released:
            raise Released
        if data is None:
            raise PeerReset
        self.taken += len(data)
        if not data:
            self._see_the_end()
        return data

    def _read_on(self, patient: bool) -> bytes | None:
        """The long wait, in which others accept; None for a reset."""
        if self.brief:
            self.step_aside()
            self.brief = False
            _set_receive_timeout(self.sock, self.patience)
        while True:
            try:
                return self.sock.recv(BLOCK)
            except BlockingIOError:
                if patient and not self.released:
                    self.waits = _NOTHING
                    raise Expired from None
            except ConnectionError:
                return None

    def become_brief(self) -> None:
        """Let the next wait for octets be a brief one again, with a thread that others wait for."""
        if not self.brief:
            self.brief = True
            _set_receive_timeout(self.sock, BRIEF)

    def write(self, data: bytes) -> None:
        """Give all octets to the kernel; waits while there is no room."""
        rest: bytes | memoryview = data
        while rest:
            try:
                count = self.sock.send(rest, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self.await_room()
                continue
            except ConnectionError:
                raise PeerReset from None
            self.given += count
            if self.released:
                raise Released
            if count == len(rest):
                return
            rest = memoryview(rest)[count:]

    def end(self) -> None:
        """End our stream in order; a client that is gone already does not matter."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # ENOTCONN: reset by the client
            return
        finally:
            self.ended = True
        self.given += 1

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
            self._broken = True
            raise PeerReset from None
        self.taken += len(data)
        if not data:
            self._see_the_end()
        return data

    def _see_the_end(self) -> None:
        """Tell an end of the stream from a reset, which the kernel tells once and then as an end.

        Raises:
            PeerReset: It is a reset that somebody has looked at before.
        """
        if self._broken:
            raise PeerReset
        self.exhausted = True
