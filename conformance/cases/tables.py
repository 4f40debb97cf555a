"""The tables of a case file as closed types: the content of the TOML, checked but not interpreted.

These are types only; `decoding` converts plain dictionaries from `tomllib` to them. They are frozen
structs that refuse an unknown key. The JSON Schema that is committed with the fixtures is generated
from these types.

A ``__post_init__`` refuses what a type cannot express but one table alone is enough to check.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from conformance.cases.octets import Bytes
from conformance.cases.words import (
    After,
    ClientCertificate,
    Consume,
    Cut,
    End,
    Family,
    Feature,
    Grade,
    Level,
    Listening,
    Mode,
    ReadStyle,
    Reuse,
    Reused,
    Scheme,
    Strength,
    Typecode,
)
from conformance.wording import Category

Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)")]
"""The name of a method, an attribute or an object."""


Authority = Annotated[str, Meta(pattern=r"^[a-z0-9.-]+(:[1-9][0-9]*)?$(?!\n)")]
"""A host, and a port unless it is that of the scheme."""
Credentials = Annotated[str, Meta(pattern=r"^[a-z0-9]+:[a-z0-9]+$(?!\n)")]
"""A user and a password that need no escapes in a URL."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of every closed table."""

    def given(self) -> dict[str, Any]:
        """Return the keys that the file gives, with their values."""
        return {
            key: value for key, value in msgspec.structs.asdict(self).items() if value is not None
        }


def only_true(key: str, value: bool | None) -> None:
    """Refuse ``key = false``: such a key is either true or absent."""
    if value is False:
        raise ValueError(f"`{key}` is true, or it is left out")


class ArgumentTable(Table, frozen=True):
    """An argument that a bare TOML value cannot express; exactly one of its kinds is given.

    A bare string has the implementation's own string type; a bare array is a list.
    """

    text: str | None = None
    bytes: Bytes | None = None
    bytearray: Bytes | None = None
    array: Bytes | None = None
    memoryview: Bytes | None = None
    typecode: Typecode | None = None
    open: Bytes | None = None
    filelike: Bytes | None = None
    socketlike: Bytes | None = None
    mode: Mode | None = None
    seek: Count | None = None
    len: Count | None = None
    seekable: bool | None = None
    greedy: bool | None = None
    fails: Count | None = None
    kind: Literal["bytes", "text"] | None = None
    context: Literal["verify", "verify-no-hostname", "unverified"] | None = None
    cert: ClientCertificate | None = None
    part: Literal["key", "chain", "combined"] | None = None
    address: Literal["server", "host", "port", "port-text"] | None = None
    ref: str | None = None
    tuple: "list[Argument] | None" = None
    generator: "list[Argument] | None" = None
    mapping: "list[ArgumentPair] | None" = None
    none: bool | None = None

    def __post_init__(self) -> None:
        only_true("none", self.none)


Argument = str | int | float | bool | ArgumentTable | list[Any]
ArgumentPair = tuple[Argument, Argument]


class OpTable(Table, frozen=True, rename={"as_": "as"}):
    """One client call: exactly one of *call*, *get*, *set* and *item*."""

    call: Name | None = None
    get: Name | None = None
    set: Name | None = None
    item: Argument | None = None
    value: Argument | None = None
    args: list[Argument] = []
    kwargs: dict[str, Argument] = {}
    on: Name | None = None
    as_: Name | None = None
    id: Text | None = None


class NewTable(Table, frozen=True):
    """How the connection object is made: host and port come first unless *args* is given."""

    call: Name = "HTTPConnection"
    args: list[Argument] | None = None
    kwargs: dict[str, Argument] = {}


ValuePair = tuple[Any, Any]


class ValueTable(Table, frozen=True):
    """An expected value that a bare TOML value cannot express: exactly one of these kinds."""

    text: str | None = None
    bytes: Bytes | None = None
    concat: Bytes | None = None
    tuple: list[Any] | None = None
    mapping: list[ValuePair] | None = None
    none: bool | None = None
    object: Name | None = None
    contains: Text | None = None
    matches: str | None = None
    address: Literal["server", "host", "port"] | None = None

    def __post_init__(self) -> None:
        only_true("none", self.none)


Value = str | int | float | bool | ValueTable | list[Any]


class ExpectationTable(Table, frozen=True):
    """The required result of one op: a value, an error of a class, or anything."""

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

    def __post_init__(self) -> None:
        only_true("any", self.any)
        given = self.given()
        if len(given.keys() & {"value", "raises", "any"}) != 1:
            raise ValueError("the entry of an op says exactly one of value, raises and any")
        if self.raises is None and len(given) > 1:
            stray = next(key for key in given if key not in ("value", "any"))
            raise ValueError(f"`{stray}` is an attribute of an error; it goes with `raises`")


