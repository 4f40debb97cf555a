"""The facts of the atlas: what each implementation did with each case, in columns.

The input is cases, the golden records, and the runs of a user.  The output is columns, one for each
run and each recorded implementation, and an `Entry` for each case, which groups the columns by what
they did.  A column of a run precedes all recorded ones.

A verdict is one sign, and what an implementation did is one deed, so that a case with all its
columns is a text of a few characters, which the script of the site filters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from conformance.cases import Case, sent_by
from conformance.judge import FAILURES, Verdict, did_of, is_late
from conformance.report import NO_DEED, Run, Standing, deed_of_record, standing
from conformance.results import Result, RunHead
from conformance.results.golden import Book, Judged, Recorded, judged

NO_RECORD = NO_DEED
SIGNS: Mapping[str, str] = {
    Verdict.PASS: "+",
    Verdict.TOLERATED: "~",
    Verdict.INFO: "i",
    Verdict.HANG: "H",
    Verdict.CRASH: "C",
    Verdict.LEAK: "L",
    Verdict.WRONG_ERROR: "E",
    Verdict.NO_ERROR: "N",
    Verdict.FALSE_ERROR: "F",
    Verdict.WRONG_VALUE: "V",
    Verdict.WRONG_CONNECTION: "W",
    Verdict.REPLAYED: "R",
    Verdict.UNSUPPORTED: ".",
    Verdict.NOT_INSTALLED: ".",
    Verdict.NOT_RUN: ".",
    Verdict.HARNESS_ERROR: "?",
    Verdict.DRIVER_ERROR: "?",
}
"""One sign for each verdict."""
FAILING = frozenset(SIGNS[verdict] for verdict in FAILURES)
CODES: Mapping[str, str] = {
    **{sign: sign for sign in SIGNS.values()},
    "+": "P",
    "~": "T",
    "i": "I",
    ".": "U",
    "?": "Q",
    NO_RECORD: "Z",
}
"""The letter that stands for a sign in the names of the style sheet."""
_MOST_NAMED = 20
_DEEDS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The signs of the first deeds of a case; those after them are later letters of Unicode."""
_OLDEST_FIRST = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Column:
    """An implementation, as a column of every table.

    Args:
        key: a word that names it in links.
        label: a short name for people, such as ``CPython 3.12``.
        module: the module or program that was judged, with its version.
        written: how it is written on the command line.
        is_client: whether it was judged in the client profile.
        run: the run of the user; None for a record.
        recorded: the record; None for a run.
    """

    key: str
    label: str
    module: str
    written: str
    is_client: bool
    run: Run | None = None
    recorded: Recorded | None = None

    @property
    def version(self) -> tuple[int, ...]:
        """The version of a recorded CPython, for a trend; empty for all others."""
        one = self.recorded
        if one is None or one.runtime != "CPython" or one.name not in _STANDARD:
            return ()
        return tuple(map(int, _OLDEST_FIRST.findall(one.version)))


_STANDARD = ("httplib", "http.client")


def columns(book: Book, runs: Sequence[Run]) -> tuple[Column, ...]:
    """Return the columns: the runs, then the records."""
    found = [_of_run(number, run) for number, run in enumerate(runs, 1)]
    return (*found, *(_of_record(key, one) for key, one in book.implementations.items()))


def _of_run(number: int, run: Run) -> Column:
    head = run.head
    name = f"{head.name} {head.version}".strip() or head.implementation
    return Column(
        key=f"run-{number}",
        label=f"Your run: {head.name or head.implementation}",
        module=name,
        written=head.implementation,
        is_client=run.is_client,
        run=run,
    )


def _of_record(key: str, one: Recorded) -> Column:
    short = ".".join(one.version.split(".")[:2])
    label = f"{one.runtime} {short}" if one.name in _STANDARD else one.name.split(".")[0]
    if one.is_client:
        label = key
    return Column(
        key=key,
        label=label,
        module=f"{one.name} {one.version}",
        written=one.written,
        is_client=one.is_client,
        recorded=one,
    )


@dataclass(slots=True)
class Group:
    """Columns that did the same, with one verdict.

    Args:
        verdict: the verdict.
        overlay: how a run compares with its baseline; empty for records.
        basis: why it is tolerated.
        where: the call, or the fact of the wire, at which it left what is accepted.
        calls: the result of each call that does more than succeed, as name and text.
        essence: what was done, without what differs in wording only.
        is_client: whether the columns were judged in the client profile.
        deed: one sign for the essence; equal signs of a case and a profile are equal deeds.
        columns: the indices of the columns.
    """

    verdict: str
    basis: str
    where: str
    calls: tuple[tuple[str, str], ...]
    essence: str
    is_client: bool
    deed: str
    columns: list[int]

    @property
    def sign(self) -> str:
        """The sign of the verdict."""
        return SIGNS[self.verdict]

    @property
    def failed(self) -> bool:
        """Whether the verdict is a failure."""
        return self.sign in FAILING


