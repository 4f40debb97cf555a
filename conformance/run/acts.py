"""Texts for what the kit itself does to a client that makes no progress.

Every report, story and transcript uses these texts, so that an act of the kit is never mistaken for
an act of the server or the client.
"""


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


def ended_process(act: str, seconds: float) -> str:
    """Return the text for a client that *act* did not free within *seconds*: process ended."""
    return f"{act}; the client was stuck even {seconds:g} s later, and the kit ended its process"


def abandoned_thread(act: str, seconds: float) -> str:
    """Return the text for a client that *act* did not free within *seconds*: thread abandoned."""
    return f"{act}; the client was stuck even {seconds:g} s later, and the kit abandoned its thread"
