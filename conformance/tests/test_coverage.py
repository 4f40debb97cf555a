"""What the corpus covers: every sentence of the page, and every real bug that is written down."""

import fnmatch
import re
from collections import Counter

import pytest
from click.testing import CliRunner, Result

from conformance.cases.names import DOCUMENTED
from conformance.cases.requirements import (
    Rule,
    load_regressions,
    load_requirements,
    load_rules,
    rules_about,
)
from conformance.cli.main import main
from conformance.tests.support import EVERY

JUDGED = [case for case in EVERY if case.level != "observe" or case.family == "session"]
REGRESSIONS = load_regressions()
RULES = load_rules()
NEVER_RAISED = {"ImproperConnectionState"}
CATALOGUE = "https://github.com/noxxi/p5-app-dubioushttp"
"""The one origin that is no bug: docs/catalogue.md compares its rows with the cases."""
ONLY_RECORDED = {"UnimplementedFileMode"}


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["list", *args])


@pytest.mark.parametrize("requirement", load_requirements())
def test_every_requirement_has_a_judged_case(requirement: str) -> None:
    assert any(requirement in case.spec for case in JUDGED)


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda one: one.id)
def test_every_real_bug_has_a_case(regression: object) -> None:
    (found,) = [one for one in REGRESSIONS if one is regression]
    assert any(map(found.is_caught_by, JUDGED))


def test_every_thread_of_a_real_bug_is_the_origin_of_a_case() -> None:
    threads = {thread for one in REGRESSIONS for thread in one.threads}
    assert threads | {CATALOGUE} == {origin for case in EVERY for origin in case.origin}


def test_real_bugs_are_named_once_and_say_where_they_come_from() -> None:
    assert max(Counter(one.id for one in REGRESSIONS).values()) == 1
    assert all(bool(one.threads) != bool(one.cases) for one in REGRESSIONS)


def test_coverage_has_a_line_for_each_requirement() -> None:
    result = run("--coverage")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [line[1] for line in lines] == list(load_requirements())
    assert all(int(line[3]) <= int(line[4]) for line in lines)


def test_coverage_of_a_part_that_leaves_something_out_is_no_success() -> None:
    assert run("--coverage", "--select", "chunked.*").exit_code == 1


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) - NEVER_RAISED))
def test_a_documented_exception_fires_in_at_least_three_ways(name: str) -> None:
    assert len(run("--exception", name).stdout.splitlines()) >= 3


@pytest.mark.parametrize("name", sorted(NEVER_RAISED | ONLY_RECORDED))
def test_an_exception_that_no_case_may_require_comes_with_its_reason(name: str) -> None:
    result = run("--exception", name)
    assert result.stderr.startswith(f"{name}: the page ")
    assert bool(result.stdout) == (name in ONLY_RECORDED)


def test_an_exception_beside_the_page_is_said_to_be_one() -> None:
    result = run("--exception", "LineTooLong")
    assert "not an exception of the page" in result.stderr
    assert result.stdout


def test_a_requirement_that_does_not_exist_is_refused_with_those_near_it() -> None:
    result = run("--requirement", "HTTPConnection.sourceaddress")
    assert result.exit_code == 2
    assert "HTTPConnection.source_address" in result.stderr


# What RFCs demand of clients.


def test_rules_have_ids_of_their_sections_and_are_named_once() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) > 100
    for rule in RULES:
        assert re.fullmatch(r"(9110|9112)#[\d.]+", rule.section)
        assert re.fullmatch(rf"{re.escape(rule.section.replace('#', '-'))}\.\d+", rule.id)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_every_glob_of_a_rule_names_a_case(rule: Rule) -> None:
    for glob in rule.cases:
        assert any(fnmatch.fnmatchcase(case.id, glob) for case in EVERY)
    about = [case for case in EVERY if rule.is_about(case.id)]
    assert bool(about) == bool(rule.cases)


def test_the_rules_about_a_case_are_those_whose_globs_match() -> None:
    for case in EVERY[::7]:
        assert list(rules_about(case.id)) == [one for one in RULES if one.is_about(case.id)]


def test_the_rules_without_a_case_are_listed_with_the_others() -> None:
    rows = [line.split("\t") for line in run("--coverage", "--rfc").output.splitlines()]
    assert [row[0] for row in rows] == [rule.id for rule in RULES]
    none = {one.id for one in RULES if not any(one.is_about(case.id) for case in JUDGED)}
    assert {row[0] for row in rows if row[2] == "0"} == none
    assert run("--coverage", "--rfc").exit_code == 0
    assert run("--rfc").exit_code == 2
