"""``httplib-kit diff``: what changed between two runs, or between two implementations."""

from pathlib import Path

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
    diff_markdown,
    paired,
    visible_text,
)


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@selection
@click.option(
    "--markdown",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write Markdown for a comment on a pull request, of at most 65,536 characters, to FILE "
    "(by default to standard output), in place of the lines.",
)
@click.pass_context
def diff(
    ctx: click.Context, before: str, after: str, chosen: Selection, markdown: str | None
) -> None:
    """Compare the results A and B, and list the cases that differ.

    Each is a file that `check --results` wrote, or the name of a recorded implementation, such as
    `py2.7`, `requests` or `curl@7.88`. Of files with several implementations, the runs of each are
    compared. After the cases, the kinds of differences are listed in words. The exit code is 0 if
    nothing differs, 1 if something does, and 2 if one of them is incomplete.
    """
    corpus = load_corpus()
    left, right = (_side(one, corpus, chosen) for one in (before, after))
    pairs, notes = paired(left, right)
    if not pairs:
        written, runs = (before, left) if len(left) > 1 else (after, right)
        raise click.UsageError(
            f"{written}: names {len(runs)} runs, of which none is compared: the other side has "
            "none of the same implementation"
        )
    if markdown is None:
        _print(pairs, notes)
    else:
        _write(markdown, diff_markdown(pairs, notes))
    gaps = [
        f"{run.head.implementation}: incomplete: {run.head.incomplete}"
        for pair in pairs
        for run in pair
        if run.head.incomplete
    ]
    for gap in gaps:
        click.echo(f"httplib-kit: {visible_text(gap)}", err=True)
    differs = bool(notes) or any(changes(*pair) for pair in pairs)
    ctx.exit(EXIT_ERROR if gaps else EXIT_FAILED if differs else EXIT_OK)


def _print(pairs: list[tuple[Run, Run]], notes: list[str]) -> None:
    for index, (left, right) in enumerate(pairs):
        for line in ([""] if index else []) + list(diff_lines(left, right, changes(left, right))):
            click.echo(line)
    for note in notes:
        click.echo(visible_text(note))


def _write(place: str, text: str) -> None:
    if place == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(place).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise click.UsageError(f"--markdown: cannot write {place}: {error.strerror}") from None


def _side(written: str, corpus: Corpus, chosen: Selection) -> list[Run]:
    """Return the runs that *written* names.

    Raises:
        click.UsageError: it names none.
    """
    runs = sides([written], corpus, chosen, mixed=True).runs
    if not runs:
        raise click.UsageError(f"{written}: names no run")
    return runs
