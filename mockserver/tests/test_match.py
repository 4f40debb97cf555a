"""A route says which requests it is for, and explains to all others why it is not."""

import re
import socket
from typing import Any
from unittest.mock import ANY

import pytest

from mockserver import MockServer, Reply, Request, Send, connection, route, script
from mockserver.tests.conftest import Connect
from mockserver.tests.support import exactly, is_reset

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def request(line: str = "GET / HTTP/1.1", *fields: str, body: bytes = b"") -> Request:
    head = "\r\n".join((line, *fields, f"Content-Length: {len(body)}"))
    return Request(1, head.encode("latin-1") + b"\r\n\r\n" + body)


def differences(one: Request, **arguments: Any) -> list[str]:
    """How a request differs from what a route with these arguments is for."""
    conditions = route(Reply(), **arguments).conditions
    return [text for each in conditions if (text := each.differs(one)) is not None]


GET = request("GET /a%20b/7?n=1&m=x&m=y HTTP/1.1", "Accept: text/html", "X: 1", "x: 2")
POST = request("POST / HTTP/1.1", body=b'{"b": [1.0], "a": null}')


@pytest.mark.parametrize(
    ("one", "arguments"),
    [
        (GET, {}),
        (GET, {"method": "GET"}),
        (GET, {"method": "get"}),
        (GET, {"method": b"Get"}),
        (GET, {"method": re.compile("GET|HEAD")}),
        (GET, {"target": "/a%20b/7?n=1&m=x&m=y"}),
        (GET, {"target": b"/a%20b/7?n=1&m=x&m=y"}),
        (GET, {"target": re.compile(r"/a.*m=y")}),
        (GET, {"target": re.compile(rb"/a.*m=y")}),
        (GET, {"target": ANY}),
        (GET, {"path": "/a b/7"}),
        (GET, {"path": b"/a%20b/7"}),
        (GET, {"path": re.compile(r"/a b/\d")}),
        (GET, {"prefix": "/a b"}),
        (GET, {"pattern": r"/a b/\d+"}),
        (GET, {"pattern": re.compile(r"/A B/\d+", re.IGNORECASE)}),
        (GET, {"pattern": rb"/a b/\d+"}),
        (GET, {"query": {"m": ["x", "y"], "n": 1}}),
        (GET, {"query": {"m": [ANY, "y"], "n": re.compile(r"\d")}, "path": "/a b/7"}),
        (GET, {"headers": {"accept": "text/html"}}),
        (GET, {"headers": {b"ACCEPT": b"text/html"}}),
        (GET, {"headers": {"Accept": re.compile("text/.*")}}),
        (GET, {"headers": [("X", "1"), ("X", "2"), ("X", "1, 2")]}),
        (GET, {"headers": {"Authorization": None}}),
        (POST, {"json": {"a": None, "b": [1]}}),
        (request("GET /ä HTTP/1.1"), {"target": "/ä".encode("latin-1")}),
        (request("GET /%C3%A4 HTTP/1.1"), {"path": "/ä"}),
        (request("CONNECT host:1 HTTP/1.1"), {"target": "host:1", "method": "connect"}),
        (request("OPTIONS * HTTP/1.1"), {"target": "*"}),
        (request("GET http://h/a HTTP/1.1"), {"target": "http://h/a"}),
        (request("GET http://h/a HTTP/1.1"), {"path": "/a"}),
        (request("GET /a HTTP/1.1"), {"query": {}}),
    ],
)
def test_a_route_is_for_such_a_request(one: Request, arguments: dict[str, Any]) -> None:
    assert differences(one, **arguments) == []


@pytest.mark.parametrize(
    ("one", "arguments", "text"),
    [
        (GET, {"method": "PUT"}, "the method is 'GET', expected 'PUT'"),
        (GET, {"target": "/a"}, "the target is '/a%20b/7?n=1&m=x&m=y', expected '/a'"),
        (GET, {"path": "/a%20b"}, "the path is '/a b/7', expected '/a%20b'"),
        (GET, {"path": re.compile("/a")}, "the path is '/a b/7', expected '/a'"),
        (GET, {"prefix": "/b"}, "the path is '/a b/7', expected one that begins with '/b'"),
        (GET, {"pattern": "/[xy].*"}, "the path is '/a b/7', expected '/[xy].*'"),
        (
            GET,
            {"query": {"n": "1"}},
            "the query is {'n': '1', 'm': ['x', 'y']}, expected {'n': '1'}",
        ),
        (request(), {"query": {"n": 2}}, "the query is {}, expected {'n': 2}"),
        (GET, {"headers": {"Accept": "a/b"}}, "the field Accept is 'text/html', expected 'a/b'"),
        (GET, {"headers": {"Host": "x"}}, "the field Host is missing, expected 'x'"),
        (GET, {"headers": {"accept": None}}, "the field accept is there, expected none"),
        (POST, {"json": {}}, "the JSON body is {'b': [1.0], 'a': None}, expected {}"),
        (GET, {"json": 1}, "the body is not JSON: b'' (Expecting value: line 1 column 1 (char 0))"),
    ],
)
def test_what_differs_is_said(one: Request, arguments: dict[str, Any], text: str) -> None:
    assert differences(one, **arguments) == [text]


