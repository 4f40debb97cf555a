"""What the plugin does with the kit: parameters, runs, verdicts.

In: options.  Out: parameters for tests, each a `WireCase`; a runner for each implementation,
started when it is first needed and kept to the end.
"""

import dataclasses
import datetime as dt
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, cast

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, CaseError, client_cases, load_corpus, swept
from conformance.cases.corpus import LEVELS
from conformance.cases.names import PARENTS
from conformance.cases.sweeps import Sweep
from conformance.drivers import (
    DriverError,
    Implementation,
    Target,
    UnknownImplementation,
    targets,
)
from conformance.drivers.clients import ClientTarget
from conformance.judge.error_map import ErrorMapError, read_error_map
from conformance.judge.verdicts import OK
from conformance.plugin.collecting import EXCEPTION, FAMILY, LEVEL
from conformance.plugin.options import JUDGED, SHIPPED, Options
from conformance.report import story
from conformance.report.standing import Standing, standing
from conformance.run import Result, RunHead, Runner
from conformance.run.background import Background
from conformance.run.baseline import BaselineError, parse_baseline, read_baseline
from conformance.run.overlay import Listing
from conformance.run.shipped import shipped


class KnownDeviation(Exception):
    """The case fails as the baseline says; pytest takes this for an expected failure."""


class WireCase:
    """A case and an implementation.

    Args:
        case: the case.
        judged: the implementation.
    """

    def __init__(self, case: Case, judged: "Judged") -> None:
        self.case = case
        self.implementation = judged.written
        self._judged = judged

    def run(self) -> Result:
        """Run the case and return its result, whatever it is."""
        return self._judged.run_case(self.case)

    def check(self) -> None:
        """Run the case; skip where it cannot be run, fail with the story where it is not met.

        A case that is in the baseline and is met just returns: its strict mark makes that a
        failure.
        """
        result = self.run()
        stands = standing(result)
        if stands is Standing.SKIPPED:
            pytest.skip(result.reason)
        if stands is Standing.OK or result.verdict in OK:
            return
        told = "\n".join(story(result, self._judged.head))
        if stands is Standing.EXPECTED:
            raise KnownDeviation(told)
        pytest.fail(told, pytrace=False)


