"""A server that lives longer than a script: routes come and go, and clients act when they like."""

import re
import socket
import threading

import pytest

from mockserver import (
    Close,
    Gate,
    MockServer,
    MockServerError,
    ReadRequest,
    Reply,
    Send,
    Signal,
    connection,
    route,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import exactly

A = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"


def asks(client: socket.socket, target: str, size: int = len(A)) -> bytes:
    client.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
    return exactly(client, size)


def test_routes_are_added_while_a_client_is_connected(connect: Connect) -> None:
    with MockServer() as server:
        server.add(route(Reply(body=b"a"), path="/a"))
        client = connect(server.address)
        assert asks(client, "/a") == A
        server.add(route(Reply(body=b"a"), path="/b"), route(Reply(body=b"a"), path="/c"))
        assert asks(client, "/c") == A
        assert asks(client, "/b") == A
        assert [one.path for one in server.requests] == ["/a", "/c", "/b"]
        client.close()


def test_bare_replies_can_be_added(connect: Connect) -> None:
    with MockServer(route(Reply(), path="/x", optional=True)) as server:
        server.add(Reply(body=b"a"))
        client = connect(server.address)
        assert asks(client, "/a") == A
        client.close()


def test_a_route_that_was_added_must_be_asked_for() -> None:
    with pytest.raises(MockServerError, match="route 1: answered 0 of 1"), MockServer() as server:
        server.add(route(Reply()))


def test_clear_checks_and_begins_anew_on_the_same_port(connect: Connect) -> None:
    with MockServer() as server:
        server.add(route(Reply(body=b"a"), path="/a"))
        url = server.url
        client = connect(server.address)
        assert asks(client, "/a") == A
        server.clear()
        assert (server.url, server.requests) == (url, ())
        server.add(route(Reply(body=b"a"), path="/b"))
        again = connect(server.address)
        assert asks(again, "/b") == A
        again.close()


def test_clear_raises_what_is_missing_and_goes_on(connect: Connect) -> None:
    with MockServer() as server:
        server.add(route(Reply(body=b"a"), path="/a"))
        with pytest.raises(MockServerError, match="route 1: answered 0 of 1 requests"):
            server.clear()
        server.add(route(Reply(body=b"a"), path="/b"))
        client = connect(server.address)
        assert asks(client, "/b") == A
        client.close()


def test_clear_need_not_check() -> None:
    with MockServer() as server:
        server.add(route(Reply(), path="/a"))
        server.clear(check=False)
        assert server.record is not None
        assert server.record.unplayed == ("route 1: answered 0 of 1 requests",)


def test_without_routes_a_request_is_explained(connect: Connect) -> None:
    with MockServer() as server:
        server.add()
        client = connect(server.address)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(4096).endswith(
            b"\r\n\r\nno route fits 'GET / HTTP/1.1'\n  there are no routes\n"
        )
        client.close()
        server.clear(check=False)


def in_background(*targets: str, server: MockServer) -> threading.Thread:
    def work() -> None:
        with socket.create_connection(server.address, 10) as client:
            for target in targets:
                asks(client, target)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_number_of_requests_is_waited_for() -> None:
    with MockServer(route(Reply(body=b"a"), times=3), patience=10) as server:
        thread = in_background("/1", "/2", "/3", server=server)
        server.wait_for(3)
        assert [one.path for one in server.requests] == ["/1", "/2", "/3"]
        thread.join()


def test_the_end_of_the_script_is_waited_for() -> None:
    with MockServer(route(Reply(body=b"a"), times=2), patience=10) as server:
        thread = in_background("/1", "/2", server=server)
        server.wait_for()
        assert len(server.requests) == 2
        thread.join()


def test_a_signal_and_a_condition_are_waited_for_and_a_gate_is_opened() -> None:
    steps = Signal("asked"), Gate("go"), Send(A)
    with MockServer(route(*steps), patience=10) as server:
        thread = in_background("/1", server=server)
        server.wait_for("asked")
        server.wait_for(lambda: any(one.path == "/1" for one in server.requests))
        server.release("go")
        thread.join()


def test_what_does_not_come_is_reported_with_what_has_come(connect: Connect) -> None:
    with MockServer(route(Reply(body=b"a"), times=2, optional=True)) as server:
        client = connect(server.address)
        assert asks(client, "/1") == A
        text = (
            r"wait_for: 2 requests did not come in 0.05 s; there were 1 requests\n\n.*GET /1 HTTP"
        )
        with pytest.raises(MockServerError, match=f"(?s){text}"):
            server.wait_for(2, seconds=0.05)
        client.close()


def test_more_patience_is_had_by_waits_that_have_begun(connect: Connect) -> None:
    script = connection(ReadRequest(), Reply(body=b"a"), ReadRequest(), Reply(body=b"a"), Close())
    with MockServer(script, patience=0.2) as server:
        client = connect(server.address)
        assert asks(client, "/1") == A
        server.patience = 30
        assert server.patience == 30
        client.settimeout(0.6)
        with pytest.raises(TimeoutError):  # an impatient server would have reset it by now
            client.recv(1)
        client.settimeout(10)
        assert asks(client, "/2") == A


def test_more_patience_is_had_in_the_midst_of_a_request(connect: Connect) -> None:
    with MockServer(connection(ReadRequest(), Reply(body=b"a"), Close()), patience=0.3) as server:
        client = connect(server.address)
        client.sendall(b"GET / HT")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        server.patience = 30
        client.settimeout(0.6)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        client.sendall(b"TP/1.1\r\n\r\n")
        assert exactly(client, len(A)) == A


def test_a_report_is_short(connect: Connect) -> None:
    server = MockServer(route(Reply(), path="/a")).start()
    client = connect(server.address)
    for number in range(50):
        client.sendall(b"GET /%d HTTP/1.1\r\n%b\r\n" % (number, b"A: 1\r\n" * 50))
        client.recv(4096)
    client.close()
    with pytest.raises(MockServerError) as caught:
        server.__exit__(None, None, None)
    lines = str(caught.value).splitlines()
    assert len(lines) <= 30
    assert lines[-1] == "- and 47 more of them"


def test_a_report_keeps_the_first_and_the_last_lines(connect: Connect) -> None:
    server = MockServer(route(Reply(), times=60), route(Reply(), path="/b")).start()
    client = connect(server.address)
    for _ in range(60):
        asks(client, "/a", 38)
    client.close()
    with pytest.raises(MockServerError) as caught:
        server.__exit__(None, None, None)
    lines = str(caught.value).splitlines()
    assert lines[:4] == [
        "the script was not met",
        "- route 2: answered 0 of 1 requests",
        "",
        "connection 1",
    ]
    assert any(re.fullmatch(r"  … \d+ lines more", line) for line in lines)
    assert (len(lines), lines[-1]) == (28, "  = client: closed")
