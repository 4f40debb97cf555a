"""Drivers that lie, hang, flood, die or leave things behind: each costs its own verdict."""

import contextlib
import os
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.cases.casefile import load_text
from conformance.drivers import DriverError
from conformance.drivers import program as program_module
from conformance.drivers.factory import ProgramTarget
from conformance.drivers.worker import Worker
from conformance.judge import Verdict
from conformance.results import Result
from conformance.run import Runner
from conformance.run.parallel import MOST_STARTS, Runners
from conformance.tests.wrong import TWO_CASES

SHORT = 0.3
"""A deadline for tests in which it is missed on purpose."""

DRIVER = """
import json, os, signal, socket, subprocess, sys, time

def raw(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()

def say(**answer):
    raw(json.dumps(answer).encode() + b"\\n")

def leave(*more, **options):
    child = subprocess.Popen(["sleep", "60", *more], **options)
    with open({pids!r}, "a") as file:
        file.write(str(child.pid) + "\\n")

def ask(address):
    with socket.create_connection(address) as sock:
        sock.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        while sock.recv(100):
            pass

MADE = {{"id": "new", "value": {{"type": "object", "class": "mine.Connection"}}}}
ERROR = {{"class": "mine.Error", "message": "it failed"}}
starts = {starts!r}
for line in sys.stdin:
    message = json.loads(line)
    n, ops = message["serial"], message.get("ops", ())
    if message["type"] == "start":
        open(starts, "a").write("x")
        again = len(open(starts).read()) > 1
        {start}
        say(serial=n, name="hostile", version="1", ops=["*"])
    elif message["type"] == "run" and "kind" in ops[0]:
        say(serial=n, trace=[{{"id": ops[0]["id"], "unsupported": True}}])
    elif message["type"] == "run":
        ask(tuple(message["address"]))
        value = None
        trace = [MADE, {{"id": ops[1]["id"], "value": 1}}]
        if message["id"] == "runner.bad":
            trace = [MADE, {{"id": "request", "value": None}}]
            {run}
        say(serial=n, trace=trace)
    elif message["type"] == "release":
        {release}
        say(serial=n)
    else:
        break
"""

