"""Python 2.7's documented `httplib`, for Python 3.11 and later: an HTTP/1 client.

Requests go out, responses come in, one behind the other on one connection. Text is ISO-8859-1,
bodies are bytes. `install` puts the package under its old name, for code that cannot be changed.

The package reads as a lesson in the order of the wire. Each file opens with what comes in, what
goes out, and what it never does; each function that finds a boundary shows octets before the rule.

1. What a client may say: `_grammar` has every pattern and limit, `_request` the head of a request,
   `_request_body` what goes behind it.
2. What a server says: `_status_line`, `_headers`, then `_head`, which joins the two and skips
   interim responses.
3. Where the body ends: `_framing` decides, `_chunked` decodes, `_bodies` hands out, `_store` keeps
   what was decoded and not yet asked for.
4. The shell around these, and the only part that touches a socket: `_reader` fetches, `_response`
   and `_connection` are what callers see, `_state` says which call is in turn, `_address` where to
   connect, `_tunnel` and `_tls` what comes first. `_compat` is the interface of Python 1.5.2.

Fast ways stand beside the rules that they abbreviate, and tests hold the two together: `plain_head`
beside `Head`, `framing_fields` beside `parse_fields`, `whole_chunks` beside `chunked_wants`.
"""

# fmt: off
# isort: off
# Tables of names: one a line would hide the little that this file says.
import sys

from ._compat import HTTP, HTTPS
from ._connection import HTTPConnection
from ._constants import (
    ACCEPTED, BAD_GATEWAY, BAD_REQUEST, CONFLICT, CONTINUE, CREATED, EXPECTATION_FAILED,
    FAILED_DEPENDENCY, FORBIDDEN, FOUND, GATEWAY_TIMEOUT, GONE, HTTPS_PORT, HTTP_PORT,
    HTTP_VERSION_NOT_SUPPORTED, IM_USED, INSUFFICIENT_STORAGE, INTERNAL_SERVER_ERROR,
    LENGTH_REQUIRED, LOCKED, METHOD_NOT_ALLOWED, MOVED_PERMANENTLY, MULTIPLE_CHOICES,
    MULTI_STATUS, NON_AUTHORITATIVE_INFORMATION, NOT_ACCEPTABLE, NOT_EXTENDED, NOT_FOUND,
    NOT_IMPLEMENTED, NOT_MODIFIED, NO_CONTENT, OK, PARTIAL_CONTENT, PAYMENT_REQUIRED,
    PRECONDITION_FAILED, PROCESSING, PROXY_AUTHENTICATION_REQUIRED,
    REQUESTED_RANGE_NOT_SATISFIABLE, REQUEST_ENTITY_TOO_LARGE, REQUEST_TIMEOUT,
    REQUEST_URI_TOO_LONG, RESET_CONTENT, SEE_OTHER, SERVICE_UNAVAILABLE, SWITCHING_PROTOCOLS,
    TEMPORARY_REDIRECT, UNAUTHORIZED, UNPROCESSABLE_ENTITY, UNSUPPORTED_MEDIA_TYPE,
    UPGRADE_REQUIRED, USE_PROXY, responses,
)
from ._exceptions import (
    BadStatusLine, CannotSendHeader, CannotSendRequest, HTTPException, ImproperConnectionState,
    IncompleteRead, InvalidURL, LineTooLong, NotConnected, ResponseNotReady,
    UnimplementedFileMode, UnknownProtocol, UnknownTransferEncoding, error,
)
from ._message import HTTPMessage
from ._response import HTTPResponse
from ._tls import HTTPSConnection

__all__ = [
    "ACCEPTED", "BAD_GATEWAY", "BAD_REQUEST", "CONFLICT", "CONTINUE", "CREATED",
    "EXPECTATION_FAILED", "FAILED_DEPENDENCY", "FORBIDDEN", "FOUND", "GATEWAY_TIMEOUT", "GONE",
    "HTTP", "HTTPS", "HTTPS_PORT", "HTTP_PORT", "HTTP_VERSION_NOT_SUPPORTED", "IM_USED",
    "INSUFFICIENT_STORAGE", "INTERNAL_SERVER_ERROR", "LENGTH_REQUIRED", "LOCKED",
    "METHOD_NOT_ALLOWED", "MOVED_PERMANENTLY", "MULTIPLE_CHOICES", "MULTI_STATUS",
    "NON_AUTHORITATIVE_INFORMATION", "NOT_ACCEPTABLE", "NOT_EXTENDED", "NOT_FOUND",
    "NOT_IMPLEMENTED", "NOT_MODIFIED", "NO_CONTENT", "OK", "PARTIAL_CONTENT",
    "PAYMENT_REQUIRED", "PRECONDITION_FAILED", "PROCESSING", "PROXY_AUTHENTICATION_REQUIRED",
    "REQUESTED_RANGE_NOT_SATISFIABLE", "REQUEST_ENTITY_TOO_LARGE", "REQUEST_TIMEOUT",
    "REQUEST_URI_TOO_LONG", "RESET_CONTENT", "SEE_OTHER", "SERVICE_UNAVAILABLE",
    "SWITCHING_PROTOCOLS", "TEMPORARY_REDIRECT", "UNAUTHORIZED", "UNPROCESSABLE_ENTITY",
    "UNSUPPORTED_MEDIA_TYPE", "UPGRADE_REQUIRED", "USE_PROXY", "BadStatusLine",
    "CannotSendHeader", "CannotSendRequest", "HTTPConnection", "HTTPException", "HTTPMessage",
    "HTTPResponse", "HTTPSConnection", "ImproperConnectionState", "IncompleteRead",
    "InvalidURL", "LineTooLong", "NotConnected", "ResponseNotReady", "UnimplementedFileMode",
    "UnknownProtocol", "UnknownTransferEncoding", "error", "install", "responses",
]


def install() -> None:
    """Let ``import httplib`` find this package from now on, for code that cannot be changed."""
    sys.modules["httplib"] = sys.modules[__name__]
