"""A part of what a step writes, with the roles of its pieces; what transforms are made of.

In comes a writing step and two offsets into its octets, out come the pieces between them. Bulk
bodies are not held in memory for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from mockserver._step import Piece, WritingStep


@dataclass(frozen=True, slots=True)
class Part(WritingStep):
    """Write a part of what another step writes, in the same writes; made by transforms only.

    Attributes:
        start: How many octets to leave out.
        stop: Where to stop, counted in the other step's octets; None for its end.
    """

    step_name: ClassVar[str] = "part"
    whole: WritingStep
    start: int = 0
    stop: int | None = None

    def writes(self) -> Iterator[tuple[Piece, ...]]:
        """The writes of the other step, cut to size; none that would be empty."""
        at = 0
        for pieces in self.whole.writes():
            kept = []
            for role, data in pieces:
                stop = None if self.stop is None else max(0, self.stop - at)
                if part := data[max(0, self.start - at) : stop]:
                    kept.append(Piece(role, part))
                at += len(data)
            if kept:
                yield tuple(kept)
            if self.stop is not None and at >= self.stop:
                return
