"""Implementations that behave as badly as they can: each costs its own verdict, never the run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, CaseError
from conformance.cases.casefile import load_text
from conformance.drivers import (
    DriverError,
    Implementation,
    Target,
    UnknownImplementation,
    target,
)
from conformance.drivers.factory import module_target
from conformance.drivers.worker import AGENT, Worker
from conformance.judge import Verdict
from conformance.results import Result
from conformance.run import Runner
from conformance.tests.wrong import TWO_CASES

UNREADABLE = "raise type('E', (Exception,), {'partial': property(lambda self: 1 / 0)})"
DRIPS = """sock = socket.create_connection((self.host, self.port))
        while True:
            sock.sendall(b"x")
            time.sleep(0.05)"""

SHORT = 0.3
"""A deadline for tests in which it is missed on purpose."""

MODULE = """
import os, socket, sys, threading, time
class HTTPConnection(object):
    def __init__(self, host, port):
        self.host, self.port = host, port
    def fine(self):
        return 1
    def request(self, method, url):
        {body}
        with socket.create_connection((self.host, self.port)) as sock:
            host = self.host.encode(), self.port
            sock.sendall(b"GET / HTTP/1.1\\r\\nHost: %s:%d\\r\\n\\r\\n" % host)
            sock.recv(1)
