"""What programs written for 2.7 do with the insides: each pattern as they have it."""

from __future__ import annotations

import io
import socket
import ssl
import warnings
from typing import Any
from unittest import mock

import pytest

import httplib_impl
from httplib_impl import (
    HTTP,
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
)
from httplib_impl._hooks import OF_CONNECTION, OF_RESPONSE
from httplib_impl.tests.support import FileOnly, Stream, Wire, connection, hear, listener, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
ESTABLISHED = b"HTTP/1.0 200 Established\r\n\r\n"


# Sockets that are not


class Logged(FileOnly):
    """Notes which calls are made, in order."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.calls: list[Any] = []

    def sendall(self, data: bytes) -> None:
        self.calls.append("sendall")
        super().sendall(data)

    def makefile(self, mode: str, bufsize: int) -> Stream:
        self.calls.append(("makefile", mode, bufsize, self.file.closings))
        return self.file

    def close(self) -> None:
        self.calls.append("close")


def test_a_socket_like_makes_one_file_for_each_response_when_it_is_asked_for() -> None:
    conn = HTTPConnection("h")
    conn.sock = sock = Logged(OK + CLOSING)
    for body in (b"ok", b"ok"):
        conn.request("GET", "/")
        assert sock.calls[-1] == "sendall"
        assert conn.getresponse().read() == body
    files = [("makefile", "rb", 0, 0), ("makefile", "rb", 0, 1)]
    assert sock.calls == ["sendall", files[0], "sendall", files[1], "close"]
    assert sock.file.closings == 2


def test_the_file_is_closed_after_a_head_that_cannot_be_read() -> None:
    conn = HTTPConnection("h")
    conn.sock = sock = Logged(b"HTTP/1.1 abc\r\n\r\n")
    conn.request("GET", "/")
    with pytest.raises(BadStatusLine):
        conn.getresponse()
    assert (sock.file.closings, sock.calls[-1], conn.sock) == (1, "close", None)


def test_a_fake_socket_answers_what_it_was_sent() -> None:
    class Echo:
        def sendall(self, data: bytes) -> None:
            self.received = data

        def makefile(self, mode: str, bufsize: int) -> io.BytesIO:
            assert (mode, bufsize) == ("rb", 0)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.received)
            return io.BytesIO(head + self.received)

        def close(self) -> None:
            pass

    conn = HTTPConnection("h")
    conn.sock = Echo()
    for url in ("/1", "/2"):
        conn.request("GET", url)
        assert conn.getresponse().read().startswith(b"GET %s HTTP" % url.encode())


class Wrapper:
    """Stands in front of a real socket, as loggers and limiters do, and makes its own file."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.read = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def makefile(self, mode: str, bufsize: int) -> Any:
        outer, file = self, self.sock.makefile(mode, bufsize)

        class Counting:
            def readline(self, limit: int = -1) -> bytes:
                outer.read += (line := file.readline(limit))
                return bytes(line)

            def read(self, n: int = -1) -> bytes:
                outer.read += (data := file.read(n))
                return bytes(data)

            def close(self) -> None:
                file.close()

        return Counting()


