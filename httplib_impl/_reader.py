"""The receiving side of one connection: the only place that takes octets from a socket.

Wants come in (a line, exactly n octets, up to n), octets go out. How much is *fetched* depends on
who may read the socket beside us. Greedy reading takes whatever is there and keeps the rest; exact
reading never takes an octet behind what was wanted, because behind a CONNECT or an upgrade it
belongs to someone else. Nothing received is ever lost: when a fetch fails, what came before stays
here. Nothing is parsed here but line ends.
"""

from __future__ import annotations

import select
import socket as sockets
from collections.abc import Callable
from errno import ECONNRESET, EPIPE
from functools import partial
from io import RawIOBase
from socket import socket

from . import _grammar
from ._exceptions import LineTooLong
from ._store import Store
from ._types import Any

# One fetch: it grows where the server fills it, for large ones are slow while little comes.
BLOCK = 65536
_LARGEST_BLOCK = 8 * BLOCK

# Enough for the end of a chunk and the next size line.
_FEW = 64

# Let the kernel fill all the room there is before it wakes us: half of the time of a large body.
# A socket with a timeout does not block in the kernel, and gives what is there all the same.
_WAIT = getattr(sockets, "MSG_WAITALL", 0)


_SOCKET: Any = socket


def is_real(sock: object) -> bool:
    """Whether a socket is read directly: the type is that of a real one, and so is its `makefile`.

    Programs replace the class in `socket`, so both that of the import and that of now count.
    """
    kind: Any = type(sock)
    if kind is _SOCKET:  # a class that stands in its place has another type
        return True
    reals: list[Any] = [one for one in (_SOCKET, sockets.socket) if isinstance(one, type)]
    return any(issubclass(kind, one) and kind.makefile is one.makefile for one in reals)


def is_transient(error: BaseException) -> bool:
    """Whether the same read may succeed later: a timeout, or a socket that does not block."""
    if isinstance(error, (TimeoutError, BlockingIOError, InterruptedError)):
        return True
    # By name, because ssl is imported for those only who use it.
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


class SocketSource:
    """Fetches from a socket, or from a raw file, whose `read` also gives what is there.

    Attributes:
        least: from how many octets on a fetch into nothing else is worth while.
        exact: whether nothing behind a want may be taken; else whatever is there is.
    """

    least = BLOCK

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.exact = False
        self._block = BLOCK
        # A subclass or an encrypted socket may know no flags.
        self._flags = (0, _WAIT) if type(sock) is socket else ()
        self._pending = getattr(sock, "pending", None)  # TLS keeps octets where poll cannot see
        self._readable: Callable[[], object] | None = None

    def line(self, limit: int) -> Any:  # noqa: ARG002  # the shape of FileSource.line
        """Octets of a line; exactly, that is one at a time, for nobody knows where it ends."""
        return self.sock.recv(1 if self.exact else BLOCK)

    def octets(self, n: int) -> Any:
        """Up to n octets, or what is there."""
        if self.exact:
            return self.sock.recv(n)
        octets = self.sock.recv(self._block)
        if len(octets) == self._block < _LARGEST_BLOCK:
            self._block *= 2
        return octets

    def few(self, n: int) -> Any:
        """Up to n octets, and hardly more even where more are there."""
        return self.sock.recv(n if self.exact else max(n, _FEW))

    def octets_into(self, room: memoryview) -> Any:
        """As `socket.recv_into`."""
        return self.sock.recv_into(room, *self._flags)

    def is_ragged(self) -> bool:
        """Whether the stream, which has ended, was cut: TLS says so by a close_notify that is due.

        `ssl` reports such an end only where it is asked to, and it is asked again: the answer is
        the same for every read after the end. Before 3.13 it hides a reset as well. The system
        still knows: after a reset there is no peer. Nor is there one where a server that has closed
        resets what OpenSSL sends it at such an end, an alert; that is an EPIPE.

        Raises:
            ConnectionResetError: it was a reset.
        """
        sock: Any = self.sock
        if not getattr(sock, "suppress_ragged_eofs", False):
            return False
        late = sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
        sock.suppress_ragged_eofs = False
        try:
            sock.recv(1)
            return False
        except OSError as error:
            if type(error).__name__ != "SSLEOFError":
                raise
        finally:
            sock.suppress_ragged_eofs = True
        try:
            sock.getpeername()
        except OSError:
            if late != EPIPE:
                raise ConnectionResetError(ECONNRESET, "Connection reset by peer") from None
        return True

    def is_stale(self) -> bool:
        """Whether octets, or the end of the stream, wait although no response is due."""
        if self._readable is None:
            descriptor = self.sock.fileno()
            if descriptor < 0:
                return True
            self._readable = _readable_test(descriptor)
        if self._pending is None:
            return bool(self._readable())
        return self._pending() > 0 or (bool(self._readable()) and not self._is_only_tls())

    def _is_only_tls(self) -> bool:
        """Whether what is readable is no data: TLS 1.3 sends its session tickets late."""
        timeout = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except OSError as error:
            return is_transient(error)
        finally:
            self.sock.settimeout(timeout)
        return False


