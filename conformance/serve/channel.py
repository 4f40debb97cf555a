"""One accepted connection: octets in and out, in clear or inside TLS, all of it bounded and noted.

In: octets to write.  Out: octets that arrived, in a buffer from which steps take them, and the
events of the transcript.  What ends a play early is raised as `Over`.  Where a request ends is the
mock server's to say.
"""

import contextlib
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fcntl import ioctl
from typing import Literal, TypeVar

from mockserver import EndOfStream, Event, Inbox, Piece, read_request

T = TypeVar("T")

_BLOCK = 1 << 16
_CLOSING = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
_LONGEST_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What nobody can exceed.

    Args:
        stall: seconds that any single wait lasts.
        octets: octets that one play reads and writes.
        connections: connections that are open at once.
    """

    stall: float = 10.0
    octets: int = 1 << 26
    connections: int = 256


class Over(Exception):
    """Nothing more can be played on this connection; the text says why."""


class BeyondBounds(Over):
    """A bound has been reached."""


class Channel:
    """A connection that is being served; used by one thread.

    Attributes:
        buffer: What has arrived and no step has taken.
        events: The transcript of the play under way.
        ended: Whether our stream is ended, or the connection reset.
    """

    def __init__(self, sock: socket.socket, bounds: Bounds) -> None:
        self.buffer = bytearray()
        self.events: list[Event] = []
        self.ended = False
        self.bounds = bounds
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._taken = self._given = self._spent = 0
        self._inbox = Inbox(self._arriving, self.buffer)
        sock.settimeout(bounds.stall)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin(self, events: list[Event]) -> None:
        """Begin a play: note what happens in *events*, and count from nothing."""
        self.events = events
        self._taken = self._given = self._spent = 0

    def note(self, text: str) -> None:
        """Put a line without octets into the transcript."""
        self._event("note", 0, b"", text)

    def receive(self) -> bool:
        """Wait for octets; False at the client's end of stream.

        Raises:
            Over: none came in time, too many came, or the connection broke.
        """
        data = self._arriving()
        self.buffer += data
        return bool(data)

    def head(self) -> bytes | None:
        """Wait for the head of a request, and leave it in the buffer; None at an end of stream."""
        try:
            too_long = read_request(self._inbox, _LONGEST_HEAD, lambda _: False)
        except EndOfStream:
            return None
        if too_long:
            raise BeyondBounds(f"a head of more than {_LONGEST_HEAD} octets, the limit")
        head = self._inbox.take()
        self.buffer[:0] = head
        return head

    def take_request(self, limit: int, with_body: Callable[[bytes], bool]) -> None:
        """Wait for a request, take it, and note it.

        Args:
            limit: how many octets it has at most; of a longer one, so many are taken.
            with_body: tells of a head whether the body that it announces is waited for.

        Raises:
            Over: the client ended its stream first, or what `receive` raises.
        """
        try:
            oddity = read_request(self._inbox, limit, with_body)
        except EndOfStream:
            raise Over("the client ended its stream") from None
        finally:
            self._took(self._inbox.take(), "request")
        if oddity:
            self.note(oddity)

    def take(self, count: int, role: str = "data") -> bytes:
        """Take *count* octets out of the buffer, and note them."""
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        self._took(data, role)
        return data

    def write(self, pieces: Iterable[Piece]) -> None:
        """Send pieces in one write.

        They are noted first: whoever has seen the octets finds them in the transcript.

        Raises:
            Over: the client takes nothing for too long, or is gone.
        """
        data = b""
        for role, part in pieces:
            if part:
                self._event(">", self._given, part, role)
                self._given += len(part)
                data += part
        self._spend(len(data))
        if self._tls is None:
            self._send(data)
        else:
            self._pump(self._tls, lambda tls: tls.write(data) if data else 0)
            self._flush()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Do a handshake as the server; what is in the buffer belongs to it.

        Raises:
            Over: it came to nothing.
        """
        self._incoming.write(bytes(self.buffer))
        self.buffer.clear()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._pump(tls, ssl.SSLObject.do_handshake)
        self._flush()
        self._tls = tls
        self.note(f"TLS established: {tls.version()}")

    def drain(self) -> None:
        """Wait until the client's kernel has everything that was sent.

        Raises:
            Over: it takes nothing for too long, or the connection broke.
        """
        deadline = time.monotonic() + self.bounds.stall
        poll = select.poll()
        poll.register(self._sock, 0)
        while self._queued():
            if time.monotonic() > deadline:
                raise BeyondBounds(f"nothing was taken for {self.bounds.stall:g} s, the limit")
            if poll.poll(1):
                raise Over("the client reset the connection")

    def wait_for_closing(self) -> None:
        """Wait until the client gives its end up, for as long as a wait may last."""
        if self._poll(_CLOSING, self.bounds.stall):
            self.note("the client closed its end")
        else:
            raise BeyondBounds(f"silent for {self.bounds.stall:g} s, the limit")

    def pause(self, seconds: float) -> None:
        """Be silent for so many seconds, or until the connection breaks."""
        self._poll(0, min(seconds, self.bounds.stall))

    def end(self) -> None:
        """End our stream in order; what the client still sends can be read."""
        if self.ended:
            return
        self.ended = True
        self.note("fin sent")
        with contextlib.suppress(Over, OSError, ssl.SSLError):
            if self._tls is not None:
                self._say_goodbye(self._tls)
            self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset the connection."""
        self.ended = True
        self.note("rst sent")
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def close(self) -> None:
        """Close; behind a stream ended in order, the client's own end is waited for first."""
        if self.ended and self._sock.fileno() >= 0:
            with contextlib.suppress(Over):
                while data := self._received():
                    self._spend(len(data))
        self._sock.close()

    def break_off(self) -> None:
        """Wake, from another thread, whoever waits here; nothing more can be read or written."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _arriving(self) -> bytes:
        data = self._received() if self._tls is None else self._decrypted(self._tls)
        self._spend(len(data))
        return data

    def _took(self, data: bytes, role: str) -> None:
        if data:
            self._event("<", self._taken, data, role)
            self._taken += len(data)

    def _event(self, direction: Literal["<", ">", "note"], at: int, data: bytes, role: str) -> None:
        self.events.append(Event(direction, at, data, role, -1))

    def _spend(self, count: int) -> None:
        self._spent += count
        if self._spent > self.bounds.octets:
            raise BeyondBounds(f"more than {self.bounds.octets} octets, the limit")

    def _received(self) -> bytes:
        try:
            return self._sock.recv(_BLOCK)
        except TimeoutError:
            raise BeyondBounds(
                f"the client sent nothing for {self.bounds.stall:g} s, the limit"
            ) from None
        except OSError:
            raise Over("the client reset the connection") from None

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise BeyondBounds(
                f"nothing was taken for {self.bounds.stall:g} s, the limit"
            ) from None
        except OSError:
            raise Over("the client reset the connection") from None

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        try:
            return self._pump(tls, lambda tls: tls.read(_BLOCK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _pump(self, tls: ssl.SSLObject, work: Callable[[ssl.SSLObject], T]) -> T:
        """Do *work*, and feed TLS from the socket for as long as it wants."""
        while True:
            try:
                return work(tls)
            except ssl.SSLWantReadError:
                self._flush()
                if data := self._received():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                if self._tls is not None:
                    raise
                raise Over("the client ended its stream in the handshake") from None
            except ssl.SSLError as error:
                self._flush()
                raise Over(f"TLS broke: {error.reason or type(error).__name__}") from None

    def _say_goodbye(self, tls: ssl.SSLObject) -> None:
        """Send a close_notify; the client's own is not waited for."""
        with contextlib.suppress(ssl.SSLError):
            tls.unwrap()
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read())

    def _queued(self) -> int:
        """How many octets the client's kernel has not acknowledged; 0 where nobody can say."""
        try:
            answer = ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError:
            return 0
        return int(struct.unpack("i", answer)[0])

    def _poll(self, mask: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._sock, mask)
        return bool(poll.poll(seconds * 1000))
