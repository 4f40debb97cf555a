"""Judges golden records: the verdict on a stored observation, without the implementation.

The input is a book and a case.  The output is a `Judged` for each implementation that was recorded
with the present form of the case, in the order of the book.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import Case, client_case
from conformance.judge import Judgement, Observation, Verdict, judge
from conformance.results.golden.book import Book, Recorded
from conformance.results.golden.codec import Codec
from conformance.results.golden.values import Values


@dataclass(frozen=True, slots=True)
class Judged:
    """What one implementation did according to the records, and the verdict on it.

    Args:
        key: the implementation.
        case: the case as it was run; in the client profile if the implementation has that profile.
        judgement: the verdict.
        observation: the observation; None if only a verdict is stored.
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
    """Return what the implementation with this *key* did with *case*; None if it is not recorded.

    Args:
        book: the records.
        key: one of the book's implementations.
        case: the case in its present form.
    """
    encoded, recorded = book.of(case).get(key), book.implementations[key]
    # A record may be older than an expectation: the case may since have left the client profile.
    if encoded is None or ("fetch" in recorded.ops and case.fetch is None):
        return None
    return _judged(key, recorded, case, encoded)


def _judged(key: str, recorded: Recorded, case: Case, encoded: object) -> Judged:
    is_client = "fetch" in recorded.ops
    ran = client_case(case) if is_client else case
    if not isinstance(encoded, list):
        return Judged(key, ran, Judgement(Verdict(str(encoded))), None)
    features = frozenset(recorded.features)
    values = Values(recorded.name, "python3" in features or is_client, recorded.classes)
    observation = Codec(values).full(ran, encoded)
    return Judged(key, ran, judge(ran, observation, features, recorded.errors), observation)
