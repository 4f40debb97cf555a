"""Updates a baseline to the results of a complete run.

The input is the present baseline, and the results of a complete run after triage.  The output is
the baseline that matches them.  An entry that still applies stays unchanged, with its text and in
its place.  An entry for a failure that is new, or that differs in kind or revision from what was
listed, is added at the end, with a placeholder for the reason.

Flaky cases are left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from conformance.judge import OK
from conformance.results.baseline import Baseline, BaselineError, Entry, is_glob, matching
from conformance.results.result import Overlay, Result, RunHead
from conformance.results.seen import seen_in

WIDEST = 20
"""Cases that one glob may match: a wider glob would hide failures for which it was not written."""
NEW = "not explained yet"
AGAIN = "to be reviewed"


def check_width(baseline: Baseline, revisions: Mapping[str, int]) -> None:
    """Check that no glob is too wide to be kept up to date.

    Raises:
        BaselineError: it has one; the message names it.
    """
    for entry in baseline.entry:
        for glob in entry.globs:
            count = len(matching(glob, revisions)) if is_glob(glob) else 1
            if count > WIDEST:
                raise BaselineError(
                    f"{glob!r} matches {count} cases, and a glob may match {WIDEST}: "
                    "make it narrower"
                )


def updated(baseline: Baseline, head: RunHead, results: Sequence[Result]) -> Baseline:
    """Return *baseline* updated to the *results* of a complete run.

    Args:
        baseline: the present baseline.
        head: the head of the run.
        results: the results of the run after triage, without errors of kit or driver.
    """
    told = {result.name: result for result in results if result.overlay != Overlay.FLAKY}
    unsettled = [result.name for result in results if result.overlay == Overlay.FLAKY]
    entries, covered = [], set(unsettled)
    for entry in baseline.entry:
        globs = []
        for glob in entry.globs:
            for kept, names in _kept(glob, entry, told, frozenset(unsettled)):
                globs.append(kept)
                covered |= names
        if globs:
            case = globs[0] if isinstance(entry.case, str) and len(globs) == 1 else globs
            entries += _detailed(msgspec.structs.replace(entry, case=case), told)
    new = [one for name, one in told.items() if one.failed and name not in covered]
    return Baseline(
        implementation=head.name,
        version=head.version,
        runtime=head.runtime,
        entry=[*entries, *_new(new, baseline)],
    )


def _kept(
    glob: str, entry: Entry, told: Mapping[str, Result], unsettled: frozenset[str]
) -> Iterator[tuple[str, set[str]]]:
    """Yield what is left of *glob*, and the names that each part of it matches."""
    names = [*told, *unsettled]
    found = matching(glob, names) if is_glob(glob) else [glob] if glob in names else []
    about = [name for name in found if name in unsettled or told[name].rev == entry.rev]
    holds = {name for name in about if name in unsettled or _holds(entry, told[name])}
    if not found and "@" in glob:
        yield glob, set()  # it may match settings of a sweep that this run did not make
    elif about and len(holds) == len(about):
        yield glob, holds
    else:
        for name in about:
            if name in holds:
                yield name, {name}


def _holds(entry: Entry, result: Result) -> bool:
    """Return whether no result contradicts *entry*; a case that could not be run does not."""
    ran = result.failed or result.verdict in OK
    return not ran or entry.covers(result)


def _detailed(entry: Entry, told: Mapping[str, Result]) -> list[Entry]:
    """Return *entry*; if it compares the verdict alone, add what was seen of its cases.

    An entry with a glob is unchanged: its author meant all that the glob matches.
    """
    if not entry.is_vague or any(map(is_glob, entry.globs)):
        return [entry]
    groups: dict[tuple[str, str], list[str]] = {}
    for name in entry.globs:
        ran = name in told and told[name].failed
        groups.setdefault(seen_in(told[name]) if ran else ("", ""), []).append(name)
    if len(groups) == 1:
        ((where, seen),) = groups
        return [msgspec.structs.replace(entry, where=where, seen=seen)]
    return [
        msgspec.structs.replace(
            entry, case=names if len(names) > 1 else names[0], where=where, seen=seen
        )
        for (where, seen), names in groups.items()
    ]


def _new(results: Iterable[Result], baseline: Baseline) -> list[Entry]:
    """Return entries for *results*; results with a common explanation share an entry."""
    reasons = {glob: entry for entry in baseline.entry for glob in entry.globs}
    groups: dict[tuple[str, str, str, int, str, str, str], list[str]] = {}
    for result in results:
        earlier = reasons.get(result.name)
        if earlier is None:
            why = result.family, NEW, ""
        else:
            why = "", _again(earlier.reason), earlier.link
        key = result.verdict, *seen_in(result), result.rev, *why
        groups.setdefault(key, []).append(result.name)
    return [
        Entry(
            case=names if len(names) > 1 else names[0],
            verdict=verdict,
            where=where,
            seen=seen,
            rev=rev,
            reason=reason,
            link=link,
        )
        for (verdict, where, seen, rev, _, reason, link), names in groups.items()
    ]


def _again(reason: str) -> str:
    return reason if reason.startswith(AGAIN) or reason == NEW else f"{AGAIN}: {reason}"
