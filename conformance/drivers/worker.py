"""The worker: a driver in a process of its own, over JSON lines.

In: a command, be it an interpreter with the agent or anybody's own driver.  Out: traces.  The
process is kept for all cases; where it died or was ended, the next run starts another.  What it
says is held against the protocol, and a process that says something else is ended: its fault is
a `DriverError`, its death a `DriverDied`.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from conformance.drivers.base import (
    NO_RESTART,
    DriverDied,
    DriverError,
    Identity,
    Message,
    Trace,
    identity_of,
)
from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import environment
from conformance.drivers.program import NotALine, Parting, Program, ProgramEnded, TooLate
from conformance.drivers.protocol import (
    ANY_OP,
    PROBE,
    NotTheProtocol,
    answer_in,
    checked_trace,
)

AGENT = Path(__file__).with_name("agent.py")
START_PATIENCE = 60.0
"""Seconds in which a worker must have started; a JVM under load takes ten."""
_STOP = b'{"type":"stop","serial":%d}'


class Worker:
    """Executes ops in a child process.

    Args:
        written: the implementation as the user wrote it.
        command: the program and its arguments.
        patience: seconds that the program has to start.

    Raises:
        DriverError: the program cannot be started, or says that it cannot work.
    """

    def __init__(
        self, written: str, command: Sequence[str], patience: float = START_PATIENCE
    ) -> None:
        self._written = written
        self._command = list(command)
        self._patience = patience
        self._serial = 0
        self._program: Program | None = None
        self._releasing = False
        self._thread = threading.get_native_id()
        self.busy = False
        self.start_cost = 0.0
        try:
            self._identity = self._start()
            self._probe()
        except BaseException:  # an interrupt too, after which nobody would know the program
            self._end()
            raise

    @property
    def identity(self) -> Identity:
        """Who is being judged."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Execute the ops of *message*, in a new process where the latest one is gone."""
        self._thread = threading.get_native_id()
        self.settle()
        if self._program is None:
            try:
                self._start()
            except DriverError as error:
                raise DriverError(f"{NO_RESTART}{error}") from None
        self._tell(message)
        answer = self._hear()
        try:
            return checked_trace(message["ops"], answer)
        except NotTheProtocol as error:
            self._fail(str(error))

    def release(self) -> None:
        """Tell the process to close and forget the objects of the latest run."""
        if self._program is not None:
            self._tell({"type": "release"})
            self._releasing = True

    def settle(self) -> None:
        """Wait until it has."""
        if self._releasing:
            self._releasing = False
            self._hear()

    def effort(self) -> Effort | None:
        """Return what the process has had and wanted of the processors.

        What the thread that asks had and wanted is time in which the process waited for it.
        """
        program, mine = self._program, effort_of(os.getpid(), self._thread)
        theirs = None if program is None else program.effort()
        if theirs is None or mine is None:
            return None
        return Effort(theirs.worked, theirs.waited + mine.worked + mine.waited)

    def kill(self) -> bool:
        """End the process and its group; whoever waits for its answer gets `DriverDied`."""
        program = self._program
        if program is not None:
            program.kill()
        return True

    def stop(self) -> None:
        """Tell the process to stop, and end it with its group where it does not."""
        program, self._program = self._program, None
        if program is not None:
            program.hang_up(_STOP % (self._serial + 1))

    def _start(self) -> Identity:
        """Start the program, and ask who it is."""
        self.busy = True
        try:
            self._program = Program(self._command, environment())
            self._tell({"type": "start"})
            identity = identity_of(self._written, self._hear(self._patience))
            effort = self._program.effort()
            self.start_cost = 0.0 if effort is None else effort.worked
            return identity
        except OSError as error:
            problem = f"{self._written}: cannot start {self._command[0]}: {error.strerror}"
            raise DriverError(problem) from None
        except DriverDied as error:
            raise DriverError(f"{self._written}: {error}") from None
        except DriverError:
            self._end()
            raise
        finally:
            self.busy = False

    def _probe(self) -> None:
        """Ask for an op that no driver knows: one that claims it would hide what it lacks."""
        generic = ANY_OP in self._identity.ops
        op = {"id": PROBE, "on": "module", "args": [], "kwargs": {}}
        op["kind" if generic else "call"] = PROBE
        message = {
            "type": "run",
            "id": PROBE,
            "rev": 1,
            "ops": [op],
            "address": ["127.0.0.1", 0],
            "deadline": 1.0,
            "url": "http://127.0.0.1:0/",
        }
        problem = "an op that it does not know needs the entry `unsupported`"
        try:
            self._tell(message)
            (entry,) = checked_trace([op], self._hear(self._patience))
        except DriverDied as error:
            raise DriverError(f"{self._written}: {problem}, but {error}") from None
        except NotTheProtocol as error:
            self._fail(f"{problem}, but {error}")
        if "unsupported" not in entry:
            self._fail(problem)

    def _tell(self, message: Message) -> None:
        if self._program is None:
            raise DriverError(f"{self._written}: the worker is not running")
        self._serial += 1
        self._program.tell(msgspec.json.encode({**message, "serial": self._serial}))

    def _hear(self, patience: float | None = None) -> Mapping[str, Any]:
        """Return the answer to the latest message."""
        if self._program is None:
            raise DriverError(f"{self._written}: the worker is not running")
        try:
            answer = answer_in(self._program.hear(patience), self._serial)
            self._program.expect_silence()
            return answer
        except ProgramEnded:
            parting = self._end()
            if parting is None or parting.by_itself:
                how = "is gone" if parting is None else parting.how
                raise DriverDied(f"the worker {how}") from None
            raise DriverError(f"{self._written}: the worker {parting.how}") from None
        except TooLate:
            self._fail(f"it did not start in {self._patience:g} s, or did not answer what followed")
        except (NotALine, NotTheProtocol) as error:
            self._fail(str(error))

    def _fail(self, problem: str) -> NoReturn:
        self._end()
        raise DriverError(f"{self._written}: {problem}")

    def _end(self) -> Parting | None:
        program, self._program = self._program, None
        self._releasing = False
        if program is None:
            return None
        self.busy = True
        try:
            return program.end()
        finally:
            self.busy = False
