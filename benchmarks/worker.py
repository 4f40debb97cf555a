"""The cost of a worker: `http.client` in a process of its own, compared with in-process.

The same plain cases are run by the same runner, in-process and in a worker under the same
interpreter. Rounds are interleaved, and each ratio is that of two adjacent rounds. The table also
has the cost of starting the interpreter for every case.

Run ``python -m benchmarks.worker [--rounds N] [--cases N]``; on a machine with other load, pin it
to one processor (``taskset -c 0``).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.check_overhead import plain_cases
from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import Target
from conformance.judge import OK
from conformance.run import Runner

MODULE = "http.client"


def judged(cases: Sequence[Case], runner: Runner) -> float:
    """Return the seconds that the verdicts on *cases* take."""
    started = time.perf_counter()
    for result in runner.run(cases):
        if result.verdict not in OK:
            raise SystemExit(f"{result.id}: {result.verdict} {result.reason}")
    return time.perf_counter() - started


def spawned() -> float:
    """Return the seconds that the interpreter takes to start, import the module, and end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {MODULE}"], check=True)
    return time.perf_counter() - started


def passing(cases: Sequence[Case]) -> list[Case]:
    """Return those of *cases* that `http.client` passes."""
    with Runner(Target(MODULE, None, MODULE), CertificateAuthority()) as runner:
        return [
            case
            for case, result in zip(cases, runner.run(cases), strict=True)
            if result.verdict in OK
        ]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cases", type=int, default=500)
    options = parser.parse_args()
    cases = passing(plain_cases(options.cases))
    here = Target(MODULE, None, MODULE)
    apart = Target(MODULE, sys.executable, MODULE)
    with (
        Runner(here, CertificateAuthority()) as in_process,
        Runner(apart, CertificateAuthority()) as worker,
    ):
        judged(cases, in_process), judged(cases, worker)
        rounds = [
            (judged(cases, in_process), judged(cases, worker), spawned())
            for _ in range(options.rounds)
        ]
    per_case = 1e6 / len(cases)
    ratio = statistics.median(there / home for home, there, _ in rounds)
    share = statistics.median(spawn * len(cases) / there for _, there, spawn in rounds)
    for name, column in (("in-process", 0), ("worker", 1)):
        print(f"{name:<11}{statistics.median(r[column] for r in rounds) * per_case:7.0f} µs a case")
    print(f"spawn      {statistics.median(r[2] for r in rounds) * 1e6:7.0f} µs")
    print(f"worker / in-process {ratio:6.2f}   (median of {len(rounds)} pairs; goal: at most 2)")
    print(f"spawn / worker case {share:6.1f}   (goal: at least 20)")


if __name__ == "__main__":
    main()
