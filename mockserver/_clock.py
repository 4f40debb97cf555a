"""A clock that a test moves, so that a pause of a minute takes no time and ends exactly then.

In come the pauses of a play's connections, out come their ends, in the order of their times. Time
passes only in `advance`, which waits until something pauses: a test need not win a race to be the
one that comes second.
"""

import threading


class HeldClock:
    """A clock for the pauses of a server: `MockServer(..., clock=clock)`, then `clock.advance(60)`.

    Pauses that begin later count from then on.

    Args:
        patience: Seconds within which a step has to begin the pause that a test ends.

    Attributes:
        now: The seconds that have passed.
    """

    def __init__(self, patience: float = 5.0) -> None:
        self.now = 0.0
        self._patience = patience
        self._pauses: list[tuple[float, threading.Event]] = []
        self._changed = threading.Condition()

    def advance(self, seconds: float) -> None:
        """Let time pass, once a step pauses; every pause that is over by then ends.

        Raises:
            TimeoutError: No step has begun a pause.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._pauses, self._patience):
                raise TimeoutError(f"no step has begun a pause in {self._patience:g} s")
            self.now += seconds
            over = [event for end, event in self._pauses if end <= self.now]
            self._pauses = [(end, event) for end, event in self._pauses if end > self.now]
        for event in over:
            event.set()

    def start(self, seconds: float, event: threading.Event) -> None:
        """Set an event when so many seconds have passed, for a step that pauses."""
        with self._changed:
            self._pauses.append((self.now + seconds, event))
            self._changed.notify_all()
