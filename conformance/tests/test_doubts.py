"""`check` of implementations that fail only now and then, or only after other cases."""

import json
import re
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import click.testing
import pytest

from conformance.cli import main
from conformance.tests.wrong import LEAKY, flaky

DYING = """
import http.client, json, sys
runs = 0
for line in sys.stdin:
    message = json.loads(line)
    answer = {"serial": message["serial"]}
    if message["type"] == "start":
        answer.update(name="dying", version="1", ops=["fetch"])
    elif message["type"] == "run" and message["ops"][0].get("call") != "fetch":
        answer["trace"] = [{"id": message["ops"][0]["id"], "unsupported": True}]
    elif message["type"] == "run":
        runs += 1
        if runs % 3 == 0:
            sys.exit(3)
        try:
            conn = http.client.HTTPConnection(*message["address"], timeout=5)
            conn.request("GET", "/")
            body = conn.getresponse().read().decode("latin-1")
            value = {"type": "response", "status": 200, "reason": None, "headers": None}
            fact = {"value": {**value, "body": body}}
        except Exception as error:
            fact = {"error": {"class": type(error).__name__, "message": str(error)}}
        answer["trace"] = [{"id": message["ops"][0]["id"], **fact}]
    elif message["type"] == "stop":
        break
    print(json.dumps(answer), flush=True)
"""

DENYING = """
import os
starts = os.path.getsize("starts") if os.path.exists("starts") else 0
open("starts", "a").write("x")
""" + DYING.replace(
    "        if runs % 3 == 0:\n            sys.exit(3)\n",
    "        exam = message['id'].startswith('exchange.')\n",
).replace(
    '            fact = {"value": {**value, "body": body}}\n',
    "            wrong = {**value, \"body\": body if exam else body + '?'}\n"
    '            fact = {"value": wrong} if exam or starts < HONEST else {"unsupported": True}\n',
)


def kit(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, args, catch_exceptions=False)


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


SOME = ("--select", "framing.length.*", "-q")


def write_flaky(directory: Path) -> None:
    mark = directory / "mark"
    mark.unlink(missing_ok=True)
    (directory / "flaky_client.py").write_text(flaky(str(mark)))


def test_a_flake_is_counted_neither_as_passed_nor_as_failed(importable: Path) -> None:
    write_flaky(importable)
    places = ("--junit", "a.xml", "--badge", "a.json", "--markdown", "a.md")
    done = kit("check", "flaky_client", "--select", "framing.length.*", *places)
    assert done.exit_code == 0, done.output
    found = re.search(r"^(\d+) cases: (\d+) PASS, 1 FLAKY$", done.stdout, re.MULTILINE)
    assert found
    assert int(found[1]) == int(found[2]) + 1
    rows = "\n".join(line for line in done.stdout.split("\n") if not line.startswith(" "))
    table = [tuple(map(int, one)) for one in re.findall(r" (\d+)/(\d+)\b", rows)]
    assert [sum(column) for column in zip(*table, strict=True)] == [int(found[2]), int(found[1])]
    message = json.loads(Path("a.json").read_text())["message"]
    assert f"{message} ".startswith(f"{found[2]}/{found[1]} ")
    assert f": {found[2]} of {found[1]} " in Path("a.md").read_text()
    suite = ET.parse("a.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "0")
    assert len(suite.findall("testcase/flakyFailure")) == 1
    assert done.stdout.count("  wire      |") == 2
    assert "FLAKY WRONG_VALUE" in done.stdout
    assert "  alone     PASS" in done.stdout


def test_a_flake_fails_the_run_where_that_is_asked_for(importable: Path) -> None:
    write_flaky(importable)
    files = ("--results", "a.jsonl", "--junit", "a.xml")
    done = kit("check", "flaky_client", *SOME, "--fail-on-flaky", *files)
    assert done.exit_code == 1, done.output
    assert kit("report", "-q", "--exit-code", "a.jsonl").exit_code == 1
    assert ET.parse("a.xml").getroot()[0].get("failures") == "1"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_leaks_from_case_to_case_fails_the_run(importable: Path, jobs: str) -> None:
    (importable / "leaky_client.py").write_text(LEAKY)
    done = kit("check", "leaky_client", "--select", "framing.length.*", "-j", jobs)
    assert done.exit_code == 1
    assert "FLAKY" not in done.stdout
    assert "  after     seen only when run after framing.length." in done.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_driver_that_dies_at_every_third_case_fails_the_run(importable: Path, jobs: str) -> None:
    (importable / "dying.py").write_text(DYING)
    command = f"exec:{shlex.quote(sys.executable)} dying.py"
    done = kit("check", command, "--select", "framing.length.*", "-j", jobs, "-q")
    assert done.exit_code == 1, done.output
    assert " CRASH" in done.stdout
    assert "FLAKY" not in done.stdout


@pytest.mark.parametrize("honest", [0, 2], ids=["from the first case", "in the second runs"])
def test_nothing_is_excused_by_a_driver_that_denies_what_it_has_performed(
    importable: Path, honest: int
) -> None:
    """Its first two processes are that of the examination and that of the run, in either order."""
    (importable / "denying.py").write_text(DENYING.replace("HONEST", str(honest)))
    command = f"exec:{shlex.quote(sys.executable)} denying.py"
    done = kit("check", command, "--select", "chunked.two-chunks", "-q")
    assert done.exit_code == (1 if honest else 2), done.output
    assert "1 WRONG_VALUE" in done.stdout if honest else "1 DRIVER_ERROR" in done.stdout


LOSING = """
import os
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        def read(self, *args):
            octets = super().read(*args)
            if b"<p>" in octets:  # of an exchange before the cases
                return octets
            open("ran", "w").close()
            return octets + b"?"
    if os.path.exists("ran"):
        def __init__(self, host, port=None):
            super().__init__(host, port)
"""


def test_a_second_run_that_was_not_judged_excuses_nothing(importable: Path) -> None:
    (importable / "losing.py").write_text(LOSING)
    done = kit("check", "losing", "--select", "status-codes.beyond-599.600.on", "-q")
    assert done.exit_code == 1, done.output
    assert "FLAKY" not in done.stdout
