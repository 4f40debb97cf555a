"""Whatever ends a run, what was measured is in every report, and what is missing is named."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click.testing
import msgspec
import pytest

from conformance.cli import main
from conformance.cli.ending import Ending
from conformance.report import NoReport, read_runs
from conformance.results import Result, ResultFile, RunHead
from conformance.results.result_file import FORMAT
from conformance.run.check import Check
from conformance.run.triage import Doubts
from conformance.tests.conftest import LATE, ROOT

SOME = ("--select", "framing.length.*")
HEAD = RunHead("1", "c0ffee", "some.client", "some.client", "1.2.3", ["tls"])


def kit(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, args, catch_exceptions=False)


def result(name: str, verdict: str = "PASS") -> Result:
    return Result(name, 1, verdict, "guard", "f", "A title", [])


def write(path: Path, head: RunHead, names: Sequence[str]) -> Path:
    with ResultFile(path) as file:
        file.write([(head, [result(name) for name in names])])
    return path


def with_head(**fields: Any) -> RunHead:
    return msgspec.structs.replace(HEAD, **fields)


# The file.


def test_a_file_that_is_cut_anywhere_is_read_as_incomplete_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    heads = [with_head(among=["one", "two"], implementation=name) for name in ("one", "two")]
    with ResultFile(path) as file:
        file.write((head, [result(f"c{number}") for number in range(3)]) for head in heads)
    data = path.read_bytes()
    assert not any(run.head.incomplete for run in read_runs([path]))
    for size in range(len(data) - 1):  # the last line end alone says nothing
        path.write_bytes(data[:size])
        try:
            runs = read_runs([path])
        except NoReport as error:
            assert "\n" not in str(error)  # noqa: PT017 # either is right
            continue
        assert any(run.head.incomplete for run in runs), size
        assert max(run.exit_code for run in runs) == 2
    path.write_bytes(data[:-1])
    assert not any(run.head.incomplete for run in read_runs([path]))


@pytest.mark.parametrize("line", [1, 2, 3, 4, 5, 6, 7])
def test_a_line_that_is_missing_or_there_twice_is_found(tmp_path: Path, line: int) -> None:
    path = tmp_path / "a.jsonl"
    heads = [with_head(among=["one", "two"], implementation=name) for name in ("one", "two")]
    with ResultFile(path) as file:
        file.write((head, [result(f"c{number}") for number in range(3)]) for head in heads)
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in ([*lines[:line], *lines[line + 1 :]], [*lines[:line], *lines[line:][:1] * 2]):
        path.write_bytes(b"".join(changed))
        try:
            assert any(run.head.incomplete for run in read_runs([path]))
        except NoReport:
            continue


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "{}", '"x"', "\0", "\ufeff{}", "", "\n"])
def test_a_file_of_another_kind_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    done = kit("report", str(path))
    assert done.exit_code == 2
    assert "so it is not a result file" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_of_an_earlier_format_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", HEAD, ["a"])
    path.write_text(path.read_text().replace(f'"format":{FORMAT},', ""))
    done = kit("report", str(path))
    assert done.exit_code == 2
    assert "a.jsonl: line 1: written by kit 1 in another format; write it anew" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Parts of a run.


def shards(tmp_path: Path, *heads: RunHead) -> list[Path]:
    """Write a file for each of *heads*, with the cases of its shard."""
    from conformance.results.shard import Shard

    paths = []
    for number, head in enumerate(heads):
        names = [f"case.{one}" for one in range(20) if Shard.of(head.shard).has(f"case.{one}")]
        paths.append(write(tmp_path / f"{number}.jsonl", head, names))
    return paths


def test_all_shards_are_the_whole_run_in_any_order(tmp_path: Path) -> None:
    paths = shards(tmp_path, *(with_head(shard=f"{one}/3", stale=[str(one)]) for one in (1, 2, 3)))
    (run,) = read_runs(paths)
    assert (len(run.results), run.head.cases, run.head.shard) == (20, 20, "")
    assert (run.head.incomplete, run.head.stale) == ("", ["1", "2", "3"])
    assert read_runs(reversed(paths)) == [run]


def test_a_shard_that_is_left_out_is_named(tmp_path: Path) -> None:
    paths = shards(tmp_path, *(with_head(shard=f"{one}/3") for one in (1, 2, 3)))
    (run,) = read_runs([paths[0], paths[2]])
    assert run.head.incomplete == "missing: shard 2/3"
    done = kit("report", str(paths[0]), str(paths[2]))
    assert done.exit_code == 2
    assert "INCOMPLETE: missing: shard 2/3" in done.stdout
    assert "shard 1/3: the other shards are not in it" in kit("report", str(paths[0])).stdout


def test_a_shard_that_is_cut_is_named(tmp_path: Path) -> None:
    paths = shards(tmp_path, *(with_head(shard=f"{one}/2") for one in (1, 2)))
    paths[1].write_bytes(b"".join(paths[1].read_bytes().splitlines(keepends=True)[:-1]))
    (run,) = read_runs(paths)
    assert run.head.incomplete.startswith("shard 2/2: lines are missing (")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"corpus": "beef"}, "made with corpus beef"),
        ({"kit": "2"}, "made with kit 2"),
        ({"features": ["tls", "x"]}, "made with features tls, x"),
        ({"tolerant": False}, "made with tolerant False"),
        ({"select": ["a*"]}, r"made with select a\*"),
        ({"exclude": ["a*"]}, r"made with exclude a\*"),
        ({"levels": ["guard"]}, "made with levels guard"),
        ({"sweep": "each"}, "made with sweep each"),
        ({"deadline": 2.0}, "made with deadline 2.0"),
        ({"error_map": {"a": "b"}}, "made with error_map a"),
        ({"profile": "client"}, "made with profile client"),
        ({"baseline": "b.toml"}, "made with baseline b.toml"),
        ({"shard": "2/3"}, "is shard 2/3, and .* is 1/2"),
        ({"shard": "1/2"}, "is shard 1/2 again, as .* is"),
        ({"shard": ""}, "again, and is not a shard"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    (one,) = shards(tmp_path, with_head(shard="1/2"))
    head = with_head(**{"shard": "2/2", **other})
    two = write(tmp_path / "two.jsonl", head, [])
    with pytest.raises(NoReport, match=said) as caught:
        read_runs([one, two])
    assert "two.jsonl: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_case_of_another_shard_is_refused(tmp_path: Path) -> None:
    names = [f"case.{one}" for one in range(20)]
    path = write(tmp_path / "a.jsonl", with_head(shard="1/2"), names)
    with pytest.raises(NoReport, match="is not of shard 1/2"):
        read_runs([path])


def test_each_shard_judges_the_entries_of_its_own_part(tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    gone = [f"gone.{number}" for number in range(6)]
    known.write_text(
        f"select = ['{SOME[1]}']\n"
        + "".join(f"[[entry]]\ncase='{one}'\nverdict='HANG'\nreason='x'\n" for one in gone)
    )
    told = []
    for part in ("1/2", "2/2"):
        path = tmp_path / f"{part[0]}.jsonl"
        done = kit(
            "check", *SOME, "-q", "--baseline", str(known), "--shard", part, "--results", str(path)
        )
        assert done.exit_code == 1
        told.append({name for name in gone if f": {name}: there is no such case" in done.stdout})
    assert all(told)
    assert not told[0] & told[1]
    assert told[0] | told[1] == set(gone)
    (run,) = read_runs([tmp_path / "1.jsonl", tmp_path / "2.jsonl"])
    assert len(run.head.stale) == 6
    assert (run.exit_code, run.head.incomplete) == (1, "")


def test_diff_names_what_is_missing_and_what_was_done_differently(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", HEAD, ["a", "b"])
    two = write(tmp_path / "two.jsonl", with_head(tolerant=False), ["a", "b"])
    done = kit("diff", str(one), str(two))
    assert done.exit_code == 0
    assert "tolerant differs: True and False" in done.stdout
    two.write_bytes(b"".join(two.read_bytes().splitlines(keepends=True)[:-1]))
    done = kit("diff", str(one), str(two))
    assert done.exit_code == 2
    assert "lines are missing (1 of 2 results)" in done.stdout


# Ends of a run.

FILES = ("junit.xml", "a.md", "a.json", "a.svg", "badge.json", "a.jsonl")
PLACES = (*FILES, "site/index.html")
NO_SITE = (
    *("--junit", "junit.xml", "--markdown", "a.md", "--json", "a.json", "--badge", "a.svg"),
    *("--badge", "badge.json", "--results", "a.jsonl"),
)
"""The site takes longer than all else; where a process must be started, it is left out."""
OPTIONS = (*NO_SITE, "--html", "site")


def check_reports(
    directory: Path, why: str, count: int | None = None, places: Sequence[str] = PLACES
) -> int:
    """Check that each report is there, has *count* results, and says *why* it is incomplete."""
    (run,) = json.loads((directory / "a.json").read_text())["runs"]
    found = len(run["results"])
    assert count is None or found == count
    assert (run["exit_code"], why in run["incomplete"]) == (2, True), run["incomplete"]
    suite = ET.parse(directory / "junit.xml").getroot()[0]
    assert len(suite.findall("testcase")) == found + 1
    assert int(suite.get("errors", "0")) >= 1
    for name in places:
        text = (directory / name).read_text()
        assert "incomplete" in text.lower(), name
    report = kit("report", "-q", str(directory / "a.jsonl"), "--junit", str(directory / "b.xml"))
    assert report.exit_code == 2
    assert (directory / "b.xml").read_bytes() == (directory / "junit.xml").read_bytes()
    assert not list(directory.glob("*partial*"))
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    return tmp_path


SLOW = """
import time
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        def read(self, *args):
            time.sleep(0.2)
            return super().read(*args)
