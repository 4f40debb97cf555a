"""From text to plain tables, without values that TOML can express and a case cannot use.

The input is text, the output plain tables. tomli reads them, because its compiled wheel is faster
than `tomllib`. The two have the same source; text that tomli refuses is parsed again by `tomllib`,
so that the error has the words of the standard library whether or not tomli is compiled.

`check_plain` refuses dates, NaN, infinity and deep nesting, before anything else reads a table. A
number must survive JSON on the way to a driver in any language; 64-bit numbers do, signed and
unsigned.
"""

import math
import tomllib
from collections.abc import Iterable
from typing import Any

import tomli

from conformance.cases.errors import CaseError, within

_DEPTH = 24


def parse(text: str) -> dict[str, Any]:
    """Return the tables of *text*.

    Raises:
        ValueError: it is not TOML, or contains a number with more digits than `int()` accepts.
        RecursionError: it is nested too deeply.
    """
    try:
        return tomli.loads(text)
    except ValueError:
        return tomllib.loads(text)


def check_plain(value: Any, room: int = _DEPTH) -> None:
    """Refuse values that no case can use.

    Args:
        value: a table, or any value in it.
        room: how many further levels of nesting are allowed.

    Raises:
        CaseError: with the path of the refused value.
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
    if value is None:  # in JSON
        raise CaseError("null has no meaning here; leave the key out")
    if not isinstance(value, str | int | float):
        raise CaseError(f"a case has no use for a {type(value).__name__}")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise CaseError("a number has at most 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise CaseError(f"a number is finite, not {value}")
