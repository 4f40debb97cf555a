"""The key of a script: equal for the same behaviour on the wire, and only then."""

import dataclasses

import pytest

from conformance.cases import Case, script_key, swept
from conformance.tests.support import BY_ID
from mockserver import (
    Chunk,
    Close,
    Drain,
    Dribble,
    ExpectEof,
    Fill,
    LastChunk,
    Listener,
    Pause,
    ReadRequest,
    Reply,
    Script,
    Send,
    Shutdown,
    Stall,
    Starttls,
    Step,
    connection,
    script,
)

CASES = BY_ID
PLAIN = CASES["chunked.one-chunk"]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def key(*steps: Step, segments: bool = True, whole: Script | None = None) -> str:
    played = whole or script(connection(*steps))
    case = dataclasses.replace(PLAIN, script=played, session=None)
    return script_key(case, segments=segments)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((Send(ANSWER), Close()), (Reply(body=b"hi"), Close())),
        ((Send(b"ab"), Send(b"c")), (Send(b"a"), Send(b"bc"))),
        ((Chunk(b"hello"), LastChunk()), (Send(b"5\r\nhello\r\n0\r\n\r\n"),)),
        ((Send(b"a"), Stall()), (Send(b"a"),)),
        ((Send(b"a"), Close("abandon")), (Send(b"a"), ExpectEof())),
        ((Send(b"a"), Shutdown(), ExpectEof()), (Send(b"a"), Close())),
        ((Send(b"a"), Drain(), Close()), (Send(b"a"), Close())),
        ((Fill(3, b"x"),), (Send(b"xxx"),)),
        ((Dribble(b"ab"),), (Send(b"a"), Drain(), Send(b"b"), Drain())),
        (
            (Reply(framing="close", body=b"a"),),
            (Reply(framing="none", headers=((b"Connection", b"close"),), body=b"a"), Close()),
        ),
    ],
)
def test_the_same_behaviour_has_one_key(one: tuple[Step, ...], other: tuple[Step, ...]) -> None:
    assert key(ReadRequest(), *one) == key(ReadRequest(), *other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((Send(b"a"), Close()), (Send(b"b"), Close())),
        ((Send(b"a"), Close()), (Send(b"a"), Close("rst"))),
        ((Send(b"a"), Close()), (Send(b"a"),)),
        ((Send(b"a"), Close("rst")), (Send(b"a"),)),
        ((Send(b"a"), ReadRequest(), Send(b"b")), (Send(b"ab"), ReadRequest())),
        ((Send(b"a"), Pause(0.1), Send(b"b")), (Send(b"ab"),)),
        ((ReadRequest(), Send(b"a")), (Send(b"a"),)),
        ((Starttls(), Send(b"a")), (Send(b"a"),)),
        ((Starttls(), Send(b"a")), (Starttls(cert="expired"), Send(b"a"))),
        ((Send(b"ab"),), (Send(b"a"), Drain(), Send(b"b"))),
    ],
)
def test_other_behaviour_has_another_key(one: tuple[Step, ...], other: tuple[Step, ...]) -> None:
    assert key(*one) != key(*other)


def test_the_listener_is_part_of_the_key() -> None:
    refused = Script(listener=Listener("refuse"))
    assert key(whole=refused) != key(whole=Script(listener=Listener("accept_rst")))


def test_a_boundary_of_segments_counts_only_where_it_is_asked_for() -> None:
    one, other = (Send(b"ab"),), (Send(b"a"), Drain(), Send(b"b"))
    assert key(*one, segments=False) == key(*other, segments=False)


def test_a_connection_that_is_not_played_to_clients_does_not_count() -> None:
    again = dataclasses.replace(PLAIN.script, connections=PLAIN.script.connections * 2)
    assert script_key(PLAIN) == script_key(dataclasses.replace(PLAIN, script=again))


def test_a_case_has_the_key_of_its_client_profile_and_each_cut_its_own() -> None:
    by_setting: dict[str, Case] = {one.name: one for one in swept(PLAIN, "each")}
    assert script_key(by_setting[f"{PLAIN.id}@cut=bytes"]) != script_key(PLAIN)
