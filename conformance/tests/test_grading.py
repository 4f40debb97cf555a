"""Grades of generated students, and cases that no one has seen."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner, Result

from conformance.cases import load_corpus, rules_broken, sent_by, with_own
from conformance.cli import main
from conformance.course import (
    PROGRESS,
    Mark,
    Work,
    begin,
    checked,
    fresh_file,
    load_stages,
    mark_of_results,
    mark_of_stage,
)
from conformance.course.grading import FORMATS
from conformance.drivers import OURS, target
from conformance.judge import OK, Verdict
from conformance.report import command
from conformance.results import RunHead
from conformance.run import Runner
from conformance.tests.model_client import Levelled

SEED = 7
LAST = len(load_stages())


@pytest.fixture(scope="module")
def fresh() -> Any:
    return fresh_file(SEED, live=False)


def kit(*args: str) -> Result:
    return CliRunner().invoke(main, args, prog_name="httplib-kit")


def test_equal_seeds_give_equal_cases_and_others_give_others(fresh: tuple[str, bytes]) -> None:
    assert fresh_file(SEED, live=False) == fresh
    own, others = (
        set(re.findall(rb"^respond = .*$", content, re.MULTILINE))
        for content in (fresh[1], fresh_file(SEED + 1, live=False)[1])
    )
    assert len(own) >= 100
    assert len(own & others) < len(own) // 10


def test_no_fresh_response_is_in_the_corpus_and_the_reference_passes_all(fresh: Any) -> None:
    corpus = with_own(load_corpus(), [fresh])
    cases = list(corpus.select())
    assert {case.level for case in cases} == {"precedent"}
    known = {b"".join(sent_by(one.script())) for one in load_corpus().select(["chunked.*"]).listed}
    assert not known & {b"".join(sent_by(case.script)) for case in cases}
    from certs import CertificateAuthority

    with Runner(target(OURS), CertificateAuthority(), tolerant=False) as runner:
        assert {one.id: one.verdict for one in runner.run(cases) if one.verdict not in OK} == {}


def test_fresh_cases_have_every_kind_of_expectation(fresh: Any) -> None:
    cases = with_own(load_corpus(), [fresh]).select().for_clients()
    kinds = {
        (case.fetch.strength, *sorted(type(one).__name__ for one in case.fetch.results))
        for case in cases
        if case.fetch
    }
    assert {("must", "Accept"), ("must", "Reject"), ("must", "Accept", "Reject")} <= kinds
    assert any(rules_broken(sent_by(case.script)[0], "fin") == [] for case in cases)


def test_check_runs_them_and_says_how_to_run_one_again() -> None:
    done = kit("check", "client:httplib:http.client", "--fresh", str(SEED), "--select", "fresh.*")
    assert done.exit_code == 1, done.output
    assert f"--fresh {SEED} --select fresh." in done.output


def test_the_command_of_a_story_names_the_seed() -> None:
    with checked(Levelled(1)) as course:
        head = RunHead.of(course.identity, kit="0", corpus="0", own=["fresh:7", "mine.toml"])
        (result,) = course.check(1, load_stages()[0].of(load_corpus())[:1]).results
    assert " --fresh 7 --cases mine.toml --select " in command(result, head)


def grade_of(level: int, fresh: Any) -> list[Mark]:
    """Return the marks of the model at *level*: two stages, and fresh cases."""
    corpus = with_own(load_corpus(), [fresh])
    with checked(Levelled(level)) as course:
        found = [
            mark_of_stage(course.check(number, load_stages()[number - 1].of(corpus), first=True))
            for number in (2, 10)
        ]
        results = course.check(LAST, corpus.select().for_clients()).results
    return [*found, mark_of_results("fresh", results, corpus)]


def test_a_student_who_is_right_earns_everything(fresh: Any) -> None:
    marks = grade_of(LAST, fresh)
    assert [one.share for one in marks] == [1, 1, 1], [one.text for one in marks]


def test_a_student_who_is_half_right_earns_the_stages_that_pass(fresh: Any) -> None:
    marks = grade_of(9, fresh)
    assert [one.share for one in marks[:2]] == [1, 0]
    assert 0 < marks[2].share < 1
    assert "; failed: " in marks[1].text


def test_a_student_whose_client_is_broken_earns_nothing(tmp_path: Path) -> None:
    begin(tmp_path / "mine", "python")
    (tmp_path / "mine" / "client.py").write_text("raise RuntimeError('not yet')\n")
    done = kit("course", "grade", str(tmp_path / "mine"), "--stages", "2", "--fresh", "1")
    assert done.exit_code == 0, done.output
    (work,) = json.loads(done.output)["works"]
    assert work["points"] == 0
    assert len(work["parts"]) == 3
    assert all("not yet" in one["text"] for one in work["parts"])


ASKED = "    def exchange(self, method, target, fields, body):\n"
FORGED = """
        import json, pathlib
        pathlib.Path("httplib-course.json").write_text('{"client": "client:curl"}')
        pathlib.Path("client.py").write_text("raise SystemExit")
        raise HTTPError("forged")
