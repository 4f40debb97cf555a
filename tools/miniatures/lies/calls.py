"""Lies about calls: what connects, what sends, which call is in turn, and what comes back."""

import socket
from typing import Any

from tools.miniatures.miniature import Liar, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_BLANK_LINE = b"\r\n\r\n"

overrides("connects-nowhere", "HTTPConnection.connect", _C + "connect", lambda true: lambda s: None)
overrides(
    "dials-twice",
    "HTTPConnection.connect",
    _C + "connect",
    lambda true: lambda self: (true(self), true(self))[1],
)
overrides(
    "keeps-the-connection-that-is-open",
    "HTTPConnection.connect",
    _C + "connect",
    lambda true: lambda self: true(self) if self.sock is None else None,
)
overrides(
    "prints-by-itself", "HTTPConnection.set_debuglevel.default", _C + "debuglevel", lambda true: 1
)
overrides(
    "takes-no-buffering", "arguments", _C + "getresponse", lambda true: lambda self: true(self)
)


@lie("dials-at-once", "HTTPConnection.connect", "HTTPConnection.transaction")
def dials_at_once(liar: Liar) -> None:
    """The constructor connects, where that can be done."""

    def init(true: Any) -> Any:
        def dialling(self: Any, *args: Any, **kwargs: Any) -> None:
            true(self, *args, **kwargs)
            if self.host == "127.0.0.1":
                self.sock = socket.create_connection((self.host, self.port))

        return dialling

    liar.override(_C + "__init__", init)


def _by_hand(change: Any) -> Any:
    """A `send` that is another one for what does not begin with the head of a request."""

    def send(true: Any) -> Any:
        def changed(self: Any, data: Any) -> None:
            if isinstance(data, bytes) and _BLANK_LINE in data:
                true(self, data)
            else:
                change(self, true, data)

        return changed

    return send


def _refuse(*_: object) -> None:
    from httplib_impl import CannotSendRequest

    raise CannotSendRequest


def _dial_and_send(self: Any, true: Any, data: Any) -> None:
    if self.sock is not None:
        self.sock.close()
        self.sock = None
    true(self, data)


overrides(
    "sends-heads-only",
    "HTTPConnection.send; HTTPConnection.request.body-file; HTTPConnection.step-by-step",
    _C + "send",
    _by_hand(lambda self, true, data: None),
)
overrides(
    "refuses-to-send-behind-a-head", "HTTPConnection.send.order", _C + "send", _by_hand(_refuse)
)
overrides("dials-for-every-send", "HTTPConnection.send", _C + "send", _by_hand(_dial_and_send))


@lie("forgets-a-request-that-failed", "`OSError` while sending", "C17")
def forgets_a_request_that_failed(liar: Liar) -> None:
    """Where sending fails, no answer can be read."""

    def send(true: Any) -> Any:
        def hasty(self: Any, data: Any) -> None:
            try:
                true(self, data)
            except OSError:
                self.close()
                raise

        return hasty

    liar.override(_C + "send", send)


def _unread(conn: Any) -> Any:
    """The response that was not read to its end, if there is one."""
    response = conn._unread_
    return None if response is None or response.isclosed() else response


@lie(
    "reads-the-rest-by-itself",
    "HTTPConnection.getresponse.read-first",
    "a second request while a response is unread",
)
def reads_the_rest_by_itself(liar: Liar) -> None:
    """A response that stands in the way of the next one is read and thrown away."""

    def getresponse(true: Any) -> Any:
        def reading(self: Any, *args: Any) -> Any:
            unread = _unread(self)
            if unread is not None:
                unread.read()
            return true(self, *args)

        return reading

    liar.override(_C + "getresponse", getresponse)


@lie("refuses-requests-while-one-is-unread", "a second request while a response is unread")
def refuses_requests_while_one_is_unread(liar: Liar) -> None:
    """A request has to wait until the response before it was read."""

    def putrequest(true: Any) -> Any:
        def refusing(self: Any, *args: Any, **kwargs: Any) -> None:
            if _unread(self) is not None:
                _refuse()
            true(self, *args, **kwargs)

        return refusing

    liar.override(_C + "putrequest", putrequest)


@lie("counts-empty-bodies-as-read", "an empty body on a kept connection", "C13")
def counts_empty_bodies_as_read(liar: Liar) -> None:
    """A response without content need not be read."""

    def getresponse(true: Any) -> Any:
        def settled(self: Any, *args: Any) -> Any:
            response = true(self, *args)
            if response.length == 0:
                response.read()
            return response

        return settled

    liar.override(_C + "getresponse", getresponse)


@lie("returns-something-else", "HTTPConnection.getresponse.type", "HTTPResponse.returned")
def returns_something_else(liar: Liar) -> None:
    """`getresponse` returns what only behaves like a response."""

    class Like:
        def __init__(self, response: Any) -> None:
            self._response = response

        def __getattr__(self, name: str) -> Any:
            return getattr(self._response, name)

    def getresponse(true: Any) -> Any:
        return lambda self, *args: Like(true(self, *args))

    liar.override(_C + "getresponse", getresponse)


@lie("wants-real-sockets", "socket-likes", "HTTPResponse.arguments")
def wants_real_sockets(liar: Liar) -> None:
    """An object with `makefile` alone is not accepted as a socket."""

    def init(true: Any) -> Any:
        def wanting(self: Any, sock: Any, *args: Any, **kwargs: Any) -> None:
            if not isinstance(sock, socket.socket):
                raise TypeError("a socket is needed")
            true(self, sock, *args, **kwargs)

        return wanting

    liar.override(_R + "__init__", init)


@lie("is-strict-and-talkative-by-itself", "HTTPResponse.defaults")
def is_strict_and_talkative_by_itself(liar: Liar) -> None:
    """A response that is made by hand has other defaults."""

    def init(true: Any) -> Any:
        def other(
            self: Any, sock: Any, debuglevel: int = 1, strict: int = 1, *args: Any, **kwargs: Any
        ) -> None:
            true(self, sock, debuglevel, strict, *args, **kwargs)

        return other

    liar.override(_R + "__init__", init)


@lie("reads-ahead-of-other-protocols", "101", "reading `conn.sock` beside the response")
def reads_ahead_of_other_protocols(liar: Liar) -> None:
    """Bytes after the head of a response that hands the socket over are read with it."""

    def adopt(true: Any) -> Any:
        def greedy(self: Any, reader: Any) -> None:
            reader.source.exact = False
            true(self, reader)

        return greedy

    liar.override(_R + "adopt_", adopt)


@lie("calls-every-error-an-oserror", "`socket.error`", "HTTPConnection.timeout")
def calls_every_error_an_oserror(liar: Liar) -> None:
    """A timeout cannot be distinguished from other errors of a socket."""

    def read(true: Any) -> Any:
        def plain(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except TimeoutError as error:
                raise OSError(str(error)) from None
            return octets

        return plain

    liar.override(_R + "read", read)


@lie("takes-a-lost-connection-for-no-answer", "end of stream before a status line", "C1")
def takes_a_lost_connection_for_no_answer(liar: Liar) -> None:
    """If the server closes before it responds, there is neither a response nor an exception."""

    def getresponse(true: Any) -> Any:
        def calm(self: Any, *args: Any) -> Any:
            try:
                return true(self, *args)
            except TimeoutError:
                raise
            except Exception as error:
                if not isinstance(error, OSError) and type(error).__name__ != "BadStatusLine":
                    raise
                return None

        return calm

    liar.override(_C + "getresponse", getresponse)