class FileSource(SocketSource):
    """Fetches from the file that a socket-like makes for one response; always exactly.

    Such a file may wait until it has as many bytes as it is asked for, so no more is asked for than
    the response must still have.
    """

    least = 1

    def line(self, limit: int) -> Any:
        return self.sock.readline(limit)

    def octets(self, n: int) -> Any:
        return self.sock.read(n)

    few = octets

    def octets_into(self, room: memoryview) -> Any:
        if hasattr(self.sock, "readinto"):
            return self.sock.readinto(room)
        octets = self.sock.read(len(room))
        room[: len(octets)] = octets
        return len(octets)


class _RawFile:
    """A raw file with the calls of a socket: its `read` also returns what is there."""

    def __init__(self, file: RawIOBase) -> None:
        self.recv, self.recv_into = file.read, file.readinto


def _file_source(file: Any) -> SocketSource:
    return SocketSource(_RawFile(file)) if isinstance(file, RawIOBase) else FileSource(file)


def is_stale(sock: Any) -> bool:
    """As `Reader.is_stale`, of a socket-like, which may be no more than can be sent to."""
    try:
        can_be_asked = hasattr(sock, "recv") and isinstance(sock.fileno(), int)
    except (AttributeError, OSError):
        return False
    return can_be_asked and SocketSource(sock).is_stale()


