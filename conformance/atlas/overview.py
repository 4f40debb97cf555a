"""The pages about many cases, and the data by which the script filters.

The input is entries, one after the other, and the tables.  The output is the contexts of the pages
and the data.  A row of the data is a case: its names as indices of lists, and a sign for each
column.
"""

import bisect
import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from conformance.atlas.facts import CODES, FAILING, SIGNS, Column, Entry
from conformance.atlas.pages import file_name
from conformance.atlas.raising import Catching, catching
from conformance.atlas.rates import load_rates
from conformance.atlas.tables import Tables, apart_from_each_other, clustered, plane
from conformance.cases import load_requirements, load_rules, rules_about
from conformance.report import families, nearest

_MOST_LISTED = 60
_MOST_COLUMNS = 30
"""Records of one profile that tables show; of more, those that behave alike are one column."""
_NEARLY_ALL = 0.95
"""The share of the cases of its family that an implementation ran which stands for it."""
_MOST_SEARCHED = 240
"""Bytes of a case in which a search looks."""


class Row(NamedTuple):
    """What the lists keep of an entry."""

    id: str
    file: str
    title: str
    family: str
    level: str
    strength: str
    exceptions: tuple[str, ...]
    spec: tuple[str, ...]
    rfc: tuple[str, ...]
    signs: str
    deeds: str
    flags: str
    rank: tuple[bool, int, int]
    octets: str


