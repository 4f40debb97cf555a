"""`check` with a baseline, shards, jobs and result files, as a pipeline calls it."""

import subprocess
import sys
from pathlib import Path

import click.testing
import jsonschema
import msgspec
import pytest

from conformance.cases import fixtures_directory
from conformance.cli import main
from conformance.report import read_runs
from conformance.results.baseline import Baseline, Entry, baseline_text, read_baseline
from conformance.results.schema import SCHEMA_FILE, results_schema, schema_text
from conformance.tests.support import EVERY

SOME = "status-line.*"
"""Cases of which `http.client` fails a few."""
ENTRY = "[[entry]]\ncase = {case!r}\nverdict = {verdict!r}\nreason = 'Known.'\n"


def kit(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, args, catch_exceptions=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result file of `http.client` on a few cases."""
    path = tmp_path_factory.mktemp("results") / "results.jsonl"
    done = kit("check", "http.client", "-q", "--select", SOME, "--results", str(path))
    assert done.exit_code == 1, done.stdout + done.stderr
    return path


@pytest.fixture(scope="module")
def baseline(results: Path) -> Path:
    """A baseline that fits those results."""
    (run,) = read_runs([results])
    failed = [one for one in run.results if one.failed]
    assert len({one.verdict for one in failed}) > 1
    entries = [Entry(case=one.id, verdict=one.verdict, rev=one.rev, reason="x") for one in failed]
    path = results.with_name("baseline.toml")
    path.write_text(baseline_text(Baseline(entry=entries)))
    return path


def test_known_failures_are_no_failures(baseline: Path, tmp_path: Path) -> None:
    written = tmp_path / "results.jsonl"
    args = ("check", "http.client", "--select", SOME, "--baseline", str(baseline))
    done = kit(*args, "--results", str(written))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "baseline.toml" in done.stdout
    (run,) = read_runs([written])
    known = [one for one in run.results if one.failed]
    assert known
    assert {one.overlay for one in known} == {"EXPECTED"}
    assert all(one.known.endswith(": x") for one in known)
    assert kit("report", "--exit-code", str(written)).stdout == done.stdout


def test_what_is_not_known_is_a_regression_and_what_passes_is_stale(
    baseline: Path, tmp_path: Path
) -> None:
    known = read_baseline(baseline)
    first, *rest = known.entry
    ids = {case.id for case in EVERY}
    passing = next(
        name
        for name in sorted(ids)
        if name.startswith("status-line.") and name not in [one.case for one in known.entry]
    )
    path = tmp_path / "other.toml"
    listed = [*rest, Entry(case=passing, verdict="HANG", reason="x")]
    path.write_text(baseline_text(Baseline(entry=listed)))
    done = kit("check", "http.client", "--select", SOME, "--baseline", str(path))
    assert done.exit_code == 1
    assert f"REGRESSION {first.verdict}  {first.case}" in done.stdout
    assert f"  {passing}" in done.stdout
    assert "STALE" in done.stdout


def test_what_is_not_selected_is_not_stale(baseline: Path) -> None:
    args = ("check", "http.client", "--baseline", str(baseline))
    assert kit(*args, "--select", "faults.*", "--level", "documented").exit_code == 0
    for part in ("1/2", "2/2"):
        assert kit(*args, "--select", SOME, "--shard", part).exit_code == 0


def test_an_expired_entry_holds_no_more(baseline: Path, tmp_path: Path) -> None:
    known = read_baseline(baseline)
    path = tmp_path / "expires.toml"
    text = baseline_text(known).replace('reason = "x"', 'reason = "x"\nexpires = 2030-06-30')
    path.write_text(text)
    args = ("check", "http.client", "--select", SOME, "--baseline", str(path), "--today")
    assert kit(*args, "2030-06-30").exit_code == 0
    assert kit(*args, "2030-07-01").exit_code == 1


@pytest.mark.parametrize("jobs", ["2", "5"])
def test_side_by_side_writes_the_same_octets(results: Path, tmp_path: Path, jobs: str) -> None:
    path = tmp_path / "results.jsonl"
    kit("check", "http.client", "-q", "--select", SOME, "--results", str(path), "-j", jobs)
    assert path.read_bytes() == results.read_bytes()


def test_the_reference_side_by_side_passes() -> None:
    done = kit("check", "--select", "interface.*", "-j", "3")
    assert done.exit_code == 0, done.stdout + done.stderr


def test_shards_are_reported_as_one_run(results: Path, tmp_path: Path) -> None:
    parts = [tmp_path / f"{index}.jsonl" for index in (1, 2, 3)]
    for index, path in enumerate(parts, 1):
        args = ("check", "http.client", "-q", "--select", SOME, "--results", str(path))
        assert kit(*args, "--shard", f"{index}/3").exit_code in (0, 1)
    (whole,), (joined,) = read_runs([results]), read_runs(parts)
    assert sorted(whole.results, key=lambda one: one.id) == sorted(
        joined.results, key=lambda one: one.id
    )


def test_several_implementations_are_several_runs_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    args = ("--select", "framing.head.*", "-q", "--results", str(path))
    done = kit("check", "httplib_impl", "http.client", *args)
    runs = read_runs([path])
    assert [run.head.implementation for run in runs] == ["httplib_impl", "http.client"]
    assert kit("report", "-q", str(path)).stdout == done.stdout


@pytest.mark.parametrize("option", [("--shard", "1/2"), ("-x",)])
def test_a_baseline_is_written_by_a_run_of_all_selected_cases(
    tmp_path: Path, option: tuple[str, ...]
) -> None:
    done = kit("check", "--baseline", str(tmp_path / "new.toml"), "--update-baseline", *option)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"needs a run of all selected cases: leave {option[0]} out" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_update_removes_what_does_not_exist_and_ends_with_0(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    path.write_text(f"select = [{SOME!r}]\n{ENTRY.format(case='gone', verdict='HANG')}")
    args = ("check", "-q", "--select", SOME, "--baseline", str(path), "--update-baseline")
    done = kit(*args)
    assert done.exit_code == 0
    assert f"STALE  {path}:3: gone: there is no such case: remove it, or" in done.stdout
    assert f"baseline {path} is written: 0 entries" in done.stdout
    after = read_baseline(path)
    assert after.implementation == "httplib_impl"
    assert after.entry == []
    assert not path.with_name(f".{path.name}.partial").exists()


def test_an_update_from_some_levels_fits_runs_of_these_and_of_others(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    select = ("check", "http.client", "-q", "--select", SOME, "--select", "interface.port*")
    args = (*select, "--baseline", str(path))
    done = kit(*args, "--level", "documented", "--update-baseline")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "REGRESSION" in done.stdout
    written = read_baseline(path)
    assert written.levels == ["documented"]
    assert written.select == [SOME, "interface.port*"]
    same = kit(*args, "--level", "documented")
    assert same.exit_code == 0
    assert ", about --level documented --select status-line.*" in same.stdout
    assert kit(*args, "--level", "guard", "--select", "faults.two-*").exit_code in (0, 3)
    wide = kit(*args)
    assert wide.exit_code == 1
    assert "STALE" not in wide.stdout
    assert "REGRESSION" not in wide.stdout
    assert kit(*args, "--update-baseline").exit_code == 0
    assert read_baseline(path).levels == []
    assert kit(*args).exit_code == 0
    narrow = kit(*args, "--level", "documented")
    assert (narrow.exit_code, "STALE" in narrow.stdout) == (0, False), narrow.stdout
    text = path.read_text()
    refused = kit(*args, "--level", "documented", "--update-baseline")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "give the same options, or another file" in refused.stderr
    assert path.read_text() == text


NO_HEADERS = """
from httplib_impl import *
import httplib_impl
class HTTPConnection(httplib_impl.HTTPConnection):
    def set_tunnel(self, host, port=None, headers=None):
        super().set_tunnel(host, port)
"""


def test_what_is_not_supported_is_one_entry(tmp_path: Path) -> None:
    """Until it works: then the entry is stale."""
    path = tmp_path / "known.toml"
    entry = '[[entry]]\ncase = "tunnel.*"\nverdict = "any"\nreason = "No headers."\n'
    path.write_text(f'select = ["tunnel.*"]\n{entry}')
    args = ("check", "mine", "-q", "--select", "tunnel.*", "--baseline", path.name)
    command = [sys.executable, "-m", "conformance", *args]
    for text, code, word in (
        (NO_HEADERS, 0, " EXPECTED"),
        (
            "from httplib_impl import *\nfrom httplib_impl import LineTooLong\n",
            1,
            "STALE  known.toml:3: tunnel.*: of these cases none",
        ),
    ):
        (tmp_path / "mine.py").write_text(text)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, word in done.stdout) == (code, True), done.stdout + done.stderr
        assert ("STALE" in done.stdout) is (code == 1)


def test_a_malformed_baseline_is_one_line_before_anything_is_run(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(ENTRY.format(case="a", verdict="DRIVER_ERROR"))
    done = kit("check", "--baseline", str(path))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "bad.toml:1: verdict: 'DRIVER_ERROR' is not a failing verdict" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_glob_that_is_too_wide_is_not_updated(tmp_path: Path) -> None:
    path = tmp_path / "wide.toml"
    path.write_text(ENTRY.format(case="status-line.*", verdict="LEAK"))
    done = kit("check", "--baseline", str(path), "--update-baseline")
    assert done.exit_code == 2
    assert "wide.toml:2: " in done.stderr
    assert "'status-line.*' matches" in done.stderr
    assert path.read_text() == ENTRY.format(case="status-line.*", verdict="LEAK")


def test_a_shard_without_cases_ran_nothing() -> None:
    name = next(case.id for case in EVERY)
    codes = {
        kit("check", "--select", name, "--level", "all", "--shard", f"{index}/2").exit_code
        for index in (1, 2)
    }
    assert codes == {0, 3}


def test_each_line_of_a_result_file_fits_the_schema(results: Path) -> None:
    validator = jsonschema.Draft202012Validator(results_schema())
    lines = results.read_bytes().splitlines()
    for line in lines:
        validator.validate(msgspec.json.decode(line))
    assert not validator.is_valid({"id": "a"})
    assert not validator.is_valid({**msgspec.json.decode(lines[1]), "verdict": "GOOD"})


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = (fixtures_directory() / SCHEMA_FILE).read_text(encoding="utf-8")
    assert committed == schema_text()
