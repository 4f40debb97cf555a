"""How a run ends early: by a signal, or by an error of the kit.

A signal raises KeyboardInterrupt, once, and only during measurement.  Other work, such as closing
second runs or writing reports, is not interrupted: otherwise a second Ctrl-C would lose the results
that the first one kept.
"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Ending:
    """A context in which signals end measurement and nothing else.

    Attributes:
        reason: the signal that ended it; empty if there was none.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._measures = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Ending":
        with contextlib.suppress(ValueError):  # not in the main thread: the caller decides
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Let a signal interrupt this block; an earlier signal interrupts it at once."""
        self._measures = True
        try:
            if self.reason:
                raise KeyboardInterrupt
            yield
        finally:
            self._measures = False

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self.reason:
            return
        name = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
        self.reason = f"interrupted{name}"
        if self._measures:
            self._measures = False
            raise KeyboardInterrupt
