"""Arguments of calls, from the form of a case file to the form of the driver protocol.

The input is a bare TOML value or an `ArgumentTable`; the output consists of JSON values only. A
bare string stays a JSON string and means the implementation's own string type. Every value that
JSON cannot express becomes ``{"type": ..., ...}``, with bytes as Latin-1 text.
"""

from typing import Any

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError
from conformance.cases.octets import octets_text
from conformance.cases.tables import ArgumentTable

# kind -> the keys that are allowed next to it
_KINDS: dict[str, tuple[str, ...]] = {
    "text": (),
    "bytes": (),
    "bytearray": (),
    "array": ("typecode",),
    "memoryview": ("typecode",),
    "open": ("mode", "seek"),
    "filelike": ("len", "seekable", "seek", "kind", "greedy", "fails"),
    "socketlike": (),
    "context": (),
    "cert": ("part",),
    "address": (),
    "ref": (),
    "tuple": (),
    "generator": (),
    "mapping": (),
    "none": (),
}
_OCTETS = frozenset({"bytes", "bytearray", "array", "memoryview", "open", "filelike", "socketlike"})


def argument(value: Any) -> Any:
    """Return *value* in the form of the driver protocol.

    Raises:
        CaseError: a table does not have exactly one kind of argument.
    """
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [argument(item) for item in value]
    table = value if isinstance(value, ArgumentTable) else decode(value, ArgumentTable)
    given = table.given()
    kinds = [key for key in given if key in _KINDS]
    if len(kinds) != 1:
        raise CaseError(f"a typed argument is exactly one of {', '.join(_KINDS)}")
    kind = kinds[0]
    stray = sorted(set(given) - {kind, *_KINDS[kind]})
    if stray:
        raise CaseError(f"`{stray[0]}` does not go with `{kind}`")
    others = {key: item for key, item in given.items() if key != kind}
    return {"type": kind, "value": _content(kind, given[kind]), **others}


def _content(kind: str, content: Any) -> Any:
    if kind in _OCTETS:
        return octets_text(content)
    if kind in ("tuple", "generator"):
        return [argument(item) for item in content]
    if kind == "mapping":
        return [[argument(part) for part in pair] for pair in content]
    return None if kind == "none" else content
