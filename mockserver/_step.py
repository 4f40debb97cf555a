"""What a step is: a frozen value that says one thing that the server does, and how it is played.

A step is one class. It has its name in scripts, its fields with their bounds as data, the facts by
which the order of a script is checked, and `play`, which acts on a connection. Defining the class
registers it: the loader of case files, the JSON Schema and the player need no word about it. What
is here uses no sockets; the player, the schema and the checks read these classes, so no table of
steps exists anywhere else.
"""

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import repeat
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from mockserver._meant import ScriptError as ScriptError
from mockserver._meant import no_argument

Headers = tuple[tuple[bytes, bytes], ...]
if typing.TYPE_CHECKING:
    GivenHeaders = Mapping[Any, Any] | Iterable[tuple[str | bytes, str | bytes]]
else:
    GivenHeaders = Headers
"""What a step takes for its headers; it keeps them as `Headers`, which is the type of a field."""

CRLF = b"\r\n"
BLOCK = 1 << 16
"""How many bytes of a bulk body, or of a recipe, are made for one write."""


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """Many bytes that are made a block at a time, while they are written or compared.

    Attributes:
        parts: Bytes, and how often each of them is repeated.
    """

    parts: tuple[tuple[bytes, int], ...]

    def __len__(self) -> int:
        return sum(len(unit) * times for unit, times in self.parts)

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks())

    def __getitem__(self, wanted: slice) -> bytes:
        start, stop, _ = wanted.indices(len(self))
        found, at = [], 0
        for block in self.blocks():
            if at >= stop:
                break
            found.append(block[max(0, start - at) : stop - at])
            at += len(block)
        return b"".join(found)

    def blocks(self) -> Iterator[bytes]:
        """The bytes in order, in blocks of `BLOCK` bytes and a last one.

        The small parts leave with what follows them, as in a single write: a head in a segment of
        its own would be a matter of chance.
        """
        kept = bytearray()
        for unit, times in self.parts:
            at_once = max(1, BLOCK // max(1, len(unit)))
            whole, rest = divmod(times, at_once)
            for count in (*repeat(at_once, whole), rest):
                kept += unit * count
                while len(kept) >= BLOCK:
                    yield bytes(kept[:BLOCK])
                    del kept[:BLOCK]
        if kept:
            yield bytes(kept)


MARK = re.compile(r"([a-z-]+)(?::([1-9][0-9]*))?(?:\+([0-9]+))?", re.ASCII)
"""A place by the role of a piece, which of them, and bytes into it: `chunk-data:2+3`."""


_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-z|~]+")
"""The name of a field."""


class Piece(NamedTuple):
    """Bytes to be written, and what they are on the wire (`status-line`, `chunk-data`, …)."""

    role: str
    data: bytes


# ---------------------------------------------------------------------------- bounds as data


@dataclasses.dataclass(frozen=True, slots=True)
class AtLeast:
    """A bound of a number: `Annotated[int, AtLeast(0)]`."""

    least: int

    def allows(self, value: Any) -> bool:
        """Whether a value keeps the bound; NaN keeps none."""
        return bool(value >= self.least)

    @property
    def text(self) -> str:
        """The bound in words."""
        return f"must be at least {self.least}"

    @property
    def schema(self) -> dict[str, Any]:
        """The bound in JSON Schema."""
        return {"minimum": self.least}


