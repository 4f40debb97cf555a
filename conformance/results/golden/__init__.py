"""Golden records: stored observations, shown, judged and compared without the implementations.

The input is implementations, or the files among the fixtures.  The output is a `Book` of
observations, one file for each topic of the corpus.  Each distinct observation of a case is stored
once, with the implementations that made it; what one client does in most cases is stored once, with
the client.  An observation from a book is judged like a new one.
"""

from conformance.results.golden.book import (
    Book,
    BookError,
    Recorded,
    load_book,
    observed_directory,
    read_book,
    write_book,
)
from conformance.results.golden.codec import Codec
from conformance.results.golden.judging import Judged, judged, judged_one, played_for, runs_of
from conformance.results.golden.stable import stable_observation
from conformance.results.golden.usual import Heads
from conformance.results.golden.values import Values

__all__ = [
    "Book",
    "BookError",
    "Codec",
    "Heads",
    "Judged",
    "Recorded",
    "Values",
    "judged",
    "judged_one",
    "load_book",
    "observed_directory",
    "played_for",
    "read_book",
    "runs_of",
    "stable_observation",
    "write_book",
]
