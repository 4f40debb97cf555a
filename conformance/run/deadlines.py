"""The deadline of a case: which values a user may choose, and the texts for what the kit does then.

Every report, story and transcript uses these texts, so that an act of the kit is never mistaken for
an act of the server or the client.
"""

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


STUCK = "the client was stuck even"
"""Words of the reason of a case that did not end even after its sockets were reset."""
NOT_WAITED_FOR = "not waited for"
"""The first words of the reason of a case that the kit did not wait for."""


def gave_up(seconds: float, *, progress: bool = False) -> str:
    """Return the text for a case that the kit gave up.

    Args:
        seconds: how long the kit waited.
        progress: whether bytes still moved, but the case did not end.

    >>> gave_up(1.0)
    'the kit gave up after 1 s without progress and reset its sockets'
    """
    what = "without an end" if progress else "without progress"
    return f"the kit gave up after {seconds:g} s {what} and reset its sockets"


def no_connection(seconds: float) -> str:
    """Return the text for a client that made no connection within *seconds*."""
    return f"no connection was made in {seconds:g} s"


def ended_case(call: str) -> str:
    """Return the text for a case that cannot go on because *call* had failed."""
    return f"the kit ended the case, because {call} had failed"


def did_not_wait(other: str) -> str:
    """Return the text for a case that is where *other* and further ones had hung."""
    return f"{NOT_WAITED_FOR}: it was where {other} and others had hung"


def ended_process(act: str, seconds: float) -> str:
    """Return the text for a client that *act* did not free within *seconds*: process ended."""
    return f"{act}; {STUCK} {seconds:g} s later, and the kit ended its process"


def abandoned_thread(act: str, seconds: float) -> str:
    """Return the text for a client that *act* did not free within *seconds*: thread abandoned."""
    return f"{act}; {STUCK} {seconds:g} s later, and the kit abandoned its thread"
