"""The messages between the kit and a driver: typed JSON lines, each answered by one line.

The input is lines that a driver wrote. The output is values in the form of the protocol, or a
`NotTheProtocol` that names the place. The JSON Schema (`conformance.drivers.schema`) is generated
from the same types, and ``docs/driver-protocol.md`` describes them in prose.

This module checks only the form of a driver's facts; it does not judge the client.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

DEPTH = 64
"""The most levels of tables and lists inside each other in a value."""
ANY_OP = "*"
"""Among the declared ops: all ops of an httplib."""
PROBE = "httplib-kit-unknown"
"""A message and a call that do not exist: a driver must answer both with ``unsupported``."""

Value = Annotated[Any, Meta(extra_json_schema={"$ref": "#/$defs/Value"})]
Argument = Annotated[Any, Meta(extra_json_schema={"$ref": "#/$defs/Argument"})]
ShortText = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Serial = Annotated[int, Meta(ge=1)]
Octets = Annotated[
    str,
    Meta(
        description="one character for each byte",
        extra_json_schema={"pattern": r"^[\x00-\xff]*$(?!\n)"},  # the kit checks it without a regex
    ),
]
OtherClass = Annotated[
    str,
    Meta(description="its class, where it is not the usual class of the type"),
]
Port = Annotated[int, Meta(ge=0, le=65535)]


class NotTheProtocol(ValueError):
    """A driver's output does not have the form of the protocol; the message names the place."""


# Messages of the kit.


class Op(Struct, frozen=True, omit_defaults=True):
    """One call, or an attribute read or set, or an item access."""

    id: str
    on: str
    call: str | UnsetType = UNSET
    args: list[Argument] | UnsetType = UNSET
    kwargs: dict[str, Argument] | UnsetType = UNSET
    repeat: int | UnsetType = UNSET
    get: str | UnsetType = UNSET
    set: str | UnsetType = UNSET
    value: Argument | UnsetType = UNSET
    item: Argument | UnsetType = UNSET
    as_: str | UnsetType = field(name="as", default=UNSET)


class Exchange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The keyword arguments of the op `exchange`: a request, and how its response is consumed."""

    target: Annotated[str, Meta(description="replaces the path of the `url` of the message")]
    method: str = "GET"
    fields: Argument | UnsetType = UNSET
    body: Argument | UnsetType = UNSET
    streamed: Annotated[
        bool, Meta(description="the content is given in pieces that the client cannot have again")
    ] = False
    expect_continue: Annotated[
        bool, Meta(description="the client sends `Expect: 100-continue`, and waits")
    ] = False
    consume: Literal["read", "part", "drop", "timeout"] = "read"
    amount: Annotated[int, Meta(ge=0, description="the bytes of a `part`")] = 0
    timeout: Annotated[float, Meta(description="seconds that the client may wait")] = 5.0


class Start(Struct, frozen=True, tag_field="type", tag="start"):
    """The first message: it asks for the driver's identity."""

    serial: Serial


class Run(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="run"):
    """Execute these ops against the server at this address; keep the objects until `release`.

    A session has several of these messages before one `release`; several ops of the call
    `exchange` in one message begin at the same time.
    """

    serial: Serial
    id: str
    rev: int
    ops: list[Op]
    address: tuple[str, Port]
    deadline: float
    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    proxy: Annotated[
        str | UnsetType,
        Meta(description="the URL of the proxy through which the client reaches the `url`"),
    ] = UNSET
    certificates: dict[str, dict[str, str]] | UnsetType = UNSET


class Release(Struct, frozen=True, tag_field="type", tag="release"):
    """Close and drop the objects of the runs since the last `release`."""

    serial: Serial


class Stop(Struct, frozen=True, tag_field="type", tag="stop"):
    """The last message; it has no answer."""

    serial: Serial


# Answers of the driver.


class Bytes(Struct, frozen=True, tag_field="type", tag="bytes"):
    """Bytes."""

    value: Octets
    exact: OtherClass = field(name="class", default="")


class Text(Struct, frozen=True, tag_field="type", tag="text"):
    """Text, where the implementation distinguishes it from bytes."""

    value: str
    exact: OtherClass = field(name="class", default="")


class Int(Struct, frozen=True, tag_field="type", tag="int"):
    """A whole number beyond 64 bits, in hexadecimal."""

    value: Annotated[str, Meta(pattern=r"^-?[0-9a-f]+$(?!\n)", max_length=1_000_000)]


class Float(Struct, frozen=True, tag_field="type", tag="float"):
    """A number that JSON cannot express."""

    value: Literal["nan", "inf", "-inf"]


class Tuple(Struct, frozen=True, tag_field="type", tag="tuple"):
    """A tuple, where the implementation distinguishes it from a list."""

    value: list[Value]


class Table(Struct, frozen=True, tag_field="type", tag="mapping"):
    """A mapping, as pairs in its order."""

    value: list[tuple[Value, Value]]


class Class(Struct, frozen=True, tag_field="type", tag="class"):
    """A class, by its name and the names of its bases, nearest first."""

    name: str = field(name="class")
    bases: list[str] = []


