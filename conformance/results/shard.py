"""Shards: parts of a run, for several machines in parallel.

The input is ``I/N``.  The output is whether a case belongs to the part.  A case stays in its shard
when other cases are added or removed, with all its settings.  Each case is in exactly one shard.
"""

import hashlib
import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of several.

    Args:
        index: the number of the part, from 1.
        count: how many parts there are.
    """

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> "Shard":
        """Return the shard that *text* gives.

        Raises:
            ValueError: *text* is not a shard.
        """
        found = _FORM.fullmatch(text)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.index <= shard.count:
            raise ValueError(f"{text!r} is not I/N, the part I of N")
        return shard

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def has(self, case_id: str) -> bool:
        """Return whether the case called *case_id* is in this shard."""
        drawn = int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:8], "big")
        return drawn % self.count == self.index - 1
