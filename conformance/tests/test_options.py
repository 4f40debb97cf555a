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
    globs = ("chunkd.*", "status-lin.*", "status-line.cod.*", "tunel.*", "two-chnks.*", "chunked")
    for wrong in (*globs, "chunked.one-chnk", "two-chunks", "chunkd"):
        told = near_names(wrong, CORPUS)
        names = told.removeprefix("; near names: ").split(", ")
        assert told.startswith("; near names: "), wrong
        assert all(Selection((name,)).of(CORPUS) for name in names), wrong


@pytest.mark.parametrize(
    ("args", "proposed"),
    [
        (["chck"], "near names: check"),
        (["show", "chunked.two-chunk"], "near names: chunked.two-chunks"),
        (["show", "chunkd"], "near names: chunked.*"),
        (["serve", "chunked.two-chnks"], "near names: chunked.two-chunks"),
        (["check", "--select", "status-lin.*"], "near names: status-line.*"),
        (["check", "client:ulrlib3"], "near names: urllib3"),
        (["check", "client:Requests"], "near names: requests"),
        (["list", "--family", "chunkd"], "near names: chunked"),
        (["check", "--family", "xyz"], "there are interface, exceptions"),
        (["list", "--requirement", "HTTPConection.request"], "near names: HTTPConnection.request"),
    ],
)
def test_a_wrong_name_is_one_line_with_those_near_it(args: list[str], proposed: str) -> None:
    done = CliRunner().invoke(main, args)
    assert done.exit_code in (2, 3)
    assert len(done.stderr.splitlines()) == 1
    assert proposed in done.stderr


def test_a_feature_of_a_case_file_has_near_names_too(tmp_path: Path) -> None:
    text = """family = "chunked"
[[case]]
id = "own.a"
rev = 1
title = "A"
level = "guard"
spec = ["HTTPResponse.read"]
why = "x"
needs = ["strct"]
respond = "HTTP/1.1 204 No Content\\r\\n\\r\\n"
"""
    (tmp_path / "own.toml").write_text(text)
    done = CliRunner().invoke(main, ["list", "--cases", str(tmp_path / "own.toml")])
    assert "needs[0]: Invalid enum value 'strct'; near names: strict" in done.stderr


def test_a_family_selects_its_cases_whatever_their_ids_are() -> None:
    found = CliRunner().invoke(main, ["list", "--family", "tls", "--family", "framing"])
    wanted = [case.id for case in CORPUS.cases if case.family in ("tls", "framing")]
    judged = set(found.stdout.split())
    assert judged <= set(wanted)
    assert {one.partition(".")[0] for one in judged} > {"tls", "framing"}
    some = CliRunner().invoke(main, ["list", "--family", "tls", "--select", "chunked.*"])
    assert some.stdout == ""


@pytest.mark.parametrize("count", [1, 2])
def test_numbers_agree_with_their_nouns(count: int, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    names = ["chunked.two-chunks", "chunked.one-chunk"][:count]
    select = [word for name in names for word in ("--select", name)]
    done = CliRunner().invoke(main, ["check", *select, "--results", str(path)])
    told = {
        1: ["1 case: 1 PASS", "1 of 1 judged case passes"],
        2: ["2 cases: 2 PASS", "2 of 2 judged cases pass"],
    }
    assert done.stdout.splitlines()[-2:] == told[count]
    same = CliRunner().invoke(main, ["diff", str(path), str(path)])
    assert same.stdout.splitlines()[-1] == f"0 of {['1 case', '2 cases'][count - 1]} differ"


def test_a_program_gets_the_name_of_its_case(tmp_path: Path) -> None:
    script, log = tmp_path / "client.sh", tmp_path / "log"
    script.write_text(f'printf "%s\\n" "$HTTPLIB_KIT_CASE" >> {log}\nexec "$@"\n')
    get = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())"
    written = f"client:cmd:sh {script} {shlex.join([sys.executable, '-c', get])} {{url}}"
    kit("check", written, "--select", "chunked.size-line.not-hex", "--sweep", "each")
    name = "chunked.size-line.not-hex"
    assert set(log.read_text().split()) >= {name, f"{name}@cut=bytes", f"{name}@cut=steps"}
