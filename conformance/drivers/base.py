"""The interface of every driver, and its errors.

A driver takes messages of the driver protocol and returns traces. A driver that cannot answer
raises an exception; the runner decides which verdict follows from it.
"""

import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from conformance.drivers.effort import Effort
from conformance.drivers.protocol import ANY_OP, NotStarted, NotTheProtocol, op_name, started

Message = Mapping[str, Any]
Trace = Sequence[Mapping[str, Any]]
FETCH = "fetch"
"""The op of a client with another interface that every such client has: GET the ``url``."""
EXCHANGE = "exchange"
"""The op of a session: the request and how its response is consumed are keyword arguments."""
EXEC = "exec:"
"""Prefix of a command in the name of an implementation: a program that speaks the protocol."""
USUAL_RUNTIME = "CPython"
_LONGEST = 500
"""Characters of a text that a driver reports about its start."""
_ELSEWHERE = "; a module of another Python is written path/to/python:module"


START_ALLOWANCE = 10.0
"""Seconds that a client may take to its first connection, if its driver states nothing else."""


class UnknownImplementation(ValueError):
    """The text does not name an implementation; the message gives the reason in one line."""


class DriverError(Exception):
    """A fault of the driver: it cannot be started, or its output does not follow the protocol."""


NO_RESTART = "cannot be started again: "
"""Prefix of the reason of a `DriverError` if a process ended and no other could be started."""


class DriverDied(Exception):
    """The implementation's process ended in a run; the message has its last line of output."""


class NotInstalled(Exception):
    """The driver exists, but what it drives is not installed; the message says what is missing."""


class NotShown(Exception):
    """The client cannot do what is asked for, or shows nothing of it; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The implementation under test, as the driver reports it.

    Args:
        written: the implementation as the user wrote it.
        name: its import name, or what the driver calls it.
        version: its own version, or that of its Python.
        features: the optional features, each found by a probe.
        ops: the names of its ops; `ANY_OP` means all ops of an httplib.
        errors: a map from its own names of exceptions to those of the page.
        runtime: the name of its interpreter, such as ``CPython``; empty if the driver gives none.
    """

    written: str
    name: str
    version: str
    features: frozenset[str]
    ops: frozenset[str] = frozenset({ANY_OP})
    errors: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_client(self) -> bool:
        """Whether it has an interface of its own and is judged by its result for a URL."""
        return FETCH in self.ops

    @property
    def is_foreign(self) -> bool:
        """Whether its facts come from a program that is not the kit's agent."""
        return self.is_client or self.written.startswith(EXEC)

    def lacking(self, ops: Iterable[Message]) -> list[str]:
        """Return the names of those of *ops* that it does not declare, each once."""
        if ANY_OP in self.ops:
            return []
        return [name for name in dict.fromkeys(map(op_name, ops)) if name not in self.ops]

    runtime: str = ""

    @property
    def label(self) -> str:
        """The name with the version: ``http.client-3.11.7``, ``httplib-jython-2.7.3``.

        Another runtime than CPython is named: the same module behaves differently on it.
        """
        runtime = "" if self.runtime in ("", USUAL_RUNTIME) else f"{self.runtime.lower()}-"
        return f"{self.name}-{runtime}{self.version}".removesuffix("-")


class Implementation(Protocol):
    """An implementation that has been found but not started."""

    @property
    def written(self) -> str:
        """The implementation as the user wrote it."""

    @property
    def is_reference(self) -> bool:
        """Whether it is the project's own, which must pass every case without tolerance."""

    def make(self) -> "Driver":
        """Start a driver for it.

        Raises:
            DriverError: the implementation cannot be imported or started.
        """


