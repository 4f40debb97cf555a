"""Formats for pipelines, each read by a parser that is not ours: JUnit, CTRF, SARIF, GitLab's."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from junitparser import xunit2
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from conformance.cases import LEVELS, fixtures_directory
from conformance.cli import main
from conformance.cli.outputs import FORMATS
from conformance.judge import Verdict
from conformance.report import Run, badge_files, embedding
from conformance.report.badge import LABEL
from conformance.report.codequality import code_quality_json
from conformance.report.ctrf import ctrf_json
from conformance.report.junit import junit_xml
from conformance.report.locations import location_of
from conformance.report.sarif import RISKS, risk_of, sarif_json
from conformance.results import Result, RunHead
from conformance.results.result import Again, Overlay
from conformance.tests.support import BY_ID, CORPUS, EVERY
from conformance.tests.test_reports import PROPERTY, runs

HEAD = RunHead(
    kit="1.0",
    corpus="c",
    implementation="client:x",
    name="x",
    version="2",
    features=[],
)
GRID = "framing.content-length.invalid.plus"
CLEAR = "tls.client.handshake.answered-in-clear"
TIME = re.compile(r"[0-9]+\.[0-9]{3}")
"""Surefire's schema has this form, with commas that it allows and does not need."""


def result(name: str, verdict: Verdict = Verdict.PASS, **details: object) -> Result:
    case = BY_ID[name]
    return Result(
        id=name,
        rev=case.rev,
        verdict=verdict,
        level=case.level,
        family=case.family,
        title=case.title,
        spec=[],
        **details,  # type: ignore[arg-type]
    )


FAILED = result(GRID, Verdict.NO_ERROR, where="read", call="read()", seen="'hello'", seconds=0.25)
AGAIN = Again("WRONG_VALUE", fine=False, where="read", seen="'hell'")
RESULTS = [
    result("chunked.two-chunks", seconds=1.5),
    FAILED,
    msgspec.structs.replace(FAILED, id=CLEAR, again=AGAIN, overlay="REGRESSION"),
    result("chunked.size-line.not-hex", Verdict.HANG, overlay="EXPECTED", known="known"),
    result("headers.none", Verdict.LEAK, overlay="FLAKY", again=Again("PASS", fine=True)),
    result("headers.two-fields", Verdict.UNSUPPORTED, reason="no feature"),
    result("headers.three-fields", Verdict.DRIVER_ERROR, reason="died"),
]
RUN = Run(HEAD, RESULTS)


def test_another_parser_reads_junit_with_times_and_reruns_as_surefire_writes_them() -> None:
    # Untyped: the parser declares the cases of the older format, which have no reruns.
    (suite,) = cast("Any", xunit2.JUnitXml.fromstring(junit_xml([RUN])))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 2, 1, 2)
    assert suite.time == 2.0
    cases = {case.name: case for case in suite}
    assert (cases["chunked.two-chunks"].time, cases[GRID].time) == (1.5, 0.25)
    assert [one.type for one in cases[CLEAR].result] == ["NO_ERROR"]
    (again,) = cases[CLEAR].rerun_failures()
    assert (again.type, again.message) == ("WRONG_VALUE", "'hell'")
    flaky = cases["headers.none"]
    assert flaky.is_passed
    (first,) = flaky.flaky_failures()
    assert first.type == "LEAK"
    assert first.stack_trace.startswith("FLAKY LEAK  headers.none")


def test_a_flaky_case_that_fails_the_run_is_a_failure_in_every_format() -> None:
    strict = Run(msgspec.structs.replace(HEAD, fail_on_flaky=True), [RESULTS[4]])
    (suite,) = xunit2.JUnitXml.fromstring(junit_xml([strict]))
    assert suite.failures == 1
    (test,) = json.loads(ctrf_json([strict], CORPUS))["results"]["tests"]
    assert (test["status"], "flaky" in test) == ("failed", False)
    (found,) = json.loads(code_quality_json([strict], CORPUS))
    assert found["severity"] != "info"


@PROPERTY
@given(runs())
def test_elements_of_a_test_case_are_those_of_surefire_in_its_order(run: Run) -> None:
    order = ("properties", "failure", "rerunFailure", "flakyFailure", "skipped", "error")
    root = ET.fromstring(junit_xml([run]))
    for element in root.iter():
        if element.tag in ("testsuite", "testcase"):
            assert TIME.fullmatch(element.attrib["time"])
    for case in root.iter("testcase"):
        tags = [one.tag for one in case]
        assert tags == sorted(tags, key=order.index)
        for again in (*case.findall("rerunFailure"), *case.findall("flakyFailure")):
            assert [one.tag for one in again] == ["stackTrace"]
            assert "type" in again.attrib


COUNT = {"type": "integer", "minimum": 0}
STATUS = {"enum": ["passed", "failed", "skipped", "pending", "other"]}
TEXT = {"type": "string"}


