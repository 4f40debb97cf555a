"""The course: its stages, the template, the student's file, and the model at every level."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cases import load_corpus
from conformance.cli import main
from conformance.course import LANGUAGES, PROGRESS, begin, checked, load_stages
from conformance.drivers import target
from conformance.tests.model_client import Levelled, Model

STAGES = load_stages()
NUMBERS = range(1, len(STAGES) + 1)
BEYOND = ("parallel", "streamed", "timeout")
"""What the course does not teach: the cases that need it are left out of a stage."""
TOOLS = {"javascript": "node", "go": "go", "rust": "rustc", "java": "javac", "c": "cc"}


def kit(*args: str) -> Result:
    return CliRunner().invoke(main, ["course", *args], prog_name="httplib-kit")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_model_passes_a_stage_at_its_level_and_not_before(number: int) -> None:
    cases = STAGES[number - 1].of(load_corpus())
    with checked(Levelled(number)) as course:
        found = course.check(number, cases)
    assert found.passes, [(one.id, one.verdict, one.seen, one.reason) for one in found.failed]
    assert found.count == len(cases) - len(found.unsupported)
    lacking = {one.reason for one in found.unsupported}
    assert lacking <= {f"the implementation has no {one}" for one in BEYOND}
    if number > 1:
        with checked(Levelled(number - 1)) as course:
            assert not course.check(number, cases, first=True).passes


@pytest.mark.parametrize(
    ("number", "part", "change"),
    [
        (2, "reason", lambda _: "OK"),
        (3, "headers", lambda _: []),
        (3, "headers", lambda pairs: [pair for pair in pairs if pair[1]]),
        (3, "headers", lambda pairs: pairs[::-1]),
        (3, "headers", lambda pairs: [*dict(pairs).items()]),
        (3, "headers", lambda pairs: [(name, value.strip()) for name, value in pairs]),
        (3, "headers", lambda pairs: [(name, value.title()) for name, value in pairs]),
        (5, "body", lambda _: b""),
    ],
)
def test_each_part_that_a_stage_teaches_is_compared(
    number: int, part: str, change: Callable[[Any], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Model.exchange

    def wrong(self: Model, *args: Any) -> dict[str, object]:
        parts = right(self, *args)
        return {**parts, part: change(parts[part])}

    monkeypatch.setattr(Model, "exchange", wrong)
    with checked(Levelled(number)) as course:
        found = course.check(number, STAGES[number - 1].of(load_corpus()))
    assert {one.verdict for one in found.failed} == {"WRONG_VALUE"}


def test_what_a_client_need_not_report_yet_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Model.exchange
    monkeypatch.setattr(Model, "exchange", lambda *args: {**right(*args), "body": b"wrong"})
    with checked(Levelled(4)) as course:
        assert course.check(4, STAGES[3].of(load_corpus())).passes


def test_the_complete_model_passes_the_first_case_of_every_glob() -> None:
    corpus = load_corpus()
    with checked(Levelled(len(STAGES))) as course:
        for number, stage in enumerate(STAGES, 1):
            first = {stage._place(case.id): case for case in reversed(stage.of(corpus))}
            assert course.check(number, first.values()).passes, number


@pytest.mark.parametrize("number", NUMBERS)
def test_a_stage_is_complete(number: int) -> None:
    stage, corpus = STAGES[number - 1], load_corpus()
    assert stage.title.endswith("?")
    assert len(stage.hints) >= 1
    assert all(re.fullmatch(r"91(10|12)#[0-9.]+", one) for one in stage.read)
    chosen = [one.id for one in corpus.select(stage.cases).for_clients()]
    for glob in (*stage.cases, *stage.exclude):
        assert {one.id for one in corpus.select([glob]).listed} & set(chosen), glob
    assert max(map(len, stage.text.splitlines())) <= 140


def test_there_are_at_least_twelve_stages_with_titles_of_their_own() -> None:
    assert len({stage.title for stage in STAGES}) == len(STAGES) >= 12


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.slow
def test_a_template_passes_the_first_stage_and_not_the_second(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if language in TOOLS and not shutil.which(TOOLS[language]):
        pytest.skip(f"{TOOLS[language]} is not installed")
    begin(tmp_path / "mine", language)
    monkeypatch.chdir(tmp_path / "mine")
    corpus = load_corpus()
    with checked(target(LANGUAGES[language])) as course:
        first = course.check(1, STAGES[0].of(corpus))
        assert first.passes, [(one.id, one.verdict, one.seen, one.reason) for one in first.failed]
        assert not course.check(2, STAGES[1].of(corpus), first=True).passes
        # The template sends no content yet; the driver hands it over.
        found = course.check(14, STAGES[13].of(corpus), first=True)
        assert "content" in found.failed[0].accepted[0]


def test_a_student_goes_from_an_empty_folder_to_a_failing_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        "cd mine && httplib-kit course check 1" in kit("new", "mine", "--language", "python").output
    )
    monkeypatch.chdir(tmp_path / "mine")
    done = kit("check")
    assert done.exit_code == 0, done.output
    assert "24 of 24 cases pass: your client passes this stage" in done.output
    done = kit("check")
    assert done.exit_code == 1
    assert "your client does not pass this stage yet" in done.output
    assert re.search(r"again +httplib-kit course check 2 --select status-line", done.output)
    assert re.search(r"^x +1  How do I ask", kit().output, re.MULTILINE)
    assert json.loads(Path(PROGRESS).read_text()) == {
        "client": "exec:python3 driver.py",
        "passed": [1],
        "unmasked": [],
    }


def test_a_stage_that_breaks_is_said_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "mine", "python")
    monkeypatch.chdir(tmp_path / "mine")
    Path(PROGRESS).write_text('{"client": "exec:python3 driver.py", "passed": [1, 2]}')
    done = kit("check", "1")
    assert done.exit_code == 1
    assert "stage 2 passed before and does not any more: status-line" in done.output
    assert json.loads(Path(PROGRESS).read_text())["passed"] == [1]


ASKED = "    def exchange(self, method, target, fields, body):\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("nosuch", ("DRIVER_ERROR", "the client rejects (leak): NameError: name 'nosuch'")),
        ("return None", ("DRIVER_ERROR", "AttributeError: 'NoneType' object has no attribute")),
        ("import os; os._exit(0)", ("CRASH", "the worker ended with status 0")),
        ("import sys; sys.exit()", ("CRASH", "the worker ended with status 0")),
    ],
)
def test_a_client_that_makes_no_request_is_explained_by_two_cases(
    body: str, said: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "mine", "python")
    monkeypatch.chdir(tmp_path / "mine")
    text = Path("client.py").read_text()
    assert ASKED in text
    Path("client.py").write_text(text.replace(ASKED, f"{ASKED}        {body}\n"))
    done = kit("check", "1")
    assert done.exit_code == 1
    assert "22 cases not run: two have ended like this one" in done.output
    assert all(one in done.output for one in said), done.output


def test_a_value_of_a_wrong_type_is_a_bug_that_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "mine", "python")
    monkeypatch.chdir(tmp_path / "mine")
    text = Path("client.py").read_text()
    Path("client.py").write_text(text.replace("status=int(line[9:12])", "status=line[9:12]"))
    done = kit("check", "1")
    assert "TypeError: status is b'208': not of the type int" in done.output
    Path("client.py").write_text(text.replace("int(line[9:12])", "int(line)"))
    done = kit("check", "1")
    assert "LEAK" in done.output
    assert re.search(r"raised in +\S*client\.py:\d+ in exchange: return Response", done.output)


def test_what_a_client_prints_is_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path / "mine", "python")
    monkeypatch.chdir(tmp_path / "mine")
    text = Path("client.py").read_text()
    Path("client.py").write_text(text.replace(ASKED, f"{ASKED}        print('asks', method)\n"))
    assert kit("check", "1").exit_code == 0
    assert Path("printed.txt").read_text() == "asks GET\n" * 24


def test_a_single_case_changes_no_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path / "mine", "python")
    monkeypatch.chdir(tmp_path / "mine")
    assert kit("check", "1", "--select", "status-line.valid.1-1.off").exit_code == 0
    assert json.loads(Path(PROGRESS).read_text())["passed"] == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "httplib-course.json: not a file of the course: "),
        ('{"passed": ["one"]}', "Expected `int`, got `str` - at `$.passed[0]`"),
        ('{"pased": []}', "unknown field `pased`"),
        ("{}", "no client is named in httplib-course.json"),
    ],
)
def test_a_file_that_is_not_right_gets_one_line(
    content: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(PROGRESS).write_text(content)
    done = kit("check", "1")
    assert done.exit_code == 2
    assert problem in done.output
    assert done.output.count("\n") == 1
    assert Path(PROGRESS).read_text() == content


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("check", "19"), "'19' is not the number of a stage, 1 to 18"),
        (("check", "1", "http.client"), "write client:httplib:http.client"),
        (
            ("check", "1", "client:httplib:http.client", "--select", "x"),
            "no case of stage 1 matches",
        ),
        (("new", ".", "--language", "python"), "has files already: give a new directory"),
    ],
)
def test_a_wrong_argument_gets_one_line(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other").touch()
    done = kit(*arguments)
    assert done.exit_code == 2
    assert problem in done.output


def test_a_module_with_the_interface_of_httplib_can_take_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = kit("check", "4", "client:httplib:http.client")
    assert "stage 4: What is a line that begins with a space?" in done.output
    assert json.loads(Path(PROGRESS).read_text())["client"] == "client:httplib:http.client"


def test_hints_come_one_at_a_time() -> None:
    shown = kit("show", "5", "--hint").output
    assert shown.count("\nhint ") == 1
    assert "hints  2 more" in shown
    assert "hints" not in kit("show", "5", "--hint", "--hint", "--hint").output
