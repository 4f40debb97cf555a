"""The facts of one run of a case: the trace of the client and what the server saw of the wire.

These are types only; they contain no logic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class ConnectionFacts(Protocol):
    """What the server saw of one connection; the mock server's own record has this form."""

    @property
    def requests(self) -> tuple[bytes, ...]:
        """Each request, head and body, as the server read it."""

    @property
    def received(self) -> bytes:
        """All bytes received; inside TLS, what was decrypted."""

    @property
    def unread(self) -> bytes:
        """The received bytes that no step has read."""

    @property
    def tls(self) -> str | None:
        """The result of the TLS handshake; None where there was no handshake."""

    @property
    def after(self) -> str | None:
        """``closed``, ``kept`` or ``gone``; None where it could not be observed."""

    @property
    def left(self) -> int | None:
        """Bytes in the client's kernel that it has not read; None if this is not observable."""

    @property
    def source(self) -> str:
        """The address of the client."""

    @property
    def source_port(self) -> int:
        """The port of the client."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One run of a case.

    Args:
        trace: the driver's entry for each op, by the op's id.
        host: the host of the server.
        port: the port of the server.
        connections: the connections, in the order in which they were accepted.
        unexpected: connections beyond those of the script.
        problems: each action that the script required of the client and that did not happen.
        faults: errors of the server itself.
    """

    trace: Mapping[str, Mapping[str, Any]]
    host: str
    port: int
    connections: tuple[ConnectionFacts, ...] = ()
    unexpected: int = 0
    problems: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
