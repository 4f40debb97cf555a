"""The table of lies, by topic; importing this fills `miniature.LIES`."""

from conformance.miniatures.lies import (
    bodies,
    connections,
    exceptions,
    headers,
    requests,
    status,
    universal,
)

__all__ = ["bodies", "connections", "exceptions", "headers", "requests", "status", "universal"]
