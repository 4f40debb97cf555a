"""TOML, read fast: by tomli's compiled wheel where there is one, which is tomllib's own source.

In: text.  Out: plain tables.  What tomli refuses, tomllib refuses again, so that a complaint has
the standard library's words, whichever of the two has found it.
"""

import tomllib
from typing import Any

import tomli


def parse(text: str) -> dict[str, Any]:
    """Return the tables of *text*.

    Raises:
        ValueError: it is not TOML, or holds a number of more digits than Python reads.
        RecursionError: it is nested too deep.
    """
    try:
        return tomli.loads(text)
    except ValueError:
        return tomllib.loads(text)
