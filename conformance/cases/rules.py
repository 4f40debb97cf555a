"""What RFC 9112 and RFC 9110 demand of clients about messages, rule by rule, in our own words.

The input is ``fixtures/rfc.toml``; the output is a `Rule` for each entry, in the order of the file.
"""

import fnmatch
import functools
import re
import tomllib
from typing import Literal

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

_FILE = "rfc.toml"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One demand of an RFC.

    Args:
        id: its id, which is never reused.
        section: the section that states it, such as ``9112#6.3``.
        strength: the word of RFC 2119 that it uses.
        text: what it says, in our own words.
        cases: globs of the ids of cases that are about it; empty if there is no case.
    """

    id: str
    section: str
    strength: Literal["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"]
    text: str
    cases: tuple[str, ...] = ()

    def is_about(self, case: str) -> bool:
        """Return whether the case with this id is about the rule."""
        return _pattern(self.cases).fullmatch(case) is not None

    @property
    def name(self) -> str:
        """The section in words: ``RFC 9112, section 6.3``."""
        rfc, _, section = self.section.partition("#")
        return f"RFC {rfc}, section {section}"


@functools.cache
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, globs)) or r"(?!)")


@functools.cache
def load_rules() -> tuple[Rule, ...]:
    """Return the rules.

    Raises:
        CaseError: the file does not conform to its format.
    """
    try:
        text = (fixtures_directory() / _FILE).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text)["rule"], tuple[Rule, ...])
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=_FILE) from None
