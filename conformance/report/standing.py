"""The standing of a result: how a pipeline treats it.

The input is a result, with its overlay and its second run.  The output is one word.  Every report
uses this function, so that no two reports disagree.
"""

import enum
from collections.abc import Iterable

from conformance.judge import ERRORS, NOT_RUN, OK, Verdict
from conformance.results import Overlay, Result

EXIT_OK, EXIT_FAILED, EXIT_ERROR, EXIT_NOTHING = 0, 1, 2, 3


class Standing(enum.Enum):
    """How a pipeline treats a result."""

    OK = "ok"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    """Not run, and not a fault."""
    EXPECTED = "expected"
    """Fails as its baseline says."""
    FLAKY = "flaky"
    """As expected when run again, alone and after the same cases; neither passed nor failed."""


def standing(result: Result) -> Standing:
    """Return the standing of *result*."""
    verdict = Verdict(result.verdict)
    if verdict in ERRORS:
        return Standing.ERROR
    if verdict in NOT_RUN:
        return Standing.SKIPPED
    if result.overlay:
        return _overlaid(result)
    return Standing.OK if verdict in OK else Standing.FAILED


def _overlaid(result: Result) -> Standing:
    if result.overlay == Overlay.EXPECTED:
        return Standing.EXPECTED
    fine = result.again is not None and result.again.fine
    return Standing.FLAKY if result.overlay == Overlay.FLAKY and fine else Standing.FAILED


TOLD = frozenset({Standing.FAILED, Standing.ERROR, Standing.FLAKY})
"""Standings that are reported with a story."""


def exit_code(results: Iterable[Result], *, fail_on_flaky: bool = False) -> int:
    """Return 0 for ok, 1 for failures, 2 for an error of kit or driver, 3 if nothing ran.

    A case that the kit gave up and did not judge (NOT_RUN) is not ok either.

    Args:
        results: the results of one run.
        fail_on_flaky: whether a flaky case is a failure.
    """
    every = list(results)
    found = {standing(result) for result in every}
    if Standing.ERROR in found:
        return EXIT_ERROR
    if any(one.verdict == Verdict.NOT_RUN for one in every):
        return EXIT_FAILED
    if Standing.FAILED in found or (fail_on_flaky and Standing.FLAKY in found):
        return EXIT_FAILED
    return EXIT_OK if found - {Standing.SKIPPED} else EXIT_NOTHING


def worst_code(codes: Iterable[int]) -> int:
    """Return the exit code of several runs: an error before a failure, and both before nothing."""
    found = set(codes)
    return next(
        (code for code in (EXIT_ERROR, EXIT_FAILED, EXIT_NOTHING) if code in found), EXIT_OK
    )
