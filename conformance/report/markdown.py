"""Markdown: the summary that a CI service shows beside a run.

In: runs.  Out: text.  Foreign text stands in code spans and fences alone, each longer than any run
of backticks in it, so that nothing in it is markup.  A service takes about a megabyte, so that
failures beyond `MOST` octets are only counted.
"""

import re
from collections.abc import Iterator, Sequence

from conformance.report.junit import headline
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.standing import TOLD, standing
from conformance.report.story import story
from conformance.report.summary import scope, table, totals

MOST = 900_000
"""Octets of the stories and their list, over all runs."""
_LONGEST_CELL = 300


def markdown(runs: Sequence[Run]) -> str:
    """Return the summary."""
    budget = MOST // max(1, len(runs))
    return "\n".join(line for run in runs for line in _run(run, budget)) + "\n"


def _run(run: Run, budget: int) -> Iterator[str]:
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
    heading, *rows = table(run.results)
    yield _cells(heading)
    yield _cells(["---", *("---:" for _ in heading[1:])])
    for family, *cells in rows:
        yield _cells([code(family), *cells])
    yield ""
    yield from _failures(run, budget)


def _failures(run: Run, budget: int) -> Iterator[str]:
    left_out = 0
    for result in run.results:
        if standing(result) not in TOLD:
            continue
        lines = [
            f"<details><summary>{_html(result.verdict)} <code>{_html(result.name)}</code>: "
            f"{_html(_short(headline(result)))}</summary>",
            "",
            *fence(story(result, run.head)),
            "",
            "</details>",
            "",
        ]
        size = sum(len(line.encode()) + 1 for line in lines)
        if size > budget:
            left_out += 1
            continue
        budget -= size
        yield from lines
    if left_out:
        yield f"{left_out} more cases fail; the log and the result file tell of each."
        yield ""


def code(text: str) -> str:
    """Return *text* as a code span."""
    shown = visible_text(text)
    ticks = "`" * (_longest_run(shown) + 1)
    blank = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") or not shown else ""
    return f"{ticks}{blank}{shown}{blank}{ticks}"


def fence(lines: Sequence[str]) -> list[str]:
    """Return *lines*, which are visible, as a fenced block."""
    ticks = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return [f"{ticks}text", *lines, ticks]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _cells(cells: Sequence[str]) -> str:
    """Return a row of a table, in which a bar ends a cell even inside a code span.

    It is shown by name: what a backslash before it means is not the same to every reader of
    Markdown where another backslash stands before that.
    """
    return "| " + " | ".join(cell.replace("|", "<U+007C>") for cell in cells) + " |"


def _html(text: str) -> str:
    """Return *text* for a line of HTML: letters and digits as they are, the rest by number."""
    return re.sub(r"[^\w ]", lambda found: f"&#{ord(found[0])};", visible_text(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]} …"
