"""A failure under a sweep is reduced to the smallest setting that fails."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report import Run
from conformance.report.terminal import plain_lines
from conformance.results.result import Result, RunHead
from conformance.run.check import reduced

SETTINGS = [
    {key: value for key, value in (("cut", cut), ("end", end), ("reuse", reuse)) if value}
    for cut in ("", "bytes", "steps")
    for end in ("", "rst", "open")
    for reuse in ("", "kept")
]


def result(setting: dict[str, str], verdict: str = "WRONG_VALUE", name: str = "a.case") -> Result:
    more: dict[str, Any] = {"level": "guard", "family": "framing", "title": "A case", "spec": []}
    return Result(id=name, rev=1, verdict=verdict, setting=setting, **more)


def within(*results: Result) -> dict[str, str]:
    return {one.name: one.within for one in reduced(results)}


def test_a_failure_under_a_part_of_the_setting_explains_the_whole() -> None:
    assert within(result({"cut": "bytes"}), result({"cut": "bytes", "end": "rst"})) == {
        "a.case@cut=bytes": "",
        "a.case@cut=bytes,end=rst": "a.case@cut=bytes",
    }


def test_a_case_that_fails_without_a_setting_explains_every_setting() -> None:
    assert within(result({"end": "rst"}), result({})) == {"a.case@end=rst": "a.case", "a.case": ""}


def test_of_several_parts_that_fail_the_smallest_is_named() -> None:
    whole = {"cut": "bytes", "end": "rst", "reuse": "kept"}
    found = within(result(whole), result({"cut": "bytes", "end": "rst"}), result({"reuse": "kept"}))
    assert found["a.case@cut=bytes,end=rst,reuse=kept"] == "a.case@reuse=kept"


@pytest.mark.parametrize("verdict", ["PASS", "TOLERATED", "INFO", "UNSUPPORTED"])
def test_what_did_not_fail_explains_nothing(verdict: str) -> None:
    assert within(result({}, verdict), result({"end": "rst"}))["a.case@end=rst"] == ""


def test_another_value_and_another_case_explain_nothing() -> None:
    found = within(
        result({"cut": "steps"}),
        result({"cut": "bytes", "end": "rst"}),
        result({"end": "rst"}, name="another.case"),
    )
    assert set(found.values()) == {""}


def test_what_passes_is_within_nothing() -> None:
    assert within(result({}), result({"end": "rst"}, "PASS"))["a.case@end=rst"] == ""


@given(st.lists(st.sampled_from(SETTINGS), unique_by=str, min_size=1))
def test_every_failure_is_smallest_or_holds_a_smallest_one(settings: list[dict[str, str]]) -> None:
    found = list(reduced(map(result, settings)))
    smallest = {one.name: one.setting for one in found if not one.within}
    assert [one.setting for one in found] == settings
    assert smallest
    for one in found:
        if one.within:
            assert smallest[one.within].items() < one.setting.items()


def test_only_the_smallest_failure_has_a_story_and_the_others_are_counted() -> None:
    head = RunHead(kit="1", corpus="c", implementation="i", name="n", version="1", features=[])
    settings: list[dict[str, str]] = [{}, {"end": "rst"}, {"cut": "bytes", "end": "rst"}]
    told = list(plain_lines(Run(head, list(reduced(map(result, settings))))))
    assert len([line for line in told if line.startswith("WRONG_VALUE")]) == 1
    assert "2 more failures without a story, under settings of which a part fails too" in told
    assert told[-2:] == ["3 cases: 3 WRONG_VALUE", "0 of 3 judged cases pass"]
