"""Bytes that were decoded and not yet returned: appended at one end, taken from the other.

They are kept in one buffer that is returned without a copy where all of it is taken, and that a
socket can fill directly. The buffer grows with what was received and never with what was announced.
Nothing is decoded here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import SEEK_END, BytesIO

# More bytes than there can be: no limit.
ALL = sys.maxsize

# The first room for bytes that a socket receives here directly.
_FIRST_ROOM = 1 << 20


class Store:
    """A queue of bytes."""

    __slots__ = ("_file", "_given")

    def __init__(self) -> None:
        self._file = BytesIO()  # its position is always the end of what was received
        self._given = 0

    def __len__(self) -> int:
        return self._file.tell() - self._given

    def append(self, *pieces: bytes | memoryview) -> None:
        """Add bytes at the end."""
        before = self._file.tell()
        self._file.writelines(pieces)
        if before < _FIRST_ROOM <= self._file.tell():
            # A new large buffer is enlarged by the system without a copy, and makes malloc keep
            # such memory: a buffer that grows in the heap is returned to the system after every
            # body, and its pages are new each time (64 KiB chunks, alone in a process: 4 ms of CPU
            # for 16 MiB, without this 11 ms; `http.client` 5 ms).
            self._file = BytesIO(bytes(self._file.getbuffer()))
            self._file.seek(0, SEEK_END)

    def receive(self, receive_into: Callable[[memoryview], int], n: int) -> bool:
        """Receive n bytes at the end.

        Args:
            receive_into: as `socket.recv_into`.
            n: how many; `ALL` for as many as there are.

        Returns:
            False where the stream ended before.

        Raises:
            OSError: raised by `receive_into`; what was received before is kept.
        """
        end = room = self._file.tell()
        try:
            while n:
                if end == room:
                    room = self._make_room(end, n)
                with self._file.getbuffer() as whole, whole[end:room] as space:
                    count = receive_into(space)
                if not count:
                    return False
                end += count
                n -= count
        finally:
            self._file.truncate(end)
            self._file.seek(end)
        return True

    def _make_room(self, end: int, n: int) -> int:
        """Make room for some of n bytes, and return where it ends."""
        total = end + n
        if 15 * end <= n < ALL - end:
            limit = max(_FIRST_ROOM, 17 * end)
            room = total if total <= limit else min(limit, max(_FIRST_ROOM, total // 16))
            # New zeros take no memory until they are written; few bytes are moved. In the benchmark
            # `reference`, row 64 MiB, read(): 1.3 so, 1.0 with the growth below alone.
            larger = BytesIO(bytes(room))
            with self._file.getbuffer() as old, larger.getbuffer() as new:
                new[:end] = old[:end]
            self._file = larger
            return room
        room = end + min(n, max(_FIRST_ROOM, end // 8))
        self._file.seek(room - 1)
        self._file.write(b"\0")
        return room

    def take(self, amount: int) -> bytes:
        """Remove up to `amount` bytes from the front; all of them without a copy."""
        given, end = self._given, self._file.tell()
        if amount >= end - given:
            data = self._file.getvalue()
            self._file, self._given = BytesIO(), 0
            return data[given:] if given else data
        self._file.seek(given)
        data = self._file.read(amount)
        self._given += amount
        if 2 * self._given > end:  # what was returned must not stay in memory
            rest = self._file.read()
            self._file, self._given = BytesIO(), 0
            self._file.write(rest)
        self._file.seek(0, SEEK_END)
        return data
