"""How a program is run once, and how one run of it makes the exchanges of a session.

The input is a program with its arguments. The output is an `Ended`: its exit code, and what it
wrote. It gets an empty home directory, no proxy variables and no input, and its output is limited.

For a session, all requests are made by one run of the program. After each exchange it opens a named
pipe, which has no writer until the next exchange is asked for. So the kit knows when an exchange is
over, and which files and lines belong to it, and the server is at rest between two exchanges.
"""

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from conformance.drivers.base import DriverDied, DriverError, Message
from conformance.drivers.environment import child_environment

URL, HEAD, OUT, PAUSE, PLACE = "{url}", "{head}", "{out}", "{pause}", "{directory}"
PROXY, CA = "{proxy}", "{ca}"
CASE = "HTTPLIB_KIT_CASE"
"""The environment variable with the name of the case, for the program's logs."""
MOST = 64 * 1024 * 1024
"""The most bytes that a program may write to a file; every case has fewer."""
MOST_SAID = 256 * 1024
"""The most bytes of its standard error that are read."""
_POLL = 0.001
"""Seconds between two looks whether a program has opened a pipe or ended."""


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


class Sessions(Protocol):
    """How a program makes several exchanges in one invocation."""

    def problem(self, asked: Sequence[Message]) -> str:
        """Return why it cannot make these exchanges; empty if it can.

        Args:
            asked: the keyword arguments of each exchange.
        """

    def words(
        self, asked: Sequence[Message], urls: Sequence[str], place: Path, options: Sequence[str]
    ) -> list[str]:
        """Return the program and its arguments; it waits after each exchange, or ends.

        Args:
            asked: the keyword arguments of each exchange.
            urls: the URL of each.
            place: a directory with a named pipe ``1``, ``2``, … for the wait after each exchange.
            options: further options for each exchange.
        """

    def ended(
        self, number: int, code: int | None, said: bytes, written: bytes, place: Path
    ) -> Ended:
        """Return the result of one exchange.

        Args:
            number: its number, from 1.
            code: the exit code of the program; None while it waits.
            said: what the program wrote to standard error meanwhile.
            written: what it wrote to standard output.
            place: the directory.
        """


class Template:
    """A command of the user with a part that is repeated for each exchange.

    ``[ A | B ]`` becomes A B A B A: A makes a request, and B waits.

    Args:
        words: the program and its arguments.
    """

    def __init__(self, words: Sequence[str]) -> None:
        start, middle, end = (words.index(mark) for mark in ("[", "|", "]"))
        self._before, self._after = words[:start], words[end + 1 :]
        self._each, self._between = words[start + 1 : middle], words[middle + 1 : end]

    @property
    def single(self) -> list[str]:
        """The program and its arguments for one exchange."""
        return [*self._before, *self._each, *self._after]

    def problem(self, asked: Sequence[Message]) -> str:
        """Return why not: a command says nothing but the URL."""
        usual = all(one["method"] == "GET" and one.keys() == {"method", "target"} for one in asked)
        return "" if usual else "the command says how to GET a URL, and nothing more"

    def words(
        self, asked: Sequence[Message], urls: Sequence[str], place: Path, options: Sequence[str]
    ) -> list[str]:
        """Return the command with its repeated part."""
        words = [*self._before, *options]
        for number, url in enumerate(urls, 1):
            files = {HEAD: f"{number}.head", OUT: f"{number}.out", PAUSE: f"{number}"}
            holes = {URL: url, **{hole: str(place / name) for hole, name in files.items()}}
            part = [*self._each, *(self._between if number < len(asked) else ())]
            words += [filled(word, holes) for word in part]
        return [*words, *self._after]

    def ended(
        self, number: int, code: int | None, said: bytes, written: bytes, place: Path
    ) -> Ended:
        """Return the result: a program that waits has failed if it wrote to standard error."""
        failed = code or (1 if code is None and said.strip() else 0)
        head = content_of(place / f"{number}.head") if self._has(HEAD) else None
        body = content_of(place / f"{number}.out") if self._has(OUT) else written
        return Ended(failed, body, said, head)

    def _has(self, hole: str) -> bool:
        return any(hole in word for word in self._each)


