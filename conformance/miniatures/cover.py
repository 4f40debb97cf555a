"""``python -m conformance.miniatures.cover``: which cases find which wrong client out?

Every miniature meets the whole corpus, in a process of its own. `covering.toml` is written anew:
for each miniature the cases that fail it and the fewest others, so that each lie is held by cases
that are about it. What is printed is the honest part: how many cases are failed by no miniature but
those that are wrong about everything.
"""

import argparse
import itertools
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from certs import CertificateAuthority
from conformance.cases import Case, load_corpus
from conformance.cases.corpus import JUDGED_LEVELS
from conformance.drivers import target
from conformance.drivers.factory import OURS
from conformance.miniatures import lies as _  # noqa: F401 # fills the table
from conformance.miniatures.arena import forked
from conformance.miniatures.miniature import LIES, Miniature
from conformance.run import Runner

COVERING = Path(__file__).with_name("covering.toml")
_MOST = 2
"""Cases that are recorded for a miniature."""


def recorded() -> Mapping[str, list[str]]:
    """Return the cases that are recorded for each miniature."""
    table: dict[str, list[str]] = tomllib.loads(COVERING.read_text(encoding="utf-8"))
    return table


def failed_by(miniature: Miniature, cases: Sequence[Case], most: int) -> list[str]:
    """Return the ids of up to *most* cases that *miniature* fails, those that hang it last."""
    with miniature.told(), Runner(target(OURS), CertificateAuthority()) as runner:
        failing = (result for result in runner.run(cases) if result.failed)
        failures = list(itertools.islice(failing, most))
    failures.sort(key=lambda result: result.verdict in ("HANG", "CRASH"))
    return [result.id for result in failures]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write `covering.toml`; return 1 where a miniature or a case is left."""
    parser = argparse.ArgumentParser(prog="cover", description=__doc__)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument(
        "--most", type=int, default=sys.maxsize, help="let a miniature go after so many failures"
    )
    options = parser.parse_args(arguments)
    cases = load_corpus().select(levels=JUDGED_LEVELS)
    failed: dict[str, list[str]] = {}
    before = recorded()
    tasks = (
        partial(failed_by, one, _first(cases, before.get(one.name, ())), options.most)
        for one in LIES
    )
    for number, ids in forked(tasks, options.jobs):
        failed[LIES[number].name] = ids or []
        print(f"{LIES[number].name}: {len(ids or ())}", flush=True)
    _write(failed)
    return _told(failed, [case.id for case in cases])


def _first(cases: Sequence[Case], ids: Sequence[str]) -> list[Case]:
    """The cases, those with these ids in front."""
    return sorted(cases, key=lambda case: case.id not in ids)


def _write(failed: Mapping[str, Sequence[str]]) -> None:
    popular = Counter(case for ids in failed.values() for case in ids)
    lines = [
        "# Written by `make covering`: for each miniature, cases that fail it and few others.",
        "",
    ]
    for name, ids in sorted(failed.items()):
        best = sorted(ids, key=lambda case: popular[case])[:_MOST]
        listed = ", ".join(f'"{case}"' for case in sorted(best))
        lines.append(f'"{name}" = [{listed}]')
    COVERING.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(failed: Mapping[str, Sequence[str]], cases: Sequence[str]) -> int:
    universal = {one.name for one in LIES if one.universal}
    specific = {case for name, ids in failed.items() if name not in universal for case in ids}
    anyhow = {case for ids in failed.values() for case in ids}
    alone = sorted(name for name, ids in failed.items() if not ids)
    missed = sorted(set(cases) - anyhow)
    print(f"{len(failed)} miniatures, {len(universal)} of them wrong about everything")
    print(f"{len(specific)} of {len(cases)} cases are failed by one that is wrong about one thing")
    for name in alone:
        print(f"NO CASE FINDS OUT {name}")
    for case in missed:
        print(f"NO MINIATURE FAILS {case}")
    return 1 if alone or missed else 0


if __name__ == "__main__":
    sys.exit(main())
