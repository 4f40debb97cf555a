"""What every driver is, and how it fails.

In: messages of the driver protocol.  Out: traces.  A driver that cannot answer raises; what that
means for the verdict is the runner's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from conformance.drivers.effort import Effort
from conformance.drivers.protocol import ANY_OP, NotStarted, NotTheProtocol, op_name, started

Message = Mapping[str, Any]
Trace = Sequence[Mapping[str, Any]]
FETCH = "fetch"
"""The one op of a client with another interface: GET the ``url`` of the message."""
EXEC = "exec:"
"""Stands before a command in the name of an implementation: a program that speaks the protocol."""
USUAL_RUNTIME = "CPython"
_ELSEWHERE = "; a module of another Python is written path/to/python:module"


class UnknownImplementation(ValueError):
    """The text that names an implementation leads nowhere; the message says why in one line."""


class DriverError(Exception):
    """The driver's own fault: it cannot be started, or what it says is not the protocol."""


NO_RESTART = "cannot be started again: "
"""Begins the reason of a `DriverError` where a process was lost and no other could be started."""


class DriverDied(Exception):
    """The process of the implementation ended in a run; the message has its last words."""


class NotInstalled(Exception):
    """The driver is known, and what it drives is not here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is being judged, as the driver reports it.

    Args:
        written: the implementation as the user wrote it.
        name: its import name, or what the driver calls it.
        version: its own version, or that of its Python.
        features: the optional features it has, each found by a probe.
        ops: the names of the ops that it has; `ANY_OP` stands for those of an httplib.
        errors: its own names of exceptions, to those of the page.
        runtime: what its interpreter calls itself, such as ``CPython``; empty where nobody says.
    """

    written: str
    name: str
    version: str
    features: frozenset[str]
    ops: frozenset[str] = frozenset({ANY_OP})
    errors: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_client(self) -> bool:
        """Whether it has an interface of its own and is judged by what it makes of a URL."""
        return FETCH in self.ops

    @property
    def is_foreign(self) -> bool:
        """Whether its facts are reported by a program that is not the kit's agent."""
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

        The runtime is named where it is not the usual one: the same module is not the same there.
        """
        runtime = "" if self.runtime in ("", USUAL_RUNTIME) else f"{self.runtime.lower()}-"
        return f"{self.name}-{runtime}{self.version}"


class Implementation(Protocol):
    """An implementation, found but not yet started."""

    @property
    def written(self) -> str:
        """The implementation as the user wrote it."""

    @property
    def is_reference(self) -> bool:
        """Whether it is the project's own, which has to meet every case without tolerance."""

    def make(self) -> "Driver":
        """Start a driver for it.

        Raises:
            DriverError: the implementation cannot be imported or started.
        """


class Driver(Protocol):
    """Executes ops against one implementation."""

    @property
    def identity(self) -> Identity:
        """Who is being judged."""

    def run(self, message: Message) -> Trace:
        """Execute the ops of a ``run`` message and return an entry for each.

        The objects that the ops made are held until they are released.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
            NotInstalled: what it drives is not here.
        """

    def release(self) -> None:
        """Close and forget the objects of the latest run, or begin to.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
        """

    def settle(self) -> None:
        """Wait for the end of what `release` has begun.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
        """
        return

    @property
    def busy(self) -> bool:
        """Whether it ends a process or starts one: a run waits, and no client is to blame."""
        return False

    @property
    def start_cost(self) -> float:
        """Seconds of processor time that its start took: what is slow to start is slow to load."""
        return 0.0

    def effort(self) -> Effort | None:
        """Return what it has had and wanted of the processors so far; None where unknown."""
        return None

    def kill(self) -> bool:
        """End what is running, from another thread; return whether that was possible."""

    def stop(self) -> None:
        """End the driver; calling it again does nothing."""


def identity_of(written: str, answer: Mapping[str, Any]) -> Identity:
    """Return the identity in the answer to a ``start`` message.

    Raises:
        DriverError: the answer is an error, or not what the protocol says.
    """
    try:
        said = started(answer)
    except NotTheProtocol as error:
        raise DriverError(f"{written}: {error}") from None
    if isinstance(said, NotStarted):
        kind = said.error.name.rpartition(".")[2]
        problem = " ".join(f"{kind}: {said.error.message}".split())
        hint = "" if ":" in written or "No module named" not in problem else _ELSEWHERE
        raise DriverError(f"{written} cannot be imported: {problem}{hint}")
    return Identity(
        written=written,
        name=said.name,
        version=said.version,
        features=frozenset(said.features),
        ops=frozenset(said.ops),
        errors=dict(said.errors),
        runtime=said.runtime,
    )
