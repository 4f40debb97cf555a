"""What one run of a case has shown: the trace of the client and the facts of the wire.

In: nothing; these are the nouns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class ConnectionFacts(Protocol):
    """What the server saw of one connection; the mock server's own record is one."""

    @property
    def requests(self) -> tuple[bytes, ...]:
        """Each request as it was read, head and body."""

    @property
    def received(self) -> bytes:
        """All octets received; inside TLS, what was decrypted."""

    @property
    def unread(self) -> bytes:
        """Those of them that no step has read."""

    @property
    def tls(self) -> str | None:
        """What the handshake came to; None where there was none."""

    @property
    def after(self) -> str | None:
        """``closed``, ``kept`` or ``gone``; None where it could not be seen."""

    @property
    def left(self) -> int | None:
        """Octets that the client's kernel held unread; None where it could not be seen."""

    @property
    def source(self) -> str:
        """The address from which it came."""

    @property
    def source_port(self) -> int:
        """The port from which it came."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One run of a case.

    Args:
        trace: the driver's entry for each op, by the op's id.
        host: the host of the server.
        port: the port of the server.
        connections: the connections, in the order of accepting.
        unexpected: connections beyond those of the script.
        problems: what the script asked of the client and the client did not do.
        faults: the server's own errors.
    """

    trace: Mapping[str, Mapping[str, Any]]
    host: str
    port: int
    connections: tuple[ConnectionFacts, ...] = ()
    unexpected: int = 0
    problems: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
