"""The body of one response: octets of the reader come in, octets of the body go out.

One class for each rule of `_framing.Ending` that needs one. Each says how far it can `_fill` its
store, and the base class hands out what is stored. What was decoded stays in the store until a call
returns it, so a call that times out can be repeated and loses nothing. A call that got octets
returns them; the error that ended them is raised by the next one.
"""

from __future__ import annotations

from ._chunked import ChunkedDecoder, Want, whole_chunks
from ._exceptions import HTTPException, IncompleteRead, UnknownTransferEncoding
from ._framing import Ending, Framing
from ._reader import BLOCK, Reader, is_transient
from ._store import ALL, Store


class Body:
    """What all bodies share.

    Attributes:
        finished: True once the end was met, or an error was raised that ends the body.
    """

    def __init__(self, reader: Reader) -> None:
        self.finished = False
        self._reader = reader
        self._store = Store()
        self._error: HTTPException | OSError | None = None

    @property
    def length(self) -> int | None:
        """How many octets are still to be returned; None where nobody knows."""
        return None

    def read(self, amount: int | None) -> bytes:
        """Return the rest of the body, or up to `amount` octets.

        Raises:
            IncompleteRead: the body is cut or malformed. `partial` is what this call had received.
            OSError: the connection failed. What came before is returned first where an amount
                was given. After a timeout the call can be repeated.
        """
        if self._error is None:
            try:
                self._fill(ALL if amount is None else amount)
            except (HTTPException, OSError) as error:
                if is_transient(error):
                    raise
                self._error = error
        if self._error is not None and (amount is None or not len(self._store)):
            self._raise_error()
        return self._take(ALL if amount is None else amount)

    def _fill(self, goal: int) -> None:
        """Decode until the store holds `goal` octets, or to the end."""
        raise NotImplementedError

    def _raise_error(self) -> None:
        error = self._error
        assert error is not None
        if isinstance(error, OSError):
            raise error.with_traceback(None)  # again and again: a reset never looks like an end
        self._error = None
        self.finished = True
        octets = self._store.take(ALL)
        if isinstance(error, IncompleteRead):
            raise IncompleteRead(octets, error.expected)
        raise error

    def _take(self, amount: int) -> bytes:
        """Hand out what is stored."""
        return self._store.take(amount)


class LengthBody(Body):
    """A body that ends after a number of octets, which may be none."""

    def __init__(self, reader: Reader, length: int) -> None:
        super().__init__(reader)
        self._left = length

    @property
    def length(self) -> int | None:
        """How many octets are still to be returned."""
        return self._left + len(self._store)

    def read(self, amount: int | None) -> bytes:
        """As `Body.read`; without the store where one fetch is enough."""
        if self._error is None and not len(self._store):
            n = self._left if amount is None or amount > self._left else amount
            octets = self._reader.at_once(n)
            self._left -= len(octets)
            if len(octets) == n:
                self.finished = not self._left
                return octets
            self._store.append(octets)
        return super().read(amount)

    def _fill(self, goal: int) -> None:
        wanted = min(self._left, max(goal - len(self._store), 0))
        before = len(self._store)
        try:
            whole = self._reader.collect(self._store, wanted, direct=BLOCK // 4)
        finally:
            self._left -= len(self._store) - before
        if not whole:
            raise IncompleteRead(b"", self._left)

    def _take(self, amount: int) -> bytes:
        octets = super()._take(amount)
        if not self.length:  # with the last octet, not with the call behind it
            self.finished = True
        return octets


class CloseBody(Body):
    """A body that ends with the connection."""

    def _fill(self, goal: int) -> None:
        self._reader.collect(self._store, ALL if goal == ALL else max(goal - len(self._store), 0))

    def _take(self, amount: int) -> bytes:
        octets = super()._take(amount)
        # 2.7: with an amount, the call that gets nothing is the one that meets the end.
        if amount == ALL or (amount and not octets):
            self.finished = True
        return octets


class ChunkedBody(Body):
    """A body in chunks."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._decoder = ChunkedDecoder()

    def _fill(self, goal: int) -> None:
        decoder = self._decoder
        while len(self._store) < goal and not self.finished:
            want = decoder.want
            if want is Want.SIZE_LINE:
                self._open_chunk(goal)
            elif want is Want.DATA:
                self._fetch_data(goal)
            elif want is Want.DATA_END:
                decoder.data_end(self._reader.exactly(2))
            elif want is Want.TRAILER_LINE:
                decoder.trailer_line(self._reader.line("trailer line"))
            self.finished = decoder.want is Want.NOTHING

    def _open_chunk(self, goal: int) -> None:
        store = self._store
        store.append_all(self._reader.decode(whole_chunks, goal - len(store)))
        if len(store) < goal:
            self._decoder.size_line(self._reader.line("chunk size"))

    def _fetch_data(self, goal: int) -> None:
        before = len(self._store)
        try:
            whole = self._reader.collect(self._store, min(self._decoder.left, goal - before))
        finally:
            self._decoder.data(len(self._store) - before)
        if not whole:
            raise IncompleteRead(b"", self._decoder.left)


class UnknownBody(Body):
    """A body in a transfer coding that is not understood; its octets mean nothing to the caller."""

    def read(self, amount: int | None) -> bytes:  # noqa: ARG002  # no amount is right
        """Refuse, every time.

        Raises:
            UnknownTransferEncoding: always.
        """
        raise UnknownTransferEncoding("the only transfer coding understood is chunked")


def body_for(framing: Framing, reader: Reader) -> Body:
    """Choose the body that a framing asks for."""
    if framing.length is not None:
        return LengthBody(reader, framing.length)
    return _BODIES[framing.ending](reader)


_BODIES: dict[Ending, type[Body]] = {
    Ending.LAST_CHUNK: ChunkedBody,
    Ending.CLOSE: CloseBody,
    Ending.UNKNOWN: UnknownBody,
}