class Object(Struct, frozen=True, tag_field="type", tag="object"):
    """Any other object, by its class."""

    name: str = field(name="class")
    bases: list[str] = []


class Response(Struct, frozen=True, tag_field="type", tag="response"):
    """The result of `fetch` or `exchange`; null for a part that the client does not report."""

    status: int | None
    reason: Octets | None
    headers: list[tuple[Octets, Octets]] | None
    body: Octets | None


Typed = Bytes | Text | Int | Float | Tuple | Table | Class | Object | Response


class Frame(Struct, frozen=True, omit_defaults=True):
    """A line of the client's code that was being executed."""

    file: Annotated[str, Meta(description="its path, relative where possible")]
    line: Annotated[int, Meta(ge=0)]
    function: str = ""
    text: Annotated[str, Meta(description="the line without its indentation")] = ""

    @property
    def shown(self) -> str:
        """File, line, function and text, as far as they are known; not yet made visible."""
        function = "" if self.function in ("", "<module>") else f" in {self.function}"
        return f"{self.file}:{self.line}{function}" + (f": {self.text}" if self.text else "")


class Error(Struct, frozen=True):
    """An exception, or its equivalent in the driver's language."""

    name: str = field(name="class")
    message: str
    bases: list[str] = []
    attributes: dict[str, Value] = {}
    category: str = ""
    causes: Annotated[
        list[str],
        Meta(description="`class: message` of each error that led to this one, nearest first"),
    ] = []
    exported: Annotated[
        list[str] | UnsetType,
        Meta(description="the names under which the module exports this class or a base of it"),
    ] = UNSET
    frames: Annotated[
        list[Frame], Meta(description="where in the client it was raised, the innermost first")
    ] = []


class Entry(Struct, frozen=True):
    """The result of one op: exactly one of value, error, skipped and unsupported."""

    id: str
    value: Value | UnsetType = UNSET
    error: Error | UnsetType = UNSET
    skipped: Literal[True] | UnsetType = UNSET
    unsupported: Literal[True] | UnsetType = UNSET


class Started(Struct, frozen=True):
    """The answer to `start`."""

    serial: Serial
    name: ShortText
    version: ShortText
    ops: list[str] = field(default_factory=lambda: [ANY_OP])
    features: list[str] = []
    errors: dict[str, str] = {}
    runtime: Annotated[str, Meta(description="what the interpreter calls itself")] = ""


class NotStarted(Struct, frozen=True):
    """The answer to `start` if the implementation is not installed or cannot be loaded."""

    serial: Serial
    error: Error


class Trace(Struct, frozen=True):
    """The answer to `run`: an entry for each op, in order."""

    serial: Serial
    trace: list[Entry]


class Released(Struct, frozen=True):
    """The answer to `release`."""

    serial: Serial


class Unsupported(Struct, frozen=True):
    """The answer to a message of a type that the driver does not support."""

    serial: Serial
    unsupported: Annotated[str, Meta(description="the type of the message")]


class Position(Struct, frozen=True):
    """The answer of the kit's own workers on a second descriptor: where the present run is.

    The op after those of the trace is being executed.
    """

    serial: Serial
    trace: list[Entry] = []
    frames: list[Frame] = []


MESSAGES = (Start, Run, Release, Stop)
ANSWERS = (Started, NotStarted, Trace, Released, Unsupported)


def op_name(op: Mapping[str, Any]) -> str:
    """Return the name by which a driver declares *op*: that of the call or of the attribute."""
    return str(op.get("call") or op.get("get") or op.get("set") or "item")


def answer_in(line: bytes, serial: int) -> dict[str, Any]:
    """Return the answer in *line* to the message with this *serial*.

    Raises:
        NotTheProtocol: it is not JSON, not an object, or an answer to another message.
    """
    try:
        answer = msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotTheProtocol(f"not an answer in JSON: {line[:80]!r} ({error})") from None
    if not isinstance(answer, dict):
        raise NotTheProtocol(f"not an answer, which is an object: {line[:80]!r}")
    said = answer.get("serial", "none")
    if type(said) is not int or said != serial:
        raise NotTheProtocol(f"an answer to message {said!r:.40}, where {serial} was asked")
    return answer


def started(answer: Mapping[str, Any]) -> Started | NotStarted:
    """Return the answer to `start`.

    Raises:
        NotTheProtocol: the answer does not have this form.
    """
    kind: type[Started | NotStarted] = NotStarted if "error" in answer else Started
    said: Started | NotStarted = _converted(answer, kind, "start")
    return said


def checked_trace(
    ops: Sequence[Mapping[str, Any]], answer: Mapping[str, Any], made: set[str] | None = None
) -> list[Any]:
    """Return the trace in the answer to a `run` of *ops*.

    Optional parts of an entry, such as the bases of a class, are filled in.

    Args:
        ops: the ops.
        answer: the answer.
        made: the objects that runs since the last `release` have made, to which those of this run
            are added; by default none.

    Raises:
        NotTheProtocol: there is no trace, its entries do not match the ops, or an entry reports
            something impossible, such as a value of an op on an object that was never made.
    """
    if "trace" not in answer:
        raise NotTheProtocol("the answer to run has no trace")
    _converted(answer, Trace, "run")
    trace: list[Any] = answer["trace"]
    if len(trace) != len(ops):
        raise NotTheProtocol(f"the trace has {len(trace)} entries, where {len(ops)} ops were asked")
    _check_entries(ops, trace, set() if made is None else made)
    return trace


