"""The response object: the head as attributes, the body through `read`.

A socket or a reader comes in. Reading, framing and decoding happen elsewhere; this file keeps the
documented surface and decides who closes the socket. Text goes out as ISO-8859-1.
"""

from __future__ import annotations

from collections.abc import Callable

from ._bodies import BODIES, Body, LengthBody
from ._exceptions import HTTPException, ResponseNotReady
from ._fast import PlainHead, plain_head
from ._framing import (
    AT_ONCE,
    has_no_body,
    is_persistent,
    is_tunnel,
    message_framing,
    transfer_codings,
)
from ._head import SWITCHING_PROTOCOLS, Head
from ._headers import parse_fields
from ._hooks import OF_RESPONSE, Watched
from ._message import HTTPMessage
from ._reader import Reader, is_transient
from ._store import ALL
from ._types import Any, Default


class HTTPResponse(Watched):
    """One response. `HTTPConnection.getresponse` makes it and has read its head.

    Args:
        sock: a socket, or an object with `makefile("rb")`.
        debuglevel: above 0, the lines of the head are printed.
        strict: accept valid HTTP/1.0 and HTTP/1.1 status lines only.
        method: the request method, on which the end of the body depends.
        buffering: accepted and ignored; what may be buffered follows from the request.

    Attributes:
        version: 9, 10 or 11.
        status: the status code.
        reason: the reason phrase.
        msg: the header section; None before `begin`.
        will_close: whether the connection ends with this response.
        length: the bytes of the body still to come, where known.
        chunked: whether the fields announce chunks, even if there is no body.
    """

    _not_kept_ = OF_RESPONSE
    version: int | None = None
    status: int | None = None
    reason: str | None = None
    msg: HTTPMessage | None = None
    will_close: bool | None = None
    chunked: bool | None = None
    _head_: Head | None = None
    _reader_: Reader | None = None
    _body_: Body | None = None
    _length_at_end_: int | None = None
    _owns_socket_ = _closed_ = False
    at_end_: Callable[[], None] | None = None  # set by the connection, as is
    rest_: object = None  # what of the request was not sent when the head was read

    def __init__(
        self,
        sock: Any,
        debuglevel: int = 0,
        strict: int = 0,
        method: str | None = None,
        buffering: bool = False,  # noqa: ARG002  # documented by use, not needed
    ) -> None:
        self.debuglevel, self.strict = debuglevel, strict
        self._sock_ = sock
        self._method = method

    def begin(self) -> None:
        """Read the head; a second call does nothing.

        Raises:
            BadStatusLine, UnknownProtocol, LineTooLong, HTTPException: the head is not understood.
            OSError: the connection failed; after a timeout the call can be repeated.
        """
        if self.msg is not None or self._closed_:
            return
        reader = self._reader_ or self._own_reader_()
        # Debugging prints line by line; a head of which lines were read is read to its end so.
        plain = None if self._head_ or self.debuglevel > 0 else reader.decode(plain_head, True)
        line, block, fields, length = plain or self._read_head_(reader)
        self.version, self.status, self.reason, _ = version, status, _, _ = line
        if length is not None and not has_no_body(self._method, status):
            self._body_, self.chunked = LengthBody(reader, length), False
            self.msg, self.will_close = HTTPMessage(block), not is_persistent(version, fields)
            return
        ending, length, reusable = message_framing(self._method, status, fields)
        self.chunked = b"transfer-encoding" in fields and transfer_codings(fields) == [b"chunked"]
        self._body_ = BODIES[ending](reader) if length is None else LengthBody(reader, length)
        if ending is AT_ONCE and self._hands_over_(reader):
            reader.handed_over = True
            self.will_close = False
        else:
            kept = reusable and status != SWITCHING_PROTOCOLS
            self.will_close = not (kept and is_persistent(version, fields))
        self.msg = HTTPMessage(block)

    def _read_head_(self, reader: Reader) -> PlainHead:
        head = self._head_ = self._head_ or Head(bool(self.strict), self.debuglevel)
        return head.read(reader), head.block, parse_fields(head.block)[0], None

    def _own_reader_(self) -> Reader:
        """Read a socket that the caller owns: never a byte after this response."""
        self._reader_ = reader = Reader(self._sock_)
        reader.source.exact = True
        reader.hold()
        self._owns_socket_ = True
        return reader

    def _hands_over_(self, reader: Reader) -> bool:
        """Whether the bytes after the head belong to the caller."""
        if self.status == SWITCHING_PROTOCOLS:
            return reader.source.exact  # which the request set where it had Upgrade
        return is_tunnel(self._method, self.status or 0)

    def adopt_(self, reader: Reader) -> None:
        """Read from the connection's reader, which may hold the first bytes already."""
        self._reader_ = reader

    def take_over_(self) -> None:
        """Own the socket: it stays open, whatever its connection does, until the body ends."""
        self._owns_socket_ = self.will_close = True
        if self._reader_:
            self._reader_.hold()

    @property
    def length(self) -> int | None:
        """The bytes of the body still to come; None where it is not known. It can be set."""
        return self._body_.length if self._body_ else self._length_at_end_

    @length.setter
    def length(self, length: int | None) -> None:
        if self._body_:
            self._body_ = self._body_.limited(length)
        else:
            self._length_at_end_ = length

    def read(self, amt: int | None = None) -> bytes:
        """Return the rest of the body, or up to `amt` bytes; nothing after its end.

        Args:
            amt: the most bytes to return; None or negative for all.

        Raises:
            IncompleteRead: the body is shorter than announced, or its chunks are malformed.
            UnknownTransferEncoding: the body is in a transfer coding other than chunked.
            LineTooLong, HTTPException: a line, or the number of trailers, is over its limit.
            OSError: the connection failed. Bytes before it are returned first where an amount is
                given; after a timeout the call can be repeated.
            ResponseNotReady: `begin` was not called.
        """
        body = self._body_
        if body is None:
            if not self._closed_:
                raise ResponseNotReady
            return b""
        try:
            return body.read(amt if amt is not None and 0 <= amt < ALL else ALL)
        except (HTTPException, OSError) as error:
            if not is_transient(error) and (body.finished or isinstance(error, OSError)):
                self._break_off_()
                if not body.finished:
                    self._end_()
            raise
        finally:
            if body.finished:
                self.close()  # 2.7: a subclass has its `close` called
                if not self._closed_:
                    self._end_()

    def _break_off_(self) -> None:
        """Mark the connection: it is not known where the next response would begin."""
        if self._reader_:
            self._reader_.broken = True

    def _end_(self) -> None:
        self._closed_ = True
        if self._body_ and self._body_.finished:  # else it still has an error to raise
            self._length_at_end_ = self._body_.length
            self._body_ = None
        if self._reader_ and (self._owns_socket_ or self._reader_.is_file):
            self._reader_.release()
        if self.at_end_:
            at_end, self.at_end_ = self.at_end_, None
            at_end()

    def close(self) -> None:
        """Abandon the rest of the body; the connection is then not used again."""
        if self._closed_:
            return
        if not (self._body_ and self._body_.finished):
            self._break_off_()
        if self._body_:
            self._body_.finished = True
        self._end_()

    def isclosed(self) -> bool:
        """Whether the body was read to its end, or abandoned."""
        return self._closed_

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return int(self._sock_.fileno())

    def getheader(self, name: str, default: Default | None = None) -> str | Default | None:
        """The value of a header, repetitions joined with a comma and a blank, or `default`.

        Raises:
            ResponseNotReady: the head was not read.
        """
        return self._message_().getheader(name, default)

    def getheaders(self) -> list[tuple[str, str]]:
        """Lower-case names and values, in the order of their first appearance.

        Raises:
            ResponseNotReady: the head was not read.
        """
        return self._message_().items()

    def _message_(self) -> HTTPMessage:
        if self.msg is None:
            raise ResponseNotReady
        return self.msg
