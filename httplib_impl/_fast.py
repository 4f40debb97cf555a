"""Fast paths, to be read last: what servers usually send, decoded in fewer steps.

Bytes that were received come in. The same values go out as from the files before, or nothing: what
is not understood at a glance is left to them, so that this file could be deleted without a change
of behaviour. Tests compare each function with the rules, on random input. Each is here because of
these rows of `python -m benchmarks.reference` (rates relative to `http.client`, CPython 3.11):

    =====================================  ==================  ====  =======
    function                               row                 with  without
    =====================================  ==================  ====  =======
    `plain_head`                           small GET            2.6      2.0
    `plain_head`                           30 headers           5.0      2.4
    `plain_head`                           99 headers           9.2      2.6
    `whole_chunks`                         64 KiB chunks        1.4      1.3
    `_equal_chunks`                        16-byte chunks       9.2      4.6
    `_equal_chunks`                        1 KiB chunks         3.5      2.1
    `_small_chunks`                        random chunks        3.6      1.6
    `file_chunks`                          chunks from a file   1.2      0.1
    =====================================  ==================  ====  =======
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, takewhile
from operator import eq

from . import _grammar
from ._framing import MAX_DIGITS
from ._grammar import CHUNK_SIZE_LINE, FRAMING_FIELD, STRICT_STATUS_LINE
from ._headers import Fields
from ._status_line import StatusLine, parse_status_line
from ._store import Store
from ._types import Any

# Status line, block of header lines, and the fields of it that decide about the body and the
# connection; where a valid Content-Length is the only one of these, its number instead.
PlainHead = tuple[StatusLine, bytes, Fields, int | None]

# Data of chunks, and where the first chunk begins that is not decoded.
Decoded = tuple[list[bytes | memoryview], int]

# A longer status line or chunk-size line is rare, and not understood here.
_SHORT_LINE = 64

# Larger chunks are not searched for others that begin after them.
_SMALL = 4096

# The most that one call decodes: bytes that are split, and chunks of one size. These are unpacked
# by the batch, which takes two thirds of the time of one by one.
_WINDOW, _RUN, _BATCH = 16384, 2048, 16

# So many lines are parsed once only.
_KEPT = 1024


@lru_cache(_KEPT)
def _status_line(line: bytes) -> StatusLine | None:
    """A valid status line, else None."""
    valid = STRICT_STATUS_LINE.fullmatch(line)
    return parse_status_line(line, strict=True) if valid else None


class _Sizes(dict[bytes, int]):
    """Chunk sizes by size line without its end; -1 where it is odd, long, or the last."""

    def __missing__(self, line: bytes) -> int:
        match = CHUNK_SIZE_LINE.fullmatch(line + b"\r\n") if len(line) < _SHORT_LINE else None
        if len(self) >= _KEPT:  # as lru_cache, which takes ten times as long
            self.clear()
        self[line] = size = int(match.group(1), 16) or -1 if match else -1
        return size


_size = _Sizes().__getitem__


def plain_head(buffer: bytes, start: int) -> tuple[PlainHead | None, int]:
    r"""Read a head that is here as a whole, and as servers usually send it.

    >>> plain_head(b"HTTP/1.1 200 OK\r\nAge: 1\r\n\r\nbody", 0)
    ((StatusLine(version=11, status=200, reason='OK', is_body=False), b'Age: 1\r\n', {}, None), 27)

    The fields that decide about the body are found without a look at the others, which may be many
    and are often never asked for.

    Args:
        buffer: bytes as received.
        start: where the status line begins.

    Returns:
        The head, and where the body begins; None and `start` where the head is cut, interim, or
        has a line that is continued (obs-fold) or empty.
    """
    line_end = buffer.find(b"\n", start, start + _SHORT_LINE) + 1
    status_line = _status_line(buffer[start:line_end])
    if status_line is None or status_line.status < 200:
        return None, start
    # The end of the status line may begin the blank line.
    end = buffer.find(b"\n\r\n", line_end - 1, line_end + _grammar.MAX_LINE) + 1
    if not end or buffer.count(b"\n", line_end, end) > _grammar.MAX_LINES:
        return None, start
    found = FRAMING_FIELD.findall(buffer, line_end - 1, end)
    if len(found) == 1 and found[0][1].lower() == b"content-length":
        digits = found[0][2].strip()
        if digits.isdigit() and len(digits) <= MAX_DIGITS:
            return (status_line, buffer[line_end:end], {}, int(digits)), end + 2
    fields: Fields = {}
    for odd, name, value in found:
        if odd:
            return None, start
        fields.setdefault(name.lower(), []).append(value.strip())
    return (status_line, buffer[line_end:end], fields, None), end + 2


def whole_chunks(buffer: bytes, start: int) -> Decoded:
    r"""Decode some of the chunks that are here with all their framing.

    >>> whole_chunks(b"5\r\nhello\r\n3\r\n it\r\n0\r\n\r\n", 0)
    ([b'hello', b' it'], 18)

    Args:
        buffer: bytes as received.
        start: where a chunk-size line begins.

    Returns:
        The data, and where the first chunk begins that was not decoded: it is incomplete, last,
        malformed, or more than one call decodes. None is decoded where the first is not. Large
        pieces are views: while they live, the buffer does.
    """
    line = buffer[start : start + _SHORT_LINE].partition(b"\r\n")[0]
    size = _size(line)
    pieces: list[bytes | memoryview] = []
    if 0 < size < _SMALL:
        if buffer.startswith(b"\r\n" + line + b"\r\n", start + len(line) + 2 + size):
            pieces, start = _equal_chunks(buffer, start, line, size)
        if not pieces:
            pieces, start = _small_chunks(buffer, start)
    return (pieces, start) if pieces else _any_chunks(buffer, start)


def _equal_chunks(buffer: bytes, start: int, line: bytes, size: int) -> Decoded:
    """Decode chunks with the same size line: each byte of it stands at equal distances."""
    from struct import iter_unpack  # rarely needed, and slow to import

    head = line + b"\r\n"
    stride = len(head) + size + 2
    count = min((len(buffer) - start) // stride, _RUN)
    for place, byte in zip((*range(len(head)), -2, -1), head + b"\r\n", strict=True):
        first = start + place % stride
        column = buffer[first : first + count * stride : stride]
        count = len(column) - len(column.lstrip(bytes((byte,))))
    end = start + (count - count % _BATCH) * stride
    data = iter_unpack(f"{len(head)}x{size}s2x" * _BATCH, memoryview(buffer)[start:end])
    return [*chain.from_iterable(data)], end


def _small_chunks(buffer: bytes, start: int) -> Decoded:
    """Decode chunks whose data have no CRLF: size lines and data take turns between them."""
    parts = buffer[start : start + _WINDOW].split(b"\r\n")
    pieces: list[bytes | memoryview] = [*parts[1:-1:2]]  # the last part has no CRLF after it
    good = sum(takewhile(bool, map(eq, map(_size, parts[::2]), map(len, pieces))))
    return pieces[:good], start + sum(map(len, parts[: 2 * good])) + 4 * good


def _any_chunks(buffer: bytes, start: int) -> Decoded:
    """Decode chunks of any size, one after the other."""
    pieces: list[bytes | memoryview] = []
    view = memoryview(buffer)
    while True:
        line = buffer[start : start + _SHORT_LINE].partition(b"\r\n")[0]
        data, size = start + len(line) + 2, _size(line)
        if size < 0 or not buffer.startswith(b"\r\n", data + size):
            return pieces, start
        pieces.append(view[data : data + size])
        start = data + size + 2


def file_chunks(reader: Any, store: Store, room: int) -> bool:
    """Decode chunks from the file of a socket-like, with two reads for each.

    Args:
        reader: its `source` reads the file; what is read and not decoded is put back there.
        store: where to.
        room: how many bytes are missing; each chunk must leave some, or its CRLF may come late.

    Returns:
        Whether at least one chunk was decoded.
    """
    readline, read = reader.source.line, reader.source.block
    pieces: list[bytes] = []
    line = data = b""
    try:
        while True:
            line = readline(_SHORT_LINE) or b""
            size = _size(line[:-2])
            if not 0 < size < room or line[-2:] != b"\r\n":
                break
            data = read(size + 2) or b""
            if data[size:] != b"\r\n":
                break
            pieces.append(data[:size])
            room -= size
            line = data = b""
    finally:
        reader.unread(line + data)
        store.append(*pieces)
    return bool(pieces)
