"""``python -m tools.miniatures.cover``: finds which cases fail which wrong clients.

Miniatures run the corpus, each in a process of its own, and `covering.toml` is written: it lists
for each miniature the cases that cover it.  Each judged case is listed at least once, with the
miniature that fails it and fails the fewest other cases; a grid represents its cases if one
miniature fails them all.  Clients that are wrong about everything cover no case, because failing
them says only that the case compares something.  Each requirement and each real bug that a
miniature is about is covered by a case that is about it too.

Records are kept, because the tests verify them: only new miniatures, and cases and subjects that
are missing, are measured; ``--anew`` discards all records first.  Running all cases on all
miniatures would take more than an hour.  So a miniature runs the outermost and the middle case of
each grid first, then the grids of which it failed one, or all grids if it failed none, then the
cases about its own subjects, and finally the cases that no miniature has failed so far.
"""

import argparse
import os
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from certs import CertificateAuthority
from conformance.cases import JUDGED_LEVELS, Case, load_corpus, load_regressions
from conformance.drivers import OURS, target
from conformance.run import Runner
from tools.miniatures import lies as _  # noqa: F401 # fills the table
from tools.miniatures.arena import forked
from tools.miniatures.miniature import LIES, Miniature

COVERING = Path(__file__).with_name("covering.toml")
_BUGS = {one.id: one for one in load_regressions()}
_MOST = 2
"""Cases that are recorded for a miniature that covers no others."""

_ROUNDS = 3
"""How often a result is measured again if some of it was chance."""

Failures = dict[str, set[str]]
"""For each miniature the ids of the cases that it fails."""


def recorded() -> Mapping[str, list[str]]:
    """Return for each miniature the ids of the cases and grids that cover it."""
    table: dict[str, list[str]] = tomllib.loads(COVERING.read_text(encoding="utf-8"))
    return table


def named(cases: Iterable[Case], names: Iterable[str]) -> list[Case]:
    """Return those of *cases* that *names*, the ids of cases or grids, select."""
    wanted = frozenset(names)
    return [case for case in cases if case.id in wanted or case.authored in wanted]