"""


@pytest.mark.parametrize(
    "body",
    [
        'import os; os.write(1, b"garbage\\n")',
        'import os; os.write(1, b"{\\"serial\\": 1, \\"trace\\": []}\\n")',
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "return Response(200)",
        "raise HTTPError('always')",
        FORGED,
    ],
)
def test_a_hostile_client_earns_nothing_and_does_not_end_the_grading(
    body: str, tmp_path: Path
) -> None:
    begin(tmp_path / "mine", "python")
    file = tmp_path / "mine" / "client.py"
    file.write_text(file.read_text().replace(ASKED, f"{ASKED}        {body}\n"))
    done = kit("course", "grade", str(tmp_path / "mine"), "--stages", "1")
    assert done.exit_code == 0, done.output
    (work,) = json.loads(done.output)["works"]
    assert (work["points"], work["client"]) == (0, "exec:python3 driver.py")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"client": "client:urllib3"}', "is not the student's: it does not begin with exec:"),
        ('{"client": "http.client"}', "is not the student's"),
        ('{"client": "exec:./no-such-program"}', "no-such-program"),
        ("{", "not a file of the course"),
    ],
)
def test_a_file_that_names_no_client_of_the_student_costs_nobody_else(
    content: str, why: str, tmp_path: Path
) -> None:
    begin(tmp_path / "right", "python")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / PROGRESS).write_text(content)
    works = [str(tmp_path / name) for name in ("wrong", "right")]
    done = kit("course", "grade", *works, "--stages", "1")
    assert done.exit_code == 0, done.output
    wrong, right = json.loads(done.output)["works"]
    assert (wrong["points"], right["points"]) == (0, 100)
    assert why in wrong["parts"][0]["text"]


def test_what_is_not_answered_is_not_left_out(fresh: Any) -> None:
    corpus = with_own(load_corpus(), [fresh])
    with checked(Levelled(LAST)) as course:
        results = course.check(LAST, corpus.select().for_clients()).results
    assert mark_of_results("fresh", results, corpus).share == 1
    assert mark_of_results("fresh", results, corpus, unreached=len(results)).share == 0.5
    silent = [msgspec.structs.replace(one, verdict=Verdict.DRIVER_ERROR) for one in results[:-9]]
    assert mark_of_results("fresh", [*silent, *results[-9:]], corpus).share < 0.2


def test_the_seed_is_not_in_what_a_driver_receives(fresh: Any) -> None:
    text = fresh[1].decode()
    assert f"fresh.{SEED}." not in text
    assert f"seed {SEED}" not in text


def test_a_client_that_rejects_everything_earns_nothing(fresh: Any) -> None:
    class Refusing(Levelled):
        def make(self) -> Any:
            driver = super().make()
            usual = driver.run

            def run(message: Any) -> Any:
                usual(message)
                error = {"class": "Refused", "message": "", "bases": [], "attributes": {}}
                return [{"id": op["id"], "error": error} for op in message["ops"]]

            driver.run = run  # type: ignore[method-assign]
            return driver

    corpus = with_own(load_corpus(), [fresh])
    with checked(Refusing(LAST)) as course:
        results = course.check(LAST, corpus.select().for_clients()).results
    mark = mark_of_results("fresh", results, corpus)
    assert mark.share == 0
    assert not mark.text.startswith("0 of ")


MARKS = [Mark("one", 1.0, "all"), Mark("two", 0.5, "half"), Mark("three", 0.0, "none")]


NUMBER, TEXT = {"type": "number", "minimum": 0}, {"type": "string"}
GRADESCOPE = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": NUMBER,
        "output": TEXT,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": NUMBER,
                    "max_score": NUMBER,
                    "status": {"enum": ["passed", "failed"]},
                    "name": TEXT,
                    "number": TEXT,
                    "output": TEXT,
                },
            },
        },
    },
}
"""What gradescope-autograders.readthedocs.io/en/latest/specs documents, as far as it is used."""
GITHUB = {
    "type": "object",
    "required": ["version", "status", "max_score", "tests"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 1},
        "status": {"enum": ["pass", "fail", "error"]},
        "max_score": NUMBER,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "status", "score"],
                "additionalProperties": False,
                "properties": {
                    "name": TEXT,
                    "status": {"enum": ["pass", "fail", "error"]},
                    "score": NUMBER,
                    "message": TEXT,
                },
            },
        },
    },
}
"""What classroom-resources/autograding-grading-reporter reads of a runner's result."""


