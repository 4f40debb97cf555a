"""Twice the bytes, twice the work: counted in calls, so that no clock decides."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from httplib_impl import HTTPException
from httplib_impl.tests.support import Feed, byte_by_byte, respond, whole

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

GROWING: dict[str, Callable[[int], bytes]] = {
    "header lines": lambda n: HEAD + b"Name: value\r\n" * n + b"\r\n",
    "lines without colon": lambda n: HEAD + b"no field\r\n" * n + b"\r\n",
    "folds": lambda n: HEAD + b"A: b\r\n" + b" c\r\n" * (n - 1) + b"\r\n",
    "line length": lambda n: HEAD + b"A: " + b"b" * 40 * n + b"\r\n\r\n",
    "interim responses": lambda n: b"HTTP/1.1 100 Go\r\nA: b\r\n\r\n" * n + HEAD + b"\r\n",
    "chunks": lambda n: CHUNKED + b"5\r\nhello\r\n2\r\nok\r\n" * n + b"0\r\n\r\n",
    "size line length": lambda n: CHUNKED + b"1;" + b"a" * 40 * n + b"\r\na\r\n0\r\n\r\n",
    "trailers": lambda n: CHUNKED + b"0\r\n" + b"A: b\r\n" * n + b"\r\n",
    "body": lambda n: HEAD + b"\r\n" + bytes(40 * n),
}


def calls(data: bytes, feed: Feed) -> int:
    """How many functions are called to read a response, those written in C included."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        del frame, argument
        nonlocal count
        count += event in ("call", "c_call")

    events = feed(data)
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        response = respond(events)
        response.getheaders()
        response.read()
    except HTTPException as error:
        raise AssertionError("the response is within all limits") from error
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("feed", [whole, byte_by_byte])
@pytest.mark.parametrize("what", GROWING)
def test_the_work_grows_with_the_bytes(what: str, feed: Feed) -> None:
    make = GROWING[what]
    calls(make(25), feed)  # what is understood once only is no part of the growth
    small, medium, large = [calls(make(n), feed) for n in (25, 50, 100)]
    assert large - medium <= 2 * (medium - small) + 20
