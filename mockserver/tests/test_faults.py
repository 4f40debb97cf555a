"""The faults that WireMock made known, as a plain socket sees them."""

import re

import pytest

from mockserver import (
    FAULTS,
    MockServer,
    ReadRequest,
    Step,
    connection,
    connection_reset_by_peer,
    empty_response,
    fault_on,
    malformed_response_chunk,
    random_data_then_close,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, is_reset, to_end


def answer(server: MockServer, connect: Connect, *steps: Step) -> bytes:
    one = server.play(script(connection(ReadRequest(), *steps)))
    client = connect(one.address)
    client.sendall(REQUEST)
    data = to_end(client)
    client.close()
    assert one.finish().complaints() == ()
    return data


def test_an_empty_response(server: MockServer, connect: Connect) -> None:
    assert answer(server, connect, *empty_response()) == b""


def test_a_malformed_chunk(server: MockServer, connect: Connect) -> None:
    data = answer(server, connect, *malformed_response_chunk())
    head, _, body = data.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    assert body
    assert not re.match(rb"[ \t]*[0-9A-Fa-f]+[ \t]*[\r\n;]", body)


def test_random_data(server: MockServer, connect: Connect) -> None:
    data = answer(server, connect, *random_data_then_close())
    assert data
    assert b"HTTP/" not in data
    assert data == answer(server, connect, *random_data_then_close())


def test_a_reset(server: MockServer, connect: Connect) -> None:
    one = server.play(script(*fault_on(1, *connection_reset_by_peer())))
    client = connect(one.address)
    client.sendall(REQUEST)
    assert is_reset(client)
    assert one.finish().complaints() == ()


@pytest.mark.parametrize("name", FAULTS)
def test_the_names_are_those_that_people_look_for(name: str) -> None:
    assert FAULTS[name].__name__ == name.lower()
