"""Answers that have no body: to HEAD, and with a status that cannot have content."""

import http.client
from typing import Any

import pytest

from mockserver import (
    Goto,
    Label,
    MockServer,
    ReadRequest,
    Reply,
    Request,
    ScriptError,
    Send,
    Step,
    connection,
    cut_at,
    inject_at,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import exactly, to_end

HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
GET = HEAD.replace(b"HEAD", b"GET")
FIELDS = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = [
    (Reply(body=b"hello"), FIELDS, b"hello"),
    (Reply(body=b"hello", delay=1e-6), FIELDS, b"hello"),
    (Reply(body=b"hello", framing="chunked"), CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"),
    (Reply(framing="chunked"), CHUNKED, b"0\r\n\r\n"),
]


@pytest.mark.parametrize(("reply", "fields", "body"), ANSWERS)
@pytest.mark.parametrize("respond", [False, True])
def test_an_answer_to_head_has_the_fields_of_get_and_no_body(
    server: MockServer, connect: Connect, reply: Reply, fields: bytes, body: bytes, respond: bool
) -> None:
    answer = route(respond=lambda _: reply, times=3) if respond else route(reply, times=3)
    one = server.play(script(answer))
    client = connect(one.address)
    client.sendall(HEAD + GET + b"\r\n" + HEAD)
    expected = fields + fields + body + fields
    assert exactly(client, len(expected)) == expected
    client.close()
    assert one.finish().complaints() == ()


@pytest.mark.parametrize("status", [204, 304, 101])
def test_such_a_status_has_no_framing_field_and_the_connection_is_kept(
    server: MockServer, connect: Connect, status: int
) -> None:
    one = server.play(script(Reply(status, b"-", headers={"A": "b"}), Reply(body=b"hello")))
    client = connect(one.address)
    client.sendall(GET + GET)
    expected = b"HTTP/1.1 %d -\r\nA: b\r\n\r\n" % status + FIELDS + b"hello"
    assert exactly(client, len(expected)) == expected
    client.close()
    assert one.finish().complaints() == ()


def test_a_client_keeps_its_connection_over_answers_without_content(server: MockServer) -> None:
    one = server.play(script(Reply(text="a"), Reply(204), Reply(304), Reply(205), Reply(text="b")))
    client = http.client.HTTPConnection(*one.address)
    seen = []
    for method in ("HEAD", "GET", "GET", "GET", "GET"):
        client.request(method, "/")
        response = client.getresponse()
        seen.append((response.status, response.read(), response.headers["Content-Length"]))
    assert seen == [
        (200, b"", "1"),
        (204, b"", None),
        (304, b"", None),
        (205, b"", "0"),
        (200, b"b", "1"),
    ]
    client.close()
    record = one.finish()
    assert (len(record.connections), record.complaints()) == (1, ())


def test_a_close_after_head_ends_the_stream(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(body=b"hello", framing="close"))))
    client = connect(one.address)
    client.sendall(HEAD)
    assert to_end(client) == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def test_a_request_without_a_route_is_explained_to_head_by_status_alone(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(script(route(Reply(framing="close"), path="/")))
    client = connect(one.address)
    client.sendall(HEAD.replace(b"/ ", b"/b ") + GET)
    assert b"\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" in to_end(client)
    assert len(one.finish().problems) == 1


@pytest.mark.parametrize(
    ("steps", "body"),
    [
        ((Reply(body=b"hello", framing="none"),), b"hello"),
        ((Reply(204, body=b"hello", framing="none"),), b"hello"),
        ((Reply(framing="none"), Send(b"hello")), b"hello"),
    ],
)
def test_what_is_asked_for_is_sent_exactly(
    server: MockServer, connect: Connect, steps: tuple[Step, ...], body: bytes
) -> None:
    for parts in (route(*steps, times=2), connection(ReadRequest(), *steps, ReadRequest(), *steps)):
        one = server.play(script(parts))
        client = connect(one.address)
        client.sendall(HEAD * 2)
        sent = b""
        while sent.count(body) < 2:
            sent += client.recv(4096)
        assert sent.endswith(b"\r\n\r\n" + body)
        client.close()
        assert one.finish().complaints() == ()


def test_in_a_loop_of_a_connection_too(server: MockServer, connect: Connect) -> None:
    steps = Label("next"), ReadRequest(), Reply(body=b"hello"), Goto("next", 1)
    one = server.play(script(connection(*steps)))
    client = connect(one.address)
    client.sendall(HEAD + GET)
    assert exactly(client, 2 * len(FIELDS) + 5) == FIELDS + FIELDS + b"hello"
    client.close()
    one.finish()


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        (cut_at(route(Reply(body=b"hello")), "body:1+2"), FIELDS),
        (cut_at(route(Reply(body=b"hello")), 8), FIELDS[:8]),
        (inject_at(route(Reply(body=b"hello"), Send(b"-")), "end-of-head+2", b"!"), FIELDS + b"!-"),
    ],
)
def test_a_broken_reply_has_no_body_either(
    server: MockServer, connect: Connect, parts: Any, sent: bytes
) -> None:
    one = server.play(parts)
    client = connect(one.address)
    client.sendall(HEAD)
    assert exactly(client, len(sent)) == sent
    client.close()
    assert FIELDS + b"h" not in one.finish().connections[0].sent


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Reply(204, text="x"), "reply: has content, which status 204 cannot have; leave"),
        (lambda: Reply(304, body=b"x"), "add framing='none' to send exactly what is written"),
        (lambda: Reply(205, json={}), "reply: has content, which status 205 cannot have"),
        (lambda: Reply(101, body=b"x"), "reply: has content, which status 101 cannot have"),
        (lambda: Reply(204, framing="chunked"), "reply: is chunked, which status 204 cannot"),
        (lambda: Reply(100), "write Interim(100) before the Reply"),
        (lambda: Reply(103, headers={"Link": "</a>"}), "reply: status 103 is interim"),
    ],
)
def test_content_for_a_status_without_it_is_refused_in_one_line(make: Any, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        make()
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_can_compute_content_for_head_and_get_alike(server: MockServer) -> None:
    def answer(request: Request) -> Reply:
        return Reply(json={"path": request.path})

    one = server.play(script(route(respond=answer, times=None)))
    client = http.client.HTTPConnection(*one.address)
    lengths = []
    for method in ("HEAD", "GET"):
        client.request(method, "/a")
        response = client.getresponse()
        lengths.append((len(response.read()), response.headers["Content-Length"]))
    assert lengths == [(0, "14"), (14, "14")]
    client.close()
