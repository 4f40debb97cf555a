"""Grids: one table that describes many cases, one for each combination of its axes.

The input is the table of a ``[[grid]]``. The output is a `Grid`, which gives the tables of ordinary
cases in the order of the axes; the holes of a table are filled when it is requested.

A hole is ``{ hole = "axis" }`` anywhere in a value, and ``{axis}`` in the id, the title and the
twin, where it is replaced by the *name* of the axis value.  In an array, a hole whose value is an
array is replaced by the items of that array.

An axis value may have *outcomes*: the names of the outcomes that apply to it (an outcome without a
name applies to every value); *without*: keys that this combination leaves out of the case; and
further keys, which fill holes as ``{ hole = "axis.key" }``; *value* is the one that ``{ hole =
"axis" }`` takes.  A hole with a default, ``{ hole = "axis.key", default = … }``, is filled by it
where the axis value has no such key.

Unused parts are errors: an axis, a key of an axis value, or an outcome that no case uses.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.tables import AxisValue, GridTable

_BRACES = re.compile(r"\{([a-z_]+)\}")
_HOLE = re.compile(r"([a-z_]+)(?:\.([a-z0-9_-]+))?")
_OWN = frozenset(GridTable.__struct_fields__)
_HEAD = frozenset(AxisValue.__struct_fields__)


@dataclass(frozen=True, slots=True)
class _Point:
    """One value of an axis: its reserved keys, and all its keys, which may fill holes."""

    head: AxisValue
    fills: Mapping[str, Any]


Choice = Mapping[str, _Point]
"""A combination: one value of each axis."""
_Fill = Callable[[Choice], Any]
"""A function from a combination to a value of the grid with its holes filled."""


class Grid:
    """A grid: it has the names of its cases when made; it makes their tables when requested.

    Args:
        raw: its table.

    Raises:
        CaseError: an axis is not valid, or would give two cases the same id.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._grid = decode({key: value for key, value in raw.items() if key in _OWN}, GridTable)
        self._axes = {
            name: [
                within(f"axes.{name}[{index}]", _point, value, raw)
                for index, value in enumerate(values)
            ]
            for name, values in self._grid.axes.items()
        }
        _check_axes(self._grid, self._axes)
        self.choices: Sequence[Choice] = [
            dict(zip(self._axes, points, strict=True))
            for points in itertools.product(*self._axes.values())
        ]
        """The combinations, in the order of the axes."""

    def names(self, choice: Choice) -> dict[str, str]:
        """Return id, title and twin of the case of *choice*.

        Raises:
            CaseError: one of them has a hole that names no axis.
        """
        named = {"id": self._grid.id, "title": self._grid.title, "twin": self._grid.twin}
        return {
            key: within(key, _named, text, choice)
            for key, text in named.items()
            if text is not None and not _leaves_out(choice, key)
        }

    def has(self, key: str, choice: Choice) -> bool:
        """Return whether the case of *choice* has *key*."""
        return key in self._raw and not _leaves_out(choice, key)

    def varies(self, keys: Iterable[str]) -> bool:
        """Return whether the value of any of *keys* can differ between the cases."""
        return any(
            any(True for _ in _holes(self._raw.get(key)))
            or any(_leaves_out(choice, key) for choice in self.choices)
            for key in keys
        )

    def table(self, choice: Choice) -> dict[str, Any]:
        """Return the table of the case of *choice*.

        Raises:
            CaseError: a hole names no axis, or a part of the grid is unused.
        """
        fill, outcomes = self._compiled
        case = {**fill(choice), **self.names(choice)}
        case["outcome"] = [
            within(f"outcome[{index}]", outcomes[index], choice)
            for index, outcome in enumerate(self._grid.outcome)
            if _holds(outcome, choice)
        ]
        return {key: value for key, value in case.items() if not _leaves_out(choice, key)}

    @functools.cached_property
    def _compiled(self) -> tuple[_Fill, list[_Fill]]:
        _check_holes(self._raw, self._axes)
        _check_outcomes(self._grid, self.choices)
        # A value without holes is the same object in every case, to save memory and time.
        keys = {key: value for key, value in self._raw.items() if key not in _OWN}
        return _compiled_table(keys), [_compiled_table(outcome) for outcome in self._grid.outcome]


def _leaves_out(choice: Choice, key: str) -> bool:
    return any(key in point.head.without for point in choice.values())


def _point(value: Mapping[str, Any], grid: Mapping[str, Any]) -> _Point:
    head = decode({key: item for key, item in value.items() if key in _HEAD}, AxisValue)
    unknown = [key for key in head.without if key not in grid]
    if unknown:
        raise CaseError(f"the grid has no key `{unknown[0]}`", field="without")
    return _Point(head, value)


