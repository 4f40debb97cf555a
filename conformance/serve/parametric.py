"""Responses made from a URL, for what no case contains.

The input is a path and its query.  The output is a script of one connection.

``/c/status/503/delay/0.2/…``
    a response whose faults the path names (`chain`); ``reason=…`` is its reason;
``/c/bytes?text=…&hex=…&chunk=…``
    exactly these bytes, in the order given: *text* percent-decoded, *hex* in hexadecimal, *chunk*
    as one chunk of the chunked coding; nothing is added;
``end=fin``, ``reset`` or ``open``
    how the connection ends, for both; ``open`` also for a client that asks for its end.

Values are bytes: they are not decoded as text, and a plus sign stands for a space.
"""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from conformance.serve.chain import BadTarget, Echo, chained, ending_by, is_chain
from mockserver import Chunk, Limits, ReadRequest, Script, Send, Step, connection, script

Query = Sequence[tuple[str, bytes]]


def parsed_query(query: str) -> list[tuple[str, bytes]]:
    """Return the pairs of *query*, names as text and values as bytes."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, unquote_to_bytes(value.replace("+", " "))) for name, _, value in pairs]


def made(path: str, query: Query, limits: Limits, echo: Echo, *, head_only: bool) -> Script | None:
    """Return the script that *path* and *query* describe; None if the path is not one of these.

    The arguments are those of `chained`.

    Raises:
        BadTarget: the path or the query is not valid.
    """
    given = dict(query)
    if is_chain(path):
        return chained(path, given, limits, echo, head_only=head_only)
    if path != "/c/bytes":
        return None
    end = given.get("end", b"fin").decode("latin-1")
    steps = [_octets(name, value) for name, value in query if name != "end"]
    played = script(connection(ReadRequest(), *steps, *ending_by(end)))
    return replace(played, obliging=end != "open")


def _octets(name: str, value: bytes) -> Step:
    if name == "chunk":
        return Chunk(value)
    if name == "text":
        return Send(value)
    if name == "hex":
        try:
            return Send(bytes.fromhex(value.decode("latin-1")))
        except ValueError:
            raise BadTarget("hex is an even number of hexadecimal digits") from None
    raise BadTarget(f"bytes are given by text, hex or chunk, not by {name!r}")
