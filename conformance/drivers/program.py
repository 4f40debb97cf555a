"""A program in a process of its own: started, asked line by line, listened to, and ended.

In: a command, and lines.  Out: a line for each.  One thread asks, and waits on the program's three
pipes at once, so that neither side can block the other and no thread is handed over to; any thread
may end the program.

What a program can make the kit hold is bounded: an answer has a longest length, nothing may follow
it, and of standard error only the last words are kept.  Whatever the program has started ends with
it: its process group, and, where the system shows the environment of a process (Linux), what has
left the group as well, by the mark that it inherited.
"""

import contextlib
import os
import resource
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import MEMORY

LONGEST_ANSWER = 160 * 1024 * 1024
"""Bytes: the largest content of a case, 64 MiB, each byte written as two, and room to spare."""
_BLOCK = 1 << 16
_GLANCE_MS = 50
"""Milliseconds until a program that says nothing is looked at: its pipes may outlive it."""
_GRACE = 0.2
"""Seconds that a program has between closing its pipe and its end."""
_LAST_WORDS = 2_000
_MOST_DATA = 2 * MEMORY
"""The last resort, for runtimes that do not limit themselves."""
_MARK = "HTTPLIB_KIT_DRIVER"
_NO_PROGRAM = (126, 127)
"""What shells, and launchers that choose a Python, end with where they cannot run a program."""
_JVM_GREETING = "Picked up JAVA_TOOL_OPTIONS"
_ROUNDS = 10
"""How often what a program left is looked for: it may be starting more while it is ended."""
_PROC = Path("/proc")


class ProgramEnded(Exception):
    """The program ended, or closed its output, before it answered."""


class NotALine(Exception):
    """What the program says is not one line: too long, or more than was asked for."""


class TooLate(Exception):
    """The program did not answer in the time that it was given."""


class Parting(NamedTuple):
    """How a program went.

    Attributes:
        by_itself: Whether it ended without being made to by this.
        how: How it ended, with its last words.
        said: What it said that nobody asked for.
        left: The processes that it left behind, by number and name.
    """

    by_itself: bool
    how: str
    said: bytes
    left: list[str]


