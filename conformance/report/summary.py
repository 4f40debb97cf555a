"""The terminal report, as plain text: a story for each failure, and a summary by family and level.

In: results.  Out: lines.  Colours and progress are the command line's business.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from conformance.cases.corpus import LEVELS
from conformance.judge.verdicts import ERRORS, FAILURES, NOT_RUN, OK, Verdict
from conformance.report.octets import visible_text
from conformance.run.results import Result, RunHead

EXIT_OK, EXIT_FAILED, EXIT_ERROR, EXIT_NOTHING = 0, 1, 2, 3


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 for ok, 1 for failures, 2 for an error of kit or driver, 3 where nothing ran."""
    verdicts = {Verdict(result.verdict) for result in results}
    if verdicts & ERRORS:
        return EXIT_ERROR
    if verdicts & FAILURES:
        return EXIT_FAILED
    return EXIT_NOTHING if verdicts <= NOT_RUN else EXIT_OK


def story(result: Result) -> list[str]:
    """Return the lines that tell what went wrong in *result*."""
    told = [f"{result.verdict}  {result.name}  [{result.level}]", f"  {result.title}"]
    if result.reason:
        told.append(f"  reason    {visible_text(result.reason)}")
    if result.where:
        call = f"{result.where}: {result.call}" if result.call else f"wire: {result.where}"
        told.append(f"  at        {visible_text(call)}")
        for index, accepted in enumerate(result.accepted):
            told.append(f"  {'accepted' if index == 0 else '      or'}  {visible_text(accepted)}")
        told.append(f"  seen      {visible_text(result.seen)}")
    told.append(f"  page      {', '.join(result.spec)}")
    if result.transcript:
        told.append("  wire")
        told += [f"    {visible_text(line)}" for line in result.transcript.splitlines()]
    told.append(f"  look up   httplib-kit show {result.id}")
    return told


def summary(head: RunHead, results: Sequence[Result]) -> list[str]:
    """Return the lines that sum a run up."""
    families = list(dict.fromkeys(result.family for result in results))
    levels = [level for level in LEVELS if any(result.level == level for result in results)]
    title = f"{head.name} {head.version} · corpus {head.corpus}"
    rows = [["family", *levels]]
    for family in families:
        row = [family]
        for level in levels:
            row.append(_cell(r for r in results if r.family == family and r.level == level))
        rows.append(row)
    return [title, "", *_table(rows), "", _totals(results)]


def _cell(results: Iterable[Result]) -> str:
    judged = [result for result in results if Verdict(result.verdict) not in NOT_RUN]
    if not judged:
        return "-"
    good = sum(Verdict(result.verdict) in OK for result in judged)
    return f"{good}/{len(judged)}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _totals(results: Sequence[Result]) -> str:
    counts = Counter(result.verdict for result in results)
    told = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    return f"{len(results)} cases: " + ", ".join(told)
