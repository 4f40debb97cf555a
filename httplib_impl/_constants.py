"""Ports, status codes and reason phrases: the constants of the documentation page, no more.

The names and values are plain integers on purpose: callers compare, format and pickle them.
"""

from __future__ import annotations

HTTP_PORT, HTTPS_PORT = 80, 443

CONTINUE, SWITCHING_PROTOCOLS, PROCESSING = 100, 101, 102

OK, CREATED, ACCEPTED, NON_AUTHORITATIVE_INFORMATION, NO_CONTENT = 200, 201, 202, 203, 204
RESET_CONTENT, PARTIAL_CONTENT, MULTI_STATUS, IM_USED = 205, 206, 207, 226

MULTIPLE_CHOICES, MOVED_PERMANENTLY, FOUND, SEE_OTHER, NOT_MODIFIED = 300, 301, 302, 303, 304
USE_PROXY, TEMPORARY_REDIRECT = 305, 307

BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN, NOT_FOUND = 400, 401, 402, 403, 404
METHOD_NOT_ALLOWED, NOT_ACCEPTABLE, PROXY_AUTHENTICATION_REQUIRED = 405, 406, 407
REQUEST_TIMEOUT, CONFLICT, GONE, LENGTH_REQUIRED, PRECONDITION_FAILED = 408, 409, 410, 411, 412
REQUEST_ENTITY_TOO_LARGE, REQUEST_URI_TOO_LONG, UNSUPPORTED_MEDIA_TYPE = 413, 414, 415
REQUESTED_RANGE_NOT_SATISFIABLE, EXPECTATION_FAILED, UNPROCESSABLE_ENTITY = 416, 417, 422
LOCKED, FAILED_DEPENDENCY, UPGRADE_REQUIRED = 423, 424, 426

INTERNAL_SERVER_ERROR, NOT_IMPLEMENTED, BAD_GATEWAY, SERVICE_UNAVAILABLE = 500, 501, 502, 503
GATEWAY_TIMEOUT, HTTP_VERSION_NOT_SUPPORTED, INSUFFICIENT_STORAGE, NOT_EXTENDED = 504, 505, 507, 510

# 2.7: RFC 2616's table, so neither the WebDAV codes nor 226, 426 and 510; 306 is reserved there.
# fmt: off
responses: dict[int, str] = {
    100: "Continue", 101: "Switching Protocols",
    200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information",
    204: "No Content", 205: "Reset Content", 206: "Partial Content",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    304: "Not Modified", 305: "Use Proxy", 306: "(Unused)", 307: "Temporary Redirect",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
    411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable", 417: "Expectation Failed",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
}
