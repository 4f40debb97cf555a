"""Equivalent mutants: changes of the reference that have no visible effect, each with its reason.

The input is `equivalent.toml`: its entries name mutants by module, function, operator, and the
changed lines before and after, each as a glob.  An entry that matches no survivor is out of date.
"""

import fnmatch
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.mutants import Mutant

FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One entry.

    Args:
        reason: why such a mutant cannot be distinguished from the reference.
        module: a glob for the module; the other fields are globs too.
        function: for the qualified name.
        operator: for the operator's name.
        before: for the original lines.
        after: for the changed lines; of several, one has to match.
    """

    reason: str
    module: str = "*"
    function: str = "*"
    operator: str = "*"
    before: str = "*"
    after: str | Sequence[str] = "*"

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
        """Return why this mutant is equivalent; None if no entry matches it."""
        return next((one.reason for one in self._entries if one.meets(mutant)), None)

    def unused(self, survivors: Iterable[Mutant], modules: Iterable[str]) -> list[str]:
        """Return the entries for one of *modules* that match none of *survivors*, as text."""
        alive, asked = list(survivors), set(modules)
        return [
            str(one)
            for one in self._entries
            if any(_like(module, one.module) for module in asked) and not any(map(one.meets, alive))
        ]


def _like(text: str, globs: str | Sequence[str]) -> bool:
    """Return whether text matches a glob in which only ``*`` is special, or one of several."""
    some = [globs] if isinstance(globs, str) else globs
    return any(
        fnmatch.fnmatchcase(text, one.replace("[", "[[]").replace("?", "[?]")) for one in some
    )
