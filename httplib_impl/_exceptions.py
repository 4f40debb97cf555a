"""Every exception of the package; `OSError` and `ValueError` are raised as well.

The facts of a failure come in, a class to catch goes out. Nothing is decided here. The tree and the
names are those of the documentation page's list of exceptions.
"""

from __future__ import annotations

from . import _grammar


class HTTPException(Exception):
    """The base class of all exceptions of this package."""


class NotConnected(HTTPException):
    """`HTTPConnection.send` was called without a connection, and `auto_open` is off."""


class InvalidURL(HTTPException):
    """A host, a port or a URL cannot be used; raised before anything is sent."""


class UnknownProtocol(HTTPException):
    """The status line names a protocol version other than 0.9, 1.0 and 1.x.

    Attributes:
        version: the version as the server wrote it, such as ``HTTP/2.0``.
    """

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


class UnknownTransferEncoding(HTTPException):
    """`HTTPResponse.read` cannot decode a transfer coding other than ``chunked``."""


class UnimplementedFileMode(HTTPException):
    """The file given as request body cannot give bytes."""


class IncompleteRead(HTTPException):
    """The body ended early, or its framing is malformed.

    Attributes:
        partial: the bytes that the failed call had received.
        expected: how many bytes are missing, or None where that is not known.
    """

    def __init__(self, partial: bytes, expected: int | None = None) -> None:
        super().__init__(partial)
        self.partial = partial
        self.expected = expected

    def __str__(self) -> str:
        """Counts, never contents: a partial body may be large."""
        missing = "" if self.expected is None else f", {self.expected} more expected"
        return f"IncompleteRead({len(self.partial)} bytes read{missing})"

    __repr__ = __str__


class ImproperConnectionState(HTTPException):
    """The base class of calls made out of turn."""


class CannotSendRequest(ImproperConnectionState):
    """A request was started while another one is unfinished or unanswered."""


class CannotSendHeader(ImproperConnectionState):
    """A header was given, or the head ended, without a started request."""


class ResponseNotReady(ImproperConnectionState):
    """A response was asked for before its request, or before the last response was read."""


class BadStatusLine(HTTPException):
    """The status line is missing or cannot be understood.

    Attributes:
        line: the line with its end, or a sentence where no line came.
    """

    def __init__(self, line: str) -> None:
        text = line or repr(line)  # 2.7: an empty line shows as two quotes
        super().__init__(text)
        self.line = text


class LineTooLong(HTTPException):
    """A line of the server has more than 65,536 bytes, its end included."""

    def __init__(self, line_type: str) -> None:
        super().__init__(f"got more than {_grammar.MAX_LINE} bytes when reading {line_type}")


# 2.7: an alias from the time when modules had one exception each.
error = HTTPException
