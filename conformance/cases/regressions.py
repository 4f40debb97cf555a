"""Real bugs of real clients, which the corpus covers in addition to the documentation page.

The input is ``fixtures/regressions.toml``; the output is a `Regression` for each entry, in the
order of the file. A case that would have found the bug names its thread as an ``origin``.
"""

import fnmatch
import functools
import tomllib
from typing import TYPE_CHECKING

import msgspec

from conformance.cases.casefile import Listed
from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

if TYPE_CHECKING:
    from conformance.cases.model import Case

_FILE = "regressions.toml"


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
        text = (fixtures_directory() / _FILE).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text)["regression"], tuple[Regression, ...])
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=_FILE) from None
