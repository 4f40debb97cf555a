"""What a session adds to the tests: flaky cases, stale entries, unjudged implementations.

The input is the reports of tests, from any process.  The output is sections of pytest's summary,
and an exit status equivalent to that of `httplib-kit check`: a baseline entry that matches no case
is a failure, and a session that judged no case of an implementation ran nothing.
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
"""The properties of a case's test, also in pytest's JUnit XML."""


@dataclass(eq=False)
class Summary:
    """What is collected during a session.

    Args:
        judged: the implementations of which a case was judged.
        skipped: those of which a case was skipped, each with the reason for the first.
        flakes: the stories of flaky cases.
        nowhere: lines about baseline entries that match no case.
        outside: lines about cases of the set that cannot be judged.
    """

    judged: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    flakes: list[str] = field(default_factory=list)
    nowhere: dict[str, None] = field(default_factory=dict)
    outside: dict[str, None] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the facts in the report of a test call, from any process."""
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

    def add(self, nowhere: Iterable[str] = (), outside: Iterable[str] = ()) -> None:
        """Add lines about baseline entries and a set; from several workers, once."""
        self.nowhere.update(dict.fromkeys(nowhere))
        self.outside.update(dict.fromkeys(outside))

    @property
    def unjudged(self) -> list[str]:
        """A line for each implementation of which no case was judged."""
        absent = {name: why for name, why in self.skipped.items() if name not in self.judged}
        return [f"{name}: {why.removeprefix('Skipped: ')}" for name, why in absent.items()]

    def exit_status(self, status: int) -> int:
        """Return the exit status of a session that pytest would end with *status*."""
        if status == pytest.ExitCode.OK and self.unjudged:
            status = pytest.ExitCode.NO_TESTS_COLLECTED
        fine = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        return pytest.ExitCode.TESTS_FAILED if self.nowhere and status in fine else status

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the title and the lines of each section."""
        if self.flakes:
            lines = [line for story in self.flakes for line in (*story.split("\n"), "")]
            yield "flaky cases: fine when run again, alone and after the same cases", lines
        if self.nowhere:
            yield "stale entries of the baseline", list(self.nowhere)
        if self.outside:
            yield "cases of the set that were not judged", list(self.outside)
        if self.unjudged:
            yield "implementations of which no case was judged", self.unjudged


_SUMMARY = pytest.StashKey[Summary]()


def summary_of(config: pytest.Config) -> Summary:
    """Return what is collected in the session with this *config*."""
    return config.stash.setdefault(_SUMMARY, Summary())