"""


def slow(*args: str) -> "subprocess.Popen[str]":
    """Start a check of a slow client, and wait until some results are written."""
    Path("slow_client.py").write_text(SLOW)
    command = [sys.executable, "-m", "conformance", "check", "slow_client", "-q", *args]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    partial, deadline = Path("a.jsonl.partial"), time.monotonic() + LATE
    while not partial.exists() or partial.read_bytes().count(b"\n") < 4:
        assert time.monotonic() < deadline
        assert child.poll() is None, child.communicate()
        time.sleep(0.05)
    return child


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, "2"), (signal.SIGTERM, "1")])
def test_a_signal_loses_nothing(here: Path, number: signal.Signals, jobs: str) -> None:
    child = slow("--select", "framing.*", *NO_SITE, "-j", jobs)
    child.send_signal(number)
    child.send_signal(number)
    _, errors = child.communicate(timeout=LATE)
    assert child.returncode == 2, errors
    assert "Traceback" not in errors
    assert "slow_client: incomplete: interrupted" in errors
    assert check_reports(here, "interrupted", places=FILES) >= 3


def test_what_is_killed_leaves_a_readable_part(here: Path) -> None:
    child = slow("--select", "framing.*", *NO_SITE)
    child.kill()
    child.communicate(timeout=LATE)
    done = kit("report", "-q", "a.jsonl.partial")
    assert done.exit_code == 2
    assert "INCOMPLETE: the run did not end (" in done.stdout
    assert not (here / "a.jsonl").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), MemoryError()])
def test_an_end_in_the_second_runs_loses_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    (here / "wrong_client.py").write_text(
        SLOW.replace("time.sleep(0.2)", "pass").replace("*args)\n", "*args).upper()\n")
    )

    def settled(*_: object) -> Result:
        raise error

    monkeypatch.setattr(Doubts, "settled", settled)
    done = kit("check", "wrong_client", *SOME, "-q", *OPTIONS)
    assert done.exit_code == 2
    whole = json.loads((here / "a.json").read_text())["runs"][0]["cases"]
    why = "interrupted" if isinstance(error, KeyboardInterrupt) else "an error of the kit: "
    check_reports(here, why, whole)


def test_an_implementation_that_was_not_reached_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Check, "run", run)
    done = kit("check", "httplib_impl", "http.client", *SOME, "-q", *OPTIONS)
    assert done.exit_code == 2
    check_reports(here, "nothing of http.client", 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("full", ["--junit", "--markdown", "--json", "--results", "--badge"])
def test_a_full_disk_costs_one_report(here: Path, full: str) -> None:
    (here / "full.json").symlink_to("/dev/full")
    others = {"--junit": "a.xml", "--markdown": "a.md", "--json": "a.json", "--results": "a.jsonl"}
    others.pop(full, None)
    options = [one for option, name in others.items() for one in (option, name)]
    done = kit("check", *SOME, "-q", full, "full.json", *options, "--html", "site")
    assert done.exit_code == 2
    assert f"httplib-kit: {full}" in done.stderr
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert all((here / name).stat().st_size for name in (*others.values(), "site/index.html"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("kind", ["full", "closed"])
def test_a_screen_that_is_gone_costs_no_report(here: Path, kind: str) -> None:
    read, written = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "conformance", "check", *SOME, *NO_SITE]
    with Path("/dev/full").open("wb") as full:
        out = full.fileno() if kind == "full" else written
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    os.close(written)
    assert done.returncode == 2
    assert ("No space left" in done.stderr) == (kind == "full")
    assert "Traceback" not in done.stderr
    assert all((here / name).stat().st_size for name in FILES)
    (run,) = read_runs([here / "a.jsonl"])
    assert (run.head.incomplete, run.exit_code) == ("", 0)


ONCE = """
import json, os, socket, sys
if os.path.exists("started"):
    sys.exit("not twice")
