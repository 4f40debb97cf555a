"""The same ten tests with pytest-httpserver; what it cannot send, a socket of the test sends."""

import asyncio
import contextlib
import re
import socket
import struct
import threading
import time

import pytest
from pytest_httpserver import HTTPServer
from shop import Shop, ShopError
from werkzeug import Response


@contextlib.contextmanager
def raw_server(*plays):
    """A server that gives each connection to a function, after the head of its request."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for play in plays:
            sock, _ = listener.accept()
            with contextlib.suppress(OSError), sock:
                while not sock.recv(65536).endswith(b"\r\n\r\n"):
                    pass
                play(sock)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()
    listener.close()


def test_an_item_is_read(httpserver):
    httpserver.expect_request("/items/7").respond_with_json({"name": "cup"})
    assert Shop(httpserver.url_for("")).item(7) == {"name": "cup"}
    httpserver.check()


def test_503_is_tried_again(httpserver):
    httpserver.expect_ordered_request("/").respond_with_data(status=503)
    httpserver.expect_ordered_request("/").respond_with_data(status=503)
    httpserver.expect_ordered_request("/").respond_with_data("done")
    assert Shop(httpserver.url_for("")).get("/") == b"done"
    httpserver.check()


def test_a_reset_in_the_body_is_survived():
    def resets(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
        time.sleep(0.1)  # until the client has taken it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def answers(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it")

    with raw_server(resets, answers) as url:
        assert Shop(url).get("/") == b"all of it"


def test_a_stall_in_the_head_is_given_up():
    def stalls(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-")
        sock.recv(1)

    with raw_server(stalls) as url, pytest.raises(ShopError, match="TimeoutError"):
        Shop(url, timeout=0.1).get("/", attempts=1)


def test_a_truncated_body_is_noticed():
    def truncates(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")

    with raw_server(truncates) as url, pytest.raises(ShopError, match="6 more expected"):
        Shop(url).get("/", attempts=1)


def test_a_slow_drip_is_given_up(httpserver):
    def drip(request):
        def body():
            for _ in range(99):
                time.sleep(0.05)
                yield b"x"

        return Response(body(), headers={"Content-Length": "99"})

    httpserver.expect_request("/").respond_with_handler(drip)
    with pytest.raises(ShopError, match=r"longer than 0\.2 s"):
        Shop(httpserver.url_for(""), limit=0.2).get("/", attempts=1)


def test_an_order_is_sent_as_json(httpserver):
    fields = {"Content-Type": "application/json"}
    order = {"item": 7, "count": 2}
    wanted = httpserver.expect_request("/orders", method="POST", json=order, headers=fields)
    wanted.respond_with_json({"order": 42}, status=201)
    assert Shop(httpserver.url_for("")).order(item=7, count=2) == 42
    httpserver.check()


def test_a_redirect_leads_to_thirty_megabytes(httpserver):
    httpserver.expect_request("/old").respond_with_data("", 302, {"Location": "/big"})
    httpserver.expect_request("/big").respond_with_data(bytes(30 << 20))
    assert len(Shop(httpserver.url_for("")).get("/old")) == 30 << 20
    httpserver.check()


def test_an_expired_certificate_is_refused(certificate_authority):
    context = certificate_authority.server_context("expired")
    with HTTPServer("127.0.0.1", ssl_context=context) as one:
        shop = Shop(one.url_for(""), context=certificate_authority.client_context())
        with pytest.raises(ShopError, match="certificate has expired"):
            shop.get("/", attempts=1)


def test_twenty_requests_at_once(httpserver):
    numbered = httpserver.expect_request(re.compile(r"/\d+"))
    numbered.respond_with_handler(lambda request: Response(request.path))
    shop, paths = Shop(httpserver.url_for("")), [f"/{number}" for number in range(20)]

    async def everything():
        return await asyncio.gather(*(asyncio.to_thread(shop.get, path) for path in paths))

    assert asyncio.run(everything()) == [path.encode() for path in paths]
    httpserver.check()
