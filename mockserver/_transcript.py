"""Octets as text that a person can read and a tool can compare.

In come octets and their place in the stream, out come lines: text with its line ends visible, and a
hexadecimal dump of the lines that are not text. The same octets always give the same lines: the
server's port, which differs from run to run, is shown as a word. Offsets are those of the octets.
"""

import itertools
import re
from collections.abc import Iterator

_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]*\Z")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_SHOWN = 4096
_VISIBLE = str.maketrans({"\\": "\\\\", "\r": "\\r", "\n": "\\n", "\t": "\\t"})


class Mask:
    """Shows the server's own address without its port.

    Args:
        address: Host and port of the server; None to show everything as it is.
    """

    def __init__(self, address: tuple[str, int] | None) -> None:
        self._text: re.Pattern[str] | None = None
        if address is not None:
            host, port = re.escape(address[0]), address[1]
            names = rf"(?:(?<![\d.]){host}|\[{host}\]|(?i:\blocalhost)):"
            self._text = re.compile(rf"({names}){port}(?!\d)")
            self._octets = re.compile(self._text.pattern.encode())

    def text(self, text: str) -> str:
        r"""The text, with a word in place of the port.

        >>> Mask(("127.0.0.1", 4711)).text("Host: 127.0.0.1:4711")
        'Host: 127.0.0.1:PORT'
        """
        return self._text.sub(r"\1PORT", text) if self._text else text

    def octets(self, data: bytes) -> bytes:
        """As many octets, with a letter for each digit of the port."""
        if self._text is None:
            return data
        return self._octets.sub(
            lambda found: found[1] + b"P" * (len(found[0]) - len(found[1])), data
        )


_BARE = Mask(None)


def lines_of(
    direction: str, offset: int, role: str, data: bytes, mask: Mask = _BARE
) -> Iterator[str]:
    r"""The lines for octets that went in one direction.

    >>> list(lines_of(">", 17, "field-line", b"Content-Length: 5\r\n"))
    ['  >     17  field-line      Content-Length: 5\\r\\n']
    """
    shown = data[:_SHOWN]
    for start, text in _rows(shown, mask):
        yield f"  {direction} {offset + start:>6}  {role:<14}  {text}"
    if len(data) > _SHOWN:
        more = len(data) - _SHOWN
        yield f"  {direction} {offset + _SHOWN:>6}  {role:<14}  … {more} octets more"


def _rows(data: bytes, mask: Mask) -> Iterator[tuple[int, str]]:
    lines = _LINE.finditer(data)
    for is_text, run in itertools.groupby(lines, lambda line: bool(_TEXT.match(line[0]))):
        if is_text:
            for line in run:
                yield line.start(), mask.text(line[0].decode("ascii").translate(_VISIBLE))
            continue
        together = list(run)
        first = together[0].start()
        for start, text in _dump_lines(mask.octets(data[first : together[-1].end()])):
            yield first + start, text


def _dump_lines(data: bytes) -> Iterator[tuple[int, str]]:
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        yield start, f"{row.hex(' '):<47}  |{text}|"