class WireTable(Table, frozen=True):
    """The required facts of the wire."""

    connections: Count | None = None
    after: list[After] | None = None
    left: list[Count] | None = None
    request: list[Bytes] | None = None
    received: list[Bytes] | None = None
    source: list[Bytes] | None = None

    def __post_init__(self) -> None:
        if self.connections is None:
            return
        for key in ("after", "left", "received", "source"):
            items = getattr(self, key)
            if items is not None and len(items) != self.connections:
                problem = f"`{key}` has {len(items)} items for {self.connections} connections"
                raise ValueError(problem)


class Dimensions(Table, frozen=True):
    """Values of dimensions; all values of a dimension that is not named."""

    cut: Annotated[list[Cut], Meta(min_length=1)] | None = None
    read_style: Annotated[list[ReadStyle], Meta(min_length=1)] | None = None
    end: Annotated[list[End], Meta(min_length=1)] | None = None
    reuse: Annotated[list[Reuse], Meta(min_length=1)] | None = None


class OutcomeHead(Table, frozen=True):
    """The reserved keys of an outcome; every other key is the id of an op."""

    grade: Grade = "pass"
    basis: Literal["precedent", "rfc", "reading", "modern"] | None = None
    when: Dimensions = Dimensions()
    wire: WireTable | None = None
    name: Text | None = None

    def __post_init__(self) -> None:
        if (self.grade == "tolerated") != (self.basis is not None):
            raise ValueError("a tolerated outcome, and no other, says on which basis")


RESERVED_IDS = frozenset(OutcomeHead.__struct_encode_fields__)
"""Names that an op of a case must not have, because they are reserved keys of an outcome."""


class FieldTable(Table, frozen=True):
    """The value of a field that a bare string cannot express: a pattern for the whole value."""

    matches: Text


class AcceptTable(Table, frozen=True):
    """A response that a client may accept."""

    status: int | None = None
    reason: Bytes | None = None
    body: Bytes | None = None
    headers: dict[str, str | FieldTable] = {}


class FetchResult(Table, frozen=True):
    """One accepted result of a client of any interface: it accepts the response, or rejects it.

    A bare ``"reject"`` is a refusal in any category.
    """

    accept: AcceptTable | None = None
    reject: Category | Annotated[list[Category], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        if (self.accept is None) == (self.reject is None):
            raise ValueError("a result is exactly one of accept and reject")


class FetchTable(Table, frozen=True):
    """What RFC 9112 lets any client do with these bytes."""

    strength: Strength
    expect: Annotated[list[Literal["reject"] | FetchResult], Meta(min_length=1)]
    rfc: list[Text] = []
    may_wait: bool = False
    scheme: Scheme = "http"
    proxy_to: Authority | None = None

    def __post_init__(self) -> None:
        rejects = any(one == "reject" or getattr(one, "reject", None) for one in self.expect)
        if self.may_wait and not rejects:
            raise ValueError(
                "with `may_wait` the client may get no response, so `expect` must contain reject"
            )


Number = Count | Annotated[list[Count], Meta(min_length=1)] | Literal["any"]
"""How often a request arrives: a number, the least and the greatest, or any number."""


class ArrivesTable(Table, frozen=True):
    """How often a request arrives, and how complete."""

    times: Number | None = None
    partial: bool = False
    strength: Strength | None = None
    rfc: list[Text] = []


class PlacementTable(Table, frozen=True):
    """On which connection a request arrives: that of another exchange, or not that one."""

    same: bool | None = None
    new: Reused | None = None
    of: Text | None = None
    strength: Strength | None = None
    rfc: list[Text] = []

    def __post_init__(self) -> None:
        only_true("same", self.same)
        if (self.same is None) == (self.new is None):
            raise ValueError("a request arrives on the `same` connection, or on a `new` one")


class EndingTable(Table, frozen=True):
    """What has become of the connection of an exchange at the end of the session."""

    state: Literal["closed", "kept"]
    strength: Strength | None = None
    rfc: list[Text] = []


class ExchangeTable(Table, frozen=True):
    """One request that a client makes, and what must be seen of it."""

    target: Annotated[str, Meta(pattern=r"^/[!-~]*$(?!\n)")]
    expect: Annotated[list[Literal["reject"] | FetchResult], Meta(min_length=1)]
    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]+$(?!\n)")] | None = None
    method: Annotated[str, Meta(pattern=r"^[A-Z]+$(?!\n)")] = "GET"
    fields: dict[str, str] = {}
    body: Bytes | None = None
    streamed: bool = False
    expect_continue: bool = False
    consume: Consume = "read"
    amount: Count | None = None
    parallel: bool = False
    strength: Strength | None = None
    rfc: list[Text] = []
    arrives: (
        Count | Annotated[list[Count], Meta(min_length=1)] | Literal["any"] | ArrivesTable | None
    ) = None
    on: Literal["same"] | PlacementTable | None = None
    ends: Literal["closed", "kept"] | EndingTable | None = None

    def __post_init__(self) -> None:
        if (self.amount is not None) != (self.consume == "part"):
            raise ValueError('`amount` goes with `consume = "part"`, and only with it')
        for key in ("streamed", "expect_continue"):
            if getattr(self, key) and self.body is None:
                raise ValueError(f"`{key}` goes with a `body`")


