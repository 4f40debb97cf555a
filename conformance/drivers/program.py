"""A program in a process of its own: it is started, gets lines, answers with lines, and is ended.

The input is a command, and lines; the output is a line for each. One thread writes, and polls the
program's three pipes together, so that neither side can block the other, and no time is lost in
switching between threads. Any thread may end the program.

A second descriptor, separate from the pipes, serves one question to the kit's own workers: where
the program is now. Another thread asks it while the first waits for an answer.

The memory that a program can make the kit use is limited: an answer has a maximum length, nothing
may follow it, and only the end of standard error is kept. Every process that the program started is
ended with it: those in its process group, and, on systems that show the environment of a process
(Linux), those outside the group, which have inherited a mark in their environment.
"""

import contextlib
import os
import resource
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from conformance.drivers.effort import Effort, effort_of
from conformance.drivers.environment import MEMORY
from conformance.drivers.last_words import decisive

LONGEST_ANSWER = 160 * 1024 * 1024
"""Bytes: the largest content of a case is 64 MiB, a byte can take two in JSON; plus a reserve."""
_LONGEST_POSITION = 2 << 20
"""Bytes of an answer on the second descriptor; the agent sends at most half of that."""
WHERE = "HTTPLIB_KIT_WHERE"
"""The environment variable with the number of the second descriptor."""
_BLOCK = 1 << 16
_GLANCE_MS = 50
"""Milliseconds without output until the process is checked; children can keep its pipes open."""
_GRACE = 0.2
"""Seconds that a program has to end after its pipe is closed."""
_LAST_WORDS = 8_000
_MOST_DATA = 2 * MEMORY
"""The last limit of memory, for runtimes that do not limit themselves."""
MARK = "HTTPLIB_KIT_DRIVER"
"""The environment variable by which the processes of one driver are found."""
_NO_PROGRAM = (126, 127)
"""Exit codes of shells, and of launchers that choose a Python, if they cannot run a program."""
_JVM_GREETING = "Picked up JAVA_TOOL_OPTIONS"
_ROUNDS = 10
"""How often to search for remaining processes: one can start others while it is being ended."""
_PROC = Path("/proc")


class ProgramEnded(Exception):
    """The program ended, or closed its output, before it answered."""


class NotALine(Exception):
    """The program's output is not one line: it is too long, or more follows it."""


class TooLate(Exception):
    """The program did not answer before the deadline."""


class Exit(NamedTuple):
    """How a program ended.

    Attributes:
        on_its_own: Whether it ended before it was killed.
        how: The way it ended, with the decisive line of standard error.
        said: Output that was not an answer to a line.
        left: The processes that it started and that were still running, by id and name.
    """

    on_its_own: bool
    how: str
    said: bytes
    left: list[str]


