from collections.abc import Mapping
from typing import Any

import pytest

from conformance.cases.errors import CaseError
from conformance.cases.grids import Grid


def expand(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    grid = Grid(raw)
    return [grid.table(choice) for choice in grid.choices]


GRID_AXES: dict[str, list[dict[str, object]]] = {
    "code": [
        {"name": "plus", "value": "+200", "outcomes": ["int"]},
        {"name": "array", "value": ["2", "00"], "outcomes": ["refused"], "without": ["twin"]},
    ],
    "strict": [{"name": "on", "value": True, "extra": "x{y}"}],
}
OUTCOMES: list[dict[str, object]] = [
    {"name": "int", "status": 200},
    {"name": "refused"},
    {"read": {"hole": "strict.extra"}},
]
GRID: dict[str, object] = {
    "id": "code.{code}.{strict}",
    "title": "Code {code}, strict {strict}",
    "respond": ["HTTP/1.1 ", {"hole": "code"}, "\r\n"],
    "new": {"kwargs": {"strict": {"hole": "strict"}}},
    "axes": GRID_AXES,
    "twin": "code.plus.{strict}",
    "outcome": OUTCOMES,
}


def test_each_combination_is_a_case() -> None:
    assert [case["id"] for case in expand(GRID)] == ["code.plus.on", "code.array.on"]


def test_a_hole_takes_the_value_and_braces_take_the_name() -> None:
    first, _ = expand(GRID)
    assert first["respond"] == ["HTTP/1.1 ", "+200", "\r\n"]
    assert first["new"] == {"kwargs": {"strict": True}}
    assert first["title"] == "Code plus, strict on"


def test_an_array_is_spliced_into_an_array() -> None:
    _, second = expand(GRID)
    assert second["respond"] == ["HTTP/1.1 ", "2", "00", "\r\n"]


def test_outcomes_are_taken_by_name_and_without_a_name_always() -> None:
    first, second = expand(GRID)
    assert first["outcome"] == [{"name": "int", "status": 200}, {"read": "x{y}"}]
    assert second["outcome"] == [{"name": "refused"}, {"read": "x{y}"}]


def test_a_value_can_leave_a_key_out() -> None:
    first, second = expand(GRID)
    assert first["twin"] == "code.plus.on"
    assert "twin" not in second


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"axes": {}}, "axes: .* length >= 1"),
        ({"axes": {"code": [{"value": 1}]}}, r"axes\.code\[0\]: .*`name`"),
        ({"axes": {"code": "abc"}}, "axes.*array"),
        ({"id": "code.{code}"}, "share ids"),
        ({"respond": {"hole": "nothing"}}, "no axis is called `nothing`"),
        ({"why": {"hole": "code.nothing"}}, "why: .* has no `nothing`"),
        ({"respond": {"hole": 3}}, "respond: a hole is"),
        ({"respond": {"hole": []}}, "respond: a hole is"),
        ({"respond": {"hole": "code."}}, "respond: a hole is"),
        ({"axes": {"code": []}}, "length >= 1"),
        ({"axes": 3}, "axes: "),
        ({"outcome": 3}, "outcome: "),
        ({"outcome": "ab"}, "outcome: "),
        ({"outcome": [3]}, r"outcome\[0\]: "),
        ({"outcome": [{"name": 3}]}, "outcome"),
        ({"outcome": [*OUTCOMES, {"name": "x"}]}, r"outcome\[3\]: no combination"),
        ({"id": 3}, "id: "),
        ({"title": {"hole": "code"}}, "title: "),
    ],
)
def test_a_grid_that_does_not_add_up_is_refused(change: dict[str, object], problem: str) -> None:
    with pytest.raises(CaseError, match=problem):
        list(expand({**GRID, **change}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": 3}, r"axes\.code\[1\]\.name: "),
        ({"name": ""}, r"axes\.code\[1\]\.name: "),
        ({"name": "plus"}, r"axes\.code\[1\]\.name: .*earlier"),
        ({"outcomes": "refused"}, r"axes\.code\[1\]\.outcomes: "),
        ({"outcomes": 3}, r"axes\.code\[1\]\.outcomes: "),
        ({"outcomes": ["refusd"]}, r"axes\.code\[1\]\.outcomes: .*`refusd`"),
        ({"without": "twin"}, r"axes\.code\[1\]\.without: "),
        ({"without": [[]]}, r"axes\.code\[1\]\.without"),
        ({"without": ["twni"]}, r"axes\.code\[1\]\.without: .*`twni`"),
        ({"outcoems": ["int"]}, r"axes\.code\[1\]: `outcoems` fills no hole"),
    ],
)
def test_an_axis_value_is_closed(change: dict[str, object], problem: str) -> None:
    plus, array = GRID_AXES["code"]
    axes = {**GRID_AXES, "code": [plus, {**array, **change}]}
    with pytest.raises(CaseError, match=problem):
        list(expand({**GRID, "axes": axes}))


def test_a_hole_can_take_the_name() -> None:
    first, _ = expand({**GRID, "why": {"hole": "code.name"}})
    assert first["why"] == "plus"


def test_a_hole_with_a_default_takes_it_where_the_value_has_no_such_key() -> None:
    axis = [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "more": "yes"}]
    grid = {
        "id": "x.{axis}",
        "title": "{axis}",
        "axes": {"axis": axis},
        "respond": [{"hole": "axis.more", "default": [{"hole": "axis"}, "none"]}],
    }
    assert [case["respond"] for case in expand(grid)] == [["1", "none"], ["yes"]]


def test_a_hole_in_a_default_needs_its_axis_too() -> None:
    grid = {
        "id": "x.{axis}",
        "title": "{axis}",
        "axes": {"axis": [{"name": "a", "value": "1"}]},
        "respond": {"hole": "axis.more", "default": {"hole": "other"}},
    }
    with pytest.raises(CaseError, match="no axis is called `other`"):
        list(expand(grid))
