"""Connects the plugin to the kit: which cases of which implementations are tests, and their marks.

The input is options.  The output is parameters for tests, each a case and an implementation.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from certs import CertificateAuthority
from conformance.cases import (
    LEVELS,
    PARENTS,
    CaseError,
    Cases,
    Listed,
    Sweep,
    SweptCases,
    load_corpus,
    load_set,
    with_own,
)
from conformance.drivers import Implementation, UnknownImplementation, targets
from conformance.judge import ErrorMapError, parse_error_map
from conformance.plugin.judged import Judged, Unusable, WireCase
from conformance.plugin.options import EXCEPTION, FAMILY, JUDGED, LEVEL, SHIPPED, Options
from conformance.report import visible_text
from conformance.results import BaselineError, Scope, parse_baseline
from conformance.run import Background, as_deadline

__all__ = ["Session", "WireCase", "check_options", "exception_marks"]


class Session:
    """The state of one pytest session.

    Args:
        options: the implementations and cases to judge, and how.
        authority: the certificate authority.
    """

    def __init__(self, options: Options, authority: CertificateAuthority) -> None:
        try:
            own = [(name, text.encode()) for name, text in options.cases]
            frozen = load_set(options.frozen) if options.frozen else None
            self._corpus = with_own(load_corpus(), own).limited_to(frozen)
        except CaseError as error:
            raise pytest.Collector.CollectError(f"httplib-kit: {error}") from None
        self._options = options
        background = Background(self._corpus)
        self._judged = [
            Judged(one, authority, background, options) for one, _ in _implementations(options)
        ]
        self._cases = [self._chosen(one) for one in self._judged]
        self._families = {
            (one.is_own, one.family) for cases in self._cases for _, one in cases.by_name()
        }
        if options.globs and not self._families:
            globs = visible_text(" or ".join(options.globs))
            hint = "`httplib-kit list` shows them all"
            problem = f"--httplib-select: no case matches {globs}; {hint}"
            raise pytest.Collector.CollectError(problem)
        self._marks: dict[str, tuple[pytest.MarkDecorator, ...]] = {}
        self._read_baselines()

    def _read_baselines(self) -> None:
        options = self._options
        if not options.baselines:
            return
        for judged, cases, (_, index) in zip(
            self._judged, self._cases, _implementations(options), strict=True
        ):
            revisions = {one.id: one.rev for one in self._corpus.every.listed}
            revisions.update((name, one.rev) for name, one in cases.by_name())
            try:
                judged.read_baseline(*options.baseline(index), revisions, self._scope)
            except Unusable as error:
                raise pytest.Collector.CollectError(visible_text(str(error))) from None

    def close(self) -> None:
        """Close all runners."""
        for one in self._judged:
            one.close()

    @property
    def _scope(self) -> Scope:
        """The cases that the options select."""
        options = self._options
        own = [name for name, _ in options.cases]
        return Scope.chosen(levels_of(options.levels), options.globs, options.exclude, (), own)

    @property
    def nowhere(self) -> list[str]:
        """Lines about baseline entries that match no case, if all their cases were requested."""
        listings = [one.listing for one in self._judged if one.listing is not None]
        whole = [one for one in listings if one.is_whole and not self._options.frozen]
        return [visible_text(line) for one in whole for line in one.nowhere()]

    @property
    def lines(self) -> dict[str, list[str]]:
        """What `Summary.add` takes."""
        return {"nowhere": self.nowhere, "outside": self.outside}

    @property
    def outside(self) -> list[str]:
        """A line for each case of the set that the options select and that cannot be judged."""
        options = self._options
        limits = {"select": options.globs, "exclude": options.exclude}
        kinds = dict.fromkeys(one.is_client for one in self._judged)
        lines = [
            line
            for is_client in kinds
            for line in self._corpus.not_judged(
                self._levels(is_client), is_client=is_client, **limits
            )
        ]
        return [visible_text(line) for line in dict.fromkeys(lines)]

    @property
    def is_empty(self) -> bool:
        """Whether the options select no case."""
        return not self._families

    def own_marks(self) -> Iterator[str]:
        """Yield a line for the mark of each family of the user's own cases."""
        for family in sorted(family for is_own, family in self._families if is_own):
            yield f"{FAMILY}{family.replace('-', '_')}: your own cases of the family {family}"

    def parameters(self, metafunc: pytest.Metafunc) -> list[Any]:
        """Return a parameter for each implementation and each case that the test uses."""
        belongs = self._membership(metafunc)
        several = len(self._judged) > 1
        found = [
            pytest.param(
                (cases, name, judged),
                id=f"{judged.written}-{name}" if several else name,
                marks=self._marks_of(listed),
            )
            for judged, cases in zip(self._judged, self._cases, strict=True)
            for name, listed in cases.by_name()
            if belongs(listed)
        ]
        # Listing the whole corpus takes time, and is of use only for the error.
        if not found and not any(map(belongs, self._corpus.every.listed)):
            family, globs = _family_and_globs(metafunc)
            about = f"FAMILY {family!r}" if family else ", ".join(globs)
            problem = f"{metafunc.module.__name__}: no case belongs to {about}"
            raise pytest.Collector.CollectError(problem)
        return found

    def _chosen(self, judged: Judged) -> Cases | SweptCases:
        """Return the cases that the options select for *judged*, each with its settings."""
        options = self._options
        levels = self._levels(judged.is_client)
        own_levels = LEVELS if options.levels == JUDGED else levels
        found = self._corpus.select(options.globs, levels, options.exclude, own_levels)
        chosen = found.for_profile(is_client=judged.is_client)
        return chosen.swept(cast("Sweep", options.sweep))

    def _levels(self, is_client: bool) -> tuple[str, ...]:
        # The level of a case is about httplib; it says nothing about other clients.
        written = self._options.levels
        return LEVELS if is_client and written == JUDGED else levels_of(written)

    def _membership(self, metafunc: pytest.Metafunc) -> Callable[[Listed], bool]:
        """Return a function that tells whether a test uses a case."""
        family, globs = _family_and_globs(metafunc)
        ids = {one.id for one in self._corpus.select(globs).listed} if globs else None

        def belongs(one: Listed) -> bool:
            if ids is not None and one.id not in ids:
                return False
            return family is None or (family == one.family and not one.is_own)

        return belongs

    def _marks_of(self, case: Listed) -> tuple[pytest.MarkDecorator, ...]:
        """Return the marks of *case*; equal marks are made once."""
        names = [FAMILY + case.family.replace("-", "_"), LEVEL + case.level]
        names += [EXCEPTION + name for name in sorted(case.raises)]
        key = " ".join(names)
        if key not in self._marks:
            self._marks[key] = tuple(getattr(pytest.mark, name) for name in names)
        return self._marks[key]


