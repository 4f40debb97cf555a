"""The agent, as the same file under every interpreter that is here."""

import inspect
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.drivers import DriverDied, DriverError, agent
from conformance.drivers.environment import MEMORY
from conformance.drivers.in_process import InProcess
from conformance.drivers.worker import AGENT, Worker

INTERPRETERS = {
    "python2.7": "httplib",
    "python3.6": "http.client",
    "python3.7": "http.client",
    "python3.8": "http.client",
    "python3.9": "http.client",
    "python3.10": "http.client",
    "python3.11": "http.client",
    "python3.12": "http.client",
    "python3.13": "http.client",
    "pypy3": "http.client",
    sys.executable: "http.client",
}

PROBE_MODULE = """
import socket
import threading
import time
class HTTPException(Exception):
    pass
class Odd(HTTPException):
    def __init__(self):
        self.partial, self.expected = b"hel", 2 ** 70
drops = []
class Dropped(object):
    def __del__(self):
        drops.append("dropped")
class HTTPConnection:
    def __init__(self, host, port):
        self.host, self.port = host, port
    def drops(self):
        return len(drops)
    def back(self, value):
        return value
    def values(self):
        large = [2 ** 70, float("inf")]
        return [None, True, 3] + large + [1.5, b"\\xff", u"\\xe9", (1,), {1: 2}, HTTPException]
    def fail(self):
        raise Odd()
    def read(self, amount):
        self.reads = getattr(self, "reads", 0) + 1
        if self.reads == 3:
            raise Odd()
        return b"ab"
    def deep(self, levels):
        if not levels:
            return int("zz", 16)
        return self.deep(levels - 1)
    def connect(self):
        socket.create_connection(("127.0.0.1", 1))
    def hang(self):
        time.sleep(60)
    def spin(self):
        while True: pass
    def block(self):
        lock = threading.Lock()
        while lock.acquire():
            pass
    def drop(self):
        dropped = Dropped()
        raise Odd()
    def talk(self):
        print("talk")
    def default_timeout(self):
        return socket.getdefaulttimeout()
    def surrogate(self):
        return b"a\\xff".decode("ascii", "surrogateescape" if str is not bytes else "replace")
    def allocate(self, count):
        return len(bytearray(count))
    def pieces(self, body):
        return [body.read(2), body.read()]
"""


