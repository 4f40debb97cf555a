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
    from conformance.run.background import Background
    from conformance.run.check import Check
    from conformance.run.deadlines import (
        DEADLINE,
        LONGEST_DEADLINE,
        NOT_WAITED_FOR,
        SHORTEST_DEADLINE,
        as_deadline,
    )
    from conformance.run.recorder import ROSTER, NotRecorded, record
    from conformance.run.runner import Runner
    from conformance.run.trial import ENDS, NotTried, Trial, Trials, compared, trial_text, tried

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "background": "Background",
            "check": "Check",
            "deadlines": "DEADLINE LONGEST_DEADLINE NOT_WAITED_FOR SHORTEST_DEADLINE as_deadline",
            "recorder": "NotRecorded ROSTER record",
            "runner": "Runner",
            "trial": "ENDS NotTried Trial Trials compared trial_text tried",
        },
    )