IN_A_RUN = {
    # What is said is no answer.
    "garbage": ("raw(b'garbage\\n')", Verdict.DRIVER_ERROR, "not an answer in JSON"),
    "an empty line": ("raw(b'\\n')", Verdict.DRIVER_ERROR, "not an answer in JSON"),
    "not utf-8": ('raw(b\'{"serial": 1, "x": "\\xff"}\\n\')', Verdict.DRIVER_ERROR, "JSON"),
    "a lone surrogate": ("raw(b'\"\\\\ud800\"\\n')", Verdict.DRIVER_ERROR, "JSON"),
    "not a number": ("raw(b'{\"serial\": NaN}\\n')", Verdict.DRIVER_ERROR, "JSON"),
    "deep nesting": ("raw(b'[' * 100000 + b']' * 100000 + b'\\n')", Verdict.DRIVER_ERROR, "JSON"),
    "a list": ("raw(b'[]\\n')", Verdict.DRIVER_ERROR, "an object"),
    "no serial": ("raw(b'{\"trace\": []}\\n')", Verdict.DRIVER_ERROR, "message 'none'"),
    "an old serial": ("n -= 1", Verdict.DRIVER_ERROR, "an answer to message"),
    "a serial as text": ("n = str(n)", Verdict.DRIVER_ERROR, "an answer to message"),
    "a serial that is true": ("n = True", Verdict.DRIVER_ERROR, "an answer to message"),
    "two answers": (
        "raw(json.dumps(dict(serial=n, trace=trace)).encode() + b'\\n' + b'{}\\n')",
        Verdict.DRIVER_ERROR,
        "more than was asked",
    ),
    "a warning before": ("print('loading...')", Verdict.DRIVER_ERROR, "loading"),
    # What is answered does not fit what was asked.
    "no trace": ("say(serial=n); continue", Verdict.DRIVER_ERROR, "no trace"),
    "a trace that is none": ("trace = 3", Verdict.DRIVER_ERROR, r"array"),
    "too few entries": ("trace.pop()", Verdict.DRIVER_ERROR, "1 entries, where 2"),
    "too many entries": ("trace.append(MADE)", Verdict.DRIVER_ERROR, "3 entries, where 2"),
    "another id": ("trace[1]['id'] = 'read'", Verdict.DRIVER_ERROR, "has the id 'read'"),
    "nothing in an entry": ("del trace[1]['value']", Verdict.DRIVER_ERROR, "needs one of"),
    "value and error": ("trace[1]['error'] = ERROR", Verdict.DRIVER_ERROR, "value and error"),
    "a value of what was not made": (
        "trace[0] = {'id': 'new', 'error': ERROR}",
        Verdict.DRIVER_ERROR,
        "no op has made `conn`",
    ),
    "skipped for no reason": (
        "trace[1] = {'id': 'request', 'skipped': True}",
        Verdict.DRIVER_ERROR,
        "everything that it needs was made",
    ),
    "an error without a class": (
        "trace[1] = {'id': 'request', 'error': {'message': ''}}",
        Verdict.DRIVER_ERROR,
        "class",
    ),
    # Values that are none.
    "a bare string": ("trace[1]['value'] = 'x'", Verdict.DRIVER_ERROR, "bare string"),
    "an unknown type": (
        "trace[1]['value'] = {'type': 'blob', 'value': ''}",
        Verdict.DRIVER_ERROR,
        "blob",
    ),
    "no type": ("trace[1]['value'] = {'x': 1}", Verdict.DRIVER_ERROR, "type"),
    "octets beyond ff": (
        "trace[1]['value'] = [{'type': 'bytes', 'value': '\\u20ac'}]",
        Verdict.DRIVER_ERROR,
        "not a byte",
    ),
    "a bottomless value": (
        "for _ in range(100): value = [value]\n            trace[1]['value'] = value",
        Verdict.DRIVER_ERROR,
        "levels",
    ),
    "an unsafe attribute": (
        "trace[1] = {'id': 'request', 'error': {**ERROR, 'attributes': {'x': 'y'}}}",
        Verdict.DRIVER_ERROR,
        "attribute 'x'",
    ),
    # What is merely wrong is for the judge.
    "a lie": ("trace[1]['value'] = 7", Verdict.WRONG_VALUE, ""),
    "a leak": ("trace[1] = {'id': 'request', 'error': ERROR}", Verdict.LEAK, ""),
    "a huge number": (
        "trace[1]['value'] = {'type': 'int', 'value': 'f' * 100000}",
        Verdict.WRONG_VALUE,
        "",
    ),
    "unsupported": (
        "trace[1] = {'id': 'request', 'unsupported': True}",
        Verdict.UNSUPPORTED,
        "does not support",
    ),
    # Floods.
    "an endless line": (
        "while True: raw(b'x' * 65536)",
        Verdict.DRIVER_ERROR,
        "without a line end",
    ),
    "endless lines": (
        "while True: raw((b'x' * 63 + b'\\n') * 1024)",
        Verdict.DRIVER_ERROR,
        "not an answer in JSON",
    ),
    "endless words": ("while True: os.write(2, b'x' * 65536)", Verdict.HANG, ""),
    # Silence and death.
    "silence": ("time.sleep(60)", Verdict.HANG, ""),
    "a loop": ("while True: pass", Verdict.HANG, ""),
    "silence, deaf to a polite end": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        Verdict.HANG,
        "",
    ),
    "an end": ("os._exit(3)", Verdict.CRASH, "status 3"),
    "an end in order": ("sys.exit(0)", Verdict.CRASH, "status 0"),
    "a signal": ("os.kill(os.getpid(), 11)", Verdict.CRASH, "SIGSEGV"),
    "an end with last words": ("sys.exit('farewell')", Verdict.CRASH, "farewell"),
    "half an answer": ("raw(b'{\"ser'); os._exit(3)", Verdict.CRASH, "status 3"),
    "a closed output": (
        "os.close(1); time.sleep(60)",
        Verdict.DRIVER_ERROR,
        "closed its output and did not end",
    ),
    "closed words": ("os.close(2)", Verdict.PASS, ""),
    "a child that holds the pipes": ("leave(); os._exit(3)", Verdict.CRASH, "status 3"),
    "a child that left the group": (
        "leave(start_new_session=True); os._exit(3)",
        Verdict.CRASH,
        "status 3",
    ),
    "silence with a child that left": (
        "leave(start_new_session=True); time.sleep(60)",
        Verdict.HANG,
        "",
    ),
}


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(autouse=True)
def a_shorter_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "LONGEST_ANSWER", 4 << 20)


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """The file in which drivers write the numbers of the children that they leave."""
    path = tmp_path / "pids"
    path.touch()
    yield path
    for pid in map(int, path.read_text().split()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


def cases() -> list[Case]:
    return load_text(TWO_CASES, "test.toml")


def driver(tmp_path: Path, start: str = "pass", run: str = "pass", release: str = "pass") -> Path:
    path = tmp_path / "driver.py"
    text = DRIVER.format(
        start=start,
        run=run,
        release=release,
        pids=str(tmp_path / "pids"),
        starts=str(tmp_path / "starts"),
    )
    path.write_text(text, encoding="utf-8")
    return path


def program(path: Path) -> ProgramTarget:
    return ProgramTarget("exec:hostile", (sys.executable, str(path)))


def judged(path: Path, authority: CertificateAuthority) -> list[Result]:
    with Runner(program(path), authority, deadline=SHORT) as runner:
        return list(runner.run(cases()))


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be reaped by whoever adopted it does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("run", "verdict", "reason"), IN_A_RUN.values(), ids=IN_A_RUN)
def test_a_hostile_driver_costs_one_verdict(
    tmp_path: Path,
    authority: CertificateAuthority,
    left: Path,
    run: str,
    verdict: Verdict,
    reason: str,
) -> None:
    bad, good = judged(driver(tmp_path, run=run), authority)
    assert bad.verdict == verdict, bad.reason
    assert reason in bad.reason
    assert good.verdict == Verdict.PASS, good.reason
    if sys.platform == "linux":
        assert not any(map(alive, map(int, left.read_text().split())))


