"""The overlay: what a baseline says about the results of a run.

The input is a baseline, the revisions of the corpus, a date, and results.  The output is the same
results: each that is listed or fails has its status, and entries that match no case are reported.

An entry applies only to cases of its revision: after a change of a case the entry has to be
reviewed.  Errors of the kit or the driver, and cases that were not run, neither confirm nor
contradict an entry.  A failure that is not in the scope of the baseline has no status.

If several entries match a case, its name comes before a glob, and a glob with a verdict before a
glob with `any`.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from conformance.judge import OK
from conformance.results.baseline import (
    Baseline,
    BaselineError,
    Entry,
    Failure,
    is_glob,
    matching,
    place_of,
)
from conformance.results.result import Overlay, Result
from conformance.results.scope import Scope
from conformance.results.shard import Shard

_UPDATE = "or run with --update-baseline"


@dataclass(frozen=True, slots=True)
class Listed:
    """A glob of an entry.

    Args:
        index: the index of the entry.
        entry: the entry.
        failure: how the cases fail.
        glob: the glob.
    """

    index: int
    entry: Entry
    failure: Failure
    glob: str

    @property
    def may_pass(self) -> bool:
        """Whether it still applies if some of its cases pass."""
        return self.failure.is_any and is_glob(self.glob)

    @property
    def rank(self) -> int:
        """Its place if several match a case: the lowest applies."""
        return is_glob(self.glob) + self.may_pass


class Listing:
    """A baseline applied to the corpus: which entry is about which case.

    Args:
        baseline: the entries.
        revisions: the revision of each case of the corpus, by its id, and of each case with a
            setting that is run, by its name.
        today: the day with which expiry dates are compared.
        run: the cases that are run.
        text: the text of the file; empty if there is no file.
        name: the name of the file.

    Raises:
        BaselineError: two entries are about the same case.
    """

    def __init__(
        self,
        baseline: Baseline,
        revisions: Mapping[str, int],
        today: dt.date,
        run: Scope | None = None,
        *,
        text: str = "",
        name: str = "",
    ) -> None:
        self._revisions = revisions
        self._today = today
        self._run = Scope() if run is None else run
        self.baseline = baseline
        self.scope = baseline.scope
        self.text = text
        self.name = name
        self.listed = [
            Listed(index, entry, failure, glob)
            for index, entry in enumerate(baseline.entry)
            for failure in entry.failures
            for glob in failure.globs
        ]
        self._applies: dict[str, Listed] = {}
        self._nowhere: list[Listed] = []
        for one in self.listed:
            self._list(one)

    def _list(self, one: Listed) -> None:
        found = self.names(one)
        if not found:
            self._nowhere.append(one)
        for name in found:
            other = self._applies.setdefault(name, one)
            if one.rank < other.rank:
                self._applies[name] = one
            elif one.rank == other.rank and (one.index, one.failure) != (
                other.index,
                other.failure,
            ):
                raise BaselineError(
                    f"{self.place(one)}: {one.glob!r} is about {name}, as is {other.glob!r} in "
                    f"{self.place(other)}; keep one of the two"
                )

    def names(self, one: Listed) -> list[str]:
        """Return the names of the cases that *one* matches, at its revision."""
        names = matching(one.glob, self._revisions) if is_glob(one.glob) else [one.glob]
        known = self._revisions
        return [name for name in names if name in known and one.failure.is_about(known[name])]

    def place(self, one: Listed) -> str:
        """Return the place of *one* in the file, as ``FILE:LINE``."""
        return place_of(self.text, self.name, one.index, one.glob)

    def entry(self, name: str) -> Listed | None:
        """Return what is listed for the present revision of the case *name*."""
        return self._applies.get(name)

    def of(self, index: int, failure: Failure) -> Iterator[Listed]:
        """Yield the globs of a *failure* of the entry at *index*."""
        entry = self.baseline.entry[index]
        return (Listed(index, entry, failure, glob) for glob in failure.globs)

    def earlier(self, name: str) -> Listed | None:
        """Return what is listed for the case *name* at another revision; None if nothing is."""
        return next((one for one in self._nowhere if one.glob == name), None)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all cases, sorted."""
        return sorted(name for name in self._revisions if "@" not in name)

    def may_be_of_a_sweep(self, one: Listed) -> bool:
        """Return whether *one* may match a setting of a sweep that this run did not make."""
        plain, _, setting = one.glob.partition("@")
        return bool(setting) and bool(self.names(dataclasses.replace(one, glob=plain)))

    @property
    def is_whole(self) -> bool:
        """Whether the run has all cases that the baseline is about."""
        return self._run.covers(self.scope)

    def nowhere(self, shard: Shard | None = None) -> Iterator[str]:
        """Yield a line on each glob that matches no case of the corpus.

        Args:
            shard: the part of the run; each glob belongs to one of the parts, as a case would.
        """
        for one in self._nowhere:
            if shard is not None and not shard.has(one.glob):
                continue
            text = self._absence(one)
            if text:
                yield f"{self.place(one)}: {one.glob}: {text}"

    def _absence(self, one: Listed) -> str:
        now, rev = self._revisions.get(one.glob.partition("@")[0]), one.failure.rev or 1
        if now is not None and not one.failure.is_about(now):
            return f"listed at revision {rev}, and it is at {now}: review it, {_UPDATE}"
        if self.may_be_of_a_sweep(one):
            return ""
        at = f" at revision {rev}" if is_glob(one.glob) and not one.failure.is_any else ""
        return f"there is no such case{at}: remove it, {_UPDATE}"

    def passed(self, results: Sequence[Result]) -> Iterator[str]:
        """Yield a line on each glob with `any` of which no case fails any more.

        Args:
            results: the results of a complete run of all cases that the baseline is about.
        """
        ran = {one.name: one for one in results if one.failed or one.verdict in OK}
        globs: dict[int, Listed] = {id(one): one for one in self._applies.values()}
        for one in globs.values():
            if not one.may_pass:
                continue
            found = [ran[name] for name in self.names(one) if name in ran]
            if found and not any(result.failed for result in found):
                yield (
                    f"{self.place(one)}: {one.glob}: of these cases none fails any more: "
                    f"remove it, {_UPDATE}"
                )

    def applied(self, result: Result) -> Result:
        """Return *result* with its overlay."""
        one = self._applies.get(result.name)
        if not result.failed and (one is None or result.verdict not in OK):
            return result
        if one is None:
            if not self.scope.has(result):
                known = f"the baseline is about {self.scope}, and so not about this failure"
                return msgspec.structs.replace(result, known=known)
            return msgspec.structs.replace(
                result, overlay=Overlay.REGRESSION, known=self._earlier(result)
            )
        overlay = self._overlay(one, result)
        if overlay is None:
            known = "" if not result.failed else f"{self.place(one)} is about the whole case"
            return msgspec.structs.replace(result, known=known)
        return msgspec.structs.replace(
            result, overlay=overlay, known=self._known(one, overlay, result), link=one.entry.link
        )

    def _overlay(self, one: Listed, result: Result) -> Overlay | None:
        """Return the overlay of *result*; None if it says nothing about the entry."""
        if one.failure.covers(result):
            return Overlay.REGRESSION if self._is_over(one.entry) else Overlay.EXPECTED
        if not self.is_comparable(result):
            return None
        if not result.failed and one.may_pass:
            return None
        if result.failed and self._is_over(one.entry):
            return Overlay.REGRESSION
        return Overlay.STALE

    def is_comparable(self, result: Result) -> bool:
        """Return whether *result* can contradict an entry.

        A documented case that is compared only with what the page says may pass, or fail at another
        place, than with all that it says; so does the whole case, if the entry is about the part.
        """
        if result.strength or self._run.has_precedent == self.scope.has_precedent:
            return True
        if self._run.has_precedent:
            return not result.failed or result.level in self.scope.levels
        return (result.case_level or result.level) != "documented"

    def _known(self, one: Listed, overlay: Overlay, result: Result) -> str:
        listed = one.failure.text
        if overlay == Overlay.EXPECTED:
            listed = "fails in any way" if one.failure.is_any else result.verdict
        text = f"{listed}{self._expiry(one.entry)}: {one.entry.reason}"
        if overlay == Overlay.EXPECTED:
            return text
        if overlay == Overlay.REGRESSION:
            todo = "mend the client, or give the entry a later `expires`"
        elif result.failed:
            todo = f"it fails in another way: find out why, then change the entry, {_UPDATE}"
        else:
            todo = f"it passes: remove it from the entry, {_UPDATE}"
        return f"{text} ({self.place(one)}: {todo})"

    def _is_over(self, entry: Entry) -> bool:
        return entry.expires is not None and self._today > entry.expires

    def _expiry(self, entry: Entry) -> str:
        if entry.expires is None:
            return ""
        return f", {'expired on' if self._is_over(entry) else 'until'} {entry.expires.isoformat()}"

    def _earlier(self, result: Result) -> str:
        """Return a line about an entry for *result* at another revision."""
        one = self.earlier(result.name)
        if one is None:
            return ""
        rev, verdict = one.failure.rev or 1, " or ".join(one.failure.verdicts)
        text = f"{verdict} at revision {rev}, now at {result.rev}: {one.entry.reason}"
        return f"{text} ({self.place(one)}: review the entry, {_UPDATE})"


def is_unexpected(result: Result) -> bool:
    """Return whether *result* has to be reviewed, with or without a baseline."""
    if result.overlay:
        return result.overlay in (Overlay.REGRESSION, Overlay.STALE)
    return result.failed