@dataclasses.dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number that reaches the first and stays below the second."""

    least: int
    below: int
    words: str

    def allows(self, value: Any) -> bool:
        """Whether a value keeps the bounds; NaN keeps none."""
        return bool(self.least <= value < self.below)

    @property
    def text(self) -> str:
        """The bounds in words."""
        return f"must be {self.words}"

    @property
    def schema(self) -> dict[str, Any]:
        """The bounds in JSON Schema."""
        return {"minimum": self.least, "exclusiveMaximum": self.below}


@dataclasses.dataclass(frozen=True, slots=True)
class NotEmpty:
    """The bound of text or bytes of which there must be some."""

    def allows(self, value: Any) -> bool:
        """Whether a value keeps the bound."""
        return bool(value)

    @property
    def text(self) -> str:
        """The bound in words."""
        return "must not be empty"

    @property
    def schema(self) -> dict[str, Any]:
        """The bound in JSON Schema; bytes can be a string or an array of parts."""
        return {"minLength": 1, "minItems": 1}


Bound = AtLeast | Between | NotEmpty
Count = Annotated[int, AtLeast(0)]
Positive = Annotated[int, AtLeast(1)]
Seconds = Annotated[float, Between(0, 1_000_000, "from 0 to a million")]
FinalStatus = Annotated[int, Between(100, 1000, "from 100 to 999 (StatusLine sends any)")]
InterimStatus = Annotated[int, Between(100, 200, "from 100 to 199 (a Reply has the others)")]
Name = Annotated[str, NotEmpty()]
SomeBytes = Annotated[bytes, NotEmpty()]


# ---------------------------------------------------------------------------- steps


class Begins(enum.Enum):
    """How a step begins: whether its connection can wait for it without a thread."""

    ACTING = "not by reading"
    READING = "by reading, within the server's patience"
    OPTIONAL = "by reading, and the client may end there instead"
    SILENT = "by reading nothing, for as long as it takes"


class Leaves(enum.Enum):
    """In which state a step leaves the connection."""

    OPEN = "open"
    NO_REQUESTS = "open, but no request can be read any more"
    CLOSED = "closed"


STEPS: "dict[str, type[Step]]" = {}
"""Every step by its name in scripts; a class enters itself when it is defined."""

Action = Callable[[Any], None]
"""What plays a step on a connection."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """The base of all steps.

    Attributes:
        step_name: How the step is called in a script (not `name`, which is a field of some steps).
        listed: Whether scripts can have it, and not only what transforms make.
        primary: The field that a bare value sets, or None.
        reads: Whether the step takes bytes of the client's, or their end.
        awaited: What is to be said where the client has not done its part when the play is
            finished; None for the general words.
    """

    step_name: ClassVar[str] = ""
    listed: ClassVar[bool] = True
    primary: ClassVar[str | None] = None
    reads: ClassVar[bool] = False
    awaited: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        # `slots=True` makes each class twice: the second one, with slots, takes the first's place.
        # (A call of `super()` would mean the first.)
        if cls.listed and "step_name" in cls.__dict__:
            STEPS[cls.step_name] = cls

    def __new__(cls, *_: Any, **named: Any) -> Self:
        """Refuse an argument that the step does not have, with a remedy."""
        for name in named:
            if name not in cls.__dataclass_fields__:
                known = [field.name for field in dataclasses.fields(cls)]
                raise no_argument(cls.step_name, name, known)
        return object.__new__(cls)

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for field, hint, bounds in checks(kind):
            value = getattr(self, field)
            if not fits(value, hint):
                value = self._converted(field, value, hint)
                object.__setattr__(self, field, value)
            if bounds and value is not None:
                for bound in bounds:
                    if not bound.allows(value):
                        self.refuse(field, bound.text)
        self.check()

    def check(self) -> None:
        """Check what no single field shows; most steps have nothing to check."""

    def _converted(self, field: str, value: Any, hint: Any) -> Any:
        """A value in the form that a field has."""
        if hint == Headers:
            return self._headers(field, value)
        if isinstance(value, enum.IntEnum) and fits(int(value), hint):
            return int(value)  # such as HTTPStatus.NOT_FOUND
        if hint != tuple[str, ...]:
            self.refuse(field, f"must be {spelled(hint)}{_in_bytes(value, hint)}")
        if not (isinstance(value, list) and fits(tuple(value), hint)):
            self.refuse(field, "must be a list of text, such as ['Accept']")
        return tuple(value)

    def _headers(self, field: str, given: Any) -> Headers:
        """Fields out of a mapping, or of pairs, of text or bytes; a list has several values."""
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            self.refuse(field, "must be a mapping, such as {'Retry-After': '0'}, or pairs")
        pairs = list(given.items() if isinstance(given, Mapping) else given)
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                self.refuse(field, "must have a name and a value in each pair")
        each = [(name, one if isinstance(one, list) else [one]) for name, one in pairs]
        for name, _ in each:
            if isinstance(name, str) and not _TOKEN.fullmatch(name):
                self.refuse(
                    field, f"has {name!r}, which is no field name (bytes are kept as they are)"
                )
        return tuple(
            (self._field(field, name), self._field(field, value))
            for name, values in each
            for value in values
        )

    def _field(self, field: str, part: Any) -> bytes:
        if isinstance(part, bytes):
            return part
        if not isinstance(part, str):
            hint = f"; write '{part}'" if type(part) in (int, float) else ""
            raise ScriptError(
                f"{self.step_name}: {field} must be text or bytes, not {part!r:.80}{hint}"
            )
        if "\r" in part or "\n" in part:
            raise ScriptError(
                f"{self.step_name}: {field} has a line end in {part!r:.70}; use bytes"
            )
        try:
            return part.encode("latin-1")
        except UnicodeEncodeError:
            raise ScriptError(
                f"{self.step_name}: {field} has {part!r:.80}, which is not Latin-1; use bytes"
            ) from None

    def refuse(self, field: str, reason: str) -> typing.NoReturn:
        """Raise the `ScriptError` that names this step, the field and its value."""
        raise ScriptError(f"{self.step_name}: {field} {reason}, not {getattr(self, field)!r:.80}")

    @property
    def begins(self) -> Begins:
        """How the step begins."""
        return Begins.READING if self.reads else Begins.ACTING

    @property
    def lasts(self) -> bool:
        """Whether the step has done its part as soon as it has begun."""
        return False

    @property
    def leaves(self) -> Leaves:
        """In which state the step leaves the connection."""
        return Leaves.OPEN

    def play(self, connection: Any) -> None:
        """Do what the step says.

        Args:
            connection: The `LiveConnection`; this file comes before the one that defines it.
        """
        raise NotImplementedError

    def action(self, steps: "tuple[Step, ...]", *, repeated: bool) -> Action:  # noqa: ARG002 - for those that override it
        """What plays this step; made once for all connections that play the same steps.

        Args:
            steps: All of these steps.
            repeated: Whether they are likely to be played more than once.
        """
        return self.play


@dataclasses.dataclass(frozen=True, slots=True)
class WritingStep(Step):
    """A step that writes: the pieces of each item of `writes` leave in one write."""

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """The bytes of this step, one tuple of pieces for each write."""
        yield self.pieces()

    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of a step that makes a single write."""
        raise NotImplementedError

    def play(self, connection: Any) -> None:
        """Write it all."""
        for pieces in self.writes():
            connection.write(pieces)

    def action(self, steps: "tuple[Step, ...]", *, repeated: bool) -> Action:  # noqa: ARG002 - see the base
        """Write it all; a single write that is repeated is made once."""
        kind = type(self)
        simple = kind.writes is WritingStep.writes and kind.play is WritingStep.play
        return write_of(self) if repeated and simple else self.play


