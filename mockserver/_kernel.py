"""The kernel's facts about a connection: the peer's state and queues, our own counters.

In come sockets and addresses, out come plain numbers. Linux answers all of it without privileges
(inet_diag over netlink, `TCP_INFO`); elsewhere the answer is None, and the caller says
what cannot be found out. Nothing here waits for the network, reads a stream or changes a socket.
"""

import errno
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG; the socket module has no name for it
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_ATTEMPTS = 3
_ANY = 0xFFFFFFFF
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_SEQUENCE = struct.Struct("=I")  # nlmsg_seq, in a message and its answer
_SEQUENCE_AT = 8
_REQUEST = struct.Struct("=BBBxI")  # struct inet_diag_req_v2, up to its socket id
_PORTS = struct.Struct("!HH")
_REST = struct.Struct("=III")  # interface, and a cookie that matches any
_QUEUES = struct.Struct("=IIII")  # rqueue, wqueue, uid, inode of struct inet_diag_msg
_QUEUES_AT = 72
_ATTRIBUTES_AT = 88
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr
_INFO = 2  # INET_DIAG_INFO, a struct tcp_info
_WANT_INFO = 1 << (_INFO - 1)
_RECEIVED = struct.Struct("=Q")  # tcpi_bytes_received of struct tcp_info
_RECEIVED_AT = 128

ESTABLISHED, CLOSE_WAIT = 1, 8
_FIN_IN_FLIGHT = (4, 9, 11)  # FIN_WAIT1, LAST_ACK, CLOSING


class Peer(NamedTuple):
    """The other end of a connection, as its kernel reports it.

    Attributes:
        state: The TCP state, or 0 where there is no such socket any more.
        unread: Bytes that it has received and its owner has not read.
        unsent: Bytes (a FIN counts as one) that it has not got through yet.
        received: Bytes (a FIN counts as one) that its kernel has ever received.
        held: Whether a process still holds it.
    """

    state: int
    unread: int = 0
    unsent: int = 0
    received: int = 0
    held: bool = False

    @property
    def open(self) -> bool:
        """Whether its owner has closed nothing, not even half of it."""
        return self.state in (ESTABLISHED, CLOSE_WAIT)

    @property
    def ending(self) -> bool:
        """Whether its end of stream is on the way: perhaps after bytes that find no room."""
        return self.state in _FIN_IN_FLIGHT

    @property
    def quiet(self) -> bool:
        """Whether everything that it sent has arrived."""
        return self.unsent == 0 and not self.ending


def question(near: tuple[str, int], far: tuple[str, int]) -> bytes:
    """The netlink message that asks for the socket at `far` which is connected to `near`."""
    family = socket.AF_INET6 if ":" in near[0] else socket.AF_INET
    body = (
        _REQUEST.pack(family, socket.IPPROTO_TCP, _WANT_INFO, _ANY)
        + _PORTS.pack(far[1], near[1])
        + socket.inet_pton(family, far[0]).ljust(16, b"\0")
        + socket.inet_pton(family, near[0]).ljust(16, b"\0")
        + _REST.pack(0, _ANY, _ANY)
    )
    size = _HEADER.size + len(body)
    return _HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + body


class Diagnosis:
    """Asks the kernel about sockets that belong to others; safe to share between threads.

    Its netlink socket is opened when it is first asked, so one that is never asked costs nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._netlink: socket.socket | None = None
        self._open: Callable[[], socket.socket | None] = _open_netlink
        self._asked = 0

    def peer(self, message: bytes) -> Peer | None:
        """The socket that a `question` asks for; None where the kernel cannot be asked."""
        with self._lock:
            if self._netlink is None:
                self._netlink = self._open()
            if self._netlink is None:
                return None
            for _ in range(_ATTEMPTS):
                answer = self._ask(self._netlink, message)
                if _kind(answer) != _NLMSG_ERROR:
                    return _parse(answer)
                if _error(answer) == -errno.ENOENT:
                    return Peer(0)  # there is no such socket
        return None  # for want of memory, for instance: it has not searched

    def _ask(self, netlink: socket.socket, message: bytes) -> bytes:
        """Exchange a message, which gets a number here.

        An answer that an exception has left unread (Ctrl-C between the two calls) would without its
        number be taken for that to the next question, and so on for ever.
        """
        self._asked = (self._asked + 1) & 0xFFFFFFFF
        number = _SEQUENCE.pack(self._asked)
        at, end = _SEQUENCE_AT, _SEQUENCE_AT + _SEQUENCE.size
        netlink.send(message[:at] + number + message[end:])
        while (answer := netlink.recv(4096))[at:end] != number:
            pass
        return answer

    def close(self) -> None:
        """Give the netlink socket back; nothing is answered from then on."""
        with self._lock:
            self._open = _nothing
            if self._netlink is not None:
                self._netlink.close()
                self._netlink = None


def _nothing() -> None:
    return None


def _kind(answer: bytes) -> int:
    return int.from_bytes(answer[4:6], sys.byteorder)


def _error(answer: bytes) -> int:
    """The number of an error, which is negative, as in struct nlmsgerr."""
    return int.from_bytes(answer[_HEADER.size : _HEADER.size + 4], sys.byteorder, signed=True)


def _parse(answer: bytes) -> Peer:
    state = answer[17]
    unread, unsent, _, inode = _QUEUES.unpack_from(answer, _QUEUES_AT)
    # A FIN that waits to be read counts as a byte of the queue.
    unread -= state == CLOSE_WAIT and unread > 0
    return Peer(state, unread, unsent, _count(answer), inode != 0)


def _count(answer: bytes) -> int:
    """The bytes ever received, out of the answer's `tcp_info`; 0 where there is none."""
    at = _ATTRIBUTES_AT
    while at < len(answer):
        size, kind = _ATTRIBUTE.unpack_from(answer, at)
        if kind == _INFO:
            return int(_RECEIVED.unpack_from(answer, at + _ATTRIBUTE.size + _RECEIVED_AT)[0])
        at += (size + 3) & ~3
    return 0


def _open_netlink() -> socket.socket | None:
    if sys.platform != "linux":
        return None
    try:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
    except OSError:  # containers can forbid it
        return None


def received(sock: socket.socket) -> int | None:
    """How many bytes the kernel has ever received on a socket; a FIN counts as one."""
    if sys.platform != "linux":
        return None
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + _RECEIVED.size)
    if len(info) < _RECEIVED_AT + _RECEIVED.size:
        return None
    (count,) = _RECEIVED.unpack_from(info, _RECEIVED_AT)
    return int(count)
