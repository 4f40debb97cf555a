"""Wording that all share: names of categories, numbers with their nouns, names near a wrong one."""

import difflib
import textwrap
from collections.abc import Iterable
from typing import Literal

Category = Literal[
    "no-response",
    "bad-status-line",
    "bad-header",
    "bad-framing",
    "truncated-body",
    "limit-exceeded",
    "unsupported-coding",
    "unsupported-version",
    "timeout",
]
"""Why a client rejected a response; a case cannot expect the remaining category, ``leak``."""
_NEAR = 3
"""How many names are proposed for a wrong one."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return *count* with *noun*, or with *plural*, which by default is *noun* with an s.

    >>> counted(1, "case"), counted(2, "case"), counted(0, "story", "stories")
    ('1 case', '2 cases', '0 stories')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def near(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three of *known* that are similar to *name*, the nearest first.

    Upper and lower case are the same.  A part of a name is similar to it.

    >>> near("Urllib", ["requests", "urllib3", "urllib.request"])
    ['urllib3', 'urllib.request']
    """
    wanted, by_name = name.lower(), {one.lower(): one for one in known}
    found = difflib.get_close_matches(wanted, by_name, _NEAR)
    found += [one for one in by_name if wanted and wanted in one and one not in found]
    return [by_name[one] for one in found[:_NEAR]]


def near_clause(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a clause that proposes names of *known* near *name*, else the clause *otherwise*."""
    found = near(name, known)
    return f"; near names: {', '.join(found)}" if found else otherwise


def wrapped(line: str, width: int | None, indent: str | None = None) -> list[str]:
    """Return *line* in lines of at most *width* characters.

    Args:
        line: one line.
        width: None for any width.
        indent: what the further lines begin with; by default the blanks of the first, and two more.
    """
    if width is None or len(line) <= width:
        return [line]
    if indent is None:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
