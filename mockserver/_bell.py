"""How the threads that play tell an observer that they have moved.

In come rings, out come ends of waits. A ring that nobody waits for costs one look at a flag, so
that playing stays cheap; a wait never misses a ring that comes after it looked at its condition.
"""

import threading
import time
from collections.abc import Callable


class Bell:
    """Rung by every thread that begins to wait for its peer, or is over.

    Attributes:
        listeners: How many wait for a ring.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self.listeners = 0

    def ring(self) -> None:
        """Say that something has changed; called after the change."""
        if self.listeners:
            self._event.set()

    def until(self, condition: Callable[[], bool], deadline: float) -> bool:
        """Wait for a condition that a ring, or silently the kernel, will make true.

        Args:
            condition: Looked at first, after each ring, and in growing intervals up to 1 ms.
            deadline: When to give up, by the monotonic clock.

        Returns:
            Whether the condition came true.
        """
        if condition():
            return True
        self._listen(1)
        try:
            return self._until(condition, deadline)
        finally:
            self._listen(-1)

    def _until(self, condition: Callable[[], bool], deadline: float) -> bool:
        nap = 5e-5
        self._event.clear()
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._event.wait(nap)
            self._event.clear()
            nap = min(nap * 2, 1e-3)
        return True

    def _listen(self, change: int) -> None:
        with self._lock:
            self.listeners += change
