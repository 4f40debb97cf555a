"""The overlay: what a baseline says about the results of a run.

The input is a baseline, the revisions of the corpus, a date, and results.  The output is the same
results: each that is listed or fails has its status, and entries that match no case are reported.

An entry applies only to cases of its revision: after a change of a case the entry has to be
reviewed.  Errors of the kit or the driver, and cases that were not run, neither confirm nor
contradict an entry.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from conformance.judge import OK
from conformance.results.baseline import Baseline, BaselineError, Entry, is_glob, matching
from conformance.results.result import Overlay, Result
from conformance.results.shard import Shard


class Listing:
    """A baseline applied to the corpus: which entry is about which case.

    Args:
        baseline: the entries.
        revisions: the revision of each case of the corpus, by its id, and of each case with a
            setting that is run, by its name.
        today: the day with which expiry dates are compared.

    Raises:
        BaselineError: two entries are about the same case.
    """

    def __init__(self, baseline: Baseline, revisions: Mapping[str, int], today: dt.date) -> None:
        self._baseline = baseline
        self._revisions = revisions
        self._today = today
        self._entries: dict[str, Entry] = {}
        self._nowhere: list[tuple[str, Entry]] = []
        for entry in baseline.entry:
            for glob in entry.globs:
                self._list(glob, entry)

    def _list(self, glob: str, entry: Entry) -> None:
        names = matching(glob, self._revisions) if is_glob(glob) else [glob]
        found = [name for name in names if self._revisions.get(name) == entry.rev]
        if not found:
            self._nowhere.append((glob, entry))
        for name in found:
            if self._entries.setdefault(name, entry) is not entry:
                raise BaselineError(f"two entries are about {name}; one of them is {glob!r}")

    def entry(self, name: str) -> Entry | None:
        """Return the entry about the present revision of the case *name*."""
        return self._entries.get(name)

    def nowhere(self, shard: Shard | None = None) -> Iterator[str]:
        """Yield a line on each glob that matches no case of the corpus.

        Args:
            shard: the part of the run; each glob belongs to one of the parts, as a case would.
        """
        for glob, entry in self._nowhere:
            if shard is not None and not shard.has(glob):
                continue
            plain, _, setting = glob.partition("@")
            now = self._revisions.get(plain)
            if now not in (None, entry.rev):
                yield f"{glob}: listed at revision {entry.rev}, and it is at {now}"
            elif setting and self._is_known(plain):
                continue  # it may match a setting of a sweep that this run did not make
            elif is_glob(glob):
                yield f"{glob}: there is no such case at revision {entry.rev}"
            else:
                yield f"{glob}: there is no such case"

    def _is_known(self, glob: str) -> bool:
        """Return whether *glob*, without a setting, matches a case of the corpus."""
        return glob in self._revisions or (is_glob(glob) and bool(matching(glob, self._revisions)))

    def over(self, results: Iterable[Result]) -> Iterator[Result]:
        """Yield each of *results* with its overlay."""
        return map(self.told, results)

    def told(self, result: Result) -> Result:
        """Return *result* with its overlay."""
        entry = self._entries.get(result.name)
        if not result.failed and (entry is None or result.verdict not in OK):
            return result
        if entry is None:
            return msgspec.structs.replace(
                result, overlay=Overlay.REGRESSION, known=self._earlier(result)
            )
        overlay = self._overlay(entry, result)
        listed = entry.verdict if overlay == Overlay.EXPECTED else entry.failure
        return msgspec.structs.replace(
            result,
            overlay=overlay,
            known=f"{listed}{self._expiry(entry)}: {entry.reason}",
            link=entry.link,
        )

    def _overlay(self, entry: Entry, result: Result) -> Overlay:
        if not result.failed:
            return Overlay.STALE
        if self._is_over(entry):
            return Overlay.REGRESSION
        return Overlay.EXPECTED if entry.covers(result) else Overlay.STALE

    def _is_over(self, entry: Entry) -> bool:
        return entry.expires is not None and self._today > entry.expires

    def _expiry(self, entry: Entry) -> str:
        if entry.expires is None:
            return ""
        return f", {'expired on' if self._is_over(entry) else 'until'} {entry.expires.isoformat()}"

    def _earlier(self, result: Result) -> str:
        """Return a line about an entry for *result* at another revision."""
        for glob, entry in self._nowhere:
            if glob == result.name:
                return (
                    f"{entry.verdict} at revision {entry.rev}, now at {result.rev}: {entry.reason}"
                )
        return ""


def is_unexpected(result: Result) -> bool:
    """Return whether *result* has to be reviewed, with or without a baseline."""
    if result.overlay:
        return result.overlay in (Overlay.REGRESSION, Overlay.STALE)
    return result.failed
