"""Bytes in the notations of a case file.

The input is a string (each character from U+0000 to U+00FF is one byte), a `BytesTable`, or an
array of these. The output is `bytes` or, where the server's address may occur, a tuple of `bytes`
and `AddressHole` that `fill` completes at run time.

Braces in strings have no special meaning.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

_MOST = 64 << 20
"""The most bytes that a `repeat` may make; a typing error must not use up all memory."""

AddressPart = Literal["server", "host", "port"]


class BytesTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes that a plain string would not show well; exactly one of its notations is used."""

    hex: str | None = None
    base64: str | None = None
    repeat: str | None = None
    times: int | None = None
    file: str | None = None
    address: AddressPart | None = None


Bytes = str | BytesTable | list[str | BytesTable]


@dataclass(frozen=True, slots=True)
class AddressHole:
    """A place that the running server fills with ``127.0.0.1:4711``, its host, or its port."""

    part: AddressPart

    def text(self, host: str, port: int) -> str:
        """Return the text for this place when the server listens on *host* and *port*."""
        if self.part == "port":
            return str(port)
        written = f"[{host}]" if ":" in host else host
        return written if self.part == "host" else f"{written}:{port}"


Pieces = tuple[bytes | AddressHole, ...]


def octets(spec: Bytes) -> bytes:
    """Return the bytes of *spec*, which must not contain an address.

    Raises:
        CaseError: a character beyond U+00FF, an escape that is not valid, or an address.
    """
    found = pieces(spec)
    if any(isinstance(piece, AddressHole) for piece in found):
        raise CaseError("the server's address is not known here; it belongs in `wire` or in `args`")
    return b"".join(piece for piece in found if isinstance(piece, bytes))


def pieces(spec: Bytes) -> Pieces:
    """Return the bytes of *spec*, with holes in the place of the server's address."""
    parts = spec if isinstance(spec, list) else [spec]
    return tuple(_piece(part) for part in parts)


def joined(parts: Pieces) -> Pieces:
    """Return *parts* with neighbouring bytes joined into one piece."""
    whole: list[bytes | AddressHole] = []
    for part in parts:
        last = whole[-1] if whole else None
        if isinstance(part, bytes) and isinstance(last, bytes):
            whole[-1] = last + part
        else:
            whole.append(part)
    return tuple(whole)


def fill(parts: Pieces, host: str, port: int) -> bytes:
    """Return the bytes of *parts* for a server that listens on *host* and *port*."""
    return b"".join(
        part if isinstance(part, bytes) else part.text(host, port).encode("ascii") for part in parts
    )


def _piece(part: str | BytesTable) -> bytes | AddressHole:
    if isinstance(part, str):
        return latin1(part)
    ways = [
        way
        for way in (part.hex, part.base64, part.repeat, part.file, part.address)
        if way is not None
    ]
    if len(ways) != 1 or (part.repeat is None) != (part.times is None):
        raise CaseError(
            "bytes are written as exactly one of hex, base64, repeat with times, file, or address"
        )
    if part.address is not None:
        return AddressHole(part.address)
    if part.repeat is not None and part.times is not None:
        return _repeated(part.repeat, part.times)
    if part.file is not None:
        return _file(part.file)
    return _decoded(part)


def _repeated(text: str, times: int) -> bytes:
    if not 0 <= len(text) * times <= _MOST or times < 0:
        raise CaseError(f"`repeat` makes 0 to {_MOST} bytes", field="times")
    return latin1(text) * times


def _file(name: str) -> bytes:
    place = fixtures_directory().resolve()
    try:
        path = (place / name).resolve()
        if path.is_relative_to(place):
            return path.read_bytes()
    except OSError as error:
        raise CaseError(f"no file {name!r} among the fixtures: {error.strerror}") from None
    except ValueError as error:  # a NUL, which a path cannot contain
        raise CaseError(f"{name!r} is not a file name: {error}") from None
    raise CaseError(f"the file {name!r} is not among the fixtures")


def _decoded(part: BytesTable) -> bytes:
    try:
        if part.hex is not None:
            return bytes.fromhex(part.hex)
        return base64.b64decode(part.base64 or "", validate=True)
    except (ValueError, binascii.Error) as error:
        raise CaseError(f"cannot be decoded: {error}") from None


def latin1(text: str) -> bytes:
    """Return the bytes of *text*, one for each character.

    Raises:
        CaseError: a character beyond U+00FF.
    """
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        bad = text[error.start]
        raise CaseError(
            f"the character U+{ord(bad):04X} is not one byte; write bytes as \\u00XX"
        ) from None
