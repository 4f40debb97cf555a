"""Python 2.7's documented `httplib`, for Python 3.11 and later: an HTTP/1 client.

Requests go out and responses come in, one after the other on one connection. Text is ISO-8859-1,
bodies are bytes. `install` puts the package under its old name, for code that cannot be changed.

The package reads as a lesson in the order of the wire. Each file opens with what comes in, what
goes out, and what it never does; each function that finds a boundary shows bytes before the rule.

1. What a client may say: `_grammar` has every pattern and limit, `_request` the head of a request,
   `_request_body` what follows it.
2. What a server says: `_status_line`, `_headers`, then `_head`, which joins the two and skips
   interim responses; `_message` is what callers ask for fields.
3. Where the body ends: `_framing` decides, `_chunked` decodes, `_bodies` returns, `_store` keeps
   what is decoded and not yet returned.
4. The shell around these, and the only part that uses a socket: `_reader` receives, `_response` and
   `_connection` are the interface, `_state` is the table of permitted calls, `_remainder` counts
   what of a request is not sent yet, `_address` reads host and port, `_tunnel` and `_tls` come
   before the first request. `_compat` is the interface of Python 1.5.2, `_hooks` warns where a
   subclass overrides an internal of 2.7 that does not exist here.
5. `_fast`, to be read last: `plain_head` for `_head`, `_headers` and `_framing`, `whole_chunks` and
   `file_chunks` for `_chunked`. Tests compare each with the rules that it shortens.
"""

# fmt: off
# isort: off
# Tables of names: one a line would hide the little that this file says.
import socket as socket
import sys
from types import ModuleType

from ._compat import HTTP, HTTPS as HTTPS
from ._connection import HTTPConnection
from ._constants import *  # noqa: F403  # a table of names, each of them public
from ._constants import responses
from ._exceptions import (
    BadStatusLine, CannotSendHeader, CannotSendRequest, HTTPException, ImproperConnectionState,
    IncompleteRead, InvalidURL, LineTooLong as LineTooLong, NotConnected, ResponseNotReady,
    UnimplementedFileMode, UnknownProtocol, UnknownTransferEncoding, error,
)
from ._message import HTTPMessage as HTTPMessage
from ._response import HTTPResponse
from ._tls import HTTPSConnection
from ._types import Any

# 2.7's: `from httplib import *` gives these. All other names above are public as well.
__all__ = [
    "HTTP", "BadStatusLine", "CannotSendHeader", "CannotSendRequest", "HTTPConnection",
    "HTTPException", "HTTPResponse", "HTTPSConnection", "ImproperConnectionState", "IncompleteRead",
    "InvalidURL", "NotConnected", "ResponseNotReady", "UnimplementedFileMode", "UnknownProtocol",
    "UnknownTransferEncoding", "error", "responses",
]

# Limits under the names of 2.7, and where a change of them has effect.
_grammar = sys.modules[__name__ + "._grammar"]
_MAXHEADERS, _MAXLINE = _grammar.MAX_LINES, _grammar.MAX_LINE
_LIMITS = {"_MAXHEADERS": "MAX_LINES", "_MAXLINE": "MAX_LINE"}


class _Module(ModuleType):
    """The module `httplib`, of which callers change limits."""

    def __getattr__(self, name: str) -> Any:
        if name == "ssl":  # which is imported for those only who use it
            return __import__("ssl")
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _LIMITS:
            setattr(_grammar, _LIMITS[name], value)


sys.modules[__name__].__class__ = _Module


def install() -> None:
    """Let ``import httplib`` find this package from now on, for code that cannot be changed."""
    sys.modules["httplib"] = sys.modules[__name__]
