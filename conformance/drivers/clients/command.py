"""The driver of a command: a program that is run once for each URL.

The input is a command in which ``{url}`` is replaced by the URL; the output is traces. Exit code 0
means that the response was accepted, any other that it was rejected. Standard output is the
content, or the file whose name replaces ``{out}``. A file whose name replaces ``{head}`` contains
the head, in the format of ``curl --dump-header``; without such a file, status, reason and fields
are reported as unknown. A client that reports its result in another way needs a function that reads
it.

The program gets an empty home directory, no proxy variables and no input; its environment has the
name of the case as ``HTTPLIB_KIT_CASE``. Its output is limited in size. Processes of its group that
are still running when it ends are killed.
"""

import contextlib
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.drivers.base import (
    FETCH,
    START_ALLOWANCE,
    Driver,
    DriverDied,
    DriverError,
    Identity,
    Message,
    Trace,
)
from conformance.drivers.clients.python_client import head_of
from conformance.drivers.clients.registry import ErrorTable
from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import child_environment

URL, HEAD, OUT = "{url}", "{head}", "{out}"
CASE = "HTTPLIB_KIT_CASE"
"""The environment variable with the name of the case, for the program's logs."""
_MOST = 64 * 1024 * 1024
"""The most bytes that a program may write to a file; every case has fewer."""
_MOST_SAID = 256 * 1024
_START = 2.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a program that ended.

    Args:
        code: its exit code.
        output: what it wrote to standard output.
        said: the beginning of what it wrote to standard error.
        head: what it wrote to the file of the head; None if the command has no such file.
    """

    code: int
    output: bytes
    said: bytes
    head: bytes | None

    @property
    def last_words(self) -> str:
        """The last line on standard error."""
        lines = self.said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


Taken = tuple[bytes | None, bytes | None]
"""Head and content of a response, each None where the program does not report it."""


def as_written(ended: Ended) -> Taken:
    """Return the head and the content that the program wrote."""
    return ended.head, ended.output


class Command(Driver):
    """Runs a program for each `fetch`.

    Args:
        written: the client as the user wrote it.
        name: what the client is called.
        version: its version; empty if unknown.
        words: the program and its arguments.
        table: from exit codes and standard error to categories.
        answered: the exit codes that mean that the response was accepted.
        taken: reads the response from the result of the program.
        allowance: seconds that the program may take to its first connection.
    """

    def __init__(
        self,
        written: str,
        name: str,
        version: str,
        words: Sequence[str],
        table: ErrorTable | None = None,
        answered: Sequence[int] = (0,),
        taken: Callable[[Ended], Taken] = as_written,
        allowance: float = START_ALLOWANCE,
    ) -> None:
        self._identity = Identity(written, name, version, frozenset(), frozenset({FETCH}))
        self._words = list(words)
        self._table = table or ErrorTable([])
        self._answered = answered
        self._taken = taken
        self._allowance = allowance
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def identity(self) -> Identity:
        """The client."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Run the program for the URL of *message*."""
        with tempfile.TemporaryDirectory(prefix="httplib-kit-") as directory:
            place = Path(directory)
            case = str(message.get("name", message["id"]))
            return [self._entry(op, str(message["url"]), case, place) for op in message["ops"]]

    @property
    def start_cost(self) -> float:
        """Seconds that a start may take, at most that of a JVM; each case includes one start."""
        return _START

    @property
    def allowance(self) -> float:
        """Seconds that the program may take to its first connection."""
        return self._allowance

    def effort(self) -> Effort | None:
        """Return the processor time that the program used and waited for; None if none runs.

        That of its children counts too: a program is often started by a shell.
        """
        process = self._process
        return None if process is None else effort_of(process.pid, children=True)

    def release(self) -> None:
        """Do nothing: the program has ended."""

    def kill(self) -> bool:
        """End the program and its group; a `run` that waits for it raises `DriverDied`."""
        process = self._process
        if process is not None:
            _end_group(process)
        return True

    def stop(self) -> None:
        """End the program if it is running."""
        self.kill()

    def _entry(self, op: Message, url: str, case: str, directory: Path) -> dict[str, Any]:
        files = {HEAD: directory / "head", OUT: directory / "out"}
        words = [_with_files(word.replace(URL, url), files) for word in self._words]
        ended = self._ended(words, case, directory)
        if any(HEAD in word for word in self._words):
            ended = replace(ended, head=_content(files[HEAD]))
        if any(OUT in word for word in self._words):
            ended = replace(ended, output=_content(files[OUT]))
        if ended.code in self._answered:
            return {"id": op["id"], "value": response(*self._taken(ended))}
        if ended.code < 0:
            by = signal.Signals(-ended.code)
            limit = f": the kit lets it write {_MOST >> 20} MiB" if by == signal.SIGXFSZ else ""
            raise DriverDied(f"{words[0]} was ended by {by.name}{limit}")
        return {"id": op["id"], "error": self._error(ended)}

    def _ended(self, words: Sequence[str], case: str, directory: Path) -> Ended:
        home = directory / "home"
        home.mkdir()
        # Files instead of pipes: a process that the program starts and leaves running could keep a
        # pipe open, and reading it would never end.
        with (directory / "output").open("w+b") as output, (directory / "said").open("w+b") as said:
            try:
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=said,
                    env={**child_environment(), "HOME": str(home), CASE: case},
                    start_new_session=True,
                )
            except OSError as error:
                raise DriverError(f"cannot start {words[0]}: {error.strerror}") from None
            self._process = process
            try:
                _limit(process)
                code = process.wait()
            finally:
                _end_group(process)
                process.wait()
                self._process = None
            output.seek(0)
            said.seek(0)
            return Ended(code, output.read(_MOST), said.read(_MOST_SAID), None)

    def _error(self, ended: Ended) -> dict[str, Any]:
        error = {
            "class": f"exit-{ended.code}",
            "bases": [],
            "attributes": {},
            "message": ended.last_words,
        }
        text = f"exit {ended.code}: {ended.said.decode('utf-8', 'replace')}"
        return {**error, "category": self._table.category({**error, "causes": [text]})}


def _with_files(word: str, files: Mapping[str, Path]) -> str:
    for name, path in files.items():
        word = word.replace(name, str(path))
    return word


def command_words(text: str) -> list[str]:
    """Return the words of a command as a user wrote it.

    Raises:
        ValueError: it has no ``{url}``, or is not a command line; the message says which.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"not a command line: {error}") from None
    if not any(URL in word for word in words[1:]):
        raise ValueError(f"a command has {URL} among its arguments, where the URL is to stand")
    return words


def _limit(process: "subprocess.Popen[bytes]") -> None:
    """Limit the size of the files that *process* writes; writing more ends it with SIGXFSZ."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_MOST, _MOST))


def _content(path: Path) -> bytes:
    """Return the content of the file; empty if the program did not create it."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except OSError:
        return b""


def response(head: bytes | None, content: bytes | None) -> dict[str, Any]:
    """Return a response in the form of the protocol."""
    value: dict[str, Any] = {
        "type": "response",
        "status": None,
        "reason": None,
        "headers": None,
        "body": None if content is None else content.decode("latin-1"),
    }
    if head is not None:
        status, reason, fields = head_of(re.split(rb"(?<=\n)", head))
        value["status"] = status
        value["reason"] = reason.decode("latin-1")
        value["headers"] = [[a.decode("latin-1"), b.decode("latin-1")] for a, b in fields]
    return value


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
