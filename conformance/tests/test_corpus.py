"""The lint of the corpus: what holds for every case that is committed."""

import fnmatch
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from conformance.cases import fixtures_directory
from conformance.cases.names import DOCUMENTED
from conformance.cases.schema import SCHEMA_FILE, case_schema
from conformance.tests.support import BY_ID, EVERY

SPEC = tomllib.loads((fixtures_directory() / "spec.toml").read_text(encoding="utf-8"))[
    "requirement"
]
REQUIREMENTS = {row["id"] for row in SPEC}
SECTION = re.compile(r"\d{4}(#[0-9A-Z]+(\.\d+)*)?")
SCHEMA = case_schema()


def test_a_case_cites_requirements_that_exist() -> None:
    unknown = {case.id: set(case.spec) - REQUIREMENTS for case in EVERY}
    assert not {name: missing for name, missing in unknown.items() if missing}


def test_a_twin_is_a_case() -> None:
    missing = {case.id: case.twin for case in EVERY if case.twin and case.twin not in BY_ID}
    assert not missing


def test_what_debugging_prints_is_taken_by_the_case() -> None:
    """Else it stands in the output of whoever runs the case."""
    printing = [one for one in EVERY if any("set_debuglevel(1)" in op.text for op in one.ops)]
    assert len(printing) > 10
    assert not [one.id for one in printing if not any("stdout" in op.text for op in one.ops)]


def test_no_case_is_its_own_twin() -> None:
    assert not [case.id for case in EVERY if case.twin == case.id]


def test_a_section_of_an_rfc_is_written_as_its_number_and_section() -> None:
    cited = [(case.id, section) for case in EVERY for section in case.rfc]
    assert cited
    assert not [(name, section) for name, section in cited if not SECTION.fullmatch(section)]


def test_an_origin_is_a_link() -> None:
    links = [(case.id, link) for case in EVERY for link in case.origin]
    assert links
    assert not [(name, link) for name, link in links if not link.startswith("https://")]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_exception_fires_in_some_case(name: str) -> None:
    assert (
        any(
            name in expectation.raises
            for case in EVERY
            for outcome in case.outcomes
            if outcome.grade == "pass"
            for expectation in outcome.ops.values()
        )
        or name in ABSTRACT
    )


ABSTRACT = {"ImproperConnectionState"}
"""What the page lists as a base only: its three subclasses fire, it never does itself."""


def test_no_outcome_of_a_judged_case_accepts_whatever_happens() -> None:
    seen = ("after", "left", "request", "received", "source")
    found = [
        case.id
        for case in EVERY
        for outcome in case.outcomes
        if case.level != "observe"
        and any(wanted.anything for wanted in outcome.ops.values())
        and all(wanted.anything for wanted in outcome.ops.values())
        and all(getattr(outcome.wire, key) is None for key in seen)
    ]
    assert not found


def test_requirements_are_numbered_and_named_once() -> None:
    assert [row["number"] for row in SPEC] == list(range(1, len(SPEC) + 1))
    assert len(REQUIREMENTS) == len(SPEC)


def test_every_requirement_has_a_case() -> None:
    cited = Counter(requirement for case in EVERY for requirement in case.spec)
    assert not sorted(REQUIREMENTS - set(cited))


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = json.loads((fixtures_directory() / SCHEMA_FILE).read_text(encoding="utf-8"))
    assert committed == SCHEMA


@pytest.mark.parametrize(
    "path", sorted((fixtures_directory() / "cases").glob("*.toml")), ids=lambda path: path.name
)
def test_every_file_meets_the_schema(path: object) -> None:
    assert hasattr(path, "read_text")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    problems = [
        error.message[:300]
        for error in validator.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))
    ]
    assert not problems


@pytest.mark.parametrize(
    ("step", "good", "bad"),
    [
        ("dribble", {"data": "x", "size": 1}, {"data": "x", "size": 0}),
        ("pause", {"seconds": 0.5}, {"seconds": 1_000_000}),
        ("pause", 0, -1),
        ("fill", {"n": 0, "pattern": "ab"}, {"n": 0, "pattern": ""}),
        ("fill", {"n": 0, "pattern": ["a", "b"]}, {"n": 0, "pattern": []}),
        ("gate", "go", ""),
        ("read_until", "x", ""),
        ("close", "rst", "door"),
    ],
)
def test_the_schema_has_the_bounds_of_steps(step: str, good: object, bad: object) -> None:
    steps = {"$ref": "#/$defs/Steps", "$defs": SCHEMA["$defs"]}
    assert jsonschema.Draft202012Validator(steps).is_valid([{step: good}])
    assert not jsonschema.Draft202012Validator(steps).is_valid([{step: bad}])


def test_the_schema_is_closed() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert not validator.is_valid({"family": "framing", "case": [{"id": "a.b", "unknown": 1}]})
    assert not validator.is_valid({"family": "framing", "cases": []})


def test_the_page_about_the_catalogue_counts_every_row_and_names_cases() -> None:
    text = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| ([0-9]+) \| (.+) \|$", text, re.MULTILINE)
    parts = re.findall(r"^## .+: ([0-9]+) rows$", text, re.MULTILINE)
    assert sum(map(int, parts)) == sum(int(count) for count, _ in rows) == 806
    ids = [case.id for case in EVERY]
    globs = {glob for _, told in rows for glob in re.findall(r"`([^`]+)`", told)}
    assert not {glob for glob in globs if not fnmatch.filter(ids, glob)}
