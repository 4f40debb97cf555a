"""Runs cases: a server plays each case, a driver performs it, and the result is judged.

The input is an `Implementation`, any number of cases, and a certificate authority.  The output is
one `Result` for each case, in the order of the cases.

An implementation that hangs or dies costs its own verdict and about two seconds; the run continues.
A `Check` is a complete run: cases in parallel, the comparison of the results with a baseline, and
second runs of unexpected results.  The runner does not depend on grids, sweeps or pytest, and
prints nothing.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.run.deadlines import DEADLINE
    from conformance.run.recorder import NotRecorded, record
    from conformance.run.runner import Runner

__all__ = ["DEADLINE", "NotRecorded", "Runner", "record"]

__getattr__ = loader(
    __name__,
    {
        "DEADLINE": "deadlines",
        **dict.fromkeys(("NotRecorded", "record"), "recorder"),
        "Runner": "runner",
    },
)
