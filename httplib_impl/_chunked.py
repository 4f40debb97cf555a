"""The chunked transfer coding, decoded without reading anything.

`chunked_wants` says which octets it needs next; who runs it fetches them and hands them in. A want
stays until it is met, so that a fetch can fail and be repeated. `whole_chunks` is the same grammar
at full speed, for chunks that are here; what it does not understand at a glance it leaves behind.

    chunked-body = *chunk last-chunk trailer-section CRLF               (RFC 9112, 7.1)
    chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    last-chunk   = 1*"0" [ chunk-ext ] CRLF
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from functools import lru_cache

from . import _grammar
from ._exceptions import HTTPException, IncompleteRead
from ._framing import bounded_int
from ._grammar import CHUNK_SIZE_LINE

# The longest size line that `whole_chunks` looks for; a longer one is rare and goes the slow way.
_SHORT_LINE = 64

# From this size on a view costs less than a copy.
_LARGE = 4096

# What a piece costs beside its octets: an object, and its place in a list.
_OBJECT = 48


class Want(Enum):
    """What is needed next where it is not data."""

    SIZE_LINE = "a chunk-size line"
    DATA_END = "the CRLF behind data"
    TRAILER_LINE = "a line of the trailer section"
    NOTHING = "nothing, the body is complete"


SIZE_LINE, DATA_END = Want.SIZE_LINE, Want.DATA_END
TRAILER_LINE, NOTHING = Want.TRAILER_LINE, Want.NOTHING


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


def chunked_wants() -> Generator[Want | int, bytes, None]:
    r"""Decode one chunked body: gives what is wanted next, and takes those octets.

    >>> wants = chunked_wants()
    >>> next(wants)
    <Want.SIZE_LINE: 'a chunk-size line'>
    >>> wants.send(b"5\r\n")
    5
    >>> wants.send(b"")
    <Want.DATA_END: 'the CRLF behind data'>

    A number wants so many octets of data, which go to the caller of `read` and not in here.

    Raises:
        IncompleteRead: a size line, or the end of a chunk, is cut or malformed.
        HTTPException: more than 100 lines in the trailer section.
    """
    while size := chunk_size((yield SIZE_LINE)):
        yield size
        if (yield DATA_END) != b"\r\n":
            raise IncompleteRead(b"", None)
    # Trailers are dropped. The blank line ends them, and so does the end of the stream.
    for _ in range(_grammar.MAX_LINES + 1):
        if (yield TRAILER_LINE) in (b"\r\n", b"\n", b""):
            yield NOTHING
    raise HTTPException(f"got more than {_grammar.MAX_LINES} trailers")


def whole_chunks(buffer: bytes, start: int, room: int) -> tuple[list[bytes | memoryview], int]:
    r"""Decode the chunks that are here with all their framing, up to the next size line.

    >>> whole_chunks(b"5\r\nhello\r\n3\r\n it\r\n0\r\n\r\n", 0, 100)
    ([b'hello', b' it'], 18)

    Between two pieces of data stand CRLF and the next size line, and the same few of these come
    again and again: each is understood once, and six octets (two digits) are tried first.

    Args:
        buffer: octets as received.
        start: where a chunk-size line begins.
        room: the most memory to take, in octets; each chunk counts with what stands behind it.

    Returns:
        The data, and where the first chunk begins that is incomplete, last, malformed, or more
        than there is room for. Large pieces are views: while they live, the buffer does.
    """
    pieces: list[bytes | memoryview] = []
    known: dict[bytes, int] = {}
    view = memoryview(buffer)
    data = buffer.find(b"\r\n", start, start + _SHORT_LINE) + 2
    size = _plain_size(buffer[start:data])
    while 0 < size <= room:
        end = data + size
        data_behind = end + 6
        between = buffer[end:data_behind]
        size_behind = known.get(between)
        if size_behind is None:
            data_behind = buffer.find(b"\r\n", end + 2, end + _SHORT_LINE) + 2
            between = buffer[end:data_behind]
            size_behind = known.get(between)
            if size_behind is None:
                size_behind = _plain_size(between[2:]) if between.startswith(b"\r\n") else -1
                if size_behind < 0:
                    break
                known[between] = size_behind
        pieces.append(buffer[data:end] if size < _LARGE else view[data:end])
        room -= data_behind - data + _OBJECT
        if size == size_behind < _LARGE and buffer.startswith(between, data_behind + size):
            # Three of a size in a row begin many.
            run = _equal_chunks(buffer, end + 2, between[2:], size, room)
            pieces += run
            start = end + 2 + (data_behind - data) * len(run)
            room -= (data_behind - data + _OBJECT) * len(run)
            data = buffer.find(b"\r\n", start, start + _SHORT_LINE) + 2
            size = _plain_size(buffer[start:data])
        else:
            start, data, size = end + 2, data_behind, size_behind
    return pieces, start


@lru_cache
def _plain_size(line: bytes) -> int:
    """The size of a short and well-formed line, else 0, which ends the fast way."""
    match = CHUNK_SIZE_LINE.fullmatch(line)
    return bounded_int(match.group(1).lstrip(b"0"), 16) if match else 0


def _equal_chunks(buffer: bytes, start: int, line: bytes, size: int, room: int) -> list[bytes]:
    """Decode the chunks from `start` on that have this size line, while they are well-formed."""
    from struct import iter_unpack  # rarely needed, and slow to import

    stride = len(line) + size + 2
    count = max(0, min((len(buffer) - start) // stride, room // (stride + _OBJECT)))
    pieces: list[bytes] = []
    view = memoryview(buffer)[start : start + count * stride]
    for head, data, end in iter_unpack(f"{len(line)}s{size}s2s", view):
        if head != line or end != b"\r\n":
            break
        pieces.append(data)
    return pieces
