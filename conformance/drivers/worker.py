"""The worker: the agent in a process of its own, under any Python interpreter.

In: an interpreter and an import name.  Out: traces, over JSON lines.  The process is kept for all
cases; where it dies or is killed, the next run starts another.  Whatever it left in its process
group is ended with it.

Proxy and Python variables are cleared, so that the environment cannot change what is judged.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from conformance.drivers.base import (
    DriverDied,
    DriverError,
    Identity,
    Message,
    Trace,
    identity_of,
)

AGENT = Path(__file__).with_name("agent.py")
START_PATIENCE = 60.0
"""Seconds in which a worker must have started; a JVM under load takes ten."""
_LONGEST_ANSWER = 256 * 1024 * 1024
_LAST_WORDS = 2_000
_GRACE = 0.2
"""Seconds that a process has between closing its pipe and its end."""
_CLEARED = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


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
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._identity = self._start()

    @property
    def identity(self) -> Identity:
        """Who is being judged."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Execute the ops of *message*, in a new process where the latest one is gone."""
        if self._process is None:
            self._start()
        trace = self._ask(message).get("trace")
        wanted = [op["id"] for op in message["ops"]]
        if not isinstance(trace, list) or [_entry_id(entry) for entry in trace] != wanted:
            self._end()
            raise DriverError(f"{self._written}: the answer to run has no entry for each op")
        return trace

    def release(self) -> None:
        """Close and forget the objects of the latest run."""
        if self._process is not None:
            self._ask({"type": "release"})

    def kill(self) -> bool:
        """End the process and its group; whoever waits for its answer gets `DriverDied`."""
        process = self._process
        if process is not None:
            _end_group(process)
        return True

    def stop(self) -> None:
        """Tell the process to stop, and end it with its group where it does not."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(json.dumps({"type": "stop"}).encode() + b"\n")
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _end_group(process)
        process.wait()
        for pipe in (process.stdin, process.stdout, self._errors):
            if pipe is not None:
                _close(pipe)

    def _start(self) -> Identity:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # open for as long as the process
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            problem = f"{self._written}: cannot start {self._command[0]}: {error.strerror}"
            raise DriverError(problem) from None
        alarm = threading.Timer(self._patience, self.kill)
        alarm.start()
        try:
            return identity_of(self._written, self._ask({"type": "start"}))
        except DriverDied as error:
            late = (
                f", which did not start in {self._patience:g} s" if alarm.finished.is_set() else ""
            )
            raise DriverError(f"{self._written}: {error}{late}") from None
        except DriverError:
            self._end()
            raise
        finally:
            alarm.cancel()

    def _ask(self, message: Message) -> Mapping[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise DriverError(f"{self._written}: the worker is not running")
        self._serial += 1
        question = json.dumps({**message, "serial": self._serial}).encode()
        with contextlib.suppress(OSError):  # nobody reads: what it has said before tells why
            process.stdin.write(question + b"\n")
            process.stdin.flush()
        line = process.stdout.readline(_LONGEST_ANSWER)
        if not line.endswith(b"\n"):
            raise DriverDied(self._obituary())
        return self._checked(line)

    def _checked(self, line: bytes) -> Mapping[str, Any]:
        """Return the answer in *line*, which must be one to the latest message."""
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("serial") != self._serial:
            self._end()
            raise DriverError(f"{self._written}: not an answer to what was asked: {line[:80]!r}")
        return answer

    def _obituary(self) -> str:
        """End the process for good, and return how it ended, with its last words."""
        process = self._process
        if process is None:
            return "the worker was not running"
        code = _ended(process)
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        words = self._last_words()
        self._end()
        return f"the worker {how}{': ' if words else ''}{words}"

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _LAST_WORDS))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _entry_id(entry: object) -> object:
    """Return the id of an entry that has a value, an error or a word on why there is none."""
    if isinstance(entry, dict) and len({"value", "error", "skipped"} & set(entry)) == 1:
        return entry.get("id")
    return None


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """Return how *process* ended by itself, or, where it does not, after it was made to."""
    try:
        return process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        _end_group(process)
        return process.wait()


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def _close(pipe: IO[bytes]) -> None:
    # What was not yet written cannot be: the reader is gone.
    with contextlib.suppress(OSError):
        pipe.close()


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in _CLEARED and (not name.startswith("PYTHON") or name == "PYTHONPATH")
    }
