"""The receiving side of one connection: the only place that takes bytes from a socket.

A need comes in (a line, exactly n bytes, up to n), bytes go out. How much is *fetched* depends on
the request. Greedy reading takes whatever is there and keeps the rest; exact reading never takes a
byte after what was needed, because after a CONNECT or an upgrade it belongs to the caller. Nothing
received is ever lost: when a fetch fails, what was received before is kept. Nothing is parsed here
but line ends.
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

# The size of one fetch: it doubles when the server fills it; large ones are slow for few bytes.
BLOCK = 65536
_LARGEST_BLOCK = 8 * BLOCK

# Enough for the end of a chunk and the next size line.
_FEW = 64

# Let the kernel fill the whole buffer before the call returns: half of the time of a large body
# (`benchmarks.reference`, 64 MiB, read()).
# A socket with a timeout does not block in the kernel, and returns what is there nevertheless.
_WAIT = getattr(sockets, "MSG_WAITALL", 0)

# OpenSSL's option to take any end of TLS for a close_notify; older `ssl` has no name for it.
IGNORE_UNEXPECTED_EOF = 1 << 7


_SOCKET: Any = socket


def is_real(sock: object) -> bool:
    """Whether a socket is read directly: the type is that of a real one, and so is its `makefile`.

    Programs replace the class in `socket`, so both that of the import and that of now count.
    """
    kind: Any = type(sock)
    if kind is _SOCKET:  # the usual case
        return True
    reals: list[Any] = [one for one in (_SOCKET, sockets.socket) if isinstance(one, type)]
    return any(issubclass(kind, one) and kind.makefile is one.makefile for one in reals)


def is_transient(error: BaseException) -> bool:
    """Whether the same read may succeed later: a timeout, or a socket that does not block."""
    if isinstance(error, (TimeoutError, BlockingIOError, InterruptedError)):
        return True
    # By name, because ssl is imported only where it is used.
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def is_cut(error: BaseException) -> bool:
    """Whether it reports an end of TLS without close_notify; Python 3.11.2 has no class for it."""
    reason = getattr(error, "reason", None)
    return type(error).__name__ == "SSLEOFError" or reason == "UNEXPECTED_EOF_WHILE_READING"


class SocketSource:
    """Fetches from a socket, or from a raw file, whose `read` also returns what is there.

    Attributes:
        least: a need of at least so many bytes is fetched without the buffer.
        exact: whether to take no byte after a need; otherwise whatever is there is taken.
    """

    least = BLOCK

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.exact = False
        self._block = BLOCK
        # `recv_into` of a subclass, or over TLS, may accept no flags.
        self._flags = (0, _WAIT) if type(sock) is socket else ()
        self._pending = getattr(sock, "pending", None)  # TLS has a buffer of its own
        self._readable: Callable[[], object] | None = None

    def line(self, limit: int) -> Any:  # noqa: ARG002  # the shape of FileSource.line
        """Bytes of a line; if exact, one at a time, because its end is not known."""
        return self.sock.recv(1 if self.exact else BLOCK)

    def block(self, n: int) -> Any:
        """Up to n bytes, or what is there."""
        if self.exact:
            return self.sock.recv(n)
        data = self.sock.recv(self._block)
        if len(data) == self._block < _LARGEST_BLOCK:
            self._block *= 2
        return data

    def few(self, n: int) -> Any:
        """Up to n bytes, or up to 64 if that is more."""
        return self.sock.recv(n if self.exact else max(n, _FEW))

    def block_into(self, room: memoryview) -> Any:
        """As `socket.recv_into`."""
        return self.sock.recv_into(room, *self._flags)

    def is_ragged(self) -> bool:
        """Whether the stream, which has ended, was cut: in TLS, one that ends without close_notify.

        `ssl` reports such an end only while `suppress_ragged_eofs` is false, so the read is
        repeated with it: every read after the end has the same result, except that OpenSSL may be
        set to take an end for close_notify. Before 3.13 `ssl` hides a reset as well. The system
        still reports it: after a reset the socket has no peer. Nor has it one where a closed
        server resets what OpenSSL sends at such an end, an alert; that is an EPIPE.

        Raises:
            ConnectionResetError: it was a reset.
        """
        sock: Any = self.sock
        if not getattr(sock, "suppress_ragged_eofs", False):
            return False
        late = sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
        sock.suppress_ragged_eofs, ragged = False, False
        try:
            sock.recv(1)
        except OSError as error:
            ragged = is_cut(error)
            if not ragged:
                raise
        finally:
            sock.suppress_ragged_eofs = True
        try:
            if ragged or sock.context.options & IGNORE_UNEXPECTED_EOF:
                sock.getpeername()
        except OSError:
            if late != EPIPE:
                raise ConnectionResetError(ECONNRESET, "Connection reset by peer") from None
        return ragged

    def is_stale(self) -> bool:
        """Whether bytes, or the end of the stream, can be read although no response is due."""
        if self._readable is None:
            descriptor = self.sock.fileno()
            if descriptor < 0:
                return True
            self._readable = _readable_test(descriptor)
        if self._pending is None:
            return bool(self._readable())
        return self._pending() > 0 or (bool(self._readable()) and not self._is_only_tls())

    def _is_only_tls(self) -> bool:
        """Whether what is readable is not data: TLS 1.3 sends its session tickets late."""
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

    The `read` of such a file may block until it has n bytes, so n is never more than the response
    must still have.
    """

    least = 1

    def line(self, limit: int) -> Any:
        return self.sock.readline(limit)

    def block(self, n: int) -> Any:
        return self.sock.read(n)

    few = block

    def block_into(self, room: memoryview) -> Any:
        if hasattr(self.sock, "readinto"):
            return self.sock.readinto(room)
        data = self.sock.read(len(room))
        room[: len(data)] = data
        return len(data)


