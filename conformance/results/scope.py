"""The scope of a run or of a baseline: which cases it is about.

The input is levels, globs over ids, and the files with a user's own cases.  The output is whether
one scope covers another, and whether a result is within one.  So a baseline that was written from
some cases can be used in a run of others.

Without the level ``precedent``, a documented case is compared only with what the page says, and so
may fail at another place, or pass.  The results of two runs that differ in this cannot be compared.
"""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.cases import JUDGED_LEVELS
from conformance.results.result import Result, RunHead

LIMITS = ("levels", "select", "exclude", "family", "cases")
"""The keys of a baseline, and the fields of a scope, that limit it."""


class ScopeError(ValueError):
    """Two scopes do not fit together; the message is one line."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases a run or a baseline is about; by default, all of the kit that are judged.

    Args:
        levels: the levels.
        select: globs of which an id matches at least one; empty for all cases of the kit.
        exclude: globs of which an id matches none.
        family: families of which a case has one; empty for all.
        cases: the files with a user's own cases.
    """

    levels: Sequence[str] = JUDGED_LEVELS
    select: Sequence[str] = ()
    exclude: Sequence[str] = ()
    family: Sequence[str] = ()
    cases: Sequence[str] = ()

    @classmethod
    def of(cls, head: RunHead) -> "Scope":
        """Return the scope of the run with this *head*."""
        return cls.chosen(head.levels, head.select, head.exclude, head.family, head.own)

    @classmethod
    def chosen(cls, levels: Sequence[str], *limits: Sequence[str]) -> "Scope":
        """Return the scope of *levels*, without the level that is never judged, and *limits*."""
        return cls([level for level in JUDGED_LEVELS if level in levels] or JUDGED_LEVELS, *limits)

    @property
    def is_whole(self) -> bool:
        """Whether it has all cases of the kit that are judged."""
        return set(self.levels) >= set(JUDGED_LEVELS) and not (
            self.select or self.exclude or self.family or self.cases
        )

    @property
    def has_precedent(self) -> bool:
        """Whether documented cases are compared with more than the page says."""
        return "precedent" in self.levels

    def has(self, result: Result) -> bool:
        """Return whether *result* is within the scope; of a part of a case, its level counts."""

        def matches(globs: Sequence[str]) -> bool:
            return any(fnmatch.fnmatchcase(result.id, glob) for glob in globs)

        return (
            (bool(result.strength) or result.level in self.levels)
            and (not self.select or matches(self.select))
            and (not self.family or result.family in self.family)
            and not matches(self.exclude)
        )

    def covers(self, other: "Scope") -> bool:
        """Return whether every case of *other* is certain to be in this scope."""
        if self.cases and not self.select:
            return False  # it has no case of the kit

        def within(limit: str) -> bool:
            mine, its = set(getattr(self, limit)), set(getattr(other, limit))
            return not mine or (bool(its) and its <= mine)

        return (
            all(map(within, ("levels", "select", "family")))
            and set(self.exclude) <= set(other.exclude)
            and set(other.cases) <= set(self.cases)
        )

    def joined(self, run: "Scope") -> "Scope":
        """Return the scope of a baseline with this scope after an update by *run*.

        Raises:
            ScopeError: no scope contains the cases of both and no others.
        """
        if run.covers(self):
            return run
        parts = [one for one in (self, run) if "documented" in one.levels and not one.has_precedent]
        if not parts or not (self.has_precedent or run.has_precedent):
            if self.covers(run):
                return self
            differ = {one for one in LIMITS if set(getattr(self, one)) != set(getattr(run, one))}
            if len(differ - {"cases"}) == 1 and "exclude" not in differ:
                (limit,) = differ - {"cases"}
                if getattr(self, limit) and getattr(run, limit):
                    return replace(self, **{one: self._both(run, one) for one in (limit, "cases")})
        raise ScopeError(f"is about {self}, and this run about {run}")

    def _both(self, run: "Scope", limit: str) -> list[str]:
        return list(dict.fromkeys([*getattr(self, limit), *getattr(run, limit)]))

    def __str__(self) -> str:
        limits = {limit: getattr(self, limit) for limit in LIMITS[1:]}
        if not set(self.levels) >= set(JUDGED_LEVELS):
            limits = {"level": [",".join(self.levels)], **limits}
        found = [f"--{option} {value}" for option, values in limits.items() for value in values]
        return " ".join(found) or "all cases"
