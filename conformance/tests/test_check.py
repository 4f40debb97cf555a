"""A check: cases side by side, and second runs of what was not expected, alone and in order."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from conformance.cases import Case
from conformance.cases.casefile import load_text
from conformance.drivers import DriverError, Frame, Identity, target
from conformance.drivers.base import NO_RESTART
from conformance.results import Result
from conformance.results.shard import Shard
from conformance.run.check import Check
from conformance.run.parallel import MOST_STARTS, Line, Runners
from conformance.run.triage import NAMED, OTHERS, Doubts, needed
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
import http.client, os, socket, time
class HTTPConnection(http.client.HTTPConnection):
    def __init__(self, host, port, **kwargs):
        super().__init__(host, port, **kwargs)
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
        self.fails, self.slow, self.closed, self.examined = fails, slow, False, False

    def examine(self) -> None:
        self.examined = True

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        yield from map(self.run_case, cases)

    def run_case(self, case: Case) -> Result:
        if case.id == self.fails:
            raise DriverError("it is gone")
        if case.id == self.slow:
            time.sleep(0.05)
        return result(case.id, "PASS")

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
def test_a_runner_that_cannot_go_on_costs_its_case_and_is_replaced(count: int) -> None:
    made = iter(["trial.c5"] * count)
    with Runners(lambda: Scripted(fails=next(made, "")), count) as runners:
        found = {one.id: one for one in runners.run(cases(20))}
    assert list(found) == [case.id for case in cases(20)]
    assert {one.verdict for name, one in found.items() if name != "trial.c5"} == {"PASS"}
    assert found["trial.c5"].verdict == "DRIVER_ERROR"
    assert found["trial.c5"].reason == f"{NO_RESTART}it is gone"


def test_a_driver_that_can_never_be_started_again_is_not_tried_for_ever() -> None:
    starts = []

    def make() -> Scripted:
        starts.append(1)
        if len(starts) > 1:
            raise DriverError("no more of it")
        return Scripted(fails="trial.c5")

    with Runners(make, 1) as runners:
        found = [one.verdict for one in runners.run(cases(20))]
        (last,) = runners.run(cases(1))
    assert found == ["PASS"] * 5 + ["DRIVER_ERROR"] * MOST_STARTS + ["NOT_RUN"] * 10
    assert last.reason == "the driver could not be started 5 times in a row: no more of it"
    assert len(starts) == MOST_STARTS


def test_where_only_one_can_be_started_that_one_runs_all_cases() -> None:
    starts = []

    def make() -> Scripted:
        starts.append(1)
        if len(starts) > 1:
            raise DriverError("there can be but one")
        return Scripted()

    with Runners(make, 4) as runners:
        assert {one.verdict for one in runners.run(cases(20))} == {"PASS"}


@pytest.mark.parametrize("only", [True, False])
def test_a_separate_runner_is_examined_if_there_can_be_one(only: bool) -> None:
    made: list[Scripted] = []

    def make() -> Scripted:
        if made and only:
            raise DriverError("there can be but one")
        made.append(Scripted())
        return made[-1]

    with Runners(make, 1) as runners:
        runners.examine()
        assert [one.examined for one in made] == ([True] if only else [False, True])
        assert {one.verdict for one in runners.run(cases(3))} == {"PASS"}
    assert all(one.closed for one in made)


def test_nobody_runs_on_when_nobody_listens() -> None:
    before = threading.active_count()
    with Runners(Scripted, 3) as runners:
        next(iter(runners.run(cases(200))))
    deadline = time.monotonic() + LATE
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The second runs.


class Stateful:
    """A runner in a process of its own: what a case gives depends on those before it.

    Args:
        gives: the verdict of a case, by the cases of this process before it.
        log: takes the cases of each process.
    """

    def __init__(
        self, gives: Callable[[list[str], str], str], log: list[list[str]] | None = None
    ) -> None:
        self.identity = Identity("x", "x", "1", frozenset())
        self._gives = gives
        self._before: list[str] = []
        (log if log is not None else []).append(self._before)

    def examine(self) -> None:
        """Complete everything."""

    def run(self, cases: Iterator[Case]) -> Iterator[Result]:
        yield from map(self.run_case, cases)

    def run_case(self, case: Case) -> Result:
        verdict = self._gives(self._before, case.id)
        self._before.append(case.id)
        overlay = "REGRESSION" if verdict == "HANG" else ""
        return result(case.id, verdict, overlay=overlay, transcript=f"after {len(self._before)}")

    def close(self) -> None:
        pass


def settled(
    gives: Callable[[list[str], str], str],
    count: int = 12,
    most: int = 100,
    log: list[list[str]] | None = None,
) -> list[Result]:
    """Return the results of *count* cases in one process, settled."""
    line, run = Line(), Stateful(gives)
    every = cases(count)
    first = []
    for case in every:
        line.add(case.name)
        first.append(run.run_case(case))
    find = {case.name: case for case in every}.__getitem__
    doubts = Doubts(lambda: Stateful(gives, log), find, lambda one: one, most)
    return [doubts.settled(one, line) for one in first]


def test_what_fails_alone_as_before_is_as_it_was() -> None:
    log: list[list[str]] = []
    told = settled(lambda _, name: "HANG" if name == "trial.c3" else "PASS", log=log)
    assert [one.verdict for one in told if one.verdict != "PASS"] == ["HANG"]
    assert (told[3].overlay, told[3].again, told[3].after) == ("REGRESSION", None, [])
    assert log == [["trial.c3"]]


def test_what_fails_alone_in_another_way_is_a_failure_that_tells_both() -> None:
    told = settled(
        lambda before, name: "PASS" if name != "trial.c3" else "HANG" if before else "LEAK"
    )[3]
    assert told.again is not None
    assert (told.overlay, told.again.verdict, told.again.fine) == ("REGRESSION", "LEAK", False)


def test_what_is_fine_alone_and_in_order_is_flaky_and_keeps_both_transcripts() -> None:
    left = [1]

    def gives(_: list[str], name: str) -> str:
        return "HANG" if name == "trial.c3" and left and left.pop() else "PASS"

    told = settled(gives)[3]
    assert told.again is not None
    assert (told.verdict, told.overlay, told.again.fine) == ("HANG", "FLAKY", True)
    assert (told.transcript, told.again.transcript) == ("after 4", "after 1")


@pytest.mark.parametrize("culprit", [0, 4, 10])
def test_what_one_case_leaks_into_a_later_one_is_a_failure_that_names_it(culprit: int) -> None:
    name = f"trial.c{culprit}"
    told = settled(lambda before, case: "HANG" if name in before and case[-1] in "19" else "PASS")
    failed = [one for one in told if one.verdict == "HANG"]
    assert failed
    assert {one.overlay for one in failed} == {"REGRESSION"}
    assert {tuple(one.after) for one in failed} == {(name,)}
    assert all(one.again is not None and one.again.verdict == "PASS" for one in failed)


def test_what_takes_several_cases_names_the_last_that_suffice() -> None:
    told = settled(lambda before, _: "HANG" if len(before) == 2 else "PASS")
    assert told[2].after == ["trial.c0", "trial.c1"]
    told = settled(lambda before, _: "HANG" if len(before) == 9 else "PASS")
    assert told[9].after == ["trial.c0", "trial.c1", "trial.c2", f"{9 - NAMED} more"]


def test_a_leak_is_found_wherever_it_comes_from_and_the_search_is_bounded() -> None:
    log: list[list[str]] = []
    told = settled(lambda before, _: "HANG" if "trial.c0" in before else "PASS", 300, log=log)
    assert {one.overlay for one in told[1:101]} == {"REGRESSION"}
    assert {tuple(one.after) for one in told[1:101]} == {("trial.c0",)}
    assert sum(map(len, log)) < 1_000


def test_where_nothing_is_found_in_time_other_cases_are_named() -> None:
    def gives(before: list[str], _: str) -> str:
        return "HANG" if len(before) >= 2_990 else "PASS"

    assert settled(gives, 2_992)[-1].after == [OTHERS]


@pytest.mark.parametrize("where", ["alone", "in order"])
@pytest.mark.parametrize("verdict", ["HARNESS_ERROR", "DRIVER_ERROR"])
def test_an_error_of_a_second_run_excuses_nothing(verdict: str, where: str) -> None:
    first = ["HANG"]

    def gives(before: list[str], name: str) -> str:
        if name != "trial.c3":
            return "PASS"
        if first:
            return first.pop()
        return verdict if (not before) == (where == "alone") else "PASS"

    assert settled(gives)[3].overlay == "REGRESSION"


def test_a_driver_that_cannot_be_started_for_a_second_run_excuses_nothing() -> None:
    def start() -> Stateful:
        raise DriverError("not twice")

    line = Line()
    line.add("trial.c0")
    first = result("trial.c0", "HANG")
    assert Doubts(start, lambda _: cases(1)[0], lambda one: one).settled(first, line) == first


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
    log: list[list[str]] = []
    (case,) = cases(1)
    line = Line()
    line.add("a")
    doubts = Doubts(lambda: Stateful(lambda *_: "HANG", log), lambda _: case, lambda told: told)
    assert doubts.settled(one, line).overlay == one.overlay
    assert len(log) == runs


def test_of_hangs_at_the_same_lines_one_is_run_again_if_it_hangs_there_too() -> None:
    class Hangs(Scripted):
        def run_case(self, case: Case) -> Result:
            log.append(case.id)
            return hang(case.id, 7)

    def hang(name: str, line: int) -> Result:
        return result(name, "HANG", frames=[Frame("client.py", line)])

    log: list[str] = []
    line, every = Line(), cases(4)
    for case in every:
        line.add(case.name)
    doubts = Doubts(Hangs, {case.name: case for case in every}.__getitem__, lambda told: told)
    first = [hang(case.name, 9 if index == 3 else 7) for index, case in enumerate(every)]
    assert [doubts.settled(one, line).verdict for one in first] == ["HANG"] * 4
    assert log == ["trial.c0", "trial.c3"]


def test_where_nearly_all_fails_not_all_is_run_again() -> None:
    log: list[list[str]] = []
    left = ["HANG"] * 5
    told = settled(lambda *_: left.pop() if left else "PASS", 5, 3, log)
    assert [one.overlay for one in told] == ["FLAKY"] * 3 + ["REGRESSION"] * 2


def test_where_nearly_all_fails_alone_processes_are_shared() -> None:
    log: list[list[str]] = []
    settled(lambda *_: "HANG", 50, log=log)
    assert sum(map(len, log)) == 50
    assert len(log) == 11


@pytest.mark.parametrize("need", [{3}, {0}, {30}, {3, 9}, {0, 1, 30}, set(range(31)), {99}])
def test_the_cases_that_are_needed_fail_and_are_few(need: set[int]) -> None:
    tried = []

    def fails(some: Sequence[str]) -> bool:
        tried.append(len(some))
        return {f"c{one}" for one in need} <= set(some)

    every = [f"c{number}" for number in range(31)]
    found = needed(every, fails)
    if need == {99}:
        assert not found
        return
    assert fails(found)
    assert len(found) == (1 if len(need) == 1 else 31 - min(need))
    assert len(tried) < 25


# All together, with processes.


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def trial(
    directory: Path, name: str, body: str, jobs: int = 1, exit_first: bool = False, count: int = 5
) -> list[Result]:
    (directory / f"trial_{name}.py").write_text(MODULE.format(body=body))
    with Check(target(f"trial_{name}"), jobs=jobs, exit_first=exit_first) as one:
        one.run(cases(count))
        return one.results


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


def test_an_interrupt_keeps_results_that_wait_for_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown(results: Iterable[Result]) -> Iterator[Result]:
        yield next(iter(results))
        raise KeyboardInterrupt

    monkeypatch.setattr(Check, "_runner", lambda *_, **__: Scripted(slow="trial.c0"))
    check = Check(target("http.client"), jobs=2)
    with pytest.raises(KeyboardInterrupt):
        check.run(cases(20), shown)
    names = [one.id for one in check.results]
    assert names == [f"trial.c{number}" for number in range(len(names))]
    assert len(names) > 1


def test_side_by_side_gives_the_same_results(importable: Path) -> None:
    body = "number = 0 if number % 3 else number"
    one, three = (trial(importable, "side", body, jobs, count=12) for jobs in (1, 3))
    assert one == three


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_leaks_from_case_to_case_is_no_flake(importable: Path, jobs: int) -> None:
    body = "vars(HTTPConnection).get('made') or setattr(HTTPConnection, 'made', number + 1)"
    told = trial(
        importable,
        f"leak{jobs}",
        f"{body}; number += HTTPConnection.made != number + 1",
        jobs,
        count=8,
    )
    failed = [one for one in told if one.verdict != "PASS"]
    # Each process that ran cases passed its first one; a busy machine may give all to one process.
    assert 8 - jobs <= len(failed) <= 7
    assert {one.overlay for one in failed} == {""}
    assert {one.again.verdict for one in failed if one.again} == {"PASS"}
    assert all(len(one.after) == 1 and one.after != [OTHERS] for one in failed)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_process_that_dies_at_every_third_case_is_no_flake(importable: Path, jobs: int) -> None:
    body = (
        "HTTPConnection.n = vars(HTTPConnection).get('n', 0) + 1; number / (HTTPConnection.n % 3)"
    )
    body = body.replace("number / (HTTPConnection.n % 3)", "HTTPConnection.n % 3 or os._exit(3)")
    told = trial(importable, f"third{jobs}", body, jobs, count=9)
    died = [one for one in told if one.verdict == "CRASH"]
    assert len(died) >= 2
    assert {one.overlay for one in died} == {""}


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
