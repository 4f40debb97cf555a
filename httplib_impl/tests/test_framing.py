from __future__ import annotations

import pytest

from httplib_impl import HTTPException, HTTPResponse, IncompleteRead, UnknownTransferEncoding
from httplib_impl.tests.support import FEEDS, Feed, connection, respond, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    "fields", [b"", b"Content-Length: 9\r\n", CHUNKED, b"Content-Length: x\r\n"]
)
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_204_and_304_have_no_body_whatever_the_fields_say(
    status: bytes, fields: bytes, feed: Feed
) -> None:
    response = respond(feed(b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n"), kept_open=True)
    assert not response.isclosed()
    assert response.read() == b""
    assert response.isclosed()


@pytest.mark.parametrize(
    "fields", [b"", b"Content-Length: 9\r\n", CHUNKED, b"Transfer-Encoding: x\r\n"]
)
def test_head_has_no_body_whatever_the_fields_say(fields: bytes) -> None:
    response = respond(OK + fields + b"\r\n", method="HEAD", kept_open=True)
    assert (response.length, response.read(), response.isclosed()) == (0, b"", True)


def test_head_is_recognised_in_capitals_only() -> None:
    response = respond(OK + b"Content-Length: 2\r\n\r\nok", method="head", kept_open=True)
    assert response.read() == b"ok"


@pytest.mark.parametrize(
    "fields",
    [
        CHUNKED,
        b"Transfer-Encoding: CHUNKED\r\n",
        b"Transfer-Encoding: identity, ,chunked\r\n",
        b"Transfer-Encoding:\r\nTransfer-Encoding: \x0bchunked \r\n",
        b"Transfer-Encoding: Identity\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_transfer_encoding_that_comes_to_chunked_is_chunked(fields: bytes) -> None:
    response = respond(OK + fields + b"\r\n2\r\nok\r\n0\r\n\r\n", kept_open=True)
    assert response.chunked
    assert response.length is None
    assert response.read() == b"ok"


@pytest.mark.parametrize("value", [b"identity", b"", b",", b"Identity, identity"])
def test_a_transfer_encoding_that_comes_to_nothing_is_none(value: bytes) -> None:
    head = OK + b"Transfer-Encoding: " + value + b"\r\nContent-Length: 2\r\n\r\n"
    assert respond(head + b"ok", kept_open=True).read() == b"ok"


@pytest.mark.parametrize(
    "value",
    [b"gzip", b"gzip, chunked", b"chunked, chunked", b"chunked;q=1", b"xchunked", b"chunked\x85"],
)
@pytest.mark.parametrize("amount", [None, 1])
def test_any_other_transfer_encoding_is_refused_by_read_and_the_head_stays(
    value: bytes, amount: int | None
) -> None:
    response = respond(OK + b"Transfer-Encoding: " + value + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    assert (response.status, response.will_close) == (200, True)
    for _ in range(2):
        with pytest.raises(UnknownTransferEncoding):
            response.read(amount)
    assert response.getheader("transfer-encoding") == value.decode("latin-1")


def test_chunked_wins_over_content_length_and_the_connection_is_not_reused() -> None:
    response = respond(OK + CHUNKED + b"Content-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    assert response.will_close
    assert response.read() == b"ok"


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\n",
        b"Content-Length:\x0b 2\t\r\n",
        b"Content-Length: 0002\r\n",
        b"Content-Length: 2, 2\r\n",
        b"Content-Length: 2\r\ncontent-length: 02\r\n",
        b"Content-Length: " + b"0" * 5000 + b"2\r\n",
    ],
)
def test_a_valid_length_counts_bytes(fields: bytes) -> None:
    response = respond(OK + fields + b"\r\nok", kept_open=True)
    assert (response.length, response.will_close) == (2, False)
    assert response.read() == b"ok"


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: +2\r\n",
        b"Content-Length: -2\r\n",
        b"Content-Length: 1_0\r\n",
        b"Content-Length: 0x2\r\n",
        b"Content-Length: 2 2\r\n",
        b"Content-Length: \xa02\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: 2,\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 1\r\n 2\r\n",
        b"Content-Length : 2\r\n",
    ],
)
def test_any_other_length_is_ignored_and_the_connection_not_reused(fields: bytes) -> None:
    response = respond(OK + fields + b"\r\nokay")
    assert (response.length, response.will_close) == (None, True)
    assert response.read() == b"okay"


@pytest.mark.parametrize("digits", [13, 20, 400, 401, 5000, 60000])
def test_a_length_of_any_number_of_digits_is_an_incomplete_read_that_can_be_printed(
    digits: int,
) -> None:
    response = respond(OK + b"Content-Length: " + b"9" * digits + b"\r\n\r\nhello")
    with pytest.raises(IncompleteRead, match="5 bytes read, ") as caught:
        response.read()
    assert caught.value.partial == b"hello"
    assert caught.value.expected is not None
    if digits <= 400:
        assert caught.value.expected == int("9" * digits) - 5


def test_without_any_of_these_the_body_ends_with_the_connection() -> None:
    response = respond(OK + b"\r\nall that comes")
    assert (response.length, response.will_close) == (None, True)
    assert response.read() == b"all that comes"
    assert response.isclosed()


LENGTH = b"Content-Length: 0\r\n"


@pytest.mark.parametrize(
    ("version", "fields", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: keep-alive\r\n", True),
        (b"1.1", b"Connection: closed, xclose\r\n", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: Keep-Alive, CLOSE\r\n", False),
        (b"1.1", b"Connection: te\r\nConnection: close\r\n", False),
        (b"1.1", b"Proxy-Connection: close\r\n", True),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: x, Keep-Alive\r\n", True),
        (b"1.0", b"Connection: not-keep-alive\r\n", False),
        (b"1.0", b"Connection: keep-alive, close\r\n", False),
        (b"1.0", b"Keep-Alive: timeout=5\r\n", True),
        (b"1.0", b"Keep-Alive:\r\n", False),
        (b"1.0", b"Keep-Alive: 5\r\nConnection: close\r\n", False),
        (b"1.0", b"Proxy-Connection: keep-alive\r\n", True),
        (b"1.0", b"Proxy-Connection: close\r\n", False),
        (b"1.0", b"Proxy-Connection: keep-alive\r\nConnection: close\r\n", False),
    ],
)
def test_a_connection_is_kept_by_these_rules(version: bytes, fields: bytes, kept: bool) -> None:
    response = respond(b"HTTP/" + version + b" 200 OK\r\n" + LENGTH + fields + b"\r\n")
    assert response.will_close is not kept


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_interim_responses_are_skipped_up_to_one_hundred(status: int, feed: Feed) -> None:
    interim = b"HTTP/1.1 %d Wait\r\nA: 1\r\nContent-Length: 5\r\n\r\n" % status
    response = respond(feed(interim * 100 + OK + LENGTH + b"\r\n"), kept_open=True)
    assert (response.status, response.getheaders()) == (200, [("content-length", "0")])
    with pytest.raises(HTTPException, match="100 interim"):
        respond(feed(interim * 101 + OK + LENGTH + b"\r\n"))


def test_an_interim_head_has_the_limits_of_a_head() -> None:
    with pytest.raises(HTTPException, match="100 headers"):
        respond(b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 101 + b"\r\n" + OK + b"\r\n")


def upgrade(data: bytes) -> tuple[HTTPResponse, object, object]:
    conn = connection(data, kept_open=True)
    wire = conn.sock
    conn.request("GET", "/", headers={"Connection": "upgrade", "UPGRADE": "x"})
    return conn.getresponse(), wire, conn.sock


def test_after_a_101_that_was_asked_for_every_byte_is_left_on_the_socket() -> None:
    response, wire, sock = upgrade(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\nraw octets")
    assert sock is wire
    assert (response.status, response.will_close, response.read()) == (101, False, b"")
    assert getattr(wire, "unread")() == b"raw octets"  # noqa: B009  # typed as any socket


def test_after_an_upgrade_nothing_is_taken_for_leftovers() -> None:
    conn = connection(
        b"HTTP/1.1 101 Go\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", kept_open=True
    )
    wire = conn.sock
    conn.request("GET", "/", headers={"Upgrade": "x"})
    conn.getresponse().read()
    conn.request("GET", "/")
    assert conn.sock is wire
    assert conn.getresponse().status == 200


def test_a_refused_upgrade_is_an_ordinary_response() -> None:
    response, wire, sock = upgrade(OK + b"Content-Length: 2\r\n\r\nok")
    assert sock is wire
    assert response.read() == b"ok"


def test_a_101_that_nobody_asked_for_ends_the_connection() -> None:
    conn = connection(b"HTTP/1.1 101 Go\r\n\r\nraw octets", kept_open=True)
    conn.request("GET", "/")
    response = conn.getresponse()
    assert (response.status, response.will_close, response.read()) == (101, True, b"")
    assert conn.sock is None


def test_after_a_connect_every_byte_is_left_on_the_socket() -> None:
    conn = connection(b"HTTP/1.1 200 Go\r\nContent-Length: 3\r\n\r\nraw octets", kept_open=True)
    conn.request("CONNECT", "example.org:443")
    assert conn.getresponse().read() == b""
    assert conn.sock.unread() == b"raw octets"


def test_a_refused_connect_has_an_ordinary_body() -> None:
    conn = connection(whole(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"), kept_open=True)
    conn.request("CONNECT", "example.org:443")
    assert conn.getresponse().read() == b"no"
