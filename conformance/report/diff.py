"""Compares two runs.

The input is two runs, from result files or from golden records.  The output is a `Change` for each
case whose result differs, or that was added, removed, or changed in revision; and lines of text for
these changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.judge import NOT_RUN, OK, Verdict
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.story import place
from conformance.report.summary import scope
from conformance.results import Result, RunHead
from conformance.wording import counted


@dataclass(frozen=True, slots=True)
class Change:
    """A case that differs between the two sides.

    Args:
        name: the case, with its setting.
        before: its result on the left side; None if there is none.
        after: its result on the right side; None if there is none.
    """

    name: str
    before: Result | None
    after: Result | None

    @property
    def is_of_revisions(self) -> bool:
        """Whether the case itself has changed, so that its results cannot be compared."""
        sides = (self.before, self.after)
        return len({one.rev for one in sides if one is not None}) > 1


def changes(before: Run, after: Run) -> list[Change]:
    """Return the changes, in the order of *before*, then of the cases that only *after* has."""
    left = {one.name: one for one in before.results}
    right = {one.name: one for one in after.results}
    found = [Change(name, left.get(name), right.get(name)) for name in {**left, **right}]
    return [one for one in found if _facts(one.before) != _facts(one.after)]


def _facts(result: Result | None) -> tuple[object, ...]:
    """Return the facts that are compared; the text that describes them is not."""
    if result is None:
        return ()
    return (result.rev, result.verdict, result.basis, result.where, result.seen, result.did)


def diff_lines(before: Run, after: Run, found: Sequence[Change]) -> Iterator[str]:
    """Yield a line for each of *found*, and a last line with their number."""
    yield f"- {_title(before)}"
    yield f"+ {_title(after)}"
    for run, sign in ((before, "-"), (after, "+")):
        yield from (f"{sign} {line}" for line in scope(run.head))
    yield from settings_lines(before.head, after.head)
    if found:
        yield ""
    for change in found:
        yield visible_text(change.name) + ("  (another revision)" if change.is_of_revisions else "")
        yield f"  - {told(change.before)}"
        yield f"  + {told(change.after)}"
    yield from _words(before, after, found)
    yield ""
    total = len({one.name for one in (*before.results, *after.results)})
    yield _verb(len(found), f"of {counted(total, 'case')} differ") + _balance(found)


def _words(before: Run, after: Run, found: Sequence[Change]) -> Iterator[str]:
    """Yield the kinds of differences in words, those with the most cases first."""
    kinds: dict[tuple[str, str], list[Change]] = {}
    for one in found:
        kinds.setdefault((_did(one.before), _did(one.after)), []).append(one)
    left, right = (visible_text(run.head.label or run.head.name) for run in (before, after))
    yield from ["", "in words"] if kinds else []
    for (was, now), some in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
        text = f"both {was}, in different ways"
        if was != now:
            text = f"{left} {was}, {right} {now}"
        names = [visible_text(one.name) for one in some[:_NAMED]]
        more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
        yield f"  {len(some):>5}  {visible_text(text)}"
        yield f"         {', '.join(names)}{more}"


_NAMED = 3
"""Cases that are named for each kind of difference."""


def _did(result: Result | None) -> str:
    """Return what was done in a few words, in the present tense."""
    if result is None:
        return "has no result"
    if result.verdict in NOT_RUN:
        return f"has none ({result.verdict})"
    if result.did:
        return result.did if result.verdict in OK else f"{result.did} ({result.verdict})"
    if result.verdict in OK:
        return f"passes as {result.verdict}" if result.verdict != Verdict.PASS else "passes"
    return f"fails at {result.where} ({result.verdict})" if result.where else f"is {result.verdict}"


_COMPARED = (
    *("kit", "features", "profile", "select", "exclude", "family", "levels", "sweep"),
    *("tolerant", "error_map", "deadline", "exit_first"),
)
"""Settings that both runs should share, so that a difference comes from the implementations."""


def settings_lines(before: RunHead, after: RunHead) -> Iterator[str]:
    """Yield a line for each setting that differs between two result files."""
    if not (before.format and after.format):
        return  # a golden record, which was made with the usual settings
    for field in _COMPARED:
        left, right = getattr(before, field), getattr(after, field)
        if left != right:
            yield visible_text(f"{field} differs: {_value(left)} and {_value(right)}")


def _value(value: object) -> str:
    return (", ".join(value) if isinstance(value, list | dict) else str(value)) or "none"


def _title(run: Run) -> str:
    head = run.head
    return visible_text(f"{head.name} {head.version} · corpus {head.corpus}")


def told(result: Result | None) -> str:
    """Return what *result* says, in one line."""
    if result is None:
        return "not there"
    text = f"{result.verdict} ({result.basis})" if result.basis else result.verdict
    if result.where:
        text += f" at {place(result)}: {result.seen}"
    elif result.did or result.reason:
        text += f": {result.did or result.reason}"
    return visible_text(text)


def _verb(count: int, verb: str) -> str:
    """Return *count* with *verb* in the singular or plural."""
    return f"{count} {verb}{'s' if count == 1 else ''}"


def _balance(found: Iterable[Change]) -> str:
    """Return how many of *found* pass on one side only."""
    worse = sum(_fails(one.after) and not _fails(one.before) for one in found)
    better = sum(_fails(one.before) and not _fails(one.after) for one in found)
    text = f": {_verb(worse, 'fail')} now, {_verb(better, 'fail')} no more"
    return text if found else ""


def _fails(result: Result | None) -> bool:
    return result is not None and result.failed