@cache
def found(interpreter: str) -> str | None:
    """Return the interpreter, where it is here, and not only a launcher for one that is not."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    selectable = sorted(versions.glob(f"*/bin/{interpreter}"), reverse=True)
    for program in (shutil.which(interpreter), *map(str, selectable)):
        if program and subprocess.run([program, "-c", ""], capture_output=True).returncode == 0:
            return program
    return None


@pytest.fixture(params=INTERPRETERS, ids=lambda name: Path(name).name)
def interpreter(request: pytest.FixtureRequest) -> str:
    program = found(request.param)
    if program is None:
        pytest.skip(f"no {request.param} here")
    return program


def module_of(interpreter: str) -> str:
    return "httplib" if interpreter.endswith("python2.7") else "http.client"


def ask(interpreter: str, module: str, *messages: dict[str, Any], cwd: Path) -> list[Any]:
    """Return the answers of an agent in a process of its own."""
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    command = [interpreter, str(AGENT), module]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=cwd, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def op(call: str, *args: Any, on: str = "conn", **more: Any) -> dict[str, Any]:
    return {"id": call, "on": on, "call": call, "args": list(args), "kwargs": {}, **more}


NEW = op("HTTPConnection", "127.0.0.1", 80, on="module", **{"as": "conn"})


def run(interpreter: str, tmp_path: Path, *ops: dict[str, Any]) -> list[Any]:
    (tmp_path / "probe.py").write_text(PROBE_MODULE)
    start, answer = ask(
        interpreter,
        "probe",
        {"type": "start"},
        {"type": "run", "ops": [NEW, *ops]},
        cwd=tmp_path,
    )
    assert "error" not in start
    trace: list[Any] = answer["trace"][1:]
    return trace


def test_it_says_who_it_is(interpreter: str, tmp_path: Path) -> None:
    module = module_of(interpreter)
    (answer,) = ask(interpreter, module, {"type": "start"}, cwd=tmp_path)
    assert answer["name"] == module
    assert answer["ops"] == ["*"]
    assert ("python3" in answer["features"]) == (not answer["python"].startswith("2."))
    assert ("strict" in answer["features"]) == (module == "httplib")
    assert ("http09" in answer["features"]) == (module == "httplib")
    assert "HTTPSConnection" in answer["features"]
    assert "reads-ahead" not in answer["features"]


def test_values_cross_with_their_octets(interpreter: str, tmp_path: Path) -> None:
    (entry,) = run(interpreter, tmp_path, op("values"))
    *values, kind = entry["value"]
    assert values == [
        None,
        True,
        3,
        {"type": "int", "value": f"{2**70:x}"},
        {"type": "float", "value": "inf"},
        1.5,
        {"type": "bytes", "value": "\xff"},
        {"type": "text", "value": "\xe9"},
        {"type": "tuple", "value": [1]},
        {"type": "mapping", "value": [[1, 2]]},
    ]
    assert (kind["type"], kind["class"]) == ("class", "probe.HTTPException")


def test_an_error_crosses_with_bases_and_attributes(interpreter: str, tmp_path: Path) -> None:
    (entry,) = run(interpreter, tmp_path, op("fail"))
    assert entry["error"]["class"] == "probe.Odd"
    assert entry["error"]["bases"][0] == "probe.HTTPException"
    assert entry["error"]["attributes"]["partial"] == {"type": "bytes", "value": "hel"}
    assert entry["error"]["attributes"]["expected"] == {"type": "int", "value": f"{2**70:x}"}


def test_repeated_reads_keep_what_came_before_an_error(interpreter: str, tmp_path: Path) -> None:
    (entry,) = run(interpreter, tmp_path, op("read", repeat=2))
    assert entry["error"]["attributes"]["partial"] == {"type": "bytes", "value": "ababhel"}


def test_what_a_failed_call_drops_is_freed_at_once(interpreter: str, tmp_path: Path) -> None:
    """Otherwise a socket that the implementation has dropped would stay open during the case."""
    if interpreter.endswith("pypy3"):
        pytest.skip("PyPy frees objects only when its garbage collector runs")
    _, entry = run(interpreter, tmp_path, op("drop"), op("drops"))
    assert entry["value"] == 1


def test_an_error_names_the_lines_of_the_implementation(interpreter: str, tmp_path: Path) -> None:
    deep, connect, absent = run(interpreter, tmp_path, op("deep", 9), op("connect"), op("absent"))
    innermost, *others = deep["error"]["frames"]
    line = 1 + PROBE_MODULE.splitlines().index('            return int("zz", 16)')
    text = 'return int("zz", 16)'
    assert innermost == {"file": "probe.py", "line": line, "function": "deep", "text": text}
    assert [one["line"] for one in others] == [line + 1] * 4
    assert [one["function"] for one in connect["error"]["frames"]] == ["connect"]
    assert "frames" not in absent["error"]


def test_the_lines_of_a_standard_module_are_its_own(interpreter: str, tmp_path: Path) -> None:
    module = module_of(interpreter)
    talk = [{**NEW, "args": ["127.0.0.1", 1]}, op("connect")]
    _, answer = ask(
        interpreter, module, {"type": "start"}, {"type": "run", "ops": talk}, cwd=tmp_path
    )
    frames = answer["trace"][1]["error"]["frames"]
    name = "httplib.py" if module == "httplib" else "http/client.py"
    assert {one["file"] for one in frames} == {name}


@pytest.mark.parametrize("call", ["hang", "spin", "block"])
def test_a_run_that_does_not_end_can_be_located(
    interpreter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "probe.py").write_text(PROBE_MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    worker = Worker("probe", [interpreter, str(AGENT), "probe"], locates=True)
    opened = op("back", {"type": "open", "value": "x"}, **{"as": "held"})
    talk = [NEW, opened, op(call), op("drops")]
    ended = threading.Thread(target=until_it_ends, args=(worker, talk))
    ended.start()
    position: Any = {}
    while [frame["function"] for frame in position.get("frames", ())] != [call]:
        position = worker.where()  # before that, it can be anywhere in the agent
    worker.kill()
    ended.join()
    worker.stop()
    assert [entry["id"] for entry in position["trace"]] == ["HTTPConnection", "back"]
    assert not [*(tmp_path / "temporary").iterdir()], "the worker left files"


def test_a_stack_that_is_not_of_a_run_is_not_that_of_the_implementation() -> None:
    """Under gevent, the thread can be in its hub, whose stack has no call of the agent."""
    frame = inspect.currentframe()
    assert agent.stack_at(frame, until_it_ends.__code__) == []
    assert agent.stack_at(frame, frame.f_back.f_code)[0][2].startswith("test_a_stack")  # type: ignore[union-attr]


IMPORTS = {
    "an exception": (
        "def start():\n    1 / 0\nstart()\n",
        "ZeroDivisionError",
        "2 in start: 1 / 0",
    ),
    "syntax": ("x = 1\ndef start(:\n", "SyntaxError", "2: def start(:"),
    "a dependency": ("\nimport no_such_name\n", "Error", "2: import no_such_name"),
    "an exit": ("import sys\nsys.exit('no')\n", "SystemExit", "2: sys.exit('no')"),
    "noise": (
        "import os, sys\nprint('x'); os.write(2, b'x\\n' * 2000000); os.write(1, b'x'); 1 / 0\n",
        "ZeroDivisionError",
        "2: print",
    ),
}


@pytest.mark.parametrize(("source", "error", "place"), IMPORTS.values(), ids=IMPORTS)
@pytest.mark.parametrize(
    "inner", [False, True], ids=["of the module", "of a module of its package"]
)
def test_an_import_that_fails_names_the_line(
    interpreter: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    error: str,
    place: str,
    *,
    inner: bool,
) -> None:
    name = "own/inner.py" if inner else "own/__init__.py"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").write_text("import own.inner\n")
    (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DriverError) as raised:
        Worker("own", [interpreter, str(AGENT), "own"], locates=True)
    said = str(raised.value)
    assert said.startswith("own cannot be imported: ")
    assert f"{error}: " in said
    assert f"; at {name}:{place}" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("interpreter", "source"),
    [("python2.7", "import time\ntime.sleep(60)\n"), ("python", "\nwhile True: pass\n")],
    indirect=["interpreter"],
)
def test_an_import_that_does_not_end_names_the_line(
    interpreter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (tmp_path / "own.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DriverError, match=r"own: it did not start in 5 s; at own\.py:2: "):
        Worker("own", [interpreter, str(AGENT), "own"], 5.0, locates=True)


def until_it_ends(worker: Worker, ops: list[dict[str, Any]]) -> None:
    with pytest.raises(DriverDied):
        worker.run({"type": "run", "id": "x", "rev": 1, "ops": ops})


def test_a_call_without_a_receiver_is_skipped(interpreter: str, tmp_path: Path) -> None:
    (entry,) = run(interpreter, tmp_path, op("read", on="nobody"))
    assert entry == {"id": "read", "skipped": True}


def test_what_is_printed_can_be_asked_for(interpreter: str, tmp_path: Path) -> None:
    _, entry = run(interpreter, tmp_path, op("talk"), op("stdout", on="agent"))
    assert entry["value"]["value"] == "talk\n"


def test_the_default_timeout_is_that_of_one_run(interpreter: str, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE_MODULE)
    first, later = (
        answer["trace"][-1]["value"]
        for answer in ask(
            interpreter,
            "probe",
            {"type": "start"},
            {
                "type": "run",
                "ops": [NEW, op("setdefaulttimeout", 2.5, on="agent"), op("default_timeout")],
            },
            {"type": "run", "ops": [NEW, op("default_timeout")]},
            cwd=tmp_path,
        )[1:]
    )
    assert (first, later) == (2.5, None)


def test_a_run_in_this_process_leaves_the_default_timeout_alone() -> None:
    before = socket.getdefaulttimeout()
    driver = InProcess("http.client")
    driver.run({"ops": [op("setdefaulttimeout", 2.5, on="agent")], "address": ("127.0.0.1", 1)})
    assert socket.getdefaulttimeout() == before


def test_a_run_that_has_ended_is_not_where_the_next_one_is() -> None:
    """The kit asks where a case is before its run begins, on a busy machine also that late."""
    driver = InProcess("http.client")
    assert driver.where() == {}
    (entry,) = driver.run({"ops": [op("absent")], "address": ("127.0.0.1", 1)})
    assert entry["id"] == "absent"
    assert driver.where() == {}


@pytest.mark.parametrize("kind", ["open", "filelike"])
def test_files_are_read_from_where_they_stand(interpreter: str, tmp_path: Path, kind: str) -> None:
    body = {"type": kind, "value": "0123\xff", "seek": 1}
    (entry,) = run(interpreter, tmp_path, op("pieces", body))
    octets = [item["value"] for item in entry["value"]]
    assert octets == ["12", "3\xff"]


def test_a_mapping_keeps_its_order(interpreter: str, tmp_path: Path) -> None:
    mapping = {"type": "mapping", "value": [["b", "1"], ["a", "2"]]}
    back = op("back", mapping, **{"as": "given"})
    _, entry = run(
        interpreter, tmp_path, back, op("list", {"type": "ref", "value": "given"}, on="builtins")
    )
    assert [item["value"] for item in entry["value"]] == ["b", "a"]


def test_a_failed_import_is_an_answer(interpreter: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (answer,) = ask(interpreter, "broken", {"type": "start"}, cwd=tmp_path)
    assert answer["error"]["class"].endswith("ZeroDivisionError")


def test_objects_are_held_until_the_next_run() -> None:
    here = agent.Agent("http.client")
    here.run({"ops": [{**NEW, "id": "new"}]})
    assert "conn" in here.objects
    here.release()
    assert not here.objects


def test_text_that_utf_8_does_not_have_is_replaced(interpreter: str, tmp_path: Path) -> None:
    (entry,) = run(interpreter, tmp_path, op("surrogate"))
    assert entry["value"] == {"type": "text", "value": "a\ufffd"}


def test_an_op_of_an_unknown_kind_is_unsupported(interpreter: str, tmp_path: Path) -> None:
    unknown = {"id": "x", "on": "conn", "kind": "nothing"}
    argument = op("back", {"type": "nothing", "value": ""})
    entries = run(interpreter, tmp_path, unknown, argument)
    assert entries == [{"id": "x", "unsupported": True}, {"id": "back", "unsupported": True}]


def test_memory_is_limited(
    interpreter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "probe.py").write_text(PROBE_MODULE)
    monkeypatch.chdir(tmp_path)
    worker = Worker("probe", [interpreter, str(AGENT), "probe", f"memory={MEMORY}"])
    try:
        trace = worker.run({"type": "run", "ops": [NEW, op("allocate", MEMORY + 1)]})
        worker.release()
        small = worker.run({"type": "run", "ops": [NEW, op("allocate", 3)]})
    finally:
        worker.stop()
    assert trace[1]["error"]["class"].endswith("MemoryError")
    assert small[1]["value"] == 3


def test_jython_speaks_the_protocol(tmp_path: Path) -> None:
    jython = found("jython")
    if jython is None:
        pytest.skip("no jython here")
    (tmp_path / "probe.py").write_text(PROBE_MODULE)
    talk = [
        NEW,
        op("talk"),
        op("stdout", on="agent"),
        op("back", {"type": "bytes", "value": "\xff"}),
    ]
    start, answer, unknown, released = ask(
        jython,
        "probe",
        {"type": "start", "serial": 1},
        {"type": "run", "ops": [*talk, op("fail")], "serial": 2},
        {"type": "nothing", "serial": 3},
        {"type": "release", "serial": 4},
        cwd=tmp_path,
    )
    assert "reads-ahead" in start["features"]
    assert [entry.get("value") for entry in answer["trace"][2:4]] == [
        {"type": "bytes", "value": "talk\n"},
        {"type": "bytes", "value": "\xff"},
    ]
    assert answer["trace"][4]["error"]["attributes"]["partial"]["value"] == "hel"
    assert (unknown, released) == ({"serial": 3, "unsupported": "nothing"}, {"serial": 4})
