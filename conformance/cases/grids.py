"""Grids: one table that stands for many cases, one for each combination of its axes.

In: the table of a ``[[grid]]``.  Out: the tables of ordinary cases, in the order of the axes.

A hole is ``{ hole = "axis" }`` anywhere in a value, and ``{axis}`` in the id, the title and the
twin, where it is replaced by the *name* of the axis value.  In an array, a hole whose value is an
array is spliced in.

An axis value may carry *outcomes*: the names of the outcomes that hold for it (an outcome without a
name holds for every value); *without*: keys that this combination leaves out of the case; and
further keys beside *name* and *value*, which fill holes as ``{ hole = "axis.key" }``.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases.errors import CaseError

_HOLE = re.compile(r"\{([a-z_]+)\}")
_NAMED = ("id", "title", "twin")

Axis = list[dict[str, Any]]
Choice = Mapping[str, Mapping[str, Any]]


def expand(grid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the table of each case that *grid* stands for.

    Raises:
        CaseError: an axis without names, a hole without an axis, an axis without a hole in the id.
    """
    axes = _axes(grid)
    # What has no hole is the same in every case, and is shared by them.
    keys = {key: value for key, value in grid.items() if key not in ("axes", "outcome", *_NAMED)}
    usual = {key: value for key, value in keys.items() if not _has_hole(value)}
    varying = {key: value for key, value in keys.items() if key not in usual}
    for combination in itertools.product(*axes.values()):
        yield _case(grid, usual, varying, dict(zip(axes, combination, strict=True)))


def _has_hole(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {"hole"} or any(map(_has_hole, value.values()))
    return isinstance(value, list) and any(map(_has_hole, value))


def _axes(grid: Mapping[str, Any]) -> dict[str, Axis]:
    axes = grid.get("axes")
    if not isinstance(axes, dict) or not axes:
        raise CaseError("a grid has at least one axis", field="axes")
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            raise CaseError("an axis is an array of tables", field=f"axes.{name}")
        for index, value in enumerate(values):
            if not isinstance(value, dict) or not isinstance(value.get("name"), str):
                raise CaseError(
                    "an axis value is a table with a name", field=f"axes.{name}[{index}]"
                )
        if f"{{{name}}}" not in str(grid.get("id")):
            raise CaseError(f"the id has no {{{name}}}, so its cases would share ids", field="id")
    return axes


def _case(
    grid: Mapping[str, Any], usual: Mapping[str, Any], varying: Mapping[str, Any], choice: Choice
) -> dict[str, Any]:
    case = {**usual, **{key: _filled(value, choice, key) for key, value in varying.items()}}
    for key in _NAMED:
        if key in grid:
            case[key] = _named(str(grid[key]), choice, key)
    for value in choice.values():
        for key in value.get("without", ()):
            case.pop(key, None)
    case["outcome"] = [
        {key: _filled(value, choice, f"outcome[{index}].{key}") for key, value in outcome.items()}
        for index, outcome in enumerate(grid.get("outcome", ()))
        if _holds(outcome, choice)
    ]
    return case


def _holds(outcome: Mapping[str, Any], choice: Choice) -> bool:
    name = outcome.get("name")
    return name is None or all(
        name in value["outcomes"] for value in choice.values() if "outcomes" in value
    )


def _named(text: str, choice: Choice, field: str) -> str:
    def fill(match: re.Match[str]) -> str:
        return str(_chosen(match[1], choice, field)["name"])

    return _HOLE.sub(fill, text)


def _filled(value: Any, choice: Choice, field: str) -> Any:
    if isinstance(value, dict):
        if set(value) == {"hole"}:
            return _hole(value["hole"], choice, field)
        return {key: _filled(item, choice, f"{field}.{key}") for key, item in value.items()}
    if not isinstance(value, list):
        return value
    filled: list[Any] = []
    for index, item in enumerate(value):
        inner = _filled(item, choice, f"{field}[{index}]")
        if isinstance(item, dict) and set(item) == {"hole"} and isinstance(inner, list):
            filled.extend(inner)
        else:
            filled.append(inner)
    return filled


def _hole(name: str, choice: Choice, field: str) -> Any:
    axis, _, key = name.partition(".")
    value = _chosen(axis, choice, field)
    if (key or "value") not in value:
        raise CaseError(f"this value of the axis `{axis}` has no `{key or 'value'}`", field=field)
    return value[key or "value"]


def _chosen(axis: str, choice: Choice, field: str) -> Mapping[str, Any]:
    if axis not in choice:
        raise CaseError(f"no axis is called `{axis}`", field=field)
    return choice[axis]
