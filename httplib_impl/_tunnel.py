"""A tunnel through a proxy: one CONNECT, one response, and then the socket belongs to the endpoint.

An endpoint comes in and the bytes of a CONNECT go out; then a connected socket comes in, of which
exactly the head of the proxy's response is read, so that TLS or a request can follow. Nothing else
is ever sent to the proxy: where it refuses, an exception goes out.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._address import written
from ._constants import OK
from ._exceptions import UnknownProtocol
from ._head import Head
from ._reader import Reader
from ._request import field_line
from ._types import Any


def connect_request(host: str, port: int, headers: Mapping[str, object]) -> bytes:
    r"""Build a CONNECT.

    >>> connect_request("::1", 443, {"Proxy-Authorization": "x"})
    b'CONNECT [::1]:443 HTTP/1.0\r\nProxy-Authorization: x\r\n\r\n'

    2.7: HTTP/1.0, and no Host field.

    Raises:
        ValueError: a header cannot be sent.
    """
    line = f"CONNECT {written(host)}:{port} HTTP/1.0".encode("ascii", "replace")
    lines = [field_line(name, (value,)) for name, value in headers.items()]
    return b"\r\n".join([line, *lines, b"", b""])


def read_answer(sock: Any, strict: bool, debuglevel: int) -> None:
    """Read the head of the answer to a CONNECT, without a byte after it.

    Raises:
        OSError: the proxy did not answer 200 with a whole HTTP/1 head.
        BadStatusLine, LineTooLong, HTTPException: its answer is not understood.
    """
    reader = Reader(sock)
    reader.source.exact = True
    head = Head(strict, debuglevel)
    try:
        answer = head.read(reader)
    except UnknownProtocol as error:
        raise OSError(f"Tunnel connection failed: the proxy speaks {error.version}") from error
    refusal = "" if head.whole else "the proxy closed the connection in its head"
    if answer.version == 9:
        refusal = "the proxy did not answer with a status line"
    elif answer.status != OK:
        refusal = f"{answer.status} {answer.reason}"
    if refusal:
        raise OSError(f"Tunnel connection failed: {refusal}")
