"""What the leading thread listens to: the door, an alarm, and connections whose next step reads.

In come sockets and parked sessions, out come the descriptors that can be read. A parked session
costs no thread and, once it is known here, no call to the kernel: the thread that hears its octets
plays it on. Whoever takes a session out of `parked` owns it; there is one such taker, because a
dictionary gives a key away once. Where there is no epoll, nothing is parked.
"""

import contextlib
import select
import socket

from mockserver._session import Session


class Ears:
    """Hears connections that come, alarms, and octets for parked sessions.

    Attributes:
        parked: The sessions that wait for octets, by their descriptors.
    """

    can_park = hasattr(select, "epoll")

    def __init__(self, *sockets: socket.socket) -> None:
        self.parked: dict[int, Session] = {}
        self._epoll = select.epoll() if self.can_park else None
        self._poll = select.poll()
        for sock in sockets:
            self.attend(sock)

    def attend(self, sock: socket.socket) -> None:
        """Listen to a socket too, until it is closed."""
        (self._epoll or self._poll).register(sock.fileno(), select.POLLIN)

    def forget(self, sock: socket.socket) -> None:
        """Listen to a socket no more; it may be closed already."""
        with contextlib.suppress(OSError, KeyError, ValueError):
            (self._epoll or self._poll).unregister(sock)

    def hear(self, seconds: float | None) -> list[tuple[int, int]]:
        """Wait; returns the descriptors that can be read, each with what happened to it.

        Args:
            seconds: How long to wait; None for as long as it takes.
        """
        if self._epoll is not None:
            return self._epoll.poll(seconds)
        return self._poll.poll(None if seconds is None else seconds * 1000)

    def park(self, session: Session) -> None:
        """Keep a session until octets come for it."""
        wire = session.wire
        if not wire.heard:
            wire.heard = True
            self.attend(wire.sock)
        self.parked[wire.descriptor] = session  # last: from here on another may close it

    def take(self, session: Session) -> bool:
        """Take a session out, for one that ends it; whether it was parked."""
        descriptor = session.wire.descriptor
        if self.parked.get(descriptor) is not session:
            return False
        return self.parked.pop(descriptor, None) is session

    def expired(self, now: float) -> list[Session]:
        """Take out the sessions whose time is over."""
        late = [one for one in tuple(self.parked.values()) if one.wire.deadline < now]
        return [one for one in late if self.take(one)]

    def close(self) -> list[Session]:
        """Listen to nothing; returns the sessions that were parked."""
        if self._epoll is not None:
            self._epoll.close()
        left = list(self.parked.values())
        self.parked.clear()
        return left
