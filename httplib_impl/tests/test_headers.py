from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httplib_impl import HTTPException, HTTPMessage, LineTooLong
from httplib_impl.tests.support import DETERMINISTIC, FEEDS, Feed, respond

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("block", "items"),
    [
        (b"A: 1\r\nb:2\r\n", [("a", "1"), ("b", "2")]),
        (b"A: 1\r\na: 2\r\nB: x\r\nA:3\r\n", [("a", "1, 2, 3"), ("b", "x")]),
        (b"A: 1\r\n  two \r\n\tthree\r\n", [("a", "1\n two\n three")]),
        (b"A: 1\r\n   \r\nB: 2\r\n", [("a", "1\n "), ("b", "2")]),
        (b"A:\r\n x\r\n", [("a", "\n x")]),
        (b"no colon\r\nB: 2\r\n", [("b", "2")]),
        (b"A: 1\r\nno colon\r\n fold\r\nB: 2\r\n", [("a", "1"), ("b", "2")]),
        (b"A: 1\r\nno colon\r\n X: fold\r\nB: 2\r\n", [("a", "1"), ("b", "2")]),
        (b": x\r\n fold\r\nB: 2\r\n", [("b", "2")]),
        (b"content-length : 5\r\n", [("content-length ", "5")]),
        (b" A: 1\r\nB: 2\r\n", [(" a", "1"), ("b", "2")]),
        (b"   \r\nB: 2\r\n", [("b", "2")]),
        (b"From x: 1\r\n fold\r\nB: 2\r\n", [("b", "2")]),
        (b"B: 2\r\nFrom x: 1\r\n", [("b", "2"), ("from x", "1")]),
        (b"From: me\r\n", [("from", "me")]),
        (b"A: 1\nB: 2\r\n", [("a", "1"), ("b", "2")]),
        (b"A: 1\rB: 2\r\n", [("a", "1\rB: 2")]),
        (b"A: \x85\xa01\xe9\x1c\r\n", [("a", "\x85\xa01\xe9\x1c")]),
        (b"A: 1\r\n\x0bfold\r\nB: 2\r\n", [("a", "1"), ("b", "2")]),
        (b"A: 1\r\r\nB: 2\r\n", [("a", "1"), ("b", "2")]),
        (b"A: \r\nB:\r\n", [("a", ""), ("b", "")]),
        (b"A:b:c\r\n", [("a", "b:c")]),
        (b"\xc9: 1\r\n\xe9: 2\r\n", [("\xc9", "1"), ("\xe9", "2")]),
        (b"", []),
    ],
)
@pytest.mark.parametrize("blank_line", [b"\r\n", b"\n"])
def test_a_header_section_has_these_fields(
    block: bytes, items: list[tuple[str, str]], blank_line: bytes, feed: Feed
) -> None:
    response = respond(feed(HEAD + block + blank_line + b"body"))
    assert response.getheaders() == items
    assert response.read() == b"body"


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    ("block", "lines"),
    [
        (b"A: 1\r\nB: 2", ["A: 1\r\n", "B: 2"]),
        (b"A: 1\r\nB", ["A: 1\r\n"]),
        (b"A: 1\r\n", ["A: 1\r\n"]),
        (b"A: 1\r\n b", ["A: 1\r\n", " b"]),
        (b"", []),
    ],
)
def test_the_end_of_the_stream_ends_the_header_section(
    block: bytes, lines: list[str], feed: Feed
) -> None:
    response = respond(feed(HEAD + block))
    assert response.msg is not None
    assert response.msg.headers == lines
    assert response.read() == b""


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("line", [b"A: b\r\n", b"no colon\n", b" x\r\n"])
def test_one_hundred_lines_pass_and_one_more_does_not(line: bytes, feed: Feed) -> None:
    assert respond(feed(HEAD + line * 100 + b"\r\n")).status == 200
    with pytest.raises(HTTPException, match="100 headers") as caught:
        respond(feed(HEAD + line * 101 + b"\r\n"))
    assert type(caught.value) is HTTPException


@pytest.mark.parametrize("feed", FEEDS[:1] + FEEDS[2:])
def test_a_header_line_may_have_65536_bytes_and_no_more(feed: Feed) -> None:
    line = b"A: ".ljust(65534, b"x") + b"\r\n"
    assert respond(feed(HEAD + line + b"\r\n")).getheader("a") == "x" * 65531
    with pytest.raises(LineTooLong, match="more than 65536 bytes when reading header line"):
        respond(feed(HEAD + b"B: 1\r\nx" + line + b"\r\n"))


@pytest.mark.parametrize("feed", FEEDS[:1] + FEEDS[2:])
def test_the_limit_that_the_server_breaks_first_is_the_one_that_is_named(feed: Feed) -> None:
    long = b"x" * 65537 + b"\r\n"
    with pytest.raises(LineTooLong):
        respond(feed(HEAD + b"A: b\r\n" * 100 + long + b"\r\n"))
    with pytest.raises(HTTPException) as caught:
        respond(feed(HEAD + b"A: b\r\n" * 101 + long + b"\r\n"))
    assert type(caught.value) is HTTPException


