"""The deadline of a case: how long nothing may happen, and which values a user may choose."""

import math

DEADLINE = 1.0
"""Seconds without progress until the server resets its sockets; after as many again, the client's
process or thread is given up.
"""
SHORTEST_DEADLINE, LONGEST_DEADLINE = 0.05, 60.0
"""Bounds of a deadline, in seconds: a shorter one would be missed by chance, and one case may take
twenty deadlines.
"""


def as_deadline(written: str | float) -> float:
    """Return the deadline that *written* gives, in seconds.

    Raises:
        ValueError: *written* is not a number, or out of bounds; the message gives the bounds.
    """
    try:
        seconds = float(written)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_DEADLINE <= seconds <= LONGEST_DEADLINE:  # also true for NaN
        raise ValueError(
            f"{str(written)!r} is not a number of seconds from {SHORTEST_DEADLINE:g} "
            f"to {LONGEST_DEADLINE:g}"
        )
    return seconds
