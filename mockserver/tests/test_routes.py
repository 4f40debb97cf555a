"""Requests answered by what they are, whichever connection they come on."""

import socket
import threading

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Dispatch,
    Expect,
    ExpectEof,
    Gate,
    Listener,
    MockServer,
    ReadRequest,
    Reply,
    Send,
    Signal,
    Starttls,
    connection,
    fault_on,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, is_reset, to_end

A = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
B = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"


def asks(client: socket.socket, target: str, method: str = "GET", size: int = len(A)) -> bytes:
    client.sendall(f"{method} {target} HTTP/1.1\r\n\r\n".encode())
    return exactly(client, size)


def test_the_route_is_chosen_by_method_and_target(server: MockServer, connect: Connect) -> None:
    routes = (
        route(Reply(body=b"a"), target="/a"),
        route(Reply(body=b"b"), method="PUT", times=2),
    )
    one = server.play(script(*routes))
    client = connect(one.address)
    assert asks(client, "/b", "PUT") == B
    assert asks(client, "/a") == A
    assert asks(client, "/a", "PUT") == B
    client.close()
    record = one.finish()
    assert record.complaints() == ()
    assert [raw.split()[0] for raw in record.connections[0].requests] == [b"PUT", b"GET", b"PUT"]


def test_the_order_of_connections_does_not_matter(server: MockServer, connect: Connect) -> None:
    one = server.play(
        script(route(Reply(body=b"a"), target="/a"), route(Reply(body=b"b"), target="/b"))
    )
    first, second = connect(one.address), connect(one.address)
    assert asks(second, "/a") == A
    assert asks(first, "/b") == B
    assert one.finish().complaints() == ()


def test_many_clients_at_once(server: MockServer) -> None:
    one = server.play(script(route(Reply(body=b"a"), times=8 * 25)))
    got: list[bytes] = []

    def work() -> None:
        with socket.create_connection(one.address, 10) as client:
            for _ in range(25):
                got.append(asks(client, "/"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = one.finish()
    assert got == [A] * 200
    assert record.complaints() == ()
    assert len(record.connections) == 8


def test_a_fault_on_the_third_request(server: MockServer, connect: Connect) -> None:
    one = server.play(script(*fault_on(3, Close("rst"), usual=Reply(body=b"a"))))
    client = connect(one.address)
    assert [asks(client, "/"), asks(client, "/")] == [A, A]
    client.sendall(REQUEST)
    assert is_reset(client)
    again = connect(one.address)
    assert [asks(again, "/"), asks(again, "/")] == [A, A]
    record = one.finish()
    assert record.complaints() == ()
    assert [len(one.requests) for one in record.connections] == [3, 2]


def test_a_fault_on_the_first_request(server: MockServer, connect: Connect) -> None:
    one = server.play(script(*fault_on(1, Close(), usual=Reply(body=b"a"))))
    assert asks(connect(one.address), "/") == b""
    assert asks(connect(one.address), "/") == A
    assert one.finish().complaints() == ()


def test_a_route_that_is_asked_for_too_seldom(server: MockServer, connect: Connect) -> None:
    one = server.play(
        script(
            route(Reply(body=b"a"), times=3),
            route(Close(), optional=True),
            route(Reply(), times=None),
        )
    )
    asks(connect(one.address), "/")
    record = one.finish()
    assert record.unplayed == ("route 1: answered 1 of 3 requests",)
    assert record.problems == ()


def test_a_request_without_a_route(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(body=b"a"), target="/a"), unmatched="reset"))
    client = connect(one.address)
    assert asks(client, "/a") == A
    client.sendall(b"GET /a HTTP/1.1\r\n\r\n")
    assert is_reset(client)
    record = one.finish()
    assert record.problems == (
        "connection 1, step 1 (dispatch): no route is left for the request: b'GET /a HTTP/1.1'",
    )


def test_a_step_of_a_route_that_goes_wrong_is_named(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Expect(method="PUT"), Reply(body=b"a"), ExpectEof())))
    client = connect(one.address)
    assert asks(client, "/") == A
    record = one.finish()
    assert record.problems == (
        "connection 1, route 1, step 1 (expect): the method is 'GET', expected 'PUT'",
        "connection 1, route 1, step 3 (expect_eof): the client has not ended its stream",
    )
    assert record.unplayed == ("connection 1, route 1, step 3 (expect_eof): not played",)
    client.close()


def test_half_a_request_is_left_unread(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(), times=None)))
    connect(one.address).sendall(b"GET / HT")
    record = one.finish()
    assert record.connections[0].unread == b"GET / HT"
    assert record.complaints()


