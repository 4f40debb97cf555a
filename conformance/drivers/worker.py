"""The worker: a driver in a process of its own, over JSON lines.

The input is a command: an interpreter with the agent, or a driver program of the user. The output
is traces. One process serves all cases; after it has ended, the next run starts another. Its
answers are checked against the protocol. A process that violates it is ended; this is a
`DriverError`. If the process ends in a run, this is a `DriverDied`.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from conformance.drivers.base import (
    EXEC,
    NO_RESTART,
    Driver,
    DriverDied,
    DriverError,
    Identity,
    Message,
    Trace,
    identity_of,
)
from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import child_environment
from conformance.drivers.program import Exit, NotALine, Program, ProgramEnded, TooLate
from conformance.drivers.protocol import (
    ANY_OP,
    PROBE,
    Frame,
    NotTheProtocol,
    answer_in,
    checked_trace,
    position_in,
)

AGENT = Path(__file__).with_name("agent.py")
START_PATIENCE = 60.0
"""Seconds in which a worker must have started; a JVM under load takes ten."""
_WHERE_PATIENCE = 0.5
"""Seconds for the answer where a run is now; a process that holds its interpreter gives none."""
_STOP = b'{"type":"stop","serial":%d}'


class Worker(Driver):
    """Executes ops in a child process.

    Args:
        written: the implementation as the user wrote it.
        command: the program and its arguments.
        patience: seconds within which the program must start.
        locates: whether the program can say where a run is; one of the user may.

    Raises:
        DriverError: the program cannot be started, or reports that it cannot work.
    """

    busy = False
    start_cost = 0.0

    def __init__(
        self,
        written: str,
        command: Sequence[str],
        patience: float = START_PATIENCE,
        *,
        locates: bool = False,
    ) -> None:
        self._written = written
        self._command = list(command)
        self._patience = patience
        self._locates = locates
        self._is_program = written.startswith(EXEC)
        self._serial = 0
        self._ops: Sequence[Message] = ()
        self._made: set[str] = set()
        self._program: Program | None = None
        self._releasing = False
        self._thread = threading.get_native_id()
        try:
            self._identity = self._start()
            self._probe()
        except BaseException:  # an interrupt, too: the program must not be left running
            self._end()
            raise

    @property
    def identity(self) -> Identity:
        """The implementation under test."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Execute the ops of *message*, in a new process if the previous one has ended."""
        self._thread = threading.get_native_id()
        self.settle()
        if self._program is None:
            try:
                self._start()
            except DriverError as error:
                raise DriverError(f"{NO_RESTART}{error}") from None
        self._ops = message["ops"]
        self._tell(message)
        answer = self._hear()
        try:
            return checked_trace(message["ops"], answer, self._made)
        except NotTheProtocol as error:
            self._fail(str(error))

    def release(self) -> None:
        """Request that the process close and drop the objects of the latest run."""
        if self._program is not None:
            self._tell({"type": "release"})
            self._releasing = True
        self._made = set()

    def settle(self) -> None:
        """Wait for the answer to that request."""
        if self._releasing:
            self._releasing = False
            self._hear()

    def where(self) -> Message:
        """Ask the program where its present run is; empty if it does not answer."""
        program, ops, serial, made = self._program, self._ops, self._serial, self._made
        if program is None or not self._locates:
            return {}
        line = program.where(_WHERE_PATIENCE)
        # A program that need not answer, and did not, is not waited for again.
        self._locates = bool(line) or not self._is_program
        return position_in(line, serial, ops, made) or {}

    def effort(self) -> Effort | None:
        """Return the processor time that the process used and waited for; None if unknown.

        While the kit's thread sends a message or reads an answer, the process waits for it. So the
        processor time that this thread used and waited for counts as waiting of the process.
        """
        program, mine = self._program, effort_of(os.getpid(), self._thread)
        theirs = None if program is None else program.effort()
        if theirs is None or mine is None:
            return None
        return Effort(theirs.worked, theirs.waited + mine.worked + mine.waited)

    def kill(self) -> bool:
        """End the process and its group; a `run` that waits for its answer raises `DriverDied`."""
        program = self._program
        if program is not None:
            program.kill()
        return True

    def stop(self) -> None:
        """Request that the process stop, and end it with its group if it does not."""
        program, self._program = self._program, None
        if program is not None:
            program.hang_up(_STOP % (self._serial + 1))

    def _start(self) -> Identity:
        """Start the program, and ask for its identity."""
        self.busy = True
        try:
            self._program = Program(self._command, child_environment(), locates=self._locates)
            self._tell({"type": "start"})
            identity = identity_of(self._written, self._hear(self._patience))
            effort = self._program.effort()
            self.start_cost = 0.0 if effort is None else effort.worked
            return identity
        except OSError as error:
            problem = f"{self._written}: cannot start {self._command[0]}: {error.strerror}"
            raise DriverError(problem) from None
        except DriverDied as error:
            raise DriverError(f"{self._written}: when it was started, {error}") from None
        except DriverError:
            self._end()
            raise
        finally:
            self.busy = False

    def _probe(self) -> None:
        """Send an op that does not exist: a driver that accepts it would hide ops that it lacks."""
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
        problem = "an unknown op needs the entry `unsupported`"
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
        self._program.send(msgspec.json.encode({**message, "serial": self._serial}))

    def _hear(self, patience: float | None = None) -> Mapping[str, Any]:
        """Return the answer to the latest message."""
        if self._program is None:
            raise DriverError(f"{self._written}: the worker is not running")
        try:
            answer = answer_in(self._program.receive(patience), self._serial)
            self._program.expect_silence()
            return answer
        except ProgramEnded:
            exit_ = self._end()
            if exit_ is None or exit_.on_its_own:
                how = "is gone" if exit_ is None else exit_.how
                raise DriverDied(f"the worker {how}") from None
            raise DriverError(f"{self._written}: the worker {exit_.how}") from None
        except TooLate:
            self._fail(self._too_late())
        except (NotALine, NotTheProtocol) as error:
            self._fail(str(error))

    def _too_late(self) -> str:
        """Return what was not answered in time, and where the program is, if it reports it."""
        frame, started = next(iter(self.where().get("frames", ())), None), self._serial > 1
        what = "did not answer an unknown op" if started else "did not start"
        place = "" if frame is None else f"; at {msgspec.convert(frame, Frame).shown}"
        return f"it {what} in {self._patience:g} s{place}"

    def _fail(self, problem: str) -> NoReturn:
        self._end()
        raise DriverError(f"{self._written}: {problem}")

    def _end(self) -> Exit | None:
        program, self._program = self._program, None
        self._releasing, self._made = False, set()
        if program is None:
            return None
        self.busy = True
        try:
            return program.end()
        finally:
            self.busy = False
