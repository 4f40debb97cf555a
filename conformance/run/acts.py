"""What the kit itself does to a client that makes no progress, in words.

Every report, story and transcript says it in these words, so that an act of the kit is never taken
for one of the server or the client.
"""


def gave_up(seconds: float, *, progress: bool = False) -> str:
    """Return that the kit has given a case up.

    Args:
        seconds: after how many.
        progress: whether something still happened, without an end.

    >>> gave_up(1.0)
    'the kit gave up after 1 s without progress and reset its sockets'
    """
    what = "without an end" if progress else "without progress"
    return f"the kit gave up after {seconds:g} s {what} and reset its sockets"


def ended_process(act: str, seconds: float) -> str:
    """Return that *seconds* after *act* the client was still stuck, and lost its process."""
    return f"{act}; the client was stuck even {seconds:g} s later, and the kit ended its process"


def abandoned_thread(act: str, seconds: float) -> str:
    """Return that *seconds* after *act* the client was still stuck, and lost its thread."""
    return f"{act}; the client was stuck even {seconds:g} s later, and the kit abandoned its thread"
