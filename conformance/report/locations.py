"""Where the case of a result stands: the file and the line that a CI service shows next to it.

The input is a corpus and a result.  The output is a path and a line.  A case of the kit stands in
the kit's own repository, so its path begins there; a user's own case has the path that the user
gave.
"""

from typing import NamedTuple

from conformance.cases import Corpus
from conformance.results import Result, RunHead

CASES = "fixtures/cases"
"""The directory of the kit's cases, in its repository."""


class Location(NamedTuple):
    """A line of a case file.

    Args:
        path: the path of the file, with slashes.
        line: the number of the line, from 1.
        is_own: whether the file is the user's and not the kit's.
    """

    path: str
    line: int
    is_own: bool


def location_of(corpus: Corpus, result: Result, head: RunHead) -> Location:
    """Return where the case of *result* stands.

    A case that the corpus does not have, because it is of another version or in a file of the user,
    stands in the first of the user's files, or in the directory of the kit's cases.
    """
    listed = corpus.listed(result.id)
    if listed is None:
        return Location(head.own[0] if head.own else CASES, 1, bool(head.own))
    own = listed.is_own
    path = listed.file if own else f"{CASES}/{listed.file}"
    return Location(path.replace("\\", "/"), listed.line, own)
