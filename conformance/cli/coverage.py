"""The table of ``httplib-kit list --coverage``: which requirements and real bugs have cases.

The input is the selected cases.  The output is lines of text: on a terminal a table with its
totals, in a pipe one requirement a line, with its fields separated by tabs.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from conformance.cases import (
    Listed,
    Regression,
    Requirement,
    load_regressions,
    load_requirements,
    load_rules,
)
from conformance.wording import counted


class Coverage:
    """What *cases* cover.

    Args:
        cases: the selected cases, grids expanded.
    """

    def __init__(self, cases: Sequence[Listed]) -> None:
        self._cases = cases
        self._requirements = tuple(load_requirements().values())
        self._citing: dict[str, list[Listed]] = defaultdict(list)
        for case in cases:
            for cited in case.spec:
                self._citing[cited].append(case)
        self._regressions = load_regressions()

    @property
    def missing(self) -> list[Requirement]:
        """The requirements without a case."""
        return [one for one in self._requirements if not self._citing[one.id]]

    @property
    def uncaught(self) -> list[Regression]:
        """The real bugs without a case."""
        return [one for one in self._regressions if not any(map(one.is_caught_by, self._cases))]

    def plain(self) -> Iterator[str]:
        """Yield for each requirement its number, id, entry, cases as written, cases, and text."""
        for one, authored, expanded in self._rows():
            yield f"{one.number}\t{one.id}\t{one.entry}\t{authored}\t{expanded}\t{one.text}"

    def table(self) -> Iterator[str]:
        """Yield the table and its totals."""
        width = max(len(one.id) for one in self._requirements)
        yield f"  no  {'requirement':<{width}}  written  cases  text"
        for one, authored, expanded in self._rows():
            yield f"{one.number:>4}  {one.id:<{width}}  {authored:>7}  {expanded:>5}  {one.text}"
        yield ""
        yield _sum("requirements", len(self._requirements), [one.id for one in self.missing])
        yield _sum("real bugs", len(self._regressions), [one.id for one in self.uncaught])
        written = len({case.authored for case in self._cases})
        yield f"{counted(len(self._cases), 'case')}, {written} as written"

    def rules(self) -> Iterator[tuple[str, ...]]:
        """Yield for each demand of RFCs its id, its strength, the number of cases, and its text."""
        for one in load_rules():
            about = sum(one.is_about(case.id) for case in self._cases)
            yield one.id, one.strength, str(about), one.text

    def rule_table(self) -> Iterator[str]:
        """Yield the demands of RFCs as a table, and its total."""
        rows = list(self.rules())
        yield f"{'demand':<16}  {'':<10}  cases  text"
        for name, strength, about, text in rows:
            yield f"{name:<16}  {strength:<10}  {about:>5}  {text}"
        yield ""
        yield _sum("demands of RFCs", len(rows), [row[0] for row in rows if row[2] == "0"])

    def _rows(self) -> Iterator[tuple[Requirement, int, int]]:
        for one in self._requirements:
            citing = self._citing[one.id]
            yield one, len({case.authored for case in citing}), len(citing)


def _sum(what: str, total: int, missing: Sequence[str]) -> str:
    met = total - len(missing)
    share = f"{met} of {total} {what} have cases ({100 * met // total} %)"
    return f"{share}; without: {', '.join(missing)}" if missing else share