class SessionTable(Table, frozen=True):
    """What one client does with more than one request, and what must be seen of each."""

    exchanges: Annotated[list[ExchangeTable], Meta(min_length=1)]
    strength: Strength = "must"
    rfc: list[Text] = []
    scheme: Scheme = "http"
    proxy_to: Authority | None = None
    proxy_user: Credentials | None = None


class ServerTable(Table, frozen=True):
    """Where the server listens, and how."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    listener: Listening = "accept"
    receive_buffer: Annotated[int, Meta(ge=1)] | None = None
    unmatched: Literal["reset", "reply"] = "reset"


Times = Annotated[int, Meta(ge=1)] | Literal["any"]
"""How often something happens; `any` is any number of times, including never."""


class ConnectionTable(Table, frozen=True):
    """A connection that needs more keys than its steps."""

    steps: list[dict[str, Any]]
    optional: bool = False
    times: Times = 1


class RouteTable(Table, frozen=True):
    """How requests are answered, on whichever connection they arrive."""

    steps: list[dict[str, Any]]
    method: Text | None = None
    target: Text | None = None
    times: Times = 1
    optional: bool = False
    body: Literal["framed", "none"] = "framed"
    path: Text | None = None
    prefix: Text | None = None
    pattern: Text | None = None
    query: dict[str, str | list[str]] | None = None
    headers: dict[str, str] | None = None
    json: Any = None


class ScriptTable(Table, frozen=True, kw_only=True):
    """The server's side of a case: connections, or the shorthand for one, and routes."""

    server: ServerTable = ServerTable()
    respond: Bytes | None = None
    connections: list[list[dict[str, Any]] | ConnectionTable] | None = None
    routes: list[RouteTable] = []
    transforms: list[dict[str, Any]] = []


class CaseTable(ScriptTable, frozen=True, kw_only=True):
    """One case, in the form of the file."""

    id: str
    title: str
    level: Level
    spec: Annotated[list[Text], Meta(min_length=1)]
    why: Text
    rev: Annotated[int, Meta(ge=1)] = 1
    rfc: list[Text] = []
    origin: list[Text] = []
    twin: Text | None = None
    needs: list[Feature] = []
    new: NewTable = NewTable()
    ops: list[OpTable] | None = None
    sweep: Dimensions = Dimensions()
    outcome: list[dict[str, Any]] = []
    fetch: FetchTable | None = None
    session: SessionTable | None = None


class AxisValue(Table, frozen=True):
    """One value of an axis; its further keys fill holes and are not listed in this type."""

    name: Text
    outcomes: list[Text] | None = None
    without: list[Text] = []


class GridTable(Table, frozen=True):
    """The keys of a grid itself; every other key is a key of a case, with holes in its value."""

    id: str
    title: str
    axes: Annotated[
        dict[str, Annotated[list[dict[str, Any]], Meta(min_length=1)]], Meta(min_length=1)
    ]
    twin: str | None = None
    outcome: list[dict[str, Any]] = []


class OwnFileHead(Table, frozen=True):
    """A user's own file: a family of any name, and the cases and grids in it."""

    family: str
    case: list[dict[str, Any]] = []
    grid: list[dict[str, Any]] = []

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.family):
            raise ValueError(f"a family is a slug, such as my-own, not {self.family!r}")


class FileHead(Table, frozen=True):
    """A topic file: its family, and the cases and grids in it."""

    family: Family
    case: list[dict[str, Any]] = []
    grid: list[dict[str, Any]] = []
