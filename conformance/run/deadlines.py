"""The deadline of a case: how long nothing may happen, and what a person may ask for."""

import math

DEADLINE = 1.0
"""Seconds without progress until the server resets its sockets; again, and the client is lost."""
SHORTEST_DEADLINE, LONGEST_DEADLINE = 0.05, 60.0
"""Bounds of a deadline, in seconds: a glance is no deadline, and a case may take twenty of them."""


def as_deadline(written: str | float) -> float:
    """Return the deadline that *written* names, in seconds.

    Raises:
        ValueError: it is no number, or out of bounds; the message says which are allowed.
    """
    try:
        seconds = float(written)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_DEADLINE <= seconds <= LONGEST_DEADLINE:  # not a number is out of bounds too
        raise ValueError(
            f"{str(written)!r} is not a number of seconds from {SHORTEST_DEADLINE:g} "
            f"to {LONGEST_DEADLINE:g}"
        )
    return seconds
