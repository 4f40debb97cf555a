"""Reads the target from the request line.

The input is the head of a request.  The output is its target, split into parts.  Only the target
counts: fields are not read, and bytes before the target on its line are ignored (they may be the
body of an earlier request).
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from conformance.serve.parametric import parsed_query

_LINE = re.compile(rb"([!-~]+) ([!-~\x80-\xff]+) HTTP/1\.[0-9]\r?\n")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The target of a request.

    Args:
        method: the method.
        target: the target, without an authority before its path.
        authority: the target of a CONNECT, such as ``host:443``; the whole target for other
            methods.
        path: its path, still percent-encoded.
        query: the pairs of its query.
    """

    method: str
    target: str
    authority: str
    path: str
    query: tuple[tuple[str, bytes], ...]

    @property
    def host(self) -> str:
        """The host of a CONNECT."""
        return self.authority.rpartition(":")[0].lower()

    @property
    def case_id(self) -> str:
        """What follows ``/c/``; empty if the path does not begin so."""
        return unquote(self.path.removeprefix("/c/")) if self.path.startswith("/c/") else ""

    @property
    def connection(self) -> int | None:
        """The number of the requested connection of the script."""
        given = dict(self.query).get("connection", b"")
        return int(given) if given.isdigit() and len(given) < 4 and int(given) else None


def wanted(head: bytes) -> Wanted | None:
    """Return the target in *head*; None if it has no request line."""
    line = _LINE.search(head)
    if line is None:
        return None
    method, target = line[1].decode("latin-1"), line[2].decode("latin-1")
    own = _ORIGIN.sub("", target, count=1).partition("#")[0]
    path, _, query = own.partition("?")
    return Wanted(method, own, target, path or "/", tuple(parsed_query(query)))
