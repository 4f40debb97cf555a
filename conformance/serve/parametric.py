"""Responses made from a URL, for what no case contains.

The input is a path and its query.  The output is a script of one connection.

``/c/status/418?reason=…``
    a response with this status, which may be any text, and this reason;
``/c/bytes?text=…&hex=…&chunk=…``
    exactly these bytes, in the order given: *text* percent-decoded, *hex* in hexadecimal, *chunk*
    as one chunk of the chunked coding; nothing is added;
``end=fin``, ``rst`` or ``open``
    how the connection ends, for both.

Values are bytes: they are not decoded as text, and a plus sign stands for a space.
"""

from collections.abc import Sequence
from typing import Literal, cast
from urllib.parse import unquote_to_bytes

from mockserver import (
    Chunk,
    Close,
    Drain,
    EndHeaders,
    Header,
    ReadRequest,
    Reply,
    Script,
    Send,
    StatusLine,
    Step,
    connection,
    script,
)

Query = Sequence[tuple[str, bytes]]
_ENDS = ("fin", "rst", "open")


class BadTarget(ValueError):
    """The target does not describe a response; the message gives the reason."""


def parsed_query(query: str) -> list[tuple[str, bytes]]:
    """Return the pairs of *query*, names as text and values as bytes."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, unquote_to_bytes(value.replace("+", " "))) for name, _, value in pairs]


def made(path: str, query: Query) -> Script | None:
    """Return the script that *path* and *query* describe; None if the path is not one of these.

    Raises:
        BadTarget: the query is not valid.
    """
    given = dict(query)
    end = given.get("end", b"fin").decode("latin-1")
    if end not in _ENDS:
        raise BadTarget(f"end is one of {', '.join(_ENDS)}, not {end!r}")
    if path.startswith("/c/status/"):
        steps = _status(unquote_to_bytes(path.removeprefix("/c/status/")), given.get("reason"))
    elif path == "/c/bytes":
        steps = [_octets(name, value) for name, value in query if name != "end"]
    else:
        return None
    return script(connection(ReadRequest(), *steps, *_ending(end)))


def _status(code: bytes, reason: bytes | None) -> list[Step]:
    if len(code) == 3 and code.isdigit() and code[:1] != b"0":
        bare = code[:1] == b"1" or code in (b"204", b"304")
        body = b"" if bare else b"status " + code + b"\n"
        framing: Literal["none", "length"] = "none" if bare else "length"
        return [Reply(int(code), reason=reason, body=body, framing=framing)]
    line = b"HTTP/1.1 " + code + (b"" if reason is None else b" " + reason)
    return [StatusLine(line), Header(b"Content-Length", b"0"), EndHeaders()]


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


def _ending(end: str) -> list[Step]:
    if end == "open":
        return []
    how = cast('Literal["fin", "rst"]', end)
    return [Drain(), Close(how)] if end == "rst" else [Close(how)]
