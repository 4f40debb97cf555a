"""``httplib-kit diff``: what changed between two runs, or between two implementations."""

import click

from conformance.cases import Corpus, load_corpus
from conformance.cli.options import Selection, selection
from conformance.cli.recorded import sides
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_OK,
    Run,
    changes,
    diff_lines,
    visible_text,
)


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@selection
@click.pass_context
def diff(ctx: click.Context, before: str, after: str, chosen: Selection) -> None:
    """Compare the results A and B, and list the cases that differ.

    Each is a file that `check --results` wrote, or the name of a recorded implementation, such as
    `py2.7`, `requests` or `curl@7.88`. After the cases, the kinds of differences are listed in
    words. The exit code is 0 if nothing differs, 1 if something does, and 2 if one of them is
    incomplete.
    """
    corpus = load_corpus()
    left, right = (_side(one, corpus, chosen) for one in (before, after))
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


def _side(written: str, corpus: Corpus, chosen: Selection) -> Run:
    """Return the run that *written* names.

    Raises:
        click.UsageError: it names no run, or several.
    """
    runs = sides([written], corpus, chosen).runs
    if len(runs) != 1:
        raise click.UsageError(f"{written}: names {len(runs)} runs, and diff compares one")
    return runs[0]