def test_a_wrapper_of_a_socket_is_read_through_its_own_file() -> None:
    def serve(peer: socket.socket) -> None:
        for _ in range(2):
            read_head(peer)
            peer.sendall(OK)

    class Limited(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = Wrapper(self.sock)

    with listener(serve) as address:
        conn = Limited(*address, timeout=10)
        for count in (1, 2):
            conn.request("GET", "/")
            assert conn.getresponse().read() == b"ok"
            assert conn.sock.read == OK * count
        conn.close()


def test_a_wrapper_with_something_waiting_is_left() -> None:
    """What more of a socket a socket-like has is used to ask what waits on it."""

    def first(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK + b"HTTP/1.1 200 Evil\r\n\r\n")
        hear(peer)

    def second(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)

    class Wrapped(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = Wrapper(self.sock)

    with listener(first, second) as address:
        conn = Wrapped(*address, timeout=10)
        for _ in range(2):
            conn.request("GET", "/")
            response = conn.getresponse()
            assert (response.reason, response.read()) == ("OK", b"ok")
        conn.close()


def test_a_mock_can_be_sent_to() -> None:
    conn = HTTPConnection("h")
    conn.sock = sock = mock.MagicMock()
    conn.request("POST", "/", b"body")
    (sent,) = sock.sendall.call_args[0]
    assert sent.endswith(b"\r\n\r\nbody")


def test_no_option_is_set_on_what_is_no_tcp_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: FileOnly(OK))
    conn = HTTPConnection("h")
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"


def test_a_class_put_in_place_of_the_socket_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As proxy libraries do to the whole module."""
    seen = []

    class Proxied(socket.socket):
        def connect(self, address: Any) -> None:
            seen.append(address)
            super().connect(server)

    def serve(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)

    with listener(serve) as server:
        module: Any = httplib_impl
        monkeypatch.setattr(module.socket, "socket", Proxied)
        conn = HTTPConnection("127.0.0.1", 9, timeout=10)
        conn.request("GET", "/")
        assert type(conn.sock) is Proxied
        assert conn.getresponse().read() == b"ok"
        conn.close()
    assert seen == [("127.0.0.1", 9)]


def test_one_connection_dials_by_a_function_of_its_own() -> None:
    conn: Any = HTTPConnection("proxy", timeout=3)
    dialled = []

    def dial(*args: Any) -> FileOnly:
        dialled.append(args)
        return FileOnly(ESTABLISHED + OK)

    conn._create_connection = dial
    conn.set_tunnel("end")
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"
    assert dialled == [(("proxy", 80), 3, None)]
    assert conn.sock.sent[0] == b"CONNECT end:80 HTTP/1.0\r\n\r\n"


# Overridden calls


def test_a_connect_of_ones_own_asks_for_the_tunnel() -> None:
    class Own(HTTPConnection):
        def connect(self) -> None:
            self.sock = FileOnly(ESTABLISHED + OK)
            if self._tunnel_host:
                self._tunnel()

    conn = Own("proxy")
    assert (conn._tunnel_host, conn._tunnel_port, conn._tunnel_headers) == (None, None, {})
    conn.set_tunnel("end", 81, {"A": "b"})
    assert (conn._tunnel_host, conn._tunnel_port, conn._tunnel_headers) == ("end", 81, {"A": "b"})
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"
    assert conn.sock.sent[0] == b"CONNECT end:81 HTTP/1.0\r\nA: b\r\n\r\n"
    assert b"\r\nHost: end:81\r\n" in conn.sock.sent[1]


def test_a_tunnel_set_by_hand_is_honoured() -> None:
    conn: Any = HTTPConnection("proxy")
    conn._create_connection = lambda *_: FileOnly(ESTABLISHED + OK)
    conn._tunnel_host, conn._tunnel_port, conn._tunnel_headers = "end", 443, {}
    conn.request("GET", "/")
    assert conn.sock.sent[0] == b"CONNECT end:443 HTTP/1.0\r\n\r\n"
    assert b"\r\nHost: end:443\r\n" in conn.sock.sent[1]


def test_a_refused_tunnel_closes_the_socket_of_an_own_connect() -> None:
    class Own(HTTPConnection):
        def connect(self) -> None:
            self.sock = FileOnly(b"HTTP/1.0 403 No\r\n\r\n")
            self._tunnel()

    conn = Own("proxy")
    conn.set_tunnel("end")
    with pytest.raises(OSError, match="403 No"):
        conn.request("GET", "/")
    assert conn.sock is None


def test_an_own_connect_over_tls_begins_with_a_plain_socket() -> None:
    class Own(HTTPSConnection):
        def connect(self) -> None:
            HTTPConnection.connect(self)
            assert type(self.sock) is socket.socket
            assert not isinstance(self.sock, ssl.SSLSocket)
            self.plain = self.sock

    def serve(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(OK)

    with listener(serve) as address:
        conn = Own(*address, timeout=10)
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
        conn.close()


def test_requests_go_through_the_inner_calls_that_programs_override() -> None:
    class Own(HTTPConnection):
        def _send_request(self, method: str, url: str, body: Any, headers: Any) -> None:
            headers = {**headers.copy(), "X-Added": "1"}
            super()._send_request(method, "/prefix" + url, body, headers)

        def _send_output(self, message_body: Any = None) -> None:
            self.outputs = [*getattr(self, "outputs", []), message_body]
            super()._send_output(message_body)

    conn = Own("h")
    conn.sock = sock = FileOnly(OK)
    conn.request("POST", "/x", b"body")
    assert sock.sent == [
        b"POST /prefix/x HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n"
        b"Content-Length: 4\r\nX-Added: 1\r\n\r\nbody"
    ]
    assert conn.outputs == [b"body"]
    conn.close()
    conn.sock = FileOnly(OK)
    conn.request("GET", "/y")
    assert conn.outputs[1:] == [None]


def test_a_hook_reads_the_body_file_as_a_file() -> None:
    class Own(HTTPConnection):
        def endheaders(self, message_body: Any = None) -> None:
            super().endheaders(message_body.read(2) + message_body.read().upper())

    conn = Own("h")
    conn.sock = sock = FileOnly(OK)
    conn.request("PUT", "/", io.BytesIO(b"hello"))
    assert sock.sent[0].endswith(b"Content-Length: 5\r\n\r\nheLLO")


def test_closes_of_ones_own_are_called_where_2_7_calls_them() -> None:
    calls: list[str] = []

    class OwnResponse(HTTPResponse):
        def close(self) -> None:
            calls.append(f"response {self.isclosed()}")
            super().close()

    class Own(HTTPConnection):
        response_class = OwnResponse

        def close(self) -> None:
            calls.append("connection")
            super().close()

    def exchange(data: bytes) -> list[str]:
        calls.clear()
        conn = Own("h")
        conn.sock = FileOnly(data)
        conn.request("GET", "/")
        try:
            conn.getresponse().read()
        except HTTPException:
            calls.append("raised")
        return list(calls)

    assert exchange(OK) == ["response False"]
    assert exchange(CLOSING) == ["connection", "response False"]
    assert exchange(b"HTTP/1.1 abc\r\n\r\n")[:1] == ["response False"]
    assert exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")[:1] == ["response False"]


def test_a_close_that_does_nothing_ends_a_response_all_the_same() -> None:
    class Own(HTTPResponse):
        def close(self) -> None:
            pass

    conn = connection([OK, OK], kept_open=True)
    conn.response_class = Own
    for _ in range(2):
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"


def test_attributes_of_a_subclass_collide_with_none_of_ours() -> None:
    names = "_body _state _authority _reader _lines _head _closed _sock _pending _unread _own"

    class OwnResponse(HTTPResponse):
        def begin(self) -> None:
            for name in names.split():
                setattr(self, name, "mine")
            super().begin()

    class Own(HTTPConnection):
        response_class = OwnResponse

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            for name in names.split():
                setattr(self, name, "mine")

    conn = Own("h")
    conn.sock = Wire([OK, OK], kept_open=True)
    for _ in range(2):
        conn.request("POST", "/", b"x", {"A": "b"})
        response: Any = conn.getresponse()
        assert response.read() == b"ok"
        assert {getattr(one, name) for name in names.split() for one in (conn, response)} == {
            "mine"
        }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((HTTPConnection, name) for name in OF_CONNECTION),
        *((HTTPResponse, name) for name in OF_RESPONSE),
    ],
)
def test_a_hook_that_is_not_kept_says_so(kind: type, name: str) -> None:
    with pytest.warns(RuntimeWarning, match=rf"Old overrides {name}.*docs/porting\.md") as caught:
        type("Old", (kind,), {name: lambda *_: None})
    assert caught[0].filename == __file__


def test_hooks_that_are_kept_are_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("connect", "send", "_tunnel", "_send_request", "_send_output", "close"):
            type("Old", (HTTPConnection,), {name: lambda *_: None})
        for name in ("begin", "read", "close", "_body", "anything"):
            type("Old", (HTTPResponse,), {name: lambda *_: None})


# The module and its names


def test_a_raised_limit_has_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = httplib_impl
    data = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 150 + b"Content-Length: 0\r\n\r\n"
    assert (module._MAXHEADERS, module._MAXLINE) == (100, 65536)
    monkeypatch.setattr(module, "_MAXHEADERS", 200)
    conn = connection(data)
    conn.request("GET", "/")
    assert str(conn.getresponse().msg).count("A: b") == 150
    monkeypatch.setattr(module, "_MAXHEADERS", 100)
    conn = connection(data)
    conn.request("GET", "/")
    with pytest.raises(HTTPException, match="100 headers"):
        conn.getresponse()


def test_a_raised_limit_of_lines_has_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setattr(httplib_impl, "_MAXLINE", 1 << 20)
    conn = connection(data)
    conn.request("GET", "/")
    assert len(conn.getresponse().getheader("a") or "") == 70_000
    monkeypatch.setattr(httplib_impl, "_MAXLINE", 100)
    conn = connection(data)
    conn.request("GET", "/")
    with pytest.raises(httplib_impl.LineTooLong, match="more than 100 bytes"):
        conn.getresponse()


def test_a_star_import_gives_the_names_of_2_7() -> None:
    names: dict[str, Any] = {}
    exec("from httplib_impl import *", names)
    names.pop("__builtins__")
    assert sorted(names) == [
        *("BadStatusLine", "CannotSendHeader", "CannotSendRequest", "HTTP", "HTTPConnection"),
        *("HTTPException", "HTTPResponse", "HTTPSConnection", "ImproperConnectionState"),
        *("IncompleteRead", "InvalidURL", "NotConnected", "ResponseNotReady"),
        *("UnimplementedFileMode", "UnknownProtocol", "UnknownTransferEncoding"),
        *("error", "responses"),
    ]


def test_the_modules_that_programs_reach_for_are_there() -> None:
    module: Any = httplib_impl
    assert (module.socket, module.ssl) == (socket, ssl)


# The response


@pytest.mark.parametrize(
    ("length", "body"), [(0, b""), (3, b"hel"), (5, b"hello"), (None, b"hello more")]
)
def test_the_length_of_a_response_can_be_set(length: int | None, body: bytes) -> None:
    conn = connection(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello more")
    conn.request("GET", "/")
    response = conn.getresponse()
    response.length = length
    assert response.length == length
    assert response.read() == body


def test_a_length_set_in_the_midst_counts_from_there() -> None:
    conn = connection(b"HTTP/1.1 200 OK\r\n\r\nhello more")
    conn.request("GET", "/")
    response = conn.getresponse()
    assert (response.read(2), response.length) == (b"he", None)
    response.length = 3
    assert (response.read(2), response.length, response.read(9)) == (b"ll", 1, b"o")
    assert response.isclosed()


# HTTP.getfile


def reply(data: list[Any], kept_open: bool = False) -> Any:
    http = HTTP("h")
    http._conn.sock = Wire(data, kept_open)
    http.putrequest("GET", "/")
    http.endheaders()
    http.getreply()
    return http.getfile()


def test_the_file_is_raw() -> None:
    chunks = b"2\r\nok\r\n0\r\n\r\n"
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert reply([data]).read() == chunks
    assert reply([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nokmore"]).read() == b"okmore"
    assert reply([b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nshort"]).read() == b"short"
    assert reply([b"hello\nworld"]).readlines() == [b"hello\n", b"world"]


def test_the_file_reads_lines_and_amounts_and_has_a_descriptor() -> None:
    file = reply([b"HTTP/1.0 200 OK\r\n\r\none\ntwo\nthree"])
    assert isinstance(file.fileno(), int)
    assert (file.readline(), file.readline(2), file.read(3)) == (b"one\n", b"tw", b"o\nt")
    assert (file.readinto(room := bytearray(2)), bytes(room)) == (2, b"hr")
    assert io.BufferedReader(file).read() == b"ee"


def test_the_file_takes_no_byte_that_was_not_asked_for() -> None:
    """Whoever waits on its descriptor would wait for what is here already."""
    file = reply([b"HTTP/1.0 200 OK\r\n\r\none\ntwo"])
    wire = file._reader.sock
    assert wire.unread() == b"one\ntwo"
    assert (file.readline(), wire.unread()) == (b"one\n", b"two")


@pytest.mark.parametrize("call", ["read", "readline"])
def test_the_file_loses_nothing_before_an_error(call: str) -> None:
    data = [b"HTTP/1.0 200 OK\r\n\r\nhe", TimeoutError(), b"llo", ConnectionResetError()]
    read = getattr(reply(data), call)
    with pytest.raises(TimeoutError):
        read()
    assert read() == b"hello"
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            read()


def test_the_file_of_a_reply_that_closes_survives_its_connection() -> None:
    http = HTTP("h")
    http._conn.sock = wire = Wire([b"HTTP/1.0 200 OK\r\n\r\nhello"])
    http.putrequest("GET", "/")
    http.endheaders()
    http.getreply()
    file = http.getfile()
    http.close()
    assert (http.getfile(), wire.holders) == (None, 1)
    assert file is not None
    assert file.read() == b"hello"
    file.close()
    assert wire.holders == 0
