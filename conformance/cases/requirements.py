"""What the cases are about: the sentences of the documentation page, and real bugs.

The input is ``fixtures/spec.toml`` and ``fixtures/regressions.toml``. The output is a `Requirement`
for each sentence, in our own words, by its id, and a `Regression` for each bug of a real client, in
the order of its file. A case that would have found the bug names its thread as an ``origin``.
"""

import fnmatch
import functools
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

if TYPE_CHECKING:
    from conformance.cases.casefile import Listed
    from conformance.cases.model import Case

_PAGE = "spec.toml"
_BUGS = "regressions.toml"


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence of the page.

    Args:
        number: its number, which is never reused.
        id: its id, which cases cite.
        entry: the entry of the page that contains it.
        text: what it says, in our own words.
    """

    number: int
    id: str
    entry: str
    text: str


@functools.cache
def load_requirements() -> Mapping[str, Requirement]:
    """Return every requirement by its id, in the order of the page.

    Raises:
        CaseError: the file does not conform to its format.
    """
    try:
        text = (fixtures_directory() / _PAGE).read_text(encoding="utf-8")
        found = msgspec.convert(tomllib.loads(text)["requirement"], list[Requirement])
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=_PAGE) from None
    return {one.id: one for one in found}


class Regression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A real bug of a real client.

    Args:
        id: a letter for its kind, and a number.
        symptom: what was seen.
        threads: links to where it was reported.
        cases: globs of ids of cases that would have found it, if no case names a thread.
    """

    id: str
    symptom: str
    threads: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    def is_caught_by(self, case: "Case | Listed") -> bool:
        """Return whether *case* would have found the bug."""
        return not set(self.threads).isdisjoint(case.origin) or any(
            fnmatch.fnmatchcase(case.id, glob) for glob in self.cases
        )


@functools.cache
def load_regressions() -> tuple[Regression, ...]:
    """Return the regressions.

    Raises:
        CaseError: the file does not conform to its format.
    """
    try:
        text = (fixtures_directory() / _BUGS).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text)["regression"], tuple[Regression, ...])
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=_BUGS) from None
