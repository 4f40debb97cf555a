"""The score of a run: how many judged cases pass, and how many were not run and why.

The input is results.  The output is a `Score`, and its text.  No report shows a number of passes
without what was not run: a score over only the cases that an implementation supports would mislead.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.judge import Verdict
from conformance.report.octets import visible_text
from conformance.report.standing import Standing, standing
from conformance.results import Result
from conformance.run import NOT_WAITED_FOR
from conformance.wording import counted

WELL = (Standing.OK,)
ILL = (Standing.FAILED, Standing.EXPECTED, Standing.FLAKY)
"""Judged and not passed, which includes known failures and flaky cases."""
_UNREACHED = f"{Verdict.NOT_RUN}: the first failure ended the run"
_NO_FEATURE = "the implementation has no "
_MOST_REASONS = 12
_LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a run.

    Args:
        well: judged cases that pass.
        judged: cases that were judged.
        observed: cases that were run and are never judged.
        cases: all cases.
        not_run: the other cases, by the reason why they were not judged, most frequent first.
        scripts_well: distinct scripts of which every judged case passes; None if the results do not
            name their scripts.
        scripts: distinct scripts of judged cases; None as above.
    """

    well: int
    judged: int
    observed: int
    cases: int
    not_run: dict[str, int]
    scripts_well: int | None
    scripts: int | None

    @property
    def not_judged(self) -> int:
        """How many cases were not run, and so not judged."""
        return self.cases - self.judged - self.observed

    @property
    def text(self) -> str:
        """The score in one line, without the reasons."""
        text = f"{self.well} of {counted(self.judged, 'judged case')} "
        text += "passes" if self.judged == 1 else "pass"
        if self.scripts is not None and self.scripts != self.judged:
            text += f" ({self.scripts_well} of {counted(self.scripts, 'distinct script')})"
        if self.observed:
            text += f"; {self.observed} of {counted(self.cases, 'case')} observed, and never judged"
        if self.not_judged:
            text += f"; {self.not_judged} of {counted(self.cases, 'case')} not run"
        return text

    @property
    def reasons(self) -> list[str]:
        """A line for each reason why cases were not run, with their number."""
        lines = [f"{count} {reason}" for reason, count in self.not_run.items()]
        if len(lines) <= _MOST_REASONS:
            return lines
        left = sum(list(self.not_run.values())[_MOST_REASONS - 1 :])
        others = len(lines) - _MOST_REASONS + 1
        return [*lines[: _MOST_REASONS - 1], f"{left} for {others} other reasons"]

    @property
    def short(self) -> str:
        """The score in a few characters, for a badge."""
        missing = f", {self.not_judged} of {self.cases} not run" if self.not_judged else ""
        observed = f", {self.observed} observed" if self.observed else ""
        return f"{self.well}/{self.judged}{observed}{missing}"


def score(results: Iterable[Result], unreached: int = 0) -> Score:
    """Return the score of *results*.

    Args:
        results: of one run.
        unreached: how many further cases its first failure kept from being run.
    """
    every = list(results)
    ran = [one for one in every if standing(one) in (*WELL, *ILL)]
    judged = [(one, standing(one) in WELL) for one in ran if one.verdict != Verdict.INFO]
    missing = Counter(_reason(one) for one in every if standing(one) not in (*WELL, *ILL))
    if unreached:
        missing[_UNREACHED] += unreached
    scripts: dict[str, bool] = {}
    for one, well in judged:
        scripts[one.script] = scripts.get(one.script, True) and well
    known = "" not in scripts
    return Score(
        well=sum(well for _, well in judged),
        judged=len(judged),
        observed=len(ran) - len(judged),
        cases=len(every) + unreached,
        not_run=dict(sorted(missing.items(), key=lambda pair: (-pair[1], pair[0]))),
        scripts_well=sum(scripts.values()) if known else None,
        scripts=len(scripts) if known else None,
    )


def _reason(result: Result) -> str:
    """Return a short reason why *result* was not judged."""
    reason = visible_text(result.reason)
    if reason.startswith(NOT_WAITED_FOR):
        return f"{result.verdict}: {NOT_WAITED_FOR}, because others had hung at the same place"
    if reason.startswith(_NO_FEATURE):
        return f"{result.verdict}: no {reason.removeprefix(_NO_FEATURE)}"
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]} …"
    return f"{result.verdict}: {reason}" if reason else result.verdict


def score_lines(results: Sequence[Result], unreached: int = 0) -> list[str]:
    """Return the score, and the reasons why cases were not run, as lines."""
    found = score(results, unreached)
    return [found.text, *(f"  {line}" for line in found.reasons)]
