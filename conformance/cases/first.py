"""The first look: the cases that show most of an implementation, for a verdict before all are run.

The input is cases before they are built, the output some `MOST` of them.  They cover every
requirement and family, and as many grids as there is room for.  The order is that in which they
show most: families and levels in turn, and first the cases that cover more.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from conformance.cases.casefile import Listed
from conformance.cases.words import LEVELS

MOST = 300
"""Cases of a first look."""


def first_look(listed: Sequence[Listed], fits: Callable[[Listed], bool]) -> list[Listed]:
    """Return the cases of *listed* for a first look; empty if there are hardly more than that.

    Args:
        listed: all cases of the run.
        fits: whether the implementation has what a case needs.
    """
    if len(listed) < 2 * MOST:
        return []
    ranked = sorted(listed, key=lambda one: (-len(one.spec), LEVELS.index(one.level)))
    chosen = list(_covering(ranked, fits))
    taken = {one.part.id for one in chosen}
    others = _in_turn(one for one in ranked if one.part.id not in taken and _leads(one))
    room = max(0, MOST - len(chosen))
    return list(_in_turn([*chosen, *itertools.islice(filter(fits, others), room)]))


def _covering(ranked: Iterable[Listed], fits: Callable[[Listed], bool]) -> Iterator[Listed]:
    """Yield cases that together cite every requirement and are of every family."""
    covered: set[str] = set()
    for one in ranked:
        about = {one.family, *one.spec}
        if not about <= covered and fits(one):
            covered |= about
            yield one


def _leads(one: Listed) -> bool:
    """Return whether *one* is the first case of its grid, or of none."""
    return next(iter(one.part.cases)).id == one.id


def _in_turn(cases: Iterable[Listed]) -> Iterator[Listed]:
    """Yield *cases*, one of each family and level in turn."""
    groups: defaultdict[tuple[str, str], list[Listed]] = defaultdict(list)
    for one in cases:
        groups[one.family, one.level].append(one)
    for row in itertools.zip_longest(*groups.values()):
        yield from filter(None, row)
