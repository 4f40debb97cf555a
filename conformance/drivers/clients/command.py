"""The driver of a command: a program run once for each URL.

In: a command, in whose words ``{url}`` stands for the URL.  Out: traces.  Exit code 0 takes the
response, any other refuses it; the content is what the program writes to standard output.  What it
writes to a file whose name stands for ``{head}`` is the head, as ``curl --dump-header`` writes it;
without one, status, reason and fields are not told.  A client that tells these things in another
way brings a function that reads them.

The program gets an empty home, no proxy variables, no input, the name of the case as
``HTTPLIB_KIT_CASE`` in its environment, and a bounded output; whatever it leaves in its process
group is ended with it.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.drivers.base import (
    FETCH,
    Driver,
    DriverDied,
    DriverError,
    Identity,
    Message,
    Trace,
)
from conformance.drivers.clients.python_client import head_of
from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import environment

URL, HEAD = "{url}", "{head}"
CASE = "HTTPLIB_KIT_CASE"
"""The variable of a program's environment that names the case, so that a log can."""
Rows = Sequence[tuple[str, str]]
_MOST = 64 * 1024 * 1024
"""Bytes that a program may write; no case has as many."""
_MOST_SAID = 256 * 1024
_START = 2.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Args:
        code: its exit code.
        output: what it wrote to standard output.
        said: what it wrote to standard error, as far as one wants to hear it.
        head: what it wrote to the file of the head; None where there is no such file.
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
"""Head and content of a response, each None where it is not told."""


def by_exit_code(ended: Ended) -> Taken | None:
    """Return the response of a program that ends with 0 where it took one; None: it did not."""
    return (ended.head, ended.output) if ended.code == 0 else None


class Command(Driver):
    """Runs a program for each `fetch`.

    Args:
        written: the client as the user wrote it.
        name: what the client is called.
        version: its version; empty where nobody knows.
        words: the program and its arguments.
        rows: patterns over ``exit CODE: standard error``, each with a category.
        taken: reads the response from how the program ended; None where it refused it.
    """

    def __init__(
        self,
        written: str,
        name: str,
        version: str,
        words: Sequence[str],
        rows: Rows = (),
        taken: Callable[[Ended], Taken | None] = by_exit_code,
    ) -> None:
        self._identity = Identity(written, name, version, frozenset(), frozenset({FETCH}))
        self._words = list(words)
        self._rows = rows
        self._taken = taken
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def identity(self) -> Identity:
        """Who is being judged."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Run the program for the URL of *message*."""
        with tempfile.TemporaryDirectory(prefix="httplib-kit-") as directory:
            place = Path(directory)
            case = str(message.get("name", message["id"]))
            return [self._entry(op, str(message["url"]), case, place) for op in message["ops"]]

    @property
    def start_cost(self) -> float:
        """Seconds that a start may take: here every case has one in it, at worst that of a JVM."""
        return _START

    def effort(self) -> Effort | None:
        """Return what the program has had of the processors; None where none runs."""
        process = self._process
        return None if process is None else effort_of(process.pid)

    def release(self) -> None:
        """Do nothing: the program has ended."""

    def kill(self) -> bool:
        """End the program and its group; whoever waits for it gets `DriverDied`."""
        process = self._process
        if process is not None:
            _end_group(process)
        return True

    def stop(self) -> None:
        """End the program, where one runs."""
        self.kill()

    def _entry(self, op: Message, url: str, case: str, directory: Path) -> dict[str, Any]:
        head = directory / "head"
        words = [word.replace(URL, url).replace(HEAD, str(head)) for word in self._words]
        ended = self._ended(words, case, directory)
        if any(HEAD in word for word in self._words):
            ended = replace(ended, head=_content(head))
        taken = self._taken(ended)
        if taken is not None:
            return {"id": op["id"], "value": response(*taken)}
        if ended.code < 0:
            by = signal.Signals(-ended.code)
            limit = f": the kit lets it write {_MOST >> 20} MiB" if by == signal.SIGXFSZ else ""
            raise DriverDied(f"{words[0]} was ended by {by.name}{limit}")
        return {"id": op["id"], "error": self._error(ended)}

    def _ended(self, words: Sequence[str], case: str, directory: Path) -> Ended:
        home = directory / "home"
        home.mkdir()
        # Files and no pipes: whatever the program leaves behind could hold a pipe open for ever.
        with (directory / "output").open("w+b") as output, (directory / "said").open("w+b") as said:
            try:
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=said,
                    env={**environment(), "HOME": str(home), CASE: case},
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
        told = f"exit {ended.code}: {ended.said.decode('utf-8', 'replace')}"
        found = (category for pattern, category in self._rows if re.search(pattern, told))
        return {
            "class": f"exit-{ended.code}",
            "bases": [],
            "attributes": {},
            "message": ended.last_words,
            "category": next(found, ""),
        }


def command_words(text: str) -> list[str]:
    """Return the words of a command as a user wrote it.

    Raises:
        ValueError: it has no ``{url}``, or is no command line; the message says which.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"not a command line: {error}") from None
    if not any(URL in word for word in words[1:]):
        raise ValueError(f"a command has {URL} among its arguments, where the URL is to stand")
    return words


def _limit(process: "subprocess.Popen[bytes]") -> None:
    """Limit the files that *process* can write; it is ended where it writes on."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_MOST, _MOST))


def _content(path: Path) -> bytes:
    """Return what is in the file, of which the program may have made nothing."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except OSError:
        return b""


def response(head: bytes | None, content: bytes | None) -> dict[str, Any]:
    """Return a response as the protocol has it."""
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
