"""What the head of a request announced and the connection has not sent yet.

Field lines of a request and the bytes that followed them come in; whether the message is whole
goes out. While it is not, a server takes whatever follows on the connection for the rest of the
body, so that no other request may be sent there (RFC 9112, 9.3). Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Generator

from ._chunked import DATA_END, NOTHING, Need, chunked_needs
from ._exceptions import HTTPException
from ._framing import content_length, transfer_codings
from ._headers import parse_fields
from ._store import ALL


class Remainder:
    r"""The rest of one request, true while there is one.

    >>> rest = Remainder([b"Content-Length: 5"])
    >>> rest.sent(b"hel")
    >>> bool(rest)
    True
    >>> rest.sent(b"lo")
    >>> bool(rest)
    False

    RFC 9112, 6.3, as a server reads it: a transfer coding decides before a length. Where the
    announcement itself is not valid no server can know the end, and the rest never ends.

    Args:
        lines: the field lines, without their ends.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._needs = _needs(lines)
        self._need: Need | int = next(self._needs)
        self._line = b""  # the beginning of a line whose end was not sent yet

    def __bool__(self) -> bool:
        return self._need is not NOTHING

    def sent(self, block: bytes) -> None:
        """Take note of bytes of the body that were sent; those after its end are ignored."""
        data, start = self._line + block, 0
        while self._need is not NOTHING:
            if isinstance(self._need, int):
                end = min(start + self._need, len(data))
                self._need -= end - start
                start = end
                if self._need:
                    break
                self._advance(b"")
            else:
                end = start + 2 if self._need is DATA_END else data.find(b"\n", start) + 1
                if not start < end <= len(data):
                    break
                self._advance(data[start:end])
                start = end
        self._line = data[start:]

    def _advance(self, block: bytes) -> None:
        try:
            self._need = self._needs.send(block)
        except HTTPException:  # the caller's chunks are malformed
            self._need = ALL


def _needs(lines: list[bytes]) -> Generator[Need | int, bytes, None]:
    fields = parse_fields(b"\r\n".join(lines))[0]
    codings = transfer_codings(fields)
    if codings[-1:] == [b"chunked"]:
        yield from chunked_needs()
    lengths = fields.get(b"content-length")
    length = ALL if codings else content_length(lengths) if lengths else 0
    if length is None or length:
        yield ALL if length is None else length
    yield NOTHING


def endless() -> Remainder:
    """The rest of a request of which it is not known how much was sent."""
    return Remainder([b"Transfer-Encoding: unknown"])
