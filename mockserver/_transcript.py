"""Octets as text that a person can read and a tool can compare.

In come octets and their place in the stream, out come lines: text with its line ends visible, or a
hexadecimal dump where it is not text. The same octets always give the same lines.
"""

import re
from collections.abc import Iterator

_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]*\Z")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_SHOWN = 4096
_VISIBLE = str.maketrans({"\\": "\\\\", "\r": "\\r", "\n": "\\n", "\t": "\\t"})


def lines_of(direction: str, offset: int, role: str, data: bytes) -> Iterator[str]:
    r"""The lines for octets that went in one direction.

    >>> list(lines_of(">", 17, "field-line", b"Content-Length: 5\r\n"))
    ['  >     17  field-line      Content-Length: 5\\r\\n']
    """
    shown = data[:_SHOWN]
    parts = _text_lines(shown) if _TEXT.match(shown) else _dump_lines(shown)
    for start, text in parts:
        yield f"  {direction} {offset + start:>6}  {role:<14}  {text}"
    if len(data) > _SHOWN:
        more = len(data) - _SHOWN
        yield f"  {direction} {offset + _SHOWN:>6}  {role:<14}  … {more} octets more"


def _text_lines(data: bytes) -> Iterator[tuple[int, str]]:
    for line in _LINE.finditer(data):
        yield line.start(), line[0].decode("ascii").translate(_VISIBLE)


def _dump_lines(data: bytes) -> Iterator[tuple[int, str]]:
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        yield start, f"{row.hex(' '):<47}  |{text}|"
