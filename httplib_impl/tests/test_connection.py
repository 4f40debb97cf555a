from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from httplib_impl import (
    BadStatusLine,
    CannotSendHeader,
    CannotSendRequest,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    LineTooLong,
    NotConnected,
    ResponseNotReady,
    UnknownProtocol,
)
from httplib_impl.tests.support import Event, Wire, connection, sent

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Dialling(HTTPConnection):
    """A connection whose servers stand ready."""

    def __init__(self, *wires: Wire) -> None:
        super().__init__("example.com")
        self.wires = list(wires)

    def connect(self) -> None:
        self.sock = self.wires.pop(0)


def test_each_call_out_of_turn_has_its_exception_without_arguments() -> None:
    conn = connection(OK)
    early: list[tuple[Callable[[], object], type[HTTPException]]] = [
        (lambda: conn.putheader("A", "b"), CannotSendHeader),
        (conn.endheaders, CannotSendHeader),
        (conn.getresponse, ResponseNotReady),
    ]
    for call, error in early:
        with pytest.raises(error) as caught:
            call()
        assert caught.value.args == ()
    conn.putrequest("GET", "/")
    with pytest.raises(CannotSendRequest):
        conn.putrequest("GET", "/")
    with pytest.raises(CannotSendRequest):
        conn.request("GET", "/")
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    conn.endheaders()
    late: list[tuple[Callable[[], object], type[HTTPException]]] = [
        (lambda: conn.putheader("A", "b"), CannotSendHeader),
        (conn.endheaders, CannotSendHeader),
        (lambda: conn.putrequest("GET", "/"), CannotSendRequest),
    ]
    for call, error in late:
        with pytest.raises(error):
            call()
    assert conn.getresponse().read() == b"ok"


def test_responses_are_read_one_after_the_other() -> None:
    conn = connection([OK, OK.replace(b"ok", b"so")], kept_open=True)
    for body in (b"ok", b"so"):
        conn.sock.events, waiting = conn.sock.events[:1], conn.sock.events[1:]
        conn.request("GET", "/")
        assert conn.getresponse().read() == body
        conn.sock.events = waiting


def test_a_second_request_is_sent_but_its_response_waits_for_the_first() -> None:
    conn = connection(OK + OK.replace(b"ok", b"so"), kept_open=True)
    conn.request("GET", "/1")
    first = conn.getresponse()
    conn.request("GET", "/2")
    assert b"GET /2 " in sent(conn)
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    with pytest.raises(CannotSendRequest):
        conn.request("GET", "/3")
    assert first.read() == b"ok"
    assert conn.getresponse().read() == b"so"


@pytest.mark.parametrize("block", [EMPTY, b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_an_empty_body_still_has_to_be_read(block: bytes) -> None:
    conn = connection(block + OK, kept_open=True)
    conn.request("GET", "/1")
    first = conn.getresponse()
    assert not first.isclosed()
    conn.request("GET", "/2")
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    assert first.read() == b""
    assert conn.getresponse().read() == b"ok"


def test_a_response_that_closes_owns_the_socket_and_survives() -> None:
    conn = Dialling(Wire([CLOSING]), Wire([EMPTY], kept_open=True))
    conn.request("GET", "/")
    response = conn.getresponse()
    assert conn.sock is None
    conn.request("GET", "/")
    assert conn.getresponse().read() == b""
    conn.close()
    assert (response.read(), response.isclosed()) == (b"ok", True)


def test_a_kept_response_is_empty_after_the_close_of_its_connection() -> None:
    conn = connection(OK)
    conn.request("GET", "/")
    response = conn.getresponse()
    conn.close()
    assert (response.read(), response.isclosed()) == (b"", True)


@pytest.mark.parametrize("started", [False, True])
def test_close_is_always_back_to_idle_with_nothing_buffered(started: bool) -> None:
    conn = Dialling(Wire([b"HTTP/1.1 404 Stale\r\n\r\n"]), Wire([OK]))
    conn.putrequest("GET", "/stale")
    if not started:
        conn.endheaders()
    conn.close()
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    conn.wires = [Wire([OK])]
    conn.request("GET", "/")
    assert sent(conn).startswith(b"GET / HTTP/1.1\r\n")
    assert conn.getresponse().status == 200


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (b"", BadStatusLine),
        (b"HTTP/1.1 abc\r\n\r\n", BadStatusLine),
        (b"HTTP/2.0 200 OK\r\n\r\n", UnknownProtocol),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101, HTTPException),
        (b"x" * 65537, LineTooLong),
    ],
)
def test_a_failed_getresponse_closes_and_the_next_request_dials_anew(
    block: bytes, error: type[HTTPException]
) -> None:
    broken = Wire([block])
    conn = Dialling(broken, Wire([OK]))
    conn.request("GET", "/")
    with pytest.raises(error):
        conn.getresponse()
    assert broken.closed
    assert conn.sock is None
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"