class Deed(NamedTuple):
    """Groups that did the same, each in its own words, with one verdict.

    Args:
        verdict: the verdict.
        sign: its sign.
        basis: why it is tolerated.
        text: what they did, without what differs in wording only.
        groups: the groups.
    """

    verdict: str
    sign: str
    basis: str
    text: str
    groups: list[Group]

    @property
    def said_alike(self) -> bool:
        """Whether *text* is all that there is to say of the calls."""
        one = self.groups[0]
        said = "; ".join(" ".join(call) for call in one.calls).removeprefix("fetch ")
        has_mark = one.where and len(one.calls) > 1
        return len(self.groups) == 1 and not has_mark and said in ("", self.text)


class Raised(NamedTuple):
    """An exception that columns raised.

    Args:
        fault: what it answers: a category of the client profile, or an exception of the page.
        name: its qualified class.
        bases: the qualified names of its bases.
        message: its text; empty if the records do not keep it.
        columns: the indices of the columns.
    """

    fault: str
    name: str
    bases: tuple[str, ...]
    message: str
    columns: list[int]


@dataclass(slots=True)
class Entry:
    """A case with what every column did.

    Args:
        id: the id of the case.
        title: its title.
        family: its family.
        level: its level.
        spec: the requirements that it cites.
        case: the case; None if only results name it.
        results: the results of the user's runs: column, head and result.
        sent: what each connection of the script sends.
        groups: the columns, by what they did.
        played: the id of the case that clients play in place of this one, whose script is the same;
            the groups of clients are of its records, and no sign is.
        signs: the sign of each column's verdict.
        deeds: the sign of what each column did.
        raised: the exceptions that the columns raised.
        hangs: whether a column hung.
        slips: whether clients disagree about where the message ends, or a connection was left in
            a state that no outcome accepts.
    """

    id: str
    title: str
    family: str
    level: str
    spec: tuple[str, ...]
    case: Case | None
    results: list[tuple[int, RunHead, Result]] = field(default_factory=list)
    sent: tuple[bytes, ...] = ()
    groups: list[Group] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    played: str = ""
    signs: str = ""
    deeds: str = ""
    hangs: bool = False
    slips: bool = False

    @property
    def strength(self) -> str:
        """The strength of the expectation for clients; empty if there is none."""
        if self.case is not None:
            return "" if self.case.session is None else self.case.session.strength
        return next((one.strength for _, _, one in self.results if one.strength), "")

    @property
    def rfc(self) -> tuple[str, ...]:
        """The cited sections of RFCs, each once."""
        if self.case is None:
            return tuple(dict.fromkeys(name for _, _, one in self.results for name in one.rfc))
        session = () if self.case.session is None else self.case.session.rfc
        return tuple(dict.fromkeys((*self.case.rfc, *session)))

    @property
    def exceptions(self) -> tuple[str, ...]:
        """The exceptions that outcomes name."""
        outcomes = () if self.case is None else self.case.outcomes
        every = (name for one in outcomes for wanted in one.ops.values() for name in wanted.raises)
        return tuple(dict.fromkeys(every))

    @property
    def deeds_done(self) -> list[Deed]:
        """The groups by what they did, failures first."""
        found: dict[tuple[object, ...], Deed] = {}
        for one in self.groups:
            made = Deed(one.verdict, one.sign, one.basis, one.essence, [])
            key = (one.verdict, one.basis, one.is_client, one.deed)
            found.setdefault(key, made).groups.append(one)
        return list(found.values())

    @property
    def rest(self) -> list[int]:
        """The columns of the clients that did what most did, if these are too many to be named."""
        of_clients = [one.columns for one in self.groups if one.is_client]
        most = max(of_clients, key=len, default=[])
        return most if len(most) > _MOST_NAMED else []

    @property
    def ran(self) -> tuple[int, ...]:
        """The columns of the clients that are recorded with the case."""
        return tuple(sorted(at for one in self.groups if one.is_client for at in one.columns))

    @property
    def disagree(self) -> bool:
        """Whether two columns of one profile did different things."""
        deeds = {(one.is_client, one.deed) for one in self.groups}
        return len(deeds) > len({is_client for is_client, _ in deeds})

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The place in an order with failures of runs first, then failures, then disagreements."""
        own = any(standing(one) in _OPEN for _, _, one in self.results)
        failures = sum(map(self.signs.count, FAILING))
        return (not own, -failures, -len({(one.is_client, one.deed) for one in self.groups}))


_OPEN = (Standing.FAILED, Standing.ERROR, Standing.FLAKY)


def entry_of(
    case: Case,
    book: Book,
    every: Sequence[Column],
    runs: "Results",
    played: Case | None = None,
) -> Entry:
    """Return the entry of *case*.

    Args:
        case: the case.
        book: the records.
        every: all columns.
        runs: the user's results.
        played: the case that clients play in its place; None if they play this one.
    """
    found = Entry(case.id, case.title, case.family, case.level, case.spec, case)
    found.sent = sent_by(case.script)
    _add_runs(found, every, runs)
    indices = {one.key: index for index, one in enumerate(every)}
    groups: dict[tuple[object, ...], Group] = {}
    known: dict[tuple[int, int], tuple[Group, list[Raised]]] = {}
    for one in judged(book, case):
        same = id(one.judgement), id(one.observation)
        if same not in known:
            made = _group(one)
            key = (made.verdict, made.basis, made.where, repr(made.calls), made.is_client)
            raised = list(_raised(one))
            found.raised += raised
            known[same] = groups.setdefault(key, made), raised
        group, raised = known[same]
        for columns_ in (group.columns, *(error.columns for error in raised)):
            columns_.append(indices[one.key])
        found.hangs = found.hangs or group.verdict == Verdict.HANG
    _settle(found, list(groups.values()), every)
    if played is not None:
        # Only for the page: no table counts a script twice.
        found.played = played.id
        for group in entry_of(played, book, every, {}).groups:
            found.groups += [group] if group.is_client else []
    return found


def entry_of_results(name: str, every: Sequence[Column], runs: "Results") -> Entry:
    """Return the entry of a case that is in no corpus: its results are all that is known of it."""
    _, first = runs[name][0]
    found = Entry(name, first.title, first.family, first.level, tuple(first.spec), None)
    _add_runs(found, every, runs)
    _settle(found, [], every)
    return found


Results = Mapping[str, Sequence[tuple[int, Result]]]
"""The results of the user's runs by the id of the case, each with the column of its run."""