class Overview:
    """Keeps a row of each entry, and makes the pages about all of them.

    Args:
        every: the columns.
        tables: the tables over the same entries.

    Attributes:
        within: in how many percent of the cases two of one family differ at most, after `alike`.
    """

    def __init__(self, every: Sequence[Column], tables: Tables) -> None:
        self._every = every
        self._tables = tables
        self._rows: list[Row] = []
        self.within = 0

    def add(self, one: Entry) -> None:
        """Keep the row of *one*."""
        flags = (("d", one.disagree), ("h", one.hangs), ("s", one.slips))
        octets = b"".join(part[:_MOST_SEARCHED] for part in one.sent)[:_MOST_SEARCHED]
        self._rows.append(
            Row(
                *(one.id, file_name(one.id), one.title, one.family, one.level, one.strength),
                *(one.exceptions, one.spec, one.rfc, one.signs, one.deeds),
                "".join(sign for sign, is_set in flags if is_set),
                one.rank,
                octets.decode("latin-1"),
            )
        )

    @property
    def _ranked(self) -> list[Row]:
        """The rows, failures and disagreements first."""
        return sorted(self._rows, key=lambda row: row.rank)

    def pages(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the template of each page, which is also its name, and its context."""
        yield "index.html", self._start()
        yield "cases.html", self._cases()
        yield "implementations.html", {"rows": self._implementations(), "speed": load_rates()}
        yield "matrix.html", self._matrix()
        yield "map.html", {"maps": list(self._maps())}
        yield "compare.html", {"every": self._every}
        yield "requirements.html", self._requirements()
        yield "open.html", {}

    def _start(self) -> dict[str, Any]:
        flags = Counter(flag for row in self._rows for flag in row.flags)
        runs = [one for one in self._every if one.run is not None]
        return {
            "cases": len(self._rows),
            "recorded": len(self._every) - len(runs),
            "runs": runs,
            "disagree": flags["d"],
            "hang": flags["h"],
            "slip": flags["s"],
            "families": self._families(),
            "first": [row for row in self._ranked if "d" in row.flags][:6],
        }

    def _families(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """Return each family with what every column reached, in the order of the columns."""
        return [
            (family, [self._tables.well(one, counts) for one in self.order])
            for family, counts in self._tables.families.items()
        ]

    @functools.cached_property
    def _titles(self) -> dict[str, str]:
        return {row.id: row.title for row in self._rows}

    @functools.cached_property
    def order(self) -> list[int]:
        """The columns that tables show, runs first, then by profile: the first of each family."""
        return sorted(
            self.alike, key=lambda one: (self._every[one].run is None, self._every[one].is_client)
        )

    @functools.cached_property
    def alike(self) -> dict[int, list[int]]:
        """The members of each family of implementations that behave alike, by the most typical.

        A run is a family of its own, and so is each record where there are few of its profile.
        """
        found = {index: [index] for index, one in enumerate(self._every) if one.run is not None}
        for is_client in (False, True):
            members = [one for one in self._members(is_client=is_client) if one not in found]
            for group in self._families_of(members):
                found[group[0]] = group
        return found

    def _families_of(self, members: Sequence[int]) -> Iterator[list[int]]:
        if len(members) <= _MOST_COLUMNS:
            yield from ([one] for one in members)
            return
        apart = self._tables.distances(members)

        def few(percent: int) -> bool:
            return len(families(apart, percent / 100)) <= _MOST_COLUMNS

        within = bisect.bisect_left(range(101), True, key=few)
        self.within = max(self.within, within)
        judged = [self._tables.total(one)[1] for one in members]
        for group in families(apart, within / 100):
            # One that ran few cases would leave cells empty for which others have numbers.
            most = max(judged[one] for one in group)
            whole = [one for one in group if judged[one] >= _NEARLY_ALL * most]
            typical = min(whole, key=lambda one: (sum(apart[one][other] for other in group), one))
            yield [members[one] for one in (typical, *(one for one in group if one != typical))]

    @functools.cached_property
    def titles(self) -> dict[int, str]:
        """The labels of each family, by the column that stands for it in tables."""
        labels = [one.label for one in self._every]
        return {
            first: ", ".join(labels[one] for one in every) for first, every in self.alike.items()
        }

    def _members(self, *, is_client: bool) -> list[int]:
        return [index for index, one in enumerate(self._every) if one.is_client is is_client]

    def _cases(self) -> dict[str, Any]:
        by_family: dict[str, list[Row]] = {}
        for row in self._ranked:
            by_family.setdefault(row.family, []).append(row)
        return {
            "families": by_family,
            "count": len(self._rows),
            "levels": list(dict.fromkeys(row.level for row in self._rows)),
            "every": self._every,
        }

    def _implementations(self) -> list[dict[str, Any]]:
        return [
            {
                "index": index,
                "column": one,
                "total": self._tables.total(index),
                "alone": len(self._tables.alone[index]),
                "leaks": len(self._tables.leaks[index]),
                "hangs": sum(counts[index, "H"] for counts in self._tables.families.values()),
            }
            for index, one in enumerate(self._every)
        ]

    def implementation(self, index: int) -> dict[str, Any]:
        """Return the context of the page about the column at *index*."""
        one, tables = self._every[index], self._tables
        peers = [peer for peer in self._members(is_client=one.is_client) if peer != index]
        by_family = list(self._against(index, peers, tables.families))
        return {
            "column": one,
            "run": one.run,
            "total": tables.total(index),
            "families": by_family,
            "levels": list(self._against(index, peers, tables.levels)),
            "alone": tables.alone[index][:_MOST_LISTED],
            "alone_count": len(tables.alone[index]),
            "leaks": tables.leaks[index][:_MOST_LISTED],
            "leak_count": len(tables.leaks[index]),
            "titles": self._titles.__getitem__,
            "faults": self._caught(index),
            "trend": self._trend() if one.version else [],
        }

    def _against(
        self, index: int, peers: Sequence[int], counts: dict[str, Counter[tuple[int, str]]]
    ) -> Iterator[tuple[str, tuple[int, int], list[int]]]:
        """Yield each name with what one column reached, and the gaps between ticks of all peers."""
        for name, found in counts.items():
            own = self._tables.well(index, found)
            others = (self._tables.well(peer, found) for peer in peers)
            if own[1]:
                places = {round(1 + 200 * well / judged) for well, judged in others if judged}
                ticks = (-1, *sorted(places))
                yield name, own, [here - last - 1 for last, here in itertools.pairwise(ticks)]

    def _caught(self, index: int) -> list[Catching]:
        faults = list(self._tables.faults[index].values())
        return [
            catching(one, self._every[index], faults)
            for one in sorted(faults, key=lambda one: (one.fault == "", one.fault, -one.count))
        ]

    def _trend(self) -> list[tuple[str, list[tuple[str, int, int]]]]:
        """Return the share of each family, and of all, for the recorded versions of CPython."""
        members = [index for index, one in enumerate(self._every) if one.version]
        members.sort(key=lambda index: self._every[index].version)
        named = {"all families": sum(self._tables.families.values(), Counter())}
        return [
            (name, [(self._every[one].label, *self._tables.well(one, found)) for one in members])
            for name, found in (named | self._tables.families).items()
        ]

    def _matrix(self) -> dict[str, Any]:
        """Return the cases grouped by their pattern of signs, similar patterns together."""
        columns = self._column_order()
        # Of cases that differ only in columns that are not shown, one row has no link to all.
        patterns: dict[str, list[tuple[str, list[str]]]] = {}
        whole = len(self._rows)
        for signs, ids in self._tables.patterns.items():
            if any(sign in FAILING for sign in signs):
                shown = "".join(signs[column] for column in columns)
                patterns.setdefault(shown, []).append((signs, ids))
                whole -= len(ids)
        found = [
            (shown, [one for _, ids in same for one in ids], same[0][0] if len(same) == 1 else "")
            for shown, same in patterns.items()
        ]
        found.sort(key=lambda row: (-len(row[1]), row[0]))
        return {
            "rows": [found[at] for at in clustered([shown for shown, *_ in found])],
            "columns": columns,
            "families": self._families(),
            "whole": whole,
            "titles": self._titles.__getitem__,
        }

    def _column_order(self) -> list[int]:
        """Return the columns, of each profile those that differ least next to each other."""
        found: list[int] = []
        for is_client in (False, True):
            members = [one for one in self.alike if self._every[one].is_client is is_client]
            found += [members[at] for at in nearest(self._tables.distances(members))]
        return found

    def _maps(self) -> Iterator[dict[str, Any]]:
        for name, is_client in (("httplib's interface", False), ("any HTTP client", True)):
            members = [
                one
                for one in self.alike
                if self._every[one].is_client is is_client and self._every[one].run is None
            ]
            if len(members) > 1:
                distances = self._tables.distances(members)
                order = nearest(distances)
                places = apart_from_each_other(plane(distances), 0.055)
                yield {
                    "name": name,
                    "points": list(zip(members, _from_the_top(places), strict=True)),
                    "height": round(80 + 640 * _height(places)),
                    "members": [members[one] for one in order],
                    "distances": [[distances[a][b] for b in order] for a in order],
                    "most": max(map(max, distances)) or 1.0,
                }

    def _requirements(self) -> dict[str, Any]:
        citing: dict[str, list[Row]] = {}
        for row in self._rows:
            for name in row.spec:
                citing.setdefault(name, []).append(row)
        about = self._about
        rules = [(rule, about.get(rule.id, [])) for rule in load_rules()]
        page = [(one, citing.get(one.id, [])) for one in load_requirements().values()]
        return {
            "page": page,
            "rules": rules,
            "uncited": sum(not rows for _, rows in page),
            "untested": sum(not rows for _, rows in rules),
        }

    @functools.cached_property
    def _about(self) -> dict[str, list[Row]]:
        """Return the rows about each rule that has any, in the order of the rules."""
        found: dict[str, list[Row]] = {rule.id: [] for rule in load_rules()}
        for row in self._rows:
            for rule in rules_about(row.id):
                found[rule.id].append(row)
        return {name: rows for name, rows in found.items() if rows}

    def data(self) -> dict[str, Any]:
        """Return the data by which the script filters, searches and compares."""
        names: dict[str, dict[str, int]] = {}

        def number(kind: str, name: str) -> int:
            known = names.setdefault(kind, {})
            return known.setdefault(name, len(known))

        at = {row.id: index for index, row in enumerate(self._ranked)}
        octets: dict[str, int] = {}
        seen: dict[tuple[str, str], int] = {}
        rows = [
            [
                *(row.id, row.title, "" if row.file == f"{row.id}.html" else row.file),
                *(number("family", row.family), number("level", row.level)),
                number("strength", row.strength),
                [number("exception", name) for name in row.exceptions],
                [number("requirement", name) for name in row.spec],
                [number("rfc", name) for name in row.rfc],
                seen.setdefault((row.signs, row.deeds), len(seen)),
                row.flags,
                octets.setdefault(row.octets, len(octets)),
            ]
            for row in self._ranked
        ]
        return {
            "columns": [
                [one.key, one.label, one.module, int(one.is_client), int(one.run is not None)]
                for one in self._every
            ],
            "words": SIGNS,
            "codes": CODES,
            "failing": "".join(sorted(FAILING)),
            **{kind: list(names.get(kind, ())) for kind in _KINDS},
            "octets": list(octets),
            "seen": [(packed(signs), packed(deeds)) for signs, deeds in seen],
            "rules": {name: [at[row.id] for row in rows] for name, rows in self._about.items()},
            "rows": rows,
        }


def packed(signs: str) -> str:
    """Return *signs* with those that follow an equal one as a number.

    >>> packed("+++N-")
    '+3N-'
    """
    return re.sub(r"(.)\1{2,}", lambda same: f"{same[1]}{len(same[0])}", signs)


def _height(places: Sequence[tuple[float, float]]) -> float:
    return max(y for _, y in places) - min(y for _, y in places)


def _from_the_top(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    top = min(y for _, y in places)
    return [(x, y - top) for x, y in places]


_KINDS = ("family", "level", "strength", "exception", "requirement", "rfc")
