"""The report for a person: a summary of each run, its stories, and the totals.

The input is a run.  The output on a terminal has colours and lines folded at its width; elsewhere
it is plain lines, which do not depend on the environment.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from conformance.judge.verdicts import Verdict
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.score import score_lines
from conformance.report.standing import TOLD, standing
from conformance.report.story import LABEL, OCTETS, Row, Span, rows, story
from conformance.report.summary import scope, summary, table, title, totals
from conformance.results.result import Overlay, Result

_STYLES = {
    "verdict": "bold red",
    "name": "bold",
    "dim": "dim",
    "accepted": "green",
    "seen": "red",
    "octets": "yellow",
    "marked": "bold reverse red",
    "mark": "bold red",
    "command": "cyan",
}


def plain(run: Run, *, stories: bool = True) -> Iterator[str]:
    """Yield the plain lines of the report on *run*."""
    yield from summary(run.head, run.results)
    yield ""
    yield from baseline_lines(run)
    yield from absence_lines(run)
    for result in _stories(run) if stories else ():
        yield from story(result, run.head)
        yield ""
    yield from _reduction(run)
    yield totals(run.results)
    yield from score_lines(run.results, run.head.unreached)


def _stories(run: Run) -> Iterator[Result]:
    """Yield the results that have a story; for a case under sweeps, the smallest that failed."""
    return (one for one in run.results if standing(one) in TOLD and not one.within)


def _reduction(run: Run) -> Iterator[str]:
    """Yield how many failures have no story because the case fails under a smaller setting."""
    reduced = sum(bool(one.within) for one in run.results)
    if reduced:
        yield f"{reduced} more fail under settings of which a part fails too; they have no story"


def baseline_lines(run: Run) -> Iterator[str]:
    """Yield the lines about the baseline of *run*, then an empty line.

    Nothing without a baseline.
    """
    if not run.head.baseline:
        return
    yield f"baseline {visible_text(run.head.baseline)}"
    for line in run.head.stale:
        yield f"{Overlay.STALE}  {visible_text(line)}"
    yield ""


def absence_lines(run: Run) -> Iterator[str]:
    """Yield why no case of *run* was run, then an empty line; nothing if some were run."""
    if {result.verdict for result in run.results} != {Verdict.NOT_INSTALLED}:
        return
    yield f"{Verdict.NOT_INSTALLED}: {visible_text(run.results[0].reason)}"
    yield ""


def tell(console: Console, run: Run, *, stories: bool = True) -> None:
    """Write the report on *run* to *console*, which is a terminal."""
    console.print(Text(title(run.head), "bold"))
    for line in scope(run.head):
        console.print(Text(line, "bold red"))
    console.print(_summary(run))
    for line in (*baseline_lines(run), *absence_lines(run)):
        console.print(Text(line))
    for result in _stories(run) if stories else ():
        first, *rest = rows(result, run.head)
        console.print(_text(first.spans))
        console.print(_grid(rest))
    for line in _reduction(run):
        console.print(Text(line))
    console.print(Text(totals(run.results), "bold"))
    for line in score_lines(run.results, run.head.unreached):
        console.print(Text(line))


def _summary(run: Run) -> Table:
    heading, *lines = table(run.results)
    shown = Table(box=None, pad_edge=False, header_style="dim")
    shown.add_column(Text(heading[0]), overflow="fold")
    for name in heading[1:]:
        shown.add_column(Text(name), justify="right", overflow="fold")
    for family, *cells in lines:
        shown.add_row(Text(family), *map(_cell, cells))
    shown.add_row()
    return shown


def _cell(cell: str) -> Text:
    well, _, judged = cell.partition("/")
    return Text(cell, "dim" if not judged else "green" if well == judged else "red")


def _grid(rest: list[Row]) -> Table:
    shown = Table.grid(padding=(0, 1))
    shown.add_column(width=LABEL + 2, no_wrap=True)
    shown.add_column(overflow="fold")
    for row in rest:
        told: Text | _Folded = _text(row.spans)
        if not row.label or row.label in OCTETS:
            told = _Folded(_text((Span("| ", "dim"), *row.spans)))
        shown.add_row(Text(f"  {row.label}", "dim"), told)
    shown.add_row()
    return shown


class _Folded:
    """Bytes on full lines: a fold between words would lose a blank.

    Args:
        text: the bytes, as one long line.
    """

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield from self._text.divide(range(options.max_width, len(self._text), options.max_width))


def _text(spans: tuple[Span, ...]) -> Text:
    return Text.assemble(*((span.text, _STYLES.get(span.kind, "")) for span in spans))
