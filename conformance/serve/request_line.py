"""What a visitor wants, read from the first line of a request.

In: the head of a request.  Out: its target, taken apart.  Only the target counts: no field of the
request is looked at, and octets before it on its line (the body of an earlier request, perhaps) do
not matter.
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
        authority: what a CONNECT asks for, such as ``host:443``; the whole target.
        path: its path, still percent-encoded.
        query: the pairs of its query.
    """

    method: str
    authority: str
    path: str
    query: tuple[tuple[str, bytes], ...]

    @property
    def host(self) -> str:
        """The host that a CONNECT asks for."""
        return self.authority.rpartition(":")[0].lower()

    @property
    def case_id(self) -> str:
        """What stands behind ``/c/``; empty where the path is none of a case."""
        return unquote(self.path.removeprefix("/c/")) if self.path.startswith("/c/") else ""

    @property
    def connection(self) -> int | None:
        """Which connection of the script is asked for."""
        given = dict(self.query).get("connection", b"")
        return int(given) if given.isdigit() and len(given) < 4 and int(given) else None


def wanted(head: bytes) -> Wanted | None:
    """Return what *head* asks for; None where it has no request line."""
    line = _LINE.search(head)
    if line is None:
        return None
    method, target = line[1].decode("latin-1"), line[2].decode("latin-1")
    path, _, query = _ORIGIN.sub("", target, count=1).partition("#")[0].partition("?")
    return Wanted(method, target, path or "/", tuple(parsed_query(query)))
