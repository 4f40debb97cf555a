"""The tables of a case file as closed types: what TOML says, checked but not interpreted.

In: plain dictionaries from `tomllib`, grids already expanded.  Out: frozen structs.  An unknown key
is refused, with a word on where it belongs.  The JSON Schema that is committed with the fixtures is
generated from these types.
"""

import dataclasses
import functools
import re
import types
import typing
from typing import Any, Literal, TypeVar

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.octets import Bytes
from mockserver import STEPS

T = TypeVar("T")

Level = Literal["documented", "precedent", "guard", "observe"]
Grade = Literal["pass", "tolerated"]
Strength = Literal["must", "should", "may"]
ReadStyle = Literal["read()", "read(1)", "read(7)", "read(amt)"]
Cut = Literal["whole", "bytes", "steps"]
End = Literal["fin", "rst", "open"]
After = Literal["closed", "kept", "gone"]
Family = Literal[
    "interface",
    "exceptions",
    "status-codes",
    "status-line",
    "headers",
    "framing",
    "chunked",
    "persistence",
    "interim",
    "connection-state",
    "requests",
    "tunnel",
    "tls",
    "limits",
    "faults",
]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of every closed table."""


class ArgumentTable(Table, frozen=True):
    """An argument that a bare TOML value cannot express; exactly one of its kinds is given.

    A bare string is the implementation's own string type, a bare array a list.
    """

    text: str | None = None
    bytes: Bytes | None = None
    bytearray: Bytes | None = None
    array: Bytes | None = None
    memoryview: Bytes | None = None
    typecode: str | None = None
    open: Bytes | None = None
    filelike: Bytes | None = None
    socketlike: Bytes | None = None
    mode: str | None = None
    seek: int | None = None
    len: int | None = None
    seekable: bool | None = None
    greedy: bool | None = None
    kind: Literal["bytes", "text"] | None = None
    context: Literal["verify", "verify-no-hostname", "unverified"] | None = None
    cert: str | None = None
    part: Literal["key", "chain", "combined"] | None = None
    address: Literal["server", "host", "port", "port-text"] | None = None
    ref: str | None = None
    tuple: "list[Argument] | None" = None
    generator: "list[Argument] | None" = None
    mapping: "list[list[Argument]] | None" = None
    none: bool | None = None


Argument = str | int | float | bool | ArgumentTable | list[Any]


class OpTable(Table, frozen=True, rename={"as_": "as"}):
    """One client call: exactly one of *call*, *get*, *set* and *item*."""

    call: str | None = None
    get: str | None = None
    set: str | None = None
    item: Argument | None = None
    value: Argument | None = None
    args: list[Argument] = []
    kwargs: dict[str, Argument] = {}
    on: str | None = None
    as_: str | None = None
    id: str | None = None


class NewTable(Table, frozen=True):
    """How the connection object is made: host and port come first unless *args* says otherwise."""

    call: str = "HTTPConnection"
    args: list[Argument] | None = None
    kwargs: dict[str, Argument] = {}


class ValueTable(Table, frozen=True):
    """An expected value that a bare TOML value cannot express: exactly one of these kinds."""

    text: str | None = None
    bytes: Bytes | None = None
    concat: Bytes | None = None
    tuple: list[Any] | None = None
    mapping: list[Any] | None = None
    none: bool | None = None
    object: str | None = None
    contains: str | None = None
    matches: str | None = None
    address: Literal["server", "host", "port"] | None = None


Value = str | int | float | bool | ValueTable | list[Any]


class ExpectationTable(Table, frozen=True):
    """What one op must have come to: a value, an error of a class, or anything."""

    value: Value | None = None
    raises: str | list[str] | None = None
    any: bool | None = None
    partial: Bytes | None = None
    before: Bytes | None = None
    expected: int | ValueTable | None = None
    line: Value | None = None
    version: Value | None = None
    args: Value | None = None
    message: str | ValueTable | None = None


class WireTable(Table, frozen=True):
    """What must have been seen on the wire."""

    connections: int | None = None
    after: list[After] | None = None
    left: list[int] | None = None
    request: list[Bytes] | None = None
    received: list[Bytes] | None = None
    source: list[str] | None = None


class OutcomeHead(Table, frozen=True):
    """The reserved keys of an outcome; every other key is the id of an op."""

    grade: Grade = "pass"
    basis: Literal["precedent", "rfc", "reading", "modern"] | None = None
    when: dict[Literal["cut", "read_style", "end"], list[str]] = {}
    wire: WireTable | None = None
    name: str | None = None


class AcceptTable(Table, frozen=True):
    """A response that a client may accept."""

    status: int | None = None
    reason: Bytes | None = None
    body: Bytes | None = None
    headers: dict[str, str] = {}


class FetchAccept(Table, frozen=True):
    """One accepted way for a client of any interface: to take the response."""

    accept: AcceptTable


class FetchTable(Table, frozen=True):
    """What RFC 9112 lets any client do with these bytes."""

    strength: Strength
    expect: list[Literal["reject"] | FetchAccept]


class SweepTable(Table, frozen=True):
    """The values of each dimension that make sense for a case; by default all of them."""

    cut: list[Cut] | None = None
    read_style: list[ReadStyle] | None = None
    end: list[End] | None = None


class ServerTable(Table, frozen=True):
    """Where the server listens."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    listener: Literal["accept", "refuse"] = "accept"