def test_gradescope_gets_points_for_each_test() -> None:
    found = json.loads(FORMATS["gradescope"]([Work("mine", MARKS, "exec:a")], 30))
    assert found["score"] == 15
    assert [one["score"] for one in found["tests"]] == [10, 5, 0]
    assert {one["max_score"] for one in found["tests"]} == {10}
    assert [one["status"] for one in found["tests"]] == ["passed", "failed", "failed"]
    jsonschema.validate(found, GRADESCOPE)


def test_github_gets_the_result_of_a_runner() -> None:
    encoded = FORMATS["github"]([Work("mine", MARKS, "exec:a")], 30)
    found = json.loads(base64.b64decode(encoded))
    assert encoded.count(b"\n") == 1
    assert (found["version"], found["status"], found["max_score"]) == (1, "fail", 30)
    assert sum(one["score"] for one in found["tests"]) == 15
    assert [one["status"] for one in found["tests"]] == ["pass", "fail", "fail"]
    jsonschema.validate(found, GITHUB)


def test_a_program_gets_every_student() -> None:
    works = [Work("mine", MARKS, "exec:a"), Work("yours", MARKS[:1], "exec:b")]
    found = json.loads(FORMATS["json"](works, 30))["works"]
    assert [(one["name"], one["points"]) for one in found] == [("mine", 15), ("yours", 30)]


def test_a_result_file_is_graded_by_family(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    options = ["--select", "framing.length.*", "--results", str(file)]
    kit("check", "client:httplib:http.client", *options)
    done = kit("course", "grade", str(file))
    (work,) = json.loads(done.output)["works"]
    assert [one["name"] for one in work["parts"]] == ["framing"]
    assert work["points"] == 100


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((".", "mine", "--format", "github"), "is about one student: give one DIR or RESULTS"),
        ((".",), f"{PROGRESS}: names no client"),
        (("no.jsonl",), "no.jsonl"),
    ],
)
def test_a_wrong_work_gets_one_line(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    done = kit("course", "grade", *arguments)
    assert done.exit_code == 2
    assert problem in done.output
    assert done.output.count("\n") == 1
