"""The in-process driver: it imports the agent.

The input is an import name, the output traces; there is no process and no pipe. It is only for the
project's own implementations: an endless loop or a crash in one would affect the kit itself, and
the runner can only abandon a thread, not end it.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import NoReturn

from conformance.drivers.agent import Agent, not_started
from conformance.drivers.base import Driver, Identity, Message, Trace, identity_of
from conformance.drivers.effort import Effort, effort_of


class InProcess(Driver):
    """Executes ops in the calling thread.

    Args:
        name: the import name of the implementation.

    Raises:
        DriverError: it cannot be imported.
    """

    def __init__(self, name: str) -> None:
        try:
            with _no_exit():
                self._agent = Agent(name)
                answer = self._agent.start()
        except Exception:  # noqa: BLE001 # a broken import raises what it likes
            answer = not_started()
        self._identity = identity_of(name, {**answer, "serial": 1})
        self._thread = 0

    @property
    def identity(self) -> Identity:
        """The implementation under test."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Execute the ops of *message*."""
        self._thread = threading.get_native_id()
        with _no_exit():
            trace: Trace = self._agent.run(message)["trace"]
        return trace

    def release(self) -> None:
        """Close and drop the objects of the latest run."""
        self._agent.release()

    def where(self) -> Message:
        """Return where the present run is; empty between two runs."""
        position: Message = self._agent.position() if self._agent.thread else {}
        return position

    def effort(self) -> Effort | None:
        """Return the processor time that the thread of the latest run used and waited for."""
        return effort_of(os.getpid(), self._thread) if self._thread else None

    def kill(self) -> bool:
        """Return False: a thread cannot be ended from outside; global state is restored."""
        self._agent.restore()
        return False

    def stop(self) -> None:
        """Release the objects of the latest run."""
        self._agent.release()


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    """Let `os._exit` raise: in-process, it would end the kit and lose all verdicts."""
    process, usual = os.getpid(), os._exit

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:
            usual(status)  # a child process forked by the implementation may exit
        raise SystemExit(f"os._exit({status})")

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = usual
