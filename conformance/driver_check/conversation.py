"""Sends messages to a driver one after the other, and describes every fault of its answers.

The input is a command and messages.  The output is answers that follow the protocol, or a
`Problem`.  A driver with a problem is ended: its next line could be the answer to an earlier
message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from conformance.drivers import (
    NotALine,
    NotStarted,
    NotTheProtocol,
    Program,
    ProgramEnded,
    Started,
    TooLate,
    answer_in,
    checked_trace,
    child_environment,
    started,
)

STOP = {"type": "stop"}
PATIENCE = 5.0
"""Seconds allowed for an answer; a driver that takes longer is stuck."""


class Problem(Exception):
    """What is wrong, with the remedy for the driver's author."""


class Conversation:
    """A driver that answers one message after the other.

    Args:
        command: the program and its arguments.
        patience: seconds allowed for its start.
    """

    def __init__(self, command: Sequence[str], patience: float) -> None:
        self._patience = patience
        self._serial = 0
        self.program = Program(command, child_environment())

    def ask(self, message: Mapping[str, Any], patience: float | None = None) -> dict[str, Any]:
        """Return the answer to *message*.

        Raises:
            Problem: there is no answer, or it does not follow the protocol.
        """
        patience = PATIENCE if patience is None else patience
        self._serial += 1
        kind = message["type"]
        self.program.send(msgspec.json.encode({**message, "serial": self._serial}))
        try:
            answer = answer_in(self.program.receive(patience), self._serial)
            self.program.expect_silence()
            return answer
        except ProgramEnded:
            raise Problem(f"it {self.program.end().how}, where `{kind}` needs an answer") from None
        except TooLate:
            self.program.end()
            raise Problem(f"no answer to `{kind}` came in {patience:g} s") from None
        except (NotALine, NotTheProtocol) as error:
            self.program.end()
            hint = "only answers may go to standard output, one line for each message"
            raise Problem(f"{error}; {hint}") from None

    def start(self) -> Started:
        """Return the identity that the driver reports."""
        answer = self.ask({"type": "start"}, self._patience)
        try:
            said = started(answer)
        except NotTheProtocol as error:
            raise Problem(str(error)) from None
        if isinstance(said, NotStarted):
            raise Problem(f"it says that it cannot work: {said.error.name}: {said.error.message}")
        return said

    def run(self, ops: Sequence[Mapping[str, Any]], address: tuple[str, int]) -> list[Any]:
        """Return the trace of *ops*, run against *address*."""
        message = {
            "type": "run",
            "id": "driver-check",
            "rev": 1,
            "ops": list(ops),
            "address": list(address),
            "deadline": 1.0,
            "url": f"http://{address[0]}:{address[1]}/",
        }
        answer = self.ask(message)
        try:
            return checked_trace(ops, answer)
        except NotTheProtocol as error:
            raise Problem(str(error)) from None

    def goodbye(self, message: Mapping[str, Any] | None) -> str:
        """Send *message*, or only close the driver's input, and check that the driver exits.

        Raises:
            Problem: it does not exit, writes something more, or leaves processes running.
        """
        line = b""
        if message is not None:
            line = msgspec.json.encode({**message, "serial": self._serial + 1}) + b"\n"
        exit_ = self.program.part(line, PATIENCE)
        after = "`stop`" if message is not None else "the end of its input"
        if not exit_.on_its_own:
            raise Problem(f"it does not end within {PATIENCE:g} s of {after}")
        if exit_.said:
            raise Problem(f"it writes something that was not asked for: {exit_.said[:80]!r}")
        if exit_.left:
            left = ", ".join(exit_.left)
            raise Problem(f"it leaves processes running (they were ended): {left}")
        return f"it exits after {after}, and leaves no process running"

    def skip_to(self, serial: int) -> None:
        """Make the serial number of the next message greater than *serial*."""
        self._serial = serial
