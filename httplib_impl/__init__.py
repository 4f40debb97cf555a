"""Python 2.7's documented `httplib`, for Python 3.11 and later: an HTTP/1 client.

Requests go out, responses come in, one behind the other on one connection. Text is ISO-8859-1,
bodies are bytes. Read the modules in the order of the wire: `_request`, `_request_body`,
`_status_line`, `_headers`, `_framing`, `_chunked`, `_bodies`; then the shell around them:
`_reader`, `_head`, `_response`, `_state`, `_connection`, `_tunnel`, `_tls`, `_compat`.
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
from ._headers import HTTPMessage
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
