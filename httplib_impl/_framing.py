"""How the body of a response ends, and whether the connection outlives it.

The request method, the status and the fields come in; a `Framing` goes out. Nothing is read here: a
framing says what to do with octets that are still to come. The order of the rules is RFC 9112, 6.3.
"""

from __future__ import annotations

from enum import Enum

from ._grammar import BLANKS
from ._headers import HTTPMessage

# A length of more digits than this is one that nobody lives to see the end of. Python refuses to
# print integers of some thousand digits, and an error message must be printable.
MAX_DIGITS = 400


class Ending(Enum):
    """What ends a body."""

    __hash__ = object.__hash__  # members are singletons; the hash of Enum is written in Python

    AT_ONCE = "there is no body"
    LENGTH = "a number of octets"
    LAST_CHUNK = "a chunk of size zero"
    CLOSE = "the end of the connection"
    UNKNOWN = "a transfer coding that is not understood"


class Framing:
    """How one body ends.

    Attributes:
        ending: the rule.
        length: the octets of the body; None unless the rule is `Ending.AT_ONCE` or `Ending.LENGTH`.
        ambiguous: True where the head contradicts itself, so that the connection is not reused.
    """

    __slots__ = ("ambiguous", "ending", "length")

    def __init__(self, ending: Ending, length: int | None = None, ambiguous: bool = False) -> None:
        self.ending = ending
        self.length = length
        self.ambiguous = ambiguous

    def __repr__(self) -> str:
        return f"<Framing: {self.ending.value}>"


def message_framing(method: str | None, status: int, message: HTTPMessage) -> Framing:
    r"""Decide how the body ends.

    >>> message = HTTPMessage(b"Content-Length: 5\r\n")
    >>> message_framing("GET", 200, message)
    <Framing: a number of octets>
    >>> message_framing("GET", 304, message)
    <Framing: there is no body>

    1. HEAD, CONNECT that succeeded, and 1xx, 204, 304 have no body, whatever the fields say.
    2. Transfer-Encoding decides before Content-Length, which then only makes the message suspect.
    3. A valid Content-Length counts octets.
    4. Else the body ends with the connection.

    Args:
        method: the request method, exactly as it was sent; None where it is not known.
        status: the final status code.
        message: the header section.
    """
    if has_no_body(method, status):
        return Framing(Ending.AT_ONCE, 0)
    lengths = message.field_values(b"content-length")
    codings = [c for c in elements(message, b"transfer-encoding") if c != b"identity"]
    if codings == [b"chunked"]:
        return Framing(Ending.LAST_CHUNK, ambiguous=bool(lengths))
    if codings:
        return Framing(Ending.UNKNOWN)
    length = content_length(lengths)
    return Framing(Ending.CLOSE) if length is None else Framing(Ending.LENGTH, length)


def has_no_body(method: str | None, status: int) -> bool:
    """RFC 9112, 6.3, rules 1 and 2: the request or the status alone rules a body out."""
    if method == "HEAD" or status in (204, 304) or 100 <= status < 200:
        return True
    return is_tunnel(method, status)


def is_tunnel(method: str | None, status: int) -> bool:
    """RFC 9110, 9.3.6: behind the head of such a response the connection is the caller's."""
    return method == "CONNECT" and 200 <= status < 300


def content_length(values: list[bytes]) -> int | None:
    r"""Understand the values of all Content-Length fields.

    >>> content_length([b"5", b"5, 5"]), content_length([b"5", b"6"]), content_length([b"+5"])
    (5, None, None)

    RFC 9110, 8.6: Content-Length = 1*DIGIT. Equal repetitions count as one, as they come from
    proxies that merged a repeated field. Anything else gives no length at all.
    """
    if len(values) == 1 and values[0].isdigit() and len(values[0]) <= MAX_DIGITS:
        return int(values[0])  # as nearly always
    numbers = {item.strip(BLANKS) for item in b",".join(values).split(b",")}
    if not all(number.isdigit() for number in numbers):
        return None
    significant = {number.lstrip(b"0") for number in numbers}
    return bounded_int(significant.pop(), 10) if len(significant) == 1 else None


def bounded_int(digits: bytes, base: int) -> int:
    """The number, or one that is greater than anything where there are too many digits."""
    return int(digits or b"0", base) if len(digits) <= MAX_DIGITS else base**MAX_DIGITS


def elements(message: HTTPMessage, name: bytes) -> list[bytes]:
    r"""The elements of a list-valued field, in lower case, all its fields taken together.

    >>> message = HTTPMessage(b"Connection: Close, ,TE\r\nconnection: x\r\n")
    >>> elements(message, b"connection")
    [b'close', b'te', b'x']

    RFC 9110, 5.6.1: #element => [ element ] *( OWS "," OWS [ element ] ).
    """
    values = message.field_values(name)
    if not values:
        return values
    items = b",".join(values).lower().split(b",")
    return [item for item in (item.strip(BLANKS) for item in items) if item]


def is_persistent(version: int, message: HTTPMessage) -> bool:
    r"""Whether the server keeps the connection open behind this response.

    >>> is_persistent(11, HTTPMessage(b"")), is_persistent(10, HTTPMessage(b""))
    (True, False)

    RFC 9112, 9.3: ``close`` ends it; HTTP/1.1 persists; HTTP/1.0 persists by ``keep-alive``.
    2.7: there a Keep-Alive field, or Proxy-Connection, says so too.
    """
    connection = elements(message, b"connection")
    if b"close" in connection:
        return False
    if version >= 11:
        return True
    proxy = elements(message, b"proxy-connection")
    return (
        b"keep-alive" in connection
        or any(message.field_values(b"keep-alive"))
        or (b"keep-alive" in proxy and b"close" not in proxy)
    )
