"""An answer that a function of the test computes from the request."""

import socket
import threading
from typing import Any

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Dispatch,
    Goto,
    Label,
    MockServer,
    ReadRequest,
    Reply,
    Request,
    Respond,
    Send,
    Starttls,
    connection,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, to_end

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def asks(client: socket.socket, size: int, raw: bytes = REQUEST) -> bytes:
    client.sendall(raw)
    return exactly(client, size)


def test_the_answer_is_made_of_the_request(server: MockServer, connect: Connect) -> None:
    def echo(request: Request) -> Reply:
        return Reply(body=request.query["say"].encode())

    one = server.play(script(route(respond=echo, times=2)))
    client = connect(one.address)
    for _ in range(2):
        assert asks(client, len(HELLO), b"GET /?say=hello HTTP/1.1\r\n\r\n") == HELLO
    client.close()
    assert one.finish().complaints() == ()


def test_several_steps_are_played_and_can_close(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(respond=lambda _: [Send(b"a"), Send(b"b"), Close("fin")])))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert to_end(client) == b"ab"
    record = one.finish()
    assert record.complaints() == ()
    assert [event.data for event in record.connections[0].events if event.direction == ">"] == [
        b"a",
        b"b",
    ]


def test_it_is_a_step_of_a_connection_too(server: MockServer, connect: Connect) -> None:
    steps = (Label("next"), ReadRequest(), Respond(lambda _: Reply(body=b"hello")), Goto("next", 2))
    one = server.play(script(connection(*steps)))
    client = connect(one.address)
    assert [asks(client, len(HELLO)) for _ in range(3)] == [HELLO] * 3
    client.close()
    assert one.finish().complaints() == ()


def test_it_answers_inside_tls(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = server.play(script(Starttls(), route(respond=lambda _: Reply(body=b"hello"))))
    context = authority.client_context()
    with context.wrap_socket(connect(one.address), server_hostname="127.0.0.1") as client:
        assert asks(client, len(HELLO)) == HELLO
    assert one.finish().complaints() == ()


def test_what_it_raises_is_a_500_and_a_problem_with_the_traceback(
    server: MockServer, connect: Connect
) -> None:
    def fails(request: Request) -> Reply:
        raise LookupError(request.target)

    one = server.play(script(route(respond=fails)))
    client = connect(one.address)
    client.sendall(REQUEST)
    answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert answer.endswith(b"\r\n\r\nrespond failed with LookupError: /\n")
    client.close()
    (problem,) = one.finish().complaints()
    start = "connection 1, route 1, step 1 (respond): respond failed with LookupError: /\n"
    assert problem.startswith(start)
    assert "in fails\n" in problem
    assert "raise LookupError(request.target)" in problem
    assert "mockserver/_respond.py" not in problem


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "it must return a Reply or a list of steps, not None"),
        (
            {"a": 1},
            "it must return a Reply or a list of steps, not {'a': 1}; write Reply(json=...)",
        ),
        ("x", "it must return a Reply or a list of steps, not 'x'; write Reply(text=...)"),
        (Label("x"), "it cannot return label"),
        (Dispatch(), "its answer, step 1 (dispatch): a route cannot dispatch"),
        ([Close(), Reply()], "its answer, step 2 (reply): the connection is closed by then"),
    ],
)
def test_an_answer_that_cannot_be_played_is_a_problem(
    server: MockServer, connect: Connect, answer: Any, text: str
) -> None:
    one = server.play(script(route(respond=lambda _: answer)))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert client.recv(4096).startswith(b"HTTP/1.1 500 ")
    client.close()
    place = "connection 1, route 1, step 1 (respond)"
    assert one.finish().complaints() == (f"{place}: respond failed with ScriptError: {text}",)


def test_steps_after_an_answer_that_ends_the_connection_are_a_problem(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(script(route(Respond(lambda _: Close()), Send(b"more"))))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert to_end(client) == b""
    text = "the answer ends the connection, and steps come after it"
    assert one.finish().complaints() == (f"connection 1, route 1, step 1 (respond): {text}",)


def test_it_blocks_no_other_connection(server: MockServer, connect: Connect) -> None:
    held = threading.Event()

    def slow(_: Request) -> Reply:
        assert held.wait(10)
        return Reply(body=b"hello")

    one = server.play(script(route(respond=slow, path="/slow"), route(Reply(), times=None)))
    first, second = connect(one.address), connect(one.address)
    first.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
    for _ in range(20):
        assert asks(second, 38).startswith(b"HTTP/1.1 200 OK\r\n")
    held.set()
    assert exactly(first, len(HELLO)) == HELLO
    first.close()
    second.close()
    assert one.finish().complaints() == ()
