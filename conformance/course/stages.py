"""The stages of the course: data, read from ``fixtures/course/stages.toml``."""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal, TypeVar

import msgspec

from conformance.cases import (
    LEVELS,
    Accept,
    Case,
    Corpus,
    Expected,
    Octets,
    Session,
    fixtures_directory,
    reading_of,
    sent_by,
)
from conformance.course.progress import CourseError

T = TypeVar("T")
Part = Literal["status", "reason", "headers", "body"]


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage.

    Args:
        title: a question that a student has.
        text: the introduction, in paragraphs.
        cases: globs; a case that matches one belongs to the stage.
        hints: questions and facts that help, and are not the answer.
        read: sections of RFCs.
        exclude: globs; a case that matches one does not belong to the stage.
        reports: the parts of a response that a client reports from this stage on.
        strict: whether a SHOULD counts as a MUST in this stage.
    """

    title: str
    text: str
    cases: list[str]
    hints: list[str]
    read: list[str]
    exclude: list[str] = []
    reports: list[Part] = []
    strict: bool = False

    def of(self, corpus: Corpus) -> list[Case]:
        """Return the cases of the stage, for the client profile, in the order of its globs."""
        chosen = corpus.select(self.cases, LEVELS, self.exclude).for_clients()
        # Within a glob, short responses come first: what is wrong shows best on a simple one.
        found = sorted(
            chosen, key=lambda case: (self._place(case.id), sum(map(len, sent_by(case.script))))
        )
        return [_demanded(one) for one in found] if self.strict else found

    def _place(self, name: str) -> int:
        return next(at for at, glob in enumerate(self.cases) if fnmatchcase(name, glob))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    stage: list[Stage]


@cache
def load_stages() -> list[Stage]:
    """Return the stages, in their order.

    Raises:
        CourseError: the file does not conform to the format.
    """
    return read_data("stages.toml", _File).stage


def read_data(name: str, form: type[T]) -> T:
    """Return the content of the file *name* of the course.

    Raises:
        CourseError: it does not conform to the format.
    """
    path = fixtures_directory() / "course" / name
    try:
        return msgspec.toml.decode(path.read_bytes(), type=form)
    except msgspec.DecodeError as error:
        raise CourseError(f"{path}: {error}") from None


def reported(number: int) -> frozenset[Part]:
    """Return the parts that a client reports in the stage with this *number*, from 1."""
    return frozenset(part for stage in load_stages()[:number] for part in stage.reports)


def taught(case: Case, number: int) -> Case:
    """Return *case* with all that a client reports in the stage *number*, and nothing else.

    What a client need not report yet is not compared.  The corpus compares few fields, because the
    interfaces of clients differ; a student's driver returns what the client has read, so it is
    compared with the bytes, where they break no rule.
    """
    parts, sent = reported(number), sent_by(case.script)
    if case.session is None or len(sent) != 1 or len(case.session.exchanges) != 1:
        return case
    reading = reading_of(sent[0], "fin")
    reason, headers = None, {}
    if not reading.broken:
        reason, headers = Octets((reading.reason,)), dict(_headers(reading.fields))

    def changed(one: Accept) -> Accept:
        return replace(
            one,
            reason=one.reason or reason if "reason" in parts else None,
            headers={**headers, **one.headers} if "headers" in parts else {},
            body=one.body if "body" in parts else None,
        )

    (only,) = case.session.exchanges
    results = tuple(changed(one) if isinstance(one, Accept) else one for one in only.fetch.results)
    exchange = replace(only, fetch=replace(only.fetch, results=results))
    return replace(case, session=replace(case.session, exchanges=(exchange,)))


def _headers(fields: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, Expected]]:
    """Yield each name with its values in their order, joined by a comma."""
    for name in dict.fromkeys(name for name, _ in fields):
        values = (value.strip(b" \t") for known, value in fields if known == name)
        yield name.decode("latin-1"), Octets((b", ".join(values),))


def _demanded(case: Case) -> Case:
    """Return *case* with MUST in place of every SHOULD."""
    if case.session is None:
        return case
    parts = ("fetch", "arrivals", "placement", "ending")
    exchanges = [
        replace(one, **{part: _must(getattr(one, part)) for part in parts})
        for one in case.session.exchanges
    ]
    return replace(case, session=Session(tuple(exchanges)))


def _must(part: Any) -> Any:
    return replace(part, strength="must") if part and part.strength == "should" else part
