"""An independent reader of what a case's server sends: h11 plays the client.

In: a case.  Out: its answers, one for each request that the server reads, and whether h11 takes
each as one whole, well-formed response with nothing behind it.  Nothing of the project reads the
octets here.
"""

from collections.abc import Iterator
from itertools import takewhile

import h11

from conformance.cases import Case
from mockserver import (
    Connection,
    Expect,
    Read,
    ReadRequest,
    ReadUntil,
    Tunnel,
    WritingStep,
    pieces_of,
)

_READS = (Expect, Read, ReadRequest, ReadUntil)
_ROOM = 1 << 20
"""More octets in a line or a head than any case has."""


def answers(case: Case) -> list[bytes]:
    """Return what the server of *case* writes behind each request, without empty answers."""
    found = [one for connection in case.script.connections for one in _of_connection(connection)]
    return [one for one in found if one]


def _of_connection(connection: Connection) -> Iterator[bytes]:
    answer = b""
    for step in connection.steps:
        if isinstance(step, _READS):
            yield answer
            answer = b""
        elif isinstance(step, WritingStep):
            answer += b"".join(piece.data for piece in pieces_of(step))
    yield answer


def problem(answer: bytes, case: Case) -> str:
    """Return why h11 refuses *answer*, or nothing where it is one whole response.

    An answer is tried as one to each method that *case* uses: GET, HEAD, and CONNECT.
    """
    found = [_problem(answer, method, case) for method in _methods(case)]
    return "" if "" in found else found[0]


def _methods(case: Case) -> Iterator[str]:
    yield "GET"
    if any("HEAD" in op.message.get("args", ()) for op in case.ops):
        yield "HEAD"
    steps = [step for connection in case.script.connections for step in connection.steps]
    if any(op.message.get("call") == "set_tunnel" for op in case.ops) or any(
        isinstance(step, Tunnel) for step in steps
    ):
        yield "CONNECT"


def _problem(answer: bytes, method: str, case: Case) -> str:
    if method == "CONNECT" and not answer.startswith(b"HTTP/"):
        return ""  # what another protocol says inside the tunnel
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=_ROOM)
    fields = [("Host", "x")]
    if "Upgrade" in repr([op.message for op in case.ops]):
        fields += [("Connection", "upgrade"), ("Upgrade", "echo")]
    client.send(h11.Request(method=method, target="/", headers=fields))
    client.send(h11.EndOfMessage())
    client.receive_data(answer)
    try:
        return _behind(client, method)
    except h11.RemoteProtocolError as error:
        return str(error)[:100]


def _behind(client: h11.Connection, method: str) -> str:
    """Read to the end of the response, and return a complaint about what is behind it."""
    for event in takewhile(lambda event: not _ends(event), iter(client.next_event, None)):
        if event is h11.NEED_DATA:
            client.receive_data(b"")
    handed_over = method == "CONNECT" or client.their_state is h11.SWITCHED_PROTOCOL
    rest = b"" if handed_over else client.trailing_data[0]
    return f"octets behind the response: {rest[:40]!r}" if rest else ""


def _ends(event: object) -> bool:
    return event is h11.PAUSED or isinstance(event, h11.EndOfMessage | h11.ConnectionClosed)
