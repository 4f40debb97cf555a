"""`HTTP` and `HTTPS`, the interface of Python 1.5.2, thin over the connections.

Calls of the old names come in and go to a connection that speaks HTTP/1.0 and adds no field by
itself. One object serves one request; new code has no reason to use it.
"""

from __future__ import annotations

from io import BufferedReader, RawIOBase

from ._connection import HTTPConnection
from ._exceptions import BadStatusLine
from ._message import HTTPMessage
from ._response import HTTPResponse
from ._tls import HTTPSConnection
from ._types import Any, SSLContext


class _Body(RawIOBase):
    """A response body as a raw file."""

    def __init__(self, response: HTTPResponse) -> None:
        super().__init__()
        self._response = response

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        octets = self._response.read(len(room))
        room[: len(octets)] = octets
        return len(octets)

    def close(self) -> None:
        self._response.close()
        super().close()


class HTTP:
    """One request in the style of Python 1.5.2.

    Args:
        host: as for `HTTPConnection`; `connect` can give another one.
        port: as for `HTTPConnection`; 0 for the default.
        strict: as for `HTTPConnection`.

    Attributes:
        headers: the header section of the reply; None before it, and where there is none.
        file: the body of the reply as a file; None before it, and behind `close`.
    """

    debuglevel = 0
    _connection_class: type[HTTPConnection] = HTTPConnection

    def __init__(self, host: str = "", port: int | None = None, strict: int | None = None) -> None:
        self._setup(self._connection_class(host, port or None, strict))

    def _setup(self, conn: HTTPConnection) -> None:
        conn._http_vsn, conn._http_vsn_str = 10, "HTTP/1.0"
        self._conn = conn
        self.send = conn.send
        self.putrequest = conn.putrequest
        self.putheader = conn.putheader
        self.endheaders = conn.endheaders
        self.set_debuglevel = conn.set_debuglevel
        self.headers: HTTPMessage | None = None
        self.file: BufferedReader | None = None

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
        # No read-ahead: a read waits for the octets that it asks for, and for no others.
        self.file = BufferedReader(_Body(response), buffer_size=1)
        return response.status or 0, response.reason, response.msg

    def getfile(self) -> BufferedReader | None:
        """The body of the reply as a file."""
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

    def __init__(
        self,
        host: str = "",
        port: int | None = None,
        key_file: str | None = None,
        cert_file: str | None = None,
        strict: int | None = None,
        context: SSLContext | None = None,
    ) -> None:
        self.key_file = key_file
        self.cert_file = cert_file
        self._setup(
            HTTPSConnection(host, port or None, key_file, cert_file, strict, context=context)
        )
