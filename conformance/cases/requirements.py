"""What the cases are about: the sentences of the documentation page, RFCs, and real bugs.

The input is ``fixtures/spec.toml``, ``fixtures/rfc.toml`` and ``fixtures/regressions.toml``. The
output is a `Requirement` for each sentence, in our own words, by its id, and a `Rule` for each
demand of an RFC and a `Regression` for each bug of a real client, in the order of their files. A
case that would have found the bug names its thread as an ``origin``.
"""

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

if TYPE_CHECKING:
    from conformance.cases.casefile import Listed
    from conformance.cases.model import Case

E = TypeVar("E", bound=msgspec.Struct)


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
    found = _entries("spec.toml", "requirement", Requirement)
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
    return _entries("regressions.toml", "regression", Regression)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an RFC demands of clients.

    Args:
        id: its id, which is never reused.
        section: the section that states it, such as ``9112#6.3``.
        strength: the word of RFC 2119 that it uses or implies.
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


def rules_about(case: str) -> Iterator[Rule]:
    """Yield the rules that the case with this id is about."""
    return (one for one in _of_family(case.partition(".")[0]) if one.is_about(case))


@functools.cache
def _of_family(first: str) -> list[Rule]:
    """Return the rules with a glob that can begin with *first*, the first part of an id."""
    return [
        one
        for one in load_rules()
        if any(fnmatch.fnmatchcase(first, glob.partition(".")[0]) for glob in one.cases)
    ]


@functools.cache
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, globs)) or r"(?!)")


@functools.cache
def load_rules() -> tuple[Rule, ...]:
    """Return the rules.

    Raises:
        CaseError: the file does not conform to its format.
    """
    return _entries("rfc.toml", "rule", Rule)


def _entries(file: str, key: str, kind: type[E]) -> tuple[E, ...]:
    """Return the entries of a file of the fixtures."""
    try:
        text = (fixtures_directory() / file).read_text(encoding="utf-8")
        return tuple(msgspec.convert(tomllib.loads(text)[key], list[kind]))  # type: ignore[valid-type]
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=file) from None
