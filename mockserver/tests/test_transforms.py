"""Transforms break a well-formed script at one place, and leave the script itself alone."""

import json
import time
from typing import Any

import pytest

from mockserver import (
    TRANSFORMS,
    Chunk,
    Close,
    Dribble,
    EndHeaders,
    Fill,
    Header,
    LastChunk,
    MockServer,
    Part,
    ReadRequest,
    Record,
    Reply,
    Script,
    ScriptError,
    Send,
    Starttls,
    StatusLine,
    Tunnel,
    WritingStep,
    connection,
    cut_at,
    inject_at,
    marks,
    pause_at,
    pieces_of,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, is_reset, to_end

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
CHUNKED = script(
    connection(
        ReadRequest(),
        StatusLine(),
        Header(b"Transfer-Encoding", b"chunked"),
        EndHeaders(),
        Chunk(b"hello"),
        Chunk(b" world"),
        LastChunk(),
        Close(),
    )
)
WHOLE = HEAD + BODY
AT = {
    "status-line": 0,
    "field-line": 17,
    "field-line+5": 22,
    "chunk-size": len(HEAD),
    "chunk-size:2": len(HEAD) + 10,
    "chunk-size:2+1": len(HEAD) + 11,
    "chunk-data:2+3": len(HEAD) + 16,
    "chunk-end:2": len(HEAD) + 19,
    "last-chunk": len(HEAD) + 21,
    "end-of-trailers:1+2": len(WHOLE),
}


def answer(server: MockServer, connect: Connect, played: Script) -> bytes:
    return answered(server, connect, played)[0]


def answered(server: MockServer, connect: Connect, played: Script) -> tuple[bytes, Record]:
    one = server.play(played)
    client = connect(one.address)
    client.sendall(REQUEST)
    data = to_end(client)
    client.close()
    return data, one.finish()


def test_the_marks_of_a_response() -> None:
    assert marks(CHUNKED) == (
        *("status-line:1", "field-line:1", "end-of-head:1"),
        *("chunk-size:1", "chunk-data:1", "chunk-end:1"),
        *("chunk-size:2", "chunk-data:2", "chunk-end:2"),
        *("last-chunk:1", "end-of-trailers:1"),
    )


@pytest.mark.parametrize(("mark", "offset"), AT.items())
def test_a_mark_and_its_offset_are_the_same_place(
    server: MockServer, connect: Connect, mark: str, offset: int
) -> None:
    assert answer(server, connect, cut_at(CHUNKED, mark)) == WHOLE[:offset]
    assert answer(server, connect, cut_at(CHUNKED, offset)) == WHOLE[:offset]


def test_a_cut_at_every_offset(server: MockServer, connect: Connect) -> None:
    for offset in range(len(WHOLE) + 1):
        data, record = answered(server, connect, cut_at(CHUNKED, offset))
        assert data == WHOLE[:offset]
        assert record.complaints() == ()


def test_a_cut_by_a_reset_comes_behind_the_octets(server: MockServer, connect: Connect) -> None:
    for _ in range(50):
        one = server.play(cut_at(CHUNKED, "chunk-data:2+3", "rst"))
        client = connect(one.address)
        client.sendall(REQUEST)
        data = b""
        while len(data) < AT["chunk-data:2+3"]:
            data += client.recv(1000)
        assert is_reset(client)
        assert one.finish().complaints() == ()


def test_octets_injected_at_every_offset(server: MockServer, connect: Connect) -> None:
    for offset in range(len(WHOLE) + 1):
        data = answer(server, connect, inject_at(CHUNKED, offset, b"!?"))
        assert data == WHOLE[:offset] + b"!?" + WHOLE[offset:]


def test_the_pieces_keep_their_roles(server: MockServer, connect: Connect) -> None:
    _, record = answered(server, connect, inject_at(CHUNKED, "chunk-data:1+2", b"!"))
    events = [event for event in record.connections[0].events if event.direction == ">"]
    assert [(event.role, event.data) for event in events[3:8]] == [
        ("chunk-size", b"5\r\n"),
        ("chunk-data", b"he"),
        ("data", b"!"),
        ("chunk-data", b"llo"),
        ("chunk-end", b"\r\n"),
    ]


def test_a_pause_at_a_mark(server: MockServer, connect: Connect) -> None:
    started = time.monotonic()
    assert answer(server, connect, pause_at(CHUNKED, "chunk-size:2", 0.1)) == WHOLE
    assert time.monotonic() - started >= 0.1


STEPS: list[WritingStep] = [
    Send(b"abcdef"),
    Reply(body=b"abcdef"),
    Reply(body=b"abcdef", framing="close"),
    Reply(body=b"abcdef", framing="chunked"),
    Dribble(b"abcdef", 2),
    Fill(6, b"abcdef"),
]


@pytest.mark.parametrize("step", STEPS)
def test_every_kind_of_step_can_be_taken_apart(
    server: MockServer, connect: Connect, step: WritingStep
) -> None:
    closes = () if step == Reply(body=b"abcdef", framing="close") else (Close(),)
    played = script(connection(ReadRequest(), step, *closes))
    whole = b"".join(piece.data for piece in pieces_of(step))
    for offset in {0, 1, 3, len(whole) // 2, len(whole)}:
        data, record = answered(server, connect, inject_at(played, offset, b"!"))
        assert data == whole[:offset] + b"!" + whole[offset:]
        assert record.complaints() == ()
        assert answer(server, connect, cut_at(played, offset)) == whole[:offset]


def test_the_answer_of_a_tunnel_can_be_taken_apart(server: MockServer, connect: Connect) -> None:
    tunnel = script(connection(Tunnel(), Send(b"x"), Close()))
    assert answer(server, connect, inject_at(tunnel, 8, b"!")) == b"HTTP/1.1! 200 OK\r\n\r\nx"
    inside = inject_at(script(connection(Tunnel(), Starttls(), Send(b"x"))), "status-line+8", b"!")
    assert isinstance(inside.connections[0].steps[3], Starttls)


def test_a_bulk_body_is_not_held_in_memory(server: MockServer, connect: Connect) -> None:
    played = cut_at(script(connection(ReadRequest(), Fill(1 << 30), Close())), 100_000)
    assert answer(server, connect, played) == b"x" * 100_000


def test_only_one_connection_or_route_is_changed() -> None:
    played = script(connection(Send(b"a")), connection(Send(b"b")))
    changed = cut_at(played, 0, connection=2)
    assert changed.connections[0] == played.connections[0]
    assert changed.connections[1].steps == (Close(),)
    routed = cut_at(script(route(Reply()), route(Send(b"b"))), 1, route=2)
    assert routed.routes[0].steps == (Reply(),)
    assert routed.routes[1].steps[-1] == Close()


def test_the_script_itself_stays_as_it_is() -> None:
    before = script(*CHUNKED.connections)
    cut_at(CHUNKED, 20)
    assert before == CHUNKED


def test_a_transform_can_be_written_down_as_data() -> None:
    data = json.loads('["cut_at", {"at": "chunk-size:2", "how": "rst"}]')
    assert TRANSFORMS[data[0]](CHUNKED, **data[1]) == cut_at(CHUNKED, "chunk-size:2", "rst")
    assert {name: function.__name__ for name, function in TRANSFORMS.items()} == {
        name: name for name in ("cut_at", "inject_at", "pause_at")
    }


def test_transforms_can_follow_each_other(server: MockServer, connect: Connect) -> None:
    twice = cut_at(inject_at(CHUNKED, "chunk-size:2", b"!"), "chunk-data:2+1")
    assert answer(server, connect, twice) == WHOLE[: len(HEAD) + 10] + b"!6\r\n "


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (-1, "-1 is not within the 73 bytes"),
        (74, "74 is not within the 73 bytes"),
        ("chunk-size:3", "there is no 'chunk-size:3', only status-line:1, "),
        ("trailer", "there is no 'trailer:1'"),
        ("chunk-data:1+6", "'chunk-data:1' has 5 bytes"),
        ("chunk-size:0", "a mark is like"),
        ("chunk size", "a mark is like"),
        ("chunk-size:2\n", "a mark is like"),
    ],
)
def test_a_place_that_does_not_exist_is_refused(at: int | str, message: str) -> None:
    with pytest.raises(ScriptError, match=message.replace("+", r"\+")):
        cut_at(CHUNKED, at)