def _readable_test(descriptor: int) -> Callable[[], object]:
    """A call that is true where octets or an end wait; also of a socket that was closed."""
    if not hasattr(select, "poll"):
        return lambda: select.select([descriptor], [], [], 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return partial(poll.poll, 0)


class Reader:
    """What one connection has received and not yet handed out.

    Args:
        sock: a socket, or an object with `makefile(mode, bufsize)`, which is called once.
        before: the last reader of the same socket, which may have received more than it gave out.

    Attributes:
        sock: the same.
        source: what fetches; whether it is `exact` depends on the request.
        broken: True once nobody knows where the next response would begin.
        is_file: whether a file of the socket is read, which serves one response.
        handed_over: True once the socket belongs to the caller.
        cut: True once the stream has ended in a way in which no whole stream ends.
    """

    def __init__(self, sock: Any, before: Reader | None = None) -> None:
        self.sock = sock
        self.broken = self.handed_over = self.cut = False
        # What `release` closes: the file that is read; or else one that is never read, and is the
        # standard library's way to count the users of a socket.
        self._hold: Any = None if is_real(sock) else sock.makefile("rb", 0)
        self.is_file = self._hold is not None
        self.source = _file_source(self._hold) if self.is_file else SocketSource(sock)
        self._buffer: bytes = before._buffer[before._start :] if before else b""
        self._start: int = 0
        self._failure: OSError | None = None

    def hold(self) -> None:
        """Keep the socket readable when its owner closes it, until `release`."""
        if self._hold is None and not self.is_file:
            self._hold = self.sock.makefile("rb", buffering=0)

    def release(self) -> None:
        """End `hold`; a socket whose owner has closed it is closed now, and so is a file."""
        hold, self._hold = self._hold, None
        if hold:
            hold.close()

    def is_stale(self) -> bool:
        """Whether a request must not start here: what waits would be taken for its response."""
        if self.broken or self._failure:
            return True
        if self.handed_over:
            return False
        if self._start < len(self._buffer):
            return not self.is_file or hasattr(self.sock, "recv")
        return is_stale(self.sock) if self.is_file else self.source.is_stale()

    def _fetch(self, fetch: Any, want: Any) -> Any:
        """Call one method of the source; an error other than a timeout is final."""
        if self._failure:
            raise self._failure.with_traceback(None)
        try:
            octets = fetch(want)
            if not octets:
                if octets is None:
                    raise BlockingIOError("the file of a socket-like has nothing yet")
                self.cut = self.source.is_ragged()
            return octets
        except OSError as error:
            if type(error).__name__ == "SSLEOFError":  # of a socket that does not hide it
                self.cut = True
                return 0 if isinstance(want, memoryview) else b""
            if not is_transient(error):
                self._failure = error
            raise

    def line(self, line_type: str = "header line") -> bytes:
        """The next line with its end; at the end of the stream what is left, at last nothing.

        Raises:
            LineTooLong: more than 65,536 octets, the line's end included.
            OSError: the fetch failed; after a timeout the call can be repeated.
        """
        start = self._start
        end = self._buffer.find(b"\n", start, start + _grammar.MAX_LINE) + 1
        if not end:
            self._gather_line()
            start = 0
            end = self._buffer.find(b"\n", 0, _grammar.MAX_LINE) + 1
            if not end:
                end = len(self._buffer)
                if end > _grammar.MAX_LINE:
                    raise LineTooLong(line_type)
        self._start = end
        return self._buffer[start:end]

    def _gather_line(self) -> None:
        """Fetch until a line end is here, or more than a line may have."""
        pieces = [self._buffer[self._start :]]
        missing = _grammar.MAX_LINE + 1 - len(pieces[0])
        try:
            while missing > 0:
                octets = self._fetch(self.source.line, missing)
                pieces.append(octets)
                missing -= len(octets)
                if not octets or octets.find(b"\n") >= 0:
                    break
        finally:
            self._buffer, self._start = b"".join(filter(None, pieces)), 0

    def at_once(self, n: int) -> bytes:
        """N octets where they are here, or can come in one fetch of a good size; else fewer."""
        start, here = self._start, len(self._buffer) - self._start
        if not here and self.source.least <= n <= 4 * BLOCK:
            return bytes(self._fetch(self.source.few, n))
        if here < n:
            return b""
        self._start += n
        return self._buffer[start : start + n]

    def unread(self, octets: bytes) -> None:
        """Put octets back in front."""
        self._buffer = octets + self._buffer[self._start :]
        self._start = 0

    def exactly(self, n: int) -> bytes:
        """N octets, fewer at the end of the stream; for a handful of octets."""
        while len(self._buffer) - self._start < n:
            have = self._buffer[self._start :]
            octets = self._fetch(self.source.few, n - len(have))
            self._buffer, self._start = have + octets, 0
            if not octets:
                break
        octets = self._buffer[self._start : self._start + n]
        self._start += len(octets)
        return octets

    def decode(self, decode: Any, fetch: bool = False) -> Any:
        """Let a decoder take what it understands from the octets that are here.

        Args:
            decode: called with the octets and where they begin; returns what it found, and where
                that ends.
            fetch: whether to fetch once where nothing is here.

        Raises:
            OSError: the fetch failed; after a timeout the call can be repeated.
        """
        if fetch and self._start == len(self._buffer):
            self._buffer, self._start = self._fetch(self.source.line, _grammar.MAX_LINE + 1), 0
        found, self._start = decode(self._buffer, self._start)
        return found

    def read_file(self, decode: Any, store: Store, room: int) -> bool:
        """Let a decoder read the file of a socket-like, if there is one and nothing is here.

        Args:
            decode: called with this reader, the store, and the room; returns whether it decoded.
            store: where to.
            room: the most memory to take, in bytes.

        Raises:
            OSError: the file raised it.
        """
        if self._start < len(self._buffer) or not isinstance(self.source, FileSource):
            return False
        return bool(self._fetch(partial(decode, self, store), room))

    def collect(self, store: Store, n: int, direct: int = _LARGEST_BLOCK) -> bool:
        """Append n octets to the store, fewer at the end of the stream.

        Args:
            store: where to.
            n: how many.
            direct: from how many on they go there without a stop in the buffer.

        Returns:
            False where the stream ended before.

        Raises:
            OSError: the fetch failed; what came before is in the store.
        """
        while n:
            if self._start == len(self._buffer):
                if n >= direct:
                    return store.receive(partial(self._fetch, self.source.octets_into), n)
                self._buffer, self._start = b"", 0  # its memory, still near, is filled again
                self._buffer = self._fetch(self.source.octets, n)
                if not self._buffer:
                    return False
            with memoryview(self._buffer)[self._start : self._start + n] as octets:
                store.append(octets)
                self._start += len(octets)
                n -= len(octets)
        return True
