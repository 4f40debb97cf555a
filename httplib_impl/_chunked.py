"""The chunked transfer coding, decoded without reading anything.

`chunked_needs` yields what it needs next; its caller fetches these bytes and sends them in. A need
stays until it is met, so that a fetch can fail and be repeated.

    chunked-body = *chunk last-chunk trailer-section CRLF               (RFC 9112, 7.1)
    chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    last-chunk   = 1*"0" [ chunk-ext ] CRLF
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum

from . import _grammar
from ._exceptions import HTTPException, IncompleteRead
from ._framing import bounded_int
from ._grammar import CHUNK_SIZE_LINE


class Need(Enum):
    """What is needed next where it is not data."""

    SIZE_LINE = "a chunk-size line"
    DATA_END = "the CRLF after data"
    TRAILER_LINE = "a line of the trailer section"
    NOTHING = "nothing, the body is complete"


SIZE_LINE, DATA_END, TRAILER_LINE, NOTHING = Need


def chunk_size(line: bytes) -> int:
    r"""The size that a chunk-size line announces.

    >>> chunk_size(b"1A;name=value\r\n")
    26
    >>> chunk_size(b"0x1A\r\n")
    Traceback (most recent call last):
    httplib_impl._exceptions.IncompleteRead: IncompleteRead(0 bytes read)

    Signs, prefixes and underscores are not digits; leading blanks and a bare LF are refused: where
    two readers disagree about a size, one of them takes data for the next response.

    Raises:
        IncompleteRead: the line is cut or malformed; it is not known where the body ends.
    """
    cut = not line.endswith(b"\n")
    whole = CHUNK_SIZE_LINE.fullmatch(line.removesuffix(b"\r") + b"\r\n" if cut else line)
    size = bounded_int(whole.group(1).lstrip(b"0"), 16) if whole else None
    # After the zero nothing of the body is missing, even if the server closes there.
    if size is None or (cut and size):
        raise IncompleteRead(b"", None)
    return size


def chunked_needs() -> Generator[Need | int, bytes, None]:
    r"""Decode one chunked body: yields what is needed next, and takes those bytes.

    >>> needs = chunked_needs()
    >>> next(needs)
    <Need.SIZE_LINE: 'a chunk-size line'>
    >>> needs.send(b"5\r\n")
    5
    >>> needs.send(b"")
    <Need.DATA_END: 'the CRLF after data'>

    A number stands for so many bytes of data, which go to the caller of `read` and not in here.

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
