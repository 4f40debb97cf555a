"""A user's own cases: `--cases`, in every command that takes cases."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance import plugin
from conformance.cases import CaseError, load_corpus
from conformance.cases.own import own_files, with_own
from conformance.cli import main

CASE = """
family = "my-own"

[[case]]
id = "mine.hello"
title = "A body of five bytes"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It is ours."
twin = "chunked.two-chunks"
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
[[case.outcome]]
read = "hello"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(CASE)
    return path


def kit(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_own_cases_alone_are_run(mine: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    done = kit("check", "--cases", mine, "--results", results)
    assert done.exit_code == 0, done.output
    assert "my-own         1/1" in done.output
    head, one = map(json.loads, results.read_text().splitlines())
    assert head["corpus"] != load_corpus().digest
    assert (one["id"], one["family"], one["verdict"]) == ("mine.hello", "my-own", "PASS")
    assert one["differs"]


def test_an_own_case_that_fails_fails_the_run(mine: Path) -> None:
    mine.write_text(CASE.replace('read = "hello"', 'read = "hullo"'))
    done = kit("check", "--cases", mine)
    assert done.exit_code == 1
    assert "mine.hello" in done.output


def test_the_command_of_a_story_runs_the_same_case_in_the_same_way(mine: Path) -> None:
    other = 'read = "hullo"\n[[case.outcome]]\ngrade = "tolerated"\nbasis = "precedent"\n'
    mine.write_text(CASE.replace('read = "hello"', f'{other}read = "hello"'))
    usual = ("http.client", "--cases", mine)
    assert kit("check", *usual).exit_code == 0
    done = kit("check", *usual, "--no-tolerance", "--deadline", "2")
    assert done.exit_code == 1, done.output
    (line,) = (
        line for line in done.output.splitlines() if line.startswith("  again     httplib-kit")
    )
    again = shlex.split(line.partition("httplib-kit ")[2])
    assert {"--cases", "--no-tolerance", "--deadline"} <= set(again)
    assert kit(*again).output == done.output


def test_a_glob_chooses_among_own_and_shipped_cases(mine: Path) -> None:
    globs = ("--select", "mine.*", "--select", "chunked.two-*")
    done = kit("list", "--cases", mine.parent, *globs)
    assert done.stdout.splitlines() == ["chunked.two-chunks", "mine.hello"]
    assert kit("list", "--cases", mine).stdout == "mine.hello\n"
    assert "mine.hello" not in kit("list").stdout


def test_what_try_saves_runs_at_once(tmp_path: Path) -> None:
    octets, saved = tmp_path / "octets", tmp_path / "odd.toml"
    octets.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n")
    assert kit("try", octets, "--save-case", saved).exit_code == 0
    done = kit("check", "--cases", saved)
    assert done.exit_code == 0, done.output
    assert "1 case:" in done.output
    assert kit("check", "--cases", saved, "--level", "guard").exit_code == 3


def test_an_own_case_is_shown_and_reproduced(mine: Path) -> None:
    assert kit("show", "mine.hello", "--cases", mine).stdout.startswith("mine.hello  (revision 1")
    assert "hello" in kit("show", "mine.hello", "--cases", mine, "--reproduce", "python").stdout
    assert kit("show", "mine.hello").exit_code == 2


def test_own_cases_are_no_whole_run(mine: Path, tmp_path: Path) -> None:
    arguments = ("--baseline", tmp_path / "b.toml", "--update-baseline")
    done = kit("check", "--cases", mine, *arguments)
    assert done.exit_code == 2
    assert "needs --select" in done.stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("mine.hello", "chunked.two-chunks"), "chunked.two-chunks: id: this id is taken by"),
        (("my-own", "My own"), "mine.toml: a family is a slug"),
        (('"HTTPResponse.read"', "3"), "mine.toml: mine.hello: spec[0]: "),
        (("chunked.two-chunks", "no.such"), "mine.hello: twin: there is no case no.such"),
        (("read = ", "raed = "), "mine.hello: outcome[0]: no op has the id `raed`"),
        (("why = ", "why "), "mine.toml: is not TOML: "),
        (("[[case]]", '[[case]]\nid = "a.b"'), "mine.toml: is not TOML: "),
    ],
)
def test_a_complaint_names_the_file_and_the_place(
    mine: Path, change: tuple[str, str], complaint: str
) -> None:
    mine.write_text(CASE.replace(*change))
    for command in (("list",), ("check",), ("show", "mine.hello"), ("serve", "--port", "0")):
        done = kit(*command, "--cases", mine)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert done.stderr.startswith(f"httplib-kit: {mine}: ")
        assert complaint in done.stderr
        assert done.stderr.count("\n") == 1


def test_two_own_cases_with_one_id_are_refused(mine: Path) -> None:
    (mine.parent / "other.toml").write_text(CASE)
    with pytest.raises(CaseError, match=r"other\.toml: mine\.hello: id: .*mine\.toml"):
        with_own(load_corpus(), own_files([mine.parent]))


def test_a_file_that_is_given_twice_is_read_once(mine: Path) -> None:
    corpus = with_own(load_corpus(), own_files([mine, mine.parent]))
    assert [case.id for case in corpus.cases] == ["mine.hello"]


def test_a_directory_without_case_files_is_refused(tmp_path: Path) -> None:
    done = kit("list", "--cases", tmp_path)
    assert done.stderr == f"httplib-kit: {tmp_path}: no case files here\n"


def collected(mine: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    files = [str(path) for path in sorted(Path(plugin.__file__).parents[1].glob("test_*.py"))]
    fixed = ("-q", "-p", "no:cacheprovider", "--strict-markers", f"--httplib-cases={mine}")
    command = [sys.executable, "-m", "pytest", *fixed, *options, *files]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=mine.parent)


def test_the_plugin_runs_own_cases_alone(mine: Path) -> None:
    other = CASE.partition("\n\n")[2].replace("mine.hello", "mine.other").replace("A body", "Bytes")
    mine.write_text(CASE + other.replace('read = "hello"', 'read = "hullo"'))
    done = collected(mine, "-vv", "-m", "family_my_own")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[mine.hello] PASSED" in done.stdout
    assert "[mine.other] FAILED" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_the_plugin_takes_a_glob_for_own_and_shipped_cases(mine: Path) -> None:
    globs = ("--httplib-select=mine.*", "--httplib-select=chunked.two-*")
    done = collected(mine, "--collect-only", *globs)
    assert "[mine.hello]" in done.stdout
    assert "[chunked.two-chunks]" in done.stdout
    assert "2 tests collected" in done.stdout


def test_the_plugin_gives_own_cases_to_workers(mine: Path) -> None:
    done = collected(mine, "-n", "2")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_complaint_about_an_own_case_ends_the_session(mine: Path) -> None:
    mine.write_text(CASE.replace("mine.hello", "chunked.two-chunks"))
    done = collected(mine)
    assert done.returncode != 0
    assert "chunked.two-chunks: id: this id is taken by" in done.stdout + done.stderr
    assert "no tests ran" in done.stdout or "error" in done.stdout
