"""Ten tests of an application with the fixture `mock_server`; run them with `pytest`."""

import asyncio

import pytest
from shop import Shop, ShopError

from mockserver import (
    Close,
    Drain,
    Dribble,
    Expect,
    Reply,
    Send,
    Stall,
    Starttls,
    cut_at,
    route,
)


def test_an_item_is_read(mock_server):
    server = mock_server(route(Reply(json={"name": "cup"}), path="/items/7"))
    assert Shop(server.url).item(7) == {"name": "cup"}


def test_503_is_tried_again(mock_server):
    server = mock_server(Reply(503), Reply(503), Reply(text="done"))
    assert Shop(server.url).get("/") == b"done"


def test_a_reset_in_the_body_is_survived(mock_server):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"
    server = mock_server(route(Send(head), Drain(), Close("rst")), route(Reply(text="all of it")))
    assert Shop(server.url).get("/") == b"all of it"


def test_a_stall_in_the_head_is_given_up(mock_server):
    server = mock_server(route(Send(b"HTTP/1.1 200 OK\r\nContent-"), Stall()))
    with pytest.raises(ShopError, match="TimeoutError"):
        Shop(server.url, timeout=0.1).get("/", attempts=1)


def test_a_truncated_body_is_noticed(mock_server):
    server = mock_server(cut_at(Reply(text="abcdefghi"), "body+3"))
    with pytest.raises(ShopError, match="3 bytes read, 6 more expected"):
        Shop(server.url).get("/", attempts=1)


def test_a_slow_drip_is_given_up(mock_server):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
    server = mock_server(route(Send(head), Dribble(b"x" * 99, every=0.05)))
    with pytest.raises(ShopError, match=r"longer than 0\.2 s"):
        Shop(server.url, limit=0.2).get("/", attempts=1)


def test_an_order_is_sent_as_json(mock_server):
    wanted = Expect(json={"item": 7, "count": 2}, headers={"Content-Type": "application/json"})
    server = mock_server(route(wanted, Reply(201, json={"order": 42}), method="POST"))
    assert Shop(server.url).order(item=7, count=2) == 42


def test_a_redirect_leads_to_thirty_megabytes(mock_server):
    moved = route(Reply(302, headers={"Location": "/big"}), path="/old")
    server = mock_server(moved, route(Reply(body=bytes(30 << 20)), path="/big"))
    assert len(Shop(server.url).get("/old")) == 30 << 20


def test_an_expired_certificate_is_refused(mock_server, certificate_authority):
    server = mock_server(Starttls("expired", refused=True))
    with pytest.raises(ShopError, match="certificate has expired"):
        Shop(server.url, context=certificate_authority.client_context()).get("/", attempts=1)


def test_twenty_requests_at_once(mock_server):
    server = mock_server(route(respond=lambda request: Reply(text=request.path), times=20))
    shop, paths = Shop(server.url), [f"/{number}" for number in range(20)]

    async def everything():
        return await asyncio.gather(*(asyncio.to_thread(shop.get, path) for path in paths))

    assert asyncio.run(everything()) == [path.encode() for path in paths]
