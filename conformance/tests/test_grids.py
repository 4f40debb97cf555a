import pytest

from conformance.cases.errors import CaseError
from conformance.cases.grids import expand

GRID = {
    "id": "code.{code}.{strict}",
    "title": "Code {code}, strict {strict}",
    "respond": ["HTTP/1.1 ", {"hole": "code"}, "\r\n"],
    "new": {"kwargs": {"strict": {"hole": "strict"}}},
    "axes": {
        "code": [
            {"name": "plus", "value": "+200", "outcomes": ["int"]},
            {"name": "array", "value": ["2", "00"], "outcomes": ["refused"], "without": ["twin"]},
        ],
        "strict": [{"name": "on", "value": True, "extra": "x{y}"}],
    },
    "twin": "code.plus.{strict}",
    "outcome": [
        {"name": "int", "status": 200},
        {"name": "refused"},
        {"read": {"hole": "strict.extra"}},
    ],
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
        ({"axes": {}}, "at least one axis"),
        ({"axes": {"code": [{"value": 1}]}}, "a table with a name"),
        ({"axes": {"code": "abc"}}, "array of tables"),
        ({"id": "code.{code}"}, "share ids"),
        ({"respond": {"hole": "nothing"}}, "no axis is called `nothing`"),
        ({"respond": {"hole": "code.nothing"}}, "has no `nothing`"),
    ],
)
def test_a_grid_that_does_not_add_up_is_refused(change: dict[str, object], problem: str) -> None:
    with pytest.raises(CaseError, match=problem):
        list(expand({**GRID, **change}))
