"""The tables of steps and transforms: closed types, made from the mock server's own fields.

The result is a type for each step and each transform, by its name in a case file.
"""

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from conformance.cases import tables
from conformance.cases.octets import Bytes
from conformance.cases.words import ServerCertificate
from mockserver import STEPS, TRANSFORMS, Recipe, field_bounds


@functools.cache
def step_tables() -> dict[str, type[msgspec.Struct]]:
    """Return a closed table for every step of the mock server, made from the step's own fields."""
    return {name: _step_table(name, step) for name, step in STEPS.items()}


def _step_table(name: str, step: Any) -> type[msgspec.Struct]:
    hints = typing.get_type_hints(step)
    bounds = field_bounds(step)
    fields: list[Any] = []
    for field in dataclasses.fields(step):
        if field.metadata.get("python_only"):
            continue
        # The mock server accepts any name of a certificate; cases use those of the authority.
        named = field.name == "cert"
        spec = ServerCertificate if named else _as_spec(hints[field.name])
        # TOML has no None, with which the mock server expresses "any number".
        spec = tables.Times if hints[field.name] == int | None and field.name == "times" else spec
        stated = named or spec is tables.Times
        for bound in () if stated else bounds.get(field.name, ()):
            # Only the schema uses the bound: the step itself checks the value and gives the reason.
            spec = Annotated[spec, msgspec.Meta(extra_json_schema=bound.schema)]
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        fields.append((field.name, spec) if required else (field.name, spec | None, None))
    return msgspec.defstruct(name, fields, frozen=True, forbid_unknown_fields=True, kw_only=True)


@functools.cache
def transform_tables() -> dict[str, type[tables.Table]]:
    """Return a closed table for every transform, made from the parameters of its function."""
    return {name: _transform_table(name, function) for name, function in TRANSFORMS.items()}


def _transform_table(name: str, function: Callable[..., Any]) -> type[tables.Table]:
    hints = typing.get_type_hints(function)
    _, *parameters = inspect.signature(function).parameters.values()
    fields: list[Any] = []
    for one in parameters:
        spec = _as_spec(hints[one.name])
        required = one.default is inspect.Parameter.empty
        fields.append((one.name, spec) if required else (one.name, spec | None, None))
    made = msgspec.defstruct(name, fields, bases=(tables.Table,), frozen=True, kw_only=True)
    return typing.cast("type[tables.Table]", made)


def _as_spec(hint: Any) -> Any:
    """Return *hint* with bytes in the notations of a case file, and pairs as arrays."""
    if hint in (bytes, Recipe):
        return Bytes
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(lambda a, b: a | b, (_as_spec(part) for part in hint.__args__))
    if origin is tuple:
        inner = typing.get_args(hint)
        return list[tuple[Bytes, Bytes]] if typing.get_origin(inner[0]) is tuple else list[str]
    return hint