def test_a_reset_in_the_head_closes_the_connection() -> None:
    conn = connection([b"HTTP/1.1 200", ConnectionResetError()])
    wire = conn.sock
    conn.request("GET", "/")
    with pytest.raises(ConnectionResetError):
        conn.getresponse()
    assert wire.closed


def test_getresponse_goes_on_after_a_timeout() -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
    block = interim + b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n\r\nok"
    events: list[Event] = []
    for i in range(len(block)):
        events += [block[i : i + 1], TimeoutError()]
    conn = connection(events, kept_open=True)
    conn.request("GET", "/")
    for _ in block:
        try:
            response = conn.getresponse()
            break
        except TimeoutError:
            continue
    assert response.getheaders() == [("a", "1"), ("content-length", "2")]
    assert conn.sock is not None


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 5\r\n\r\nhel",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 65536,
    ],
)
def test_after_a_broken_body_the_next_request_dials_anew(body: bytes) -> None:
    conn = Dialling(Wire([b"HTTP/1.1 200 OK\r\n" + body]), Wire([OK]))
    conn.request("GET", "/")
    response = conn.getresponse()
    with pytest.raises((IncompleteRead, LineTooLong)):
        response.read()
    conn.request("GET", "/")
    assert conn.wires == []
    assert conn.getresponse().read() == b"ok"


def test_after_a_reset_body_the_next_request_dials_anew() -> None:
    broken = Wire([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ConnectionResetError()])
    conn = Dialling(broken, Wire([OK]))
    conn.request("GET", "/")
    response = conn.getresponse()
    with pytest.raises(ConnectionResetError):
        response.read()
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"


@pytest.mark.parametrize("read", [0, 1])
def test_a_response_closed_before_its_end_is_not_read_as_the_next_one(read: int) -> None:
    conn = Dialling(Wire([OK + OK], kept_open=True), Wire([OK.replace(b"ok", b"so")]))
    conn.request("GET", "/")
    response = conn.getresponse()
    response.read(read)
    response.close()
    assert (response.isclosed(), response.read()) == (True, b"")
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"so"


def test_after_a_closed_response_a_request_already_sent_has_no_response() -> None:
    conn = Dialling(Wire([OK + OK]), Wire([OK]))
    conn.request("GET", "/1")
    first = conn.getresponse()
    conn.request("GET", "/2")
    first.close()
    with pytest.raises(ResponseNotReady):
        conn.getresponse()
    conn.request("GET", "/3")
    assert conn.getresponse().read() == b"ok"


def test_close_after_the_end_changes_nothing() -> None:
    conn = connection(OK, kept_open=True)
    conn.request("GET", "/")
    response = conn.getresponse()
    response.read()
    response.close()
    conn.sock.events = [EMPTY]
    conn.request("GET", "/")
    assert conn.getresponse().status == 200


def test_bytes_after_a_response_are_never_the_next_one() -> None:
    conn = Dialling(Wire([OK + b"HTTP/1.1 200 Evil\r\n\r\n"]), Wire([OK]))
    conn.request("GET", "/")
    assert conn.getresponse().read() == b"ok"
    conn.request("GET", "/")
    assert conn.getresponse().reason == "OK"
    assert conn.wires == []


def test_without_auto_open_leftovers_are_not_connected() -> None:
    conn = connection(OK + b"more")
    conn.request("GET", "/")
    conn.getresponse().read()
    conn.auto_open = 0
    with pytest.raises(NotConnected):
        conn.request("GET", "/")


def test_without_auto_open_nothing_is_dialled_and_the_connection_stays_idle() -> None:
    conn = HTTPConnection("127.0.0.1", 9)
    conn.auto_open = 0
    for _ in range(2):
        with pytest.raises(NotConnected) as caught:
            conn.request("GET", "/")
        assert caught.value.args == ()
    with pytest.raises(NotConnected):
        conn.send(b"x")
    with pytest.raises(ResponseNotReady):
        conn.getresponse()


def test_a_failed_dial_leaves_the_connection_idle() -> None:
    class Unreachable(Dialling):
        def connect(self) -> None:
            if not self.wires:
                raise ConnectionRefusedError
            super().connect()

    conn = Unreachable()
    with pytest.raises(ConnectionRefusedError):
        conn.request("GET", "/")
    conn.wires = [Wire([OK])]
    conn.request("GET", "/again")
    assert conn.getresponse().read() == b"ok"


class Full(Wire):
    """A server that answers early and takes no more."""

    def sendall(self, block: Any, flags: int = 0, /) -> None:
        assert block
        assert not flags
        raise BrokenPipeError


