"""The first line of a response: protocol version, status code, reason phrase.

One line with its end comes in, a `StatusLine` goes out, or the documented exception for a line that
is not one. Nothing is read here and nothing is remembered.
"""

from __future__ import annotations

from collections import namedtuple

from ._exceptions import BadStatusLine, UnknownProtocol
from ._grammar import BLANKS, STATUS_CODE, STRICT_STATUS_LINE

NO_STATUS_LINE = "No status line received - the server has closed the connection"


class StatusLine(namedtuple("StatusLine", "version status reason is_body", defaults=(False,))):
    """The parts of a status line.

    Attributes:
        version: 9, 10 or 11.
        status: 100 to 999.
        reason: the reason phrase, ISO-8859-1, without blanks around it.
        is_body: True where an HTTP/0.9 server sent no status line and this was the body's first.
    """

    __slots__ = ()


def parse_status_line(line: bytes, strict: bool) -> StatusLine:
    r"""Parse a status line.

    >>> parse_status_line(b"HTTP/1.1 404 Not Found\r\n", strict=True)
    StatusLine(version=11, status=404, reason='Not Found', is_body=False)
    >>> parse_status_line(b"<html>hello\r\n", strict=False)
    StatusLine(version=9, status=200, reason='', is_body=True)

    Args:
        line: the line with its end; empty where the stream ended.
        strict: accept valid HTTP/1.0 and HTTP/1.1 status lines only.

    Raises:
        BadStatusLine: no line; the status code is not understood; or, strict, any other form.
        UnknownProtocol: the line names a version other than 0.9 and 1.x.
    """
    if not line:
        raise BadStatusLine(NO_STATUS_LINE)
    whole = STRICT_STATUS_LINE.fullmatch(line)
    if whole:
        version, status, reason = whole.groups()
        return _status_line(version, status, reason or b"")
    if strict:
        raise BadStatusLine(line.decode("latin-1"))
    return _lenient_status_line(line)


def _lenient_status_line(line: bytes) -> StatusLine:
    """2.7: blanks may lead, any word after ``HTTP/`` is a version, 0.9 has no line at all."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return StatusLine(9, 200, "", is_body=True)
    version, status, reason = words if len(words) == 3 else (*words, b"")
    if not STATUS_CODE.fullmatch(status):  # checked before the version, as 2.7 does
        raise BadStatusLine(line.decode("latin-1"))
    return _status_line(version, status, reason)


def _status_line(version: bytes, status: bytes, reason: bytes) -> StatusLine:
    if version.startswith(b"HTTP/1."):
        number = 10 if version == b"HTTP/1.0" else 11
    elif version == b"HTTP/0.9":
        number = 9
    else:
        raise UnknownProtocol(version.decode("latin-1"))
    return StatusLine(number, int(status), reason.strip(BLANKS).decode("latin-1"))
