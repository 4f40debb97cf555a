"""`httplib-kit driver-check`, and the example drivers, each of which passes it and is judged."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.drivers.worker import AGENT

GOOD = """
import json, os, subprocess, sys, time
from http.client import HTTPConnection
kept = []
for line in sys.stdin:
    message = json.loads(line)
    kind, answer = message["type"], {"serial": message["serial"]}
    if kind == "stop":
        break
    if kind == "start":
        answer.update(name="mine", version="1", ops=["fetch"])
    elif kind == "run" and message["ops"][0].get("call") == "fetch":
        try:
            conn = HTTPConnection(*message["address"])
            conn.request("GET", message["url"].partition(":%d" % message["address"][1])[2])
            got = conn.getresponse()
            value = {"type": "response", "status": got.status, "reason": got.reason,
                     "headers": None, "body": got.read().decode("latin-1")}
            fact = {"value": value}
        except Exception as error:
            fact = {"error": {"class": type(error).__name__, "message": str(error)}}
        answer["trace"] = [{"id": "fetch", **fact}]
    elif kind == "run":
        answer["trace"] = [{"id": op["id"], "unsupported": True} for op in message["ops"]]
    elif kind != "release":
        answer["unsupported"] = kind
    print(json.dumps(answer), flush=True)
"""

DEFECTS = {
    "stays": ('    if kind == "stop":\n        break\n', "", "stop", "does not end|not asked for"),
    "is deaf to the end": (
        'answer["unsupported"] = kind',
        "pass",
        "unknown message",
        "unsupported",
    ),
    "claims": ('"unsupported": True', '"value": 1', "unknown op", "unsupported"),
    "forgets the serial": (
        '{"serial": message["serial"]}',
        '{"serial": 1}',
        "",
        "message 1, where",
    ),
    "speaks UTF-8": ('decode("latin-1")', 'decode("utf-8", "replace")', "run", "not a byte"),
    "loses octets": ('decode("latin-1")', 'decode("ascii", "ignore")', "run", "00 to ff"),
    "lies about the status": ('"status": got.status', '"status": 201', "run", "201"),
    "has a bare value": ('fact = {"value": value}', 'fact = {"value": "x"}', "run", "bare string"),
    "fails": ("got = conn.getresponse()", "1 / 0", "run", "ZeroDivisionError"),
    "dies of an error": ("except Exception as error", "except KeyError as error", "error", "ended"),
    "takes a reset for a response": (
        'fact = {"error": {"class": type(error).__name__, "message": str(error)}}',
        'fact = {"value": {"type": "response", "status": 200, "reason": "", "headers": None,'
        ' "body": bytes(range(256)).decode("latin-1")}}',
        "error",
        "connection was reset",
    ),
    "does not notice a reset": (
        "except Exception as error",
        "except TimeoutError:\n            pass\n        except ConnectionResetError:\n"
        "            time.sleep(60)\n        except Exception as error",
        "error",
        "no answer to `run`",
    ),
    "talks": ("kept = []", "print('hello')", "start", "not an answer in JSON"),
    "talks on": (
        "print(json.dumps(answer), flush=True)",
        "print(json.dumps(answer) + '\\nok', flush=True)",
        "start",
        "more than was asked",
    ),
    "says no JSON": ("json.dumps(answer)", "answer", "start", "not an answer in JSON"),
    "has no name": ('name="mine", ', "", "start", "name"),
    "mistypes a feature": (
        'ops=["fetch"]',
        'ops=["fetch"], features=["strct", "of-its-own"]',
        "start",
        "no feature is called 'strct'; near names: strict",
    ),
    "has no ops": ('ops=["fetch"]', "ops=[]", "start", "empty"),
    "maps errors to nothing": (
        'ops=["fetch"]',
        'ops=["fetch"], errors={"E": "Nothing"}',
        "start",
        "'Nothing' is neither an exception",
    ),
    "cannot work": (
        'answer.update(name="mine"',
        'answer.update(error={"class": "E", "message": "no client here"}, name="mine"',
        "start",
        "no client here",
    ),
    "leaves a child": (
        "kept = []",
        "subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL, start_new_session=True)",
        "stop",
        r"leaves processes running .*\(sleep\)",
    ),
}


def checked(*command: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["driver-check", "--patience", "30", *command])
    return result.exit_code, result.output


def test_a_good_driver_has_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "driver.py"
    path.write_text(GOOD)
    code, output = checked(sys.executable, str(path))
    assert code == 0, output
    assert {line.split()[0] for line in output.splitlines()} == {"ok"}


@pytest.mark.parametrize(("old", "new", "what", "problem"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, what: str, problem: str
) -> None:
    monkeypatch.setattr("conformance.driver_check.conversation.PATIENCE", 1.0)
    assert old in GOOD
    path = tmp_path / "driver.py"
    path.write_text(GOOD.replace(old, new))
    code, output = checked(f"{sys.executable} '{path}'")
    wrong = [line for line in output.splitlines() if line.startswith("wrong")]
    assert code == 1
    assert any(line[7:].startswith(what) and re.search(problem, line) for line in wrong), output
    assert output.splitlines()[-1].startswith(f"{len(wrong)} wrong")


def test_an_interpreter_of_every_op_is_asked_for_each_kind() -> None:
    code, output = checked(sys.executable, str(AGENT), "http.client")
    assert code == 0, output
    for op in ("request", "getresponse", "status", "set", "item"):
        assert op in output


def test_an_object_that_is_not_released_is_told(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    text = AGENT.read_text(encoding="utf-8")
    assert text.count("            agent.release()\n") == 1
    path.write_text(
        text.replace("            agent.release()\n", "            pass\n"), encoding="utf-8"
    )
    code, output = checked(sys.executable, str(path), "http.client")
    assert code == 1
    assert "wrong  release          after `release` a connection is still open" in output


@pytest.mark.parametrize("command", ["no-such-driver", "'", "/", ""])
def test_what_is_no_command_is_a_usage_error(command: str) -> None:
    code, output = checked(command)
    assert code == 2
    assert output.count("\n") == 1
