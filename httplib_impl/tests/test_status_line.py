from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httplib_impl import BadStatusLine, LineTooLong, UnknownProtocol
from httplib_impl._status_line import parse_status_line
from httplib_impl.tests.support import DETERMINISTIC, FEEDS, Feed, respond


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("line", "version", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n", 11, 200, "OK"),
        (b"HTTP/1.0 200 OK\n", 10, 200, "OK"),
        (b"HTTP/1.1 200 OK", 11, 200, "OK"),
        (b"HTTP/1.1 200\r\n", 11, 200, ""),
        (b"HTTP/1.1 200 \r\n", 11, 200, ""),
        (b"HTTP/1.1 999 \r\n", 11, 999, ""),
        (b"HTTP/1.1\t 404 \t Not  Found \r\n", 11, 404, "Not  Found"),
        (b"HTTP/1.1 200 \xa0l\xf6ydy\x85\r\n", 11, 200, "\xa0l\xf6ydy\x85"),
        (b"HTTP/1.1 200 \x1cOK\x1c\r\n", 11, 200, "\x1cOK\x1c"),
        (b"HTTP/1.1 200 a\rb\r\n", 11, 200, "a\rb"),
    ],
)
def test_a_valid_line_says_the_same_whether_strict_or_not(
    line: bytes, version: int, status: int, reason: str, strict: bool
) -> None:
    parsed = parse_status_line(line, strict)
    assert (parsed.version, parsed.status, parsed.reason, parsed.is_body) == (
        version,
        status,
        reason,
        False,
    )


@pytest.mark.parametrize(
    "line",
    [
        b" HTTP/1.1 200 OK\r\n",
        b"HTTP/1.5 200 OK\r\n",
        b"HTTP/1.1x 200 OK\r\n",
        b"HTTP/2.0 200 OK\r\n",
        b"HTTP/0.9 200 OK\r\n",
        b"http/1.1 200 OK\r\n",
        b"HTTP/1.1\r\n",
        b"HTTP/1.1 200OK\r\n",
        b"HTTP/1.1 2000 OK\r\n",
        b"ICY 200 OK\r\n",
        b"\r\n",
    ],
)
def test_strict_accepts_no_other_form(line: bytes) -> None:
    with pytest.raises(BadStatusLine) as caught:
        parse_status_line(line, strict=True)
    assert caught.value.line == line.decode("latin-1")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "code", [b"099", b"99", b"1000", b"abc", b"+200", b"0200", b"2_0", b"20x", b"-20", b"20\xb2"]
)
def test_a_code_that_is_not_three_digits_from_100_is_a_bad_status_line(
    code: bytes, strict: bool
) -> None:
    line = b"HTTP/1.1 " + code + b" OK\r\n"
    with pytest.raises(BadStatusLine) as caught:
        parse_status_line(line, strict)
    assert caught.value.line == line.decode("latin-1")


@pytest.mark.parametrize(
    "line", [b" HTTP/1.1 200 OK\r\n", b"\x0bHTTP/1.1\x0b200 OK\r\n", b"HTTP/1.5 200 OK\r\n"]
)
def test_without_strict_blanks_may_lead_and_any_1_x_is_1_1(line: bytes) -> None:
    parsed = parse_status_line(line, strict=False)
    assert (parsed.version, parsed.status, parsed.reason) == (11, 200, "OK")


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/2", "HTTP/", "HTTP/1", "HTTP/10.1"])
def test_another_version_is_an_unknown_protocol_that_names_it(version: str) -> None:
    with pytest.raises(UnknownProtocol) as caught:
        parse_status_line(version.encode() + b" 200 OK\r\n", strict=False)
    assert caught.value.version == version


def test_the_code_is_checked_before_the_version() -> None:
    with pytest.raises(BadStatusLine):
        parse_status_line(b"HTTP/2.0 abc\r\n", strict=False)


@pytest.mark.parametrize("strict", [0, 1])
def test_the_end_of_the_stream_is_a_bad_status_line_with_a_sentence(strict: int) -> None:
    with pytest.raises(BadStatusLine) as caught:
        respond(b"", strict=strict)
    assert caught.value.line == "No status line received - the server has closed the connection"


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(
    "start", [b"<html>\r\n", b"\r\n", b"HTTP/1.1\r\n", b"hi", b"ICY 200 OK\r\n"]
)
def test_what_is_no_status_line_is_the_body_of_an_http_0_9_response(
    start: bytes, feed: Feed
) -> None:
    response = respond(feed(start + b"more\n"))
    assert (response.version, response.status, response.reason) == (9, 200, "")
    assert response.read() == start + b"more\n"


def test_http_0_9_with_a_status_line_has_its_header_block_for_a_body() -> None:
    response = respond(b"HTTP/0.9 200 Fine\r\nA: 1\r\n\r\nbody")
    assert (response.version, response.reason, response.getheaders()) == (9, "Fine", [])
    assert response.read() == b"A: 1\r\n\r\nbody"


@pytest.mark.parametrize("feed", FEEDS[:1] + FEEDS[2:])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_line_of_65536_bytes_with_its_end_passes(end: bytes, feed: Feed) -> None:
    line = b"HTTP/1.1 200 ".ljust(65536 - len(end), b"x") + end
    assert respond(feed(line + b"\r\n")).status == 200


@pytest.mark.parametrize("feed", FEEDS[:1] + FEEDS[2:])
def test_a_longer_line_is_too_long(feed: Feed) -> None:
    with pytest.raises(LineTooLong):
        respond(feed(b"HTTP/1.1 200 ".ljust(65535, b"x") + b"\r\n\r\n"))


def test_a_line_of_65536_bytes_that_the_stream_ends_passes() -> None:
    assert respond(b"HTTP/1.1 200 ".ljust(65536, b"x")).status == 200


@DETERMINISTIC
@given(st.binary(max_size=60), st.booleans(), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/"]))
def test_any_line_is_understood_or_refused_as_documented(
    data: bytes, strict: bool, start: bytes
) -> None:
    try:
        parsed = parse_status_line(start + data, strict)
    except (BadStatusLine, UnknownProtocol):
        return
    assert parsed.version in (9, 10, 11)
    assert 100 <= parsed.status <= 999
