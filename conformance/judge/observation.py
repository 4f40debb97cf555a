"""What one run of a case has shown: the trace of the client and the facts of the wire.

In: nothing; these are the nouns.  All values are plain, so that an observation can be written down
and read back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What the server saw of one connection.

    Args:
        requests: each request as it was read, head and body.
        received: all octets received; inside TLS, what was decrypted.
        sent: all octets sent.
        after: ``closed``, ``kept`` or ``gone``; None where it could not be seen.
        left: octets that the client's kernel held unread; None where it could not be seen.
        source: the address from which it came.
    """

    requests: tuple[bytes, ...]
    received: bytes
    sent: bytes
    after: str | None
    left: int | None
    source: str


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
