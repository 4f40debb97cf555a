"""The cases of the corpus, built once for all test modules of a process.

A corpus builds each case when it is reached and keeps none. Tests go through all of them many
times, so they share this tuple, which keeps every case in use: what a selection of the corpus
reaches is then found built.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from conformance.atlas import site
from conformance.cases import Case, load_corpus
from conformance.cases.twins import sent_octets
from conformance.report import Run
from conformance.results import Result
from conformance.results.golden import Book
from conformance.run import Runner
from conformance.run.lane import Lane
from mockserver import Connection, Record

CORPUS = load_corpus()
EVERY = tuple(CORPUS.cases)
"""All cases, in the order of the corpus."""
BY_ID = {case.id: case for case in EVERY}
"""The same by their ids."""


def kind_of(value: Any) -> object:
    """Return *value* with classes of sizes for its texts, numbers and runs of equal kinds.

    Values that differ in their content alone, such as two status codes, are of one kind; what
    differs in a step, in a field that is set, in None, a bool or the size of a buffer is not.
    """
    if dataclasses.is_dataclass(value):
        fields = (one.name for one in dataclasses.fields(value))
        return type(value).__name__, tuple((one, kind_of(getattr(value, one))) for one in fields)
    if isinstance(value, tuple | list):
        return tuple(kind for kind, _ in itertools.groupby(map(kind_of, value)))
    if isinstance(value, dict):
        return tuple((name, kind_of(one)) for name, one in sorted(value.items()))
    if isinstance(value, bytes | str):
        return type(value).__name__, bool(value), len(value) >> 16 > 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value > 0) - (value < 0), abs(value) >= 1 << 16
    return repr(value)


def each_kind_once(
    cases: Iterable[Case], more: Callable[[Case], object] = lambda _: None
) -> list[Case]:
    """Return the first of *cases* for each kind of script, and for each value of *more*."""
    kinds: dict[object, Case] = {}
    for case in cases:
        kinds.setdefault((kind_of(case.script), case.host, more(case)), case)
    return list(kinds.values())


def site_of(runs: Sequence[Run]) -> dict[str, str]:
    """Return the files of the site that `check --html` writes for *runs*, without any records."""
    names = dict.fromkeys(result.id for run in runs for result in run.results)
    return dict(site(CORPUS, list(names), Book(), runs))


class RecordingLane(Lane):
    """A lane that keeps the server's record of each case."""

    records: dict[str, Record]

    def _judged(self, case: Case, trace: Any, record: Record, *rest: Any) -> Result:
        self.records[case.name] = record
        return super()._judged(case, trace, record, *rest)


class RecordingRunner(Runner):
    """A runner whose lanes keep the server's records, by the names of the cases."""

    def _new_lane(self) -> Lane:
        lane = super()._new_lane()
        lane.__class__ = RecordingLane
        lane.records = {}  # type: ignore[attr-defined] # it has just become one that has them
        return lane

    @property
    def records(self) -> dict[str, Record]:
        """The records so far."""
        return dict(self._lane.records)  # type: ignore[attr-defined]


def played_whole(connection: Connection) -> set[bytes]:
    """Return all that *connection* can send without a step unplayed.

    These are the bytes of all steps, and those before each optional read: the client may end there,
    and then the rest is not missed.
    """
    ends = [
        index for index, step in enumerate(connection.steps) if getattr(step, "optional", False)
    ]
    parts = [dataclasses.replace(connection, steps=connection.steps[:end]) for end in ends]
    return {sent_octets(part) for part in (*parts, connection)}


OWN_CASE = """
family = "mine"
[[case]]
id = "mine.one"
title = "One"
level = "guard"
spec = ["HTTPResponse.read"]
why = "It is mine."
respond = "HTTP/1.1 200 OK\\r\\n\\r\\n"
[[case.outcome]]
read = ""
"""
"""A case file of a user, in which one case has every required field."""
