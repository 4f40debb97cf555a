"""``httplib-kit diff``: what changed between two runs, or between two implementations."""

from pathlib import Path

import click

from conformance.cases import Corpus, load_corpus
from conformance.cli.options import Selection, selection
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_OK,
    NoReport,
    Run,
    changes,
    diff_lines,
    read_runs,
    visible_text,
)
from conformance.results.golden import BookError, load_book, run_of


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@selection
@click.pass_context
def diff(ctx: click.Context, before: str, after: str, chosen: Selection) -> None:
    """Compare the results A and B, and list the cases that differ.

    Each is a file that `check --results` wrote, or the name of a recorded implementation, such as
    `py2.7` or `requests`. The exit code is 0 if nothing differs, 1 if something does, and
    2 if one of them is incomplete.
    """
    corpus = load_corpus()
    selected = {case.id for case in chosen.of(corpus).listed} if chosen else None
    left, right = (_selected(_side(one, corpus), selected) for one in (before, after))
    found = changes(left, right)
    for line in diff_lines(left, right, found):
        click.echo(line)
    gaps = [
        f"{run.head.implementation}: incomplete: {run.head.incomplete}"
        for run in (left, right)
        if run.head.incomplete
    ]
    for gap in gaps:
        click.echo(f"httplib-kit: {visible_text(gap)}", err=True)
    ctx.exit(EXIT_ERROR if gaps else EXIT_FAILED if found else EXIT_OK)


def _selected(run: Run, ids: set[str] | None) -> Run:
    if ids is None:
        return run
    return Run(run.head, [result for result in run.results if result.id in ids])


def _side(written: str, corpus: Corpus) -> Run:
    """Return the run that *written* names.

    Raises:
        click.UsageError: it names no run, or several.
    """
    path = Path(written)
    try:
        if path.exists():
            runs = read_runs([path])
            if len(runs) != 1:
                raise click.UsageError(f"{path}: holds {len(runs)} runs, and diff compares one")
            return runs[0]
        book = load_book()
    except (NoReport, BookError) as error:
        raise click.UsageError(str(error)) from None
    if written not in book.implementations:
        known = ", ".join(book.implementations) or "none"
        raise click.UsageError(
            f"{written!r} is neither a result file nor a recorded implementation; there are {known}"
        )
    head, results = run_of(book, written, corpus)
    return Run(head, results)
