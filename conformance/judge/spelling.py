"""Requests and header lists compared as far as the documentation page describes them.

The input is what was seen (requests, or a value that a driver reported) and what is expected. The
output is both in a form without the details that the page leaves open. The page names the request
line, the fields that are sent and their text, and the body; it does not define the order of fields,
the value of an automatic ``Accept-Encoding``, the version of CONNECT, or whether CONNECT has a
``Host``.
"""

import re
from typing import Any

_AUTOMATIC = b"Accept-Encoding: identity"
_ACCEPT_ENCODING = re.compile(rb"(?i)(accept-encoding):.*", re.DOTALL)
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*([0-9]{1,18})[ \t]*")
_LINE = re.compile(rb"\r\n(?![ \t])")


def page_forms(wanted: list[bytes], seen: list[bytes]) -> tuple[list[Any], list[Any]]:
    """Return *wanted* and *seen*, the requests of all connections, as two values to compare.

    The values are equal if the requests agree in everything that the page says, which does not
    include the connection that carried each. Otherwise both lists are returned unchanged.
    """
    whole, other = b"".join(wanted), b"".join(seen)
    automatic = _AUTOMATIC in whole
    same = _requests(whole, automatic=automatic) == _requests(other, automatic=automatic)
    return (wanted, wanted) if same else (wanted, seen)


def _requests(octets: bytes, *, automatic: bool) -> list[Any]:
    forms: list[Any] = []
    while octets:
        head, end, rest = octets.partition(b"\r\n\r\n")
        if not end:
            return [*forms, octets]
        line, *fields = _LINE.split(head)
        if line.startswith(b"CONNECT "):
            line = line.rpartition(b" ")[0]
            fields = [field for field in fields if not field.lower().startswith(b"host:")]
        elif automatic:
            fields = [_ACCEPT_ENCODING.sub(rb"\1", field) for field in fields]
        lengths = [int(found[1]) for field in fields if (found := _LENGTH.fullmatch(field))]
        body, octets = (rest[: lengths[0]], rest[lengths[0] :]) if lengths else (b"", rest)
        forms.append((line, sorted(fields), body))
    return forms
