"""A trial: cases side by side, and a second run, alone, of whatever was not expected."""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from conformance.cases import Case
from conformance.cases.loader import load_text
from conformance.drivers import DriverError, Identity, target
from conformance.run import Result
from conformance.run.parallel import Runners
from conformance.run.results import Overlay
from conformance.run.shard import Shard
from conformance.run.triage import triaged
from conformance.run.trial import Trial
from conformance.tests.conftest import LATE

CASE = """
[[case]]
id = "trial.c{number}"
title = "Case {number}"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It is one of many."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
ops = [{{ call = "act", args = [{number}], id = "act" }}]
[[case.outcome]]
act = {number}
"""
MODULE = """
import os, socket, time
class HTTPConnection(object):
    def __init__(self, host, port):
        self.address = host, port
    def act(self, number):
        with socket.create_connection(self.address) as sock:
            sock.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            sock.recv(1)
        {body}
        return number
"""
ONCE = """
        if number == 2:
            try:
                os.mkdir({mark!r})
            except FileExistsError:
                pass
            else:
                return -1
"""


def cases(count: int) -> list[Case]:
    text = 'family = "framing"\n' + "".join(CASE.format(number=one) for one in range(count))
    return load_text(text, "test.toml")


def result(name: str, verdict: str, **more: object) -> Result:
    made = Result(name, 1, verdict, "guard", "f", "A title", [])
    return msgspec.structs.replace(made, **more)


class Scripted:
    """A runner that answers at once, or when it is told to, and fails where it is told to."""

    def __init__(self, fails: str = "", slow: str = "") -> None:
        self.identity = Identity("x", "x", "1", frozenset())
        self.fails, self.slow, self.closed = fails, slow, False

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        for case in cases:
            if case.id == self.fails:
                raise DriverError("it is gone")
            if case.id == self.slow:
                time.sleep(0.05)
            yield result(case.id, "PASS")

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_results_come_in_the_order_of_the_cases_whoever_is_first(count: int) -> None:
    every = cases(20)
    with Runners(lambda: Scripted(slow="trial.c3"), count) as runners:
        assert [one.id for one in runners.run(every)] == [case.id for case in every]


def test_no_more_runners_are_started_than_there_are_cases() -> None:
    made: list[Scripted] = []

    def make() -> Scripted:
        made.append(Scripted())
        return made[-1]

    with Runners(make, 8) as runners:
        list(runners.run(cases(3)))
    assert len(made) == 3
    assert all(one.closed for one in made)


@pytest.mark.parametrize("count", [1, 4])
def test_a_driver_that_cannot_go_on_is_told(count: int) -> None:
    with (
        Runners(lambda: Scripted(fails="trial.c5"), count) as runners,
        pytest.raises(DriverError, match="gone"),
    ):
        list(runners.run(cases(20)))


def test_nobody_runs_on_when_nobody_listens() -> None:
    before = threading.active_count()
    with Runners(Scripted, 3) as runners:
        next(iter(runners.run(cases(200))))
    deadline = time.monotonic() + LATE
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The second run.


def second(verdict: str, **more: object) -> list[Result]:
    first = result("a", "HANG", transcript="one")
    return list(triaged([first], lambda _: result("a", verdict, transcript="two", **more)))


def test_what_fails_twice_alike_is_as_it_was() -> None:
    assert second("HANG") == [result("a", "HANG", transcript="one")]


def test_what_is_fine_alone_is_flaky_and_keeps_both_transcripts() -> None:
    (told,) = second("PASS")
    assert told.overlay == Overlay.FLAKY
    assert told.again is not None
    assert told.again.fine
    assert (told.transcript, told.again.transcript) == ("one", "two")


def test_what_fails_in_another_way_is_flaky_and_not_fine() -> None:
    (told,) = second("LEAK")
    assert told.again is not None
    assert (told.overlay, told.again.fine) == (Overlay.FLAKY, False)