class _RawFile:
    """A raw file with the calls of a socket."""

    def __init__(self, file: RawIOBase) -> None:
        self.recv, self.recv_into = file.read, file.readinto


def _file_source(file: Any) -> SocketSource:
    return SocketSource(_RawFile(file)) if isinstance(file, RawIOBase) else FileSource(file)


def is_stale(sock: Any) -> bool:
    """As `Reader.is_stale`, of a socket-like, which may lack everything but `sendall`."""
    try:
        can_be_asked = hasattr(sock, "recv") and isinstance(sock.fileno(), int)
    except (AttributeError, OSError):
        return False
    return can_be_asked and SocketSource(sock).is_stale()


def _readable_test(descriptor: int) -> Callable[[], object]:
    """A call that is true where bytes or an end can be read, or the socket is closed."""
    if not hasattr(select, "poll"):
        return lambda: select.select([descriptor], [], [], 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return partial(poll.poll, 0)


class Reader:
    """What one connection has received and not yet returned.

    Args:
        sock: a socket, or an object with `makefile(mode, bufsize)`, which is called once.
        before: the last reader of the same socket, which may have received more than it returned.

    Attributes:
        sock: the same.
        source: what fetches; whether it is `exact` depends on the request.
        broken: True once it is not known where the next response would begin.
        is_file: whether a file of the socket is read, which serves one response.
        handed_over: True once the socket belongs to the caller.
        cut: True once the stream has ended without its proper end.
    """

    def __init__(self, sock: Any, before: Reader | None = None) -> None:
        self.sock = sock
        self.broken = self.handed_over = self.cut = False
        # What `release` closes: the file that is read; or else one that is never read, and keeps
        # the socket open, because the standard library counts the files of a socket.
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
        """End `hold`; a socket whose owner has closed it is closed now, and so is the file."""
        hold, self._hold = self._hold, None
        if hold:
            hold.close()

    def is_stale(self) -> bool:
        """Whether no request may start here: leftover bytes would be taken for its response."""
        if self.broken or self._failure:
            return True
        if self.handed_over:
            return False
        if self._start < len(self._buffer):
            return not self.is_file or hasattr(self.sock, "recv")
        return is_stale(self.sock) if self.is_file else self.source.is_stale()

    def _fetch(self, fetch: Any, need: Any) -> Any:
        """Call one method of the source; an error other than a timeout is final."""
        if self._failure:
            raise self._failure.with_traceback(None)
        try:
            data = fetch(need)
            if not data:
                if data is None:
                    raise BlockingIOError("the file of a socket-like has nothing yet")
                self.cut = self.source.is_ragged()
            return data
        except OSError as error:
            if is_cut(error):  # of a socket that does not hide it
                self.cut = True
                return 0 if isinstance(need, memoryview) else b""
            if not is_transient(error):
                self._failure = error
            raise

    def line(self, line_type: str = "header line") -> bytes:
        """The next line with its end; at the end of the stream what is left, then nothing.

        Raises:
            LineTooLong: more than 65,536 bytes, the line's end included.
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
        """Fetch until the buffer has a line end, or more than a line may have."""
        pieces = [self._buffer[self._start :]]
        missing = _grammar.MAX_LINE + 1 - len(pieces[0])
        try:
            while missing > 0:
                data = self._fetch(self.source.line, missing)
                pieces.append(data)
                missing -= len(data)
                if not data or data.find(b"\n") >= 0:
                    break
        finally:
            self._buffer, self._start = b"".join(filter(None, pieces)), 0

    def at_once(self, n: int) -> bytes:
        """N bytes if the buffer has them, or one fetch without the buffer; else fewer."""
        start, here = self._start, len(self._buffer) - self._start
        if not here and self.source.least <= n <= 4 * BLOCK:
            return bytes(self._fetch(self.source.few, n))
        if here < n:
            return b""
        self._start += n
        return self._buffer[start : start + n]

    def unread(self, data: bytes) -> None:
        """Put bytes back at the front."""
        self._buffer = data + self._buffer[self._start :]
        self._start = 0

    def exactly(self, n: int) -> bytes:
        """N bytes, fewer at the end of the stream; for a few bytes."""
        while len(self._buffer) - self._start < n:
            have = self._buffer[self._start :]
            data = self._fetch(self.source.few, n - len(have))
            self._buffer, self._start = have + data, 0
            if not data:
                break
        data = self._buffer[self._start : self._start + n]
        self._start += len(data)
        return data

    def decode(self, decode: Any, fetch: bool = False) -> Any:
        """Decode what is in the buffer, as far as possible.

        Args:
            decode: called with the bytes and where they begin; returns what it found, and where
                that ends.
            fetch: whether to fetch once if the buffer is empty.

        Raises:
            OSError: the fetch failed; after a timeout the call can be repeated.
        """
        if fetch and self._start == len(self._buffer):
            self._buffer, self._start = self._fetch(self.source.line, _grammar.MAX_LINE + 1), 0
        found, self._start = decode(self._buffer, self._start)
        return found

    def read_file(self, decode: Any, store: Store, room: int) -> bool:
        """Decode from the file of a socket-like, if there is one and the buffer is empty.

        Args:
            decode: called with this reader, the store, and the room; returns whether it decoded.
            store: where to.
            room: how many bytes are needed.

        Raises:
            OSError: the file raised it.
        """
        if self._start < len(self._buffer) or not isinstance(self.source, FileSource):
            return False
        return bool(self._fetch(partial(decode, self, store), room))

    def collect(self, store: Store, n: int, direct: int = _LARGEST_BLOCK) -> bool:
        """Append n bytes to the store, fewer at the end of the stream.

        Args:
            store: where to.
            n: how many.
            direct: at least so many are received into the store without the buffer.

        Returns:
            False where the stream ended before.

        Raises:
            OSError: the fetch failed; what was received before is in the store.
        """
        while n:
            if self._start == len(self._buffer):
                if n >= direct:
                    return store.receive(partial(self._fetch, self.source.block_into), n)
                self._buffer, self._start = b"", 0  # free it first: recv reuses memory in cache
                self._buffer = self._fetch(self.source.block, n)
                if not self._buffer:
                    return False
            with memoryview(self._buffer)[self._start : self._start + n] as data:
                store.append(data)
                self._start += len(data)
                n -= len(data)
        return True
