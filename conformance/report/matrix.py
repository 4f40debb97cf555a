"""The matrix: many clients on one page.

The input is the head and the results of one run for each client, all over the same cases; for
clients that are not installed, the recorded runs.  The output is lines of plain text, the same for
the same results.

A large selection has a row for each client and a column for each family, with the number of cases
that pass and that were judged; then come the failures of each client, by cause and with the names
of cases.  A small one has a row for each case and a column for each client: whether the client
accepted or rejected the response, and whether it may.  The words that occur are explained below.
"""

from collections.abc import Iterator, Mapping, Sequence

from conformance.judge import FAILURES, NOT_RUN, Verdict
from conformance.report.legend import MARKS, STRENGTHS, WORDS, legend, legend_lines
from conformance.report.octets import visible_text
from conformance.report.runs import Run, causes_of
from conformance.report.score import score
from conformance.report.standing import Standing, standing
from conformance.report.summary import INCOMPLETE, fitted, of_set
from conformance.results import Result
from conformance.wording import counted, wrapped

SMALL = 60
"""The largest number of cases for which each has a row of its own."""
_ALL = 20
"""The largest number of failures of a client that a large matrix names all."""
_CAUSES, _SOME = 5, 3
"""Causes that it shows of a client with more failures, and cases of each that it names."""


def matrix(
    runs: Sequence[Run], recorded: Mapping[str, Run] | None = None, width: int | None = None
) -> list[str]:
    """Return the lines of the matrix.

    Args:
        runs: at least one, over the same cases in one order.
        recorded: recorded runs that replace those of clients that are not installed, by
            implementation as the user wrote it.
        width: characters of a line at most; by default any number.
    """
    clients = [_Client(run, (recorded or {}).get(run.head.implementation)) for run in runs]
    lines = _by_case if len(runs[0].results) <= SMALL else _by_family
    words = WORDS if lines is _by_family else (*STRENGTHS, *MARKS)
    shown = list(lines(clients, width))
    every = [
        f"corpus {visible_text(runs[0].head.corpus)}",
        *of_set(runs[0].head),
        *shown,
        "",
        *legend_lines(legend(shown, words)),
        *_not_run(clients),
    ]
    return [part for line in every for part in wrapped(line, width)]


def _not_run(clients: Sequence["_Client"]) -> Iterator[str]:
    """Yield a line for each client with cases that were not judged: how many, and why."""
    for one in clients:
        found = score(one.results.values(), one.unreached)
        if one.is_told and found.not_judged:
            yield ""
            yield f"{one.label}: {found.text}"
            yield from (f"  {line}" for line in found.reasons)


class _Client:
    """A row or a column: the results of a client, measured or recorded.

    Attributes:
        label: the name of the client.
        results: its results, in order, by case.
        unreached: how many cases were not run, because the run ended at its first failure.
        is_told: whether there are results for it.
    """

    def __init__(self, run: Run, recorded: Run | None) -> None:
        shown = recorded if recorded is not None and run.is_absent else run
        self.label = visible_text(f"{shown.head.name} {shown.head.version}".rstrip())
        if shown.head.incomplete:
            self.label += f" ({INCOMPLETE}: {visible_text(shown.head.incomplete)})"
        if shown is recorded:
            self.label += " (NOT_INSTALLED, as recorded)"
        # A run that stopped at its first failure lacks the cases after it.
        self.unreached = shown.head.unreached
        self.results = {result.name: result for result in shown.results}
        self.is_told = shown is recorded or not run.is_absent


def _by_family(clients: Sequence[_Client], width: int | None) -> Iterator[str]:
    families = list(dict.fromkeys(r.family for one in clients for r in one.results.values()))
    rows = [["client", *map(visible_text, families), "all"]]
    for one in clients:
        results = list(one.results.values())
        parts = [[r for r in results if r.family == family] for family in families]
        total = _cell(results) if one.is_told else "NOT_INSTALLED"
        rows.append([one.label, *map(_cell, parts), total])
    yield ""
    yield from fitted(rows, width)
    for one in clients:
        yield from _failures(one)


def _failures(client: _Client) -> Iterator[str]:
    """Yield the causes of what *client* fails, each with the names of its cases."""
    found = causes_of(client.results.values())
    failures = sum(len(cause.results) for cause in found)
    if found:
        yield ""
        yield f"{client.label} fails {counted(failures, 'case')}:"
    few = failures <= _ALL
    for cause in found if few else found[:_CAUSES]:
        names = [visible_text(one.name) for one in cause.results[: None if few else _SOME]]
        more = len(cause.results) - len(names)
        yield f"  {len(cause.results):>4}  {visible_text(cause.text)}"
        yield f"        {', '.join(names)}{f' and {more} more' if more else ''}"
    rest = [] if few else found[_CAUSES:]
    if rest:
        cases = sum(len(cause.results) for cause in rest)
        yield f"  {cases:>4}  of {counted(len(rest), 'other cause')}"


def _cell(results: Sequence[Result]) -> str:
    found = score(results)
    return f"{found.well}/{found.judged}" if found.judged else "-"


def _by_case(clients: Sequence[_Client], width: int | None) -> Iterator[str]:
    heads = [f"{number:>3}  {one.label}" for number, one in enumerate(clients, 1)]
    rows = [["case", *map(str, range(1, len(clients) + 1))]]
    every = {name: result for one in clients for name, result in one.results.items()}
    for name, first in every.items():
        marks = (_mark(one.results[name]) if name in one.results else "" for one in clients)
        rows.append([visible_text(f"{name}  {first.strength}"), *marks])
    yield from (*heads, "", *fitted(rows, width))


_MARKS = {
    Verdict.NOT_INSTALLED: ".",
    Verdict.CRASH: "!C",
    Verdict.HANG: "!H",
    Verdict.LEAK: "!L",
    Verdict.REPLAYED: "!R",
    Verdict.WRONG_CONNECTION: "!W",
}


def _mark(result: Result) -> str:
    """Return what a client did, with a mark before it if a rule forbids that."""
    verdict = Verdict(result.verdict)
    if standing(result) is Standing.FLAKY:
        return "F"
    if verdict in _MARKS:
        return _MARKS[verdict]
    if verdict in NOT_RUN:
        return "?"
    sign = "!" if verdict in FAILURES else "~" if verdict is Verdict.TOLERATED else ""
    return sign + ("-" if "rejects" in result.did or not result.did else "+")
