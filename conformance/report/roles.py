r"""The role of each byte of a response, by lines, for display.

The input is the steps of one connection or route.  The output is the pieces that each step writes,
with their roles.  A step with a structure provides the roles itself.  Raw bytes are split by their
lines, as a person reads them: a line that begins with ``HTTP/`` opens a head, an empty line ends
it, and after a head that contains `chunked`, size lines and data follow.

The roles only select colours.  Nothing is judged: where the role is unclear it is ``data``, and the
bytes are the same in any case.

>>> one = roles_of_raw(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhi")
>>> [piece.role for piece in one]
['status-line', 'field-line', 'end-of-head', 'body']
"""

import re
from collections.abc import Iterator

from mockserver import Connection, Fill, Garbage, Piece, Route, Step, pieces_of

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_CHUNKED = re.compile(rb"(?i)\ntransfer-encoding[ \t]*:[^\n]*chunked")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")
_LENGTH = re.compile(rb"(?i)\ncontent-length[ \t]*:[ \t]*(\d{1,12})[ \t]*(?=\r?\n)")
_NO_BODY = re.compile(rb"HTTP/[^ \n]* (?:1(?!01)\d\d|204|304)(?!\d)")
_BLANK = (b"\r\n", b"\n")
_IN_HEAD = frozenset({"status-line", "field-line"})


def annotated(part: Connection | Route) -> Iterator[tuple[Step, tuple[Piece, ...]]]:
    """Yield each step with the pieces that it writes; none for bulk steps."""
    role = ""
    for step in part.steps:
        pieces = () if isinstance(step, Fill | Garbage) else tuple(pieces_of(step))
        if pieces and all(piece.role == "data" for piece in pieces):
            raw = b"".join(piece.data for piece in pieces)
            pieces = tuple(roles_of_raw(raw, in_head=role in _IN_HEAD))
        role = pieces[-1].role if pieces else role
        yield step, pieces


def roles_of_raw(raw: bytes, *, in_head: bool = False) -> Iterator[Piece]:
    """Yield the pieces of *raw*.

    Args:
        raw: bytes that a step writes.
        in_head: whether a head is still open before them.
    """
    at = 0
    role = "data"
    while raw.startswith(b"HTTP/", at) or in_head:
        head = list(_head(raw[at:], in_head))
        yield from head
        in_head = False
        start, at = at, at + sum(len(piece.data) for piece in head)
        if _CHUNKED.search(raw, start, at) and not _NO_BODY.match(raw, start):
            yield from _chunks(raw[at:])
            return
        role = "body"
        length = _length(raw[start:at])
        if length is not None and head[-1].role == "end-of-head":
            if body := raw[at : at + length]:
                yield Piece("body", body)
            at += len(body)
            role = "excess"
    if at < len(raw):
        yield Piece(role, raw[at:])


def _length(head: bytes) -> int | None:
    """Return the length of the body that *head* announces; None if it is not known from it."""
    if _NO_BODY.match(head):
        return 0
    lengths = _LENGTH.findall(head)
    return int(lengths[0]) if len(lengths) == 1 else None


def _head(raw: bytes, in_head: bool) -> Iterator[Piece]:
    """Yield the lines of a head, up to and including its empty line."""
    for number, found in enumerate(_LINE.finditer(raw)):
        line = found[0]
        if line in _BLANK:
            yield Piece("end-of-head", line)
            return
        yield Piece("field-line" if number or in_head else "status-line", line)


def _chunks(raw: bytes) -> Iterator[Piece]:
    """Yield chunks while the framing is valid; the rest is data."""
    at = 0
    while size := _SIZE.match(raw, at):
        length = int(size[1], 16)
        yield Piece("chunk-size" if length else "last-chunk", size[0])
        data = raw[size.end() : size.end() + length]
        at = size.end() + len(data)
        if not length:
            yield from _trailers(raw[at:])
            return
        yield Piece("chunk-data", data)
        if raw.startswith(b"\r\n", at):
            yield Piece("chunk-end", raw[at : at + 2])
            at += 2
    if at < len(raw):
        yield Piece("data", raw[at:])


def _trailers(raw: bytes) -> Iterator[Piece]:
    """Yield the lines of a trailer section, up to and including its empty line.

    The rest is data.
    """
    at = 0
    for found in _LINE.finditer(raw):
        line = found[0]
        at += len(line)
        yield Piece("end-of-trailers" if line in _BLANK else "trailer", line)
        if line in _BLANK:
            yield from _after(raw[at:])
            return
    if at < len(raw):
        yield Piece("data", raw[at:])


def _after(raw: bytes) -> Iterator[Piece]:
    """Yield what follows a complete message: the next one, or bytes that belong to none."""
    if raw.startswith(b"HTTP/"):
        yield from roles_of_raw(raw)
    elif raw:
        yield Piece("excess", raw)
