"""Golden records judged: the verdict that an observation gets, without the implementation.

In: a book and a case.  Out: a `Judged` for each implementation that was recorded with the case as
it is now, in the order of the book.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import Case, client_case
from conformance.judge import Judgement, Observation, Verdict, judge
from conformance.run.golden.book import Book, Recorded
from conformance.run.golden.codec import Codec
from conformance.run.golden.values import Values


@dataclass(frozen=True, slots=True)
class Judged:
    """What one implementation was recorded to do, and what that comes to.

    Args:
        key: the implementation.
        case: the case as it was run, for the client profile where that is the implementation's.
        judgement: the verdict.
        observation: what was seen; None where the verdict is all there is.
    """

    key: str
    case: Case
    judgement: Judgement
    observation: Observation | None


def judged(book: Book, case: Case) -> Iterator[Judged]:
    """Yield what each recorded implementation did with *case*, judged."""
    for key in book.implementations:
        found = judged_one(book, key, case)
        if found is not None:
            yield found


def judged_one(book: Book, key: str, case: Case) -> Judged | None:
    """Return what the implementation called *key* did with *case*; None where nobody recorded it.

    Args:
        book: the records.
        key: one of the book's implementations.
        case: as it is now.
    """
    told, recorded = book.of(case).get(key), book.implementations[key]
    # A record outlives an expectation: a case may have been taken from the client profile since.
    if told is None or ("fetch" in recorded.ops and case.fetch is None):
        return None
    return _judged(key, recorded, case, told)


def _judged(key: str, recorded: Recorded, case: Case, told: object) -> Judged:
    is_client = "fetch" in recorded.ops
    ran = client_case(case) if is_client else case
    if not isinstance(told, list):
        return Judged(key, ran, Judgement(Verdict(str(told))), None)
    features = frozenset(recorded.features)
    values = Values(recorded.name, "python3" in features or is_client, recorded.classes)
    observation = Codec(values).full(ran, told)
    return Judged(key, ran, judge(ran, observation, features, recorded.errors), observation)
