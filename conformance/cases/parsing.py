"""TOML, read by tomli, because its compiled wheel is faster than `tomllib`.

The input is text, the output plain tables. tomli and `tomllib` have the same source. Text that
tomli refuses is parsed again by `tomllib`, so that the error has the words of the standard library
whether or not tomli is compiled.
"""

import tomllib
from typing import Any

import tomli


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
