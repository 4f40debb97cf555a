"""Triage: each unexpected result is checked by two second runs before it is reported.

The input is a result, the cases that the same process had run before, and a function that starts a
runner in a process of its own.  The output is the same result with the outcome of the second runs.

An unexpected result is run again twice: *alone*, in a fresh process, and *in order*, in a process
that has run the same cases before.  A result that is unexpected again in either run is a failure;
only one that is as expected in both is FLAKY.  A case that fails in order and not alone is affected
by an earlier case, for example through a cookie jar that all connections share.  A search with a
budget finds the shortest sequence of earlier cases that suffices, and `Result.after` names it.

Costs are bounded.  All runs in order share one process, which continues from one unexpected result
to the next, so that together they take at most as long as the run itself; they are needed only for
a case that is as expected alone.  The first `FRESH` unexpected results get a fresh process each,
and so do all later ones once a case was as expected alone.  If every case fails alone too, the
implementation simply fails, and the later ones share a process.  If a case hangs alone too, others
that hang at the same lines of the client are not run again.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

import msgspec

from conformance.cases import Case
from conformance.drivers import DriverError
from conformance.judge import NOT_RUN, Verdict
from conformance.results import Again, Overlay, Result, is_unexpected
from conformance.run.deadlines import STUCK
from conformance.run.hangs import lines_of
from conformance.run.parallel import Line, RunsCases

MOST = 100
"""Results that are run again; if more are unexpected, the cause is not chance."""
FRESH = 10
"""Unexpected results that get a fresh process each, even if none of them passes in it."""
BUDGET = 4_000
"""Cases that may be run to find the earlier cases that make a case fail."""
START = 20
"""The cost of starting a process, in cases."""
NAMED = 3
"""Names of earlier cases that a result contains."""
OTHERS = "other cases"
"""Stands for earlier cases that were not found."""


class OverBudget(Exception):
    """The search for the earlier cases has used its budget."""


class Start(Protocol):
    """Starts a runner in a process of its own."""

    def __call__(self) -> RunsCases:
        """Return the runner.

        Raises:
            DriverError: it cannot be started.
        """


class Doubts:
    """Runs the unexpected results of one run again.

    Args:
        start: starts a runner, whose results contain trace and transcript also if nothing failed.
        find: returns the case with the given name.
        over: adds the overlay to a result.
        most: how many results are run again.
        follow: starts a runner for the runs in order; by default *start*.
    """

    def __init__(
        self,
        start: Start,
        find: Callable[[str], Case],
        over: Callable[[Result], Result],
        most: int = MOST,
        follow: Start | None = None,
    ) -> None:
        self._start = start
        self._follow = follow or start
        self._find = find
        self._over = over
        self._left = most
        self._fresh = FRESH
        self._shared: RunsCases | None = None
        self._shadows: dict[int, _Shadow] = {}
        self._budget = BUDGET
        self._known: list[list[str]] = []
        self._confirmed: set[Hashable] = set()

    def close(self) -> None:
        """Stop the processes that still run."""
        for runner in (self._shared, *(shadow.runner for shadow in self._shadows.values())):
            if runner is not None:
                runner.close()
        self._shared = None
        self._shadows = {}

    def settled(self, first: Result, line: Line) -> Result:
        """Return *first* with the outcome of the second runs.

        Args:
            first: the result of a case in the run, with its overlay.
            line: the cases that the same runner has run, including that case.
        """
        hung = _hung_at(first)
        if self._left <= 0 or not is_unexpected(first) or hung in self._confirmed:
            return first
        self._left -= 1
        name = first.name
        alone = self._alone(name)
        if alone is None or alone.verdict in NOT_RUN:
            return first  # it could not be run again, so the first result counts
        if is_unexpected(alone):
            if hung is not None and hung == _hung_at(alone):
                self._confirmed.add(hung)
            return first if alone.verdict == first.verdict else _with(first, alone, fine=False)
        self._fresh = self._left + 1
        settled = _with(first, alone, fine=True)
        ordered = self._in_order(name, line)
        if ordered is not None and not _fails(ordered):
            return msgspec.structs.replace(settled, overlay=Overlay.FLAKY)
        return msgspec.structs.replace(settled, after=self._causes(name, line, ordered))

    def _alone(self, name: str) -> Result | None:
        """Return the result of the case *name* in a fresh process.

        None if that cannot be started.
        """
        try:
            if self._fresh > 0:
                self._fresh -= 1
                return self._in_fresh_process([name])
            if self._shared is None:
                self._shared = self._start()
            return self._over(self._shared.run_case(self._find(name)))
        except DriverError:
            return None

    def _in_fresh_process(self, names: Sequence[str]) -> Result:
        """Run the cases *names* in a fresh process, and return the result of the last."""
        runner = self._start()
        try:
            *_, last = runner.run(map(self._find, names))
        finally:
            runner.close()
        return self._over(last)

    def _in_order(self, name: str, line: Line) -> Result | None:
        """Return the result of the case *name* after the same cases; None if the driver fails."""
        place = line.place(name)
        shadow = self._shadows.get(id(line))
        if shadow is None or shadow.place > place:
            if shadow is not None:
                self._shadows.pop(id(line)).runner.close()
            try:
                shadow = self._shadows[id(line)] = _Shadow(self._follow())
            except DriverError:
                return None
        try:
            waiting = line.names[shadow.place : place + 1]
            *_, last = shadow.runner.run(map(self._find, waiting))
        except DriverError:
            return None
        shadow.place = place + 1
        return self._over(last)

    def _causes(self, name: str, line: Line, ordered: Result | None) -> list[str]:
        """Return the names of the cases after which *name* fails.

        `OTHERS` if they are not found.
        """
        before = line.names[: line.place(name)]
        if ordered is None or not before:
            return [OTHERS]
        try:
            found = self._found(name, before)
        except (OverBudget, DriverError):
            return [OTHERS]
        if not found:
            return [OTHERS]
        more = len(found) - NAMED
        return list(found) if more <= 0 else [*found[:NAMED], f"{more} more"]

    def _found(self, name: str, before: Sequence[str]) -> Sequence[str]:
        def fails(earlier: Sequence[str]) -> bool:
            self._budget -= START + len(earlier)
            if self._budget < 0:
                raise OverBudget
            return _fails(self._in_fresh_process([*earlier, name]))

        for known in self._known:
            if all(one in before for one in known) and fails(known):
                return known
        found = needed(before, fails)
        if found:
            self._known.append(list(found))
        return found


class _Shadow:
    """A process that runs the cases of a line again."""

    def __init__(self, runner: RunsCases) -> None:
        self.runner = runner
        self.place = 0


def needed(before: Sequence[str], fails: Callable[[Sequence[str]], bool]) -> Sequence[str]:
    """Return the one name of *before* that suffices, or else its shortest end that does.

    Args:
        before: the names of the cases that ran before the one that fails.
        fails: returns whether it fails after these cases, in a fresh process.

    Returns:
        Names; empty if it does not fail after all of *before* either.
    """
    short, size = 0, 1
    while not fails(before[-size:]):
        if size == len(before):
            return []
        short, size = size, min(2 * size, len(before))
    single = _single(before[len(before) - size : len(before) - short], fails)
    if single:
        return single
    while size - short > 1:
        middle = (short + size) // 2
        if fails(before[-middle:]):
            size = middle
        else:
            short = middle
    return before[-size:]


def _single(part: Sequence[str], fails: Callable[[Sequence[str]], bool]) -> Sequence[str]:
    """Return the one case of *part* that suffices; empty if several are needed together."""
    if not fails(part):
        return []
    while len(part) > 1:
        half = len(part) // 2
        part = next((one for one in (part[half:], part[:half]) if fails(one)), ())
    return part


def _fails(result: Result) -> bool:
    return result.verdict in NOT_RUN or is_unexpected(result)


def _hung_at(result: Result) -> Hashable:
    """Return where the client hung in *result*; None if it did not, or if that is unknown.

    A client of another interface that reports no lines hangs either at the wire or, if its process
    had to be ended, elsewhere.
    """
    if result.verdict != Verdict.HANG or not (result.frames or result.strength):
        return None
    lines = lines_of(msgspec.to_builtins(result.frames))
    return (lines, STUCK in result.reason) if result.strength else lines


def _with(first: Result, second: Result, *, fine: bool) -> Result:
    kept = {name: getattr(second, name) for name in _KEPT}
    return msgspec.structs.replace(first, again=Again(verdict=second.verdict, fine=fine, **kept))


_KEPT = ("reason", "where", "call", "seen", "trace", "transcript")
