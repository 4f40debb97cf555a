"""``python -m tools.mutation.strength``: counts the mutants that the corpus kills.

Every mutant of `httplib_impl` runs the cases that execute the lines it changes, first those that
killed mutants of nearby lines, up to one that it fails twice.  A survivor runs a part of the same
cases again under the sweeps.  Survivors are printed; one that no user of the client could
distinguish from the reference is recorded in `equivalent.toml`, with a reason.

A case with an outcome applies to the reference also at the level `observe`: what other
implementations may do differently is fixed for this one.
"""

import argparse
import itertools
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from pathlib import Path

from conformance.cases import JUDGED_LEVELS, Case, load_corpus, swept
from tools.miniatures import Fate, forked, meet
from tools.mutation.coverage import Coverage, record
from tools.mutation.equivalent import Equivalents
from tools.mutation.mutants import Mutant, mutants_of

PACKAGE = Path(__file__).resolve().parents[2] / "httplib_impl"
_SKIPPED = {"__init__"}
"""Modules that only import names from others."""
_SWEPT = 150
"""How many settings of covering cases a survivor runs under the sweeps."""
_GLANCE = 400
"""How many covering cases a mutant runs that is recorded as equivalent: enough to detect a wrong
entry, while the survivors among them do not take most of the time.
"""
_GOAL = 0.97


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 below the goal, or if `equivalent.toml` is out of date."""
    options = _parser().parse_args(arguments)
    begun = time.monotonic()
    cases = [
        held(case) for case in load_corpus().cases if case.level in JUDGED_LEVELS or case.outcomes
    ]
    paths = [path for path in sorted(PACKAGE.glob("*.py")) if path.stem not in _SKIPPED]
    if options.module:
        paths = [path for path in paths if path.stem in options.module]
    mutants = _generated(paths, options.jobs)
    coverage = _recorded(cases)
    if coverage.failed:
        print("the unchanged reference fails", *coverage.failed[:5], file=sys.stderr)
        return 2
    print(f"{len(mutants)} mutants, {len(cases)} cases, {time.monotonic() - begun:.0f} s to begin")
    equivalents = Equivalents.load()
    known = {number for number, one in enumerate(mutants) if equivalents.reason(one) is not None}
    fates = _fates(mutants, cases, coverage, known, options.jobs)
    status = _report(mutants, fates, equivalents)
    if options.results:
        _write(options.results, mutants, fates)
    print(f"{time.monotonic() - begun:.0f} s in all")
    return status


def held(case: Case) -> Case:
    """Return the case in the form in which the reference is judged."""
    return replace(case, level="precedent") if case.level == "observe" else case


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="strength", description=__doc__)
    parser.add_argument("module", nargs="*", help="modules of httplib_impl, by default all")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--results", type=Path, help="write the fate of every mutant, JSON lines")
    return parser


def _generated(paths: Sequence[Path], jobs: int) -> list[Mutant]:
    """The mutants of all files, in the order of the files."""
    made = dict(forked((partial(mutants_of, path) for path in paths), jobs))
    found: list[Mutant] = []
    for number, path in enumerate(paths):
        mutants = made[number]
        if mutants is None:
            raise RuntimeError(f"no mutants of {path} could be made")
        found += mutants
    return found


def _recorded(cases: Sequence[Case]) -> Coverage:
    """Return what the cases execute, recorded in another process: this one is forked later."""
    ((_, coverage),) = forked(iter([partial(record, cases, PACKAGE)]), 1)
    if coverage is None:
        raise RuntimeError("the coverage could not be recorded")
    return coverage


def _fates(
    mutants: Sequence[Mutant],
    cases: Sequence[Case],
    coverage: Coverage,
    known: AbstractSet[int],
    jobs: int,
) -> list[Fate]:
    """Return the fate of each mutant; *known* are the numbers of those recorded as equivalent."""
    killers: dict[str, Counter[str]] = defaultdict(Counter)

    def first() -> Iterator[Callable[[], Fate]]:
        for number, mutant in enumerate(mutants):
            nearest = killers[_places(mutant)[0]] or killers[_places(mutant)[1]]
            met = _ordered(mutant, cases, coverage, nearest)
            met = met[:_GLANCE] if number in known else met
            yield partial(meet, mutant.module, mutant.source, met)

    fates = [_DIED] * len(mutants)
    for done, (number, fate) in enumerate(forked(first(), jobs), 1):
        fates[number] = fate or _DIED
        for place in _places(mutants[number]):
            killers[place][fates[number].killer] += bool(fates[number].killer)
        if fates[number].survived and number not in known:
            print(f"  through the first round: {mutants[number].name}", flush=True)
        if done % 100 == 0:
            print(f"  {done} of {len(mutants)}", flush=True)
    left = [number for number, fate in enumerate(fates) if fate.survived and number not in known]
    again = (
        partial(meet, one.module, one.source, _varied(one, cases, coverage))
        for one in (mutants[number] for number in left)
    )
    for index, fate in forked(again, jobs):
        fates[left[index]] = fate or _DIED
    return fates


_DIED = Fate("", "DIED", 0)


def _places(mutant: Mutant) -> tuple[str, str]:
    """Its function and its module: a case that killed one mutant there may kill the next."""
    return f"{mutant.module}.{mutant.function}", mutant.module


def _ordered(
    mutant: Mutant, cases: Sequence[Case], coverage: Coverage, killers: Counter[str]
) -> list[Case]:
    """Return the cases that execute the changed lines, first those that killed nearby mutants.

    Code that runs only at import is executed by no case; then all cases are run.
    """
    indices = coverage.covering(mutant.module, mutant.lines)
    if not indices:
        indices = sorted(range(len(cases)), key=lambda index: (-killers[cases[index].id], index))
    # Adjacent cases in a file test similar things: every seventeenth covers more of the rest.
    stride = 17
    spread = list(itertools.chain.from_iterable(indices[start::stride] for start in range(stride)))
    spread.sort(key=lambda index: (-killers[cases[index].id], coverage.seconds[index] > 0.1))
    return [cases[index] for index in spread]


def _varied(mutant: Mutant, cases: Sequence[Case], coverage: Coverage) -> list[Case]:
    """Return a part of the covering cases under the sweeps, spread over all of them."""
    indices = coverage.covering(mutant.module, mutant.lines)
    quick = [cases[index] for index in indices if coverage.seconds[index] < 0.1]
    settings = [one for case in quick for one in swept(case, "each") if one.setting]
    step = max(1, len(settings) // _SWEPT)
    return settings[::step]


def _report(mutants: Sequence[Mutant], fates: Sequence[Fate], equivalents: Equivalents) -> int:
    """Print the table and the survivors; return the exit code."""
    survivors = [one for one, fate in zip(mutants, fates, strict=True) if fate.survived]
    unexplained = [one for one in survivors if equivalents.reason(one) is None]
    killed: Counter[str] = Counter()
    alive: Counter[str] = Counter(one.module for one in unexplained)
    total: Counter[str] = Counter(one.module for one in mutants)
    for one, fate in zip(mutants, fates, strict=True):
        killed[one.module] += not fate.survived
    for one in unexplained:
        print(f"SURVIVED {one.operator}: {one.name}")
    print(f"{'module':<16}{'mutants':>8}{'killed':>8}{'equivalent':>12}{'survived':>10}")
    for module in sorted(total):
        equal = total[module] - killed[module] - alive[module]
        print(f"{module:<16}{total[module]:>8}{killed[module]:>8}{equal:>12}{alive[module]:>10}")
    stale = equivalents.unused(survivors, total)
    for text in stale:
        print(f"STALE in equivalent.toml: {text}")
    judged = killed.total() + len(unexplained)
    share = killed.total() / judged if judged else 1.0
    verdicts = Counter(fate.verdict for fate in fates if not fate.survived)
    print("killed by:", ", ".join(f"{name} {count}" for name, count in verdicts.most_common()))
    print(f"killed {killed.total()} of {judged} mutants that are not equivalent: {share:.2%}")
    return 0 if share >= _GOAL and not stale else 1


def _write(path: Path, mutants: Sequence[Mutant], fates: Sequence[Fate]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for mutant, fate in zip(mutants, fates, strict=True):
            row = {
                "module": mutant.module,
                "function": mutant.function,
                "operator": mutant.operator,
                "line": mutant.lines.start,
                "before": mutant.before,
                "after": mutant.after,
                "killer": fate.killer,
                "verdict": fate.verdict,
                "cases": fate.cases,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
