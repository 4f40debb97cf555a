"""The chunked transfer coding, decoded without reading anything.

`ChunkedDecoder` says in `want` which octets it needs next; the caller fetches them and hands them
to the method of that name. `whole_chunks` is the same grammar at full speed, for chunks that are
already here; what it does not understand at a glance it leaves to the decoder.

    chunked-body = *chunk last-chunk trailer-section CRLF               (RFC 9112, 7.1)
    chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    last-chunk   = 1*"0" [ chunk-ext ] CRLF
"""

from __future__ import annotations

from enum import Enum

from ._exceptions import HTTPException, IncompleteRead
from ._framing import bounded_int
from ._grammar import CHUNK_SIZE_LINE, MAX_LINES

# The longest size line that `whole_chunks` looks for; a longer one is rare and goes the slow way.
_SHORT_LINE = 64

# From this size on it pays to show the data where it is, and copy it once.
_LARGE = 4096

Piece = bytes | memoryview


class Want(Enum):
    """What the decoder needs next."""

    SIZE_LINE = "one line"
    DATA = "up to `left` octets"
    DATA_END = "exactly two octets"
    TRAILER_LINE = "one line of the trailer section"
    NOTHING = "nothing, the body is complete"


def chunk_size(line: bytes) -> int:
    r"""The size that a chunk-size line announces.

    >>> chunk_size(b"1A;name=value\r\n")
    26
    >>> chunk_size(b"0x1A\r\n")
    Traceback (most recent call last):
    httplib_impl._exceptions.IncompleteRead: IncompleteRead(0 bytes read)

    Signs, prefixes and underscores are no digits, leading blanks and a bare LF are refused: where
    two readers disagree about a size, one of them takes data for the next response.

    Raises:
        IncompleteRead: the line is cut or malformed; nobody knows where the body ends.
    """
    cut = not line.endswith(b"\n")
    whole = CHUNK_SIZE_LINE.fullmatch(line.removesuffix(b"\r") + b"\r\n" if cut else line)
    size = bounded_int(whole.group(1).lstrip(b"0"), 16) if whole else None
    # A server that closes right behind the zero has said all that it had to say.
    if size is None or (cut and size):
        raise IncompleteRead(b"", None)
    return size


class ChunkedDecoder:
    """Where one chunked body stands.

    Attributes:
        want: what to fetch next.
        left: how many octets of the current chunk are still to come.
    """

    __slots__ = ("left", "trailers", "want")

    def __init__(self) -> None:
        self.want = Want.SIZE_LINE
        self.left = 0
        self.trailers = 0

    def size_line(self, line: bytes) -> None:
        """Take the line that opens a chunk.

        Raises:
            IncompleteRead: see `chunk_size`.
        """
        self.left = chunk_size(line)
        self.want = Want.DATA if self.left else Want.TRAILER_LINE

    def data(self, count: int) -> None:
        """Take note that `count` octets of chunk data were handed on."""
        self.left -= count
        if not self.left:
            self.want = Want.DATA_END

    def data_end(self, octets: bytes) -> None:
        """Take the two octets behind the data.

        Raises:
            IncompleteRead: they are not CRLF, or they are not there.
        """
        if octets != b"\r\n":
            raise IncompleteRead(b"", None)
        self.want = Want.SIZE_LINE

    def trailer_line(self, line: bytes) -> None:
        """Drop one line of the trailer section; the blank line, or the end of the stream, ends it.

        Raises:
            HTTPException: more than 100 lines.
        """
        if line in (b"\r\n", b"\n", b""):
            self.want = Want.NOTHING
            return
        self.trailers += 1
        if self.trailers > MAX_LINES:
            raise HTTPException(f"got more than {MAX_LINES} trailers")


def whole_chunks(buffer: bytes, start: int, room: int) -> tuple[list[Piece], int]:
    r"""Decode the chunks that are here with all their framing, up to the next size line.

    >>> whole_chunks(b"5\r\nhello\r\n3\r\n it\r\n0\r\n\r\n", 0, 100)
    ([b'hello', b' it'], 18)

    Between two pieces of data stands CRLF and the next size line, and the same few of these come
    again and again: each is understood once.

    Args:
        buffer: octets as received.
        start: where a chunk-size line begins.
        room: the most octets of data to give.

    Returns:
        The data, and where the first chunk begins that is incomplete, last, malformed or too large.
    """
    pieces: list[Piece] = []
    known: dict[bytes, int] = {}
    between = b""
    data = buffer.find(b"\r\n", start, start + _SHORT_LINE) + 2
    size = _plain_size(buffer[start:data])
    while 0 < size <= room:
        end = data + size
        data_behind = buffer.find(b"\r\n", end + 2, end + _SHORT_LINE) + 2
        last_between, between = between, buffer[end:data_behind]
        size_behind = known.get(between)
        if size_behind is None:
            size_behind = known[between] = _size_behind(between)
        if size_behind < 0:
            break
        pieces.append(buffer[data:end] if size < _LARGE else memoryview(buffer)[data:end])
        room -= size
        start, data, size = end + 2, data_behind, size_behind
        if between == last_between and 0 < size <= room:
            run, start = _equal_chunks(buffer, start, between[2:], size, room)
            pieces += run
            room -= len(run) * size
            data = buffer.find(b"\r\n", start, start + _SHORT_LINE) + 2
            size = _plain_size(buffer[start:data])
    return pieces, start


def _plain_size(line: bytes) -> int:
    """The size of a short and well-formed line, else 0, which ends the fast way."""
    match = CHUNK_SIZE_LINE.fullmatch(line)
    return bounded_int(match.group(1).lstrip(b"0"), 16) if match else 0


def _size_behind(between: bytes) -> int:
    """The size in a line behind the end of a chunk, -1 where that end is not one."""
    return _plain_size(between[2:]) if between.startswith(b"\r\n") else -1


def _equal_chunks(
    buffer: bytes, start: int, line: bytes, size: int, room: int
) -> tuple[list[bytes], int]:
    """Decode the chunks from `start` on that have this size line, while they are well-formed."""
    from struct import iter_unpack  # rarely needed, and slow to import

    stride = len(line) + size + 2
    count = min((len(buffer) - start) // stride, room // size)
    pieces: list[bytes] = []
    view = memoryview(buffer)[start : start + count * stride]
    for head, data, end in iter_unpack(f"{len(line)}s{size}s2s", view):
        if head != line or end != b"\r\n":
            break
        pieces.append(data)
    return pieces, start + len(pieces) * stride
