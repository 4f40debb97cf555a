"""Lessons: bytes, a prediction, a play, and a question that is checked.

The texts are data, in ``fixtures/course/lessons.toml``.  What is right comes from the cases: the
bytes, what may be done with them, and the answer to the question (`FACTS`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from certs import CertificateAuthority
from conformance.atlas import Question, may_do, question
from conformance.cases import Accept, Case, Corpus, Expectation, expected_text
from conformance.course.progress import CourseError
from conformance.course.stages import read_data
from conformance.drivers import OURS, target
from conformance.report import visible_text
from conformance.results import Result
from conformance.run import Runner

T = TypeVar("T")
NOTHING = "nothing"
"""The text of empty content."""


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One lesson.

    Args:
        title: a question that people have.
        text: what comes before the bytes, in paragraphs.
        case: the case whose bytes are shown, predicted and played.
        after: what the play shows.
        ask: the question at the end.
        about: the case that answers it.
        fact: which of `FACTS` of that case is the answer.
        wrong: other answers.
        read: sections of RFCs.
    """

    title: str
    text: str
    case: str
    after: str
    ask: str
    about: str
    fact: str
    wrong: list[str]
    read: list[str]

    def prediction(self, corpus: Corpus) -> Question:
        """Return the question about the bytes.

        Raises:
            CourseError: nothing is expected of the case.
        """
        return _there(question(self.shown(corpus)), self.case)

    def question(self, corpus: Corpus) -> Question:
        """Return the question at the end, with the answer that its case gives.

        Raises:
            CourseError: the case has no such fact, or a wrong answer is right.
        """
        case = _case(corpus, self.about)
        if self.fact == "does":
            return _there(may_do(case), self.about)._replace(text=self.ask)
        answer = _there(FACTS[self.fact](case), self.about)
        if answer in self.wrong:
            raise CourseError(f"{self.title}: the answer {answer!r} is among the wrong ones")
        return Question(self.ask, tuple(sorted([answer, *self.wrong])), answer)

    def shown(self, corpus: Corpus) -> Case:
        """Return the case whose bytes are shown."""
        return _case(corpus, self.case)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    lesson: list[Lesson]


@cache
def load_lessons() -> list[Lesson]:
    """Return the lessons, in their order.

    Raises:
        CourseError: the file does not conform to the format.
    """
    return read_data("lessons.toml", _File).lesson


def played(case: Case) -> Result:
    """Return what the reference does with *case*, with the trace and the transcript."""
    with Runner(target(OURS), CertificateAuthority(), thorough=True) as runner:
        return runner.run_case(case)


def _case(corpus: Corpus, name: str) -> Case:
    return _there(corpus.case(name), name)


def _there(found: T | None, name: str) -> T:
    if found is None:
        raise CourseError(f"the lessons need {name}, which does not say it")
    return found


def _outcome(case: Case) -> Iterator[tuple[str, Expectation]]:
    for outcome in case.accepted()[:1]:
        yield from outcome.ops.items()


def _accept(case: Case) -> Accept | None:
    results = case.fetch.results if case.fetch else ()
    return next((one for one in results if isinstance(one, Accept)), None)


def _octets(value: Any) -> str | None:
    """Return the bytes of an expected value; None if it has none."""
    pieces = getattr(value, "pieces", None)
    return None if pieces is None else b"".join(pieces).decode("latin-1")


def _status(case: Case) -> str | None:
    accept = _accept(case)
    if accept is not None:
        return str(accept.status)
    values = [expected_text(one.value) for name, one in _outcome(case) if name == "status"]
    return next(iter(values), None)


def _body(case: Case) -> str | None:
    reads = [_octets(one.value) for name, one in _outcome(case) if name == "read"]
    return next(iter(reads), None)


def _content(case: Case) -> str | None:
    body = _body(case)
    return None if body is None else visible_text(body) or NOTHING


def _length(case: Case) -> str | None:
    body = _body(case)
    return None if body is None else str(len(body))


def _field(case: Case) -> str | None:
    """Return the first field of which the case expects a value."""
    accept = _accept(case)
    values = map(_octets, accept.headers.values()) if accept else ()
    return next((visible_text(one) for one in values if one is not None), None)


def _partial(case: Case) -> str | None:
    partial = (_octets(one.attributes.get("partial")) for _, one in _outcome(case))
    return next((visible_text(one) for one in partial if one is not None), None)


def _raises(case: Case) -> str | None:
    return next((" or ".join(one.raises) for _, one in _outcome(case) if one.raises), None)


def _connections(case: Case) -> str | None:
    found = [one.wire.connections for one in case.accepted()[:1]]
    return next((str(one) for one in found if one is not None), None)


FACTS: Mapping[str, Callable[[Case], str | None]] = {
    "status": _status,
    "content": _content,
    "length": _length,
    "field": _field,
    "partial": _partial,
    "raises": _raises,
    "connections": _connections,
}
"""What a case says, as text, by name; ``does`` is what a client may do with its bytes."""
