"""A client that asks for the end of its connection gets it, unless the script says otherwise."""

import socket

import pytest

from mockserver import (
    Close,
    Dispatch,
    Interim,
    MockServer,
    ReadRequest,
    Reply,
    Script,
    Send,
    Step,
    Tunnel,
    connection,
    route,
    script,
    script_from,
)
from mockserver._request import asks_to_close
from mockserver.tests.support import exactly, to_end

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CLOSING = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
KEEPING = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "asks"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n", False),
        (b"GET / HTTP/1.1\r\nconnection:CLOSE\r\n", True),
        (b"GET / HTTP/1.1\nConnection: close\n", True),
        (b"GET / HTTP/1.1\r\nConnection: TE, close\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: TE\r\nConnection: close\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close-not, x\r\n", False),
        (b"GET /close HTTP/1.1\r\nX: close\r\n", False),
        (b"GET / HTTP/1.0\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", True),
        (b"GET /HTTP/1.0 HTTP/1.1\r\n", False),
        (b"CONNECT a:1 HTTP/1.0\r\n", False),
    ],
)
def test_which_requests_ask_for_the_end(head: bytes, asks: bool) -> None:
    blank = b"\n" if b"\r" not in head else b"\r\n"
    assert asks_to_close(head + blank) is asks
    assert asks_to_close(head + blank + b"Connection: close\r\n\r\n") is asks


REPLY = Reply(body=b"hi")
ENDING = [
    script(connection(ReadRequest(), REPLY)),
    script(connection(ReadRequest(), Interim(103), Send(HELLO))),
    script(connection(ReadRequest(), REPLY, ReadRequest(optional=True), REPLY)),
    script(route(REPLY, times=None)),
    script(connection(Dispatch()), route(REPLY)),
    script(connection(Tunnel(), ReadRequest(), REPLY)),
]


@pytest.mark.parametrize("played", ENDING)
def test_the_server_ends_after_the_response_for_a_client_that_asks(played: Script) -> None:
    with MockServer(played) as server, socket.create_connection(server.address, 10) as client:
        if any(isinstance(step, Tunnel) for step in played.steps):
            client.sendall(b"CONNECT a:1 HTTP/1.0\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        client.sendall(CLOSING)
        assert to_end(client).endswith(b"hi")


def test_a_later_step_that_reads_a_request_is_missed() -> None:
    played = script(connection(ReadRequest(), REPLY, ReadRequest(), REPLY))
    with MockServer() as server:
        play = server.play(played)
        with socket.create_connection(server.address, 10) as client:
            client.sendall(CLOSING)
            assert to_end(client).endswith(b"hi")
        missed = play.finish().unplayed
    assert [text.partition(":")[0] for text in missed] == [
        "connection 1, step 3 (read_request)",
        "connection 1, step 4 (reply)",
    ]


@pytest.mark.parametrize(
    ("steps", "request_"),
    [
        ((ReadRequest(), REPLY), KEEPING),
        ((ReadRequest(), REPLY, Close("abandon")), CLOSING),
        ((ReadRequest(), Send(HELLO), Send(HELLO)), KEEPING),
    ],
)
def test_the_server_leaves_the_connection_open_otherwise(
    steps: tuple[Step, ...], request_: bytes
) -> None:
    with MockServer() as server:
        play = server.play(script(connection(*steps)))
        with socket.create_connection(server.address, 10) as client:
            client.sendall(request_)
            assert exactly(client, 4).startswith(b"HTTP")
            assert "fin sent" not in play.finish().transcript()


def test_a_server_that_sends_no_response_does_not_end_either() -> None:
    with MockServer() as server:
        play = server.play(script(connection(ReadRequest())))
        with socket.create_connection(server.address, 10) as client:
            client.sendall(CLOSING)
            while not play.requests:
                pass
            assert "fin sent" not in play.finish().transcript()


def test_a_record_of_a_server_that_stayed_is_played_again_as_it_was() -> None:
    given = Script(script(connection(ReadRequest(), Send(HELLO))).connections, obliging=False)
    records = []
    with MockServer() as server:
        for _ in range(2):
            play = server.play(given)
            with socket.create_connection(server.address, 10) as client:
                client.sendall(CLOSING)
                assert exactly(client, len(HELLO)) == HELLO
                records.append(play.finish())
            given = script_from(records[-1])
    assert records[0].transcript() == records[1].transcript()


def test_a_script_that_does_not_oblige_leaves_it_open() -> None:
    given = Script(script(connection(ReadRequest(), REPLY)).connections, obliging=False)
    with MockServer() as server:
        play = server.play(given)
        with socket.create_connection(server.address, 10) as client:
            client.sendall(CLOSING)
            assert exactly(client, 4).startswith(b"HTTP")
            assert "fin sent" not in play.finish().transcript()
