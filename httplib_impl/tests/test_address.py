from __future__ import annotations

from typing import Any

import pytest

from httplib_impl import HTTPConnection, HTTPSConnection, InvalidURL


@pytest.mark.parametrize(
    ("args", "host", "port"),
    [
        (("h",), "h", 80),
        (("h:8080",), "h", 8080),
        (("h:0",), "h", 0),
        (("h:65535",), "h", 65535),
        (("h:00080",), "h", 80),
        (("h", 81), "h", 81),
        (("h", 0), "h", 0),
        (("h", "82"), "h", 82),
        (("h", None), "h", 80),
        (("h:83", None), "h", 83),
        (("[::1]",), "::1", 80),
        (("[::1]:84",), "::1", 84),
        (("[::1]", 85), "::1", 85),
        (("::1", 86), "::1", 86),
        (("",), "", 80),
    ],
)
def test_host_and_port_come_from_these_arguments(
    args: tuple[Any, ...], host: str, port: int
) -> None:
    conn = HTTPConnection(*args)
    assert (conn.host, conn.port, type(conn.port)) == (host, port, int)


@pytest.mark.parametrize(
    "text", ["h:", "h: 80", "h:80 ", "h:+80", "h:-1", "h:8_0", "h:65536", "h:x", "h:\u0668\u0660"]
)
def test_a_port_in_the_host_text_is_digits_in_range(text: str) -> None:
    with pytest.raises(InvalidURL):
        HTTPConnection(text)
    with pytest.raises(InvalidURL):
        HTTPConnection("proxy").set_tunnel(text)


@pytest.mark.parametrize(
    "port", ["", "x", " 80", "+80", "8_0", "-1", -1, 65536, 80.0, b"80", True, "9" * 9999, "\xb2"]
)
def test_a_port_argument_is_an_int_or_digits_in_range(port: Any) -> None:
    with pytest.raises(InvalidURL):
        HTTPConnection("h", port)
    with pytest.raises(InvalidURL):
        HTTPConnection("proxy").set_tunnel("h", port)


def test_with_a_port_argument_the_host_text_is_not_searched() -> None:
    assert HTTPConnection("h:x", 80).host == "h:x"


def test_an_address_without_brackets_needs_a_port_argument() -> None:
    with pytest.raises(InvalidURL):
        HTTPConnection("fe80::abcd")


@pytest.mark.parametrize("host", ["h\r\nX: y", "h x", "h\x7f", "h\x00", "h\n", "\th", " "])
def test_a_host_with_control_characters_or_blanks_is_refused(host: str) -> None:
    for args in ((host,), (host, 80)):
        with pytest.raises(InvalidURL):
            HTTPConnection(*args)
        with pytest.raises(InvalidURL):
            HTTPConnection("proxy").set_tunnel(*args)


def test_a_host_beyond_ascii_is_idna_encoded_or_refused() -> None:
    assert HTTPConnection("b\xfccher.example:81").host == "xn--bcher-kva.example"
    with pytest.raises(InvalidURL):
        HTTPConnection("\xfc" * 70)


def test_the_default_port_is_that_of_the_class() -> None:
    assert (HTTPConnection("h").port, HTTPSConnection("h").port) == (80, 443)
