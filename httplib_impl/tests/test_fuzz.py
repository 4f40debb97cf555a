"""Bytes that were not written by hand: no forbidden outcome, and no difference between feeds."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httplib_impl import HTTPConnection, HTTPException, IncompleteRead, NotConnected
from httplib_impl.tests.exchanges import CHOICES, STARTS, WORDS, exchange, random_input
from httplib_impl.tests.support import (
    DETERMINISTIC,
    FileOnly,
    RawOnly,
    Wire,
    byte_by_byte,
    in_halves,
    whole,
)

WORD = st.sampled_from(WORDS + STARTS) | st.binary(max_size=3)
STREAM = st.lists(WORD, max_size=16).map(b"".join)


@settings(DETERMINISTIC, max_examples=300)
@given(st.binary(min_size=CHOICES, max_size=CHOICES), STREAM)
def test_nothing_but_documented_exceptions_comes_of_any_stream(
    choices: bytes, stream: bytes
) -> None:
    exchange(choices + stream)


@pytest.mark.parametrize("seed", range(4))
def test_random_exchanges_have_no_forbidden_outcome(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(1000):
        data = random_input(source)
        exchange(data)


def outcome(conn: HTTPConnection, method: str, amount: int | None) -> list[object]:
    """All that a caller can see of two exchanges: values, errors, what is left after them."""
    seen: list[object] = []
    conn.auto_open = 0
    try:
        for _ in range(2):
            conn.request(method, "/")
            response = conn.getresponse()
            seen += [response.version, response.status, response.reason, response.will_close]
            seen += [str(response.msg), response.getheaders(), response.chunked]
            body = b""
            while block := response.read(amount):
                body += block
            seen.append(body)
    except IncompleteRead as error:
        seen.append((error.partial, error.expected))
    except (HTTPException, OSError) as error:
        seen.append((type(error), str(error)))
    return seen


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("amount", [None, 3])
@settings(DETERMINISTIC, max_examples=150)
@given(stream=STREAM, strict=st.integers(0, 1))
@example(stream=b"HTTP/1.1 200 OK\nA: 1\n\nHTTP/1.1 200 OK\r\n\n", strict=0)
def test_how_bytes_are_cut_into_segments_changes_nothing(
    method: str, amount: int | None, stream: bytes, strict: int
) -> None:
    """Whole, a head goes the fast way and chunks go in runs; byte by byte, nothing does."""

    def played(wire: object) -> list[object]:
        conn = HTTPConnection("example.com", strict=strict)
        conn.sock = wire
        return outcome(conn, method, amount)

    one_by_one = played(Wire(byte_by_byte(stream)))
    first, second = one_by_one[:8], one_by_one[8:]
    for feed in (whole, in_halves):
        other = played(Wire(feed(stream)))
        # What one segment brings after a response is known before the next request starts.
        assert other[:8] == first
        assert other[8:] in (second, [(NotConnected, "")])
    for socket_like in (FileOnly(stream), RawOnly(stream), RawOnly(stream, 3)):
        assert played(socket_like) == one_by_one
