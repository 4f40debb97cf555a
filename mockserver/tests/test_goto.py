"""Steps that are played again, and clients that may end."""

import pytest

from mockserver import (
    Close,
    Goto,
    Label,
    MockServer,
    ReadRequest,
    Reply,
    Send,
    Step,
    connection,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, exactly, is_reset, to_end


def test_steps_are_played_again_as_often_as_said(server: MockServer, connect: Connect) -> None:
    one = server.play(
        script(
            connection(Label("again"), ReadRequest(), Send(RESPONSE), Goto("again", 299), Close())
        )
    )
    client = connect(one.address)
    for _ in range(300):
        client.sendall(REQUEST)
        assert exactly(client, len(RESPONSE)) == RESPONSE
    assert to_end(client) == b""
    record = one.finish()
    assert record.complaints() == ()
    assert record.connections[0].requests == (REQUEST,) * 300


def test_a_loop_inside_a_loop_starts_anew_each_time(server: MockServer, connect: Connect) -> None:
    steps = (
        *(Label("outer"), Send(b"o"), Label("inner"), Send(b"i")),
        *(Goto("inner", 2), Goto("outer", 1), Close()),
    )
    one = server.play(script(connection(*steps)))
    assert to_end(connect(one.address)) == b"oiiioiii"
    assert one.finish().problems == ()


def test_a_loop_that_the_client_leaves_early_is_unplayed(
    server: MockServer, connect: Connect
) -> None:
    one = server.play(script(connection(Label("a"), ReadRequest(), Reply(), Goto("a", 5))))
    client = connect(one.address)
    client.sendall(REQUEST)
    exactly(client, 38)
    record = one.finish()
    assert record.problems == ()
    assert record.unplayed == (
        "connection 1, step 2 (read_request): not played",
        "connection 1, step 3 (reply): not played",
        "connection 1, step 4 (goto): not played",
    )


@pytest.mark.parametrize("requests", [0, 1, 2, 7])
@pytest.mark.parametrize("ending", ["keeps", "closes", "resets"])
def test_a_client_may_end_where_a_request_is_optional(
    server: MockServer, connect: Connect, requests: int, ending: str
) -> None:
    steps = (Label("a"), ReadRequest(optional=True), Send(RESPONSE), Goto("a", None))
    one = server.play(script(connection(*steps)))
    client = connect(one.address)
    for number in range(requests):
        client.sendall(REQUEST)
        last = number == requests - 1
        exactly(client, 5 if last and ending == "resets" else len(RESPONSE))
    if ending != "keeps":
        client.close()
    record = one.finish()
    assert record.complaints() == ()
    assert len(record.connections[0].requests) == requests
    assert record.connections[0].after == ("kept" if ending == "keeps" else "closed")


def test_half_of_an_optional_request_is_missed(server: MockServer, connect: Connect) -> None:
    one = server.play(script(connection(ReadRequest(optional=True), Reply())))
    connect(one.address).sendall(b"GET ")
    assert one.finish().unplayed == (
        "connection 1, step 1 (read_request): not played",
        "connection 1, step 2 (reply): not played",
    )


def test_no_patience_runs_out_where_a_request_is_optional(
    impatient: MockServer, connect: Connect
) -> None:
    steps: tuple[Step, ...] = (ReadRequest(optional=True), Send(RESPONSE), Close())
    one = impatient.play(script(connection(*steps)))
    client = connect(one.address)
    client.settimeout(0.2)  # four times the server's patience
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(10)
    client.sendall(REQUEST)
    assert to_end(client) == RESPONSE
    assert not is_reset(client)
    assert one.finish().complaints() == ()
