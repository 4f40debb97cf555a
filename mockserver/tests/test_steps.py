"""Steps are checked values that know their octets."""

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest

import mockserver
from mockserver import (
    STEPS,
    Chunk,
    Close,
    Dribble,
    EndHeaders,
    Fill,
    Garbage,
    Header,
    Interim,
    LastChunk,
    MockServer,
    Pause,
    Piece,
    Recipe,
    Reply,
    ScriptError,
    Send,
    StatusLine,
    Step,
    Tunnel,
    WritingStep,
    connection,
    pieces_of,
    script,
)
from mockserver._step import NotEmpty
from mockserver.tests.conftest import Connect
from mockserver.tests.support import VOCABULARY, to_end

LARGE = Recipe(((b"<", 1), (b"abcdefg", 30_000), (b"", 5), (b">", 2)))
WHOLE = b"<" + b"abcdefg" * 30_000 + b">>"


def octets(step: WritingStep) -> bytes:
    return b"".join(piece.data for piece in pieces_of(step))


def roles(step: WritingStep) -> list[str]:
    return [piece.role for piece in pieces_of(step)]


def test_every_step_is_listed_under_its_own_name() -> None:
    assert {name: step.step_name for name, step in STEPS.items()} == {name: name for name in STEPS}


def test_no_step_of_the_vocabulary_is_missing() -> None:
    assert set(STEPS) >= VOCABULARY


@pytest.mark.parametrize("step", STEPS.values())
def test_a_step_is_a_frozen_value_without_a_dictionary(step: Any) -> None:
    assert issubclass(step, Step)
    assert step.__dataclass_params__.frozen
    assert "__dict__" not in dir(step)


@pytest.mark.parametrize("step", STEPS.values())
def test_a_step_is_a_public_name(step: Any) -> None:
    assert getattr(mockserver, step.__name__) is step
    assert step.__name__ in mockserver.__all__


