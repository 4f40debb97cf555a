"""The matrix: many clients on one page.

In: the head and the results of one run for each client, all over the same cases.  Out: lines of
plain text, the same for the same results.

A large selection has a row for each client and a column for each family: how many cases are good,
of how many that were judged.  A small one has a row for each case and a column for each client:
whether it took the response or refused it, and whether it may.
"""

from collections.abc import Sequence

from conformance.judge.verdicts import FAILURES, NOT_RUN, Verdict
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.summary import aligned, share
from conformance.run.results import Result

SMALL = 60
"""Cases up to which each has a row of its own."""
_LEGEND = (
    "+ accepts   - rejects   H hangs   C crashes   L leaks an exception that is none of its own",
    "~ against a SHOULD or a MAY   ! against a MUST   . not installed   ? not judged",
)


def matrix(runs: Sequence[Run]) -> list[str]:
    """Return the lines of the matrix of *runs*; at least one, over the same cases in one order."""
    return _by_case(runs) if len(runs[0].results) <= SMALL else _by_family(runs)


def _by_family(runs: Sequence[Run]) -> list[str]:
    families = list(dict.fromkeys(result.family for result in runs[0].results))
    rows = [["client", *families, "all"]]
    for run in runs:
        parts = [[r for r in run.results if r.family == family] for family in families]
        absent = all(result.verdict == Verdict.NOT_INSTALLED for result in run.results)
        total = "NOT_INSTALLED" if absent else _cell(run.results)
        rows.append([_label(run), *map(_cell, parts), total])
    return [f"corpus {runs[0].head.corpus}", "", *aligned(rows)]


def _cell(results: Sequence[Result]) -> str:
    well, judged = share(results)
    return f"{well}/{judged}" if judged else "-"


def _by_case(runs: Sequence[Run]) -> list[str]:
    heads = [f"{number:>3}  {_label(run)}" for number, run in enumerate(runs, 1)]
    rows = [["case", *map(str, range(1, len(runs) + 1))]]
    # A run that stopped at its first failure lacks the cases behind it.
    known = [{result.name: result for result in run.results} for run in runs]
    for name, first in {name: one for results in known for name, one in results.items()}.items():
        marks = (_mark(results[name]) if name in results else "" for results in known)
        rows.append([f"{name}  {first.strength}", *marks])
    return [f"corpus {runs[0].head.corpus}", *heads, "", *aligned(rows), "", *_LEGEND]


def _label(run: Run) -> str:
    return visible_text(f"{run.head.name} {run.head.version}".rstrip())


_MARKS = {
    Verdict.NOT_INSTALLED: ".",
    Verdict.CRASH: "!C",
    Verdict.HANG: "!H",
    Verdict.LEAK: "!L",
}


def _mark(result: Result) -> str:
    """Return what a client did, and before it whether that is against a rule."""
    verdict = Verdict(result.verdict)
    if verdict in _MARKS:
        return _MARKS[verdict]
    if verdict in NOT_RUN:
        return "?"
    sign = "!" if verdict in FAILURES else "~" if verdict is Verdict.TOLERATED else ""
    return sign + ("+" if result.did == "accepts" else "-")
