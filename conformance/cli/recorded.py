"""What implementations that need not be here did when they were recorded.

For `show`: a case and the golden records come in, and lines go out; those who did the same stand
together, under the verdict that this comes to.  For the matrix: runs that found no client come in,
and the recorded ones go out.
"""

from collections.abc import Iterator, Sequence

import click

from conformance.cases import Case, Corpus
from conformance.judge.client import error_text, response_text
from conformance.judge.judge import entry_text
from conformance.report import Run
from conformance.run.golden import Book, BookError, Judged, judged, load_book
from conformance.run.golden.results import run_of


def recorded_clients(runs: Sequence[Run], corpus: Corpus) -> dict[str, Run]:
    """Return what was recorded of the clients that *runs* did not find, over the same cases.

    Args:
        runs: of several clients.
        corpus: by which the records are judged.

    Returns:
        Runs, by implementation as the user wrote it; none for who was not recorded with any of the
        cases as they are now.

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
    """Yield the lines; none where nobody was recorded with the case as it is now."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in judged(book, case):
        groups.setdefault((_verdict(one), *_calls(one)), []).append(one.key)
    for (verdict, *calls), keys in groups.items():
        versions = (f"{key} ({book.implementations[key].version})" for key in keys)
        yield f"  {verdict}  {', '.join(versions)}"
        yield from (f"    {call}" for call in calls)


def _verdict(one: Judged) -> str:
    judgement = one.judgement
    told = f"{judgement.verdict} ({judgement.basis})" if judgement.basis else str(judgement.verdict)
    miss = judgement.mismatch
    # What was seen at an op stands among the calls.
    if miss is None or any(op.id == miss.where for op in one.case.ops):
        return told if miss is None else f"{told} at {miss.where}"
    return f"{told} at {miss.where}: {miss.seen}"


def _calls(one: Judged) -> Iterator[str]:
    """Yield what each call came to that says more than that it was made."""
    if one.observation is None:
        return
    for op in one.case.ops:
        entry = one.observation.trace[op.id]
        value = entry.get("value")
        if isinstance(value, dict) and value.get("type") == "response":
            yield f"{op.id:<14} {response_text(value)}"
        elif "error" in entry and one.case.profile == "client":
            yield f"{op.id:<14} {error_text(entry['error'])}"
        elif "error" in entry or not _says_nothing(value):
            yield f"{op.id:<14} {entry_text(entry)}"


def _says_nothing(value: object) -> bool:
    return value is None or (isinstance(value, dict) and value.get("type") == "object")
