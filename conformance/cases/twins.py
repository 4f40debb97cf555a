"""What a server sends in a case, and where that differs from the well-formed twin.

The input is one script, or two. The output is the bytes, and the first place of a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from mockserver import Connection, Route, Script, pieces_of


@dataclass(frozen=True, slots=True)
class Place:
    """A range of the bytes that a case's connections send.

    Args:
        connection: the connection, from 0.
        start: the index of the first byte.
        end: the index after the last byte; equal to *start* where bytes are missing.
    """

    connection: int
    start: int
    end: int


def sent_octets(part: Connection | Route) -> bytes:
    """Return every byte that the steps of *part* write."""
    return b"".join(piece.data for piece in pieces_of(*part.steps))


def sent_by(script: Script) -> tuple[bytes, ...]:
    """Return what each connection of *script* sends."""
    return tuple(map(sent_octets, script.connections))


def first_difference(sent: Sequence[bytes], twin: Sequence[bytes]) -> Place | None:
    r"""Return the first place at which *sent* differs from *twin*; None where both are equal.

    >>> first_difference([b"5\r\nhello\r\nzz\r\n"], [b"5\r\nhello\r\n0\r\n"])
    Place(connection=0, start=10, end=12)
    """
    for number, (one, other) in enumerate(zip_longest(sent, twin, fillvalue=b"")):
        if one == other:
            continue
        start = _common(one, other)
        same_end = _common(one[start:][::-1], other[start:][::-1])
        return Place(number, start, len(one) - same_end)
    return None


def _common(one: bytes, other: bytes) -> int:
    """Return the length of the common beginning of *one* and *other*, in bytes."""
    low, high = 0, min(len(one), len(other))
    left, right = memoryview(one), memoryview(other)
    while low < high:  # bisected: a body may have millions of bytes
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