class Driver(Protocol):
    """Executes ops against one implementation."""

    @property
    def identity(self) -> Identity:
        """The implementation under test."""

    def run(self, message: Message) -> Trace:
        """Execute the ops of a ``run`` message and return an entry for each.

        The objects that the ops made are kept until `release`.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
            NotShown: the client's interface shows nothing of the result.
        """

    def announce(self, ops: Sequence[Message]) -> None:  # noqa: ARG002 # most need not know
        """Take notice of all ops of a session, of which each `run` then executes some.

        Raises:
            NotShown: the client cannot make these exchanges; the message says why.
        """
        return

    def release(self) -> None:
        """Close and drop the objects of the latest run; it may return before this is finished.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
        """

    def settle(self) -> None:
        """Wait until what `release` began is finished.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
        """
        return

    def where(self) -> Message:
        """Return where the present run is; called by another thread.

        ``trace`` has an entry for each op that is done, and ``frames`` the lines of the
        implementation that are being executed, the innermost first.  Empty if that is unknown.
        """
        return {}

    @property
    def busy(self) -> bool:
        """Whether it is starting or ending a process: this time is not the client's delay."""
        return False

    @property
    def start_cost(self) -> float:
        """Processor time of its start, in seconds; slow runtimes get proportionally more time."""
        return 0.0

    absent: str = ""
    """What is missing if its client is not installed: it then runs nothing, and its identity says
    nothing of what the client can do."""

    host: str = ""
    """The address at which its client reaches the servers; empty for that of the case."""

    def page(self, origin: str) -> bytes:  # noqa: ARG002 # most clients need none
        """Return the page that its client must load from *origin* before it fetches from there."""
        return b""

    def load(self, origin: str) -> None:  # noqa: ARG002 # as above
        """Let its client load that page, which is served now, and wait until it has.

        Raises:
            DriverError: it did not load it.
        """
        return

    @property
    def allowance(self) -> float:
        """Seconds that a client has to its first connection, because it may have to start."""
        return START_ALLOWANCE

    def effort(self) -> Effort | None:
        """Return the processor time that it used and waited for so far; None if unknown."""
        return None

    def kill(self) -> bool:
        """End what is running, from another thread; return whether that is possible."""

    def stop(self) -> None:
        """End the driver; further calls do nothing."""


def program_path(name: str, written: str) -> str:
    """Return the path of the program *name*; only ``~`` is expanded.

    Raises:
        UnknownImplementation: *written*, the implementation, names no program.
    """
    path = str(Path(name).expanduser()) if name.startswith("~") else name
    found = shutil.which(path)
    if found is not None:
        return found
    if Path(path).is_dir():
        raise UnknownImplementation(f"{written!r}: {name!r} is a directory: give a program in it")
    if Path(path).exists():
        how = f"`chmod +x {shlex.quote(name)}`"
        raise UnknownImplementation(f"{written!r}: {name!r} is not executable: {how}, if it is one")
    how = "give its path, or install it"
    raise UnknownImplementation(f"{written!r}: no program called {name!r}: {how}")


def _line(text: str) -> str:
    """Return *text* as one line of limited length."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def identity_of(written: str, answer: Mapping[str, Any]) -> Identity:
    """Return the identity in the answer to a ``start`` message.

    Raises:
        DriverError: the answer is an error, or does not follow the protocol.
    """
    try:
        said = started(answer)
    except NotTheProtocol as error:
        raise DriverError(f"{written}: {error}") from None
    if isinstance(said, NotStarted):
        kind = said.error.name.rpartition(".")[2]
        problem = ": ".join(filter(None, (kind, _line(said.error.message))))
        place = "".join(f"; at {one.shown}" for one in said.error.frames[:1])
        absent = not place and "No module named" in problem
        hint = _ELSEWHERE if absent and ":" not in written else ""
        raise DriverError(f"{written} cannot be imported: {problem}{_line(place)}{hint}")
    return Identity(
        written=written,
        name=said.name,
        version=said.version,
        features=frozenset(said.features),
        ops=frozenset(said.ops),
        errors=dict(said.errors),
        runtime=said.runtime,
    )