def test_a_row_of_the_readme_is_about_every_step() -> None:
    readme = (Path(mockserver.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = "".join(line.partition("|")[2] for line in readme.splitlines() if line.startswith("|"))
    assert [name for name in STEPS if f"`{name}`" not in rows] == []


def test_a_class_is_a_step_as_soon_as_it_is_defined(server: MockServer, connect: Connect) -> None:
    try:

        @dataclasses.dataclass(frozen=True, slots=True)
        class Twice(WritingStep):
            """Write something, and once more when the client has taken it."""

            step_name: ClassVar[str] = "twice"
            data: Annotated[bytes, NotEmpty()]

            def writes(self) -> Iterator[tuple[Piece, ...]]:
                yield (Piece("data", self.data),)
                yield (Piece("data", self.data),)

        assert STEPS["twice"] is Twice
        with pytest.raises(ScriptError, match=r"^twice: data must not be empty, not b''$"):
            Twice(b"")
        play = server.play(script(connection(Twice(b"ab"), Close())))
        assert to_end(connect(play.address)) == b"abab"
        assert play.finish().complaints() == ()
    finally:
        STEPS.pop("twice", None)


def test_small_parts_of_a_recipe_leave_with_what_follows_them() -> None:
    recipe = Recipe(((b"HTTP/1.1 200 OK\r\n\r\n", 1), (b"10005\r\n", 1), (b"abcdefg", 9363)))
    assert list(map(len, recipe.blocks())) == [1 << 16, len(recipe) - (1 << 16)]
    assert list(Recipe(((b"", 3),)).blocks()) == []


def test_a_recipe_has_the_length_and_the_slices_of_its_bytes() -> None:
    assert bytes(LARGE) == octets(Send(LARGE)) == WHOLE
    assert len(LARGE) == len(WHOLE)
    *full, last = map(len, LARGE.blocks())
    assert set(full) == {1 << 16}
    assert 0 < last <= 1 << 16
    for cut in (slice(0), slice(4096), slice(65_000, 140_001), slice(-3, None), slice(9, 9)):
        assert LARGE[cut] == WHOLE[cut]


@pytest.mark.parametrize("step", STEPS.values())
def test_the_primary_field_exists(step: Any) -> None:
    names = {field.name for field in dataclasses.fields(step)}
    assert step.primary is None or step.primary in names


@pytest.mark.parametrize("step", STEPS.values())
def test_a_loader_can_understand_every_field(step: Any) -> None:
    plain = {bytes, str, int, float, bool, tuple[tuple[bytes, bytes], ...], tuple[str, ...], Any}
    plain |= {Recipe}
    hints = typing.get_type_hints(step)
    for field in dataclasses.fields(step):
        hint = hints[field.name]
        parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        for part in parts:
            assert part in plain or part is types.NoneType or typing.get_origin(part) is Literal


@pytest.mark.parametrize(
    ("step", "arguments", "message"),
    [
        (
            "send",
            {"data": "text"},
            "data must be Recipe or bytes (as .encode() makes of text), not 'text'",
        ),
        ("close", {"how": "door"}, "how must be 'fin' or 'rst' or 'abandon', not 'door'"),
        ("read", {"n": -1}, "n must be at least 0, not -1"),
        ("read", {"n": True}, "n must be int, not True"),
        ("read_until", {"marker": b""}, "marker must not be empty, not b''"),
        ("read_request", {"limit": 0}, "limit must be at least 1, not 0"),
        ("fill", {"n": 1, "pattern": b""}, "pattern must not be empty, not b''"),
        ("garbage", {"n": -1}, "n must be at least 0, not -1"),
        ("dribble", {"data": b"x", "size": 0}, "size must be at least 1, not 0"),
        ("interim", {"times": 0}, "times must be at least 1, not 0"),
        ("pause", {"seconds": -0.5}, "seconds must be from 0 to a million, not -0.5"),
        ("pause", {"seconds": float("nan")}, "seconds must be from 0 to a million, not nan"),
        ("gate", {"name": ""}, "name must not be empty, not ''"),
        ("starttls", {"cert": ""}, "cert must not be empty, not ''"),
        (
            "expect",
            {"body": "x"},
            "body must be bytes or None (as .encode() makes of text), not 'x'",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_field(
    step: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScriptError, match=f"^{re.escape(f'{step}: {message}')}$"):
        STEPS[step](**arguments)


@pytest.mark.parametrize(
    "given",
    [
        {"A": "b", "C": "ä"},
        {b"A": b"b", b"C": b"\xe4"},
        [("A", b"b"), (b"C", "ä")],
        ((b"A", b"b"), (b"C", b"\xe4")),
    ],
)
def test_headers_are_a_mapping_or_pairs_of_text_or_bytes(given: Any) -> None:
    assert Reply(headers=given).headers == ((b"A", b"b"), (b"C", b"\xe4"))
    assert hash(Reply(headers=given)) == hash(Reply(headers=((b"A", b"b"), (b"C", b"\xe4"))))


@pytest.mark.parametrize(
    ("arguments", "media", "body"),
    [
        ({"json": {"a": [1, None]}}, b"application/json", b'{"a": [1, null]}'),
        ({"json": None}, b"application/json", b"null"),
        ({"text": "ä"}, b"text/plain; charset=utf-8", b"\xc3\xa4"),
        ({"json": 1, "headers": {"content-type": "a/b"}}, b"a/b", b"1"),
    ],
)
def test_text_and_json_become_the_body(
    arguments: dict[str, Any], media: bytes, body: bytes
) -> None:
    reply = Reply(**arguments)
    name = b"content-type" if media == b"a/b" else b"Content-Type"
    assert reply == Reply(headers=((name, media),), body=body)
    assert dataclasses.replace(reply, status=404).body == body


def test_an_integer_will_do_for_seconds() -> None:
    assert Pause(1).seconds == 1


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Send(b"a\0b"), b"a\0b"),
        (StatusLine(), b"HTTP/1.1 200 OK\r\n"),
        (StatusLine(b"HTTP/9 x", b"\n"), b"HTTP/9 x\n"),
        (Header(b"A", b"b"), b"A: b\r\n"),
        (Header(b"A", b"b", b" :", b"\n"), b"A :b\n"),
        (EndHeaders(), b"\r\n"),
        (Interim(), b"HTTP/1.1 100 Continue\r\n\r\n"),
        (Interim(103, ((b"L", b"x"),), 2), b"HTTP/1.1 103 Early Hints\r\nL: x\r\n\r\n" * 2),
        (Chunk(b"hello world, hello"), b"12\r\nhello world, hello\r\n"),
        (Chunk(b"hi", b"ffff", b";a=b", b"\n", b"XX"), b"ffff;a=b\nhiXX"),
        (LastChunk(), b"0\r\n\r\n"),
        (LastChunk(b"00", ((b"T", b"1"),)), b"00\r\nT: 1\r\n\r\n"),
        (Reply(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (Reply(599, framing="none"), b"HTTP/1.1 599 \r\n\r\n"),
        (Reply(204, b"Empty", b"HTTP/1.0", framing="none"), b"HTTP/1.0 204 Empty\r\n\r\n"),
        (
            Reply(404, headers=((b"A", b"b"),), body=b"gone"),
            b"HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 4\r\n\r\ngone",
        ),
        (
            Reply(body=b"hello", framing="chunked"),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            Reply(body=b"x", framing="close"),
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx",
        ),
        (
            Reply(framing="chunked"),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (Tunnel(), b"HTTP/1.1 200 OK\r\n\r\n"),
        (
            Tunnel(407, headers=((b"P", b"q"),)),
            b"HTTP/1.1 407 Proxy Authentication Required\r\nP: q\r\n\r\n",
        ),
        (Tunnel(data=b"HTTP/1.0 200 go\n\n"), b"HTTP/1.0 200 go\n\n"),
        (Fill(10, b"abc"), b"abcabcabca"),
        (Fill(0), b""),
        (Dribble(b"abcde", 2), b"abcde"),
    ],
)
def test_a_step_writes_exactly_these_octets(step: WritingStep, expected: bytes) -> None:
    assert octets(step) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Reply(body=b"x"), ["status-line", "field-line", "end-of-head", "body"]),
        (Chunk(b"x"), ["chunk-size", "chunk-data", "chunk-end"]),
        (LastChunk(trailers=((b"T", b"1"),)), ["last-chunk", "trailer", "end-of-trailers"]),
        (Header(b"A", b"b"), ["field-line"]),
    ],
)
def test_pieces_carry_their_roles(step: WritingStep, expected: list[str]) -> None:
    assert roles(step) == expected


def test_a_large_fill_shares_one_block() -> None:
    blocks = [pieces[0].data for pieces in Fill(1_000_000, b"ab").writes()]
    assert sum(map(len, blocks)) == 1_000_000
    assert len({id(block) for block in blocks[:-1]}) == 1


def test_garbage_is_the_same_for_the_same_seed() -> None:
    assert octets(Garbage(100_000, 7)) == octets(Garbage(100_000, 7))


def test_garbage_differs_between_seeds() -> None:
    assert octets(Garbage(100, 1)) != octets(Garbage(100, 2))


def test_a_dribble_makes_one_write_a_piece() -> None:
    assert list(Dribble(b"abc", 2).writes()) == [(Piece("data", b"ab"),), (Piece("data", b"c"),)]
