"""Updates the shipped baselines from the golden records.

``python -m conformance.results.golden.baselines`` writes them.

The input is the records and the present baselines.  The output is the updated files.  An entry that
is still true keeps its text; a new entry follows the old ones and asks for a reason; an entry that
is no longer true is removed.
"""

from collections.abc import Iterator
from pathlib import Path

from conformance.cases import Corpus, load_corpus
from conformance.drivers import Identity
from conformance.results.baseline import Baseline, BaselineError, baseline_text, read_baseline
from conformance.results.golden.book import Book, load_book
from conformance.results.golden.judging import run_of
from conformance.results.shipped import shipped_baseline
from conformance.results.update import AGAIN, NEW, updated


def renewed(book: Book, corpus: Corpus) -> Iterator[tuple[Path, Baseline]]:
    """Yield the file of each shipped baseline, and the baseline according to the records.

    Args:
        book: the records, of all cases.
        corpus: the corpus of these records.
    """
    for key, one in book.implementations.items():
        features, runtime = frozenset(one.features), one.runtime
        try:
            path = shipped_baseline(
                Identity(one.written, one.name, one.version, features, runtime=runtime)
            )
        except BaselineError:  # no baseline is shipped for it
            continue
        head, results = run_of(book, key, corpus)
        judged = [result for result in results if result.level != "observe"]
        yield path, updated(read_baseline(path), head, judged)


def main() -> None:
    """Write the files, and print how many entries still need a reason."""
    for path, baseline in renewed(load_book(), load_corpus()):
        path.write_text(baseline_text(baseline), encoding="utf-8")
        waiting = sum(entry.reason.startswith((NEW, AGAIN)) for entry in baseline.entry)
        print(f"{path.name}: {len(baseline.entry)} entries, {waiting} to be explained")


if __name__ == "__main__":
    main()