class Program:
    """A running program.

    Args:
        command: the program and its arguments.
        environment: its environment, to which the mark is added.
        locates: whether it gets the second descriptor.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, locates: bool = False
    ) -> None:
        self._mark = secrets.token_hex(8)
        self._second, theirs = socket.socketpair()
        with contextlib.ExitStack() as stack:
            # Closed as well if the program cannot be started, or Ctrl-C comes meanwhile.
            stack.enter_context(self._second)
            second = stack.enter_context(theirs).fileno()
            self._process = subprocess.Popen(
                list(command),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**environment, MARK: self._mark, **({WHERE: str(second)} if locates else {})},
                pass_fds=[second] if locates else (),
                start_new_session=True,
            )
            stack.enter_context(self._process)
            stack.callback(end_with_children, self._process, self._mark)
            _limit(self._process.pid)
            self._lock = threading.Lock()
            self._said = bytearray()
            self._words = b""
            self._exit: Exit | None = None
            self._waiting = b""
            self._poll = select.poll()
            self._in, self._out, self._err = map(
                _descriptor, (self._process.stdin, self._process.stdout, self._process.stderr)
            )
            for descriptor in (self._out, self._err):
                self._poll.register(descriptor, select.POLLIN)
            stack.pop_all()
            theirs.close()

    def __del__(self) -> None:
        # Ctrl-C can come before anyone has the object, and then nothing ends the program.
        if second := getattr(self, "_second", None):
            second.close()

    def send(self, line: bytes) -> None:
        """Send *line* and a line end; `receive` sends what the pipe has no room for."""
        self._feed(self._waiting + line + b"\n")

    def receive(self, patience: float | None = None) -> bytes:
        """Return the next line of the program's output, without its line end.

        Args:
            patience: seconds until the answer must be complete; by default there is no limit.

        Raises:
            ProgramEnded: the program ended without an answer.
            NotALine: the line is too long.
            TooLate: there was no complete line in time.
        """
        last = None if patience is None else time.monotonic() + patience
        searched = 0
        while True:
            # The timeout is needed because the end of the program need not close its pipes: a
            # process that it started can keep them open. `_look` then finds that the program has
            # ended.
            for descriptor, _ in self._poll.poll(_GLANCE_MS):
                if descriptor == self._out:
                    self._listen()
                elif descriptor == self._err:
                    self._hear_words()
                else:
                    self._feed(self._waiting)
            # Each byte is searched once: an answer can have many MiB in many blocks.
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

    def where(self, patience: float) -> bytes:
        """Ask where the program is now, from any thread; return its line, empty if none comes."""
        line = b""
        last = time.monotonic() + patience
        with contextlib.suppress(OSError):  # no answer in time, or the program has ended
            self._second.settimeout(patience)
            self._second.sendall(b"\n")
            while not line.endswith(b"\n") and len(line) < _LONGEST_POSITION:
                self._second.settimeout(max(0.01, last - time.monotonic()))
                block = self._second.recv(_BLOCK)
                if not block:
                    break
                line += block
        return line

    def _feed(self, data: bytes) -> None:
        """Write as much of *data* as the pipe has room for; keep the rest until it has more."""
        try:
            written = os.write(self._in, data)
        except BlockingIOError:
            written = 0
        except OSError:  # its input is closed: its output or its end gives the reason
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
        """Check that there is no output after the line that was read.

        Raises:
            NotALine: there is more output.
        """
        if self._said:
            raise NotALine(f"it says more than was asked for: {bytes(self._said[:80])!r}")

    def _look(self) -> None:
        """Raise `ProgramEnded` if the program has ended and all its output has been read."""
        if self._process.poll() is None:
            return
        before = len(self._said)
        self._listen()
        if len(self._said) == before:
            raise ProgramEnded

    def effort(self) -> Effort | None:
        """Return the processor time that the program used and waited for; None if unknown."""
        return effort_of(self._process.pid)

    def kill(self) -> None:
        """End the program and its group now, from any thread; `receive` raises `ProgramEnded`."""
        with self._lock:
            if self._exit is None:
                _kill_group(self._process)

    def hang_up(self, line: bytes) -> None:
        """Send it *line*, close its input, and end what is still running after a short wait."""
        self.part(line + b"\n", _GRACE)

    def end(self) -> Exit:
        """End the program and all that it started, after a short wait for a regular end."""
        return self.part(b"", _GRACE)

    def part(self, line: bytes, patience: float) -> Exit:
        """Send the program *line*, close its input, and end what still runs after *patience*."""
        if self._exit is None:  # only once: the numbers of closed pipes may be reused
            self._exit = self._part(line, patience)
        return self._exit

    def _part(self, line: bytes, patience: float) -> Exit:
        with contextlib.suppress(OSError):
            os.write(self._in, line)
        _close(self._process.stdin)
        try:
            self._process.wait(patience)
            on_its_own = True
        except subprocess.TimeoutExpired:
            on_its_own = False
        said = bytes(self._said) + (_block(self._out) or b"")
        # Before the kill: the report names what the program left running.
        left = [_name_of(pid) for pid in _marked(self._mark) if pid != self._process.pid]
        with self._lock:
            end_with_children(self._process, self._mark)
        for _ in range(_ROUNDS):  # bounded: a process that survives may still write to this pipe
            self._words = (self._words + (_block(self._err) or b""))[-_LAST_WORDS:]
        _close(self._process.stdout)
        _close(self._process.stderr)
        self._second.close()
        return Exit(on_its_own, self._obituary(on_its_own), said, left)

    def _obituary(self, on_its_own: bool) -> str:
        code = self._process.returncode
        how = f"ended by {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
        if not on_its_own:
            how = "closed its output and did not end"
        text = self._words.decode("utf-8", "replace")
        said = (line.rstrip() for line in text.splitlines())
        lines = [line for line in said if line and not line.startswith(_JVM_GREETING)]
        if not lines:
            return how
        # A launcher has its message in the first line.
        return f"{how}: {lines[0].strip() if code in _NO_PROGRAM else decisive(lines)}"


def _limit(process: int) -> None:
    """Limit the memory that *process* and its children can write to (RLIMIT_DATA).

    The address space is not limited: runtimes such as a JVM and node reserve more than they use.
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
    """Return the bytes that are ready; empty at the end of the pipe, None if none are ready."""
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
    except OSError:  # it has ended meanwhile
        return str(pid)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end_with_children(process: "subprocess.Popen[bytes]", mark: str) -> None:
    """End *process*, its group, and every process with *mark* in its environment, and wait."""
    _kill_group(process)
    process.wait()
    for _ in range(_ROUNDS):
        found = list(_marked(mark))
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _marked(mark: str) -> Iterator[int]:
    """Yield the ids of processes with *mark* in their environment, if the system shows it."""
    if not (_PROC / "self" / "environ").exists():
        return
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()
        except OSError:  # of another user, or ended meanwhile
            continue
        if f"{MARK}={mark}".encode() in environment.split(b"\0"):
            yield int(entry.name)