def _family_and_globs(metafunc: pytest.Metafunc) -> tuple[str | None, list[str]]:
    marks = metafunc.definition.iter_markers("wire_cases")
    return getattr(metafunc.module, "FAMILY", None), [glob for mark in marks for glob in mark.args]


def exception_marks() -> Iterator[str]:
    """Yield a line for the mark of each exception."""
    for name in PARENTS:
        yield f"{EXCEPTION}{name}: cases in which a call must raise {name}"


def levels_of(written: str) -> tuple[str, ...]:
    """Return the levels that *written* names.

    Raises:
        pytest.UsageError: one of them is not a level.
    """
    if written == "all":
        return LEVELS
    levels = tuple(part.strip() for part in written.split(","))
    for level in levels:
        if level not in LEVELS:
            known = ", ".join(LEVELS)
            raise pytest.UsageError(f"--httplib-level: {level!r} is not one of {known}, all")
    return levels


def _implementations(options: Options) -> list[tuple[Implementation, int]]:
    """Return each implementation, once, with the index of the option that names it.

    Raises:
        pytest.Collector.CollectError: one of them cannot be used.
    """
    found: dict[str, tuple[Implementation, int]] = {}
    try:
        for index, written in enumerate(options.implementations):
            for one in targets(written):
                found.setdefault(one.written, (one, index))
    except UnknownImplementation as error:
        problem = visible_text(f"--httplib-impl: {error}")
        raise pytest.Collector.CollectError(problem) from None
    return list(found.values())


def check_options(options: Options) -> None:
    """Check the options.

    Raises:
        pytest.UsageError: the option that is not valid, and why, in one line.
    """
    levels_of(options.levels)
    _check_set(options.frozen)
    try:
        as_deadline(options.deadline)
    except ValueError as error:
        raise pytest.UsageError(f"--httplib-deadline: {error}") from None
    try:
        found = _implementations(options)
        if options.error_map[0]:
            parse_error_map(options.error_map[1], options.error_map[0])
    except pytest.Collector.CollectError as error:
        raise pytest.UsageError(str(error)) from None
    except ErrorMapError as error:
        raise pytest.UsageError(visible_text(f"--httplib-error-map: {error}")) from None
    given = len(options.baselines)
    if given > 1 and given != len(options.implementations):
        raise pytest.UsageError(
            f"--httplib-baseline: {given} of them for {len(options.implementations)} "
            "implementations; give one for each, in their order"
        )
    for index, (name, text) in enumerate(options.baselines):
        if name == SHIPPED:
            continue
        if sum(of == index or given == 1 for _, of in found) > 1:
            raise pytest.UsageError(
                f"--httplib-baseline: {name} is about one implementation; "
                "with several give one for each, in their order"
            )
        try:
            parse_baseline(text, name)
        except BaselineError as error:
            problem = visible_text(f"--httplib-baseline: {error}")
            raise pytest.UsageError(problem) from None


def _check_set(written: str) -> None:
    try:
        if written:
            load_set(written)
    except CaseError as error:
        raise pytest.UsageError(visible_text(f"--httplib-set: {error}")) from None
