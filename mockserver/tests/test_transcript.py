"""A transcript is stable text: offsets, roles, visible line ends, no times and no ports."""

from mockserver import Close, ConnectionRecord, Event, Record
from mockserver._transcript import lines_of


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
    assert last == "  >   4101  fill            … 904 octets more"


def test_a_record_reads_like_a_story() -> None:
    events = (
        Event("<", 0, b"GET / HTTP/1.1\r\n\r\n", "request", 0),
        Event(">", 0, b"HTTP/1.1 200 OK\r\n", "status-line", 1),
        Event("note", 0, b"", "the client reset the connection", 2),
        Event("<", 18, b"more", "unread", -1),
    )
    one = ConnectionRecord(events, unplayed=(Close(),), after="kept", left=3)
    record = Record((one,), 1, ("connection 1, step 3 (close): not played",), ("accept: no",))
    assert record.transcript() == (
        "connection 1\n"
        "  <      0  request         GET / HTTP/1.1\\r\\n\n"
        "  <     16  request         \\r\\n\n"
        "  >      0  status-line     HTTP/1.1 200 OK\\r\\n\n"
        "  = the client reset the connection\n"
        "  <     18  unread          more\n"
        "  = client: kept, 3 octets unread by it\n"
        "  - not played: close\n"
        "beyond the script: 1 connections, reset\n"
        "problem: connection 1, step 3 (close): not played\n"
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