def asks(client: socket.socket, raw: bytes, size: int = len(OK)) -> bytes:
    client.sendall(raw)
    return exactly(client, size)


def test_a_request_without_a_route_is_explained_and_the_connection_goes_on(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(
        script(
            route(Reply(), path="/orders", query={"page": "2"}),
            route(Reply(), method="POST", path="/users"),
            route(Reply(), path="/once"),
        )
    )
    client = connect(one.address)
    assert asks(client, b"GET /once HTTP/1.1\r\n\r\n") == OK
    client.sendall(b"GET /order?page=3 HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx")
    answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain")
    text = (
        "no route fits 'GET /order?page=3 HTTP/1.1'\n"
        "  route 3: the path is '/order', expected '/once'\n"
        "  route 1: the path is '/order', expected '/orders'; "
        "the query is {'page': '3'}, expected {'page': '2'}\n"
        "  route 2: the method is 'GET', expected 'POST'; the path is '/order', expected '/users'"
    )
    assert answer.partition(b"\r\n\r\n")[2].decode() == text + "\n"
    assert asks(client, b"GET /orders?page=2 HTTP/1.1\r\n\r\n") == OK
    client.sendall(b"GET /once HTTP/1.1\r\n\r\n")
    assert b"route 3: fits, but has answered its 1 requests" in client.recv(4096)
    assert asks(client, b"POST /users HTTP/1.1\r\n\r\n") == OK
    client.close()
    problems = one.finish().complaints()
    assert problems[0] == f"connection 1, step 1 (dispatch): {text}"
    assert len(problems) == 2


def test_of_many_routes_those_that_nearly_fit_are_explained(
    server: MockServer, connect: Connect
) -> None:
    far = [route(Reply(), method="PUT", path=f"/{n}", optional=True) for n in range(9)]
    one = server.play(script(*far, route(Reply(), path="/near", optional=True)))
    client = connect(one.address)
    client.sendall(b"GET /nearer HTTP/1.1\r\n\r\n")
    lines = client.recv(4096).decode().partition("\r\n\r\n")[2].splitlines()
    assert lines[1] == "  route 10: the path is '/nearer', expected '/near'"
    assert (len(lines), lines[-1]) == (7, "  and 5 routes more")
    one.finish()


def test_a_reset_is_to_be_had_on_request(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(), path="/a", optional=True), unmatched="reset"))
    client = connect(one.address)
    client.sendall(b"GET /b HTTP/1.1\r\n\r\n")
    assert is_reset(client)
    one.finish()


def test_a_body_decides_between_routes_for_the_same_target(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(
        script(
            route(Send(b"one"), json={"n": 1}),
            route(Send(b"two"), json={"n": 2}),
            route(Send(b"any"), method="POST"),
        )
    )
    client = connect(one.address)
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
    assert asks(client, head % 8 + b'{"n": 2}', 3) == b"two"
    assert asks(client, head % 8 + b'{"n": 3}', 3) == b"any"
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert asks(client, chunked + b'7\r\n{"n":1}\r\n0\r\n\r\n', 3) == b"one"
    client.close()
    assert one.finish().complaints() == ()


def test_a_route_without_a_body_does_not_wait_for_that_of_another(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(
        script(
            route(Reply(), path="/a", json=1),
            route(Send(b"no"), path="/b", body="none"),
        )
    )
    client = connect(one.address)
    assert asks(client, b"POST /b HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 2) == b"no"
    client.close()
    assert one.finish().problems == ()


def test_connections_and_routes_stand_side_by_side() -> None:
    parts = connection(Reply()), route(Reply())
    assert script(parts[0]).connections == parts[:1]
    assert script(parts[1]).routes == parts[1:]
