"""`HTTP` and `HTTPS`, the interface of Python 1.5.2, thin over the connections.

Calls of the old names come in and go to a connection that uses HTTP/1.0 and adds no field
automatically. One object serves one request; new code has no reason to use it.
"""

from __future__ import annotations

from collections.abc import Callable
from io import RawIOBase

from ._connection import HTTPConnection
from ._exceptions import BadStatusLine
from ._message import HTTPMessage
from ._reader import Reader, is_transient
from ._store import ALL, Store
from ._tls import HTTPSConnection
from ._types import Any


class _RawFile(RawIOBase):
    """The bytes after the head of a reply as received, up to the end of the stream.

    A call that was given bytes returns them; what ended them is raised by the next one. A call
    that timed out can be repeated.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._reader.sock.fileno())

    def read(self, size: int | None = -1) -> bytes:
        n = ALL if size is None or size < 0 else size
        return self._gathered(lambda store: self._reader.collect(store, n))

    readall = read

    def readline(self, size: int | None = -1) -> bytes:
        n = -1 if size is None else size

        def gather(store: Store) -> None:
            while len(store) != n and (byte := self._reader.exactly(1)):
                store.append(byte)
                if byte == b"\n":
                    break

        return self._gathered(gather)

    def _gathered(self, gather: Callable[[Store], object]) -> bytes:
        store = Store()
        try:
            gather(store)
        except OSError as error:
            if is_transient(error):
                self._reader.unread(store.take(ALL))
                raise
            if not len(store):
                raise
        return store.take(ALL)

    def readinto(self, room: Any) -> int:
        data = self.read(len(room))
        room[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._reader.release()
        super().close()


class HTTP:
    """One request in the style of Python 1.5.2.

    Args:
        host: as for `HTTPConnection`; `connect` can give another one.
        port: as for `HTTPConnection`; 0 for the default.
        strict: as for `HTTPConnection`.

    Attributes:
        headers: the header section of the reply; None before it, and where there is none.
        file: what follows the head of the reply, as a raw file: no transfer coding is
            decoded and no length obeyed; None before the reply, and after `close`.
    """

    debuglevel = 0
    _connection_class: type[HTTPConnection] = HTTPConnection

    def __init__(self, host: str = "", port: int | None = None, strict: int | None = None) -> None:
        self._setup(self._connection_class(host, port or None, strict))

    def _setup(self, conn: HTTPConnection) -> None:
        conn._http_vsn, conn._http_vsn_str = 10, "HTTP/1.0"
        conn._exact_ = True  # the caller may read from, or poll, the descriptor of the file
        self._conn = conn
        self.send, self.putrequest, self.putheader = conn.send, conn.putrequest, conn.putheader
        self.endheaders, self.set_debuglevel = conn.endheaders, conn.set_debuglevel
        self.headers: HTTPMessage | None = None
        self.file: RawIOBase | None = None

    def connect(self, host: str | None = None, port: int | None = None) -> None:
        """Open the connection, to another host where one is given."""
        if host is not None:
            other = self._connection_class(host, port or None)
            self._conn.host, self._conn.port = other.host, other.port
        self._conn.connect()

    def getreply(self, buffering: bool = False) -> tuple[int, str | None, HTTPMessage | None]:
        """Read the head of the reply: its code, its reason, and its header section.

        A status line that is not understood gives ``(-1, line, None)`` and ends the connection.
        """
        try:
            response = self._conn.getresponse(buffering)
        except BadStatusLine as error:
            self.close()
            self.headers = None
            return -1, error.line, None
        self.headers = response.msg
        self.file = _RawFile(response._reader_ or response._own_reader_())
        return response.status or 0, response.reason, response.msg

    def getfile(self) -> RawIOBase | None:
        """What follows the head of the reply, as a raw file."""
        return self.file

    def close(self) -> None:
        """Close the connection; a file that the caller holds is not touched."""
        self._conn.close()
        self.file = None


class HTTPS(HTTP):
    """The same over TLS.

    Args:
        host: as for `HTTP`.
        port: as for `HTTP`.
        key_file: as for `HTTPSConnection`.
        cert_file: as for `HTTPSConnection`.
        strict: as for `HTTP`.
        context: as for `HTTPSConnection`.
    """

    _connection_class = HTTPSConnection

    def __init__(self, host: str = "", port: int | None = None, *more: Any, **named: Any) -> None:
        conn = HTTPSConnection(host, port or None, *more, **named)
        self.key_file, self.cert_file = conn.key_file, conn.cert_file
        self._setup(conn)
