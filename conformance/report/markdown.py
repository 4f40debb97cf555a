"""Markdown: the summary that a CI service shows next to a run.

The input is runs.  The output is text.  Untrusted text appears only in code spans and fenced
blocks, whose delimiters are longer than any run of backticks in the text, so that none of it is
markup.  A service accepts about a megabyte, so stories beyond `MOST` bytes are only counted.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from conformance.report.junit import headline
from conformance.report.legend import legend
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.story import story
from conformance.report.summary import scope, table, totals
from conformance.results import Cause, RunHead
from conformance.wording import counted

MOST = 900_000
"""Bytes allowed for the stories and their list, over all runs."""
_LONGEST_CELL = 300
_NAMED = 20
"""Further cases of a cause that are named."""


def markdown_text(runs: Sequence[Run], most: int = MOST) -> str:
    """Return the summary, with at most *most* bytes of stories."""
    return next(markdown_texts(runs, [most]))


def markdown_texts(runs: Sequence[Run], budgets: Iterable[int]) -> Iterator[str]:
    """Yield the summary for each of *budgets*, the bytes of its stories, which are told once."""
    parts = [_Parts(run) for run in runs]
    for most in budgets:
        budget = most // max(1, len(runs))
        yield "\n".join(line for one in parts for line in one.lines(budget)) + "\n"


class _Parts:
    """What the summary of one run consists of.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        causes, rows = run.causes, table(run.results)
        self._head = [*_head(run, rows), *_causes(causes)]
        stories = (
            _cause(number, part, run.head)
            for number, cause in enumerate(causes, 1)
            for part in cause.parts or (cause,)
        )
        self._stories = [
            (lines, sum(len(line.encode()) + 1 for line in lines)) for lines in stories
        ]
        # What is a cell of a table here, as the lines that the legend explains.
        self._plain = ["  ".join(row) for row in rows]
        self._plain += [
            line for one in causes for line in (f"{one.weight}  {one.text}", "  cause ")
        ]

    def lines(self, budget: int) -> Iterator[str]:
        """Yield the lines of the summary, with at most *budget* bytes of stories."""
        every, left_out = [*self._head], 0
        for lines, size in self._stories:
            if size > budget:
                left_out += 1
                continue
            budget -= size
            every += lines
        if left_out:
            every += [f"There is no room for the stories of {counted(left_out, 'more cause')}.", ""]
        yield from every
        yield from _legend([*self._plain, *every])


def _legend(lines: Sequence[str]) -> Iterator[str]:
    """Yield what each word in *lines* means, folded."""
    found = legend(lines)
    if found:
        yield from ("<details><summary>the words of this report</summary>", "")
        yield from (cells(["word", "meaning"]), cells(["---", "---"]))
        yield from (cells([code(one.word), one.meaning]) for one in found)
        yield from ("", "</details>", "")


def _head(run: Run, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the score, the totals, and the table with *rows*."""
    found = run.score
    yield f"## {code(f'{run.head.name} {run.head.version}')}: {found.text}"
    yield ""
    if found.reasons:
        yield from (f"- {code(line)}" for line in found.reasons)
        yield ""
    yield f"{totals(run.results)}. Corpus {code(run.head.corpus)}, kit {code(run.head.kit)}."
    yield ""
    for line in scope(run.head):
        yield f"**{code(line)}**"
        yield ""
    heading, *families = rows
    yield cells(heading)
    yield cells(["---", *("---:" for _ in heading[1:])])
    for family, *counts in families:
        yield cells([code(family), *counts])
    yield ""


def _causes(causes: Sequence[Cause]) -> Iterator[str]:
    """Yield the table of *causes*; nothing if there is none."""
    if not causes:
        return
    yield cells(["cause", "cases", "level", "what was seen"])
    yield cells(["---:", "---:", "---", "---"])
    for number, cause in enumerate(causes, 1):
        yield cells([str(number), str(len(cause.results)), cause.weight, code(cause.text)])
    yield ""


def _cause(number: int, cause: Cause, head: RunHead) -> list[str]:
    """Return the story of a cause, folded, with the names of its other cases."""
    others = [visible_text(one.name) for one in cause.results if one is not cause.example]
    more = [f"and {len(others) - _NAMED} more"] if len(others) > _NAMED else []
    names = ["", "the same cause:", *others[:_NAMED], *more] if others else []
    result = cause.example
    return [
        f"<details><summary>{number}. {_html(result.verdict)} <code>{_html(result.name)}</code>: "
        f"{_html(_short(headline(result)))}</summary>",
        "",
        *fence([*story(result, head), *names]),
        "",
        "</details>",
        "",
    ]


def code(text: str) -> str:
    """Return *text* as a code span."""
    shown = visible_text(text)
    ticks = "`" * (_longest_run(shown) + 1)
    blank = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") or not shown else ""
    return f"{ticks}{blank}{shown}{blank}{ticks}"


def fence(lines: Sequence[str]) -> list[str]:
    """Return *lines* of visible text as a fenced block."""
    ticks = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return [f"{ticks}text", *lines, ticks]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def cells(row: Sequence[str]) -> str:
    """Return a row of a table.

    A bar ends a cell even inside a code span, so it is shown by its name.  A backslash before it
    does not help: after another backslash, Markdown readers differ in what it means.
    """
    return "| " + " | ".join(cell.replace("|", "<U+007C>") for cell in row) + " |"


def _html(text: str) -> str:
    """Return *text* for a line of HTML, with all but letters and digits as character references."""
    return re.sub(r"[^\w ]", lambda found: f"&#{ord(found[0])};", visible_text(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]} …"
