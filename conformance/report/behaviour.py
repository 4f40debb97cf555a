"""Families of behaviour: which implementations do the same, and which cases set them apart.

The input is patterns: for each case a text for each implementation, of what it did.  The output is
the distance of every two implementations, which is the share of the cases that both ran in which
they did different things; families of those that are near each other; and for each family the cases
that set it apart from others.

A deed is a text without what differs in wording only, so that equal deeds are equal behaviour.  A
record holds all that was done.  A result holds what is reported of it: what a client did in a word,
and what was seen where that is not accepted.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.judge import NOT_RUN, Verdict
from conformance.results import Result
from conformance.results.golden import Judged

NO_DEED = "-"
"""Stands for what an implementation did with a case that it has not run."""
Pattern = Sequence[str]
P = TypeVar("P", bound=Pattern)
_REASON = re.compile(
    r"(?s)^(accepts status \d+), reason (?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
)


def essence(text: str) -> str:
    """Return what *text* says of a call without what differs in wording only.

    A refusal of a client is a refusal, whatever it raises, and many interfaces show no reason
    phrase; an exception is its class without the module and the message.

    >>> essence("rejects (truncated-body): ChunkedEncodingError"), essence("http.client.X: said")
    ('rejects', 'X')
    """
    if text.startswith("rejects"):
        return "rejects"
    found = re.match(r"(?:[\w~-]+\.)*(\w+): ", text)
    return found[1] if found else _REASON.sub(r"\1", text)


def deed_of_record(one: Judged) -> str:
    """Return what an implementation did according to its record."""
    calls, miss = list(one.calls), one.judgement.mismatch
    if miss is not None and not any(op.id == miss.where for op in one.case.ops):
        calls.append((miss.where, miss.seen))
    said = [f"{name} {essence(text)}".removeprefix("fetch ") for name, text in calls]
    if said:
        return "; ".join(said)
    return "succeeds" if one.observation else one.judgement.verdict.lower()


def deed_of_result(result: Result) -> str:
    """Return what an implementation did according to a result; `NO_DEED` if it was not run."""
    if result.verdict in NOT_RUN:
        return NO_DEED
    if result.verdict in (Verdict.HANG, Verdict.CRASH):
        return result.verdict.lower()
    if result.strength:
        refused = not result.seen or result.did != "accepts"
        did = "rejects" if result.did.startswith("rejects") else result.did
        return did if refused else essence(result.seen)
    if result.where:
        return f"{result.where}: {essence(result.seen)}"
    return result.basis or "as accepted"


def distances(patterns: Mapping[P, int], members: Sequence[int]) -> list[list[float]]:
    """Return the share of cases in which two of *members* did different things.

    Args:
        patterns: how many cases have each pattern.
        members: places in the patterns.
    """
    # A set of cases is a number with a bit for each: of a hundred members there are 5,000 pairs.
    done: list[dict[str, int]] = []
    for member in members:
        deeds = [pattern[member] for pattern, count in patterns.items() for _ in range(count)]
        done.append({deed: _places(deeds, deed) for deed in set(deeds) - {NO_DEED}})
    ran = [sum(by_deed.values()) for by_deed in done]

    def share(one: int, other: int) -> float:
        shared = (ran[one] & ran[other]).bit_count()
        by_deed = done[other]
        same = sum((cases & by_deed.get(deed, 0)).bit_count() for deed, cases in done[one].items())
        return (shared - same) / shared if shared else 0.0

    every = range(len(members))
    below = [[share(row, column) for column in range(row)] for row in every]
    return [
        [*below[row], 0.0, *(below[column][row] for column in every[row + 1 :])] for row in every
    ]


def _places(deeds: Sequence[str], wanted: str) -> int:
    """Return a number that has a bit for each place of *deeds*, set where it is *wanted*."""
    return int("0" + "".join("1" if deed == wanted else "0" for deed in deeds), 2)


def nearest(apart: Sequence[Sequence[float]]) -> list[int]:
    """Return an order of the members in which near ones are neighbours."""
    left = set(range(len(apart)))
    order: list[int] = []
    here = max(left, key=lambda one: (sum(apart[one]), one), default=0)
    while left:
        left.discard(here)
        order.append(here)
        if left:
            here = min(left, key=lambda one: (apart[here][one], one))
    return order


def families(apart: Sequence[Sequence[float]], within: float) -> list[list[int]]:
    """Return the members in groups in which no two differ by more than *within*.

    The two groups that are nearest, by the members that differ most, are joined as long as that is
    within; so the result does not depend on the order of the members but for ties.

    >>> families([[0, 0.1, 0.9], [0.1, 0, 0.8], [0.9, 0.8, 0]], 0.2)
    [[0, 1], [2]]
    """
    groups = {one: [one] for one in range(len(apart))}
    # How much two members differ at most, one of each group; groups have their first member's name.
    most = {(a, b): apart[a][b] for b in groups for a in range(b)}
    while most:
        first, second = min(most, key=most.__getitem__)
        if most.pop((first, second)) > within:
            break
        groups[first] = sorted(groups[first] + groups.pop(second))
        for other in groups.keys() - {first}:
            kept, gone = ((min(one, other), max(one, other)) for one in (first, second))
            most[kept] = max(most[kept], most.pop(gone))
    return sorted(groups.values(), key=lambda group: (-len(group), group))


@dataclass(frozen=True, slots=True)
class Mark:
    """A case that sets a family apart from others.

    Args:
        case: its id.
        deed: what every member did.
        others: what the nearest family did, or the others; each deed with the members that did it.
    """

    case: str
    deed: str
    others: Mapping[str, Sequence[int]]


def marks(
    family: Sequence[int], against: Sequence[int], patterns: Mapping[str, Pattern]
) -> Iterator[Mark]:
    """Yield the cases in which all of *family* did the same, and none of *against* did.

    Args:
        family: places in the patterns.
        against: other places.
        patterns: the pattern of each case.
    """
    for case, pattern in patterns.items():
        own = {pattern[one] for one in family}
        theirs: dict[str, list[int]] = {}
        for one in against:
            theirs.setdefault(pattern[one], []).append(one)
        if len(own) == 1 and not (own | {NO_DEED}) & theirs.keys() and NO_DEED not in own:
            (deed,) = own
            yield Mark(case, deed, theirs)