def is_about(case: Case, subject: str) -> bool:
    """Return whether *case* cites the requirement *subject*, or would have found the bug."""
    bug = _BUGS.get(subject)
    return subject in case.spec if bug is None else bug.is_caught_by(case)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write `covering.toml`; return 1 if a miniature, a case or a subject is uncovered."""
    parser = argparse.ArgumentParser(prog="cover", description=__doc__)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--anew", action="store_true", help="forget what is recorded")
    options = parser.parse_args(arguments)
    cases = tuple(load_corpus().select(levels=JUDGED_LEVELS))  # built once, used several times
    failed = _kept(cases, {} if options.anew else recorded())
    _measure(failed, cases, options.jobs)
    table = _confirmed(failed, cases, options.jobs)
    _write(table)
    return _told(cases, failed, table)


def _confirmed(failed: Failures, cases: Sequence[Case], jobs: int) -> dict[str, list[str]]:
    """Return the table after every case has failed its miniature once more."""
    for _round in range(_ROUNDS):
        table = _table(cases, failed)
        again: Failures = defaultdict(set)
        held = {name: named(cases, names) for name, names in table.items()}
        _meet(again, held, jobs)
        doubtful = {name: {case.id for case in held[name]} - again[name] for name in table}
        if not any(doubtful.values()):
            return table
        for name, ids in doubtful.items():
            failed[name] -= ids
    return _table(cases, failed)


def _kept(cases: Sequence[Case], before: Mapping[str, Sequence[str]]) -> Failures:
    return {one.name: {case.id for case in named(cases, before.get(one.name, ()))} for one in LIES}


def _measure(failed: Failures, cases: Sequence[Case], jobs: int) -> None:
    """Add to *failed* what is not measured yet."""
    grids: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        grids[case.authored].append(case)
    first = [case for members in grids.values() for case in _sample(members)]
    new = [one.name for one in LIES if not failed[one.name]]
    _meet(failed, dict.fromkeys(new, first), jobs)
    further: dict[str, list[Case]] = {}
    for name in new:
        known = {case.authored for case in first if case.id in failed[name]}
        further[name] = [case for grid in sorted(known or grids) for case in grids[grid][1:-1]]
    _meet(failed, further, jobs)
    _meet(failed, {one.name: _unmet(one, cases, failed[one.name]) for one in LIES}, jobs)
    narrow = [one.name for one in LIES if not one.universal]
    held = {case for name in narrow for case in failed[name]}
    left = [case for case in cases if case.id not in held]
    _meet(failed, dict.fromkeys(narrow, left), jobs)


def _unmet(miniature: Miniature, cases: Sequence[Case], failed: set[str]) -> list[Case]:
    """The cases about subjects of *miniature* of which it has failed no case."""
    about = ([case for case in cases if is_about(case, one)] for one in miniature.about)
    return [case for some in about if failed.isdisjoint(case.id for case in some) for case in some]


def _sample(grid: Sequence[Case]) -> list[Case]:
    return list({one.id: one for one in (grid[0], grid[len(grid) // 2], grid[-1])}.values())


def _meet(failed: Failures, wanted: Mapping[str, Sequence[Case]], jobs: int) -> None:
    """Run cases on miniatures, and add to *failed* which fail."""
    meeting = [one for one in LIES if wanted.get(one.name)]
    tasks = (partial(_failed_by, one, wanted[one.name]) for one in meeting)
    for number, ids in forked(tasks, jobs):
        name = meeting[number].name
        failed[name].update(ids or ())
        print(f"{name}: {len(ids or ())} of {len(wanted[name])}", flush=True)


def _failed_by(miniature: Miniature, cases: Sequence[Case]) -> list[str]:
    with miniature.active(), Runner(target(OURS), CertificateAuthority()) as runner:
        return [result.id for result in runner.run(cases) if result.failed]


def _table(cases: Sequence[Case], failed: Failures) -> dict[str, list[str]]:
    """Return for each miniature the cases and grids that cover it."""
    table: dict[str, list[str]] = {one.name: [] for one in LIES}
    narrow = sorted((one for one in LIES if not one.universal), key=lambda x: len(failed[x.name]))
    grids: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        grids[case.authored].append(case.id)
    for grid, ids in grids.items():
        for name, held in _holders(grid, ids, [(one.name, failed[one.name]) for one in narrow]):
            table[name].append(held)
    popular = Counter(case for ids in failed.values() for case in ids)
    best = sorted(cases, key=lambda case: (popular[case.id], case.id))
    for one in LIES:
        mine = [case for case in best if case.id in failed[one.name]]
        for subject in one.about:
            about = [case for case in mine if is_about(case, subject)]
            if about and not any(is_about(case, subject) for case in named(mine, table[one.name])):
                table[one.name].append(about[0].id)
        if not table[one.name]:
            table[one.name] += [case.id for case in mine[:_MOST]]
    return table


def _holders(
    grid: str, ids: Sequence[str], narrow: Sequence[tuple[str, set[str]]]
) -> Iterator[tuple[str, str]]:
    """Yield pairs of a miniature and what it fails: a complete grid, or one case."""
    whole = next((name for name, failures in narrow if failures.issuperset(ids)), None)
    if whole is not None:
        yield whole, grid
        return
    for case in ids:
        holder = next((name for name, failures in narrow if case in failures), None)
        if holder is not None:
            yield holder, case


def _write(table: Mapping[str, Sequence[str]]) -> None:
    lines = ["# Written by `make covering`: for each miniature, cases and grids that it fails.", ""]
    for name, held in sorted(table.items()):
        lines.append(f'"{name}" = [')
        lines += [f'  "{case}",' for case in sorted(set(held))]
        lines.append("]")
    COVERING.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(cases: Sequence[Case], failed: Failures, table: Mapping[str, Sequence[str]]) -> int:
    specific = {case for one in LIES if not one.universal for case in failed[one.name]}
    alone = sorted(one.name for one in LIES if not table[one.name])
    missed = sorted({case.id for case in cases} - specific)
    print(f"{len(LIES)} miniatures, {sum(one.universal for one in LIES)} wrong about everything")
    print(f"{len(specific)} of {len(cases)} cases are failed by one that is wrong about one thing")
    for name in alone:
        print(f"NO CASE FINDS OUT {name}")
    for name in missed:
        print(f"NO MINIATURE IS FAILED BY {name}")
    lacking = sorted(subject for subject in unshown(cases, table))
    for subject in lacking:
        print(f"NO CASE ABOUT {subject} FINDS ONE OUT THAT LIES ABOUT IT")
    return 1 if alone or missed or lacking else 0


def unshown(cases: Sequence[Case], table: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the subjects of lies, requirements and bugs, without a recorded case about them."""
    citable = {one for case in cases for one in case.spec} | _BUGS.keys()
    wanted = {subject for one in LIES for subject in one.about} & citable
    for one in LIES:
        held = named(cases, table.get(one.name, ()))
        wanted -= {subject for subject in one.about if any(is_about(c, subject) for c in held)}
    return wanted


if __name__ == "__main__":
    sys.exit(main())
