"""Equivalent mutants: changes of the reference that no user of it could see, each with its reason.

`equivalent.toml` comes in: entries that name mutants by module, function, operator, and the changed
lines before and after, each a glob where it stands. An entry that meets no survivor is out of date.
"""

import fnmatch
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from conformance.miniatures.mutants import Mutant

FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One entry.

    Args:
        reason: why nobody can tell such a mutant from the reference.
        module: a glob, as the rest.
        function: of the qualified name.
        operator: of the operator's name.
        before: of the changed lines as they are.
        after: of the lines in the mutant.
    """

    reason: str
    module: str = "*"
    function: str = "*"
    operator: str = "*"
    before: str = "*"
    after: str = "*"

    def meets(self, mutant: Mutant) -> bool:
        """Whether the entry is about this mutant."""
        return all(
            _like(getattr(mutant, name), getattr(self, name))
            for name in ("module", "function", "operator", "before", "after")
        )


class Equivalents:
    """The entries of the file."""

    def __init__(self, entries: Iterable[Equivalent]) -> None:
        self._entries = tuple(entries)

    @classmethod
    def load(cls) -> "Equivalents":
        """Read `equivalent.toml`."""
        table = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return cls(Equivalent(**entry) for entry in table.get("equivalent", ()))

    def reason(self, mutant: Mutant) -> str | None:
        """Why this mutant is equivalent; None where nothing says so."""
        return next((one.reason for one in self._entries if one.meets(mutant)), None)

    def unused(self, survivors: Iterable[Mutant], modules: Iterable[str]) -> list[str]:
        """The entries about one of *modules* that meet none of *survivors*, as text."""
        alive, asked = list(survivors), set(modules)
        return [
            str(one)
            for one in self._entries
            if any(_like(module, one.module) for module in asked) and not any(map(one.meets, alive))
        ]


def _like(text: str, glob: str) -> bool:
    """Whether text matches a glob in which only ``*`` is special."""
    return fnmatch.fnmatchcase(text, glob.replace("[", "[[]").replace("?", "[?]"))
