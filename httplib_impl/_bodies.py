"""The body of one response: bytes of the reader come in, bytes of the body go out.

One class for each rule of `_framing.Ending` that needs one. Each fills its store, and the base
class returns what is stored. What was decoded stays in the store until a call
returns it, so a call that times out can be repeated and loses nothing. A call that received bytes
returns them; the error that ended them is raised by the next one.
"""

from __future__ import annotations

from . import _chunked as chunked
from ._exceptions import HTTPException, IncompleteRead, UnknownTransferEncoding
from ._fast import file_chunks, whole_chunks
from ._framing import CLOSE, LAST_CHUNK, UNKNOWN, Ending
from ._reader import BLOCK, Reader, is_transient
from ._store import ALL, Store


class Body:
    """What all bodies share.

    Attributes:
        finished: True once the end was met, or an error was raised that ends the body.
    """

    finished = False
    _store: Store | None = None  # until something has to be kept
    _error: HTTPException | OSError | None = None

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def length(self) -> int | None:
        """How many bytes are still to be returned; None where it is not known."""
        return None

    def limited(self, length: int | None) -> Body:
        """The same body with so many bytes to return; None for all up to the end."""
        if not isinstance(self, (LengthBody, CloseBody)):
            return self  # chunks count themselves
        reader, stored = self._reader, len(self._store or b"")
        body = CloseBody(reader) if length is None else LengthBody(reader, max(length - stored, 0))
        body._store, body._error = self._store, self._error
        return body

    def read(self, amount: int) -> bytes:
        """Return up to `amount` bytes; where that is `ALL`, the rest of the body.

        Raises:
            IncompleteRead: the body is cut or malformed. `partial` is what this call had received.
            OSError: the connection failed. What came before is returned first where an amount
                was given. After a timeout the call can be repeated.
        """
        store = self._store = self._store or Store()
        if self._error is None:
            try:
                self._fill(store, amount)
            except (HTTPException, OSError) as error:
                if is_transient(error):
                    raise
                self._error = error
        if self._error is not None and (amount == ALL or not len(store)):
            self._raise_error(store)
        return self._take(store, amount)

    def _fill(self, store: Store, goal: int) -> None:
        """Decode until the store holds `goal` bytes, or to the end."""
        raise NotImplementedError

    def _raise_error(self, store: Store) -> None:
        error = self._error
        assert error is not None
        if isinstance(error, OSError):
            raise error.with_traceback(None)  # in every call: a reset never looks like an end
        self._error = None
        self.finished = True
        data = store.take(ALL)
        if isinstance(error, IncompleteRead):
            raise IncompleteRead(data, error.expected)
        raise error

    def _take(self, store: Store, amount: int) -> bytes:
        """Return what is stored."""
        return store.take(amount)


class LengthBody(Body):
    """A body that ends after a number of bytes, which may be none."""

    def __init__(self, reader: Reader, length: int) -> None:
        super().__init__(reader)
        self._left = length

    @property
    def length(self) -> int | None:
        """How many bytes are still to be returned."""
        return self._left + (len(self._store) if self._store else 0)

    def read(self, amount: int) -> bytes:
        """As `Body.read`; without the store where one fetch is enough."""
        # `benchmarks.reference`: small GET 2.5, without it 2.3; 64 MiB, read(65536) 1.8 and 1.6.
        if not self._store and self._error is None:
            n = min(self._left, amount)
            data = self._reader.at_once(n)
            self._left -= len(data)
            if len(data) == n:
                self.finished = not self._left
                return data
            self._store = Store()
            self._store.append(data)
        return super().read(amount)

    def _fill(self, store: Store, goal: int) -> None:
        before = len(store)
        wanted = min(self._left, max(goal - before, 0))
        try:
            whole = self._reader.collect(store, wanted, direct=BLOCK // 4)
        finally:
            self._left -= len(store) - before
        if not whole:
            raise IncompleteRead(b"", self._left)

    def _take(self, store: Store, amount: int) -> bytes:
        data = store.take(amount)
        if not self.length:  # with the last byte, not with the call after it
            self.finished = True
        return data


class CloseBody(Body):
    """A body that ends with the connection."""

    def _fill(self, store: Store, goal: int) -> None:
        wanted = ALL if goal == ALL else max(goal - len(store), 0)
        if not self._reader.collect(store, wanted) and self._reader.cut:
            raise IncompleteRead(b"", None)  # RFC 9112, 9.8: a close_notify ends such a body

    def _take(self, store: Store, amount: int) -> bytes:
        data = store.take(amount)
        # 2.7: with an amount, the end is met by the call that returns nothing.
        if amount == ALL or (amount and not data):
            self.finished = True
        return data


class ChunkedBody(Body):
    """A body in chunks."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._needs = chunked.chunked_needs()
        self._need = next(self._needs)

    def _fill(self, store: Store, goal: int) -> None:
        reader = self._reader
        while not self.finished and (missing := goal - len(store)) > 0:
            need = self._need
            if isinstance(need, int):
                self._fetch_data(store, min(need, missing), need)
            elif need is chunked.DATA_END:
                self._need = self._needs.send(reader.exactly(2))
            elif need is chunked.TRAILER_LINE:
                self._need = self._needs.send(reader.line("trailer line"))
            elif pieces := reader.decode(whole_chunks):
                store.append(*pieces)
            elif not reader.read_file(file_chunks, store, min(missing, 3 * BLOCK)):
                self._need = self._needs.send(reader.line("chunk size"))
            self.finished = self._need is chunked.NOTHING

    def _fetch_data(self, store: Store, n: int, left: int) -> None:
        before = len(store)
        try:
            whole = self._reader.collect(store, n)
        finally:
            self._need = left = left - (len(store) - before)
        if not whole:
            raise IncompleteRead(b"", left)
        if not left:
            self._need = self._needs.send(b"")


class UnknownBody(Body):
    """A body in an unknown transfer coding; its bytes are of no use to the caller."""

    def read(self, amount: int) -> bytes:  # noqa: ARG002  # no amount is right
        """Refuse, every time.

        Raises:
            UnknownTransferEncoding: always.
        """
        raise UnknownTransferEncoding("the only transfer coding understood is chunked")


# The classes of bodies that do not end after a number of bytes.
BODIES: dict[Ending, type[Body]]
BODIES = {LAST_CHUNK: ChunkedBody, CLOSE: CloseBody, UNKNOWN: UnknownBody}