def closed(required: dict[str, object], **optional: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


CTRF = closed(  # what the specification of CTRF demands of the parts that are used here
    {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "results": closed(
            {
                "tool": closed({"name": {"type": "string", "minLength": 1}}, version=TEXT),
                "summary": closed(
                    dict.fromkeys(
                        ["tests", "start", "stop", *STATUS["enum"]],
                        COUNT,
                    ),
                    **dict.fromkeys(["flaky", "suites", "duration"], COUNT),
                ),
                "tests": {
                    "type": "array",
                    "items": closed(
                        {
                            "name": {"type": "string", "minLength": 1},
                            "status": STATUS,
                            "duration": COUNT,
                        },
                        suite={"type": "array", "minItems": 1, "items": TEXT},
                        **dict.fromkeys(["message", "trace", "rawStatus", "filePath"], TEXT),
                        type=TEXT,
                        tags={"type": "array", "items": TEXT},
                        line=COUNT,
                        retries=COUNT,
                        flaky={"type": "boolean"},
                        retryAttempts={
                            "type": "array",
                            "minItems": 1,
                            "items": closed(
                                {"attempt": {"type": "integer", "minimum": 1}, "status": STATUS},
                                message=TEXT,
                                trace=TEXT,
                            ),
                        },
                        extra={"type": "object"},
                    ),
                },
            }
        ),
    },
    generatedBy=TEXT,
)
CODE_QUALITY = {  # https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    "type": "array",
    "items": closed(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": closed(
                {
                    "path": {"type": "string", "pattern": r"^(?!\./)."},
                    "lines": closed({"begin": {"type": "integer", "minimum": 1}}),
                }
            ),
        }
    ),
}


@PROPERTY
@given(runs())
def test_whatever_a_run_holds_the_documents_are_valid(run: Run) -> None:
    jsonschema.validate(json.loads(ctrf_json([run, run], CORPUS)), CTRF)
    jsonschema.validate(json.loads(code_quality_json([run, run], CORPUS)), CODE_QUALITY)
    SarifLog.model_validate_json(sarif_json([run, run], CORPUS))
    xunit2.JUnitXml.fromstring(junit_xml([run, run]))


def test_ctrf_counts_what_its_tests_say() -> None:
    found = json.loads(ctrf_json([RUN], CORPUS))["results"]
    jsonschema.validate(json.loads(ctrf_json([RUN], CORPUS)), CTRF)
    counts = Counter(test["status"] for test in found["tests"])
    assert counts == {"passed": 2, "failed": 3, "skipped": 2}
    assert {status: found["summary"][status] for status in counts} == counts
    assert (found["summary"]["tests"], found["summary"]["flaky"]) == (7, 1)
    assert found["summary"]["stop"] - found["summary"]["start"] == 2000
    (flaky,) = (test for test in found["tests"] if test.get("flaky"))
    assert (flaky["retries"], flaky["retryAttempts"][0]["status"]) == (1, "failed")


def test_an_incomplete_run_is_a_failure_in_ctrf_and_said_in_sarif() -> None:
    run = Run(msgspec.structs.replace(HEAD, incomplete="killed"), RESULTS[:1])
    tests = json.loads(ctrf_json([run], CORPUS))["results"]["tests"]
    assert [test["status"] for test in tests] == ["failed", "passed"]
    log = SarifLog.model_validate_json(sarif_json([run], CORPUS))
    assert log.runs[0].invocations[0].executionSuccessful is False


def test_sarif_has_the_failures_about_security_alone_at_the_lines_of_their_cases() -> None:
    log = SarifLog.model_validate_json(sarif_json([RUN], CORPUS))
    (run,) = log.runs
    assert [one.ruleId for one in run.results] == ["desynchronisation", "clear-text"]
    for one in run.results:
        assert run.tool.driver.rules[one.ruleIndex].id == one.ruleId
        place = one.locations[0].physicalLocation
        text = (fixtures_directory().parent / place.artifactLocation.uri).read_text("utf-8")
        lines = text.splitlines()
        assert lines[place.region.startLine - 1].startswith('id = "')
    assert lines[place.region.startLine - 1] == 'id = "tls.client.handshake.{fault}"'
    assert len({json.dumps(one.partialFingerprints) for one in run.results}) == 2


def test_a_known_failure_is_suppressed_and_one_that_hangs_is_no_risk() -> None:
    known = msgspec.structs.replace(FAILED, overlay=Overlay.EXPECTED, known="baseline:1")
    hang = msgspec.structs.replace(FAILED, verdict="HANG")
    log = SarifLog.model_validate_json(sarif_json([Run(HEAD, [known, hang])], CORPUS))
    (one,) = log.runs[0].results
    assert one.suppressions[0].justification == "baseline:1"


