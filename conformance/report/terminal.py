"""The report for a person: a summary of each run, its stories, and the totals.

The input is a run.  The output on a terminal has colours and lines folded at its width; elsewhere
it is plain lines, which do not depend on the environment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from conformance.judge import Verdict
from conformance.report.legend import Entry, legend, legend_lines
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.score import score_lines
from conformance.report.story import LABEL, OCTETS, Row, Span, rows, story
from conformance.report.summary import scope, summary, table, title, totals
from conformance.results import Cause, Overlay, Result
from conformance.run import NOT_WAITED_FOR
from conformance.wording import counted

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


@dataclass(frozen=True, slots=True)
class View:
    """Which failures have a story: by default one for each of the first causes.

    Args:
        none: whether no failure has one.
        every: whether each failure has one.
        cause: the number of the only cause that is shown; 0 for all.
    """

    none: bool = False
    every: bool = False
    cause: int = 0


USUAL = View()
STORIES = 10
"""Causes that have a story without being asked for."""
LINES = 250
"""Lines of a report; more only for a long first story."""
_WORDS = 40
"""Lines that are kept for the legend, and for empty lines."""
_NAMED = 2
"""Further cases of a cause that its story names."""
_HEADING = ("cause", "cases", "level", "what was seen, with an example", "")


def plain_lines(run: Run, view: View = USUAL) -> Iterator[str]:
    """Yield the plain lines of the report on *run*."""
    parts = _Parts(run, view)
    yield from summary(run.head, run.results)
    yield ""
    yield from baseline_lines(run)
    yield from absence_lines(run)
    for number, cases, level, text, example in [_HEADING, *parts.table] if parts.table else ():
        yield f"{number:>5}  {cases:>5}  {level:<10}  {text}"
        yield from [f"{'':26}{example}"] if example else []
    yield from [""] if parts.table else []
    yield from legend_lines(parts.legend)
    yield ""
    for result, note in parts.stories:
        yield from story(result, run.head, note)
        yield ""
    yield from parts.end


class _Parts:
    """The parts of a report that are the same on a terminal and elsewhere.

    Args:
        run: the run.
        view: which failures have a story.

    Attributes:
        table: the rows of the table of causes: number, cases, level, text, and an example; empty
            if every failure has a story.
        stories: the results that have a story, each with its note.
        end: the last lines: totals, score, and how to see the rest.
        legend: the entries for the words of the report.
    """

    def __init__(self, run: Run, view: View) -> None:
        causes = run.causes
        failures = sum(len(cause.results) for cause in causes)
        every = list(_table(causes, view))
        top = summary(run.head, run.results)
        self.end = [*_reduction(run), totals(run.results)]
        self.end += score_lines(run.results, run.head.unreached)
        self.end += _not_waited_for(run, view)
        taken = len(top) + 2 * len(every) + len(self.end)
        self.stories = list(_stories(run, causes, view, taken))
        self.table = every if len(self.stories) < failures else []
        if view.cause > len(causes):
            self.end.append(f"there is no cause {view.cause}: the run has {len(causes)}")
        self.end += _rest(len(causes), len(self.stories), failures) if self.table else []
        lines = [line for result, note in self.stories for line in story(result, run.head, note)]
        rows = [f"{row[2]}  {row[3]}" for row in self.table]
        self.legend = legend([*top, *rows, *lines, *self.end])


def _stories(
    run: Run, causes: Sequence[Cause], view: View, taken: int
) -> Iterator[tuple[Result, str]]:
    """Yield the results that have a story, each with its note.

    Args:
        run: the run.
        causes: its causes.
        view: which failures have a story.
        taken: the number of lines that the other parts of the report have.
    """
    if view.none:
        return
    failures = {id(result) for cause in causes for result in cause.results}
    notes = dict(_notes(causes))
    if view.every:
        yield from ((one, "") for one in run.results if id(one) in failures)
    elif view.cause:
        for cause in causes[view.cause - 1 : view.cause]:
            for part in cause.parts or (cause,):
                yield part.example, notes[id(cause)]
    else:
        room = LINES - _WORDS - taken
        for index, cause in enumerate(causes[:STORIES]):
            note = notes[id(cause)]
            lines = len(story(cause.example, run.head, note)) + 1
            if not index or lines <= room:
                yield cause.example, note
                room -= lines


def _not_waited_for(run: Run, view: View) -> Iterator[str]:
    """Yield how many cases the kit did not wait for; with every story, also which and why."""
    groups: dict[str, list[str]] = {}
    for one in run.results:
        if one.verdict == Verdict.NOT_RUN and one.reason.startswith(NOT_WAITED_FOR):
            groups.setdefault(one.reason, []).append(visible_text(one.name))
    if view.every:
        yield from (f"{', '.join(names)}: {visible_text(why)}" for why, names in groups.items())
    if groups:
        count = counted(sum(map(len, groups.values())), "case")
        named = "" if view.every else " (--all names them)"
        yield f"not waited for: {count}{named}; --wait-for-hangs gives each the whole deadline"


def _notes(causes: Sequence[Cause]) -> Iterator[tuple[int, str]]:
    for number, cause in enumerate(causes, 1):
        others = [one.name for one in cause.results if one is not cause.example]
        names = ", ".join(others[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        yield id(cause), f"{number} of {len(causes)}, also in {names}{more}" if others else ""


def _table(causes: Sequence[Cause], view: View) -> Iterator[tuple[str, str, str, str, str]]:
    for number, cause in enumerate(causes, 1):
        if view.cause not in (0, number):
            continue
        for part in (cause, *(cause.parts if view.cause else ())):
            shown = str(number) if part is cause else ""
            yield (
                shown,
                str(len(part.results)),
                part.weight,
                visible_text(part.text),
                visible_text(part.example.name),
            )


def _rest(causes: int, stories: int, failures: int) -> Iterator[str]:
    """Yield how to see the failures that have no story."""
    yield (
        f"{counted(stories, 'story', 'stories')} for {counted(failures, 'failure')} "
        f"of {counted(causes, 'cause')}. To see more, add --cause N, --all, or --html DIR; "
        "or --results FILE, and then httplib-kit report FILE --cause N"
    )


def _reduction(run: Run) -> Iterator[str]:
    """Yield how many failures have no story because the case fails under a smaller setting."""
    reduced = sum(bool(one.within) for one in run.results)
    if reduced:
        yield (
            f"{counted(reduced, 'more failure')} without a story, "
            "under settings of which a part fails too"
        )


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


def print_run(console: Console, run: Run, view: View = USUAL) -> None:
    """Write the report on *run* to *console*, which is a terminal."""
    parts = _Parts(run, view)
    console.print(Text(title(run.head), "bold"))
    for line in scope(run.head):
        console.print(Text(line, "bold red"))
    console.print()
    console.print(_summary(run))
    for line in (*baseline_lines(run), *absence_lines(run)):
        console.print(Text(line))
    if parts.table:
        console.print(_causes(parts.table))
    console.print(_legend(parts.legend))
    for result, note in parts.stories:
        print_story(console, rows(result, run.head, note))
        console.print()
    first_line, *last = parts.end
    console.print(Text(first_line, "bold"))
    for line in last:
        console.print(Text(line))


def print_story(console: Console, story: Iterable[Row]) -> None:
    """Write the rows of a story to *console*, which is a terminal."""
    first, *rest, again = story
    console.print(_text(first.spans))
    console.print(_grid(rest))
    # A command is one line, so that it can be copied from a terminal of any width.
    console.print(Text(f"  {again.label:<{LABEL}} ", "dim") + _text(again.spans), soft_wrap=True)


def _legend(entries: Sequence[Entry]) -> Table:
    shown = Table.grid(padding=(0, 2))
    shown.add_column(overflow="fold")
    shown.add_column(overflow="fold")
    for entry in entries:
        shown.add_row(Text(f"  {entry.word}", "dim"), Text(entry.meaning, "dim"))
    shown.add_row()
    return shown


def _causes(table: Sequence[tuple[str, str, str, str, str]]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="dim")
    for index, name in enumerate(_HEADING[:4]):
        shown.add_column(name, justify="right" if index < 2 else "left", overflow="fold")
    for *cells, text, example in table:
        verdict, colon, rest = text.partition(":")
        seen = Text.assemble(
            (verdict, "red" if colon else ""), colon, rest, (f"\n{example}", "dim")
        )
        shown.add_row(*map(Text, cells), seen)
    shown.add_row()
    return shown


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
        cell: Text | _Folded = _text(row.spans)
        is_note = any(span.kind == "mark" for span in row.spans)
        if is_note:
            cell = Text("| ", "dim") + cell
        elif not row.label or row.label in OCTETS:
            cell = _Folded(_text((Span("| ", "dim"), *row.spans)))
        shown.add_row(Text(f"  {row.label}", "dim"), cell)
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
