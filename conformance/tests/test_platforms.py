"""What other systems lack is taken away, and the verdicts stay the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import __main__ as program

ABSENT = """
import os, pathlib, resource, sys
import conformance.cli, conformance.cli.check
import conformance.drivers.effort, conformance.drivers.program, conformance.run.processor
sys.platform = "darwin"
for name in [one for one in dir(os) if one.startswith("sched_")]:
    delattr(os, name)
del resource.prlimit
conformance.drivers.effort.Path = lambda *parts: pathlib.Path("/absent", *parts)
conformance.drivers.program._PROC = conformance.run.processor._TASKS = pathlib.Path("/absent")
sys.argv = ["httplib-kit", *sys.argv[1:]]
from conformance.__main__ import run
run()
"""
UNSEEN = "framing.length.read-amount-fills"
"""Its server waits until the client has read, which only Linux shows."""
CASES = ("--select", "framing.length.*", "--exclude", UNSEEN)


def check(tmp_path: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def verdicts(tmp_path: Path, *program: str) -> list[str]:
    found = check(tmp_path, *program, "check", "http.client", "httplib_impl", *CASES)
    return re.findall(r"^\d+ cases?: .*$", found, re.MULTILINE)


def test_a_system_that_is_not_linux_has_the_same_verdicts(tmp_path: Path) -> None:
    found = verdicts(tmp_path, "-c", ABSENT)
    assert found == verdicts(tmp_path, "-m", "conformance")
    assert len(found) == 2


def test_what_cannot_be_seen_there_is_said_in_the_transcript(tmp_path: Path) -> None:
    found = check(tmp_path, "-c", ABSENT, "check", "http.client", "--select", UNSEEN)
    assert "the client's queue cannot be seen on this system" in found


def test_a_system_without_posix_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.name", "nt")
    with pytest.raises(SystemExit, match="this system is not supported; on Windows, install it in"):
        program.run()