class Judged:
    """An implementation that is judged: its runner, started when it is first needed.

    Args:
        found: the implementation.
        authority: the certificate authority.
        background: what the corpus says beside a result.
        options: how it is judged.
    """

    def __init__(
        self,
        found: Implementation,
        authority: CertificateAuthority,
        background: Background,
        options: Options,
    ) -> None:
        self.written = found.written
        self.is_client = isinstance(found, ClientTarget)
        self.listing: Listing | None = None
        # What the host's configuration has added to the path, a worker finds as well.
        if isinstance(found, Target) and found.interpreter == sys.executable:
            found = dataclasses.replace(found, path=tuple(filter(None, sys.path)))
        self._target = found
        self._authority = authority
        self._background = background
        self._options = options

    @cached_property
    def runner(self) -> Runner:
        """The runner; where it cannot be started the session ends, for no test could pass."""
        options = self._options
        tolerant = options.tolerant and not self._target.is_reference
        try:
            errors = read_error_map(Path(options.error_map)) if options.error_map else None
            return Runner(self._target, self._authority, errors, tolerant=tolerant)
        except (DriverError, ErrorMapError) as error:
            problem = f"httplib-kit: {error}"
            pytest.exit(problem, returncode=pytest.ExitCode.USAGE_ERROR)

    @cached_property
    def head(self) -> RunHead:
        """Who is judged."""
        return RunHead.of(self.runner.identity, kit="", corpus="")

    def read_baseline(self, revisions: Mapping[str, int]) -> None:
        """Find out what is known of the implementation.

        Args:
            revisions: those of all cases, by their names.
        """
        options = self._options
        try:
            if options.baseline == SHIPPED:
                found = read_baseline(shipped(self.runner.identity))
            else:
                found = parse_baseline(options.baseline_text)
            self.listing = Listing(found, revisions, dt.datetime.now(dt.UTC).date())
        except BaselineError as error:
            raise pytest.Collector.CollectError(f"--httplib-baseline: {error}") from None

    def marks(self, case: Case) -> list[pytest.MarkDecorator]:
        """Return the mark of *case* where it is known to fail."""
        entry = self.listing and self.listing.entry(case.name)
        if not entry:
            return []
        link = f" ({entry.link})" if entry.link else ""
        reason = f"{entry.verdict}: {entry.reason}{link}"
        return [pytest.mark.xfail(reason=reason, raises=KnownDeviation, strict=True)]

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*, with what the baseline says of it."""
        result = next(self._background.told([self.runner.run_case(case)]))
        return result if self.listing is None else self.listing.told(result)

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
            raise pytest.Collector.CollectError(f"httplib-kit: {error}") from None
        self._options = options
        background = Background(self._corpus)
        found = chain.from_iterable(map(targets, options.implementations))
        self._judged = [Judged(one, authority, background, options) for one in found]
        self._cases = [self._chosen(one) for one in self._judged]
        if options.globs and not any(self._cases):
            problem = f"--httplib-select: no case matches {' or '.join(options.globs)}"
            raise pytest.Collector.CollectError(problem)
        self._marks: dict[str, tuple[pytest.MarkDecorator, ...]] = {}
        if options.baseline:
            for judged, cases in zip(self._judged, self._cases, strict=True):
                revisions = {case.id: case.rev for case in self._corpus.cases}
                revisions.update((case.name, case.rev) for case in cases)
                judged.read_baseline(revisions)

    def close(self) -> None:
        """End all runners."""
        for one in self._judged:
            one.close()

    @property
    def nowhere(self) -> list[str]:
        """What the baseline says about cases that are not there, where all cases were asked for."""
        if self._options.globs:
            return []
        listings = [one.listing for one in self._judged if one.listing is not None]
        return [line for listing in listings for line in listing.nowhere()]

    def has(self, family: str) -> bool:
        """Tell whether any case of *family* is to be run."""
        return any(case.family == family for cases in self._cases for case in cases)

    def parameters(self, metafunc: pytest.Metafunc) -> list[Any]:
        """Return a parameter for each implementation and each case that the test is about."""
        wanted = self._wanted(metafunc)
        several = len(self._judged) > 1
        return [
            pytest.param(
                WireCase(case, judged),
                id=f"{judged.written}-{case.name}" if several else case.name,
                marks=(*self._marks_of(case), *judged.marks(case)),
            )
            for judged, cases in zip(self._judged, self._cases, strict=True)
            for case in cases
            if case.id in wanted
        ]

    def _chosen(self, judged: Judged) -> list[Case]:
        """Return the cases that the options choose for *judged*, each with its settings."""
        options = self._options
        levels = levels_of(options.levels)
        if judged.is_client:
            # What a case is worth to httplib says nothing about its worth to other clients.
            usual = options.levels == JUDGED
            found = client_cases(self._corpus.select(options.globs, LEVELS if usual else levels))
        else:
            found = iter(self._corpus.select(options.globs, levels))
        sweep = cast("Sweep", options.sweep)
        return list(chain.from_iterable(swept(case, sweep) for case in found))

    def _wanted(self, metafunc: pytest.Metafunc) -> frozenset[str]:
        """Return the ids of the cases that a test is about."""
        family = getattr(metafunc.module, "FAMILY", None)
        marks = list(metafunc.definition.iter_markers("wire_cases"))
        globs = [glob for mark in marks for glob in mark.args]
        found = frozenset(
            case.id
            for case in self._corpus.select(globs)
            if family is None or case.family == family
        )
        if not found:
            about = f"FAMILY {family!r}" if family else ", ".join(globs)
            problem = f"{metafunc.module.__name__}: no case belongs to {about}"
            raise pytest.Collector.CollectError(problem)
        return found

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
    try:
        found = list(chain.from_iterable(map(targets, options.implementations)))
    except UnknownImplementation as error:
        raise pytest.UsageError(f"--httplib-impl: {error}") from None
    try:
        if options.error_map:
            read_error_map(Path(options.error_map))
    except ErrorMapError as error:
        raise pytest.UsageError(f"--httplib-error-map: {error}") from None
    if options.baseline in ("", SHIPPED):
        return
    if len(found) > 1:
        raise pytest.UsageError("--httplib-baseline: a file is about one implementation")
    try:
        parse_baseline(options.baseline_text)
    except BaselineError as error:
        problem = f"--httplib-baseline: {options.baseline}: {error}"
        raise pytest.UsageError(problem) from None
