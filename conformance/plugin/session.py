"""What the plugin does with the kit: parameters, runs, verdicts.

In: options.  Out: parameters for tests, each a `WireCase`; a runner for each implementation,
started when it is first needed and kept to the end.
"""

import dataclasses
import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any, NoReturn, cast

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, CaseError, load_corpus, swept
from conformance.cases.corpus import JUDGED_LEVELS, LEVELS
from conformance.cases.names import PARENTS
from conformance.cases.sweeps import Sweep
from conformance.drivers import DriverError, Target, UnknownImplementation, target
from conformance.plugin.collecting import EXCEPTION, FAMILY, LEVEL
from conformance.plugin.options import Options
from conformance.report import story
from conformance.report.standing import Standing, standing
from conformance.run import Result, RunHead, Runner
from conformance.run.background import Background


class KnownDeviation(Exception):
    """The case fails as the baseline says; pytest takes this for an expected failure."""


class WireCase:
    """A case and an implementation.

    Args:
        case: the case.
        judged: the implementation.
        known: the verdict that the baseline expects; empty for none.
    """

    def __init__(self, case: Case, judged: "Judged", known: str = "") -> None:
        self.case = case
        self.implementation = judged.written
        self._judged = judged
        self._known = known

    def run(self) -> Result:
        """Run the case and return its result, whatever it is."""
        return self._judged.run_case(self.case)

    def check(self) -> None:
        """Run the case; skip where it cannot be run, fail with the story where it is not met."""
        result = self.run()
        stands = standing(result)
        if stands is Standing.SKIPPED:
            pytest.skip(result.reason)
        if stands is Standing.OK:
            return
        told = "\n".join(story(result, self._judged.head))
        if self._known and stands is Standing.FAILED:
            if result.verdict == self._known:
                raise KnownDeviation(told)
            told = f"stale: the baseline expects {self._known}\n{told}"
        pytest.fail(told, pytrace=False)


class Judged:
    """An implementation that is judged: its runner, started when it is first needed."""

    def __init__(
        self, written: str, authority: CertificateAuthority, background: Background, tolerant: bool
    ) -> None:
        self.written = written
        self._authority = authority
        self._background = background
        self._tolerant = tolerant

    @cached_property
    def runner(self) -> Runner:
        """The runner.

        It ends the whole session where the implementation cannot be started: no test could pass.
        """
        found = target(self.written)
        # What the host's configuration has added to the path, a worker finds as well.
        if isinstance(found, Target) and found.interpreter == sys.executable:
            found = dataclasses.replace(found, path=tuple(filter(None, sys.path)))
        try:
            return Runner(
                found, self._authority, tolerant=self._tolerant and not found.is_reference
            )
        except DriverError as error:
            _end(str(error))

    @cached_property
    def head(self) -> RunHead:
        """Who is judged."""
        return RunHead.of(self.runner.identity, kit="", corpus="")

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*."""
        return next(self._background.told([self.runner.run_case(case)]))

    def close(self) -> None:
        """End the runner, if there is one."""
        if "runner" in vars(self):
            self.runner.close()


class Session:
    """What lasts as long as the session.

    Args:
        options: what is to be judged, and how.
        authority: the certificate authority.
    """

    def __init__(self, options: Options, authority: CertificateAuthority) -> None:
        try:
            self._corpus = load_corpus()
        except CaseError as error:
            _end(str(error))
        self._options = options
        self._levels = levels_of(options.levels)
        background = Background(self._corpus)
        self._judged = [
            Judged(written, authority, background, options.tolerant)
            for written in options.implementations
        ]
        self._marks: dict[str, tuple[pytest.MarkDecorator, ...]] = {}

    nowhere: tuple[str, ...] = ()

    def close(self) -> None:
        """End all runners."""
        for one in self._judged:
            one.close()

    def parameters(self, metafunc: pytest.Metafunc) -> list[Any]:
        """Return a parameter for each implementation and each case that the test is about."""
        for line in exception_marks():
            metafunc.config.addinivalue_line("markers", line)
        cases = self._cases(metafunc)
        several = len(self._judged) > 1
        return [
            pytest.param(
                WireCase(case, judged),
                id=f"{judged.written}-{case.name}" if several else case.name,
                marks=self._marks_of(case),
            )
            for judged in self._judged
            for case in cases
        ]

    def _cases(self, metafunc: pytest.Metafunc) -> list[Case]:
        family = getattr(metafunc.module, "FAMILY", None)
        asked = [
            glob for mark in metafunc.definition.iter_markers("wire_cases") for glob in mark.args
        ]
        found = [
            case
            for case in self._corpus.select(asked, self._levels)
            if family is None or case.family == family
        ]
        if not found and self._levels == JUDGED_LEVELS:
            about = f"FAMILY {family!r}" if family else ", ".join(asked)
            _end(f"{metafunc.module.__name__}: no case belongs to {about}")
        chosen = {case.id for case in self._corpus.select(self._options.globs)}
        sweep = cast("Sweep", self._options.sweep)
        return list(chain.from_iterable(swept(case, sweep) for case in found if case.id in chosen))

    def _marks_of(self, case: Case) -> tuple[pytest.MarkDecorator, ...]:
        """Return the marks of *case*; equal ones are made once."""
        names = [FAMILY + case.family.replace("-", "_"), LEVEL + case.level]
        names += [EXCEPTION + name for name in raised_by(case)]
        key = " ".join(names)
        if key not in self._marks:
            self._marks[key] = tuple(getattr(pytest.mark, name) for name in names)
        return self._marks[key]


def raised_by(case: Case) -> list[str]:
    """Return the exceptions that *case* asks for, sorted."""
    return sorted(
        {
            name
            for outcome in case.outcomes
            if outcome.grade == "pass"
            for expectation in outcome.ops.values()
            for name in expectation.raises
        }
    )


def exception_marks() -> Iterator[str]:
    """Yield a line for the mark of each exception."""
    for name in PARENTS:
        yield f"{EXCEPTION}{name}: cases in which a call must raise {name}"


def levels_of(written: str) -> tuple[str, ...]:
    """Return the levels that *written* names.

    Raises:
        pytest.UsageError: one of them is none.
    """
    if written == "all":
        return LEVELS
    levels = tuple(part.strip() for part in written.split(","))
    for level in levels:
        if level not in LEVELS:
            known = ", ".join(LEVELS)
            raise pytest.UsageError(f"--httplib-level: {level!r} is none of {known}, all")
    return levels


def check_options(options: Options) -> None:
    """Refuse what leads nowhere.

    Raises:
        pytest.UsageError: in one line, what and why.
    """
    levels_of(options.levels)
    for written in options.implementations:
        try:
            target(written)
        except UnknownImplementation as error:
            raise pytest.UsageError(f"--httplib-impl: {error}") from None


def _end(problem: str) -> NoReturn:
    """End the session with one line that says why."""
    pytest.exit(f"httplib-kit: {problem}", returncode=pytest.ExitCode.USAGE_ERROR)
