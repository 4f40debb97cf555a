"""What the standard library of 2.7 asks of `httplib`: small replicas, in this project's own words.

Each makes the calls of one caller, in its order, and reaches for the attributes that it needs: the
handler of urllib2, the opener of urllib, the transport of xmlrpclib, the handler of logging, and
the cookie jar. They import `httplib` by its name, as those do.
"""

from __future__ import annotations

import importlib
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

import httplib_impl
from httplib_impl.tests.support import hear, listener, read_head

Player = Callable[[socket.socket], None]


@pytest.fixture
def httplib(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delitem(sys.modules, "httplib", raising=False)
    monkeypatch.setitem(sys.modules, "httplib", None)  # what is there is put back at the end
    httplib_impl.install()
    return importlib.import_module("httplib")


def answering(*answers: bytes, heads: list[bytes] | None = None) -> Player:
    def play(peer: socket.socket) -> None:
        for answer in answers:
            head = read_head(peer)
            if heads is not None:
                heads.append(head)
            peer.sendall(answer)

    return play


class Wrapped:
    """A file over a response, which has `recv`, and closes it: as 2.7's file of a socket."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.rest = b""

    def readline(self) -> bytes:
        while b"\n" not in self.rest and (block := self.sock.recv(8192)):
            self.rest += block
        line, end, self.rest = self.rest.partition(b"\n")
        return line + end

    def read(self) -> bytes:
        block, self.rest = self.rest + b"".join(iter(lambda: self.sock.recv(8192), b"")), b""
        return block

    def close(self) -> None:
        self.sock.close()


def urllib2_open(httplib: Any, host: str, headers: dict[str, str], data: Any = None) -> Any:
    """One request of a handler that wants the connection closed after it."""
    connection = httplib.HTTPConnection(host, timeout=10)
    connection.set_debuglevel(0)
    headers = {name.title(): value for name, value in {**headers, "Connection": "close"}.items()}
    try:
        connection.request("GET" if data is None else "POST", "/page", data, headers)
    except OSError as error:
        connection.close()
        raise RuntimeError(error) from error
    try:
        response = connection.getresponse(buffering=True)
    except TypeError:  # an httplib that has no buffering
        response = connection.getresponse()
    response.recv = response.read
    file = Wrapped(response)
    return response.status, response.reason, response.msg, file


def test_the_handler_of_urllib2(httplib: Any) -> None:
    heads: list[bytes] = []
    answer = (
        b"HTTP/1.1 302 Found\r\nLocation: /next\r\nLocation: /other\r\nURI: x\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: text/html; charset=utf-8\r\n"
        b"Connection: close\r\nContent-Length: 8\r\n\r\none\ntwo\n"
    )
    with listener(answering(answer, heads=heads)) as (host, port):
        code, reason, info, file = urllib2_open(httplib, f"{host}:{port}", {"user-agent": "x"})
        assert (code, reason) == (302, "Found")
        assert file.readline() == b"one\n"
        assert file.read() == b"two\n"
        file.close()
    assert heads[0].endswith(b"User-Agent: x\r\nConnection: close\r\n\r\n")
    # The redirect handler
    assert "location" in info
    assert info.getheaders("location")[0] == "/next"
    assert info.getheaders("uri") == ["x"]
    # The cookie jar
    assert info.getheaders("Set-Cookie2") == []
    assert info.getheaders("Set-Cookie") == ["a=1", "b=2"]
    # Callers of urlopen
    assert (info.gettype(), info.getparam("charset"), info.has_key("X")) == (
        *("text/html", "utf-8"),
        False,
    )
    assert dict(info)["content-length"] == info["Content-Length"] == "8"


def test_the_handler_of_urllib2_through_a_tunnel(httplib: Any) -> None:
    heads: list[bytes] = []
    answers = b"HTTP/1.1 200 Go\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with listener(answering(*answers, heads=heads)) as (host, port):
        connection = httplib.HTTPConnection(host, port, timeout=10)
        connection.set_tunnel("end.example:8443", headers={"Proxy-Authorization": "Basic eA=="})
        connection.request("GET", "/", None, {"Connection": "close"})
        assert connection.getresponse(buffering=True).read() == b"ok"
        connection.close()
    assert heads[0].split(b"\r\n")[:2] == [
        b"CONNECT end.example:8443 HTTP/1.0",
        b"Proxy-Authorization: Basic eA==",
    ]
    assert b"\r\nHost: end.example:8443\r\n" in heads[1]


def urllib_open(httplib: Any, host: str, data: str | None = None) -> Any:
    """One request of the opener, by the interface of 1.5.2."""
    http = httplib.HTTP(host)
    if data is not None:
        http.putrequest("POST", "/form")
        http.putheader("Content-Type", "application/x-www-form-urlencoded")
        http.putheader("Content-Length", str(len(data)))
    else:
        http.putrequest("GET", "/page")
    http.putheader("Host", host)
    http.putheader("User-Agent", "x")
    http.endheaders(data)
    code, message, headers = http.getreply()
    file = http.getfile()
    if code == -1:
        if file:
            file.close()
        raise OSError("http protocol error", 0, "got a bad status line", None)
    return code, message, headers, file


@pytest.mark.parametrize("data", [None, "a=1&b=2"])
def test_the_opener_of_urllib(httplib: Any, data: str | None) -> None:
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\nX: y\r\n\r\none\ntwo\n"
    heads: list[bytes] = []

    def play(peer: socket.socket) -> None:
        answering(answer, heads=heads)(peer)
        assert not data or peer.recv(99) == data.encode()

    with listener(play) as (host, port):
        code, message, headers, file = urllib_open(httplib, f"{host}:{port}", data)
        assert (code, message, headers.getheader("x")) == (200, "OK", "y")
        assert (file.readline(), file.read(), file.fileno() >= 0) == (b"one\n", b"two\n", True)
        file.close()
    assert heads[0].count(b"Host: ") == 1
    assert b"Accept-Encoding" not in heads[0]


def test_the_opener_of_urllib_and_a_bad_status_line(httplib: Any) -> None:
    with (
        listener(answering(b"HTTP/1.0 abc\r\n\r\n")) as (host, port),
        pytest.raises(OSError, match="protocol error"),
    ):
        urllib_open(httplib, f"{host}:{port}")


class Transport:
    """Keeps its connection, and asks once more where the server has closed it."""

    def __init__(self, httplib: Any, host: str) -> None:
        self.httplib = httplib
        self.host = host
        self.connection: Any = None

    def request(self, body: bytes) -> bytes:
        for attempt in (0, 1):
            try:
                return self.single_request(body)
            except (ConnectionError, self.httplib.BadStatusLine):
                if attempt:
                    raise
        raise AssertionError

    def single_request(self, body: bytes) -> bytes:
        if self.connection is None:
            self.connection = self.httplib.HTTPConnection(self.host)
        try:
            self.connection.putrequest("POST", "/RPC2", skip_accept_encoding=True)
            self.connection.putheader("Accept-Encoding", "gzip")
            self.connection.putheader("Content-Type", "text/xml")
            self.connection.putheader("Content-Length", str(len(body)))
            self.connection.endheaders(body)
            response = self.connection.getresponse(buffering=True)
            if response.status == 200:
                assert response.getheader("content-encoding", "") != "gzip"
                return b"".join(iter(lambda: response.read(1024), b""))
        except Exception:
            self.connection.close()
            self.connection = None
            raise
        if response.getheader("content-length", 0):
            response.read()
        raise LookupError(response.status, response.reason, response.msg)


def test_the_transport_of_xmlrpclib(httplib: Any) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreply"
    refused = b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nerror"
    heads: list[bytes] = []

    def kept(peer: socket.socket) -> None:
        for answer in (ok, refused, ok):
            heads.append(read_head(peer))
            assert peer.recv(4, socket.MSG_WAITALL) == b"call"
            peer.sendall(answer)
        read_head(peer)  # and closes without an answer

    def anew(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(ok)
        hear(peer)

    with listener(kept, anew) as (host, port):
        transport = Transport(httplib, f"{host}:{port}")
        assert transport.request(b"call") == b"reply"
        with pytest.raises(LookupError, match="500"):
            transport.request(b"call")
        assert transport.request(b"call") == b"reply"
        assert transport.request(b"call") == b"reply"
        transport.connection.close()
    assert heads[0].count(b"Accept-Encoding") == 1


def test_the_handler_of_logging(httplib: Any) -> None:
    heads: list[bytes] = []
    data = "name=root&msg=hello"

    def play(peer: socket.socket) -> None:
        heads.append(read_head(peer))
        assert peer.recv(len(data), socket.MSG_WAITALL) == data.encode()
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

    with listener(play) as (host, port):
        http = httplib.HTTP(f"{host}:{port}")
        http.putrequest("POST", "/log")
        http.putheader("Host", host)
        http.putheader("Content-type", "application/x-www-form-urlencoded")
        http.putheader("Content-length", str(len(data)))
        http.endheaders(data)
        assert http.getreply()[0] == 200
        http.close()
    assert heads[0].startswith(b"POST /log HTTP/1.0\r\nHost: 127.0.0.1\r\n")
