"""What a step is: a frozen value that says one thing that the server does.

In come a step's arguments, out comes a checked, immutable object, or a `ScriptError` that names the
field. A step knows its name in scripts and the octets that it writes; it never touches a socket.
"""

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple

Headers = tuple[tuple[bytes, bytes], ...]

CRLF = b"\r\n"


class ScriptError(ValueError):
    """A step, or the order of steps, that cannot be played; raised before any socket exists."""


class Piece(NamedTuple):
    """Octets to be written, and what they are on the wire (`status-line`, `chunk-data`, …)."""

    role: str
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """The base of all steps.

    Attributes:
        step_name: How the step is called in a script (not `name`, which is a field of some steps).
        primary: The field that a bare value sets, or None.
    """

    step_name: ClassVar[str]
    primary: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for field, hint in field_types(kind).items():
            if not fits(getattr(self, field), hint):
                self.refuse(field, f"must be {spelled(hint)}")
        self.check()

    def check(self) -> None:
        """Check values beyond their types; the base has nothing to check."""

    def refuse(self, field: str, reason: str) -> typing.NoReturn:
        """Raise the `ScriptError` that names this step, the field and its value."""
        raise ScriptError(f"{self.step_name}: {field} {reason}, not {getattr(self, field)!r:.80}")

    def need_at_least(self, field: str, least: float) -> None:
        """Refuse a number below `least`."""
        if getattr(self, field) < least:
            self.refuse(field, f"must be at least {least:g}")

    def need_some(self, field: str) -> None:
        """Refuse an empty value."""
        if not getattr(self, field):
            self.refuse(field, "must not be empty")


@dataclasses.dataclass(frozen=True, slots=True)
class WritingStep(Step):
    """A step that writes: the pieces of each item of `writes` leave in one write."""

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """The octets of this step, one tuple of pieces for each write."""
        yield self.pieces()

    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of a step that makes a single write."""
        raise NotImplementedError


@cache
def field_types(step: Any) -> dict[str, Any]:
    """The type of each field of a step, by its name."""
    hints = typing.get_type_hints(step)
    return {field.name: hints[field.name] for field in dataclasses.fields(step)}


def fits(value: object, hint: Any) -> bool:
    """Whether a value has a field's type; only the types that steps use are understood."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
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


def field_lines(headers: Iterable[tuple[bytes, bytes]], role: str = "field-line") -> list[Piece]:
    """Header or trailer fields in their usual form."""
    return [Piece(role, name + b": " + value + CRLF) for name, value in headers]
