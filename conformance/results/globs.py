"""Globs that match exactly some cases, so that a list of their names is short.

The input is names of cases, and the ids of all cases.  The output is globs and names which together
match the given names and no other case, so that nothing is listed that was not seen.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from conformance.results.baseline import matching

_LEAST = 2
"""Names for which a glob is worth being read instead of them."""


def globs_of(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return globs, or names, that match all of *names* and no other case.

    Args:
        names: names of cases; those with a setting are returned unchanged.
        ids: the ids of all cases, sorted.
    """
    left = {name for name in names if "@" not in name}
    matched: dict[str, set[str]] = {}
    for name in left:
        for glob in _candidates(name):
            matched.setdefault(glob, set()).add(name)
    exact = {
        glob: found
        for glob, found in matched.items()
        if len(found) >= _LEAST and len(found) == len(matching(glob, _near(glob, ids)))
    }
    chosen: dict[str, str] = {}
    while exact:
        glob = min(
            exact,
            key=lambda one: (-len(left & exact[one]), not one.endswith("*"), len(one), one),
        )
        found = left & exact.pop(glob)
        if len(found) < _LEAST:
            break
        left -= found
        chosen.update(dict.fromkeys(found, glob))
    return list(dict.fromkeys(chosen.get(name, name) for name in names))


def _candidates(name: str) -> Iterator[str]:
    """Yield globs that match *name*: each begins with its family, and has one wildcard.

    A wildcard stands for whole words, so another name matches a candidate only if the candidate is
    one of its own.
    """
    ends = [found.start() for found in re.finditer("[.-]", name)]
    for start in ends:
        if start >= name.find("."):
            for end in (*ends, len(name)):
                if end > start + 1:
                    yield f"{name[: start + 1]}*{name[end:]}"


def _near(glob: str, ids: Sequence[str]) -> Sequence[str]:
    """Return the ids that begin as *glob* does."""
    head = glob[: glob.index("*")]
    return ids[bisect_left(ids, head) : bisect_left(ids, head[:-1] + chr(ord(head[-1]) + 1))]
