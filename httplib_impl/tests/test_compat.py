from __future__ import annotations

import socket

from httplib_impl import HTTP, HTTPS, HTTPMessage
from httplib_impl.tests.support import Wire, listener, read_head


def reply(data: bytes, strict: int | None = None) -> HTTP:
    http = HTTP("h", 80, strict)
    http._conn.sock = Wire([data])
    http.putrequest("GET", "/")
    http.putheader("A", "b")
    http.endheaders()
    return http


def test_a_request_is_http_1_0_without_automatic_headers() -> None:
    assert reply(b"")._conn.sock.sent == [b"GET / HTTP/1.0\r\nA: b\r\n\r\n"]


def test_the_reply_is_a_triple_and_a_file() -> None:
    http = reply(b"HTTP/1.0 404 Not Found\r\nA: 1\r\n\r\none\ntwo\n")
    code, reason, message = http.getreply()
    assert (code, reason) == (404, "Not Found")
    assert isinstance(message, HTTPMessage)
    assert http.headers is message
    file = http.getfile()
    assert file is not None
    assert (file.readline(), file.read(), file.read()) == (b"one\n", b"two\n", b"")
    http.close()
    assert http.getfile() is None


def test_a_bad_status_line_is_a_triple_too() -> None:
    http = reply(b"garbage line\r\nrest", strict=1)
    assert http.getreply() == (-1, "garbage line\r\n", None)
    assert (http.headers, http.getfile(), http._conn.sock) == (None, None, None)


def test_no_status_line_is_a_triple_too() -> None:
    line = "No status line received - the server has closed the connection"
    assert reply(b"").getreply() == (-1, line, None)


def test_connect_can_give_another_host() -> None:
    def play(peer: socket.socket) -> None:
        assert read_head(peer) == b"GET / HTTP/1.0\r\n\r\n"
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nbody")

    with listener(play) as address:
        http = HTTP()
        http.connect(*address)
        http.putrequest("GET", "/")
        http.endheaders()
        assert http.getreply()[:2] == (200, "OK")
        with http.getfile() as file:  # type: ignore[union-attr]  # a reply has a file
            assert file.read() == b"body"


def test_port_0_is_the_default_port() -> None:
    ports = [http._conn.port for http in (HTTP("h", 0), HTTPS("h", 0), HTTP("h:81"))]
    assert ports == [80, 443, 81]


def test_the_files_of_a_client_certificate_are_kept() -> None:
    https = HTTPS("h")
    assert (https.key_file, https.cert_file) == (None, None)