open("started", "w").close()
runs = 0
for line in sys.stdin:
    message = json.loads(line)
    answer = {"serial": message["serial"]}
    if message["type"] == "start":
        answer.update(name="once", version="1", ops=["fetch"])
    elif message["type"] == "run" and message["ops"][0].get("call") != "fetch":
        answer["trace"] = [{"id": message["ops"][0]["id"], "unsupported": True}]
    elif message["type"] == "run":
        runs += 1
        if runs == 4:
            sys.exit(3)
        with socket.create_connection(message["address"]) as sock:
            host = "%s:%d" % tuple(message["address"])
            sock.sendall(f"GET / HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
            body = b"".join(iter(lambda: sock.recv(100), b"")).decode("latin-1")
        fact = {"error": {"class": "once.Refused", "message": "no"}}
        if runs <= 2:  # the exchanges before the first case
            value = {"type": "response", "status": 200, "reason": None, "headers": None}
            fact = {"value": {**value, "body": body}}
        answer["trace"] = [{"id": message["ops"][0]["id"], **fact}]
    elif message["type"] == "stop":
        break
    print(json.dumps(answer), flush=True)
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_driver_that_cannot_be_started_again_costs_its_cases_and_no_report(
    here: Path, jobs: str
) -> None:
    (here / "once.py").write_text(ONCE)
    command = f"exec:{shlex.quote(sys.executable)} once.py"
    done = kit("check", command, "--select", "framing.*", "-q", "-j", jobs, *OPTIONS)
    assert done.exit_code == 2
    (run,) = read_runs([here / "a.jsonl"])
    assert not run.head.incomplete
    verdicts = [one.verdict for one in run.results]
    place = verdicts.index("CRASH")
    assert place < 4
    assert verdicts[place + 1 : place + 6] == ["DRIVER_ERROR"] * 5
    assert set(verdicts[place + 6 :]) == {"NOT_RUN"}
    assert "not twice" in run.results[place + 1].reason
    assert "could not be started 5 times in a row" in run.results[-1].reason
    assert " NOT_RUN" in done.stdout
    assert all((here / name).stat().st_size for name in PLACES)


@pytest.mark.usefixtures("interruptible")
def test_only_the_first_signal_interrupts_and_only_what_is_measured() -> None:
    with Ending() as ending:
        with pytest.raises(KeyboardInterrupt), ending.measuring():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)  # while reports are written
        assert ending.reason == "interrupted by SIGTERM"
        with pytest.raises(KeyboardInterrupt), ending.measuring():
            pytest.fail("nothing more is measured")
    with Ending() as ending:
        signal.raise_signal(signal.SIGINT)
        assert ending.reason == "interrupted"
