"""A run in one table: how many of the judged cases pass, by family and level.

The input is the head of a run and its results.  The output is rows, or plain lines.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from conformance.cases import LEVELS, STRENGTHS
from conformance.judge import Verdict
from conformance.report.octets import visible_text
from conformance.report.score import ILL, WELL
from conformance.report.standing import Standing, standing
from conformance.results import Overlay, Result, RunHead
from conformance.wording import counted

OBSERVED = "observe"
"""The level of cases that are never judged, so that none of them passes."""
LAWS = (
    "judged as a drop-in for the httplib of Python 2.7",
    "judged as an HTTP/1.x client, by RFC 9112",
)
"""By what an implementation is judged: in the profile `httplib`, and in the profile `client`."""
INCOMPLETE = "INCOMPLETE"
"""Marks an incomplete run, in every report."""


_SHOWN = 5
"""How many cases of a set that were not judged are named."""
_UNEARNED = "a case about a broken one may pass for that reason"


def summary(head: RunHead, results: Sequence[Result]) -> list[str]:
    """Return the lines of the summary, without the totals."""
    return [title(head), *scope(head), "", *aligned(table(results))]


def scope(head: RunHead) -> list[str]:
    """Return a line for each way in which a run is partial; empty for a complete run."""
    lines = [f"{INCOMPLETE}: {visible_text(head.incomplete)}"] if head.incomplete else []
    if head.shard:
        lines.append(f"shard {visible_text(head.shard)}: the other shards are not in it")
    if head.unreached:
        lines.append(f"the first failure ended the run: {counted(head.unreached, 'case')} not run")
    lines += of_set(head)
    lines += [f"not completed: {visible_text(one)}; {_UNEARNED}" for one in head.unable]
    return lines


def of_set(head: RunHead) -> list[str]:
    """Return lines about the set of a run, and cases of it that were not judged; empty for none."""
    if not head.set:
        return []
    if not head.outside:
        lacking = "each of its cases that was chosen was judged in the same revision"
    else:
        count = counted(len(head.outside), "case")
        lacking = f"{count} of it not judged; `httplib-kit changes` says why"
        lacking += f", the first {_SHOWN} of them below" if len(head.outside) > _SHOWN else ""
    shown = [f"not judged: {visible_text(one)}" for one in head.outside[:_SHOWN]]
    return [f"set {visible_text(head.set)}: {lacking}", *shown]


def title(head: RunHead) -> str:
    """Return the implementation under test, by what it is judged, and the corpus, as one line."""
    name = " ".join(visible_text(one) for one in (head.name, head.version) if one)
    return f"{name}, {LAWS[head.profile == 'client']} · corpus {visible_text(head.corpus)}"


def table(results: Sequence[Result]) -> list[list[str]]:
    """Return the rows of the table: first the heading; the last column is what was not run."""
    counts = Counter((one.family, one.weight, standing(one)) for one in results)
    families = list(dict.fromkeys(result.family for result in results))
    weights = {weight for _, weight, _ in counts}
    levels = [level for level in (*LEVELS, *STRENGTHS) if level in weights]
    judged = (*WELL, *ILL)
    missing = Counter(one.family for one in results if standing(one) not in judged)
    rows = [["family", *levels, *(["not run"] if missing else [])]]
    for family in families:
        cells = [
            (
                sum(counts[family, level, stands] for stands in WELL),
                sum(counts[family, level, stands] for stands in ILL),
            )
            for level in levels
        ]
        row = [
            _cell(well, failed) if level != OBSERVED else str(well or "-")
            for level, (well, failed) in zip(levels, cells, strict=True)
        ]
        row += [str(missing[family] or "-")] if missing else []
        rows.append([visible_text(family), *row])
    return rows


def totals(results: Sequence[Result]) -> str:
    """Return the number of results for each verdict, in one line."""
    flaky = sum(standing(result) is Standing.FLAKY for result in results)
    counts = Counter(one.verdict for one in results if standing(one) is not Standing.FLAKY)
    parts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    parts += [f"{flaky} {Overlay.FLAKY}"] if flaky else []
    over = Counter(one.overlay for one in results if standing(one) is not Standing.FLAKY)
    known = [f"{over[overlay]} {overlay}" for overlay in Overlay if over[overlay]]
    return f"{counted(len(results), 'case')}: {', '.join(parts)}" + (
        f"; of them {', '.join(known)}" if known else ""
    )


def _cell(well: int, failed: int) -> str:
    return f"{well}/{well + failed}" if well + failed else "-"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return *rows* as lines: the first column aligned to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def fitted(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return *rows* as `aligned` does, in lines of at most *width* characters.

    Columns for which there is no room follow in further blocks, each with the first column. If that
    takes more than half of a line, each of its cells has a line of its own.

    Args:
        rows: the first row has the names of the columns.
        width: None for lines of any width.
    """
    lines = aligned(rows)
    if width is None or max(map(len, lines)) <= width:
        return lines
    first = max(len(row[0]) for row in rows)
    apart = first > width // 2
    found: list[str] = []
    for block in _blocks(rows, width - (0 if apart else first)):
        cells = [[row[column] for column in block] for row in rows]
        found += [""] if found else []
        if apart:
            under = aligned([["", *row] for row in cells])
            found += [line for row, one in zip(rows, under, strict=True) for line in (row[0], one)]
        else:
            found += aligned([[row[0], *one] for row, one in zip(rows, cells, strict=True)])
    return found


def _blocks(rows: Sequence[Sequence[str]], room: int) -> Iterator[list[int]]:
    """Yield the columns after the first in groups, each of which takes at most *room*."""
    block: list[int] = []
    taken = 0
    for column in range(1, len(rows[0])):
        size = 2 + max(len(row[column]) for row in rows)
        if block and taken + size > room:
            yield block
            block, taken = [], 0
        block.append(column)
        taken += size
    if block:
        yield block
