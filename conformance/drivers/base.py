"""What every driver is, and how it fails.

In: messages of the driver protocol.  Out: traces.  A driver that cannot answer raises; what that
means for the verdict is the runner's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Message = Mapping[str, Any]
Trace = Sequence[Mapping[str, Any]]
FETCH = "fetch"
"""The one op of a client with another interface: GET the ``url`` of the message."""


class UnknownImplementation(ValueError):
    """The text that names an implementation leads nowhere; the message says why in one line."""


class DriverError(Exception):
    """The driver's own fault: it cannot be started, or what it says is not the protocol."""


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
        ops: the ops that it declares; none where it has all those of an httplib.
    """

    written: str
    name: str
    version: str
    features: frozenset[str]
    ops: frozenset[str] = frozenset()

    @property
    def is_client(self) -> bool:
        """Whether it has an interface of its own and is judged by what it makes of a URL."""
        return FETCH in self.ops

    @property
    def label(self) -> str:
        """The name with the version: ``http.client-3.11.7``."""
        return f"{self.name}-{self.version}"


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
        """Close and forget the objects of the latest run.

        Raises:
            DriverError: the driver is at fault.
            DriverDied: the implementation's process ended.
        """

    def kill(self) -> bool:
        """End what is running, from another thread; return whether that was possible."""

    def stop(self) -> None:
        """End the driver; calling it again does nothing."""


def identity_of(written: str, answer: Mapping[str, Any]) -> Identity:
    """Return the identity in the answer to a ``start`` message.

    Raises:
        DriverError: the answer is an error, or not what the protocol says.
    """
    if "error" in answer:
        error = answer["error"]
        kind = str(error["class"]).rpartition(".")[2]
        problem = " ".join(f"{kind}: {error['message']}".split())
        raise DriverError(f"{written} cannot be imported: {problem}")
    try:
        return Identity(
            written=written,
            name=str(answer["name"]),
            version=str(answer["version"]),
            features=frozenset(answer.get("features", ())),
            ops=frozenset(answer.get("ops", ())),
        )
    except (KeyError, TypeError):
        raise DriverError(f"{written}: the answer to start is not that of a driver") from None
