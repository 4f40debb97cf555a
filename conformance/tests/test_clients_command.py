"""`httplib-kit clients`: what is here, how to get the rest, and a directory of its own for them."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.drivers.clients import Installer, places, registry


def listed(*asked: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(main, ["clients", *asked, "--json"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def test_each_client_has_a_version_or_the_way_to_get_it() -> None:
    rows = listed("urllib.request", "client:requests-2.29", "aria2", "language=tcl")
    names = ["urllib.request", "requests-2.29", "aria2", "tcl-http"]
    assert [row["name"] for row in rows] == names
    assert all(bool(row["version"]) != bool(row["how"]) for row in rows)
    assert all(row["present"] == (row["version"] is not None) for row in rows)
    assert rows[0]["present"]
    assert "clients --install DIR" in str(rows[1]["how"])


def test_only_what_is_present_is_listed_where_that_is_asked() -> None:
    assert [row["name"] for row in listed("urllib.request", "requests-2.29", "--present")] == [
        "urllib.request"
    ]


def test_the_list_for_people_counts_them() -> None:
    done = CliRunner().invoke(main, ["clients", "urllib.request", "requests-2.29"])
    *rows, last = done.output.splitlines()
    assert [row.split()[0] for row in rows] == ["urllib.request", "requests-2.29"]
    assert last == "2 clients, of which 1 are installed"


def test_a_program_that_reports_no_version_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "curl"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert listed("curl")[0]["version"] == "unknown"


class Recorded(Installer):
    """Runs nothing, and fails for the packages that are *wrong*."""

    wrong: tuple[str, ...] = ()

    def _done(self, command: object) -> str:
        words = [str(one) for one in command]  # type: ignore[attr-defined]
        self.ran = [*getattr(self, "ran", []), words]
        return "no such package" if set(self.wrong) & set(words) else ""


def test_what_cannot_be_had_costs_none_of_the_others(tmp_path: Path) -> None:
    said: list[str] = []
    installer = Recorded(tmp_path, said.append)
    installer.wrong = ("tornado",)
    installer.install(["tornado", "twisted", "requests-2.29"])
    assert installer.failed == {"tornado": "PyPI: no such package"}
    last = [words[-1] for words in installer.ran]
    assert last[:4] == [str(tmp_path / "python"), "twisted", "tornado", "twisted"]
    alone = next(words for words in installer.ran if "requests==2.29.0" in words)
    assert alone[alone.index("--target") + 1] == str(tmp_path / "alone" / "requests-2.29")
    assert said == ["PyPI: tornado twisted", "PyPI: requests==2.29.0 urllib3<2"]


def test_a_command_runs_among_the_clients_of_a_directory(tmp_path: Path) -> None:
    place = tmp_path / "a place"
    Recorded(place, print).install(["urllib.request"])
    shown = subprocess.run(
        [str(place / "run"), "sh", "-c", 'echo "$HTTPLIB_KIT_CLIENTS|$1"', "sh", "a b"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{place}|a b\n"


def test_two_commands_at_once_share_the_packages_of_debian(tmp_path: Path) -> None:
    place = tmp_path / "place"
    Recorded(place, print).install(["urllib.request"])
    run = str(place / "run")
    for part in ("upper", "work", "root"):
        (place / "debian" / part).mkdir(parents=True)
    (place / "debian" / "upper" / "only-here").write_text("found")
    alone = subprocess.run([run, "cat", "/only-here"], capture_output=True, text=True, check=False)
    if alone.returncode:
        pytest.skip(f"no overlay can be mounted: {alone.stderr.strip()[:80]}")
    wait = [run, "sh", "-c", "echo inside; read line; cat /only-here"]
    with subprocess.Popen(wait, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "inside\n"
        second = subprocess.run([run, "cat", "/only-here"], capture_output=True, check=True)
        rest, _ = first.communicate("go on\n")
    assert (second.stdout, rest) == (b"found", "found")
    after = subprocess.run([run, "cat", "/only-here"], capture_output=True, check=True)
    assert after.stdout == b"found"
    assert len([*(place / "debian" / "runs").iterdir()]) == 1


def test_the_modules_of_a_place_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry().client["requests-2.29"].alone
    monkeypatch.setenv(places.PLACE, str(tmp_path))
    assert places.python_paths("requests-2.29") == []
    (tmp_path / "alone" / "requests-2.29").mkdir(parents=True)
    assert places.python_paths("requests-2.29") == [str(tmp_path / "alone" / "requests-2.29")]
    assert places.python_paths("requests") == []


def test_a_record_of_several_clients_can_be_resumed(tmp_path: Path) -> None:
    ask = ["record", "client:urllib*t", "client:*-2.29", "--directory", str(tmp_path)]
    ask += ["--select", "chunked.two-chunks"]
    first = CliRunner().invoke(main, ask)
    assert first.exit_code == 0, first.output
    assert "urllib.request: urllib.request" in first.output
    assert "client:requests-2.29: not recorded, kept as it was: it needs a place" in first.output
    again = CliRunner().invoke(main, [*ask, "--resume"])
    assert again.output.splitlines()[0] == "client:urllib.request: already recorded"
    more = CliRunner().invoke(main, [*ask, "--select", "framing.length.zero", "--resume"])
    assert "urllib.request: urllib.request" in more.output


def test_a_client_that_cannot_be_judged_is_left_out_unless_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curl = tmp_path / "curl"
    curl.write_text("#!/bin/sh\nexit 3\n")
    curl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    some = ["--select", "chunked.two-chunks", "-q"]
    by_pattern = CliRunner().invoke(main, ["check", "client:urllib.r*", "client:cur[l]", *some])
    assert by_pattern.exit_code == 0, by_pattern.output
    assert "left out: client:curl cannot be judged" in by_pattern.output
    assert "1 of 1 judged case passes" in by_pattern.output
    named = CliRunner().invoke(main, ["check", "client:urllib.request", "client:curl", *some])
    assert named.exit_code == 2
    assert named.output.startswith("httplib-kit: client:curl cannot be judged")
    alone = CliRunner().invoke(main, ["check", "client:cur[l]", *some])
    assert alone.exit_code == 2