def test_what_fails_as_listed_the_second_time_is_fine() -> None:
    (told,) = second("LEAK", overlay="EXPECTED")
    assert told.again is not None
    assert told.again.fine


def test_an_error_of_the_second_run_does_not_excuse_the_first() -> None:
    assert second("HARNESS_ERROR") == [result("a", "HANG", transcript="one")]


@pytest.mark.parametrize(
    ("one", "runs"),
    [
        (result("a", "PASS"), 0),
        (result("a", "UNSUPPORTED"), 0),
        (result("a", "DRIVER_ERROR"), 0),
        (result("a", "HANG"), 1),
        (result("a", "HANG", overlay="EXPECTED"), 0),
        (result("a", "HANG", overlay="REGRESSION"), 1),
        (result("a", "PASS", overlay="STALE"), 1),
    ],
)
def test_only_what_was_not_expected_is_run_again(one: Result, runs: int) -> None:
    asked = []

    def again(result: Result) -> Result:
        asked.append(result)
        return result

    assert list(triaged([one], again)) == [one]
    assert len(asked) == runs


def test_where_nearly_all_fails_not_all_is_run_again() -> None:
    asked = []

    def again(one: Result) -> Result:
        asked.append(one)
        return result("a", "PASS")

    told = list(triaged([result("a", "HANG")] * 5, again, most=3))
    assert len(asked) == 3
    assert [one.overlay for one in told] == ["FLAKY"] * 3 + [""] * 2


# All together, with processes.


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def shown(results: Iterable[Result], total: int, name: str) -> Iterator[Result]:  # noqa: ARG001
    yield from results


def trial(
    directory: Path, name: str, body: str, jobs: int = 1, exit_first: bool = False, count: int = 5
) -> list[Result]:
    (directory / f"trial_{name}.py").write_text(MODULE.format(body=body))
    with Trial(target(f"trial_{name}"), jobs=jobs, exit_first=exit_first) as one:
        return list(one.run(cases(count), lambda results: results, shown))


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_case_that_fails_once_is_flaky(importable: Path, jobs: int) -> None:
    body = ONCE.format(mark=str(importable / "mark"))
    told = trial(importable, f"once{jobs}", body, jobs)
    assert [one.overlay for one in told] == ["", "", "FLAKY", "", ""]
    again = told[2].again
    assert again is not None
    assert (told[2].verdict, again.verdict, again.fine) == ("WRONG_VALUE", "PASS", True)
    assert "GET / HTTP/1.1" in told[2].transcript
    assert "GET / HTTP/1.1" in again.transcript


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_failure_ends_a_run_that_ends_there(importable: Path, jobs: int) -> None:
    told = trial(importable, f"first{jobs}", "number = min(number, 2)", jobs, exit_first=True)
    assert [one.verdict for one in told] == ["PASS"] * 3 + ["WRONG_VALUE"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_flake_does_not_end_it(importable: Path, jobs: int) -> None:
    body = ONCE.format(mark=str(importable / "mark"))
    told = trial(importable, f"flake{jobs}", body, jobs, exit_first=True)
    assert [one.overlay for one in told] == ["", "", "FLAKY", "", ""]


def test_side_by_side_gives_the_same_results(importable: Path) -> None:
    body = "number = 0 if number % 3 else number"
    one, three = (trial(importable, "side", body, jobs, count=12) for jobs in (1, 3))
    assert one == three


# Shards.


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2", "1 /2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not I/N"):
        Shard.of(text)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_shards_are_the_whole_and_each_case_is_in_one(count: int) -> None:
    names = [f"case.{number}" for number in range(1000)]
    parts = [
        [name for name in names if Shard.of(f"{index}/{count}").has(name)]
        for index in range(1, count + 1)
    ]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert all(len(part) > 1000 / count / 2 for part in parts)


def test_a_case_stays_in_its_shard() -> None:
    assert [Shard.of("1/3").has(f"case.{number}") for number in range(8)] == [
        *(True, False, False, False),
        *(False, True, False, True),
    ]
