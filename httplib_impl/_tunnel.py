"""A tunnel through a proxy: one CONNECT, one answer, and then the socket belongs to the endpoint.

A connected socket comes in and is left exactly behind the head of the proxy's answer, so that TLS
or a request can follow. Nothing else is ever sent to the proxy: where it refuses, an exception
goes out.
"""

from __future__ import annotations

from socket import socket

from ._address import written
from ._constants import OK
from ._exceptions import UnknownProtocol
from ._head import Head
from ._reader import Reader


class Tunnel:
    """Where a tunnel leads, and what the CONNECT carries beside that.

    Args:
        host: the endpoint.
        port: its port.
        lines: field lines without their ends.
    """

    def __init__(self, host: str, port: int, lines: list[bytes]) -> None:
        self.host = host
        self.port = port
        self._lines = lines

    def open(self, sock: socket, strict: bool, debuglevel: int) -> None:
        """Send the CONNECT and read the head of its answer, without an octet behind it.

        Raises:
            OSError: the proxy did not answer 200 with a whole HTTP/1 head.
            BadStatusLine, LineTooLong, HTTPException: its answer is not understood.
        """
        # 2.7: HTTP/1.0, and no Host field.
        line = f"CONNECT {written(self.host)}:{self.port} HTTP/1.0".encode("ascii")
        request = b"\r\n".join([line, *self._lines, b"", b""])
        if debuglevel > 0:
            print("send:", ascii(request.decode("latin-1")))
        sock.sendall(request)
        reader = Reader(sock)
        reader.source.exact = True
        head = Head(strict, debuglevel)
        try:
            answer = head.read(reader)
        except UnknownProtocol as error:
            raise OSError(f"Tunnel connection failed: the proxy speaks {error.version}") from error
        if answer.version == 9:
            raise OSError("Tunnel connection failed: the proxy did not answer with a status line")
        if answer.status != OK:
            raise OSError(f"Tunnel connection failed: {answer.status} {answer.reason}")
        if not head.whole:
            raise OSError("Tunnel connection failed: the proxy closed the connection in its head")
