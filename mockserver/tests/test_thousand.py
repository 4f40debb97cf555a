"""Every step, a thousand times against a plain socket, with no wrong outcome.

A reset is a reset, an end is an end, and what `drain` promises to be one read is one read: each
client below says what it must see, and looks at it in every one of its thousand connections.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from certs import CertificateAuthority
from mockserver import (
    Chunk,
    Close,
    Dispatch,
    Drain,
    Dribble,
    EndHeaders,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Fill,
    Garbage,
    Gate,
    Goto,
    Header,
    Interim,
    Label,
    LastChunk,
    Listener,
    MockServer,
    Pause,
    Read,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Record,
    Reply,
    Send,
    Shutdown,
    Signal,
    Stall,
    Starttls,
    StatusLine,
    Step,
    TlsFault,
    Tunnel,
    WritingStep,
    connection,
    pieces_of,
    route,
    script,
)
from mockserver.tests.support import REQUEST, VOCABULARY, each_read, exactly, is_reset, to_end

TIMES = 1000
AT_ONCE = 250
"""Connections of one play: a play holds those that its script does not end."""
Client = Callable[[socket.socket], bool]


class Kind(NamedTuple):
    """Steps, and a client that tells whether it has seen what it must."""

    steps: tuple[Step, ...]
    sees: Client


def asks_and_gets(expected: bytes) -> Client:
    def client(sock: socket.socket) -> bool:
        sock.sendall(REQUEST)
        return to_end(sock) == expected

    return client


def sends_and_gets(sent: bytes, expected: bytes) -> Client:
    def client(sock: socket.socket) -> bool:
        sock.sendall(sent)
        return to_end(sock) == expected

    return client


def reads_are(*expected: bytes) -> Client:
    def client(sock: socket.socket) -> bool:
        return each_read(sock) == list(expected)

    return client


def ends_and_gets(sent: bytes, expected: bytes) -> Client:
    def client(sock: socket.socket) -> bool:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        return to_end(sock) == expected

    return client


def gets_and_is_reset(sock: socket.socket) -> bool:
    sock.sendall(REQUEST)
    return exactly(sock, 5) == b"hello" and is_reset(sock)


def is_left_alone(sock: socket.socket) -> bool:
    return exactly(sock, 1) == b"x" and not select.select([sock], [], [], 0)[0]


def waits(sock: socket.socket) -> bool:
    started = time.monotonic()
    sock.sendall(REQUEST)
    return to_end(sock) == b"x" and time.monotonic() - started >= 0.001


def gets_an_end_and_sends(sock: socket.socket) -> bool:
    ended = sock.recv(1) == b""
    sock.sendall(b"hi")
    return ended


def resets(sock: socket.socket) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def asks_twice(sock: socket.socket) -> bool:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    for _ in range(2):
        sock.sendall(REQUEST)
        if exactly(sock, len(answer)) != answer:
            return False
    return sock.recv(1) == b""


def asks(sock: socket.socket) -> bool:
    sock.sendall(REQUEST)
    return True


def says_nothing(_: socket.socket) -> bool:
    return True


def writes(*steps: WritingStep) -> Kind:
    """A client that gets exactly the octets of these steps."""
    octets = b"".join(piece.data for piece in pieces_of(*steps))
    return Kind((ReadRequest(), *steps, Close()), asks_and_gets(octets))


CHUNKED = (StatusLine(), Header(b"Transfer-Encoding", b"chunked"), EndHeaders())
KINDS: dict[str, Kind] = {
    "send": writes(Send(b"exactly this")),
    "reply": writes(Reply(404, body=b"none")),
    "reply-chunked": writes(Reply(body=b"hello", framing="chunked")),
    "reply-close": Kind(
        (ReadRequest(), Reply(body=b"hello", framing="close")),
        asks_and_gets(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"),
    ),
    "head": writes(StatusLine(b"HTTP/1.1 299 Odd"), Header(b"A", b"b", b":"), EndHeaders(b"\n")),
    "interim": writes(Interim(103, times=3), Reply()),
    "chunk": writes(*CHUNKED, Chunk(b"hello", size=b"0x5"), LastChunk(trailers=((b"T", b"1"),))),
    "fill": writes(Fill(100_000, b"ab")),
    "garbage": writes(Garbage(1000, seed=7)),
    "dribble": Kind((Dribble(b"abc"), Close()), reads_are(b"a", b"b", b"c")),
    "drain": Kind(
        (Send(b"a" * 90), Drain(), Send(b"b" * 90), Drain(), Close()),
        reads_are(b"a" * 90, b"b" * 90),
    ),
    "read_request": Kind(
        (ReadRequest(), Close()),
        sends_and_gets(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b""),
    ),
    "read": Kind((Read(5), Send(b"ok"), Close()), sends_and_gets(b"hello", b"ok")),
    "read_until": Kind((ReadUntil(b"lo"), Send(b"ok"), Close()), sends_and_gets(b"hello", b"ok")),
    "read_eof": Kind((ReadEof(), Send(b"ok"), Close()), ends_and_gets(b"hello", b"ok")),
    "expect": Kind(
        (ReadRequest(), Expect(method="GET", target="/", connection="new"), Close()),
        asks_and_gets(b""),
    ),
    "expect_eof": Kind((ExpectEof(),), says_nothing),
    "expect_reset": Kind((ExpectReset(),), resets),
    "expect_no_bytes": Kind((ExpectNoBytes(),), says_nothing),
    "pause": Kind((ReadRequest(), Pause(0.001), Send(b"x"), Close()), waits),
    "stall": Kind((ReadRequest(), Stall()), asks),
    "shutdown": Kind((Shutdown(), Read(2)), gets_an_end_and_sends),
    "close-fin": Kind((ReadRequest("none"), Close("fin")), asks_and_gets(b"")),
    "close-rst": Kind((ReadRequest(), Send(b"hello"), Drain(), Close("rst")), gets_and_is_reset),
    "close-abandon": Kind((Send(b"x"), Close("abandon")), is_left_alone),
    "goto": Kind(
        (Label("again"), ReadRequest(), Reply(body=b"a"), Goto("again"), Close()), asks_twice
    ),
    "tunnel": Kind(
        (Tunnel(), Send(b"inside"), Close()),
        sends_and_gets(b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\ninside"),
    ),
}
ELSEWHERE: set[type[Step]] = {Gate, Signal, Dispatch, Starttls, TlsFault}
"""The steps of the tests below, which need more than one client that is a plain socket."""


def test_every_step_of_the_vocabulary_is_played() -> None:
    played = {type(step) for kind in KINDS.values() for step in kind.steps} | ELSEWHERE
    assert {step.step_name for step in played} >= VOCABULARY


def dialled(server: MockServer) -> socket.socket:
    sock = socket.create_connection(server.address, timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def each(server: MockServer, steps: tuple[Step, ...], client: Client) -> list[Record]:
    """Let a thousand clients come, one after the other; the records of what they met."""
    records = []
    for _ in range(TIMES // AT_ONCE):
        play = server.play(script(connection(*steps, times=AT_ONCE)))
        for number in range(AT_ONCE):
            with dialled(server) as sock:
                assert client(sock), number
        records.append(play.finish())
    return records


@pytest.mark.parametrize("name", KINDS)
def test_a_step_comes_out_right_a_thousand_times(server: MockServer, name: str) -> None:
    for record in each(server, *KINDS[name]):
        assert record.complaints() == ()


def test_a_gate_opens_at_its_signal(server: MockServer) -> None:
    pair = (
        connection(Gate("go"), Send(b"gone"), Close()),
        connection(Signal("go"), Send(b"given"), Close()),
    )
    for _ in range(TIMES):
        play = server.play(script(*pair))
        with dialled(server) as first:
            assert not select.select([first], [], [], 0)[0]
            with dialled(server) as second:
                assert (to_end(second), to_end(first)) == (b"given", b"gone")
        assert play.finish().complaints() == ()


def test_requests_are_dispatched(server: MockServer) -> None:
    play = server.play(script(route(Reply(body=b"a")), route(Reply(), times=TIMES)))
    with dialled(server) as sock:
        for number in range(TIMES + 1):
            sock.sendall(REQUEST)
            length = 39 if number == 0 else 38
            assert len(exactly(sock, length)) == length
    assert play.finish().complaints() == ()


def test_handshakes(server: MockServer, authority: CertificateAuthority) -> None:
    context = authority.client_context()

    def client(sock: socket.socket) -> bool:
        with context.wrap_socket(sock, server_hostname="127.0.0.1") as one:
            one.sendall(REQUEST)
            return to_end(one) == b"welcome"

    steps = (Starttls(), ReadRequest(), Send(b"welcome"), Close())
    for record in each(server, steps, client):
        assert record.complaints() == ()


HELLO = bytes.fromhex("16 03 01 00 04") + b"\x01\0\0\0"


@pytest.mark.parametrize(
    ("fault", "octets"),
    [("plaintext", b"in clear"), ("alert", bytes.fromhex("15 03 03 00 02 02 28"))],
)
def test_faults_in_place_of_a_handshake(server: MockServer, fault: str, octets: bytes) -> None:
    step = TlsFault("plaintext", octets) if fault == "plaintext" else TlsFault("alert")
    for record in each(server, (step,), sends_and_gets(HELLO, octets)):
        assert record.complaints() == ()


def test_listeners_that_refuse(server: MockServer) -> None:
    play = server.play(script(listener=Listener("refuse")))
    for _ in range(TIMES):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(play.address)
    play.finish()


def test_listeners_that_reset(server: MockServer) -> None:
    play = server.play(script(listener=Listener("accept_rst")))
    for _ in range(TIMES):
        with pytest.raises(ConnectionResetError), dialled(server) as sock:
            sock.recv(1)
    assert play.finish().complaints() == ()
