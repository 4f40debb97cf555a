"""What a session tells beside its tests: flakes, stale entries, and implementations never judged.

In: the reports of tests, wherever they were run.  Out: sections of pytest's summary, and an exit
status that is as good as that of `httplib-kit check`: a baseline about cases that are not there is
a failure, and a session that judged nothing of an implementation ran nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

IMPLEMENTATION, CASE, VERDICT, FLAKE = (
    "httplib_kit.implementation",
    "httplib_kit.case",
    "httplib_kit.verdict",
    "httplib_kit.flaky",
)
"""The properties that the test of a case has, in the JUnit XML of pytest too."""


@dataclass(eq=False)
class Told:
    """What is gathered in a session.

    Args:
        judged: the implementations of which a case was judged.
        skipped: those of which a case was not, each with the reason for the first.
        flakes: the stories of cases that were fine when they were run again.
        nowhere: what baselines say about cases that are not there.
    """

    judged: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    flakes: list[str] = field(default_factory=list)
    nowhere: dict[str, None] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what the report of a call says, wherever it was made."""
        known: dict[str, Any] = dict(report.user_properties)
        if report.when != "call" or IMPLEMENTATION not in known:
            return
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.skipped.setdefault(known[IMPLEMENTATION], reason)
        else:
            self.judged.add(known[IMPLEMENTATION])
        if FLAKE in known:
            self.flakes.append(known[FLAKE])

    def add_nowhere(self, lines: Iterable[str]) -> None:
        """Take what baselines say about cases that are not there; of many workers, once."""
        self.nowhere.update(dict.fromkeys(lines))

    @property
    def unjudged(self) -> list[str]:
        """A line for each implementation of which nothing was judged."""
        absent = {name: why for name, why in self.skipped.items() if name not in self.judged}
        return [f"{name}: {why.removeprefix('Skipped: ')}" for name, why in absent.items()]

    def exit_status(self, status: int) -> int:
        """Return what a session that would end with *status* ends with."""
        if status == pytest.ExitCode.OK and self.unjudged:
            status = pytest.ExitCode.NO_TESTS_COLLECTED
        fine = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        return pytest.ExitCode.TESTS_FAILED if self.nowhere and status in fine else status

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the title and the lines of each section."""
        if self.flakes:
            told = [line for story in self.flakes for line in (*story.split("\n"), "")]
            yield "flaky cases: fine when run again, alone and after the same cases", told
        if self.nowhere:
            yield "stale entries of the baseline", list(self.nowhere)
        if self.unjudged:
            yield "implementations of which no case was judged", self.unjudged


TOLD = pytest.StashKey[Told]()


def told_in(config: pytest.Config) -> Told:
    """Return what is gathered in the session with this *config*."""
    return config.stash.setdefault(TOLD, Told())
