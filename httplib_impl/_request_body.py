"""The body of a request: what the caller gave becomes octets, or a file that gives them in blocks.

Bytes-like objects, text and files come in; bytes or a `FileBody` go out. Nothing is sent here, and
nothing is accepted whose octets cannot be had.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOBase, UnsupportedOperation

from ._exceptions import UnimplementedFileMode
from ._types import Any

BLOCK = 65536


class FileBody:
    """A file that is sent in blocks, never more of it than was announced.

    Args:
        file: an object with `read`.
        length: the octets announced; None to send all that there is.
    """

    def __init__(self, file: Any, length: int | None = None) -> None:
        self.length = length
        self._left = length
        self._file = file
        self._first: bytes | None = None

    def counted(self) -> bytes | FileBody:
        """The same from its position to its end, its length known; else all of it, read now."""
        length = _octets_ahead(self._file)
        return b"".join(self.blocks()) if length is None else FileBody(self._file, length)

    def first_block(self) -> bytes:
        """Read the first block and keep it, so that a bad file is known before anything is sent.

        Raises:
            UnimplementedFileMode: the file cannot be read, or gives text.
        """
        if self._first is None:
            self._first = self._next_block(BLOCK)
        return self._first

    def blocks(self) -> Iterator[bytes]:
        """All blocks, the first one included.

        Raises:
            OSError: the file ended before the octets that were announced.
        """
        while block := self.read(BLOCK):
            yield block
        if self._left:
            raise OSError(f"the body file ended {self._left} octets before its announced length")

    def read(self, size: int = -1) -> bytes:
        """Read as from a file: hooks are given this object for the file of the caller."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        block, self._first = self._first, None
        if block is None:
            return self._next_block(size)
        self._first = block[size:] or None
        return block[:size]

    def _next_block(self, size: int) -> bytes:
        if self._left is not None:
            size = min(size, self._left)
        if not size:
            return b""
        octets = _read_octets(self._file, size)
        if self._left is not None:
            octets = octets[:size]
            self._left -= len(octets)
        return octets


def _read_octets(file: Any, size: int) -> bytes:
    """Read one block.

    Raises:
        UnimplementedFileMode: the file cannot be read, or gives something other than octets.
    """
    try:
        octets = file.read(size)
    except UnsupportedOperation as error:
        raise UnimplementedFileMode(str(error)) from error
    whole = octets_of(octets)
    if whole is None:
        raise UnimplementedFileMode(f"the body file gave {type(octets).__name__}, not octets")
    return whole


def octets_of(data: object) -> bytes | None:
    """The octets of a bytes-like object, None for anything else."""
    if isinstance(data, bytes):
        return data
    try:
        with memoryview(data) as view:  # type: ignore[arg-type]  # asking is the only way to know
            return view.tobytes()
    except TypeError:
        return None


def request_body(body: Any) -> bytes | FileBody:
    """Understand what a caller gave as body.

    Raises:
        TypeError: neither octets nor text nor a file.
        UnicodeEncodeError: text that ISO-8859-1 cannot hold.
        UnimplementedFileMode: a file that cannot give octets, as far as it says so.
    """
    if isinstance(body, (bytes, FileBody)):
        return body
    if isinstance(body, str):
        return body.encode("latin-1")
    if callable(getattr(body, "read", None)):  # first, for a mapped file is both
        return _file_body(body)
    octets = octets_of(body)
    if octets is None:
        raise TypeError(f"a body is octets, text or a file, not {type(body).__name__}")
    return octets


def _file_body(file: Any) -> FileBody:
    readable = getattr(file, "readable", None)
    if isinstance(file, TextIOBase):
        raise UnimplementedFileMode("the body file is open for text")
    if callable(readable) and not readable():
        raise UnimplementedFileMode("the body file is not open for reading")
    return FileBody(file)


def _octets_ahead(file: Any) -> int | None:
    """Octets from the current position to the end: by seek and tell, else by `len`."""
    try:
        here: int = file.tell()
        file.seek(0, 2)
        end: int = file.tell()
        file.seek(here)
    except (AttributeError, OSError):  # it has none of these, or is a pipe
        try:
            length: int = len(file)
        except TypeError:
            return None
        return length
    return max(end - here, 0)
