"""Updates a baseline to the results of a complete run.

The input is the text of the present baseline, and the results of a complete run after triage.  The
output is the text of the baseline that matches them.  An entry that still applies stays unchanged,
with its comments and in its place; one that applies to some of its cases is narrowed to them.  What
is listed for cases that this run did not have stays.  Failures that are new, or that differ in kind
or revision from what was listed, are added at the end: one entry for each cause, with a placeholder
for the reason.

Flaky cases are left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import tomlkit

from conformance.judge import OK
from conformance.results.baseline import (
    ANY,
    Baseline,
    BaselineError,
    Entry,
    Failure,
    baseline_text,
    entry_lines,
    entry_of,
    entry_text,
    heads_of,
    is_glob,
    parse_baseline,
)
from conformance.results.causes import Key, cause_key
from conformance.results.globs import globs_of
from conformance.results.overlay import Listed, Listing
from conformance.results.result import Overlay, Result, RunHead
from conformance.results.scope import LIMITS, Scope
from conformance.results.seen import seen_in

WIDEST = 20
"""Cases that one glob may match if the entry compares the verdict alone: a wider glob would hide
failures for which it was not written."""
NEW = "not explained yet"
AGAIN = "to be reviewed"
_HEADS = ("implementation", "version", "runtime", *LIMITS)
_COMMENT = re.compile(r"[ \t]*#")


@dataclass(frozen=True, slots=True)
class Updated:
    """An updated baseline.

    Args:
        text: the content of the file.
        baseline: the same, parsed.
        added: how many cases are listed that were not listed, or not in this way.
        removed: how many globs and names are gone, because their cases no longer fail so.
        unexplained: how many entries have a placeholder in place of a reason.
    """

    text: str
    baseline: Baseline
    added: int
    removed: int
    unexplained: int


def check_width(listing: Listing) -> None:
    """Check that no glob is too wide to be kept up to date.

    Raises:
        BaselineError: it has one; the message names it.
    """
    for one in listing.listed:
        count = len(listing.names(one)) if is_glob(one.glob) and one.failure.is_vague else 1
        if count > WIDEST:
            raise BaselineError(
                f"{listing.place(one)}: {one.glob!r} matches {count} cases, and an entry that "
                f"compares the verdict alone may match {WIDEST}: make it narrower, give `where` "
                f'and `seen`, or accept everything with `verdict = "{ANY}"`'
            )


def updated(listing: Listing, head: RunHead, results: Sequence[Result]) -> Updated:
    """Return the baseline of *listing*, updated to the *results* of a complete run.

    Args:
        listing: the present baseline; without a text, for a new file.
        head: the head of the run.
        results: the results of the run after triage, without errors of kit or driver.

    Raises:
        BaselineError: the file cannot be changed without being written anew.
    """
    measured = {result.name: result for result in results if result.overlay != Overlay.FLAKY}
    scope = listing.scope.joined(Scope.of(head)) if listing.text else Scope.of(head)
    heads = heads_of(scope, head.name, head.version, head.runtime)
    entries = listing.baseline.entry
    kept = [
        [
            list(_kept(failure, listing.of(index, failure), listing, measured))
            for failure in one.failures
        ]
        for index, one in enumerate(entries)
    ]
    new = list(_new((one for one in measured.values() if one.failed), listing))
    if listing.text:
        text = _changed(listing, heads, kept)
    else:
        text = baseline_text(msgspec.convert(heads, Baseline))
    for entry in new:
        text = text.rstrip("\r\n") + "\n\n" + entry_text(entry) + "\n"
    if "\r\n" in listing.text:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    after = parse_baseline(text, listing.name)
    return Updated(
        text,
        after,
        added=_count(new, listing),
        removed=_count(entries, listing) + _count(new, listing) - _count(after.entry, listing),
        unexplained=sum(one.reason.startswith((NEW, AGAIN)) for one in after.entry),
    )


def _count(entries: Iterable[Entry], listing: Listing) -> int:
    """Return how many cases *entries* list, of those that exist."""
    return sum(
        len(listing.names(Listed(0, entry, failure, glob)))
        for entry in entries
        for failure in entry.failures
        for glob in failure.globs
    )


def _kept(
    failure: Failure, globs: Iterable[Listed], listing: Listing, measured: Mapping[str, Result]
) -> Iterator[Failure]:
    """Yield what is left of *failure*, whose globs are *globs*; several if more is known now."""
    left = [part for one in globs for part in _left(one, listing, measured)]
    if not left:
        return
    if tuple(left) != failure.globs:
        case = left if len(left) > 1 or isinstance(failure.case, list) else left[0]
        failure = msgspec.structs.replace(failure, case=case)
    if not failure.is_vague or any(map(is_glob, left)) or not isinstance(failure.verdict, str):
        yield failure  # an author of a glob meant all that it matches
        return
    groups: dict[tuple[str, str], list[str]] = {}
    for name in left:
        ran = name in measured and measured[name].failed
        groups.setdefault(seen_in(measured[name]) if ran else ("", ""), []).append(name)
    for (where, seen), names in groups.items():
        case = failure.case if len(groups) == 1 else names if len(names) > 1 else names[0]
        yield msgspec.structs.replace(failure, case=case, where=where, seen=seen)


def _left(one: Listed, listing: Listing, measured: Mapping[str, Result]) -> list[str]:
    """Return what is left of the glob of *one*: itself, or parts of it."""
    names = listing.names(one)
    if not names:
        # It may be about cases, or about settings of a sweep, that this run did not have.
        stays = one.glob not in measured and (
            not listing.is_whole or listing.may_be_of_a_sweep(one)
        )
        return [one.glob] if stays else []
    ran = [name for name in names if name in measured and _ran(measured[name])]
    if one.may_pass:
        passed = ran and listing.is_whole and not any(measured[name].failed for name in ran)
        return [] if passed else [one.glob]
    wrong = {name for name in ran if not _covers(listing, one, measured[name])}
    if not wrong:
        return [one.glob]
    return globs_of([name for name in names if name not in wrong], listing.ids)


def _ran(result: Result) -> bool:
    return result.failed or result.verdict in OK


def _covers(listing: Listing, one: Listed, result: Result) -> bool:
    """Return whether *result* is as *one* says, or as a more exact entry says, which stays."""
    applies = listing.entry(result.name)
    return one.failure.covers(result) or (applies is not None and applies.failure.covers(result))


def _new(failures: Iterable[Result], listing: Listing) -> Iterator[Entry]:
    """Yield entries for those of *failures* that are not listed; one for each explanation."""
    groups: dict[tuple[str, str, Key], list[Result]] = {}
    for result in failures:
        one = listing.entry(result.name)
        if one is None or not one.failure.covers(result):
            _, reason, link = explained(result, listing)
            cause = cause_key(result) if reason == NEW else ()
            groups.setdefault((reason, link, cause), []).append(result)
    for (reason, link, _), results in groups.items():
        yield entry_of(reason, link, None, failures_of(results, listing.ids))


def explained(result: Result, listing: Listing) -> tuple[int, str, str]:
    """Return the index, the reason and the link of an entry for *result*, which fails.

    A reason is kept if *result* is listed; if it is listed otherwise, it asks for a review.
    """
    one = listing.entry(result.name) or listing.earlier(result.name)
    if one is None:
        return len(listing.baseline.entry), NEW, ""
    entry = one.entry
    as_is = one.failure.covers(result) and one.failure.is_about(result.rev)
    if as_is or entry.reason.startswith(AGAIN) or entry.reason == NEW:
        return one.index, entry.reason, entry.link
    return one.index, f"{AGAIN}: {entry.reason}", entry.link


def failures_of(results: Iterable[Result], ids: Sequence[str]) -> list[Failure]:
    """Return the ways in which *results* fail.

    Args:
        results: results that fail.
        ids: the ids of all cases, sorted.
    """
    groups: dict[tuple[str, str, str, int], list[str]] = {}
    for result in results:
        key = (result.verdict, *seen_in(result), result.rev)
        groups.setdefault(key, []).append(result.name)
    found = [(key, globs_of(names, ids)) for key, names in groups.items()]
    return [
        Failure(
            case=globs if len(globs) > 1 else globs[0],
            verdict=verdict,
            where=where,
            seen=seen,
            rev=rev if rev > 1 else None,
        )
        for (verdict, where, seen, rev), globs in found
    ]


# The text: what does not change is not written anew.


def _changed(
    listing: Listing, heads: Mapping[str, object], kept: Sequence[Sequence[Sequence[Failure]]]
) -> str:
    """Return the text of *listing* with its *heads* and with what is *kept* of each failure."""
    entries = listing.baseline.entry
    lines, starts = listing.text.replace("\r\n", "\n").split("\n"), entry_lines(listing.text)
    if len(starts) != len(entries):
        raise BaselineError(f"{listing.name}: write each entry as [[entry]], so that it can change")
    leads = [_lead(lines, start) for start in starts]
    ends = [*leads, len(lines)][1:]
    first = leads[0] if leads else len(lines)
    end = _content_end(lines, 0, first)
    done = [_with_heads(lines[:end], heads), *lines[end:first]]
    for start, lead, last, entry, parts in zip(starts, leads, ends, entries, kept, strict=True):
        end = _content_end(lines, start, last)
        rest = lines[end:last]
        if not any(parts):
            # Comments that follow after an empty line are not about this entry.
            done += rest if any(map(_COMMENT.match, rest)) else []
        elif [one for part in parts for one in part] == entry.failures:
            done += lines[lead:last]
        else:
            done += [*lines[lead:start], _edited(lines[start:end], entry, parts), *rest]
    return "\n".join(done)


def _lead(lines: Sequence[str], start: int) -> int:
    """Return the index of the first of the comments directly before the line at *start*."""
    while start and _COMMENT.match(lines[start - 1]):
        start -= 1
    return start


def _content_end(lines: Sequence[str], start: int, end: int) -> int:
    """Return the index after the last line from *start* to *end* that is more than a comment."""
    while end > start and (not lines[end - 1].strip() or _COMMENT.match(lines[end - 1])):
        end -= 1
    return end


def _with_heads(lines: Sequence[str], heads: Mapping[str, object]) -> str:
    """Return *lines*, the keys before the entries, with the values of *heads*."""
    document: Any = tomlkit.parse("\n".join(lines))
    for name in _HEADS:
        value = heads.get(name) or ("" if name in document and name == "runtime" else None)
        if value is None:
            document.pop(name, None)
        elif document.get(name) != value:
            document[name] = value
    return tomlkit.dumps(document).rstrip("\n")


def _edited(lines: Sequence[str], entry: Entry, parts: Sequence[Sequence[Failure]]) -> str:
    """Return *lines*, the table of *entry*, with what is left of each of its failures."""
    document: Any = tomlkit.parse("\n".join(lines))
    table = document["entry"][0]
    if any(len(part) > 1 for part in parts):
        kept = entry_of(
            entry.reason, entry.link, entry.expires, [one for part in parts for one in part]
        )
        comments = [line for line in lines if _COMMENT.match(line)]
        return "\n".join([*comments, entry_text(kept)])
    for index in reversed(range(len(parts))):
        place = table["fails"][index] if entry.fails else table
        if not parts[index]:
            del table["fails"][index]
        else:
            _set(place, entry.failures[index], parts[index][0])
    return str(tomlkit.dumps(document)).rstrip("\n")


def _set(table: Any, before: Failure, after: Failure) -> None:
    """Change *table* from *before* to *after*."""
    for name in ("where", "seen"):
        if getattr(before, name) != getattr(after, name):
            table[name] = getattr(after, name)
    listed = table["case"]
    if before.globs == after.globs:
        return
    if isinstance(listed, list) and isinstance(after.case, list):
        for index in reversed(range(len(listed))):
            if listed[index] not in after.globs:
                del listed[index]
        for glob in after.globs:
            if glob not in listed:
                listed.append(glob)
    else:
        table["case"] = after.case
