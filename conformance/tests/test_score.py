"""Scores: next to each stands what was not run, and why; and the same bytes count once."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner

from conformance.cases import load_corpus
from conformance.cli import main
from conformance.cli.outputs import document
from conformance.judge import Verdict
from conformance.report.annotations import annotation_lines
from conformance.report.badge import badge_endpoint, badge_svg
from conformance.report.junit import junit_xml
from conformance.report.markdown import markdown_text
from conformance.report.matrix import matrix
from conformance.report.runs import Run
from conformance.report.score import score, score_lines
from conformance.report.terminal import plain_lines
from conformance.results import Result, RunHead
from conformance.tests.support import site_of

HEAD = RunHead(kit="0", corpus="0", implementation="x", name="x", version="1", features=[])


def result(number: int, verdict: str, reason: str = "", script: str = "") -> Result:
    return Result(
        id=f"a.case-{number}",
        rev=1,
        verdict=verdict,
        level="guard",
        family="a",
        title="t",
        spec=[],
        reason=reason,
        strength="must",
        script=script,
    )


def run() -> Run:
    lacks = "the implementation has no strict"
    found = [result(number, "PASS", script=f"s{number}") for number in range(3)]
    found += [result(3, "PASS", script="s0"), result(4, "WRONG_VALUE", script="s1")]
    found += [result(number, "UNSUPPORTED", lacks) for number in range(5, 12)]
    found += [result(12, "UNSUPPORTED", "the driver does not declare `item`")]
    found += [result(13, "DRIVER_ERROR", "its answer is no JSON")]
    return Run(HEAD, found)


def reports(one: Run | None = None) -> dict[str, str]:
    one = one or run()
    return {
        "terminal": "\n".join(plain_lines(one)),
        "markdown": markdown_text([one]),
        "html": site_of([one])["index.html"],
        "json": document([one]).decode(),
        "junit": junit_xml([one]).decode(),
        "annotations": "\n".join(annotation_lines([one])),
        "matrix": "\n".join(matrix([one, one])),
    }


@pytest.mark.parametrize("name", reports())
def test_next_to_each_score_stands_what_was_not_run_and_why(name: str) -> None:
    text = reports()[name]
    assert "4 of 5 judged cases pass (2 of 3 distinct scripts); 9 of 14 cases not run" in text
    for reason, count in (
        ("UNSUPPORTED: no strict", 7),
        ("UNSUPPORTED: the driver does not declare", 1),
        ("DRIVER_ERROR: its answer is no JSON", 1),
    ):
        if name == "json":
            assert json.loads(text)["runs"][0]["score"]["not_run"]["UNSUPPORTED: no strict"] == 7
        else:
            assert f"{count} {reason}" in text


def test_a_badge_says_how_much_was_not_run() -> None:
    assert json.loads(badge_endpoint([run()]))["message"] == "4/5, 9 of 14 not run"
    label = ET.fromstring(badge_svg([run()])).get("aria-label") or ""
    assert label.endswith(": 4/5, 9 of 14 not run")


def test_a_badge_is_green_for_the_whole_alone() -> None:
    passed = [result(0, "PASS")]
    assert json.loads(badge_endpoint([Run(HEAD, passed)]))["color"] == "brightgreen"
    more = [*passed, result(1, "UNSUPPORTED", "the implementation has no strict")]
    assert json.loads(badge_endpoint([Run(HEAD, more)]))["color"] == "yellow"


@pytest.mark.parametrize("name", reports())
def test_what_the_first_failure_kept_from_running_is_not_left_out(name: str) -> None:
    one = Run(msgspec.structs.replace(HEAD, unreached=1000), run().results)
    text = reports(one)[name]
    assert "1009 of 1014 cases not run" in text
    assert "the first failure ended the run" in text
    assert "1009 of 1014 not run" in badge_endpoint([one]).decode()


def test_what_is_only_observed_passes_nothing() -> None:
    found = [result(0, "INFO"), result(1, "INFO")]
    one = Run(HEAD, [msgspec.structs.replace(x, level="observe", strength="") for x in found])
    for text in (*reports(one).values(), badge_endpoint([one]).decode()):
        assert "2 of 2 judged" not in text
        assert "2/2" not in text
    assert one.score.text == "0 of 0 judged cases pass; 2 of 2 cases observed, and never judged"
    both = Run(HEAD, [*one.results, result(2, "PASS")])
    assert both.score.short == "1/1, 2 observed"


def test_where_all_was_run_no_report_speaks_of_more() -> None:
    found = score([result(0, "PASS", script="a"), result(1, "PASS", script="b")])
    assert found.text == "2 of 2 judged cases pass"
    assert found.short == "2/2"
    assert found.reasons == []


def test_results_that_do_not_say_their_script_have_no_second_number() -> None:
    assert score_lines([result(0, "PASS"), result(1, "PASS")]) == ["2 of 2 judged cases pass"]


def test_many_reasons_are_summed_up() -> None:
    found = score([result(number, "UNSUPPORTED", f"reason {number}") for number in range(40)])
    assert len(found.reasons) == 12
    assert found.reasons[-1] == "29 for 29 other reasons"


def test_a_run_counts_what_it_lacks_and_the_scripts_that_it_played(tmp_path: Path) -> None:
    badge, file = tmp_path / "badge.json", tmp_path / "results.jsonl"
    args = ["check", "http.client", "-q", "--select", "status-line.code.*"]
    done = CliRunner().invoke(main, [*args, "--badge", str(badge), "--results", str(file)])
    _, *results = map(json.loads, file.read_text().splitlines())
    lacking = [one for one in results if one["verdict"] == Verdict.UNSUPPORTED]
    assert lacking
    assert f"{len(lacking)} of {len(results)} not run" in badge.read_text()
    told = rf"; {len(lacking)} of {len(results)} cases not run$"
    assert re.search(told, done.stdout, re.MULTILINE)
    assert re.search(r"^  \d+ UNSUPPORTED: no .*strict", done.stdout, re.MULTILINE)
    assert all(("script" in one) is (one["verdict"] != "UNSUPPORTED") for one in results)


def test_a_case_that_is_played_twice_counts_once() -> None:
    (case, *_) = load_corpus().select(["chunked.one-chunk"])
    from certs import CertificateAuthority
    from conformance.drivers import target
    from conformance.run import Runner

    with Runner(target("httplib_impl"), CertificateAuthority()) as runner:
        found = score([runner.run_case(case), runner.run_case(case)])
    assert found.text == "2 of 2 judged cases pass (1 of 1 distinct script)"
