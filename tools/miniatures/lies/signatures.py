"""Lies about signatures: the names of keywords, what may be left out, what is returned."""

from typing import Any

from tools.miniatures.miniature import Liar, after, lie, overrides

_C = "_connection.HTTPConnection."


def _positional(name: str, about: str, path: str) -> None:
    """Enter a client in which one method takes no keywords."""
    overrides(name, about, path, lambda true: lambda self, *args: true(self, *args))


_positional("sends-without-keywords", "HTTPConnection.send", _C + "send")


# Clients that lack names and arguments: what a program expects is not there at all.

_NAMES = (
    *("HTTPResponse", "HTTPSConnection", "responses", "HTTPException", "NotConnected"),
    *("InvalidURL", "UnknownProtocol", "UnknownTransferEncoding", "UnimplementedFileMode"),
    *("IncompleteRead", "ImproperConnectionState", "CannotSendRequest", "CannotSendHeader"),
    *("ResponseNotReady", "BadStatusLine"),
)
_METHODS = (
    *("set_debuglevel", "set_tunnel", "connect", "close"),
    *("putrequest", "putheader", "endheaders", "send"),
)


@lie("lacks-every-class-but-the-connection", "HTTPConnection.arguments")
def _lacks_names(liar: Liar) -> None:
    for name in _NAMES:
        liar.remove(f".{name}")


@lie("lacks-every-method-but-request", "HTTPConnection.step-by-step")
def _lacks_methods(liar: Liar) -> None:
    for name in _METHODS:
        liar.remove(_C + name)


class _Body:
    """A response that can only be read."""

    def __init__(self, response: Any) -> None:
        self.read = response.read
        self.close = response.close


overrides(
    "returns-a-response-that-can-only-be-read",
    "HTTPConnection.getresponse.type",
    _C + "getresponse",
    after(lambda _, response: _Body(response)),
)


@lie("accepts-no-optional-argument", "HTTPConnection.arguments")
def _accepts_no_options(liar: Liar) -> None:
    def made(true: Any) -> Any:
        return lambda self, host, port=None: true(self, host, port)

    liar.override(_C + "__init__", made)
    liar.override("_tls.HTTPSConnection.__init__", made)
    liar.override(_C + "putrequest", lambda true: lambda self, one, two: true(self, one, two))
    liar.override(_C + "putheader", lambda true: lambda self, name, value: true(self, name, value))
    liar.override(
        _C + "set_tunnel", lambda true: lambda self, host, port=None: true(self, host, port)
    )
    liar.override(
        "_response.HTTPResponse.getheader", lambda true: lambda self, name: true(self, name)
    )
    liar.override("_response.HTTPResponse.read", lambda true: lambda self: true(self))
