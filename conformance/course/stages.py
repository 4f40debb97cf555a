"""The stages of the course: data, read from ``fixtures/course/stages.toml``."""

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal, TypeVar

import msgspec

from conformance.cases import LEVELS, Case, Corpus, Session, fixtures_directory
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
        found = sorted(chosen, key=lambda case: self._place(case.id))
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
