"""``httplib-kit matrix``: many implementations on one page, and the families that behave alike.

The input is names of recorded implementations and result files.  The output is the matrix of
`check` and `report`, or families with the cases that set them apart, and, if requested, the
distances as JSON.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from conformance.cases import Corpus, load_corpus
from conformance.cli.options import Selection, say_what_matches_nothing, selection
from conformance.cli.outputs import Screen
from conformance.cli.recorded import Sides, sides
from conformance.report import (
    EXIT_NOTHING,
    NO_DEED,
    Mark,
    Pattern,
    Refused,
    WholeFile,
    deed_of_record,
    deed_of_result,
    distances,
    families,
    marks,
    matrix,
    nearest,
    visible_text,
)
from conformance.results.golden import judged
from conformance.wording import counted, wrapped

_MARKS = 3
"""Cases that are named for a family."""


@click.command("matrix")
@click.argument("written", nargs=-1, metavar="[NAME|RESULTS]...")
@selection
@click.option("--cluster", is_flag=True, help="Show families that behave alike instead.")
@click.option(
    "--within",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    metavar="PERCENT",
    help="How many of the cases two members of a family may differ in at most.",
)
@click.option(
    "--distances",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write as JSON in what share of the cases every two differ, and the families.",
)
@click.pass_context
def show_matrix(
    ctx: click.Context,
    written: tuple[str, ...],
    chosen: Selection,
    cluster: bool,
    within: float,
    file: Path | None,
) -> None:
    """Show recorded clients and results side by side.

    Each NAME is a recorded implementation, such as `requests`, `curl@7.88` or `py3.*`, and RESULTS
    a file that `check --results` wrote; by default every recorded client. With `--cluster`, those
    that differ in few cases are one family, which is shown with cases that set it apart. What is
    recorded is compared with all that was done, results only by what they report.
    """
    corpus = load_corpus()
    say_what_matches_nothing(chosen, corpus)
    found = sides(written, corpus, chosen)
    screen = Screen(sys.stdout)
    if found.chosen is not None and not found.chosen:
        click.echo("httplib-kit: no case is selected; `httplib-kit list` shows them", err=True)
        ctx.exit(EXIT_NOTHING)
    lines: list[str] = []
    if cluster or file is not None:
        grouped = Families.of(found, within / 100)
        lines = list(grouped.lines()) if cluster else []
        if file is not None:
            _write(file, grouped.document(corpus))
    if not cluster:
        lines = matrix(found.runs, width=screen.width)
    shown = (part for line in lines for part in wrapped(line, screen.width))
    screen.write("".join(f"{line}\n" for line in shown))


def _write(file: Path, document: Mapping[str, object]) -> None:
    try:
        WholeFile(file).write((json.dumps(document, indent=1) + "\n").encode())
    except Refused as error:
        raise click.UsageError(f"--distances: {error}") from None


class Families(NamedTuple):
    """The families of some implementations.

    Args:
        found: the implementations.
        patterns: what each did in each case.
        apart: their distances.
        groups: the families, each a list of places among the implementations.
        within: by how much the members of a family may differ.
    """

    found: Sides
    patterns: Mapping[str, Pattern]
    apart: Sequence[Sequence[float]]
    groups: Sequence[Sequence[int]]
    within: float

    @classmethod
    def of(cls, found: Sides, within: float) -> "Families":
        """Return the families of *found*, in which no two differ by more than *within*."""
        patterns = _patterns(found)
        apart = distances(Counter(map(tuple, patterns.values())), range(len(found.labels)))
        return cls(found, patterns, apart, families(apart, within), within)

    def lines(self) -> Iterator[str]:
        """Yield the families as lines."""
        count = counted(len(self.groups), "family", "families")
        yield (
            f"{counted(len(self.found.labels), 'implementation')}, "
            f"{counted(len(self.patterns), 'case')}: {count}, "
            f"whose members differ in at most {100 * self.within:g} % of the cases"
        )
        for number, group in enumerate(self.groups, 1):
            yield ""
            yield f"{number}  {', '.join(self._labels(group))}"
            yield from (f"   {line}" for line in self._about(group))

    def _labels(self, group: Sequence[int]) -> list[str]:
        return [visible_text(self.found.labels[one]) for one in group]

    def _about(self, group: Sequence[int]) -> Iterator[str]:
        if len(group) > 1:
            most = max(self.apart[a][b] for a in group for b in group)
            yield f"differ from each other in at most {_percent(most)}"
        others = [one for one in self.groups if one is not group]
        if not others:
            return
        near = min(others, key=lambda one: self._between(group, one))
        yield (
            f"nearest is family {self.groups.index(near) + 1}, "
            f"which differs in {_percent(self._between(group, near))}"
        )
        rest = [one for other in others for one in other]
        alone = list(marks(group, rest, self.patterns))
        text = "in {} it does what no other does" if alone else "in {} it does what that does not"
        found = alone or list(marks(group, near, self.patterns))
        yield text.format(counted(len(found), "case")) + (":" if found else "")
        for mark in _spread(found):
            yield f"  {mark.case}"
            yield f"    these: {visible_text(mark.deed)}"
            deed, by = max(mark.others.items(), key=lambda pair: len(pair[1]))
            who = "all others" if len(mark.others) == 1 else f"{', '.join(self._labels(by[:3]))}"
            yield f"    {who}: {visible_text(deed)}"

    def _between(self, one: Sequence[int], other: Sequence[int]) -> float:
        """Return by how much two families differ on average."""
        return sum(self.apart[a][b] for a in one for b in other) / (len(one) * len(other))

    def document(self, corpus: Corpus) -> dict[str, object]:
        """Return distances and families for JSON."""
        return {
            "corpus": corpus.digest,
            "cases": len(self.patterns),
            "implementations": self.found.labels,
            "order": nearest(self.apart),
            "distances": [[round(share, 6) for share in row] for row in self.apart],
            "within": self.within,
            "families": [list(group) for group in self.groups],
        }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _spread(found: Sequence[Mark]) -> list[Mark]:
    """Return some of *found*, of different families of cases where there are some."""
    first = {mark.case.partition(".")[0]: mark for mark in reversed(found)}
    some = [*first.values(), *(mark for mark in found if mark not in first.values())]
    return some[:_MARKS]


def _patterns(found: Sides) -> dict[str, Pattern]:
    """Return what each of *found* did in each case."""
    if not found.keys:
        by_case = [{one.name: deed_of_result(one) for one in run.results} for run in found.runs]
        names = dict.fromkeys(name for one in by_case for name in one)
        return {name: [one.get(name, NO_DEED) for one in by_case] for name in names}
    patterns: dict[str, Pattern] = {}
    for case in found.cases:
        done = {one.key: deed_of_record(one) for one in judged(found.book, case)}
        patterns[case.id] = [done.get(key, NO_DEED) for key in found.keys]
    return {name: deeds for name, deeds in patterns.items() if set(deeds) != {NO_DEED}}
