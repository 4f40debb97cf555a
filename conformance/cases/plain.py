"""What TOML can say and a case cannot: dates, numbers that are none, tables without end.

In: a table as `tomllib` made it, before anything else looks at it.  Out: nothing, or a `CaseError`.
A number must go through JSON to a driver in any language; 64 bits do, with and without a sign.
"""

import math
from collections.abc import Iterable
from typing import Any

from conformance.cases.errors import CaseError, within

_DEPTH = 24


def check_plain(value: Any, room: int = _DEPTH) -> None:
    """Refuse in *value* what no case can use.

    Args:
        value: a table, or anything in it.
        room: how many levels there may still be.

    Raises:
        CaseError: with the path of what is refused.
    """
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = ((f"[{index}]", item) for index, item in enumerate(value))
    else:
        _check_scalar(value)
    for place, item in inner:
        if isinstance(item, str):
            continue
        if not room:
            raise CaseError(f"is nested more than {_DEPTH} levels deep")
        within(place, check_plain, item, room - 1)


def _check_scalar(value: Any) -> None:
    if not isinstance(value, str | int | float):
        raise CaseError(f"a case has no use for a {type(value).__name__}")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise CaseError("a number has at most 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise CaseError(f"a number is finite, not {value}")
