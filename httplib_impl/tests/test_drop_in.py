"""Code written for 2.7: what it imports, subclasses, passes in and reaches for."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import httplib_impl
from httplib_impl import HTTPConnection, HTTPResponse, HTTPSConnection
from httplib_impl.tests.support import FileOnly, Wire, connection, listener, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok"
ROOT = Path(httplib_impl.__file__).parents[1]


def answers(*responses: bytes) -> Any:
    def play(peer: socket.socket) -> None:
        for response in responses:
            read_head(peer)
            peer.sendall(response)

    return play


def test_old_code_finds_the_package_under_its_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "httplib", raising=False)
    monkeypatch.setitem(sys.modules, "httplib", None)  # what is there is put back at the end
    httplib_impl.install()
    names: dict[str, Any] = {}
    exec("import httplib\nfrom httplib import HTTPException, error\n", names)
    assert names["httplib"] is httplib_impl
    assert names["error"] is names["HTTPException"] is httplib_impl.HTTPException


def test_types_travel_with_the_package() -> None:
    assert (Path(httplib_impl.__file__).parent / "py.typed").is_file()


def test_the_examples_of_the_page_run() -> None:
    """Two GETs on one connection, a HEAD, a POST, as the page has them."""
    httplib = httplib_impl
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
    with listener(answers(OK, missing), answers(b"HTTP/1.1 200 OK\r\n\r\n"), answers(OK)) as server:
        where = f"{server[0]}:{server[1]}"
        conn = httplib.HTTPConnection(where)
        conn.request("GET", "/index.html")
        r1 = conn.getresponse()
        assert (r1.status, r1.reason, r1.read()) == (200, "OK", b"ok")
        conn.request("GET", "/parrot.spam")
        r2 = conn.getresponse()
        assert (r2.status, r2.reason, r2.read()) == (404, "Not Found", b"gone")
        conn.close()

        conn = httplib.HTTPConnection(where)
        conn.request("HEAD", "/index.html")
        res = conn.getresponse()
        assert (res.status, res.reason, res.read()) == (200, "OK", b"")
        conn.close()

        headers = {"Content-type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
        conn = httplib.HTTPConnection(where)
        conn.request("POST", "/cgi-bin/query", "spam=1&eggs=2&bacon=0", headers)
        assert conn.getresponse().read() == b"ok"
        conn.close()


def test_constructors_take_what_the_page_lists() -> None:
    for conn in (
        HTTPConnection("h"),
        HTTPConnection("h:80"),
        HTTPConnection("h", 80),
        HTTPConnection("h", 80, timeout=10),
        HTTPConnection("h", 80, False, 10, ("127.0.0.1", 0)),
        HTTPSConnection("h", 80, None, None, False, 10, ("127.0.0.1", 0)),
    ):
        assert (conn.host, conn.port) == ("h", 80)
    assert httplib_impl.responses[httplib_impl.NOT_FOUND] == "Not Found"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sock", None), ("host", "h"), ("port", 80), ("auto_open", 1), ("default_port", 80)),
        *(("timeout", 3), ("debuglevel", 0), ("strict", 0), ("response_class", HTTPResponse)),
        *(("_http_vsn", 11), ("_http_vsn_str", "HTTP/1.1")),
    ],
)
def test_a_connection_has_the_attributes_that_callers_reach_for(name: str, value: object) -> None:
    conn = HTTPConnection("h", timeout=3)
    assert getattr(conn, name) == value
    setattr(conn, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("version", 11), ("status", 200), ("reason", "OK"), ("will_close", False)),
        *(("length", 2), ("chunked", False), ("strict", 0), ("debuglevel", 0)),
    ],
)
def test_a_response_has_the_attributes_that_callers_reach_for(name: str, value: object) -> None:
    conn = connection(OK)
    conn.request("GET", "/")
    response = conn.getresponse(buffering=True)
    assert getattr(response, name) == value
    response.begin()  # a second time it does nothing
    assert not response.isclosed()
    assert response.fileno() == conn.sock.fileno()
    assert (response.read(), response.length, response.isclosed()) == (b"ok", 0, True)


def test_attributes_of_ones_own_can_be_set_on_a_response() -> None:
    conn = connection(OK)
    conn.request("GET", "/")
    response: Any = conn.getresponse()
    response.url = "http://h/"
    assert response.url == "http://h/"


def test_a_connect_of_ones_own_gives_the_socket() -> None:
    """As for sockets in the file system, pools, and proxies of other kinds."""

    class Own(HTTPConnection):
        def connect(self) -> None:
            self.sock = FileOnly(OK)

    conn = Own("h")
    conn.request("GET", "/")
    sock = conn.sock
    assert conn.getresponse().read() == b"ok"
    assert sock.sent == [b"GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n\r\n"]


def test_a_send_of_ones_own_sees_every_byte() -> None:
    class Own(HTTPConnection):
        seen = b""

        def send(self, data: Any) -> None:
            self.seen += data
            super().send(data)

    conn = Own("h")
    conn.sock = Wire([OK])
    conn.request("POST", "/", "body", {"A": "b"})
    assert conn.seen == b"".join(conn.sock.sent)
    assert conn.seen.endswith(b"A: b\r\n\r\nbody")


def test_putrequest_and_putheader_of_ones_own_change_the_request() -> None:
    class Own(HTTPConnection):
        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            super().putrequest(method, "/prefix" + url, *args, **kwargs)
            self.putheader("X-First", "1")

        def putheader(self, header: str, *values: object) -> None:
            if header != "Accept-Encoding":
                super().putheader(header, *values)

    conn = Own("h")
    conn.sock = Wire([OK])
    conn.request("GET", "/")
    assert conn.sock.sent == [b"GET /prefix/ HTTP/1.1\r\nHost: h\r\nX-First: 1\r\n\r\n"]


def test_calls_replaced_on_one_connection_are_used() -> None:
    conn: Any = connection(OK)
    added: list[object] = []
    conn.putheader = lambda *line: added.append(line)
    conn.request("GET", "/", headers={"A": "b"})
    assert added[-1] == ("A", "b")
    assert conn.sock.sent == [b"GET / HTTP/1.1\r\n\r\n"]


def test_a_putheader_patched_into_the_class_sees_every_field(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    true = HTTPConnection.putheader

    def patched(conn: HTTPConnection, header: str, *values: object) -> None:
        seen.append(header)
        true(conn, header, *values)

    monkeypatch.setattr(HTTPConnection, "putheader", patched)
    conn = connection(OK)
    conn.request("POST", "/", headers={"A": "b"})
    assert seen == ["Host", "Accept-Encoding", "Content-Length", "A"]


def test_a_response_class_of_either_signature_is_made() -> None:
    class Short(HTTPResponse):
        def __init__(self, sock: Any, strict: int = 0, method: str | None = None) -> None:
            super().__init__(sock, strict=strict, method=method)

    class Long(HTTPResponse):
        def __init__(
            self, sock: Any, debuglevel: int = 0, strict: int = 0, method: str | None = None
        ) -> None:
            super().__init__(sock, debuglevel, strict, method)

        def read(self, amt: int | None = None) -> bytes:
            return super().read(amt).upper()

    for kind, body in ((Short, b"ok"), (Long, b"OK")):
        conn = connection(OK)
        conn.response_class = kind
        conn.request("GET", "/")
        response = conn.getresponse()
        assert (type(response), response.read()) == (kind, body)


def test_a_response_is_made_by_hand_on_a_socket_like() -> None:
    response = HTTPResponse(FileOnly(OK), 0, 0, "GET", False)
    response.begin()
    assert (response.status, response.getheader("x"), response.read()) == (200, "y", b"ok")


def test_connections_of_two_threads_share_no_state() -> None:
    """Each thread takes its own responses, over its own connection, while others do the same."""
    failures: list[object] = []
    start = threading.Barrier(4)

    def run(number: int) -> None:
        body = b"%d" % number * 50
        head = b"HTTP/1.1 200 R%d\r\nContent-Length: 50\r\nX: %d\r\n\r\n" % (number, number)
        conn = connection([head + body] * 300)
        start.wait(10)
        for _ in range(300):
            conn.request("POST", f"/{number}", str(number), {"X": str(number)})
            response = conn.getresponse()
            seen = response.reason, response.getheader("x"), response.read()
            if seen != (f"R{number}", str(number), body):
                failures.append(seen)
        sent = b"".join(conn.sock.sent)
        if sent.count(b"POST /%d HTTP/1.1\r\n" % number) != 300:
            failures.append(sent)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent, gevent.server, httplib_impl

def serve(peer, address):
    while peer.recv(65536):
        gevent.sleep(0.01)
        peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
server.start()

def client():
    conn = httplib_impl.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    for _ in range(3):
        conn.request("GET", "/")
        assert conn.getresponse().read() == b"ok"
    conn.close()

jobs = [gevent.spawn(client) for _ in range(5)]
gevent.joinall(jobs, timeout=20, raise_error=True)
assert all(job.successful() for job in jobs)
silent = gevent.server.StreamServer(("127.0.0.1", 0), lambda peer, address: gevent.sleep(60))
silent.start()
conn = httplib_impl.HTTPConnection("127.0.0.1", silent.server_port, timeout=0.2)
conn.request("GET", "/")
try:
    conn.getresponse()
except TimeoutError:
    print("fine")
"""


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")
def test_many_connections_run_at_once_under_gevent() -> None:
    run = subprocess.run(
        [sys.executable, "-c", GEVENT], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout) == (0, "fine\n"), run.stderr
