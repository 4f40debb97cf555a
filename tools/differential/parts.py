"""Parts of responses and requests: what any client takes, and, ``ODD``, what the readings speak of.

Where the reference and 2.7 differ, they differ over an odd part; over the others they agree.
"""

from typing import Any

STATUS_LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 404 Not Found",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1  299 \t much  space ",
    b"HTTP/1.1\t200\tTabs",
    b"HTTP/1.1 999 Top",
    b"HTTP/1.1 200 N\xa0B\x85\x1c",
    b"HTTP/1.1 200 nul\x00",
    b"HTTP/1.1 205 Reset",
]
ODD_STATUS_LINES = [
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.2 200 OK",
    b"HTTP/1.x 200 OK",
    b"HTTP/1. 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/ 200 OK",
    b"HTTP/0.9 200 OK",
    b"http/1.1 200 OK",
    b" HTTP/1.1 200 OK",
    b"\x0bHTTP/1.1 200 OK",
    b"\xa0HTTP/1.1 200 OK",
    b"HTTP/1.1",
    b"HTTP/1.1 ",
    b"HTTP",
    b"ICY 200 OK",
    b"",
    b"hello",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 +200 OK",
    b"HTTP/1.1 0200 OK",
    b"HTTP/1.1 099 OK",
    b"HTTP/1.1 1000 OK",
    b"HTTP/1.1 -200 OK",
    b"HTTP/1.1 2x0 OK",
    b"HTTP/1.1 200L OK",
    b"HTTP/1.1 200OK",
    b"HTTP/1.1 2\x000 OK",
    b"HTTP/2.0 abc OK",
    b"HTTP/1.1 101 Switching",
]
INTERIM = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n",
    b"HTTP/1.0 100 Continue\r\n\r\n",
]
ODD_INTERIM = [
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/2.0 100 Continue\r\n\r\n",
]
FIELDS = [
    b"X-A: 1\r\n",
    b"x-a:2\r\n",
    b"X-Fold: a\r\n b\r\n\tc\r\n",
    b"X-Fold: a\r\n \r\n",
    b"X-Empty:\r\n",
    b"X-Blank : 3\r\n",
    b"no colon\r\n",
    b"no colon\r\n folded\r\n",
    b": no name\r\n",
    b"From nobody\r\n",
    b"From nobody: x\r\n",
    b"X-Lf: 4\n",
    b"X-Cr: a\rb\r\n",
    b"X-8: \xe9\xa0\x85\r\n",
    b"X-\xc3\xa9: 5\r\n",
    b"X-Nul: a\x00b\r\n",
    b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
    b"Upgrade: x\r\n",
]
ODD_FIELDS = [
    b" leading: blank\r\n",
    b"no colon\r\n folded: x\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: Keep-Alive, Upgrade\r\n",
    b"Connection: not-close\r\n",
    b"Proxy-Connection: keep-alive\r\n",
    b"Keep-Alive: timeout=5\r\n",
]
LENGTHS = [
    b"5",
    b"0",
    b" 5\t",
    b"05",
    b"",
]
ODD_LENGTHS = [
    b"3",
    b"9",
    b"10000000000000",
    b"+5",
    b"-5",
    b"5_0",
    b"0x5",
    b"5, 5",
    b"5\r\nContent-Length: 5",
    b"5\r\nContent-Length: 3",
    b"5L",
    b"\xa05",
]
CODINGS = [
    b"chunked",
    b"Chunked",
    b" chunked ",
]
ODD_CODINGS = [
    b"identity",
    b"gzip",
    b"gzip, chunked",
    b"chunked, chunked",
    b"chunked;q=1",
    b"chunked\r\nTransfer-Encoding: chunked",
    b", chunked",
    b"",
]
CHUNKS = [
    b"5\r\nhello\r\n",
    b"05\r\nhello\r\n",
    b"1\r\nx\r\n",
    b"A\r\n0123456789\r\n",
    b"a;name=value\r\n0123456789\r\n",
    b"5  \r\nhello\r\n",
    b"5 ;x\r\nhello\r\n",
    b"5\t\r\nhello\r\n",
    b"",
]
ODD_CHUNKS = [
    b"+5\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"0x5\r\nhello\r\n",
    b" 5\r\nhello\r\n",
    b"\r\nhello\r\n",
    b"zz\r\nhello\r\n",
    b"5\nhello\r\n",
    b"5;a\rb\r\nhello\r\n",
    b"5L\r\nhello\r\n",
    b"5 5\r\nhello\r\n",
    b"5\x0b\r\nhello\r\n",
    b"5\r\nhelloXX",
    b"5\r\nhello\n",
    b"5\r\nhel\r\n",
    b"5\r\nhel",
    b"5\r\nhello",
    b"5",
]
LAST_CHUNKS = [
    b"0\r\n\r\n",
    b"0\r\n\r\n",
    b"000\r\n\r\n",
    b"0;x=1\r\n\r\n",
    b"0\r\nX-T: 1\r\n\r\n",
    b"0\r\nX-T: 1\n\r\n",
    b"0\r\nno colon\r\n\r\n",
    b"0\r\n\n",
    b"0\r\n",
    b"0\r\nX-T: 1",
    b"0",
]
ODD_LAST_CHUNKS = [
    b"0\n\r\n",
    b"+0\r\n\r\n",
    b"-0\r\n\r\n",
    b"",
]

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
