"""The server in the hands of pytest, unittest and asyncio, and what it tells while it plays."""

import asyncio
import os
import ssl
import unittest
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Dispatch,
    MockServer,
    MockServerError,
    Pause,
    ReadRequest,
    Reply,
    Request,
    Send,
    Starttls,
    connection,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, RESPONSE, exactly, to_end

ONE = script(connection(ReadRequest(), Send(RESPONSE), Close()))


@pytest.fixture
def one_answer() -> Iterator[MockServer]:
    with MockServer(ONE) as server:
        yield server


def test_a_fixture_of_pytest(one_answer: MockServer, connect: Connect) -> None:
    client = connect(one_answer.address)
    client.sendall(REQUEST)
    assert to_end(client) == RESPONSE
    assert one_answer.requests == (Request(1, REQUEST),)


class UnitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(MockServer(ONE))

    def test_a_context_of_unittest(self) -> None:
        reader = asyncio.run(asked(self.server))
        assert reader == RESPONSE
        assert self.server.requests == (Request(1, REQUEST),)


async def asked(server: MockServer) -> bytes:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(REQUEST)
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data


def test_asyncio_code_in_the_same_thread() -> None:
    async def main() -> MockServer:
        async with MockServer(script(route(Send(RESPONSE), Close(), times=10))) as server:
            answers = await asyncio.gather(*(asked(server) for _ in range(10)))
        assert answers == [RESPONSE] * 10
        return server

    server = asyncio.run(main())
    assert server.record is not None
    assert server.record.complaints() == ()


def test_the_event_loop_goes_on_while_a_play_is_finished() -> None:
    """The block is left while the server pauses; a blocked loop would not turn in that time."""

    async def main() -> int:
        steps = (ReadRequest(), Send(b"x"), Pause(0.2), Send(RESPONSE), Close())
        async with MockServer(script(connection(*steps))) as server:
            reader, writer = await asyncio.open_connection(*server.address)
            writer.write(REQUEST)
            await reader.readexactly(1)
            turns = 0

            async def turn() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0.001)

            turning = asyncio.create_task(turn())
        turning.cancel()
        writer.close()
        return turns

    assert asyncio.run(main()) > 3


def test_an_unmet_script_fails_in_asyncio_too() -> None:
    async def main() -> None:
        async with MockServer(ONE):
            pass

    with pytest.raises(MockServerError, match="connection 1: never opened"):
        asyncio.run(main())


def test_another_error_is_not_hidden_in_asyncio() -> None:
    async def main() -> None:
        async with MockServer(ONE):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())


def test_requests_come_in_the_order_in_which_they_were_read(connect: Connect) -> None:
    with MockServer(script(route(Send(RESPONSE), times=3))) as server:
        first, second = connect(server.address), connect(server.address)
        for client, target in ((second, b"/1"), (first, b"/2"), (second, b"/3")):
            client.sendall(b"GET %b HTTP/1.1\r\n\r\n" % target)
            exactly(client, len(RESPONSE))
    assert [(one.connection, one.raw.split()[1]) for one in server.requests] in (
        [(1, b"/1"), (2, b"/2"), (1, b"/3")],
        [(2, b"/1"), (1, b"/2"), (2, b"/3")],
    )


def test_the_transcript_can_be_read_before_the_end(connect: Connect) -> None:
    steps = (ReadRequest(), Send(b"early"), ReadRequest(), Close())
    with MockServer(script(connection(*steps))) as server:
        client = connect(server.address)
        host, port = server.address
        request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
        client.sendall(request)
        exactly(client, 5)
        client.sendall(request)
        to_end(client)
        assert server.transcript.startswith(
            "connection 1\n"
            "  <      0  request         GET / HTTP/1.1\\r\\n\n"
            "  <     16  request         Host: 127.0.0.1:PORT\\r\\n\n"
        )
        client.close()
    assert server.record is not None
    assert server.transcript == server.record.transcript()


def test_transcripts_do_not_depend_on_the_port(connect: Connect) -> None:
    texts = set()
    for _ in range(3):
        with MockServer(ONE) as server:
            client = connect(server.address)
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.address[1])
            to_end(client)
            client.close()
        texts.add(server.transcript)
    assert len(texts) == 1


def test_a_server_that_has_played_nothing_has_nothing_to_tell() -> None:
    with MockServer() as server:
        assert (server.requests, server.transcript) == ((), "")


def test_the_authority_as_a_file(authority: CertificateAuthority, connect: Connect) -> None:
    play = script(connection(Starttls(), Dispatch()), route(Send(RESPONSE), Close()))
    with MockServer(play, tls=authority.server_context) as server:
        path = server.ca_file
        assert server.ca_file == path
        context = ssl.create_default_context(cafile=path)
        raw = connect(server.address)
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as client:
            client.sendall(REQUEST)
            assert to_end(client) == RESPONSE
    assert not Path(path).exists()


def test_a_file_of_the_providers_own(tmp_path: Path) -> None:
    class Provider:
        ca_file = tmp_path / "mine.pem"

        def __call__(
            self, cert: str, client_cert: str, alpn: tuple[str, ...], tickets: int
        ) -> ssl.SSLContext:
            raise NotImplementedError

    assert MockServer(tls=Provider()).ca_file == os.fspath(Provider.ca_file)


@pytest.mark.parametrize("provider", [None, lambda *_: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)])
def test_a_provider_without_a_file(provider: object) -> None:
    with pytest.raises(MockServerError, match="neither ca_file nor ca_pem"):
        _ = MockServer(tls=provider).ca_file  # type: ignore[arg-type]  # any callable will do


def test_a_reply_of_a_route_is_seen_by_many_tasks() -> None:
    async def main() -> list[bytes]:
        async with MockServer(script(route(Reply(body=b"x"), times=20))) as server:

            async def one() -> bytes:
                reader, writer = await asyncio.open_connection(*server.address)
                writer.write(REQUEST)
                data = await reader.readexactly(39)
                writer.close()
                await writer.wait_closed()
                return data

            return await asyncio.gather(*(one() for _ in range(20)))

    assert {data[-1:] for data in asyncio.run(main())} == {b"x"}