@pytest.mark.parametrize(
    ("release", "verdict"),
    [
        ("os._exit(3)", Verdict.CRASH),
        ("raw(b'garbage\\n')", Verdict.DRIVER_ERROR),
        ("time.sleep(60)", Verdict.HANG),
        ("n -= 1", Verdict.DRIVER_ERROR),
    ],
)
def test_what_goes_wrong_in_the_release_is_the_case_s_own(
    tmp_path: Path, authority: CertificateAuthority, release: str, verdict: Verdict
) -> None:
    text = f"if not again: {release}"
    bad, good = judged(driver(tmp_path, release=text), authority)
    assert (bad.verdict, good.verdict) == (verdict, Verdict.PASS)


START = {
    "silence": ("time.sleep(60)", r"did not start in 0\.3 s"),
    "an end": ("sys.exit('no such library')", "ended with status 1: no such library"),
    "an end of a launcher": (
        "sys.stderr.write('python9: not found\\n\\nSee the manual.\\n'); sys.exit(127)",
        "ended with status 127: python9: not found",
    ),
    "garbage": ("raw(b'hello\\n')", "not an answer in JSON"),
    "a greeting": ("print('hello'); n = n", "not an answer in JSON|more than was asked"),
    "no name": ("say(serial=n); continue", "name"),
    "a name of two lines": ("say(serial=n, name='a\\nb', version='1'); continue", "name"),
    "ops that are none": ("say(serial=n, name='a', version='1', ops=3); continue", "ops"),
    "errors that are none": (
        "say(serial=n, name='a', version='1', errors={'x': 3}); continue",
        "errors",
    ),
    "an error": (
        "say(serial=n, error={'class': 'a.NoClient', 'message': 'not here'}); continue",
        "NoClient: not here",
    ),
}


@pytest.mark.parametrize(("start", "problem"), START.values(), ids=START)
def test_a_driver_that_does_not_start_is_one_line(tmp_path: Path, start: str, problem: str) -> None:
    command = [sys.executable, str(driver(tmp_path, start=start))]
    patience = SHORT if start.startswith("time") else 30
    with pytest.raises(DriverError, match=problem) as raised:
        Worker("exec:hostile", command, patience)
    assert "\n" not in str(raised.value)


