"""Bytes in the notations of a case file.

The input is a string (each character from U+0000 to U+00FF is one byte), a `BytesTable`, or an
array of these. The output is `bytes` or, in what is expected, a tuple of `bytes`, of `AddressHole`
that `fill` completes at run time, and of `Recipe`: a body of megabytes is made a block at a time
while the server writes it, and while it is compared with what a client has read.

Braces in strings have no special meaning.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

if TYPE_CHECKING:  # listing cases must not import the mock server
    from mockserver import Recipe

_MOST = 64 << 20
"""The most bytes that a `repeat` may make; a typing error must not use up all memory."""
_SHORT = 1 << 16
"""The most bytes of a `repeat` that are made when a case is built; more are a recipe."""

LONG = 160
"""Length from which a pattern is searched for."""
_LITERAL = 2_000
"""Characters of a string that is written in full."""
_LONGEST_PATTERN = 64
_FEWEST = 8
"""Number of repetitions from which a pattern is written as one."""

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


Part: TypeAlias = "bytes | AddressHole | Recipe"
Pieces: TypeAlias = "tuple[Part, ...]"


def octets(spec: Bytes) -> bytes:
    """Return the bytes of *spec*, which must not contain an address.

    Raises:
        CaseError: a character beyond U+00FF, an escape that is not valid, or an address.
    """
    return bytes(short_or_recipe(spec))


def octets_text(spec: Bytes) -> str:
    """Return the bytes of *spec* as text, one character for each.

    Raises:
        CaseError: as `octets`.
    """
    found = short_or_recipe(spec)
    parts = ((found, 1),) if isinstance(found, bytes) else found.parts
    return "".join(unit.decode("latin-1") * times for unit, times in parts)


def short_or_recipe(spec: Bytes) -> "bytes | Recipe":
    """Return the bytes of *spec*, or how to make them where they are many.

    Raises:
        CaseError: as `octets`.
    """
    found = []
    for piece in pieces(spec):
        if isinstance(piece, AddressHole):
            problem = "the server's address is not known here; it belongs in `wire` or in `args`"
            raise CaseError(problem)
        found.append(piece)
    if all(isinstance(piece, bytes) for piece in found):
        return b"".join(map(bytes, found))
    from mockserver import Recipe

    each = (((one, 1),) if isinstance(one, bytes) else one.parts for one in found)
    return Recipe(tuple(part for parts in each for part in parts))


def pieces(spec: Bytes) -> Pieces:
    """Return the bytes of *spec*, with holes in the place of the server's address.

    Raises:
        CaseError: a character beyond U+00FF, or an escape that is not valid.
    """
    parts = spec if isinstance(spec, list) else [spec]
    return tuple(_piece(part) for part in parts)


def fill(parts: Pieces, host: str, port: int) -> bytes:
    """Return the bytes of *parts* for a server that listens on *host* and *port*."""
    return filled_by(parts, lambda hole: hole.text(host, port).encode("ascii"))


def filled_by(parts: Pieces, address: Callable[[AddressHole], bytes]) -> bytes:
    """Return the bytes of *parts*, with what *address* returns for each hole."""
    return b"".join([block for part in parts for block in _blocks(part, address)])


def bytes_equal(parts: Pieces, text: str, host: str = "", port: int = 0) -> bool:
    """Return whether *text*, one character for each byte, is *parts* with that address filled in.

    Neither is copied as a whole.
    """
    at = 0
    for part in parts:
        for block in _blocks(part, lambda hole: hole.text(host, port).encode("ascii")):
            if not text.startswith(block.decode("latin-1"), at):
                return False
            at += len(block)
    return at == len(text)


def _blocks(part: Part, address: Callable[[AddressHole], bytes]) -> Iterable[bytes]:
    if isinstance(part, bytes):
        return (part,)
    return (address(part),) if isinstance(part, AddressHole) else part.blocks()


def _piece(part: str | BytesTable) -> Part:
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


def _repeated(text: str, times: int) -> "bytes | Recipe":
    if not 0 <= len(text) * times <= _MOST or times < 0:
        raise CaseError(f"`repeat` makes 0 to {_MOST} bytes", field="times")
    unit = latin1(text)
    if len(unit) * times <= _SHORT:
        return unit * times
    from mockserver import Recipe

    return Recipe(((unit, times),))


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


def in_parts(text: str) -> list[Any] | None:
    """Return *text* as strings and repetitions; None if that takes too many parts."""
    parts: list[Any] = []
    at = plain = literal = 0
    while at < len(text):
        period = _period(text, at)
        if not period:
            at += 1
            literal += 1
            if literal > _LITERAL:
                return None
            continue
        end = _end(text, at, period)
        parts += [text[plain:at]] if plain < at else []
        parts.append({"repeat": text[at : at + period], "times": (end - at) // period})
        at = plain = end
    return [*parts, text[plain:]] if plain < len(text) else parts


def _period(text: str, at: int) -> int:
    """Return the length of the pattern that repeats from *at* on; 0 if too little repeats."""
    for period in range(1, _LONGEST_PATTERN + 1):
        size = max(_FEWEST * period, LONG // 2)
        if text[at + period : at + size] == text[at : at + size - period]:
            return period if at + size <= len(text) else 0
    return 0


def _end(text: str, at: int, period: int) -> int:
    """Return where the repetition from *at* on ends, after a complete pattern."""
    end, step = at + period, period
    while step:
        found = text[end : end + step]
        if len(found) == step and found == text[end - period : end - period + step]:
            end += step
            step *= 2
        else:
            step //= 2
    return end - (end - at) % period