def test_a_connection_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScriptError, match="connection: the script has 1, so there is no number 2"):
        cut_at(CHUNKED, 0, connection=2)
    with pytest.raises(ScriptError, match="route: the script has 0, so there is no number 1"):
        cut_at(CHUNKED, 0, route=1)


def test_what_writes_nothing_has_no_place() -> None:
    with pytest.raises(ScriptError, match="nothing is written here"):
        cut_at(script(connection(ReadRequest())), 0)


def test_a_part_is_one_of_a_writing_step() -> None:
    with pytest.raises(ScriptError, match="part: whole must be WritingStep"):
        Part(ReadRequest())  # type: ignore[arg-type]  # what a script may get wrong


@pytest.mark.parametrize("framing", ["length", "close"])
def test_the_delay_of_a_reply_stays_before_it(framing: Any) -> None:
    reply = Reply(body=b"hello", delay=2, framing=framing)
    cut = cut_at(reply, "body+2").routes[0].steps
    paused = inject_at(reply, 0, b"x").routes[0].steps
    assert [step.step_name for step in cut] == ["pause", "part", "close"]
    names = ["send", "reply"] if framing == "length" else ["send", "pause", "part", "close"]
    assert [step.step_name for step in paused] == names


def test_a_reply_or_a_route_is_a_script_too() -> None:
    reply = Reply(body=b"hello")
    meant = cut_at(script(route(reply)), "body+2", route=1)
    assert cut_at(reply, "body+2") == cut_at(route(reply), "body+2") == meant