def test_clients_may_wait_for_each_other(server: MockServer, connect: Connect) -> None:
    one = server.play(
        script(
            route(Gate("go"), Reply(body=b"a"), target="/waits"),
            route(Reply(body=b"b"), Signal("go"), target="/goes"),
        )
    )
    first, second = connect(one.address), connect(one.address)
    first.sendall(b"GET /waits HTTP/1.1\r\n\r\n")
    assert asks(second, "/goes") == B
    assert exactly(first, len(A)) == A
    assert one.finish().complaints() == ()


def test_an_answer_before_the_body(server: MockServer, connect: Connect) -> None:
    early = b"HTTP/1.1 413 Content Too Large\r\n\r\n"
    one = server.play(script(route(Send(early), Close(), body="none")))
    client = connect(one.address)
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
    assert to_end(client) == early
    assert one.finish().complaints() == ()


def test_routes_inside_tls(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    one = server.play(
        script(connection(Starttls(), Dispatch(), times=2), route(Reply(body=b"a"), times=3))
    )
    context = authority.client_context("full")
    for times in (1, 2):
        with context.wrap_socket(connect(one.address), server_hostname="127.0.0.1") as client:
            assert [asks(client, "/") for _ in range(times)] == [A] * times
    assert one.finish().complaints() == ()


@pytest.mark.parametrize("came", [1, 2, 3])
def test_optional_connections(server: MockServer, connect: Connect, came: int) -> None:
    steps = (ReadRequest(), Reply(body=b"a"))
    one = server.play(script(connection(*steps), connection(*steps, optional=True, times=2)))
    clients = [connect(one.address) for _ in range(came)]
    assert [asks(client, "/") for client in clients] == [A] * came
    assert one.finish().complaints() == ()


def test_connections_that_must_come_are_missed(server: MockServer, connect: Connect) -> None:
    steps = (ReadRequest(), Reply(body=b"a"))
    one = server.play(script(connection(*steps), connection(*steps, times=3), connection(*steps)))
    for _ in range(2):
        asks(connect(one.address), "/")
    assert one.finish().unplayed == (
        "connections 3 to 4: never opened",
        "connection 5: never opened",
    )


def test_connections_without_end(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(ReadRequest(), Reply(body=b"a"), times=None)))
    assert [asks(connect(one.address), "/") for _ in range(20)] == [A] * 20
    record = one.finish()
    assert (len(record.connections), record.complaints()) == (20, ())


def test_at_least_one_of_endless_connections_must_come(server: MockServer) -> None:
    one = server.play(script(connection(ReadRequest(), times=None)))
    assert one.finish().unplayed == ("connection 1: never opened",)


def test_a_usual_listener_can_be_spelled_out() -> None:
    answer = route(Reply())
    assert script(answer, listener=Listener()) == script(answer)


def test_requests_sent_ahead_of_their_answers(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(body=b"a"), times=5)))
    client = connect(one.address)
    client.sendall(REQUEST * 5)
    assert exactly(client, 5 * len(A)) == A * 5
    record = one.finish()
    assert record.complaints() == ()
    assert record.connections[0].requests == (REQUEST,) * 5


def test_a_client_that_resets_between_requests(server: MockServer, connect: Connect) -> None:
    for _ in range(50):
        one = server.play(script(route(Reply(body=b"a"))))
        client = connect(one.address)
        client.sendall(REQUEST)
        exactly(client, 1)
        client.close()
        record = one.finish()
        assert record.complaints() == ()
        assert record.connections[0].after == "closed"


def test_a_body_that_breaks_off_leaves_the_request_unanswered(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(script(route(Reply(body=b"a"))))
    client = connect(one.address)
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe")
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b""
    record = one.finish()
    assert record.problems == ()
    assert record.unplayed == ("connection 1, step 1 (dispatch): not played",)


def test_half_a_request_does_not_wait_for_ever(impatient: MockServer, connect: Connect) -> None:
    one = impatient.play(script(route(Reply(body=b"a"), optional=True)))
    client = connect(one.address)
    client.sendall(b"GET / HT")
    assert is_reset(client)
    assert one.finish().problems == ("connection 1, step 1 (dispatch): patience ran out",)


def test_octets_that_are_no_request_find_no_route(server: MockServer, connect: Connect) -> None:
    one = server.play(script(route(Reply(), method="GET", optional=True), unmatched="reset"))
    client = connect(one.address)
    client.sendall(b"\x16\x03\x01\r\n\r\n")
    assert is_reset(client)
    assert len(one.finish().problems) == 1