def write_of(step: WritingStep) -> Action:
    """The action of a step that makes a single write, with the write made in advance."""
    pieces = step.pieces()
    data = joined(pieces)
    return lambda connection: connection.write(pieces, data)


def pieces_of(*steps: Step) -> Iterator[Piece]:
    """What steps write, piece by piece; nothing for those that do not write."""
    for step in steps:
        for pieces in step.writes() if isinstance(step, WritingStep) else ():
            yield from pieces


def place(title: str, index: int, step: Step) -> str:
    """How messages name a step, for instance `connection 1, step 3 (send)`."""
    return f"{title}, step {index + 1} ({step.step_name})"


def authority(address: tuple[str, int]) -> str:
    """An address as a URL has it: `127.0.0.1:80`, `[::1]:80`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def joined(pieces: tuple[Piece, ...]) -> bytes:
    """The bytes of pieces."""
    return pieces[0].data if len(pieces) == 1 else b"".join([piece.data for piece in pieces])


# ---------------------------------------------------------------------------- types of fields


@cache
def field_bounds(step: Any) -> dict[str, tuple[Bound, ...]]:
    """The bounds of each field of a step that has some, by its name."""
    return {name: bounds for name, _, bounds in checks(step) if bounds}


@cache
def checks(step: Any) -> tuple[tuple[str, Any, tuple[Bound, ...]], ...]:
    """The name of each field of a step, its type, and its bounds."""
    hints = typing.get_type_hints(step, include_extras=True)
    return tuple((field.name, *_split(hints[field.name])) for field in dataclasses.fields(step))


def _split(hint: Any) -> tuple[Any, tuple[Bound, ...]]:
    """A type without its bounds, and the bounds."""
    if typing.get_origin(hint) is Annotated:
        bare, *bounds = typing.get_args(hint)
        return bare, tuple(bounds)
    return hint, ()


def fits(value: object, hint: Any) -> bool:
    """Whether a value has a field's type; only the types that steps use are understood."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        if hint is Any:
            return True
        if isinstance(hint, type) and issubclass(hint, Step):
            return isinstance(value, hint)
        return type(value) is hint or (hint is float and type(value) is int)
    if origin is types.UnionType:
        return any(fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    return type(value) is tuple and _items_fit(value, arguments)


def _items_fit(value: tuple[object, ...], arguments: tuple[Any, ...]) -> bool:
    if arguments[-1] is Ellipsis:
        return all(fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def spelled(hint: Any) -> str:
    """A field's type in words for an error message."""
    if typing.get_origin(hint) is None:
        return "None" if hint is types.NoneType else str(hint.__name__)
    if typing.get_origin(hint) is types.UnionType:
        return " or ".join(map(spelled, typing.get_args(hint)))
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(repr, typing.get_args(hint)))
    return str(hint)


def _in_bytes(value: object, hint: Any) -> str:
    """What is said in addition about text in the place of bytes."""
    return " (as .encode() makes of text)" if isinstance(value, str) and fits(b"", hint) else ""


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")


def remedy(value: object) -> str:
    """The end of a message about a value that is no step: what it is, or what was meant."""
    if isinstance(value, str) and value in _METHODS:
        return f"; write route(..., method={value!r})"
    if isinstance(value, Mapping) and any(isinstance(one, Step) for one in value.values()):
        return "; write route(Reply(...), path='/path') for each"
    if isinstance(value, str) and value.startswith("/"):
        return f"; write route(..., path={value!r})"
    if callable(value) and not isinstance(value, type):
        return f"; write route(respond={getattr(value, '__name__', '...')})"
    steps = {str: "Reply(text=...)", bytes: "Send(...)", dict: "Reply(json=...)", int: "Reply(...)"}
    hint = f"; write {steps[type(value)]}" if type(value) in steps else ""
    return f", not {value!r:.80}{hint}"


def field_lines(headers: GivenHeaders, role: str = "field-line") -> list[Piece]:
    """Header or trailer fields in their usual form."""
    kept = typing.cast("Headers", headers)  # a step has made them so
    return [Piece(role, name + b": " + value + CRLF) for name, value in kept]
