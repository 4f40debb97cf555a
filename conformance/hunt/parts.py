"""The parts of a drawn response, and which of them makes implementations differ.

The input is a response as bytes.  The output is its parts, in the order of the bytes: interim
responses, the status line, the field lines by name, the end of the head, the content.  Each has
plain forms; the part at fault is the one without which, or in whose plain form, nothing differs.

The bytes may be malformed, so this is no parser: lines end with LF, and what cannot be divided
stays whole.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

FIELD_LINE = "field line"
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_INTERIM = re.compile(rb"HTTP/\S*\s+1(?!01)\d\d")
_FRAMING = {b"content-length": "Content-Length", b"transfer-encoding": "Transfer-Encoding"}
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_RUNS = (
    (rb"[A-Za-z][A-Za-z0-9-]*", b"a"),
    (rb"[0-9]+", b"0"),
    (rb"[ \t]+", b" "),
    (rb"[\x80-\xff]+", b"\xff"),
)


class Part(NamedTuple):
    """A part of a response.

    Args:
        name: what it is: ``status line``, ``Content-Length``, ``field line``, ``content`` …
        spans: where its bytes begin and end; several of a field that is repeated.
        plain: its plain forms, the shortest first.
    """

    name: str
    spans: tuple[tuple[int, int], ...]
    plain: tuple[bytes, ...]

    @property
    def is_field(self) -> bool:
        """Whether it consists of field lines."""
        return self.name == FIELD_LINE or self.name in _FRAMING.values()

    def of(self, octets: bytes) -> bytes:
        """Return its bytes in *octets*."""
        return b"".join(octets[begin:end] for begin, end in self.spans)

    def mended(self, octets: bytes) -> Iterator[bytes]:
        """Yield *octets* with each plain form of this part in its place; none if it is plain."""
        if self.of(octets) in self.plain:
            return
        (first, end), *others = self.spans
        rest = octets[end:]
        for begin, stop in reversed(others):
            rest = rest[: begin - end] + rest[stop - end :]
        yield from (octets[:first] + plain + rest for plain in self.plain)


def parts_of(octets: bytes) -> list[Part]:
    """Return the parts of a response, in the order of their first bytes."""
    lines = [found.span() for found in _LINE.finditer(octets)]
    found: list[Part] = []
    while lines and _INTERIM.match(octets, lines[0][0]):
        head = _head(octets, lines)
        found.append(Part("interim response", ((lines[0][0], head[-1][1]),), (b"",)))
        del lines[: len(head)]
    end = len(octets)
    head = _head(octets, lines)
    status, *fields = head or [(end, end)]
    found.append(Part("status line", (status,), (b"HTTP/1.1 200 OK\r\n",)))
    is_whole = bool(fields) and not octets[slice(*fields[-1])].strip(b"\r\n")
    blank = fields.pop() if is_whole else (end, end)
    groups: dict[bytes, list[tuple[int, int]]] = {}
    name = b""
    for begin, stop in fields:
        line = octets[begin:stop]
        if not (line[:1] in b" \t" and groups):
            name = line.partition(b":")[0].strip(b" \t").lower()
        groups.setdefault(name, []).append((begin, stop))
    length = b"Content-Length: %d\r\n" % (end - blank[1])
    plain = {b"content-length": (b"", length), b"transfer-encoding": (_CHUNKED, b"")}
    found += [
        Part(_FRAMING.get(name, FIELD_LINE), tuple(spans), plain.get(name, (b"",)))
        for name, spans in groups.items()
    ]
    found.append(Part("end of the head", (blank,), (b"\r\n",)))
    chunked = b"transfer-encoding" in groups
    forms = (b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n") if chunked else (b"", b"hello")
    return [*found, Part("content", ((blank[1], end),), forms)]


def at_fault(octets: bytes) -> Part | None:
    """Return the first part that is not plain, or None."""
    return next((part for part in parts_of(octets) if any(part.mended(octets))), None)


def _head(octets: bytes, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the lines through the first empty one, which is not the first line."""
    for index, (begin, end) in enumerate(lines):
        if index and octets[begin:end] in (b"\n", b"\r\n", b"\r\r\n", b" \r\n"):
            return lines[: index + 1]
    return lines


def shape(octets: bytes) -> bytes:
    r"""Return *octets* with one sign for each word, number, run of blanks or run beyond ASCII.

    >>> shape(b"Transfer-Encoding: \tchunked\r\n")
    b'a: a\r\n'
    """
    for run, sign in _RUNS:
        octets = re.sub(run, sign, octets)
    return octets
