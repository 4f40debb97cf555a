"""The connection: calls of the caller come in, requests go out, responses are returned.

`_state` decides whether a call is permitted, `_request` and `_request_body` whether it can be
sent, `_response` reads the response. This file joins them in one order: check everything, then
change the connection, then write. It never parses what a server sent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping

from ._address import authority, parse_address
from ._constants import HTTP_PORT
from ._exceptions import NotConnected, ResponseNotReady
from ._hooks import OF_CONNECTION, Watched
from ._reader import Reader, is_real, is_stale, is_transient
from ._remainder import Remainder, endless
from ._request import field_line, host_in_url, request_line
from ._request_body import FileBody, request_body
from ._response import HTTPResponse
from ._state import ANSWERED, ENDHEADERS, GETRESPONSE, IDLE, PUTHEADER, PUTREQUEST, READ
from ._tunnel import connect_request, read_answer
from ._types import Any

Port = int | str | None
Headers = Mapping[str, object] | None


# Stands for a timeout that was not given. Callers of 2.7 pass this object on.
UNSET: Any = socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]

# A request with one of these and without a body has Content-Length: 0.    (RFC 9110, 8.6)
_METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

# The arguments of `putrequest` for fields that the caller gives.
_SKIPS = (("host", "skip_host"), ("accept-encoding", "skip_accept_encoding"))


class HTTPConnection(Watched):
    """A connection to one server, over which requests are sent one after the other.

    Args:
        host: name or address, with ``:port`` after it where no port argument is given.
        port: 0 to 65535, also as digits.
        strict: accept valid HTTP/1.0 and HTTP/1.1 status lines only.
        timeout: seconds that a blocking operation may take; None for no limit.
        source_address: ``(host, port)`` to connect from.

    Attributes:
        sock: the socket; None while there is no connection.
        auto_open: whether sending opens the connection.

    Raises:
        InvalidURL: the host or the port cannot be used.
    """

    _not_kept_ = OF_CONNECTION
    default_port = HTTP_PORT
    response_class: type[HTTPResponse] = HTTPResponse
    auto_open = 1
    debuglevel = 0
    strict = 0
    _http_vsn = 11
    _http_vsn_str = "HTTP/1.1"
    _exact_ = False  # whether to read no byte after a head, whatever the request

    def __init__(
        self,
        host: str,
        port: Port = None,
        strict: int | None = None,
        timeout: float | None = UNSET,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.host, self.port = parse_address(host, port, self.default_port)
        if strict is not None:
            self.strict = strict
        self.timeout = timeout
        self.source_address = source_address
        self.sock: Any = None
        self._tunnel_host: str | None = None
        self._tunnel_port: int | None = None
        self._tunnel_headers: Mapping[str, object] = {}
        self._state_ = IDLE
        self._method = ""
        self._lines_: list[bytes] = []
        self._own_: tuple[object, bytes] = None, b""
        self._hands_over_ = self._announces_ = False
        self._reader_: Reader | None = None
        self._pending_: HTTPResponse | None = None
        self._unread_: HTTPResponse | None = None
        self._remainder_: Remainder | None = None

    def __repr__(self) -> str:
        address = authority(self.host, self.port, self.default_port)
        return f"<{type(self).__name__} {address}: {self._state_.value}>"

    # Opening and closing

    def set_debuglevel(self, level: int) -> None:
        """Print what is sent, and the heads of responses, to standard output; 0 for nothing."""
        self.debuglevel = level

    def set_tunnel(self, host: str, port: Port = None, headers: Headers = None) -> None:
        """Reach that host through a CONNECT to the server of the constructor.

        Args:
            host: as in the constructor.
            port: as in the constructor.
            headers: fields of the CONNECT request; copied.

        Raises:
            RuntimeError: the connection is open.
            InvalidURL: the host or the port cannot be used.
            ValueError: a header cannot be sent.
        """
        if self.sock is not None:
            raise RuntimeError("a tunnel cannot be set up on an open connection")
        address, copy = parse_address(host, port, self.default_port), dict((headers or {}).items())
        connect_request(*address, copy)
        self._tunnel_host, self._tunnel_port, self._tunnel_headers = *address, copy

    def connect(self) -> None:
        """Open the connection, and the tunnel where one is set.

        Raises:
            OSError: the server cannot be reached; the connection is idle.
            BadStatusLine, LineTooLong, HTTPException: the proxy's answer is not understood.
        """
        self._drop_socket_()
        self._remainder_ = None
        address = self.host, self.port
        try:
            self.sock = self._create_connection(address, self.timeout, self.source_address)
            if is_real(self.sock) and self.sock.proto == socket.IPPROTO_TCP:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tunnel_host:
                self._tunnel()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _create_connection(address: Any, timeout: Any, source_address: Any) -> Any:
        """Dial; 2.7: callers replace this function, on one connection."""
        return socket.create_connection(address, timeout, source_address)

    def _tunnel(self) -> None:
        """Make a tunnel of the open socket; a `connect` of a subclass calls it.

        Raises:
            OSError: the proxy did not answer 200; the connection is closed and idle.
            InvalidURL, ValueError: what was set as host, port or headers cannot be sent.
            BadStatusLine, LineTooLong, HTTPException: the proxy's answer is not understood.
        """
        try:
            address = parse_address(str(self._tunnel_host), self._tunnel_port, self.default_port)
            self.send(connect_request(*address, self._tunnel_headers))
            read_answer(self.sock, bool(self.strict), self.debuglevel)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; it is idle then, and can be used again.

        A response that ends with its connection stays open until it is read.
        """
        unread, self._unread_ = self._unread_, None
        self._pending_ = self._remainder_ = None
        self._state_, self._lines_ = IDLE, []
        try:
            self._drop_socket_()
        finally:
            if unread:
                unread.close()

    def _drop_socket_(self) -> None:
        sock, self.sock, self._reader_ = self.sock, None, None
        if sock is not None:
            sock.close()

    # Sending

    def request(self, method: str, url: str, body: Any = None, headers: Headers = None) -> None:
        """Send a whole request.

        Args:
            method: the request method.
            url: the request target; empty or None for ``/``.
            body: bytes, text that is ISO-8859-1, or a file that gives bytes.
            headers: fields, which replace those that are sent automatically.

        Raises:
            CannotSendRequest: the last request is unfinished or unanswered.
            ValueError, InvalidURL, TypeError: an argument cannot be sent; nothing was sent.
            UnimplementedFileMode: the body file cannot give bytes; nothing was sent.
            OSError: sending failed; there may be a response nevertheless.
        """
        self._send_request(method, url, body, {} if headers is None else headers)

    def _send_request(self, method: str, url: str, body: Any, headers: Any) -> None:
        fields = list(headers.items())
        names = {name.lower() for name, _ in fields if isinstance(name, str)} if fields else set()
        payload: bytes | FileBody | None = None
        if self._unread_ is not None:
            self._settle_()  # a response that was read by now must not come back as unread
        before = self._state_, self._lines_, self._method, self._hands_over_, self._announces_
        try:
            if names:
                self.putrequest(method, url, **{skip: 1 for name, skip in _SKIPS if name in names})
            else:
                self.putrequest(method, url)
            if body is not None or method.upper() in _METHODS_WITH_BODY:
                payload, length = _payload(body, names)
                if length is not None:
                    self.putheader("Content-Length", str(length))
                    self._announces_ = False  # what is counted here is sent whole, or fails
            for name, value in fields:
                self.putheader(name, value)
            if isinstance(payload, FileBody):
                payload.first_block()
        except BaseException:
            self._state_, self._lines_, self._method, self._hands_over_, self._announces_ = before
            raise
        self.endheaders(payload)

    def putrequest(
        self, method: str, url: str, skip_host: object = 0, skip_accept_encoding: object = 0
    ) -> None:
        """Start a request; nothing is sent before `endheaders`.

        Args:
            method: the request method.
            url: the request target; empty or None for ``/``.
            skip_host: true to send no Host field.
            skip_accept_encoding: true to send no Accept-Encoding field.

        Raises:
            CannotSendRequest: the last request is unfinished or unanswered.
            ValueError, InvalidURL: the method or the URL cannot be sent.
        """
        if self._unread_ is not None:
            self._settle_()
        following = PUTREQUEST[self._state_]
        line = request_line(method, url, self._http_vsn_str)
        if self._state_ is IDLE and self.sock is not None:
            reader = self._reader_
            if reader.is_stale() if reader and reader.sock is self.sock else is_stale(self.sock):
                self._drop_socket_()  # what waits there would be taken for the response
        self._method, self._lines_, self._hands_over_ = method, [line], method == "CONNECT"
        self._state_, self._announces_, self._remainder_ = following, False, None
        if self._http_vsn == 11:
            usual = not skip_host and not skip_accept_encoding and (not url or url[0] == "/")
            if usual and getattr(self.putheader, "__func__", None) is _PUTHEADER:
                self._lines_.append(self._own_fields_())
                return
            if not skip_host:
                self.putheader("Host", (url and host_in_url(url)) or self._authority_())
            if not skip_accept_encoding:
                self.putheader("Accept-Encoding", "identity")

    def _own_fields_(self) -> bytes:
        """The fields that are sent automatically, kept until the address changes."""
        # To build them takes 2 µs (`benchmarks.reference`, small GET: an exchange takes 12).
        given = self.host, self.port, self._tunnel_host, self._tunnel_port, self.default_port
        if self._own_[0] != given:
            host = field_line("Host", (self._authority_(),))
            self._own_ = given, host + b"\r\nAccept-Encoding: identity"
        return self._own_[1]

    def _authority_(self) -> str:
        host, port = self.host, self.port
        if self._tunnel_host:
            host, port = self._tunnel_host.strip("[]"), self._tunnel_port or self.default_port
        return authority(host, port, self.default_port)

    def _settle_(self) -> None:
        """Update the state if the unread response was read since the last call."""
        unread = self._unread_
        if unread is not None and unread.isclosed():
            self._unread_ = None
            self._state_ = READ[self._state_]
            if getattr(unread, "rest_", None):  # the server still expects it
                self._drop_socket_()

    def _part_(self) -> None:
        """Leave the socket to its unread response; the next request goes to a new one."""
        unread, self._unread_ = self._unread_, None
        if isinstance(unread, HTTPResponse):
            unread.take_over_()
        self._state_ = READ[self._state_]
        self._drop_socket_()

    def putheader(self, header: str, *values: object) -> None:
        """Add a field; every value after the first becomes a continuation line.

        Args:
            header: the field name.
            values: bytes unchanged, others by `str`.

        Raises:
            CannotSendHeader: no request is started.
            ValueError: the name or a value could end the line; the request stays started.
        """
        self._state_ = PUTHEADER[self._state_]
        line = field_line(header, values)
        name = header.lower()
        self._hands_over_ |= name == "upgrade"
        self._announces_ |= name == "content-length" or name == "transfer-encoding"
        self._lines_.append(line)

    def endheaders(self, message_body: Any = None) -> None:
        """Send the head, and a body after it; no length is added for it.

        Args:
            message_body: as the body of `request`.

        Raises:
            CannotSendHeader: no request is started.
            TypeError, UnimplementedFileMode: the body cannot give bytes; nothing was sent.
            NotConnected: the connection is not open, and `auto_open` is off.
            OSError: sending failed; there may be a response nevertheless.
        """
        following = ENDHEADERS[self._state_]
        if message_body is not None:
            message_body = request_body(message_body)
            if isinstance(message_body, FileBody):
                message_body.first_block()
        if self._unread_ is not None and getattr(self._unread_, "rest_", None):
            self._part_()
            following = ENDHEADERS[self._state_]
        self._state_ = following
        self._send_output(message_body)

    def _send_output(self, message_body: Any = None) -> None:
        payload = b"" if message_body is None else request_body(message_body)
        head = b"\r\n".join(self._lines_) + b"\r\n\r\n"
        rest = Remainder(self._lines_[1:]) if self._announces_ else None
        self._lines_, self._remainder_ = [], None
        if self._hands_over_ and self._reader_:
            self._reader_.source.exact = True
        try:
            for block in self._blocks_(payload) if isinstance(payload, FileBody) else (payload,):
                self.send(head + block)
                if rest:
                    rest.sent(block)
                head = b""
            if head:
                self.send(head)
        except BaseException:
            if self.sock is None:  # nothing was sent, and nothing can be
                self.close()
            raise
        if rest:
            self._remainder_ = rest

    def _blocks_(self, body: FileBody) -> Iterator[bytes]:
        try:
            yield from body.blocks()
        except Exception:  # from the file of the caller: the message cannot be completed
            self.close()
            raise

    def send(self, data: Any) -> None:
        """Send bytes unchanged; opens the connection if `auto_open` is true.

        Args:
            data: bytes, text that is ISO-8859-1, or a file.

        Raises:
            NotConnected: the connection is not open, and `auto_open` is off; or the response ended
                it before the request was complete; its rest must not go to another connection.
            OSError: connecting or sending failed.
        """
        payload = data if type(data) is bytes else request_body(data)
        if self.sock is None:
            if not self.auto_open or (self._remainder_ and self._state_ is IDLE):
                raise NotConnected
            self.connect()
        for block in (payload,) if isinstance(payload, bytes) else payload.blocks():
            if self.debuglevel > 0:
                print("send:", ascii(block.decode("latin-1")))
            try:
                self.sock.sendall(block)
            except BaseException:
                self._remainder_ = endless()  # it is not known how much was sent
                raise
            if self._remainder_:
                self._remainder_.sent(block)

    # Receiving

    def getresponse(self, buffering: bool = False) -> HTTPResponse:  # noqa: ARG002  # not needed
        """Read the head of the response to the request that was sent.

        Args:
            buffering: accepted and ignored.

        Raises:
            ResponseNotReady: no request was sent, or the last response is unread.
            BadStatusLine, UnknownProtocol, LineTooLong, HTTPException: the head is not understood;
                the connection is closed and idle.
            OSError: the connection failed, and is closed and idle; after a timeout it is not, and
                the call can be repeated.
        """
        if self._unread_ is not None:
            self._settle_()
        following = GETRESPONSE[self._state_]
        response = self._pending_ or self._new_response_()
        try:
            response.begin()
        except BaseException as error:
            if is_transient(error):
                self._pending_ = response
            else:
                response.close()
                self.close()
            raise
        self._pending_ = None
        if response.will_close:  # then it owns the socket
            if isinstance(response, HTTPResponse):
                response.take_over_()
            rest = self._remainder_
            self.close()  # 2.7: a subclass has its `close` called
            self._state_, self._remainder_ = following, rest
        else:
            self._unread_ = response
            self._state_ = ANSWERED[self._state_]
            if self._remainder_ and not (self._reader_ and self._reader_.handed_over):
                # The connection ends with it, unless the rest of the request is sent before.
                response.at_end_, response.rest_ = self._settle_, self._remainder_
        return response

    def _new_response_(self) -> HTTPResponse:
        if self.sock is None or (self._reader_ and self._reader_.broken):  # it was broken off
            self.close()
            raise ResponseNotReady
        make: Callable[..., HTTPResponse] = self.response_class
        if self.debuglevel > 0:
            response = make(self.sock, self.debuglevel, strict=self.strict, method=self._method)
        else:  # 2.7: a class without the argument debuglevel is enough.
            response = make(self.sock, strict=self.strict, method=self._method)
        if isinstance(response, HTTPResponse):
            reader = self._reader_
            if reader is None or reader.sock is not self.sock:  # callers may have replaced it
                self._reader_ = reader = Reader(self.sock)
            elif reader.is_file:  # each response has a file of its own
                self._reader_ = reader = Reader(self.sock, reader)
            reader.source.exact = self._hands_over_ or self._exact_
            response.adopt_(reader)
        return response


# A subclass, or a patch, may replace it: then every field goes through it.
_PUTHEADER = HTTPConnection.putheader


def _payload(body: Any, names: set[str]) -> tuple[bytes | FileBody | None, int | None]:
    """What to send as body, and its length where a Content-Length is to be added."""
    payload = None if body is None else request_body(body)
    if "content-length" in names or "transfer-encoding" in names:
        return payload, None
    if isinstance(payload, FileBody):
        payload = payload.counted()
    return payload, payload.length if isinstance(payload, FileBody) else len(payload or b"")
