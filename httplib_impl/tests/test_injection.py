"""Whatever a caller passes, in whatever place: it is refused, or no line comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httplib_impl import HTTPConnection, InvalidURL
from httplib_impl.tests.support import DETERMINISTIC, Wire

OK = b"HTTP/1.1 200 OK\r\n\r\n"
TEXT = st.text(
    st.sampled_from("aB0:/@?#%[]. \t\r\n\x00\x0b\x0c\x7f\x85\xa0é\u2028\u010a\u560a\u0100")
    | st.characters(codec="utf-8"),
    max_size=8,
)
FIELDS = [b"Host: ", b"Accept-Encoding: "]


def connected(host: str = "h") -> HTTPConnection:
    conn = HTTPConnection(host)
    conn.auto_open = 0
    conn.sock = Wire([OK])
    return conn


def as_method(text: str) -> list[bytes]:
    conn = connected()
    conn.request(text, "/")
    return list(conn.sock.sent)


def as_url(text: str) -> list[bytes]:
    conn = connected()
    conn.request("GET", text)
    return list(conn.sock.sent)


def as_absolute_url(text: str) -> list[bytes]:
    conn = connected()
    conn.putrequest("GET", "http://" + text)
    conn.endheaders()
    return list(conn.sock.sent)


def as_host(text: str) -> list[bytes]:
    conn = connected(text)
    conn.request("GET", "/")
    return list(conn.sock.sent)


def as_attribute(text: str) -> list[bytes]:
    conn = connected()
    conn.host = text
    conn.request("GET", "/")
    return list(conn.sock.sent)


def as_name(text: str) -> list[bytes]:
    conn = connected()
    conn.request("GET", "/", headers={text: "v"})
    return list(conn.sock.sent)


def as_value(text: str) -> list[bytes]:
    conn = connected()
    conn.request("GET", "/", headers={"X": text})
    return list(conn.sock.sent)


def as_bytes(text: str) -> list[bytes]:
    conn = connected()
    conn.request("GET", "/", headers={"X": text.encode()})
    return list(conn.sock.sent)


def as_further_value(text: str) -> list[bytes]:
    conn = connected()
    conn.putrequest("GET", "/")
    conn.putheader("X", "first", text)
    conn.endheaders()
    return list(conn.sock.sent)


def in_tunnel(*args: Any) -> list[bytes]:
    conn = HTTPConnection("h")
    conn.set_tunnel(*args)
    conn.sock = Wire([OK])
    conn._tunnel()
    return list(conn.sock.sent)


def as_tunnel_host(text: str) -> list[bytes]:
    return in_tunnel(text, 80)


def as_tunnel_name(text: str) -> list[bytes]:
    return in_tunnel("h", 80, {text: "v"})


def as_tunnel_value(text: str) -> list[bytes]:
    return in_tunnel("h", 80, {"X": text})


# How many lines each makes, where it is not refused.
PLACES: dict[Callable[[str], list[bytes]], tuple[int, ...]] = {
    as_method: (3, 4),  # with Content-Length for POST, PUT, PATCH
    as_url: (3,),
    as_absolute_url: (3,),
    as_host: (3,),
    as_attribute: (3,),
    as_name: (3, 4),  # three where it replaces Host or Accept-Encoding
    as_value: (4,),
    as_bytes: (4,),
    as_further_value: (4,),
    as_tunnel_host: (1,),
    as_tunnel_name: (2,),
    as_tunnel_value: (2,),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@settings(DETERMINISTIC, max_examples=200)
@given(TEXT)
@example("a\r\nX: y")
@example("a\nX: y")
@example("a\rX: y")
@example("a\r\n\r\nGET /evil HTTP/1.1")
@example("a HTTP/1.1\r\nX: y")
@example("\u560a\u560dX: y")  # whose low bytes are CR and LF
@example("a\r\n b")
def test_no_argument_makes_a_line(place: Callable[[str], list[bytes]], text: str) -> None:
    try:
        sent = place(text)
    except (ValueError, InvalidURL):
        return
    (head,) = sent
    assert head.endswith(b"\r\n\r\n")
    # Lenient readers end a line at any of these; a line that begins with a blank continues one.
    lines = re.split(rb"\r\n|\n|\r", head[:-4])
    assert len([line for line in lines if not line.startswith((b" ", b"\t"))]) in PLACES[place]
    assert b"\x00" not in head
    assert b"" not in lines