"""


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("misbehaving_")]:
        del sys.modules[name]


def cases() -> list[Case]:
    return load_text(TWO_CASES, "test.toml")


def module(tmp_path: Path, name: str, body: str) -> str:
    (tmp_path / f"misbehaving_{name}.py").write_text(MODULE.format(body=body))
    return f"misbehaving_{name}"


def run(one: Implementation, authority: CertificateAuthority) -> list[Result]:
    with Runner(one, authority, deadline=SHORT) as runner:
        return list(runner.run(cases()))


@pytest.mark.parametrize("in_process", [False, True], ids=["worker", "in-process"])
def test_a_hang_says_where(
    tmp_path: Path, authority: CertificateAuthority, *, in_process: bool
) -> None:
    name = module(tmp_path, f"naps{in_process:d}", "time.sleep(2)")
    interpreter = None if in_process else sys.executable
    (hang, fine) = run(Target(name, interpreter, name), authority)
    assert (hang.verdict, hang.call) == (Verdict.HANG, "conn.request('GET', '/')")
    assert [line.partition(" -> ")[0] for line in hang.trace] == [
        "module.HTTPConnection(<address host>, <address port>)"
    ]
    (frame,) = hang.frames
    assert (frame.file, frame.function, frame.text) == (f"{name}.py", "request", "time.sleep(2)")
    assert not fine.frames


@pytest.mark.parametrize(
    ("name", "body", "verdict"),
    [
        ("sleeps", "time.sleep(60)", Verdict.HANG),
        ("loops", "while True: pass", Verdict.HANG),
        ("waits", "socket.create_connection((self.host, self.port)).recv(1)", Verdict.HANG),
        ("exits", "os._exit(3)", Verdict.CRASH),
        ("aborts", "os.abort()", Verdict.CRASH),
        ("kills", "os.kill(os.getpid(), 9)", Verdict.CRASH),
        ("leaves", "sys.exit(1)", Verdict.LEAK),
        ("runs-out", "raise MemoryError()", Verdict.LEAK),
        ("forks", "if os.fork() == 0: return", Verdict.PASS),
        ("is-unreadable", UNREADABLE, Verdict.LEAK),
        ("drips", DRIPS, Verdict.HANG),
        ("closes-badly", "self.close = lambda: os._exit(3)", Verdict.CRASH),
    ],
)
def test_what_goes_wrong_costs_one_verdict(
    tmp_path: Path, authority: CertificateAuthority, name: str, body: str, verdict: Verdict
) -> None:
    written = module(tmp_path, name.replace("-", "_"), body)
    bad, good = run(target(written), authority)
    assert bad.verdict == verdict
    assert good.verdict == Verdict.PASS


def test_a_client_that_waits_is_woken_in_process(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    body = """with socket.create_connection((self.host, self.port)) as sock:
            sock.recv(1)"""
    name = module(tmp_path, "woken", body)
    bad, good = run(Target(name, None, name), authority)
    assert bad.verdict == Verdict.HANG
    assert bad.reason == "the kit gave up after 0.3 s without progress and reset its sockets"
    assert good.verdict == Verdict.PASS


def test_a_client_that_is_stuck_in_process_loses_its_thread(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    name = module(tmp_path, "stuck", "threading.Event().wait(60)")
    bad, good = run(Target(name, None, name), authority)
    assert bad.verdict == Verdict.HANG
    assert bad.reason.endswith("stuck even 0.3 s later, and the kit abandoned its thread")
    assert good.verdict == Verdict.PASS


def test_what_an_implementation_prints_is_not_taken_for_an_answer(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    name = module(tmp_path, "prints", "print('{}'); os.write(1, b'{}\\n')")
    assert [result.verdict for result in run(target(name), authority)] == [Verdict.PASS] * 2


def test_the_last_words_of_a_process_are_told(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    name = module(tmp_path, "speaks", "os.write(2, b'farewell\\n'); os._exit(3)")
    bad, _ = run(target(name), authority)
    assert "status 3" in bad.reason
    assert "farewell" in bad.reason


def test_a_broken_import_is_one_line(tmp_path: Path, authority: CertificateAuthority) -> None:
    (tmp_path / "misbehaving_import.py").write_text("1 / 0\n")
    with pytest.raises(DriverError, match=r"cannot be imported: ZeroDivisionError"):
        Runner(target("misbehaving_import"), authority)


def test_a_module_that_is_not_here_is_one_line(authority: CertificateAuthority) -> None:
    with pytest.raises(DriverError, match=r"no_such_module_here cannot be imported"):
        Runner(target("no_such_module_here"), authority)


def test_a_module_that_is_no_implementation_is_one_line(authority: CertificateAuthority) -> None:
    with pytest.raises(DriverError, match=r"json cannot be imported: .* no HTTPConnection"):
        Runner(target("json"), authority)


def test_an_import_that_hangs_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "misbehaving_start.py").write_text("import time\ntime.sleep(60)\n")
    one = module_target("misbehaving_start")
    with pytest.raises(DriverError, match=r"did not start in 0\.3 s"):
        Worker(one.written, [str(one.interpreter), str(AGENT), one.module], patience=SHORT)


def test_an_interpreter_that_is_none_is_one_line(authority: CertificateAuthority) -> None:
    with pytest.raises(DriverError, match="answer"):
        Runner(Target("echo:x", "/bin/echo", "x"), authority)


@pytest.mark.parametrize("written", ["no-such-python:httplib", "", "a b", "python3:", "x.", ":x"])
def test_an_unknown_implementation_is_refused(written: str) -> None:
    with pytest.raises(UnknownImplementation):
        target(written)


def test_ours_runs_in_process_and_others_in_a_worker() -> None:
    assert module_target("httplib_impl").interpreter is None
    assert module_target("http.client").interpreter == sys.executable


def test_only_the_reference_is_judged_without_tolerance() -> None:
    assert target("httplib_impl").is_reference
    assert not target(f"{sys.executable}:httplib_impl").is_reference


def test_an_interpreter_and_a_module_are_split_at_the_last_colon() -> None:
    one = module_target(f"{sys.executable}:http.client")
    assert (one.interpreter, one.module) == (sys.executable, "http.client")


def test_a_case_that_needs_what_the_driver_lacks_is_not_run(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    text = TWO_CASES.replace('why = "It happens here."', 'why = "x"\nneeds = ["mimetools"]')
    name = module(tmp_path, "lacks", "pass")
    with Runner(target(name), authority) as runner:
        result = runner.run_case(load_text(text, "test.toml")[0])
    assert result.verdict == Verdict.UNSUPPORTED
    assert "mimetools" in result.reason


def test_the_agent_is_alone_in_its_process(tmp_path: Path, authority: CertificateAuthority) -> None:
    body = "raise RuntimeError([name for name in sys.modules if name.startswith('conformance')])"
    bad, _ = run(target(module(tmp_path, "alone", body)), authority)
    assert bad.seen.endswith("[]")


def test_the_agent_is_a_single_file() -> None:
    assert AGENT.is_file()


def test_a_stuck_case_does_not_touch_the_next_one_that_is_run_alone(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    name = module(tmp_path, "alone_stuck", "threading.Event().wait(60)")
    with Runner(Target(name, None, name), authority, deadline=SHORT) as runner:
        verdicts = [runner.run_case(case).verdict for case in cases()]
    assert verdicts == [Verdict.HANG, Verdict.PASS]


def test_a_case_that_cannot_be_built_ends_the_run_with_its_complaint(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    def waiting() -> Iterator[Case]:
        yield cases()[1]
        raise CaseError("is wrong", file="test.toml")

    name = module(tmp_path, "well", "pass")
    with Runner(Target(name, None, name), authority) as runner:
        results = runner.run(waiting())
        assert next(results).verdict == Verdict.PASS
        with pytest.raises(CaseError, match=r"test\.toml: is wrong"):
            next(results)
