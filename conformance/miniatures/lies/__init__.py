"""The table of lies, by topic; importing this fills `miniature.LIES`."""

from conformance.miniatures.lies import (
    arguments,
    bodies,
    calls,
    connections,
    exceptions,
    headers,
    requests,
    status,
    universal,
)

__all__ = [
    "arguments",
    "bodies",
    "calls",
    "connections",
    "exceptions",
    "headers",
    "requests",
    "status",
    "universal",
]
