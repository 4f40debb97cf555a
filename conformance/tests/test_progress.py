"""The first verdict comes before the whole run: the first look, its summary, and the progress."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest

from conformance.cases import JUDGED_LEVELS, load_corpus
from conformance.cases.first import MOST
from conformance.cli import main
from conformance.cli.progress import EVERY, LOOK, Progress
from conformance.results import Result, RunHead

CASES = load_corpus().select(levels=JUDGED_LEVELS)
FEATURES = frozenset({"python3", "strict", "isclosed", "lowercase-names", "HTTPSConnection"})
ALL = frozenset(feature for case in CASES for feature in case.needs)


def test_a_first_look_covers_every_requirement_and_family() -> None:
    ordered, count = CASES.looking_first(ALL)
    first = ordered.listed[:count]
    assert count == MOST
    for about in ("spec", "family", "level"):
        every = {str(one) for case in CASES.listed for one in _values(case, about)}
        assert {str(one) for case in first for one in _values(case, about)} == every
    assert [one.id for one in ordered.listed] == [
        one.id for one in CASES.looking_first(ALL)[0].listed
    ]
    assert sorted(one.id for one in ordered.listed) == sorted(one.id for one in CASES.listed)
    assert len({one.family for one in first[:30]}) >= 10


def _values(case: object, about: str) -> tuple[object, ...]:
    value = getattr(case, about)
    return value if isinstance(value, tuple) else (value,)


def test_a_first_look_has_no_case_that_cannot_be_run() -> None:
    ordered, count = CASES.looking_first(FEATURES)
    assert count == MOST
    assert all(ordered[index].needs <= FEATURES for index in range(count))


def test_few_cases_have_no_first_look() -> None:
    few = CASES[: MOST + 1]
    assert few.looking_first(ALL)[1] == 0


def head(cases: int) -> RunHead:
    return RunHead("0", "c", "m", "m", "1", [], cases=cases)


class Clock:
    """A clock that goes on by one step whenever a result is measured."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def results(self, count: int, verdict: str = "PASS") -> Iterator[Result]:
        for number in range(count):
            self.now += self.step
            yield Result(f"a.{number}", 1, verdict, "guard", "f", "A title", [])


def said(clock: Clock, results: Iterator[Result], first: int, cases: int) -> Iterator[str]:
    out = click.testing.CliRunner()

    @click.command()
    def command() -> None:
        with Progress(head(cases), first, clock=lambda: clock.now) as progress:
            list(progress.measured(results))

    yield from out.invoke(command).stderr.splitlines()


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    clock = Clock(1.0)
    lines = list(said(clock, clock.results(25), 0, 50))
    assert [line.removeprefix("httplib-kit: m: ") for line in lines] == [
        "10 of 50 cases: 10 passed, 0 failed, 0 not judged; about 40 s for the rest",
        "20 of 50 cases: 20 passed, 0 failed, 0 not judged; about 30 s for the rest",
    ]
    assert EVERY == 10.0


def test_after_the_first_look_a_line_says_what_was_seen() -> None:
    clock = Clock(0.1)
    (line,) = said(clock, clock.results(5, "HANG"), 4, 8)
    assert re.search(r"first look: 4 of 8 cases: 0 passed, 4 failed \(4 HANGs\)", line)


def test_a_first_look_that_takes_long_is_reported_before_it_ends() -> None:
    clock = Clock(LOOK / 5)
    lines = list(said(clock, clock.results(8), 8, 16))
    assert [line for line in lines if "first look: 5 of 16" in line]
    assert LOOK < 60


def test_the_results_are_in_the_order_of_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = click.testing.CliRunner().invoke(main, ["check", "-q", "--results", "r.jsonl"])
    assert done.exit_code == 0, done.output
    assert "first look: 300 of" in done.stderr
    lines = [json.loads(line) for line in Path("r.jsonl").read_bytes().split(b"\n") if line]
    assert [line["id"] for line in lines if "verdict" in line] == [one.id for one in CASES.listed]