def position_in(
    line: bytes, serial: int, ops: Sequence[Mapping[str, Any]], made: Iterable[str] = ()
) -> Mapping[str, Any] | None:
    """Return the position in *line* of the run of *ops* with this *serial*.

    It has ``trace``, an entry for each op that is done, and ``frames``; None if *line* is not the
    position of this run.
    """
    try:
        answer = answer_in(line, serial)
        _converted(answer, Position, "the position")
        trace = answer.setdefault("trace", [])
        _check_entries(ops[: len(trace)], trace, set(made))
    except (NotTheProtocol, ValueError):  # more entries than ops are a ValueError
        return None
    answer.setdefault("frames", [])
    return answer


def _check_entries(
    ops: Sequence[Mapping[str, Any]], trace: Sequence[dict[str, Any]], made: set[str]
) -> None:
    made.update(("module", "builtins", "agent", "client"))
    for op, entry in zip(ops, trace, strict=True):
        _check_entry(op, entry, made)


def _check_entry(op: Mapping[str, Any], entry: dict[str, Any], made: set[str]) -> None:
    """Compare *entry* with its op; *made* are the objects that earlier ops have made."""
    place = f"the entry of {op['id']}"
    if entry["id"] != op["id"]:
        raise NotTheProtocol(f"{place} has the id {entry['id']!r:.60}")
    kinds = [kind for kind in ("value", "error", "skipped", "unsupported") if kind in entry]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        raise NotTheProtocol(f"{place} needs one of value, error, skipped, unsupported: {given}")
    (kind,) = kinds
    if kind in ("value", "error") and op["on"] not in made:
        raise NotTheProtocol(f"{place} has {_article(kind)}, but no op has made `{op['on']}`")
    if kind == "skipped" and op["on"] in made and set(_references(op)) <= made:
        raise NotTheProtocol(f"{place} is skipped, but everything that it needs was made")
    if kind == "value":
        check_value(entry["value"], place)
    elif kind == "error":
        entry["error"] = {"bases": [], "attributes": {}, **entry["error"]}
        for name, value in entry["error"].get("attributes", {}).items():
            check_value(value, f"{place}, attribute {name!r:.40}")
    if "as" in op:
        (made.add if kind == "value" else made.discard)(op["as"])


def _article(kind: str) -> str:
    return "an error" if kind == "error" else "a value"


def _references(op: Mapping[str, Any]) -> Iterable[str]:
    """Yield the names of the objects to which the arguments of *op* refer."""
    waiting = [*op.get("args", ()), *op.get("kwargs", {}).values(), op.get("value"), op.get("item")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if item["type"] == "ref":
                yield item["value"].partition(".")[0]
            item = item.get("value")
        if isinstance(item, list):
            waiting += item


def check_value(value: Any, place: str) -> None:
    """Raise `NotTheProtocol` if *value*, or a value in it, does not have the protocol's form."""
    if value is None or isinstance(value, bool | int):  # most values: a fast path
        return
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            raise NotTheProtocol(f"{place}: a bare string, which says no type: {one!r:.60}")
        if not isinstance(one, (dict, list)):
            continue
        if depth > DEPTH:
            raise NotTheProtocol(f"{place}: a value with more than {DEPTH} levels")
        inner = one if isinstance(one, list) else _inside(one, place)
        waiting += [(item, depth + 1) for item in inner]


class _Held(Struct):
    """A wrapper for a typed value: msgspec caches what it needs to convert a class, not a union."""

    value: Typed


def _typed(one: dict[str, Any], place: str) -> Typed:
    try:
        return msgspec.convert({"value": one}, _Held).value
    except (msgspec.ValidationError, RecursionError) as error:
        raise NotTheProtocol(f"{place}: {error}") from None


def _inside(one: dict[str, Any], place: str) -> Iterable[Any]:
    """Return the values in the table *one*; check its bytes; fill in its optional parts."""
    typed = _typed(one, place)
    if isinstance(typed, Tuple):
        return typed.value
    if isinstance(typed, Table):
        return [item for pair in typed.value for item in pair]
    if isinstance(typed, Class | Object):
        one.setdefault("bases", [])
        return ()
    if isinstance(typed, Bytes):
        octets: Iterable[str | None] = (typed.value,)
    elif isinstance(typed, Response):
        fields = [text for pair in typed.headers or () for text in pair]
        octets = (typed.reason, typed.body, *fields)
    else:
        return ()
    if not all(text is None or _is_latin_1(text) for text in octets):
        raise NotTheProtocol(f"{place}: a character beyond U+00FF is not a byte")
    return ()


def _is_latin_1(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _converted(value: Any, kind: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise NotTheProtocol(f"{place}: {error}") from None
