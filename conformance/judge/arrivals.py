"""The requests that arrived: which exchange each belongs to, where it arrived, and whether whole.

The input is a case of the client profile and the bytes that each connection received. The output is
`Arrival` values, in the order of the connections and of the bytes.

The bytes are split where the request line of an exchange begins, whatever the framing of what is
before it, and at each other line that has the form of a request line. So a request that was begun
and never finished does not hide the next one, which is what a server by the book would read as its
content. The exchanges of a session have different request lines, so each arrival names its
exchange; the loader refuses content that contains such a line. The server's own reading of a
request is not used: how it reads depends on the script.

A CONNECT by which a client asks a proxy for a tunnel belongs to no exchange and is apart. In a case
of ``https``, any other request that arrived outside of TLS arrived in clear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import AddressHole, Case, Exchange
from conformance.judge.observation import Observation
from mockserver import Request

_VERSION = re.compile(rb"(?m) HTTP/1\.[0-9]\r?$")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.[0-9]\r?")
CONNECT = b"CONNECT "
_HEAD_END = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request of which at least the whole head arrived.

    Args:
        exchange: the exchange that it belongs to; None if it belongs to none.
        connection: the index of its connection, in accept order.
        raw: its bytes, through the last one before the next request.
        whole: whether it has all the content that its head announces.
        content: the content that arrived, without its framing.
        target: its request target.
        in_clear: whether it arrived outside of TLS, where it has to be inside.
    """

    exchange: Exchange | None
    connection: int
    raw: bytes
    whole: bool
    content: bytes
    target: str = ""
    in_clear: bool = False

    @property
    def head(self) -> bytes:
        """Its request line and field lines, the last line end included."""
        end = _HEAD_END.search(self.raw)
        return self.raw[: end.start() + 1] if end else self.raw


def arrivals_of(case: Case, seen: Observation) -> list[Arrival]:
    """Return the requests that arrived in a run of *case*, as far as their heads are whole.

    Those for a tunnel are not among them.
    """
    has_tunnel = case.session is not None and case.session.has_tunnel
    found = _all(case, seen)
    return [one for one in found if not (has_tunnel and one.raw.startswith(CONNECT))]


def tunnels_of(case: Case, seen: Observation) -> list[Arrival]:
    """Return the requests for a tunnel that arrived in a run of *case*."""
    if case.session is None or not case.session.has_tunnel:
        return []
    return [one for one in _all(case, seen) if one.raw.startswith(CONNECT)]


def _all(case: Case, seen: Observation) -> list[Arrival]:
    session = case.session
    exchanges = () if session is None else session.exchanges
    lines = {(one.method, one.target or case.path): one for one in exchanges}
    server = AddressHole("server").text(seen.host, seen.port)
    origin = f"http://{server}" if session is None else session.origin(server)
    known = re.compile(b"|".join(_line(origin, *line) for line in lines))
    found: list[Arrival] = []
    for index, connection in enumerate(seen.connections):
        is_clear = session is not None and session.is_secure and not _is_inside(connection.tls)
        for raw in _requests(connection.received, known):
            method, target = _asked(raw)
            exchange = lines.get((method, target.removeprefix(origin)))
            request = Request(index + 1, raw)
            whole = request.problem is None
            found.append(Arrival(exchange, index, raw, whole, request.body, target, is_clear))
    return found


def _is_inside(tls: str | None) -> bool:
    return tls is not None and not tls.startswith("failed")


def _line(origin: str, method: str, target: str) -> bytes:
    """Return a pattern for the request line of an exchange, as far as it is known."""
    words = (re.escape(text.encode("latin-1")) for text in (method, origin, target))
    return b"%s (?:%s)?%s HTTP/1\\." % tuple(words)


def _requests(received: bytes, known: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield each request of which the whole head was received."""
    starts = [found.start() for found in known.finditer(received)]
    for version in _VERSION.finditer(received):  # a plain search: content may be a megabyte
        line = received.rfind(b"\n", 0, version.start()) + 1
        found = _REQUEST_LINE.fullmatch(received, line, version.end())
        # Content need not end with a line end, so a known line can be the end of this one.
        if found and not any(found.start() <= start < found.end() for start in starts):
            starts.append(found.start())
    starts.sort()
    if not starts or received[: starts[0]].strip(b"\r\n"):
        starts.insert(0, 0)
    for start, end in zip(starts, [*starts[1:], len(received)], strict=True):
        if _HEAD_END.search(received, start, end):
            yield received[start:end]


def _asked(raw: bytes) -> tuple[str, str]:
    words = raw.lstrip(b"\r\n").split(None, 2)
    return (words[0].decode("latin-1"), words[1].decode("latin-1")) if len(words) > 1 else ("", "")
