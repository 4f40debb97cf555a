"""The message object against that of a live 2.7, and against what was recorded of one.

`asked` puts some two hundred questions about each header block: every method and attribute of
`mimetools.Message` and `rfc822.Message`, and every change with what it does to the rest. Where a
2.7 is here, each answer is compared; everywhere, a digest of all answers about a block is.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from httplib_impl import HTTPException, HTTPMessage, LineTooLong
from httplib_impl.tests.asked import everything

RECORDED = Path(__file__).with_name("message-2.7.json")
ASKED = Path(__file__).with_name("asked.py")

FIELDS = [
    *("", "A: b\r\n", " A: b\r\n", "\tA: b\r\nB: c\r\n", "A:\r\n folded\r\n", "A: b\nB: c\n"),
    *("From me\r\nA: b\r\n", "A: b\r\nFrom me: x\r\n", "From me\r\nFrom you: z\r\nA: b\r\n"),
    *("no colon\r\nA: b\r\n", "A: b\r\nno colon\r\nB: d\r\n", ": empty\r\nA: b\r\n"),
    *("A : b\r\n", "A: b\r\n  \r\nB: d\r\n", "A: 1\r\na: 2\r\n 3\r\nA: 4\r\n", "A: b\rX: y\r\n"),
    *("A:b\r\nA: \r\nA:\tc\r\n", "B: 1\r\n\tA: x\r\nA: y\r\n", "A: \xe9\xa0\x85\r\n"),
    *("\xc9: x\r\nA: y\r\n", "a:\r\n \r\n\tb\r\n", "From: x@y\r\nA: b\r\n", "A: x: y\r\n"),
    *("A: b\r\n c\r\n  d\r\nB:\r\n e\r\n", "From x\r\n\tfold\r\nA: b\r\n", "A: \x00\r\n"),
    *("Content-Type: a/b\r\nContent-Type: c/d; e=f\r\n", "A: b\x0bc\x0c\r\n"),
    *("content-transfer-encoding: Base64\r\n", ": x\r\n \r\nA: b\r\n", "A: b\x1c\r\n\x1cB: c\r\n"),
]
DATES = [
    *("Mon, 06 Nov 1994 08:49:37 GMT", "Monday, 06-Nov-94 08:49:37 GMT", "rubbish", ""),
    *("Mon Nov  6 08:49:37 1994", "06 Nov 94 08:49 +0100", "6 Nov 1994 08:49:37.123 -0330"),
    *("Mon, 06 Nov 69 08:49:37 EST", "Mon, 06 Nov 2094 08:49", "Nov 6 1994", "1 2 3 4 5"),
    *("Mon, 06 Nov 1994", "Mon, 06 Nov 1994 24:61:99 GMT", "06 November 1994 08:49:37 PDT"),
    *("Mon,06 Nov 1994 08:49:37 GMT", "Mon, 06 Nov 94 08:49:37 -0000", "94 Nov 6 08:49:37 GMT"),
    *("Mon, 06 Nov 94 08.49.37 GMT", "Mon, 06 Nov 1994 08:49:37 (GMT)", "1994-11-06 08:49:37"),
    *("06 Nov 0094 08:49:37 GMT", "06 Nov 194 08:49:37 GMT", "Mon, 06 Nov 03 08:49:37 GMT"),
    *("Sun, 06 Nov 1994 08:49:37 Z", "Sun, 06 Nov 1994 08:49:37 +01:00", "08:49:37 06 Nov 1994"),
    *(
        "Sun, 06 Nov 1994 08:49:37 1994",
        "06 Nov 1994 08:49:37 GMT more",
        "Sun, 06 nov 1994 8:9 GMT",
    ),
]
ADDRESSES = [
    *("a@b", "Real Name <a@b>", '"Q, N" <a@b>, c@d', "a@b (comment)", "<a@b>", "", "(comment)"),
    *("grp: a@b, c@d;", "a b c", "<>", "a@b,,c@d", '"open <a@b>', "a@[127.0.0.1]", "(a(b)c) d@e"),
    *("<@r1,@r2:a@b>", "x <a@b> y", "=?utf-8?q?x?= <a@b>", "a . b @ c", "\\x <a@b>", ",", ";"),
]
TYPES = [
    *("text/html", "Text/HTML; Charset=UTF-8", "text", "/", "a/b/c", ";x=1", "text/html;", ""),
    *('text/html; a="b;c"; d=<e>; F = g ; h', '  text / html ; q = "x\\"y\\\\z"', "A/B;;;"),
    *('a/b; x=""; y="; z=<', "a/b;x=1;x=2", "text/html\x1c; a=\xa0b"),
]
BLOCKS = [
    *(block + "\r\nbody" for block in FIELDS),
    *(f"Date: {date}\r\n\r\nbody" for date in DATES),
    *(f"To: {address}\r\nFrom: x@y\r\nTo: z@z\r\n\r\nbody" for address in ADDRESSES),
    *(f"To: {address}\r\n  , fold@f\r\n\r\nbody" for address in ADDRESSES),
    *(f"Content-Type: {kind}\r\n\r\nbody" for kind in TYPES),
    *("A: b", "A: b\r\n", "A: b\r\n c", "no colon"),
]


def answers(block: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(everything(HTTPMessage, block)))
    return found


def digest(found: dict[str, Any]) -> str:
    text = json.dumps(found, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def answers_of_2_7() -> list[dict[str, Any]] | None:
    """What a live 2.7 answers about all blocks; None where there is none."""
    program = shutil.which("python2.7")
    if program is None:
        return None
    run = subprocess.run(
        [program, str(ASKED), "httplib"],
        input=json.dumps(BLOCKS),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return json.loads(run.stdout) if run.returncode == 0 else None


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=[ascii(block) for block in BLOCKS])
def test_a_live_2_7_answers_the_same(number: int) -> None:
    theirs = answers_of_2_7()
    if theirs is None:
        pytest.skip("no python2.7 here; the recorded digests are compared all the same")
    ours = answers(BLOCKS[number])
    assert {name: ours[name] for name in theirs[number] if ours[name] != theirs[number][name]} == {}
    assert ours.keys() == theirs[number].keys()


@pytest.mark.parametrize("block", BLOCKS, ids=ascii)
def test_what_was_recorded_of_2_7_is_answered(block: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert digest(answers(block)) == recorded[block]


def test_the_records_are_those_of_a_live_2_7() -> None:
    theirs = answers_of_2_7()
    if theirs is None:
        pytest.skip("no python2.7 here to compare the records with")
    live = {block: digest(found) for block, found in zip(BLOCKS, theirs, strict=True)}
    assert json.loads(RECORDED.read_text(encoding="utf-8")) == live


BLOCK = b"A: 1\r\nB: 2\r\na: 3\r\n\r\nbody"


@pytest.mark.parametrize("file", [io.BytesIO(BLOCK), io.StringIO(BLOCK.decode(), newline="")])
def test_a_message_is_read_from_a_file_up_to_its_blank_line(file: Any) -> None:
    message = HTTPMessage(file)
    assert (message["a"], message.fp, file.read()) == ("1, 3", file, file.getvalue()[-4:])
    message.rewindbody()
    assert file.read() == file.getvalue()[-4:]


@pytest.mark.parametrize("seekable", [0, 1])
def test_a_file_that_cannot_be_moved_in_is_not_rewound(seekable: int) -> None:
    class Pipe(io.BytesIO):
        def tell(self) -> int:
            if seekable:
                raise OSError("not seekable")
            return super().tell()

    message = HTTPMessage(Pipe(BLOCK), seekable)
    assert message.seekable == 0
    with pytest.raises(OSError, match="unseekable"):
        message.rewindbody()


def test_limits_are_those_of_a_response() -> None:
    with pytest.raises(LineTooLong):
        HTTPMessage(io.BytesIO(b"A: " + b"x" * 65536 + b"\r\n\r\n"))
    with pytest.raises(HTTPException, match="100 headers"):
        HTTPMessage(io.BytesIO(b"A: b\r\n" * 101 + b"\r\n"))
    assert len(HTTPMessage(io.BytesIO(b"A: b\r\n" * 100 + b"\r\n")).headers) == 100


def test_names_are_compared_without_the_case_of_ascii_letters_alone() -> None:
    message = HTTPMessage("É: 1\r\n".encode("latin-1"))
    assert (message.get("É"), message.get("é"), message.get("Ж")) == ("1", None, None)


def test_the_list_of_lines_is_live() -> None:
    message = HTTPMessage(b"A: 1\r\n")
    message.headers.append("A: 2\r\n")
    assert (message.getheaders("a"), str(message), message["a"]) == (
        ["1", "2"],
        "A: 1\r\nA: 2\r\n",
        "1",
    )


if __name__ == "__main__":
    theirs = answers_of_2_7()
    if theirs is None:
        sys.exit("no python2.7 here")
    table = {block: digest(found) for block, found in zip(BLOCKS, theirs, strict=True)}
    RECORDED.write_text(json.dumps(table, indent=0) + "\n", encoding="utf-8")