def _check_axes(grid: GridTable, axes: Mapping[str, list[_Point]]) -> None:
    """Refuse axes that give two cases the same id, and names of outcomes that do not exist."""
    known = {outcome.get("name") for outcome in grid.outcome if _has_word(outcome)}
    for axis, points in axes.items():
        if f"{{{axis}}}" not in grid.id:
            raise CaseError(f"the id has no {{{axis}}}, so its cases would share ids", field="id")
        names: set[str] = set()
        for index, point in enumerate(points):
            place = f"axes.{axis}[{index}]"
            if point.head.name in names:
                problem = f"`{point.head.name}` is the name of an earlier value"
                raise CaseError(problem, field=f"{place}.name")
            names.add(point.head.name)
            for name in point.head.outcomes or ():
                if name not in known:
                    problem = f"no outcome is called `{name}`"
                    raise CaseError(problem, field=f"{place}.outcomes")


def _has_word(outcome: Mapping[str, Any]) -> bool:
    return isinstance(outcome.get("name"), str)


def _check_holes(raw: Mapping[str, Any], axes: Mapping[str, list[_Point]]) -> None:
    """Refuse a hole that names no axis, and a key of an axis value that fills no hole."""
    used: set[tuple[str, str]] = set()
    for key, value in raw.items():
        for hole in () if key == "axes" else _holes(value):
            axis, name = within(key, _parted, hole)
            if axis not in axes:
                raise CaseError(f"no axis is called `{axis}`", field=key)
            used.add((axis, name))
    for axis, points in axes.items():
        for index, point in enumerate(points):
            for key in point.fills:
                if key not in _HEAD and (axis, key) not in used:
                    problem = f'`{key}` fills no hole; it would be {{ hole = "{axis}.{key}" }}'
                    raise CaseError(problem, field=f"axes.{axis}[{index}]")


def _check_outcomes(grid: GridTable, choices: Sequence[Choice]) -> None:
    for index, outcome in enumerate(grid.outcome):
        if not any(_holds(outcome, choice) for choice in choices):
            raise CaseError("no combination has this outcome", field=f"outcome[{index}]")


def _holds(outcome: Mapping[str, Any], choice: Choice) -> bool:
    name = outcome.get("name")
    return name is None or all(
        name in point.head.outcomes for point in choice.values() if point.head.outcomes is not None
    )


def _named(text: str, choice: Choice) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] not in choice:
            raise CaseError(f"no axis is called `{match[1]}`")
        return choice[match[1]].head.name

    return _BRACES.sub(fill, text)


def _holes(value: Any) -> Iterator[Any]:
    """Yield the value of each key ``hole`` in *value*."""
    if isinstance(value, dict):
        if _is_hole(value):
            yield value["hole"]
            yield from _holes(value.get("default"))
        else:
            yield from itertools.chain.from_iterable(map(_holes, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(_holes, value))


def _is_hole(value: Any) -> bool:
    return isinstance(value, dict) and "hole" in value and value.keys() <= {"hole", "default"}


def _parted(hole: Any) -> tuple[str, str]:
    """Return the axis that *hole* names, and the key of its values."""
    match = _HOLE.fullmatch(hole) if isinstance(hole, str) else None
    if match is None:
        raise CaseError('a hole is { hole = "axis" } or { hole = "axis.key" }')
    return match[1], match[2] or "value"


def _compiled_table(table: Mapping[str, Any]) -> _Fill:
    """Return a function that fills the holes of *table*; an error of it names the key."""
    varying = {
        key: _compiled(value) for key, value in table.items() if any(True for _ in _holes(value))
    }

    def fill(choice: Choice) -> dict[str, Any]:
        filled = {key: within(key, one, choice) for key, one in varying.items()}
        return {**table, **filled}

    return fill


def _compiled(value: Any) -> _Fill:
    """Return a function that fills the holes of *value*; its results share parts without holes."""
    if isinstance(value, dict):
        if _is_hole(value):
            return _compiled_hole(value)
        return _compiled_dict(value)
    if isinstance(value, list):
        return _compiled_list(value)
    return lambda _: value


def _compiled_hole(value: Mapping[str, Any]) -> _Fill:
    axis, key = _parted(value["hole"])
    if "default" not in value:
        return lambda choice: _fill(choice, axis, key)
    default = _compiled(value["default"])

    def fill(choice: Choice) -> Any:
        return _fill(choice, axis, key) if key in choice[axis].fills else default(choice)

    return fill


def _compiled_dict(value: Mapping[str, Any]) -> _Fill:
    varying = {
        key: _compiled(item) for key, item in value.items() if any(True for _ in _holes(item))
    }
    return lambda choice: {**value, **{key: fill(choice) for key, fill in varying.items()}}


def _compiled_list(value: Sequence[Any]) -> _Fill:
    parts = [(_compiled(item), _is_hole(item)) for item in value]

    def fill(choice: Choice) -> list[Any]:
        filled: list[Any] = []
        for part, is_hole in parts:
            inner = part(choice)
            if is_hole and isinstance(inner, list):
                filled.extend(inner)
            else:
                filled.append(inner)
        return filled

    return fill


def _fill(choice: Choice, axis: str, key: str) -> Any:
    fills = choice[axis].fills
    if key not in fills:
        raise CaseError(f"this value of the axis `{axis}` has no `{key}`")
    return fills[key]