def results_by_case(runs: Sequence[Run]) -> dict[str, list[tuple[int, Result]]]:
    """Return the results of *runs* by the id of their case, in the order of the runs."""
    found: dict[str, list[tuple[int, Result]]] = {}
    for index, run in enumerate(runs):
        for result in run.results:
            found.setdefault(result.id, []).append((index, result))
    return found


def _add_runs(found: Entry, every: Sequence[Column], runs: Results) -> None:
    for index, result in runs.get(found.id, ()):
        run = every[index].run
        if run is not None:
            found.results.append((index, run.head, result))


def _settle(found: Entry, groups: list[Group], every: Sequence[Column]) -> None:
    """Set what follows from the groups: their order, and the signs of all columns."""
    found.groups = sorted(groups, key=lambda one: (not one.failed, one.sign != "~", one.columns))
    signs, deeds = [NO_RECORD] * len(every), [NO_RECORD] * len(every)
    names: dict[object, str] = {}
    bodies = set()
    for group in found.groups:
        number = len(names)
        sign = _DEEDS[number] if number < len(_DEEDS) else chr(0x100 + number)
        group.deed = deed = names.setdefault((group.is_client, group.essence), sign)
        if group.is_client and group.calls and group.calls[0][1].startswith("accepts"):
            bodies.add(group.calls[0][1].partition(", body")[2])
        for column in group.columns:
            signs[column] = group.sign
            deeds[column] = NO_RECORD if group.sign in ".?" else deed
    found.slips = len(bodies) > 1 or any(
        one.verdict == Verdict.WRONG_CONNECTION for one in found.groups
    )
    for index, _, result in found.results:
        worst = SIGNS[result.verdict]
        if signs[index] in (NO_RECORD, "+", ".") or worst in FAILING:
            signs[index] = worst
    found.signs, found.deeds = "".join(signs), "".join(deeds)


def _group(one: Judged) -> Group:
    judgement, miss = one.judgement, one.judgement.mismatch
    where = "" if miss is None else miss.where
    calls = list(one.calls)
    is_client = one.case.profile == "client"
    if is_client and one.observation is not None:
        # The classes differ between all clients; the page of a client has them.
        trace = one.observation.trace
        calls = [
            (name, did_of(trace[name]) if "error" in trace[name] else text) for name, text in calls
        ]
    if miss is not None and not any(op.id == where for op in one.case.ops):
        calls.append((where, miss.seen))
    essence = deed_of_record(one)
    return Group(
        judgement.verdict, judgement.basis, where, tuple(calls), essence, is_client, "", []
    )


def _raised(one: Judged) -> Iterator[Raised]:
    """Yield each exception that a call raised where the page or a category has a name for it."""
    if one.observation is None:
        return
    outcome = next(iter(one.case.accepted()), None)
    for op in one.case.ops:
        error = one.observation.trace[op.id].get("error")
        if error is None or is_late(one.observation.trace[op.id]):  # the kit raised that
            continue
        wanted = None if outcome is None else outcome.ops.get(op.id)
        named = wanted.raises[0] if wanted is not None and wanted.raises else ""
        fault = error.get("category") if one.case.profile == "client" else named
        yield Raised(str(fault or ""), error["class"], tuple(error["bases"]), error["message"], [])