class Program:
    """A running program.

    Args:
        command: the program and its arguments.
        environment: its environment, to which a mark is added.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._mark = f"{_MARK}={secrets.token_hex(8)}"
        name, _, value = self._mark.partition("=")
        self._process = subprocess.Popen(
            list(command),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, name: value},
            start_new_session=True,
        )
        _limit(self._process.pid)
        self._lock = threading.Lock()
        self._said = bytearray()
        self._words = b""
        self._parting: Parting | None = None
        self._waiting = b""
        self._poll = select.poll()
        self._in, self._out, self._err = map(
            _descriptor, (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for descriptor in (self._out, self._err):
            self._poll.register(descriptor, select.POLLIN)

    def tell(self, line: bytes) -> None:
        """Give the program *line*, which has no end yet; what finds no room goes with `hear`."""
        self._feed(self._waiting + line + b"\n")

    def hear(self, patience: float | None = None) -> bytes:
        """Return the line that the program says, without its end.

        Args:
            patience: seconds until the answer must be there; by default there is no limit.

        Raises:
            ProgramEnded: there will be no answer.
            NotALine: it is too long.
            TooLate: there was none in time.
        """
        last = None if patience is None else time.monotonic() + patience
        searched = 0
        while True:
            for descriptor, _ in self._poll.poll(_GLANCE_MS):
                if descriptor == self._out:
                    self._listen()
                elif descriptor == self._err:
                    self._hear_words()
                else:
                    self._feed(self._waiting)
            end = self._said.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._said[:end])
                del self._said[: end + 1]
                return line
            searched = len(self._said)
            if searched > LONGEST_ANSWER:
                raise NotALine(f"it says more than {LONGEST_ANSWER >> 20} MiB without a line end")
            if last is not None and time.monotonic() > last:
                raise TooLate
            self._look()

    def _feed(self, data: bytes) -> None:
        """Write as much of *data* as finds room; the rest waits until there is some."""
        try:
            written = os.write(self._in, data)
        except BlockingIOError:
            written = 0
        except OSError:  # nobody reads: what it says, or how it ended, tells why
            written = len(data)
        if self._waiting and written == len(data):
            self._poll.unregister(self._in)
        elif written < len(data) and not self._waiting:
            self._poll.register(self._in, select.POLLOUT)
        self._waiting = data[written:]

    def _listen(self) -> None:
        block = _block(self._out)
        if block:
            self._said += block
        elif block is not None:
            raise ProgramEnded

    def _hear_words(self) -> None:
        block = _block(self._err)
        if block:
            self._words = (self._words + block)[-_LAST_WORDS:]
        elif block is not None:
            self._poll.unregister(self._err)

    def expect_silence(self) -> None:
        """Look that nothing stands behind the line that was heard.

        Raises:
            NotALine: something does.
        """
        if self._said:
            raise NotALine(f"it says more than was asked for: {bytes(self._said[:80])!r}")

    def _look(self) -> None:
        """Raise `ProgramEnded` where the program is gone, and all that it said is here."""
        if self._process.poll() is None:
            return
        before = len(self._said)
        self._listen()
        if len(self._said) == before:
            raise ProgramEnded

    def effort(self) -> Effort | None:
        """Return what the program has had and wanted of the processors; None where unknown."""
        return effort_of(self._process.pid)

    def kill(self) -> None:
        """End the program and its group at once; for any thread.  Whoever asks it is told."""
        with self._lock:
            if self._parting is None:
                _kill_group(self._process)

    def hang_up(self, line: bytes) -> None:
        """Give it *line*, close its input, and let it go; end what is left of it after a moment."""
        self.part(line + b"\n", _GRACE)

    def end(self) -> Parting:
        """End the program and all that it has started, after a moment in which it may itself."""
        return self.part(b"", _GRACE)

    def part(self, line: bytes, patience: float) -> Parting:
        """Give the program *line*, close its input, and end what is not gone after *patience*."""
        if self._parting is None:  # the numbers of closed pipes are those of others soon
            self._parting = self._part(line, patience)
        return self._parting

    def _part(self, line: bytes, patience: float) -> Parting:
        with contextlib.suppress(OSError):
            os.write(self._in, line)
        _close(self._process.stdin)
        try:
            self._process.wait(patience)
            by_itself = True
        except subprocess.TimeoutExpired:
            by_itself = False
        said = bytes(self._said) + (_block(self._out) or b"")
        left = [_name_of(pid) for pid in self._marked() if pid != self._process.pid]
        with self._lock:
            _kill_group(self._process)
            self._process.wait()
        self._end_the_marked()
        for _ in range(_ROUNDS):  # what is left in the pipe, and not what somebody still writes
            self._words = (self._words + (_block(self._err) or b""))[-_LAST_WORDS:]
        _close(self._process.stdout)
        _close(self._process.stderr)
        return Parting(by_itself, self._obituary(by_itself), said, left)

    def _marked(self) -> list[int]:
        return list(_marked(self._mark.encode()))

    def _end_the_marked(self) -> None:
        for _ in range(_ROUNDS):
            found = self._marked()
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if not found:
                return

    def _obituary(self, by_itself: bool) -> str:
        code = self._process.returncode
        how = f"ended by {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
        if not by_itself:
            how = "closed its output and did not end"
        text = self._words.decode("utf-8", "replace").strip()
        lines = [line for line in text.splitlines() if not line.startswith(_JVM_GREETING)]
        # A traceback ends with what went wrong; a launcher without its program begins with it.
        told = lines[0 if code in _NO_PROGRAM else -1] if lines else ""
        return f"{how}: {told.strip()}" if told else how


def _limit(process: int) -> None:
    """Limit what *process* and its children can write to; address space alone costs nothing.

    Runtimes that reserve more than they use, as a JVM and node do, can live with that.
    """
    if sys.platform == "linux":
        _, given = resource.prlimit(process, resource.RLIMIT_DATA)
        most = _MOST_DATA if given == resource.RLIM_INFINITY else min(given, _MOST_DATA)
        resource.prlimit(process, resource.RLIMIT_DATA, (most, most))


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise RuntimeError("a pipe that was asked for is not there")
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()


def _block(descriptor: int) -> bytes | None:
    """Return what can be read at once, nothing at the end, or None where nothing is there."""
    try:
        return os.read(descriptor, _BLOCK)
    except BlockingIOError:
        return None


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def _name_of(pid: int) -> str:
    try:
        return f"{pid} ({Path(_PROC, str(pid), 'comm').read_text().strip()})"
    except OSError:  # it has ended by itself
        return str(pid)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _marked(mark: bytes) -> Iterator[int]:
    """Yield the processes whose environment has *mark*; none where the system shows none."""
    if not (_PROC / "self" / "environ").exists():
        return
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()
        except OSError:  # somebody else's, or gone
            continue
        if mark in environment.split(b"\0"):
            yield int(entry.name)
