"""A transcript is stable text: offsets, roles, visible line ends, no times and no ports."""

import pytest

from mockserver import Close, ConnectionRecord, Event, Record
from mockserver._record import Mask, lines_of


def test_text_is_shown_by_line_with_its_offsets() -> None:
    assert list(lines_of("<", 10, "request", b"GET /\r\nA:\tb\\\r\n")) == [
        "  <     10  request         GET /\\r\\n",
        "  <     17  request         A:\\tb\\\\\\r\\n",
    ]


def test_octets_that_are_no_text_are_dumped() -> None:
    assert list(lines_of(">", 0, "data", b"\x00A\xff" + b"B" * 14)) == [
        "  >      0  data            "
        "00 41 ff 42 42 42 42 42 42 42 42 42 42 42 42 42  |.A.BBBBBBBBBBBBB|",
        "  >     16  data            42                                               |B|",
    ]


def test_long_data_is_cut_short() -> None:
    *_, last = lines_of(">", 5, "fill", b"x" * 5000)
    assert last == "  >   4101  fill            … 904 bytes more"


def test_a_record_reads_like_a_story() -> None:
    events = (
        Event("<", 0, b"GET / HTTP/1.1\r\n\r\n", "request", 0),
        Event(">", 0, b"HTTP/1.1 200 OK\r\n", "status-line", 1),
        Event("note", 0, b"", "the client reset the connection", 2),
        Event("<", 18, b"more", "unread", -1),
    )
    one = ConnectionRecord(events, unplayed=(Close(),), after="kept", left=3)
    record = Record((one,), 1, ("it went wrong",), ("accept: no",), ("connection 1: not played",))
    assert record.transcript() == (
        "connection 1\n"
        "  <      0  request         GET / HTTP/1.1\\r\\n\n"
        "  <     16  request         \\r\\n\n"
        "  >      0  status-line     HTTP/1.1 200 OK\\r\\n\n"
        "  = the client reset the connection\n"
        "  <     18  unread          more\n"
        "  = client: kept, 3 bytes unread by it\n"
        "  - not played: close\n"
        "beyond the script: 1 connection, reset by the server\n"
        "problem: it went wrong\n"
        "unplayed: connection 1: not played\n"
        "error: accept: no\n"
    )


def test_an_empty_record_has_an_empty_transcript() -> None:
    assert Record().transcript() == ""


def test_octets_are_joined_from_the_events() -> None:
    events = (
        Event("<", 0, b"ab", "request", 0),
        Event(">", 0, b"xy", "data", 1),
        Event("<", 2, b"cd", "unread", -1),
    )
    one = ConnectionRecord(events)
    assert (one.received, one.sent, one.unread) == (b"abcd", b"xy", b"cd")


def test_only_the_lines_that_are_no_text_are_dumped() -> None:
    data = b"A: 1\r\nB: \xff\r\nC: 3\r\n"
    assert list(lines_of("<", 100, "request", data)) == [
        "  <    100  request         A: 1\\r\\n",
        "  <    106  request         42 3a 20 ff 0d 0a                                |B: ...|",
        "  <    112  request         C: 3\\r\\n",
    ]


@pytest.mark.parametrize(
    ("address", "text", "shown"),
    [
        (("127.0.0.1", 4711), "Host: 127.0.0.1:4711", "Host: 127.0.0.1:PORT"),
        (("127.0.0.1", 4711), "Host: LocalHost:4711", "Host: LocalHost:PORT"),
        (("::1", 4711), "GET http://[::1]:4711/ ", "GET http://[::1]:PORT/ "),
        (("127.0.0.1", 4711), "Host: 127.0.0.1:47110", "Host: 127.0.0.1:47110"),
        (("127.0.0.1", 4711), "Host: 127.0.0.1:471", "Host: 127.0.0.1:471"),
        (("127.0.0.1", 4711), "Host: 127.0.0.2:4711", "Host: 127.0.0.2:4711"),
        (("127.0.0.1", 4711), "Host: 2127.0.0.1:4711", "Host: 2127.0.0.1:4711"),
        (("127.0.0.1", 4711), "X: 4711", "X: 4711"),
        (None, "Host: 127.0.0.1:4711", "Host: 127.0.0.1:4711"),
    ],
)
def test_the_port_of_the_server_is_a_word(
    address: tuple[str, int] | None, text: str, shown: str
) -> None:
    assert Mask(address).text(text) == shown


def test_the_offsets_stay_those_of_the_octets() -> None:
    data = b"Host: 127.0.0.1:4711\r\nA: 1\r\n"
    assert list(lines_of("<", 0, "request", data, Mask(("127.0.0.1", 4711)))) == [
        "  <      0  request         Host: 127.0.0.1:PORT\\r\\n",
        "  <     22  request         A: 1\\r\\n",
    ]


def test_a_dump_shows_no_port_either() -> None:
    events = (Event("<", 0, b"127.0.0.1:47110\xff", "data", 0),)
    one = Record((ConnectionRecord(events),), address=("127.0.0.1", 47110))
    assert one.transcript() == (
        "connection 1\n"
        "  <      0  data            "
        "31 32 37 2e 30 2e 30 2e 31 3a 50 50 50 50 50 ff  |127.0.0.1:PPPPP.|\n"
    )


def test_the_port_is_hidden_in_problems_too() -> None:
    one = Record(problems=("no route for 127.0.0.1:4711",), address=("127.0.0.1", 4711))
    assert one.transcript() == "problem: no route for 127.0.0.1:PORT\n"


def test_a_transcript_can_be_compared_with_one_that_was_kept() -> None:
    one = Record((ConnectionRecord((Event("<", 0, b"GET\n", "data", 0),)),))
    assert one.difference(one.transcript()) == ""
    assert one.difference("connection 1\n  <      0  data            PUT\\n\n") == (
        "--- expected\n+++ seen\n@@ -1,2 +1,2 @@\n connection 1\n"
        "-  <      0  data            PUT\\n\n+  <      0  data            GET\\n\n"
    )