def filled(word: str, holes: Mapping[str, str]) -> str:
    """Return *word* with each of *holes* replaced by its text."""
    for hole, text in holes.items():
        word = word.replace(hole, text)
    return word


class ProgramSession:
    """A program that makes the exchanges of a session, and waits after each.

    Args:
        sessions: how it does so.
        asked: the keyword arguments of each exchange.
        urls: the URL of each.
        case: the name of the case.
        options: further options for each exchange.
        holes: further names in braces, and what replaces them.
    """

    def __init__(
        self,
        sessions: Sessions,
        asked: Sequence[Message],
        urls: Sequence[str],
        case: str,
        options: Sequence[str] = (),
        holes: Mapping[str, str] | None = None,
    ) -> None:
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            place = tempfile.TemporaryDirectory(prefix="httplib-kit-")
            self._place = Path(stack.enter_context(place))
            paths = self._place / "output", self._place / "said"
            # Opened twice: a descriptor that the program inherits has one position for both.
            theirs = [stack.enter_context(path.open("wb")) for path in paths]
            self._output, self._said = (stack.enter_context(path.open("rb")) for path in paths)
            for number in range(1, len(asked) + 1):
                os.mkfifo(self._place / str(number))
            words = sessions.words(asked, urls, self._place, options)
            self._words = [filled(word, holes or {}) for word in words]
            self.process = started(self._words, case, self._place, *theirs)
            stack.callback(self.process.wait)
            stack.callback(end_group, self.process)
            self._stack = stack.pop_all()
        self._sessions = sessions
        self._number, self._count = 0, len(asked)
        self._pause = -1

    def next(self) -> Ended:
        """Let the program go on to the end of its next exchange, and return its result.

        Raises:
            DriverDied: the program ended before its last exchange was over.
        """
        self._go_on()
        self._number += 1
        code = None
        while self._pause < 0:
            code = self.process.poll()
            self._pause = _writer(self._place / str(self._number))
            if code is not None:
                break
            time.sleep(_POLL)
        if code is not None and code < 0:
            raise death(self._words[0], code)
        if code is not None and self._number < self._count:
            raise DriverDied(f"{self._words[0]} ended with {code} in exchange {self._number}")
        said, written = self._said.read(MOST_SAID), self._output.read(MOST)
        return self._sessions.ended(self._number, code, said, written, self._place)

    def close(self) -> None:
        """End the program, and delete its files."""
        self._stack.close()
        if self._pause >= 0:
            os.close(self._pause)

    def _go_on(self) -> None:
        if self._pause >= 0:
            os.close(self._pause)
            self._pause = -1


def _writer(pipe: Path) -> int:
    """Return a descriptor to write to *pipe*; -1 while the program has not opened it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return -1


def started(
    words: Sequence[str], case: str, directory: Path, output: IO[bytes], said: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a program that writes to files, with an empty home in *directory*."""
    home = directory / "home"
    home.mkdir()
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output.fileno(),
            stderr=said.fileno(),
            env={**child_environment(), "HOME": str(home), CASE: case},
            start_new_session=True,
        )
    except OSError as error:
        raise DriverError(f"cannot start {words[0]}: {error.strerror}") from None
    _limit(process)
    return process


def death(program: str, code: int) -> DriverDied:
    """Return the error for a *program* that a signal has ended."""
    by = signal.Signals(-code)
    limit = f": the kit lets it write {MOST >> 20} MiB" if by == signal.SIGXFSZ else ""
    return DriverDied(f"{program} was ended by {by.name}{limit}")


def _limit(process: "subprocess.Popen[bytes]") -> None:
    """Limit the size of the files that *process* writes; writing more ends it with SIGXFSZ."""
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MOST, MOST))


def content_of(path: Path) -> bytes:
    """Return the content of the file; empty if the program did not create it."""
    try:
        with path.open("rb") as file:
            return file.read(MOST)
    except OSError:
        return b""


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End *process* and its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
