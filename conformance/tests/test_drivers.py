"""What surrounds a driver: how it is named, its environment, and the watch over its time."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from conformance.drivers import UnknownImplementation, target
from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import child_environment
from conformance.drivers.factory import ProgramTarget, Target
from conformance.drivers.program import Program
from conformance.run.runner import _Watch

DEADLINE = 1.0


# How a driver is named.


def test_a_command_is_split_as_a_shell_does_it() -> None:
    one = target(f"exec:{sys.executable} -c 'import this' \"a b\" c\\ d")
    assert isinstance(one, ProgramTarget)
    assert one.command == (sys.executable, "-c", "import this", "a b", "c d")
    assert not one.is_reference


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("exec:", "a command is missing"),
        ("exec:   ", "a command is missing"),
        ("exec:'a b", "no closing quotation"),
        ("exec:no-such-driver x", "no program called 'no-such-driver'"),
        ("exec:/", "'/' is a directory"),
        (f"exec:{__file__}", "is not executable"),
    ],
)
def test_what_is_no_command_is_one_line(written: str, problem: str) -> None:
    with pytest.raises(UnknownImplementation, match=problem) as raised:
        target(written)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "interpreter", "module", "patch"),
    [
        ("gevent:http.client", sys.executable, "http.client", "gevent"),
        (f"{sys.executable}:gevent:http.client", sys.executable, "http.client", "gevent"),
        (f"{sys.executable}:http.client", sys.executable, "http.client", ""),
    ],
)
def test_a_module_can_be_patched_first(
    written: str, interpreter: str, module: str, patch: str
) -> None:
    one = target(written)
    assert isinstance(one, Target)
    assert (one.interpreter, one.module, one.patch) == (interpreter, module, patch)


# The environment.


def test_nothing_in_the_environment_changes_what_is_judged() -> None:
    given = {
        "http_proxy": "x",
        "HTTPS_PROXY": "x",
        "ALL_PROXY": "x",
        "no_proxy": "x",
        "SSL_CERT_FILE": "x",
        "REQUESTS_CA_BUNDLE": "x",
        "PYTHONSTARTUP": "x",
        "PYTHONWARNINGS": "error",
        "LANG": "x",
        "LC_ALL": "x",
        "NETRC": "x",
    }
    made = child_environment(given)
    assert "x" not in made.values()
    assert "PYTHONWARNINGS" not in made
    # Ruby's clients read NETRC/.netrc: below a file, even an empty one, that is an error to them.
    assert not Path(made["NETRC"]).exists()
    assert Path(made["NETRC"]).parent.is_dir()


def test_what_selects_an_interpreter_stays() -> None:
    given = {
        "PATH": "p",
        "PYENV_VERSION": "2.7.18",
        "HOME": "h",
        "PYTHONPATH": "m",
        "JAVA_HOME": "j",
    }
    assert given.items() <= child_environment(given).items()


def test_heaps_are_limited_unless_the_user_says_otherwise() -> None:
    made = child_environment(
        {"JAVA_TOOL_OPTIONS": "-Xmx9g", "NODE_OPTIONS": "--max-old-space-size=9"}
    )
    assert made["JAVA_TOOL_OPTIONS"].startswith("-Xmx1024m ")
    assert made["JAVA_TOOL_OPTIONS"].endswith(" -Xmx9g")
    assert made["NODE_OPTIONS"] == "--max-old-space-size=1024 --max-old-space-size=9"


# The watch over time.


class FakeDriver:
    def __init__(self, start_cost: float = 0.0) -> None:
        self.start_cost = start_cost
        self.busy = False
        self.killed = 0
        self.now = Effort(0.0, 0.0)
        self.allowance = 5.0

    def effort(self) -> Effort | None:
        return self.now

    def kill(self) -> bool:
        self.killed += 1
        return True


class FakeLane:
    def __init__(self, driver: FakeDriver) -> None:
        self.driver = driver
        self.activity: tuple[int, ...] = ()
        self.resets = 0
        self.act = ""
        self.wait = DEADLINE
        self.pause = 0.0
        self.patience_after_reset = DEADLINE
        self.is_starting = False

    def look(self) -> float:
        return self.wait

    def paused(self, seconds: float) -> None:
        self.pause = max(self.pause, seconds)

    def reset(self, act: str) -> None:
        self.resets += 1
        self.act = act


class Clock:
    """Time that passes only when a test lets it, in glances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start_cost: float = 0.0) -> None:
        self.time = 0.0
        monkeypatch.setattr("conformance.run.runner.monotonic", lambda: self.time)
        self.driver = FakeDriver(start_cost)
        self.lane = FakeLane(self.driver)
        self.watch = _Watch(cast("Any", self.lane), DEADLINE)

    def pass_until_reset(self, worked: float = 0.0, waited: float = 0.0) -> float:
        """Return when the sockets are reset, if this much of each second is work and waiting."""
        while not self.lane.resets and self.time < 100:
            self.time += 0.02
            now = self.driver.now
            self.driver.now = Effort(now.worked + 0.02 * worked, now.waited + 0.02 * waited)
            assert not self.watch.is_lost(0)
        return self.time