class CaseTable(Table, frozen=True):
    """One case, as it stands in a file."""

    id: str
    title: str
    level: Level
    spec: list[str]
    why: str
    rev: int = 1
    rfc: list[str] = []
    origin: list[str] = []
    twin: str | None = None
    needs: list[str] = []
    server: ServerTable = ServerTable()
    new: NewTable = NewTable()
    ops: list[OpTable] | None = None
    respond: Bytes | None = None
    connections: list[list[dict[str, Any]]] | None = None
    sweep: SweepTable = SweepTable()
    outcome: list[dict[str, Any]] = []
    fetch: FetchTable | None = None


class FileHead(Table, frozen=True):
    """A topic file: its family, and the cases and grids in it."""

    family: Family
    case: list[dict[str, Any]] = []
    grid: list[dict[str, Any]] = []


@functools.cache
def step_tables() -> dict[str, type[msgspec.Struct]]:
    """Return a closed table for every step of the mock server, made from the step's own fields."""
    return {name: _step_table(name, step) for name, step in STEPS.items()}


def _step_table(name: str, step: type[Any]) -> type[msgspec.Struct]:
    hints = typing.get_type_hints(step)
    fields: list[Any] = []
    for field in dataclasses.fields(step):
        spec = _as_spec(hints[field.name])
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        fields.append((field.name, spec) if required else (field.name, spec | None, None))
    return msgspec.defstruct(name, fields, frozen=True, forbid_unknown_fields=True, kw_only=True)


def _as_spec(hint: Any) -> Any:
    """Return *hint* with octets as a case file writes them, and pairs as arrays."""
    if hint is bytes:
        return Bytes
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(lambda a, b: a | b, (_as_spec(part) for part in hint.__args__))
    if origin is tuple:
        inner = typing.get_args(hint)
        return list[list[Bytes]] if typing.get_origin(inner[0]) is tuple else list[str]
    return hint


TABLES: dict[str, type[msgspec.Struct]] = {
    "the head of the file": FileHead,
    "a case": CaseTable,
    "`new`": NewTable,
    "an op": OpTable,
    "a typed argument": ArgumentTable,
    "an outcome": OutcomeHead,
    "the entry of an op in an outcome": ExpectationTable,
    "an expected value": ValueTable,
    "`wire` in an outcome": WireTable,
    "`fetch`": FetchTable,
    "`fetch.expect.accept`": AcceptTable,
    "`sweep`": SweepTable,
    "`server`": ServerTable,
}


def decode(raw: Any, kind: type[T], field: str = "") -> T:
    """Return *raw* as a value of *kind*.

    Raises:
        CaseError: with the path of the field, and for an unknown key where it would belong.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _complaint(str(error), field) from None


def _complaint(text: str, field: str) -> CaseError:
    problem, _, path = text.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `(.*)`", problem)
    if unknown:
        problem = f"unknown key `{unknown[1]}`{_belongs(unknown[1])}"
    place = f"{field}{'' if path.startswith('[') or not field or not path else '.'}{path}"
    return CaseError(problem, field=place)


def _belongs(key: str) -> str:
    homes = [home for home, table in TABLES.items() if key in _keys(table)]
    homes += [f"the step `{name}`" for name, table in step_tables().items() if key in _keys(table)]
    if key in STEPS:
        homes.append("`connections`, as a step")
    return f"; it belongs in {' or '.join(homes[:3])}" if homes else ""


def _keys(table: type[msgspec.Struct]) -> tuple[str, ...]:
    return table.__struct_encode_fields__
