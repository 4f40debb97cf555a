"""Triage: whatever was not expected is run a second time, alone, before anybody is troubled.

In: results, and a call that runs a case again.  Out: the same results; one whose second run came
to another verdict is FLAKY and keeps both.  Whether a flake is a failure is decided by its second
run: one that fails again, in another way and unforeseen, still is one.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from conformance.run.overlay import is_unexpected
from conformance.run.results import Again, Overlay, Result

MOST = 100
"""Results of a run that are run again: where more are unexpected, it is no matter of luck."""


def triaged(
    results: Iterable[Result], again: Callable[[Result], Result], most: int = MOST
) -> Iterator[Result]:
    """Yield each of *results* as it stands after a second run.

    Args:
        results: as the run and the baseline left them.
        again: runs the case of a result, alone, and returns its result, with its overlay and its
            transcript.
        most: how many are run again.
    """
    for result in results:
        if most > 0 and is_unexpected(result):
            most -= 1
            yield _compared(result, again(result))
        else:
            yield result


def _compared(first: Result, second: Result) -> Result:
    if second.verdict == first.verdict or second.is_error:
        return first
    told = Again(
        verdict=second.verdict,
        fine=not is_unexpected(second),
        **{name: getattr(second, name) for name in _KEPT},
    )
    return msgspec.structs.replace(first, overlay=Overlay.FLAKY, again=told)


_KEPT = ("reason", "where", "call", "seen", "trace", "transcript")