@pytest.mark.parametrize(
    ("worked", "waited", "start_cost", "least", "most"),
    [
        (0.0, 0.0, 0.0, 1.0, 1.1),  # it waits for the server
        (1.0, 0.0, 0.0, 1.0, 1.1),  # it computes
        (0.1, 0.9, 0.0, 5.0, 6.1),  # it gets a tenth of a processor
        (0.0, 5.0, 0.0, 5.9, 6.1),  # its threads never get one: there is an end to that
        (1.0, 0.0, 3.0, 2.5, 3.1),  # it computes, and is slow to start
        (0.0, 0.0, 3.0, 1.0, 1.1),  # it waits: a slow runtime has no more time for that
        (1.0, 0.0, 1e9, 5.0, 8.1),  # there is an end to slowness
    ],
)
def test_time_counts_for_what_can_be_done_in_it(
    monkeypatch: pytest.MonkeyPatch,
    worked: float,
    waited: float,
    start_cost: float,
    least: float,
    most: float,
) -> None:
    clock = Clock(monkeypatch, start_cost)
    assert least <= clock.pass_until_reset(worked, waited) <= most


def test_an_endless_loop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.pass_until_reset(worked=1.0)
    while not clock.driver.killed:
        clock.time += 0.02
        assert not clock.watch.is_lost(0)
    assert clock.time < 2.2


def test_a_start_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.driver.busy = True
    for _ in range(500):
        clock.time += 0.02
        assert not clock.watch.is_lost(0)
    clock.driver.busy = False
    assert clock.lane.resets == 0
    assert 11.0 <= clock.pass_until_reset() <= 11.1


def test_the_time_of_a_client_begins_with_its_first_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    clock.lane.is_starting = True
    for _ in range(200):
        clock.time += 0.02
        assert not clock.watch.is_lost(0)
    assert clock.lane.resets == 0
    clock.lane.is_starting, clock.lane.activity = False, (1,)
    assert 5.0 <= clock.pass_until_reset() <= 5.1
    assert clock.lane.act == "the kit gave up after 1 s without progress and reset its sockets"


@pytest.mark.parametrize(("waited", "least", "most"), [(0.0, 5.0, 5.1), (0.5, 9.9, 10.2)])
def test_a_client_that_makes_no_connection_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, waited: float, least: float, most: float
) -> None:
    clock = Clock(monkeypatch)
    clock.lane.is_starting = True
    assert least <= clock.pass_until_reset(waited=waited) <= most
    assert clock.lane.act == "no connection was made in 5 s"
    while not clock.driver.killed:  # the kit does not give it the whole allowance again
        clock.time += 0.02
        assert not clock.watch.is_lost(0)
    assert clock.time < most + 2.1


def test_how_long_a_client_does_nothing_before_it_answers_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    for count, quiet in enumerate((0.1, 0.4, 0.2)):
        clock.lane.is_starting = True  # that it starts slowly is no pause
        for is_starting, seconds in ((True, 0.9), (False, quiet)):
            clock.lane.activity = (count, is_starting)
            for _ in range(int(seconds / 0.02)):
                clock.time += 0.02
                assert not clock.watch.is_lost(count)
                clock.lane.is_starting = is_starting
        clock.lane.activity = ()  # when the client ends its connection, the case has not ended yet
        clock.watch.is_lost(count)
    assert clock.lane.pause == pytest.approx(0.4, abs=0.05)


@pytest.mark.skipif(
    not Path("/proc/self/task", str(os.getpid()), "children").exists(),
    reason="this system does not list the children of a process",
)
def test_the_effort_of_a_program_includes_its_children() -> None:
    loop = "import os; print(flush=True); [sum(range(1000)) for _ in iter(int, 1)]"
    with subprocess.Popen(
        ["sh", "-c", f"'{sys.executable}' -c '{loop}'; true"], stdout=subprocess.PIPE
    ) as shell:
        children = Path("/proc", str(shell.pid), "task", str(shell.pid), "children")
        try:
            assert shell.stdout is not None
            shell.stdout.readline()
            child = int(children.read_text())
            alone = effort_of(shell.pid)
            whole = effort_of(shell.pid, children=True)
            assert alone is not None
            assert whole is not None
            assert whole.worked > alone.worked
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="no such sums on this system")
def test_the_effort_of_a_process_rises_with_its_work() -> None:
    before = effort_of(os.getpid())
    sum(range(2_000_000))
    after = effort_of(os.getpid())
    assert before is not None
    assert after is not None
    assert after.worked > before.worked


def test_the_effort_of_nobody_is_unknown() -> None:
    assert effort_of(2**22 + 1) is None


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_program_that_is_not_started_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "Popen", fail)
    before = set(Path("/proc/self/fd").iterdir())
    half = Program.__new__(Program)  # referenced, so that the garbage collector closes nothing
    with pytest.raises(error):
        half.__init__(["x"], {})  # type: ignore[misc]
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_a_program_that_is_interrupted_while_it_starts_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(pid: int) -> None:
        started.append(pid)
        raise KeyboardInterrupt

    started: list[int] = []
    monkeypatch.setattr("conformance.drivers.program._limit", interrupted)
    before = set(Path("/proc/self/fd").iterdir())
    half = Program.__new__(Program)  # referenced, so that the garbage collector closes nothing
    with pytest.raises(KeyboardInterrupt):
        half.__init__([sys.executable, "-c", "input()"], dict(os.environ))  # type: ignore[misc]
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert not Path("/proc", str(started[0])).exists()


@pytest.mark.filterwarnings("error")
def test_a_program_that_nobody_has_leaves_no_socket_open() -> None:
    program = Program([sys.executable, "-c", "input()"], dict(os.environ))
    process = program._process
    del program  # as Ctrl-C does that comes before the program has an owner
    process.communicate(timeout=60)