def test_every_glob_of_a_risk_is_about_cases() -> None:
    for risk in RISKS:
        for glob in risk.cases:
            assert CORPUS.select([glob], LEVELS), glob
    failures = (msgspec.structs.replace(FAILED, id=case.id) for case in EVERY)
    named = Counter(found.id for one in failures if (found := risk_of(one)))
    assert set(named) == {risk.id for risk in RISKS}
    assert risk_of(msgspec.structs.replace(FAILED, id="chunked.two-chunks")) is None


def test_gitlab_compares_failures_by_fingerprints_that_stay() -> None:
    found = json.loads(code_quality_json([RUN], CORPUS))
    jsonschema.validate(found, CODE_QUALITY)
    assert [one["check_name"] for one in found] == ["NO_ERROR", "NO_ERROR", "LEAK"]
    assert [one["severity"] for one in found] == ["critical", "critical", "info"]
    seen = msgspec.structs.replace(FAILED, seen="'other'")
    again = json.loads(code_quality_json([Run(HEAD, [seen])], CORPUS))
    assert again[0]["fingerprint"] == found[0]["fingerprint"]
    other = Run(msgspec.structs.replace(HEAD, implementation="client:y"), [FAILED])
    assert json.loads(code_quality_json([other], CORPUS))[0]["fingerprint"] not in {
        one["fingerprint"] for one in found
    }


def test_a_case_that_is_not_in_the_corpus_has_a_place_all_the_same() -> None:
    gone = msgspec.structs.replace(FAILED, id="gone.case")
    assert location_of(CORPUS, gone, HEAD) == ("fixtures/cases", 1, False)
    own = msgspec.structs.replace(HEAD, own=["mine/a b.toml"])
    assert location_of(CORPUS, gone, own) == ("mine/a b.toml", 1, True)
    risky = msgspec.structs.replace(FAILED, id="chunked.size.gone")
    log = SarifLog.model_validate_json(sarif_json([Run(own, [risky])], CORPUS))
    place = log.runs[0].results[0].locations[0].physicalLocation
    assert place.artifactLocation.uri == "mine/a%20b.toml"


def test_there_is_a_badge_for_each_level_and_a_line_that_embeds_it() -> None:
    files = dict(badge_files([RUN]))
    assert set(files) == {
        f"{level}.{kind}"
        for level in ("all", "documented", "precedent", "guard")
        for kind in ("svg", "json")
        if level == "all" or any(one.level == level for one in RESULTS)
    }
    for name, content in files.items():
        if name.endswith(".svg"):
            label = (ET.fromstring(content).get("aria-label") or "").partition(":")[0]
            assert embedding(name) == f"![{label}]({name})"
            assert label == (LABEL if name == "all.svg" else f"HTTP/1.1 {name[:-4]}")
    guard = json.loads(files["guard.json"])["message"]
    whole = json.loads(files["all.json"])["message"]
    assert guard != whole


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with every format of one small run that has times."""
    place = tmp_path_factory.mktemp("formats")
    options = [part for one in FORMATS for part in (f"--{one.option}", str(place / one.option))]
    done = CliRunner().invoke(
        main,
        [
            *("check", "http.client", "--select", "framing.content-length.invalid.*", "--times"),
            *(*options, "--badges", str(place / "badges"), "--results", str(place / "results")),
        ],
    )
    assert done.exit_code == 1, done.output
    return place


def test_check_writes_every_format_and_report_writes_the_same(
    written: Path, tmp_path: Path
) -> None:
    options = [part for one in FORMATS for part in (f"--{one.option}", str(tmp_path / one.option))]
    options += ["--badges", str(tmp_path / "badges")]
    done = CliRunner().invoke(main, ["report", str(written / "results"), *options])
    assert done.exit_code == 0, done.output
    for one in (*(one.option for one in FORMATS), *badge_names(written)):
        assert (tmp_path / one).read_bytes() == (written / one).read_bytes()


def badge_names(place: Path) -> list[str]:
    return [f"badges/{one.name}" for one in (place / "badges").iterdir()]


def test_times_are_those_of_the_clock_if_they_are_asked_for(written: Path) -> None:
    (suite,) = xunit2.JUnitXml.fromfile(str(written / "junit"))
    assert suite.time > 0
    assert suite.time == pytest.approx(sum(case.time for case in suite), abs=0.01)
    summary = json.loads((written / "ctrf").read_text())["results"]["summary"]
    assert summary["duration"] > 0
    assert summary["start"] > 1_700_000_000_000


def test_without_times_equal_runs_give_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        args = ["check", "--select", "chunked.two-chunks", "--results", str(tmp_path / name)]
        assert CliRunner().invoke(main, args).exit_code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert b'"seconds"' not in (tmp_path / "one").read_bytes()


def test_the_page_of_badges_has_the_lines_to_copy(written: Path) -> None:
    page = (written / "badges" / "index.html").read_text(encoding="utf-8")
    assert "<code>![HTTP/1.1 guard](guard.svg)</code>" in page
    assert (written / "badges" / "guard.svg").exists()
