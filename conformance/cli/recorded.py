"""What implementations that need not be installed did, according to the golden records.

For `show`, the input is a case and the records, and the output is lines; implementations that did
the same share a block under its verdict.  For the matrix, the input is the runs of clients that are
not installed, and the output is the recorded runs.
"""

from collections.abc import Iterator, Sequence

import click

from conformance.cases import Case, Corpus
from conformance.report import Run
from conformance.results.golden import Book, BookError, Judged, judged, load_book, run_of


def recorded_clients(runs: Sequence[Run], corpus: Corpus) -> dict[str, Run]:
    """Return the records of the clients of *runs* that are not installed, over the same cases.

    Args:
        runs: of several clients.
        corpus: judges the records.

    Returns:
        Runs, by implementation as the user wrote it; a client without a record of any of the cases
        in their present form is left out.

    Raises:
        click.UsageError: the records cannot be read.
    """
    absent = {
        run.head.implementation: {result.id for result in run.results}
        for run in runs
        if run.is_absent
    }
    if not absent:
        return {}
    try:
        book = load_book()
    except BookError as error:
        raise click.UsageError(str(error)) from None
    found = {}
    for key, one in book.implementations.items():
        if one.written in absent:
            head, results = run_of(book, key, corpus)
            met = [result for result in results if result.id in absent[one.written]]
            if met:
                found[one.written] = Run(head, met)
    return found


def recorded_lines(book: Book, case: Case) -> Iterator[str]:
    """Yield the lines; empty if there is no record of the present form of the case."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in judged(book, case):
        calls = [f"{name:<14} {text}" for name, text in one.calls]
        groups.setdefault((_verdict(one), *calls), []).append(one.key)
    for (verdict, *calls), keys in groups.items():
        versions = (f"{key} ({book.implementations[key].version})" for key in keys)
        yield f"  {verdict}  {', '.join(versions)}"
        yield from (f"    {call}" for call in calls)


def _verdict(one: Judged) -> str:
    judgement = one.judgement
    text = f"{judgement.verdict} ({judgement.basis})" if judgement.basis else str(judgement.verdict)
    miss = judgement.mismatch
    # What was seen at an op is listed among the calls.
    if miss is None or any(op.id == miss.where for op in one.case.ops):
        return text if miss is None else f"{text} at {miss.where}"
    return f"{text} at {miss.where}: {miss.seen}"