BLOCK = b"A: 1\r\nB: x\r\n y\r\na: 2\r\nC: \xe9\r\n"


def test_names_are_found_in_any_case() -> None:
    message = HTTPMessage(BLOCK)
    assert message.getheader("A") == message.get("a") == message["a"] == "1, 2"
    assert message.has_key("B")
    assert "b" in message
    assert not message.has_key("zz")
    assert "\u20ac" not in message


def test_a_missing_name_gives_the_default_or_a_key_error() -> None:
    message = HTTPMessage(BLOCK)
    assert message.getheader("zz") is None
    assert message.getheader("zz", "d") == message.get("zz", "d") == "d"
    assert message.getheaders("zz") == []
    assert message.getrawheader("zz") is None
    with pytest.raises(KeyError, match="zz"):
        message["zz"]


def test_getheaders_gives_one_item_for_each_line_of_the_name() -> None:
    message = HTTPMessage(BLOCK)
    assert message.getheaders("A") == ["1", "2"]
    assert message.getheaders("b") == ["x\n y"]


def test_the_raw_lines_are_kept_with_their_ends() -> None:
    message = HTTPMessage(BLOCK)
    assert message.headers == ["A: 1\r\n", "B: x\r\n", " y\r\n", "a: 2\r\n", "C: \xe9\r\n"]
    assert str(message) == BLOCK.decode("latin-1")
    assert message.getallmatchingheaders("A") == ["A: 1\r\n", "a: 2\r\n"]
    assert message.getfirstmatchingheader("b") == ["B: x\r\n", " y\r\n"]
    assert message.getrawheader("b") == " x\r\n y\r\n"
    assert message.getrawheader("a") == " 1\r\n"


def test_mapping_access_is_in_the_order_of_first_appearance() -> None:
    message = HTTPMessage(BLOCK)
    assert message.keys() == list(message) == ["a", "b", "c"]
    assert message.values() == ["1, 2", "x\n y", "\xe9"]
    assert message.items() == [("a", "1, 2"), ("b", "x\n y"), ("c", "\xe9")]
    assert len(message) == 3


@pytest.mark.parametrize(
    ("value", "types", "parameters"),
    [
        (b"Text/HTML; Charset=utf-8", ("text/html", "text", "html"), ["charset=utf-8"]),
        (b"text", ("text", "text", ""), []),
        (b"a/b/c", ("a/b/c", "a", "b/c"), []),
        (b"TEXT / html", ("text/html", "text", "html"), []),
        (b"", ("", "", ""), []),
        (b";x=1", ("", "", ""), ["x=1"]),
        (b"a/b;;", ("a/b", "a", "b"), ["", ""]),
        (b'a/b ; A = "x;y" ; b', ("a/b", "a", "b"), ['a="x', 'y"', "b"]),
        (b"a;b=c=d", ("a", "a", ""), ["b=c=d"]),
    ],
)
def test_the_media_type_is_taken_apart(
    value: bytes, types: tuple[str, str, str], parameters: list[str]
) -> None:
    message = HTTPMessage(b"Content-Type: " + value + b"\r\n")
    assert (message.gettype(), message.getmaintype(), message.getsubtype()) == types
    assert message.getplist() == parameters


@pytest.mark.parametrize(
    ("value", "x"),
    [
        (b"a/b; X=1; x=2", "1"),
        (b'a/b; x="q\\"\\\\"', 'q"\\'),
        (b"a/b; x=<y>", "y"),
        (b"a/b; x='y'", "'y'"),
        (b'a/b; x="', '"'),
        (b"a/b; y=1", None),
    ],
)
def test_a_parameter_is_found_in_any_case_and_unquoted(value: bytes, x: str | None) -> None:
    message = HTTPMessage(b"Content-Type: " + value + b"\r\n")
    assert message.getparam("X") == x


def test_without_a_field_the_media_type_is_plain_text_and_the_encoding_7bit() -> None:
    message = HTTPMessage(b"")
    assert (message.gettype(), message.getplist()) == ("text/plain", [])
    assert message.getencoding() == "7bit"
    assert HTTPMessage(b"Content-Transfer-Encoding: GZIP\r\n").getencoding() == "gzip"


LINES = st.lists(
    st.sampled_from([b"A: 1", b" fold", b"\t", b"junk", b": x", b"From x: y", b"b:", b"\x85: \xa0"])
)


@DETERMINISTIC
@given(LINES)
def test_fields_are_the_same_whole_and_byte_by_byte(lines: list[bytes]) -> None:
    data = HEAD + b"".join(line + b"\r\n" for line in lines[:100]) + b"\r\n"
    at_once, slowly, in_two = (respond(feed(data)) for feed in FEEDS)
    assert at_once.getheaders() == slowly.getheaders() == in_two.getheaders()


@DETERMINISTIC
@given(st.binary(max_size=200))
def test_any_block_makes_a_message_with_a_value_for_every_key(block: bytes) -> None:
    message = HTTPMessage(block)
    assert [name for name, _ in message.items()] == message.keys()
    assert all(message[name] is not None for name in message)
