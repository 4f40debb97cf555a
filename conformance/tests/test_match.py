"""Expected values held against observed ones: what is the same, and what is only like it."""

from typing import Any

import pytest

from conformance.cases.values import expected
from conformance.judge.match import Matcher

MATCHER = Matcher("127.0.0.1", 4711, typed=True)
FOLDING = Matcher("127.0.0.1", 4711, typed=True, folded=True)


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "value": value}


def octets(value: str) -> dict[str, Any]:
    return {"type": "bytes", "value": value}


def of(kind: str, *items: Any) -> dict[str, Any]:
    return {"type": kind, "value": list(items)}


HELD = {"type": "object", "class": "mine.Response", "bases": ["mine.Base", "builtins.object"]}


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("a", text("a")),
        ({"bytes": "a"}, octets("a")),
        ({"address": "server"}, text("127.0.0.1:4711")),
        ({"none": True}, None),
        (True, True),
        (5, 5),
        (255, {"type": "int", "value": "ff"}),
        (["a", 1], [text("a"), 1]),
        ({"tuple": ["a", 1]}, of("tuple", text("a"), 1)),
        ({"mapping": [["a", 1], ["b", 2]]}, of("mapping", [text("b"), 2], [text("a"), 1])),
        ({"object": "Response"}, HELD),
        ({"object": "Base"}, HELD),
        ({"contains": "ell"}, text("hello")),
        ({"matches": "h.*o"}, text("he\nllo")),
    ],
)
def test_what_is_the_same_fits(wanted: Any, seen: Any) -> None:
    assert MATCHER.matches(expected(wanted), seen, "text")


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("a", text("A")),
        ("a", octets("a")),
        ("1", 1),
        ({"bytes": "a"}, text("a")),
        ({"text": "a"}, octets("a")),
        ({"address": "server"}, text("127.0.0.1:4712")),
        ({"none": True}, False),
        ({"none": True}, text("")),
        (True, 1),
        (1, True),
        (1, 1.0),
        (0, None),
        (255, {"type": "int", "value": "255"}),
        (["a"], [text("a"), text("b")]),
        (["a", "b"], [text("a")]),
        (["a", "b"], [text("b"), text("a")]),
        (["a"], of("tuple", text("a"))),
        (["a"], text("a")),
        ({"tuple": ["a"]}, [text("a")]),
        ({"tuple": ["a"]}, of("tuple", text("a"), text("b"))),
        ({"mapping": [["a", 1]]}, of("mapping", [text("a"), 1], [text("b"), 2])),
        ({"mapping": [["a", 1], ["a", 1]]}, of("mapping", [text("a"), 1])),
        ({"mapping": [["a", 1]]}, of("mapping", [text("a"), 2])),
        ({"mapping": []}, []),
        ({"object": "Response"}, {**HELD, "class": "mine.Other"}),
        ({"object": "Response"}, text("Response")),
        ({"contains": "x"}, text("hello")),
        ({"contains": "x"}, None),
        ({"matches": "hell"}, text("hello")),
        ({"matches": "ello"}, text("hello")),
    ],
)
def test_what_is_only_like_it_does_not(wanted: Any, seen: Any) -> None:
    assert not MATCHER.matches(expected(wanted), seen, "text")


def test_a_type_that_a_case_names_wins_over_the_usual_one() -> None:
    assert MATCHER.matches(expected({"text": "a"}), text("a"), "bytes")
    assert not MATCHER.matches(expected({"text": "a"}), octets("a"), "bytes")
    assert not MATCHER.matches(expected({"bytes": "a"}), text("a"), "text")


def test_letter_case_is_folded_only_where_names_are_compared() -> None:
    assert FOLDING.matches(expected("x-a"), text("X-A"), "text")
    assert not FOLDING.matches(expected("x-a"), text("X-B"), "text")
    assert not MATCHER.matches(expected("x-a"), text("X-A"), "text")
