"""Removes from observations what differs between runs and between machines.

The input is an observation.  The output is the same observation with `PORT` in place of the
server's port, and without memory addresses, names of temporary files, the random bytes of TLS
records that no step decrypts, the number of bytes that no step reads but that socket buffers
accept, and the texts of an operating system or a TLS library.  The rest is equal whenever the same
client does the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.judge import ConnectionFacts, Observation

PORT = 50000
"""Stands for the port of the server, which differs in each run."""
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+|@[0-9a-f]{5,8}\b|\bobject 0x[0-9a-f]+")
_MARK = "httplib-kit-"
"""The names of the kit's own temporary files."""
_FILE = re.compile(rf"[^\s'\"]*{_MARK}[^\s'\"/]+")
_SSL_PLACE = re.compile(r" ?\(_ssl\.c:\d+\)|(?<=_ssl\.c):\d+")
_SSL_NAME = re.compile(r"\[SSL[^\]]*\]")
_FIRST_FREE = 3
"""Stands for the number of any descriptor that a process opens."""
TLS_RECORDS = b"\x16\x03"
"""The beginning of a record of a TLS handshake; stands for the record and all bytes after it."""
_TLS = re.compile(rb"(?:^[\x14-\x17]\x03[\x00-\x04]|\x16\x03[\x00-\x04]..\x01\x00).*", re.DOTALL)
"""Records that were not decrypted: from the beginning, or a ClientHello after other bytes."""
_BUFFERED = 2 << 20
"""How many bytes that no step reads are kept: buffers decide how many more could be sent."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The facts about one connection; see `ConnectionFacts`."""

    requests: tuple[bytes, ...] = ()
    received: bytes = b""
    unread: bytes = b""
    tls: str | None = None
    after: str | None = "closed"
    left: int | None = None
    source: str = "127.0.0.1"
    source_port: int = 0


def stable_observation(observation: Observation) -> Observation:
    """Return *observation* as it would be in every run."""
    port = _Port(observation.port)
    return Observation(
        trace={name: _entry(entry, port) for name, entry in observation.trace.items()},
        host=observation.host,
        port=PORT,
        connections=tuple(_connection(one, port) for one in observation.connections),
        unexpected=observation.unexpected,
        problems=tuple(port.text(one) for one in observation.problems),
    )


class _Port:
    """Replaces the port of one run by `PORT`."""

    def __init__(self, port: int) -> None:
        self.number = port
        self._number = re.compile(rf"(?<!\d){port}(?!\d)")

    def text(self, text: str) -> str:
        return self._number.sub(str(PORT), text)

    def octets(self, octets: bytes) -> bytes:
        return self.text(octets.decode("latin-1")).encode("latin-1")

    def value(self, value: Any) -> Any:
        """Return *value*, in the form of the driver protocol, with its port replaced."""
        if isinstance(value, str):
            text = self.text(value)
            # The pattern scans all text before the mark, which can be a megabyte.
            return _FILE.sub("(a file)", text) if _MARK in text else text
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return PORT if value == self.number and isinstance(value, int) else value


def _entry(entry: Mapping[str, Any], port: _Port) -> dict[str, Any]:
    made = {key: port.value(value) for key, value in entry.items() if key != "error"}
    if str(entry.get("id", "")).startswith("fileno") and isinstance(made.get("value"), int):
        made["value"] = min(made["value"], _FIRST_FREE)
    if "error" in entry:
        made["error"] = _error(port.value(entry["error"]))
    return made


def _error(error: dict[str, Any]) -> dict[str, Any]:
    """Return *error* without the texts that the implementation did not write."""
    message = _ADDRESS.sub("(an address)", str(error.get("message", "")))
    attributes = dict(error.get("attributes", {}))
    names = [str(error.get("class", "")), *map(str, error.get("bases", ()))]
    if any(name.endswith("SSLError") for name in names):
        named = _SSL_NAME.search(message)
        message = named[0] if named else _SSL_PLACE.sub("", message)
        attributes.pop("args", None)
    elif isinstance(attributes.get("errno"), int):
        message = f"[Errno {attributes['errno']}]"
        attributes.pop("args", None)
    kept = {key: value for key, value in error.items() if key != "frames"}
    return {**kept, "message": message, "attributes": attributes}


def _connection(one: ConnectionFacts, port: _Port) -> Connection:
    # A step may have read the beginning of a record, so that the rest does not match the pattern.
    encrypted = one.unread and _TLS.search(one.received)
    excess = max(0, len(one.unread) - _BUFFERED)
    return Connection(
        requests=tuple(_readable(request, port) for request in one.requests),
        received=_readable(one.received[: len(one.received) - excess], port),
        unread=TLS_RECORDS if encrypted else _readable(one.unread[:_BUFFERED], port),
        tls=one.tls if one.tls is None or not one.tls.startswith("failed") else "failed",
        after=one.after,
        left=one.left,
        source=one.source,
        # Only the fact that it equals the server's own port is the same in every run.
        source_port=PORT if one.source_port == port.number else 0,
    )


def _readable(octets: bytes, port: _Port) -> bytes:
    """Return *octets* with the server's port, and each run of TLS records, replaced by a name."""
    return port.octets(_TLS.sub(TLS_RECORDS, octets))
