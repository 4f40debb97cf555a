"""Shards: parts of a run, for machines side by side.

In: ``I/N``.  Out: whether a case belongs to the part.  A case stays in its shard whatever becomes
of the others, with all its settings; together the shards are the whole, and no case is in two.
"""

import hashlib
import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of several.

    Args:
        index: which, from 1.
        count: of how many.
    """

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> "Shard":
        """Return the shard that *text* names.

        Raises:
            ValueError: it names none.
        """
        found = _FORM.fullmatch(text)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.index <= shard.count:
            raise ValueError(f"{text!r} is not I/N, the part I of N")
        return shard

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def has(self, case_id: str) -> bool:
        """Tell whether the case called *case_id* belongs here."""
        drawn = int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:8], "big")
        return drawn % self.count == self.index - 1
