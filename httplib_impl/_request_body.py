"""The body of a request: the caller's argument becomes bytes, or a file that is read in blocks.

Bytes-like objects, text and files come in; bytes or a `FileBody` go out. Nothing is sent here, and
nothing is accepted that cannot be converted to bytes.
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
        length: how many bytes were announced; None to send the whole file.
    """

    def __init__(self, file: Any, length: int | None = None) -> None:
        self.length = length
        self._left = length
        self._file = file
        self._first: bytes | None = None

    def counted(self) -> bytes | FileBody:
        """The same from its position to its end, its length known; else all of it, read now."""
        length = _bytes_ahead(self._file)
        return b"".join(self.blocks()) if length is None else FileBody(self._file, length)

    def first_block(self) -> bytes:
        """Read the first block and keep it, so that a bad file is refused before anything is sent.

        Raises:
            UnimplementedFileMode: the file cannot be read, or gives text.
        """
        if self._first is None:
            self._first = self._next_block(BLOCK)
        return self._first

    def blocks(self) -> Iterator[bytes]:
        """All blocks, the first one included.

        Raises:
            OSError: the file ended before the bytes that were announced.
        """
        while block := self.read(BLOCK):
            yield block
        if self._left:
            raise OSError(f"the body file ended {self._left} bytes before its announced length")

    def read(self, size: int = -1) -> bytes:
        """Read as from a file: hooks receive this object in place of the caller's file."""
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
        try:
            data = self._file.read(size)
        except UnsupportedOperation as error:
            raise UnimplementedFileMode(str(error)) from error
        block = bytes_of(data)
        if block is None:
            raise UnimplementedFileMode(f"the body file gave {type(data).__name__}, not bytes")
        if self._left is not None:
            block = block[:size]
            self._left -= len(block)
        return block


def bytes_of(data: object) -> bytes | None:
    """The bytes of a bytes-like object, None for anything else."""
    if isinstance(data, bytes):
        return data
    try:
        with memoryview(data) as view:  # type: ignore[arg-type]  # the only test there is
            return view.tobytes()
    except TypeError:
        return None


def request_body(body: Any) -> bytes | FileBody:
    """Understand what a caller gave as body.

    Raises:
        TypeError: neither bytes nor text nor a file.
        UnicodeEncodeError: text that ISO-8859-1 cannot hold.
        UnimplementedFileMode: a file of text, or one that is not readable.
    """
    if isinstance(body, (bytes, FileBody)):
        return body
    if isinstance(body, str):
        return body.encode("latin-1")
    if callable(getattr(body, "read", None)):  # first, for a mapped file is both
        return _file_body(body)
    block = bytes_of(body)
    if block is None:
        raise TypeError(f"a body is bytes, text or a file, not {type(body).__name__}")
    return block


def _file_body(file: Any) -> FileBody:
    readable = getattr(file, "readable", None)
    if isinstance(file, TextIOBase):
        raise UnimplementedFileMode("the body file is open for text")
    if callable(readable) and not readable():
        raise UnimplementedFileMode("the body file is not open for reading")
    return FileBody(file)


def _bytes_ahead(file: Any) -> int | None:
    """Bytes from the current position to the end: by seek and tell, else by `len`."""
    try:
        here: int = file.tell()
        file.seek(0, 2)
        end: int = file.tell()
        file.seek(here)
    except (AttributeError, OSError):  # it has none of these, or is a pipe
        return len(file) if hasattr(type(file), "__len__") else None
    return max(end - here, 0)
