"""Tables over all cases: counts, patterns of verdicts, distances, and what is raised.

The input is entries, one after the other.  The output is numbers and names that the pages show.
Only what all pages need is kept of an entry, so that a site of thousands of cases fits in memory.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conformance.atlas.facts import FAILING, Column, Entry
from conformance.report import distances

_JUDGED_WELL = "+~"


@dataclass(slots=True)
class Fault:
    """What an implementation raises for one kind of fault.

    Args:
        fault: the kind.
        name: the qualified class.
        bases: the qualified names of its bases.
        message: the text of one of them.
        example: the id of a case.
        count: in how many cases.
    """

    fault: str
    name: str
    bases: tuple[str, ...]
    message: str
    example: str
    count: int = 0

    def shares(self, others: Iterable["Fault"]) -> list[str]:
        """Return the classes among *others* that are caught with this one."""
        return list(dict.fromkeys(one.name for one in others if self.name in one.bases))


@dataclass(slots=True)
class Tables:
    """What the pages show of all entries.

    Args:
        every: the columns.
    """

    every: Sequence[Column]
    families: dict[str, Counter[tuple[int, str]]] = field(default_factory=dict)
    levels: dict[str, Counter[tuple[int, str]]] = field(default_factory=dict)
    patterns: dict[str, list[str]] = field(default_factory=dict)
    alone: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    leaks: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[int, dict[tuple[str, str], Fault]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    deeds: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count *entry*."""
        self.families.setdefault(entry.family, Counter()).update(enumerate(entry.signs))
        self.levels.setdefault(entry.level, Counter()).update(enumerate(entry.signs))
        for found in re.finditer("L", entry.signs):
            self.leaks[found.start()].append(entry.id)
        self.patterns.setdefault(entry.signs, []).append(entry.id)
        self.deeds[entry.deeds] += 1
        for group in entry.groups:
            peers = entry.deeds.count(group.deed)
            if peers == 1 and self._has_peers(entry, group.columns[0]):
                self.alone[group.columns[0]].append(entry.id)
        for raised in entry.raised:
            for column in raised.columns:
                faults, key = self.faults[column], (raised.fault, raised.name)
                if key not in faults:
                    faults[key] = Fault(*key, raised.bases, raised.message, entry.id)
                kept = faults[key]
                kept.count += 1
                kept.message = kept.message or raised.message

    def _has_peers(self, entry: Entry, column: int) -> bool:
        """Return whether enough others of one profile ran the case to speak of one alone."""
        is_client = self.every[column].is_client
        ran = [
            index
            for index, sign in enumerate(entry.signs)
            if sign not in ".-?" and self.every[index].is_client is is_client
        ]
        return len(ran) >= _FEWEST

    def distances(self, members: Sequence[int]) -> list[list[float]]:
        """Return the share of cases in which two of *members* did different things.

        Args:
            members: columns of one profile.
        """
        return distances(self.deeds, members)

    def well(self, column: int, counts: Counter[tuple[int, str]]) -> tuple[int, int]:
        """Return how many of the judged cases in *counts* pass, and how many were judged."""
        passed = sum(counts[column, sign] for sign in _JUDGED_WELL)
        return passed, passed + sum(counts[column, sign] for sign in FAILING)

    def total(self, column: int) -> tuple[int, int]:
        """Return how many judged cases pass, and how many were judged."""
        found = [self.well(column, counts) for counts in self.families.values()]
        return sum(passed for passed, _ in found), sum(judged for _, judged in found)


_FEWEST = 4


def clustered(rows: Sequence[str]) -> list[int]:
    """Return an order of *rows* in which similar ones are neighbours.

    It begins at the row that most others resemble, and goes on to the nearest that is left.
    """
    left = set(range(len(rows)))
    order: list[int] = []
    here = 0
    while left:
        left.discard(here)
        order.append(here)
        if left:
            here = min(left, key=lambda one: (_differences(rows[here], rows[one]), one))
    return order


def _differences(one: str, other: str) -> int:
    return sum(map(str.__ne__, one, other))


def plane(distances: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return a place in the unit square for each member, so that near ones are near.

    Classical scaling: the two greatest eigenvectors of the centred squares, found by iteration from
    a fixed start, so that equal distances give equal places.
    """
    size = len(distances)
    if size < 2:
        return [(0.5, 0.5)] * size
    squares = [[value * value for value in row] for row in distances]
    means = [sum(row) / size for row in squares]
    mean = sum(means) / size
    matrix = [
        [-(squares[r][c] - means[r] - means[c] + mean) / 2 for c in range(size)]
        for r in range(size)
    ]
    axes = []
    for number in range(2):
        vector, value = _axis(matrix, number)
        axes.append([one * math.sqrt(max(value, 0.0)) for one in vector])
        matrix = [
            [matrix[r][c] - value * vector[r] * vector[c] for c in range(size)] for r in range(size)
        ]
    span = max(max(axis) - min(axis) for axis in axes) or 1.0
    middles = [(max(axis) + min(axis)) / 2 for axis in axes]
    return [
        ((x - middles[0]) / span + 0.5, (y - middles[1]) / span + 0.5)
        for x, y in zip(*axes, strict=True)
    ]


def _axis(matrix: Sequence[Sequence[float]], number: int) -> tuple[list[float], float]:
    """Return the greatest eigenvector of *matrix*, of length 1, and its value."""
    size = len(matrix)
    vector = [math.cos(1 + number + 2.3 * one) for one in range(size)]
    value = 0.0
    for _ in range(300):
        new = [math.fsum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]
        value = math.sqrt(math.fsum(one * one for one in new))
        if value < 1e-12:
            return [0.0] * size, 0.0
        vector = [one / value for one in new]
    return vector, value


def apart_from_each_other(
    places: Sequence[tuple[float, float]], least: float
) -> list[tuple[float, float]]:
    """Return *places* moved vertically so that their labels do not cover each other."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda one: (places[one][1], places[one][0]))
    for position, one in enumerate(order):
        x, y = moved[one]
        for other in order[:position]:
            ox, oy = moved[other]
            if abs(ox - x) < _WIDE and y < oy + least:
                y = oy + least
        moved[one] = (x, y)
    return moved


_WIDE = 0.22
