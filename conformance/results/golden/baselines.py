"""Updates the shipped baselines from the golden records.

``python -m conformance.results.golden.baselines`` writes them.

The input is the records and the present baselines.  The output is the files, in their shortest
form: one entry for each reason.  A failure that was listed keeps its reason; one that is new, or
different, asks for a reason; an entry that is no longer true is removed.

A baseline of a client with another interface is about every level: the level of a case is about
the interface of httplib, and says nothing about such a client.
"""

import contextlib
import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path

from conformance.cases import Case, Corpus, load_corpus
from conformance.drivers import Identity
from conformance.judge import FAILURES
from conformance.results.baseline import (
    Baseline,
    BaselineError,
    baseline_text,
    entry_of,
    read_baseline,
)
from conformance.results.golden.book import Book, load_book
from conformance.results.golden.judging import judged, runs_of
from conformance.results.overlay import Listing
from conformance.results.result import Result
from conformance.results.shipped import shipped_baseline
from conformance.results.update import AGAIN, NEW, explained, failures_of


def renewed(book: Book, corpus: Corpus) -> Iterator[tuple[Path, Baseline]]:
    """Yield the file of each shipped baseline, and the baseline according to the records.

    Args:
        book: the records, of all cases.
        corpus: the corpus of these records.
    """
    revisions = {case.id: case.rev for case in corpus.every.listed}
    paths = dict(_shipped(book))
    failing = _failing(book, corpus, paths)
    for key, path in paths.items():
        head, results = runs_of(book, [key], corpus, failing.get(key, []))[key]
        listing = Listing(read_baseline(path), revisions, dt.date.min)
        groups: dict[tuple[str, str], list[Result]] = {}
        places: dict[tuple[str, str], int] = {}
        for result in results:
            index, reason, link = explained(result, listing)
            groups.setdefault((reason, link), []).append(result)
            places[reason, link] = min(index, places.get((reason, link), index))
        found = [
            entry_of(*group, None, failures_of(groups[group], listing.ids))
            for group in sorted(groups, key=lambda group: places[group])
        ]
        yield (
            path,
            Baseline(
                implementation=head.name, version=head.version, runtime=head.runtime, entry=found
            ),
        )


def _shipped(book: Book) -> Iterator[tuple[str, Path]]:
    """Yield the key of each implementation for which a baseline is shipped, and its file."""
    for key, one in book.implementations.items():
        features = frozenset(one.features)
        identity = Identity(one.written, one.name, one.version, features, runtime=one.runtime)
        with contextlib.suppress(BaselineError):  # none is shipped for it
            yield key, shipped_baseline(identity)


def _failing(book: Book, corpus: Corpus, keys: Collection[str]) -> dict[str, list[Case]]:
    """Return the cases that the implementations of *book* with these *keys* fail, by the key."""
    found: dict[str, list[Case]] = {}
    for case in corpus.cases:
        for one in judged(book, case, keys):
            is_judged = one.case.profile == "client" or case.level != "observe"
            if is_judged and one.judgement.verdict in FAILURES:
                found.setdefault(one.key, []).append(case)
    return found


def main() -> None:
    """Write the files, and print how many entries still need a reason."""
    for path, baseline in renewed(load_book(), load_corpus()):
        path.write_text(baseline_text(baseline), encoding="utf-8")
        waiting = sum(entry.reason.startswith((NEW, AGAIN)) for entry in baseline.entry)
        print(f"{path.name}: {len(baseline.entry)} entries, {waiting} to be explained")


if __name__ == "__main__":
    main()
