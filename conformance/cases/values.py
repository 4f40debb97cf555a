"""Expected values: what an outcome says that an op returns.

The input is a `Value` in the notation of a case file. The output is one of the frozen types below,
which the judge compares with the value that a driver reported. The driver's form of a value (JSON
only) is described in `conformance.drivers.agent`.

A bare string is compared as bytes, and its type must be the one that the op returns in Python 3:
`bytes` for a body, text for everything else.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError
from conformance.cases.octets import AddressHole, BytesTable, Pieces, fill, pieces
from conformance.cases.tables import ValueTable

_LONGEST = 200
"""Bytes that are shown; of more, only the number is."""


@dataclass(frozen=True, slots=True)
class Octets:
    """A string of these bytes; *type* is ``bytes``, ``text``, or empty for the type of the op."""

    pieces: Pieces
    type: str = ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """None, a boolean or a number; the type must be the same."""

    value: bool | int | float | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list or a tuple of values."""

    type: str
    items: "tuple[Expected, ...]"


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping, in any order."""

    pairs: "tuple[tuple[Expected, Expected], ...]"


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object whose class, or one of its bases, has this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Containing:
    """A string that contains this one."""

    part: str


@dataclass(frozen=True, slots=True)
class Matching:
    """A string that as a whole matches this regular expression."""

    pattern: str


Expected: TypeAlias = Octets | Scalar | Items | Pairs | ObjectOf | Containing | Matching


def expected(value: Any) -> Expected:
    """Return the expectation that *value*, in the notation of a case file, describes.

    Raises:
        CaseError: a table does not have exactly one kind of value.
    """
    if isinstance(value, str):
        return Octets(pieces(value))
    if value is None or isinstance(value, bool | int | float):
        return Scalar(value)
    if isinstance(value, list):
        return Items("list", tuple(expected(item) for item in value))
    table = value if isinstance(value, ValueTable) else decode(value, ValueTable)
    return _from_table(table)


def _from_table(table: ValueTable) -> Expected:
    given = table.given()
    if len(given) != 1:
        raise CaseError(f"a value is exactly one of {', '.join(table.__struct_fields__)}")
    ((kind, content),) = given.items()
    match kind:
        case "none":
            return Scalar(None)
        case "tuple":
            return Items("tuple", tuple(expected(item) for item in content))
        case "mapping":
            return Pairs(tuple((expected(key), expected(item)) for key, item in content))
        case "object":
            return ObjectOf(content)
        case "contains":
            return Containing(content)
        case "matches":
            return Matching(_regular(content))
        case "address":
            return Octets(pieces(BytesTable(address=content)))
        case _:
            return Octets(pieces(content), "" if kind == "concat" else kind)


def _regular(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise CaseError(f"not a regular expression: {error}") from None
    return pattern


def expected_text(value: Expected) -> str:
    """Return *value* in readable form."""
    match value:
        case Octets():
            return " ".join(_pieces_text(value.pieces)) or "''"
        case Scalar():
            return repr(value.value)
        case Items():
            inner = ", ".join(expected_text(item) for item in value.items)
            return f"[{inner}]" if value.type == "list" else f"({inner})"
        case Pairs():
            inner = ", ".join(f"{expected_text(k)}: {expected_text(v)}" for k, v in value.pairs)
            return f"{{{inner}}}"
        case ObjectOf():
            return f"an object of class {value.name}"
        case Containing():
            return f"a string with {value.part!r} in it"
        case Matching():
            return f"a string like /{value.pattern}/"


def _pieces_text(parts: Pieces) -> Iterator[str]:
    for is_hole, run in itertools.groupby(parts, lambda part: isinstance(part, AddressHole)):
        if is_hole:
            yield from (f"<{part.part} address>" for part in run if isinstance(part, AddressHole))
            continue
        octets = [part for part in run if not isinstance(part, AddressHole)]
        size = sum(map(len, octets))
        short = size <= _LONGEST
        yield repr(fill(tuple(octets), "", 0).decode("latin-1")) if short else f"<{size} bytes>"
