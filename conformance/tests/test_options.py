"""Options of several commands: deadlines, chosen and excluded cases, and wrong ones in one line."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cases import load_corpus
from conformance.cli import main
from conformance.cli.options import Selection, near_names

CORPUS = load_corpus()
IDS = [case.id for case in CORPUS.cases]


def kit(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "seconds", ["0", "-1", "nan", "inf", "-inf", "1e400", "61", "1s", "", "0.01"]
)
@pytest.mark.parametrize("command", ["check", "try", "record"])
def test_a_deadline_that_is_none_is_one_line(command: str, seconds: str) -> None:
    args = [command, "--deadline", seconds, *(["-"] if command == "try" else [])]
    done = CliRunner().invoke(main, args, input="HTTP/1.1 204 A\r\n\r\n")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"'--deadline': '{seconds}' is not a number of seconds from 0.05 to 60" in done.stderr


def test_excluded_cases_are_not_listed() -> None:
    wanted = {name for name in IDS if name.startswith("chunked.")}
    found = CliRunner().invoke(
        main,
        [
            *("list", "--level", "all", "--select", "chunked.*"),
            *("--exclude", "chunked.c*", "--exclude", "*.two-chunks"),
        ],
    )
    left = {
        one for one in wanted if not one.startswith("chunked.c") and not one.endswith(".two-chunks")
    }
    assert set(found.stdout.split()) == left
    assert left < wanted


def test_excluded_cases_are_not_run_and_the_deadline_is_in_the_head(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    done = kit(
        *("check", "--select", "chunked.one-chunk", "--select", "chunked.two-chunks"),
        *("--exclude", "chunked.two*", "--deadline", "2.5", "--results", str(file)),
    )
    assert done.returncode == 0
    head, *results = map(json.loads, file.read_text().splitlines())
    assert head["deadline"] == 2.5
    assert [one["id"] for one in results] == ["chunked.one-chunk"]


@pytest.mark.parametrize("option", ["--select", "--exclude"])
@pytest.mark.parametrize("command", ["check", "list"])
def test_a_glob_that_matches_nothing_says_so(command: str, option: str) -> None:
    done = kit(command, "--select", "chunked.one-chunk", option, "chunkd.*")
    assert done.returncode == 0
    assert done.stderr.startswith(
        f"httplib-kit: {option}: no case matches 'chunkd.*'; near names: "
    )
    assert "chunked.*" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_proposed_matches_a_case() -> None:
    for wrong in ("chunkd.*", "status-lin.*", "status-line.cod.*", "chunked.one-chnk", "tunel.*"):
        told = near_names(wrong, CORPUS)
        names = told.removeprefix("; near names: ").split(", ")
        assert told.startswith("; near names: "), wrong
        assert all(Selection((name,)).of(CORPUS) for name in names), wrong


def test_a_program_gets_the_name_of_its_case(tmp_path: Path) -> None:
    script, log = tmp_path / "client.sh", tmp_path / "log"
    script.write_text(f'printf "%s\\n" "$HTTPLIB_KIT_CASE" >> {log}\nexec "$@"\n')
    get = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())"
    written = f"client:cmd:sh {script} {shlex.join([sys.executable, '-c', get])} {{url}}"
    kit("check", written, "--select", "chunked.size-line.not-hex", "--sweep", "each")
    name = "chunked.size-line.not-hex"
    assert set(log.read_text().split()) >= {name, f"{name}@cut=bytes", f"{name}@cut=steps"}
