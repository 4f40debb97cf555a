import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cases.errors import CaseError
from conformance.cases.octets import (
    AddressHole,
    BytesTable,
    bytes_equal,
    fill,
    octets,
    octets_text,
    pieces,
    short_or_recipe,
)
from conformance.report.octets import octet_lines, visible
from mockserver import Recipe


@given(st.binary(max_size=300))
def test_a_string_of_latin_1_is_its_octets(data: bytes) -> None:
    assert octets(data.decode("latin-1")) == data


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_an_array_is_joined(one: bytes, two: bytes) -> None:
    parts: list[str | BytesTable] = [one.decode("latin-1"), BytesTable(hex=two.hex())]
    assert octets(parts) == one + two


def test_a_repeat_is_spelled_out() -> None:
    assert octets(BytesTable(repeat="ab", times=3)) == b"ababab"


LARGE: list[str | BytesTable] = [
    "<",
    BytesTable(repeat="ab\u00ff", times=30_001),
    BytesTable(hex="00"),
    ">",
]
WHOLE = "<" + "ab\u00ff" * 30_001 + "\0>"


def test_many_bytes_stay_a_recipe() -> None:
    assert isinstance(short_or_recipe(LARGE), Recipe)
    assert isinstance(short_or_recipe(["<", BytesTable(repeat="ab", times=3)]), bytes)
    assert any(isinstance(part, Recipe) for part in pieces(LARGE))


def test_a_recipe_gives_the_bytes_that_are_written() -> None:
    assert octets(LARGE) == WHOLE.encode("latin-1")
    assert octets_text(LARGE) == WHOLE
    assert fill(pieces(LARGE), "h", 1) == WHOLE.encode("latin-1")


@pytest.mark.parametrize(
    "other",
    [WHOLE[:-1], WHOLE + "x", WHOLE[:70_000] + "x" + WHOLE[70_001:], "x" + WHOLE[1:], "", "<"],
)
def test_a_large_value_is_compared_to_its_last_byte(other: str) -> None:
    assert bytes_equal(pieces(LARGE), WHOLE)
    assert not bytes_equal(pieces(LARGE), other)


def test_a_large_value_is_compared_with_its_address() -> None:
    parts = pieces([*LARGE, BytesTable(address="server")])
    assert bytes_equal(parts, WHOLE + "127.0.0.1:4711", "127.0.0.1", 4711)
    assert not bytes_equal(parts, WHOLE + "127.0.0.1:4712", "127.0.0.1", 4711)


def test_base64_is_decoded() -> None:
    assert octets(BytesTable(base64="AP8=")) == b"\x00\xff"


@pytest.mark.parametrize(
    "table",
    [
        BytesTable(),
        BytesTable(hex="00", base64="AA=="),
        BytesTable(repeat="a"),
        BytesTable(times=3),
        BytesTable(hex="0"),
        BytesTable(base64="?"),
        BytesTable(file="no-such-file"),
        BytesTable(file="/etc/hostname"),
        BytesTable(file="../pyproject.toml"),
        BytesTable(file="a\0b"),
        BytesTable(file="."),
        BytesTable(repeat="a", times=-4),
        BytesTable(repeat="", times=-4),
        BytesTable(repeat="ab", times=(32 << 20) + 1),
    ],
)
def test_a_table_that_is_not_exactly_one_way_of_writing_is_refused(table: BytesTable) -> None:
    with pytest.raises(CaseError):
        octets(table)


def test_a_character_beyond_an_octet_is_named() -> None:
    with pytest.raises(CaseError, match=r"U\+20AC"):
        octets("price: \u20ac")


def test_braces_are_only_braces() -> None:
    assert octets("{address}") == b"{address}"


def test_an_address_is_filled_at_run_time() -> None:
    parts = pieces(["Host: ", BytesTable(address="server"), "\r\n"])
    assert fill(parts, "127.0.0.1", 4711) == b"Host: 127.0.0.1:4711\r\n"
    assert fill(parts, "::1", 4711) == b"Host: [::1]:4711\r\n"
    assert parts[1] == AddressHole("server")


def test_an_address_is_refused_where_it_is_not_known() -> None:
    with pytest.raises(CaseError, match="address"):
        octets(BytesTable(address="port"))


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_different_octets_look_different(one: bytes, two: bytes) -> None:
    assert (visible(one) == visible(two)) == (one == two)


@given(st.binary(max_size=300))
def test_visible_octets_are_printable_ascii(data: bytes) -> None:
    text = visible(data)
    assert text.isascii()
    assert text.isprintable()


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=120))
def test_lines_lose_nothing(data: bytes, width: int) -> None:
    assert "".join(octet_lines(data, width)) == visible(data)


@given(st.binary(min_size=1, max_size=300), st.integers(min_value=4, max_value=40))
def test_no_line_splits_the_name_of_a_byte(data: bytes, width: int) -> None:
    names = rb"(?:[^\\]|\\x[0-9a-f]{2}|\\[rnt\\])+"
    assert all(re.fullmatch(names, line.encode()) for line in octet_lines(data, width))
