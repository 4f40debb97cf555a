"""Golden records: what implementations did, to be told, judged and compared without them.

In: implementations, or the files among the fixtures.  Out: a `Book` of observations, one file for
each topic of the corpus, in which each distinct observation stands once, with those who made it;
and from it, observations that are judged as live ones are.
"""

from conformance.run.golden.book import Book, BookError, Recorded, load_book, read_book, write_book
from conformance.run.golden.judging import Judged, judged, judged_one
from conformance.run.golden.recorder import NotRecorded, record
from conformance.run.golden.roster import ROSTER

__all__ = [
    "ROSTER",
    "Book",
    "BookError",
    "Judged",
    "NotRecorded",
    "Recorded",
    "judged",
    "judged_one",
    "load_book",
    "read_book",
    "record",
    "write_book",
]
