"""How the body of a response ends, and whether the connection outlives it.

The request method, the status and the fields come in; a `Framing` goes out. Nothing is read here: a
framing describes bytes that are still to be received. The order of the rules is RFC 9112, 6.3.
"""

from __future__ import annotations

from enum import Enum

from ._grammar import BLANKS
from ._headers import Fields

# No real length has more digits. `int()` and `str()` refuse numbers beyond 4,300 digits, and an
# error message must be printable.
MAX_DIGITS = 400


class Ending(Enum):
    """What ends a body."""

    AT_ONCE = "there is no body"
    LENGTH = "a number of bytes"
    LAST_CHUNK = "a chunk of size zero"
    CLOSE = "the end of the connection"
    UNKNOWN = "a transfer coding that is not understood"


AT_ONCE, LENGTH, LAST_CHUNK, CLOSE, UNKNOWN = Ending


# How one body ends: the rule; the bytes of the body, None unless the rule is `Ending.AT_ONCE` or
# `Ending.LENGTH`; and whether another message can follow; none can after a head that
# contradicts itself.
Framing = tuple[Ending, int | None, bool]


def message_framing(method: str | None, status: int, fields: Fields) -> Framing:
    r"""Decide how the body ends.

    >>> fields = {b"content-length": [b"5"]}
    >>> message_framing("GET", 200, fields)
    (<Ending.LENGTH: 'a number of bytes'>, 5, True)
    >>> message_framing("GET", 304, fields)
    (<Ending.AT_ONCE: 'there is no body'>, 0, True)

    1. HEAD, CONNECT that succeeded, and 1xx, 204, 304 have no body, whatever the fields say.
    2. Transfer-Encoding decides before Content-Length, which then only makes the message suspect.
    3. A valid Content-Length counts bytes.
    4. Else the body ends with the connection.

    Args:
        method: the request method, exactly as it was sent; None where it is not known.
        status: the final status code.
        fields: at least Connection, Content-Length, Keep-Alive, Proxy-Connection and
            Transfer-Encoding, where present.
    """
    if has_no_body(method, status):
        return AT_ONCE, 0, True
    lengths = fields.get(b"content-length")
    if b"transfer-encoding" in fields:
        codings = transfer_codings(fields)
        if codings == [b"chunked"]:
            return LAST_CHUNK, None, not lengths
        if codings:
            return UNKNOWN, None, False
    length = content_length(lengths) if lengths else None
    return (CLOSE, None, False) if length is None else (LENGTH, length, True)


def has_no_body(method: str | None, status: int) -> bool:
    """RFC 9112, 6.3, rules 1 and 2: the request or the status alone rules a body out."""
    if status < 200 or status == 204 or status == 304 or method == "HEAD":
        return True
    return method == "CONNECT" and is_tunnel(method, status)


def is_tunnel(method: str | None, status: int) -> bool:
    """RFC 9110, 9.3.6: after the head of such a response the connection is the caller's."""
    return method == "CONNECT" and 200 <= status < 300


def transfer_codings(fields: Fields) -> list[bytes]:
    """The codings of all Transfer-Encoding fields, in order, without identity."""
    return [coding for coding in elements(fields, b"transfer-encoding") if coding != b"identity"]


def content_length(values: list[bytes]) -> int | None:
    r"""Understand the values of all Content-Length fields.

    >>> content_length([b"5", b"5, 5"]), content_length([b"5", b"6"]), content_length([b"+5"])
    (5, None, None)

    RFC 9110, 8.6: Content-Length = 1*DIGIT. Equal repetitions count as one, as they come from
    proxies that merged a repeated field. Anything else gives no length at all.
    """
    if len(values) == 1 and values[0].isdigit() and len(values[0]) <= MAX_DIGITS:
        return int(values[0])  # the usual case
    numbers = {item.strip(BLANKS) for item in b",".join(values).split(b",")}
    if not all(number.isdigit() for number in numbers):
        return None
    significant = {number.lstrip(b"0") for number in numbers}
    return bounded_int(significant.pop(), 10) if len(significant) == 1 else None


def bounded_int(digits: bytes, base: int) -> int:
    """The number, or one that is greater than anything where there are too many digits."""
    return int(digits or b"0", base) if len(digits) <= MAX_DIGITS else base**MAX_DIGITS


def elements(fields: Fields, name: bytes) -> list[bytes]:
    r"""The elements of a list-valued field, in lower case, all its fields taken together.

    >>> elements({b"connection": [b"Close, ,TE", b"x"]}, b"connection")
    [b'close', b'te', b'x']

    RFC 9110, 5.6.1: #element => [ element ] *( OWS "," OWS [ element ] ).
    """
    if name not in fields:
        return []
    items = b",".join(fields[name]).lower().split(b",")
    return [item for item in (item.strip(BLANKS) for item in items) if item]


def is_persistent(version: int, fields: Fields) -> bool:
    r"""Whether the server keeps the connection open after this response.

    >>> is_persistent(11, {}), is_persistent(10, {}), is_persistent(11, {b"connection": [b"close"]})
    (True, False, False)

    RFC 9112, 9.3: ``close`` ends it; HTTP/1.1 persists; HTTP/1.0 persists by ``keep-alive``.
    2.7: in HTTP/1.0 a Keep-Alive field, or keep-alive in Proxy-Connection, has the same effect.
    """
    connection = elements(fields, b"connection") if b"connection" in fields else []
    if b"close" in connection:
        return False
    if version >= 11:
        return True
    proxy = elements(fields, b"proxy-connection")
    if b"keep-alive" in connection or any(fields.get(b"keep-alive", ())):
        return True
    return b"keep-alive" in proxy and b"close" not in proxy
