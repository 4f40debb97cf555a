"""Reduces failures under a sweep to the smallest settings that fail.

The input is the results of a run.  The output is the same results, in order; a failure whose case
also fails under a part of its setting names that part in *within*.  Under ``--sweep product`` every
part of a setting was run too, so nothing has to run again: the failures without *within* have the
smallest settings that fail.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from conformance.judge import FAILURES
from conformance.results import Result


def reduced(results: Iterable[Result]) -> Iterator[Result]:
    """Yield each of *results*.

    A failure names the smaller setting within which it fails, if any.
    """
    whole = list(results)
    failed: dict[str, list[Result]] = defaultdict(list)
    for result in whole:
        if result.verdict in FAILURES:
            failed[result.id].append(result)
    for found in failed.values():
        found.sort(key=lambda one: (len(one.setting), one.name))
    for result in whole:
        smaller = _smallest_within(result, failed.get(result.id, ()))
        yield result if smaller is None else msgspec.structs.replace(result, within=smaller.name)


def _smallest_within(result: Result, failed: Iterable[Result]) -> Result | None:
    """Return the first of *failed* whose setting is a proper part of that of *result*."""
    if result.verdict not in FAILURES:
        return None
    own = result.setting.items()
    return next((one for one in failed if one.setting.items() < own), None)