def test_a_driver_may_say_where_its_client_hangs(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    """It answers on the second descriptor; one that does not is asked once."""
    where = (
        "second, frame = int(os.environ['HTTPLIB_KIT_WHERE']), {'file': 'mine.rb', 'line': 7}\n"
        "            while os.read(second, 1): os.write(second, json.dumps({'serial': n, "
        "'trace': [MADE], 'frames': [frame]}).encode() + b'\\n')"
    )
    bad, _ = judged(driver(tmp_path, run=where), authority)
    assert (bad.verdict, [one.shown for one in bad.frames]) == (Verdict.HANG, ["mine.rb:7"])
    bad, _ = judged(driver(tmp_path, run="time.sleep(60)"), authority)
    assert (bad.verdict, bad.frames) == (Verdict.HANG, [])


def test_a_driver_that_claims_every_op_is_refused(tmp_path: Path) -> None:
    path = driver(tmp_path)
    path.write_text(path.read_text().replace('"unsupported": True', '"value": 1'))
    with pytest.raises(DriverError, match="an unknown op needs the entry `unsupported`"):
        Worker("exec:hostile", [sys.executable, str(path)])


@pytest.mark.parametrize(
    ("instead", "problem"),
    [
        ("sys.exit(3)", "`unsupported`, but the worker ended with status 3"),
        ("time.sleep(60)", "did not answer an unknown op in"),
        ("os.close(1); time.sleep(60)", "^exec:hostile: the worker closed its output"),
        ("say(serial=n)", "`unsupported`, but the answer to run has no trace"),
        ("say(serial=n - 1)", "an answer to message"),
    ],
)
def test_a_driver_that_cannot_bear_an_unknown_op_is_refused(
    tmp_path: Path, instead: str, problem: str
) -> None:
    path = driver(tmp_path)
    good = 'say(serial=n, trace=[{"id": ops[0]["id"], "unsupported": True}])'
    assert good in path.read_text()
    path.write_text(path.read_text().replace(good, instead))
    with pytest.raises(DriverError, match=problem) as raised:
        Worker("exec:hostile", [sys.executable, str(path)], 3.0)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("probed", [False, True], ids=["in the start", "in the probe"])
def test_an_interrupt_before_the_first_case_leaves_no_driver_behind(
    tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch, probed: bool
) -> None:
    hear = program_module.Program.receive

    def interrupted(one: program_module.Program, patience: float | None = None) -> bytes:
        if probed and not left.read_text():
            left.write_text(f"{one._process.pid}\n")
            return hear(one, patience)
        left.write_text(f"{one._process.pid}\n")
        raise KeyboardInterrupt

    monkeypatch.setattr(program_module.Program, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Worker("exec:hostile", [sys.executable, str(driver(tmp_path))])
    assert not any(map(alive, map(int, left.read_text().split())))


def test_an_error_map_that_is_none_is_refused(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    start = "say(serial=n, name='a', version='1', errors={'x': 'NoSuchError'}); continue"
    with pytest.raises(DriverError, match="'NoSuchError' is neither an exception"):
        Runner(program(driver(tmp_path, start=start)), authority)


def test_the_driver_s_own_error_map_counts(tmp_path: Path, authority: CertificateAuthority) -> None:
    start = "say(serial=n, name='a', version='1', errors={'mine.Error': 'OSError'}); continue"
    path = driver(tmp_path, start, "trace[1] = {'id': 'request', 'error': ERROR}")
    assert judged(path, authority)[0].verdict == Verdict.FALSE_ERROR


def test_a_driver_that_starts_only_once_is_not_started_for_every_case(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    path = driver(tmp_path, start="if again: sys.exit('once is enough')", run="os._exit(3)")
    bad, good = cases()
    with Runners(lambda: Runner(program(path), authority, deadline=SHORT), 1) as runners:
        results = [runners.run_case(one) for one in [bad, *[good] * (MOST_STARTS + 2)]]
    lost = [Verdict.DRIVER_ERROR] * MOST_STARTS
    assert [one.verdict for one in results] == [Verdict.CRASH, *lost, *[Verdict.NOT_RUN] * 2]
    assert all("once is enough" in one.reason for one in results[1:])
    assert (tmp_path / "starts").read_text() == "x" * (1 + MOST_STARTS)


def test_a_slow_start_is_no_hang(tmp_path: Path, authority: CertificateAuthority) -> None:
    path = driver(tmp_path, start="time.sleep(5 * 0.3)", run="os._exit(3)")
    bad, good = judged(path, authority)
    assert (bad.verdict, good.verdict) == (Verdict.CRASH, Verdict.PASS)


def test_an_op_that_is_not_declared_is_not_asked_for(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    path = driver(tmp_path)
    text = path.read_text().replace('ops=["*"]', 'ops=["HTTPConnection", "fine"]')
    path.write_text(text.replace('"kind" in ops[0]', 'ops[0].get("call", "").startswith("http")'))
    bad, good = judged(path, authority)
    assert (bad.verdict, good.verdict) == (Verdict.UNSUPPORTED, Verdict.PASS)
    assert bad.reason == "the driver does not declare request"


@pytest.mark.parametrize("flood", ["raw(b'x' * 65536)", "os.write(2, b'x' * 65536)"])
def test_memory_stays_bounded(tmp_path: Path, authority: CertificateAuthority, flood: str) -> None:
    path = driver(tmp_path, run=f"while True: {flood}")
    with Runner(program(path), authority, deadline=SHORT) as runner:
        tracemalloc.start()
        try:
            result = runner.run_case(cases()[0])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert result.verdict in (Verdict.DRIVER_ERROR, Verdict.HANG)
    assert peak < 4 * program_module.LONGEST_ANSWER


def test_a_hang_costs_little_more_than_its_deadlines(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    with Runner(program(driver(tmp_path, run="time.sleep(60)")), authority, deadline=SHORT) as one:
        began = time.monotonic()
        results = list(one.run(cases()))
    assert [result.verdict for result in results] == [Verdict.HANG, Verdict.PASS]
    assert time.monotonic() - began < 20
