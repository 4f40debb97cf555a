"""An order of steps that cannot be played is refused, by the numbers of connection and step."""

import re
from typing import Any

import pytest

from mockserver import (
    Close,
    Connection,
    Dispatch,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Goto,
    Label,
    Listener,
    MockServer,
    Pause,
    Read,
    ReadEof,
    ReadRequest,
    Reply,
    Script,
    ScriptError,
    Send,
    Shutdown,
    Starttls,
    Step,
    TlsFault,
    Tunnel,
    connection,
    fault_on,
    route,
    script,
)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((Close(), Send(b"x")), "step 2 (send): the connection is closed by then"),
        ((Close("abandon"), Pause(0)), "step 2 (pause): the connection is closed by then"),
        ((Reply(framing="close"), Close()), "step 2 (close): the connection is closed by then"),
        ((ExpectReset(), Send(b"x")), "step 2 (send): the connection is closed by then"),
        ((Shutdown(), Send(b"x")), "step 2 (send): writing is shut down by then"),
        ((Shutdown(), Reply()), "step 2 (reply): writing is shut down by then"),
        ((ReadEof(), Read(1)), "step 2 (read): the client's stream has ended by then"),
        (
            (ExpectEof(), ReadRequest()),
            "step 2 (read_request): the client's stream has ended by then",
        ),
        (
            (ReadEof(), ExpectNoBytes()),
            "step 2 (expect_no_bytes): the client's stream has ended by then",
        ),
        ((Read(1), Expect()), "step 2 (expect): no request has been read by then"),
        (
            (ReadRequest(), Starttls()),
            "step 2 (starttls): must be the first step, or inside a tunnel",
        ),
        ((Starttls(), Tunnel(), Starttls()), "step 3 (starttls): TLS is spoken already"),
        ((Tunnel(407), Starttls()), "step 2 (starttls): a status of 407 opens no tunnel"),
        ((TlsFault("half-record"),), "step 1 (tls_fault): TLS is not spoken yet"),
        ((Starttls(), TlsFault("alert")), "step 2 (tls_fault): TLS is spoken already"),
        (
            (ReadRequest(), TlsFault("plaintext")),
            "step 2 (tls_fault): must be the first step, or inside a tunnel",
        ),
        ((TlsFault("alert"), Close()), "step 2 (close): the connection is closed by then"),
        ((Goto("a"),), "step 1 (goto): there is no label 'a' before it"),
        ((Goto("a"), Label("a")), "step 1 (goto): there is no label 'a' before it"),
        ((Label("a"), Label("a")), "step 2 (label): there is such a label already"),
        (
            (Label("a"), Send(b"x"), Goto("a", None)),
            "step 3 (goto): what repeats without end must read",
        ),
        (
            (Label("a"), ReadEof(), Goto("a")),
            "step 3 (goto): goes back to read_eof, but the client's stream has ended by then",
        ),
        (
            (Label("a"), Send(b"x"), Shutdown(), Goto("a")),
            "step 4 (goto): goes back to send, but writing is shut down by then",
        ),
        ((Dispatch(), Close()), "step 2 (close): the requests are dispatched from there on"),
    ],
)
def test_a_misplaced_step_is_refused(steps: tuple[Step, ...], message: str) -> None:
    with pytest.raises(ScriptError, match=f"^{re.escape('connection 2, ' + message)}$"):
        script(connection(ReadRequest()), connection(*steps))


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Starttls(), ReadRequest(), Reply()),
        (Tunnel(), Starttls(), ReadRequest(), Expect(), Close()),
        (Tunnel(data=b"HTTP/1.0 200 go\r\n\r\n"), Starttls()),
        (Tunnel(407), ReadRequest()),
        (Tunnel(), Expect(method="CONNECT")),
        (Shutdown(), ReadEof(), Close()),
        (ReadEof(), Send(b"x"), Close()),
        (Label("a"), Label("b"), ReadRequest(), Reply(), Goto("b", 2), Goto("a", 3), Close()),
        (Label("a"), ReadRequest(optional=True), Reply(), Goto("a", None)),
        (TlsFault("cut-hello"),),
        (Tunnel(), TlsFault("plaintext")),
        (Starttls(), ReadRequest(), TlsFault("flipped-bit")),
    ],
)
def test_a_sound_order_is_taken(steps: tuple[Step, ...]) -> None:
    assert script(connection(*steps)).connections == (Connection(steps),)


def test_what_is_no_step_is_refused() -> None:
    wrong: Any = ("send",)
    with pytest.raises(ScriptError, match="connection 1, step 1: must be a step, not 'send'"):
        Script((Connection(wrong),))


def test_what_is_no_connection_is_refused() -> None:
    wrong: Any = (Close(),)
    with pytest.raises(ScriptError, match=r"script: got a list; write script\(\*parts\)"):
        script(wrong)


def test_an_unknown_listener_mode_is_refused() -> None:
    wrong: Any = "ignore"
    with pytest.raises(ScriptError, match="listener: mode must be"):
        Listener(wrong)


def test_a_refusing_listener_has_no_connections() -> None:
    with pytest.raises(ScriptError, match="a script that refuses has no connections"):
        script(connection(), listener=Listener("refuse"))


def test_tls_without_a_provider_is_refused_before_it_is_played() -> None:
    with MockServer() as server, pytest.raises(ScriptError, match="no TLS provider"):
        server.play(script(connection(Starttls())))


def test_equal_scripts_are_equal_values() -> None:
    assert script(connection(Send(b"x"))) == Script((Connection((Send(b"x"),)),))


@pytest.mark.parametrize("mode", ["refuse", "connect_stall", "accept_rst"])
def test_a_listener_that_plays_nothing_has_no_connections(mode: Any) -> None:
    with pytest.raises(ScriptError, match="has no connections"):
        script(connection(), listener=Listener(mode))


def test_a_receive_buffer_holds_something() -> None:
    with pytest.raises(ScriptError, match="receive_buffer"):
        Listener(receive_buffer=0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((connection(Dispatch()),), "need each other"),
        ((connection(ReadRequest()), route(Reply())), "need each other"),
        ((connection(times=None), connection()), "connection 1: its times leave nothing"),
        ((connection(optional=True), connection()), "connection 1: is optional, and the next"),
        ((route(Close(), Reply()),), r"route 1, step 2 \(reply\): the connection is closed"),
        ((route(Dispatch()),), r"route 1, step 1 \(dispatch\): a route cannot dispatch"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts: Any, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        script(*parts)


@pytest.mark.parametrize("make", [connection, route])
def test_nothing_happens_less_than_once(make: Any) -> None:
    with pytest.raises(ScriptError, match="times must be at least 1"):
        make(Reply(), times=0)


def test_there_is_no_request_before_the_first() -> None:
    with pytest.raises(ScriptError, match="n must be at least 1"):
        fault_on(0, Close())
