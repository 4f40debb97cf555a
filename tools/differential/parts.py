"""Parts of requests: what any client takes, and, ``ODD``, what the readings speak of.

Where the reference and 2.7 differ, they differ over an odd part; over the others they agree.
"""

from typing import Any

METHODS = ["GET", "GET", "GET", "POST", "PUT", "head", "OPTIONS", "X-Odd"]
ODD_METHODS = ["HEAD", "CONNECT", "", "G T", "GET\r\n", "G\x00"]
URLS = ["/", "/", "/a?b=1", "", "*", "http://h.example:8080/x", "/a%20b"]
ODD_URLS = [
    "/a b",
    "/\x00",
    "/a\r\nX: y",
    "HTTP://H.example/",
    "http://me:secret@h.example/",
    "//h/x",
]
HEADERS: list[list[tuple[str, Any]]] = [
    [],
    [],
    [("X-A", "1")],
    [("X-A", "1"), ("x-a", "2")],
    [("Host", "other")],
    [("host", "other"), ("accept-encoding", "gzip")],
    [("Content-Length", "3")],
    [("content-length", 3)],
    [("X-Number", 7)],
    [("X-Fold", "a\r\n b")],
    [("Connection", "close")],
]
ODD_HEADERS: list[list[tuple[str, Any]]] = [
    [("X-A", "a\r\nX-B: b")],
    [("X-A", "a\n")],
    [("X-A", "a\rb")],
    [("X:A", "1")],
    [("", "1")],
    [(" X", "1")],
    [("X-A", "a\x00b")],
    [("X\x00", "1")],
    [("Transfer-Encoding", "chunked")],
    [("Upgrade", "x")],
]
BODIES: list[Any] = [
    None,
    None,
    "text",
    "",
    {"type": "bytes", "value": "octets"},
    {"type": "bytearray", "value": "octets"},
    {"type": "open", "value": "0123456789", "mode": "rb"},
]
ODD_BODIES: list[Any] = [
    {"type": "filelike", "value": "0123456789", "seekable": True},
    {"type": "open", "value": "0123456789", "mode": "rb", "seek": 4},
    {"type": "open", "value": "0123456789", "mode": "r"},
    {"type": "filelike", "value": "0123456789"},
    {"type": "filelike", "value": "0123456789", "seekable": True, "seek": 4},
    {"type": "filelike", "value": "0123456789", "len": 10},
    {"type": "array", "value": "12345678", "typecode": "H"},
    {"type": "generator", "value": ["a", "b"]},
    ["a", "b"],
    5,
]
HOSTS = [
    "h", "h:80", "h:8080", "h:", "h: 80", "h:+80", "h:80x", "h:65535", "h:65536", "h:0", "h:-1",
    "[::1]", "[::1]:80", "[::1]:", "::1", "h h", "h\r\nX: y", ":80", "1.2.3.4:5", "h:08080",
    "h\x00", "[::1", "h:80:90", "h:\xa080",
]  # fmt: skip
PORTS: list[Any] = [None, None, None, 80, 0, 65535, 65536, -1, "80", "8080", "", "x", " 80", 80.5]