def test_an_early_response_can_be_read_after_an_error_while_sending() -> None:
    conn = connection(b"")
    conn.sock = Full([b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(BrokenPipeError):
        conn.request("POST", "/", b"x" * 100)
    with pytest.raises(CannotSendRequest):
        conn.request("GET", "/")
    assert conn.getresponse().status == 413


def test_an_early_response_can_be_read_while_a_file_is_sent() -> None:
    conn = connection(b"")
    conn.sock = Full([b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(BrokenPipeError):
        conn.request("POST", "/", io.BytesIO(b"x" * 100000))
    assert conn.getresponse().status == 413


def test_debuglevel_prints_what_is_sent_and_the_heads(capsys: pytest.CaptureFixture[str]) -> None:
    conn = connection(b"HTTP/1.1 100 Go\r\nX: y\r\n\r\nHTTP/1.1 200 \xe9\r\nA: \xe9\r\n\r\n")
    conn.set_debuglevel(1)
    conn.request("POST", "/", "abc")
    conn.getresponse()
    assert capsys.readouterr().out == (
        r"send: 'POST / HTTP/1.1\r\nHost: example.com\r\nAccept-Encoding: identity\r\n"
        r"Content-Length: 3\r\n\r\nabc'"
        "\n"
        r"reply: 'HTTP/1.1 100 Go\r\n'"
        "\nheader: X: y\r\n"
        r"reply: 'HTTP/1.1 200 \xe9\r\n'"
        "\nheader: A: \\xe9\r\n"
    )


def test_nothing_is_printed_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    conn = connection(OK)
    conn.request("GET", "/")
    conn.getresponse().read()
    assert capsys.readouterr().out == ""


def test_request_goes_through_the_overridable_calls() -> None:
    calls: list[Any] = []

    class Recording(Dialling):
        def connect(self) -> None:
            calls.append("connect")
            super().connect()

        def putrequest(self, method: str, url: str, **skips: object) -> None:  # type: ignore[override]  # as callers do
            calls.append(("putrequest", method, url, skips))
            super().putrequest(method, url, **skips)

        def putheader(self, header: str, *values: object) -> None:
            calls.append(("putheader", header, *values))
            super().putheader(header, *values)

        def endheaders(self, message_body: Any = None) -> None:
            calls.append(("endheaders", message_body))
            super().endheaders(message_body)

        def send(self, data: Any) -> None:
            calls.append("send")
            super().send(data)

    conn = Recording(Wire([OK]))
    conn.request("POST", "/", "x", {"Host": "h"})
    assert calls == [
        ("putrequest", "POST", "/", {"skip_host": 1}),
        ("putheader", "Accept-Encoding", "identity"),
        ("putheader", "Content-Length", "1"),
        ("putheader", "Host", "h"),
        ("endheaders", b"x"),
        "send",
        "connect",
    ]


def test_response_class_is_called_as_documented_by_use() -> None:
    calls: list[Any] = []

    class Mine(HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            calls.append((args[1:], kwargs))
            super().__init__(*args, **kwargs)

    for level, debug in ((0, ()), (1, (1,))):
        conn = connection(EMPTY, strict=1)
        conn.response_class = Mine
        conn.set_debuglevel(level)
        conn.request("PUT", "/")
        assert isinstance(conn.getresponse(), Mine)
        assert calls.pop() == (debug, {"strict": 1, "method": "PUT"})


def test_a_response_has_no_head_and_no_body_before_begin() -> None:
    response = HTTPResponse(Wire([OK]))
    for call in (response.getheaders, lambda: response.getheader("a"), response.read):
        with pytest.raises(ResponseNotReady):
            call()
    response.begin()
    assert (response.version, response.status, response.read()) == (11, 200, b"ok")
    assert response.getheader("Content-length") == "2"


def test_a_replaced_socket_is_read_from_its_start() -> None:
    conn = connection(OK + b"leftovers")
    conn.request("GET", "/")
    conn.getresponse().read()
    conn.sock = Wire([EMPTY])
    conn.request("GET", "/")
    assert conn.getresponse().read() == b""


def test_a_refused_request_after_a_read_response_leaves_the_connection_idle() -> None:
    conn = connection(OK, kept_open=True)
    conn.request("GET", "/1")
    conn.getresponse().read()
    with pytest.raises(TypeError):
        conn.request("POST", "/2", 5)
    conn.sock.events = [OK]
    conn.request("GET", "/3")
    assert conn.getresponse().read() == b"ok"


def test_the_state_is_shown() -> None:
    conn = connection(OK)
    assert repr(conn) == "<HTTPConnection example.com: idle>"
    conn.request("GET", "/")
    assert repr(conn) == "<HTTPConnection example.com: request sent>"
