"""Every fast way against the slow one that it stands in for: on any bytes they agree."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httplib_impl import IncompleteRead
from httplib_impl._chunked import DATA_END, SIZE_LINE, chunked_needs
from httplib_impl._fast import plain_head, whole_chunks
from httplib_impl._framing import LENGTH, is_persistent, message_framing
from httplib_impl._head import Head
from httplib_impl._headers import Fields, parse_fields
from httplib_impl._reader import Reader
from httplib_impl._request import field_line, request_line
from httplib_impl.tests.exchanges import STARTS, WORDS
from httplib_impl.tests.support import DETERMINISTIC, Wire

QUICK = settings(DETERMINISTIC, max_examples=300)
LINE_PARTS = st.sampled_from([word for word in WORDS if len(word) < 40]) | st.binary(max_size=3)
STREAM = st.lists(LINE_PARTS, max_size=16).map(b"".join)
HEAD = st.tuples(st.sampled_from([*STARTS, b"", b"HTTP/1.1 404 Not\r\n"]), STREAM).map(b"".join)

FRAMING_NAMES = [
    *(b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"transfer-encoding")
]


@pytest.mark.parametrize("strict", [True, False])
@QUICK
@given(HEAD)
@example(b"HTTP/1.1 200 OK\r\n\nContent-Length: 5\r\n\r\n")
@example(b"HTTP/1.1 200 OK\n\r\nContent-Length: 5\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nA: b\n\nContent-Length: 5\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nA: b\n\r\nContent-Length: 5\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nA: b\r\n content-length: 5\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100 + b"\r\n")
@example(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n")
@example(b"HTTP/1.1 200 OK\r\n" + b"a\n" * 101 + b"\r\n")
@example(b"HTTP/1.1 200 " + b"x" * 65521 + b"\r\n\r\n")
@example(b"HTTP/1.1 200 " + b"x" * 65522 + b"\r\n\r\n")
def test_a_plain_head_is_what_line_by_line_gives(strict: bool, raw: bytes) -> None:
    found, end = plain_head(raw, 0)
    if found is None:
        assert end == 0
        return
    line, block, fields, length = found
    wire = Wire([raw])
    reader = Reader(wire)
    head = Head(strict)
    slow = head.read(reader)
    assert (line.version, line.status, line.reason) == (slow.version, slow.status, slow.reason)
    assert (block, True, False) == (head.block, head.whole, slow.is_body)
    if length is None:
        assert framing_values(fields) == framing_values(parse_fields(block)[0])
    assert reader.exactly(len(raw)) == raw[end:]


def framing_values(fields: Fields) -> Fields:
    return {name: fields[name] for name in FRAMING_NAMES if name in fields}


@pytest.mark.parametrize(
    "raw", [STARTS[1], b"HTTP/1.1 499 Own\r\nA: b\r\n\r\n", b"HTTP/1.0 200\r\n\r\n"]
)
def test_a_head_as_servers_send_it_is_plain(raw: bytes) -> None:
    assert plain_head(raw, 0)[0] is not None


@QUICK
@given(STREAM)
@example(b"content-length: 5\r\n")
@example(b"Content-Length: 0005\r\n")
@example(b"Keep-Alive: 5\r\n")
@example(b"A: b\r\nContent-LENGTH:\x0b 6\r\n")
@example(b"content-length : 5\r\nX: content-length: 6\r\n")
@example(b"\xc4\xb1content-length: 5\r\nproxy-connection:\r\n")
@example(b"Content-Length: 5\r\nContent-Length: 5\r\n")
@example(b"Content-Length: 5, 5\r\n")
@example(b"Content-Length: 5\r\nConnection: close\r\n")
@example(b"Content-Length: " + b"9" * 401 + b"\r\n")
def test_the_fields_of_a_plain_head_frame_as_all_fields_do(block: bytes) -> None:
    found, _ = plain_head(b"HTTP/1.1 200 OK\r\n" + block + b"\r\n\r\n", 0)
    if found is None:
        return
    _, block, fields, length = found
    values, _ = parse_fields(block)
    if length is None:
        assert framing_values(fields) == framing_values(values)
    else:
        assert message_framing("GET", 200, values) == (LENGTH, length, True)
        assert is_persistent(11, values)
        assert not is_persistent(10, values)
        assert b"transfer-encoding" not in values


CHUNKS = st.lists(
    st.sampled_from([b"5\r\nhello\r\n", b"1\r\n.\r\n", b"1f\r\n" + b"x" * 31 + b"\r\n"])
    | st.sampled_from([b"005;a=b\r\nhello\r\n", b"6 \r\nhello!\r\n", b"4000\r\n" + b"y" * 16386])
    | st.sampled_from([b"0\r\n\r\n", b"5\r\nhelloXX", b"5\nhello\r\n", b"\r\n", b"5\r\n", b"z\r\n"])
    | st.binary(max_size=3),
    max_size=30,
).map(b"".join)


def slow_chunks(buffer: bytes, start: int = 0) -> tuple[bytes, int]:
    """The whole chunks from `start` on, taken one want at a time."""
    data, needs = b"", chunked_needs()
    assert next(needs) is SIZE_LINE
    while True:
        after = buffer.find(b"\n", start) + 1
        try:
            size = needs.send(buffer[start:after])
            if not isinstance(size, int) or not after or after + size > len(buffer):
                return data, start
            piece = buffer[after : after + size]
            assert needs.send(b"") is DATA_END
            needs.send(buffer[after + size : after + size + 2])
        except IncompleteRead:
            return data, start
        data, start = data + piece, after + size + 2


@QUICK
@given(CHUNKS)
@example(b"5\r\nhello\r\n" * 10 + b"5\r\nhelloXX")
@example(b"5\r\nhello\r\n" * 10 + b"6\r\nhello!\r\n" * 10)
@example(b"5\r\nhello\r\n" + b"0005\r\nhello\r\n" * 3)
@example(b"5\r\nhello\r\n" * 3 + b"5\n\nhello\r\n" * 3)
@example(b"5\r\nhello\r\n" * 3 + b"6\r\nhello\r\n" + b"5\r\nhello\r\n")
@example(b"5\r\nhello\r\n" * 40 + b"5\r\nhelloX\n" + b"5\r\nhello\r\n" * 40)
@example(b"5\r\nhello\r\n" * 40 + b"5\r\nhello\rX" + b"5\r\nhello\r\n" * 40)
@example(b"5\r\nhello\r\n" * 40 + b"5X\nhello\r\n" + b"5\r\nhello\r\n" * 40)
@example(b"5\r\nhello\r\n" * 40 + b"5\rXhello\r\n" + b"5\r\nhello\r\n" * 40)
@example(b"5\r\nhello\r\n" * 40 + b"4\r\nhello\r\n" + b"5\r\nhello\r\n" * 40)
@example(b"0\r\n\r\n" * 3)
@example(b"1\r\na\r\n0\r\n\r\n0\r\n\r\n")
def test_whole_chunks_are_a_beginning_of_what_the_decoder_gives(buffer: bytes) -> None:
    pieces, end = whole_chunks(buffer, 0)
    data, slow_end = slow_chunks(buffer)
    raw = b"".join(pieces)
    assert data.startswith(raw)
    assert end <= slow_end
    assert slow_chunks(buffer[:end]) == (raw, end)


def all_pieces(buffer: bytes) -> tuple[list[bytes | memoryview], int]:
    """What repeated calls decode, up to the one that decodes nothing."""
    pieces, end = whole_chunks(buffer, 0)
    found, all_of_them = pieces, list(pieces)
    while found:
        found, end = whole_chunks(buffer, end)
        all_of_them += found
    return all_of_them, end


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\r\nhello\r\n" * 5000,
        b"5\r\nhello\r\n" * 10 + b"1\r\n.\r\n" + b"1f\r\n" + b"x" * 31 + b"\r\n",
        b"6\r\na\r\nb\r\n\r\n5\r\nhello\r\n" * 9,
        b"400\r\n" + b"z" * 1024 + b"\r\n7f\r\n" + b"y" * 127 + b"\r\n",
    ],
    ids=["equal", "small", "with line ends", "large and small"],
)
def test_usual_chunks_are_all_taken(chunks: bytes) -> None:
    pieces, end = all_pieces(chunks + b"0\r\n\r\n")
    assert (b"".join(pieces), end) == (slow_chunks(chunks)[0], len(chunks))


def test_large_chunks_are_taken_without_a_copy() -> None:
    chunk = b"4000\r\n" + b"y" * 0x4000 + b"\r\n"
    pieces, end = all_pieces(chunk * 5 + b"4000\r\nyy")
    assert (b"".join(pieces), end) == (b"y" * 0x4000 * 5, 5 * len(chunk))
    assert {type(piece) for piece in pieces} == {memoryview}


TEXT = st.text(st.sampled_from("aZ09-: _\t\r\n\x00\x7f\x85\xa0éК!") | st.characters(), max_size=6)


@QUICK
@given(TEXT, TEXT)
@example("X", "a\tb")
@example("X-", "")
@example("-", "a")
@example("Ⅷ", "a")
def test_a_field_that_needs_no_closer_look_is_built_all_the_same(name: str, value: str) -> None:
    """Bytes always get the closer look, text does not always."""

    def built(name: str, value: object, *more: object) -> object:
        try:
            return field_line(name, (value, *more))
        except ValueError:
            return "refused"

    slow = built(name, value, b"x")  # with two values
    assert built(name, value) == (
        slow.removesuffix(b"\r\n\tx") if isinstance(slow, bytes) else slow
    )


@QUICK
@given(TEXT)
def test_a_method_of_letters_is_a_token(method: str) -> None:
    token = set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    try:
        request_line(method, "/", "HTTP/1.1")
        accepted = True
    except ValueError:
        accepted = False
    assert accepted == (bool(method) and set(method) <= token)
