"""TLS over a wire, as the server, through memory buffers; and a channel that discards input.

In come bytes of the application, out come records on the wire, and back. The pump reads no more
from the socket than the wire gives it, so that bytes which came with a CONNECT head can be part of
the ClientHello, and the wire's counts stay true. No steps and no
OpenSSL texts are here.
"""

import contextlib
import ssl
from collections.abc import Callable
from typing import TypeVar

from mockserver._phase import Ended, EndOfStream, Phase, TLSBroken
from mockserver._wire import BLOCK, Wire

T = TypeVar("T")


class Discarding:
    """A channel that writes to the wire, and discards what comes."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.read = wire.read
        self.write = wire.write
        self.end = wire.end

    @property
    def client_ended(self) -> bool:
        """Whether the client's stream has been read to its end, or broke."""
        return self._wire.client_ended

    def rest(self) -> bytes | None:
        """Discard what has come: `b""` at the end, None for nothing yet."""
        while data := self._wire.rest():
            pass
        return data


class TLS:
    """An encrypted channel; it offers what a `Wire` offers for application bytes.

    Attributes:
        object: The state of OpenSSL.
    """

    def __init__(self, wire: Wire, context: ssl.SSLContext, early: bytes) -> None:
        self._wire = wire
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._incoming.write(early)
        self._has_begun = bool(early)
        self._ahead = b""
        self._ended = False
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def version(self) -> str:
        """The protocol version, once the handshake is done."""
        return self.object.version() or "none"

    @property
    def client_ended(self) -> bool:
        """Whether the client's stream inside TLS has been read to its end, or broke."""
        return self._ended or self._wire.phase is Phase.CLIENT_RESET

    def handshake(self) -> None:
        """Do the handshake.

        Raises:
            TLSBroken: The client does not take part; an alert for it has been sent.
        """
        try:
            self._pump(self.object.do_handshake)
        except EndOfStream:
            begun = " after a ClientHello" if self._has_begun else ""
            raise TLSBroken(f"end of stream{begun}") from None
        self._flush()

    def first_flight(self) -> bytes:
        """What the server says to the ClientHello; it is not sent.

        Raises:
            TLSBroken: The client's offer cannot be taken.
        """
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read()
        except ssl.SSLError as error:
            raise TLSBroken(_named(error)) from None
        raise TLSBroken("the handshake needs no more")

    def record(self, data: bytes) -> bytes:
        """The record that carries at most 16,384 bytes; it is not sent."""
        self._flush()
        self.object.write(data)
        return self._outgoing.read()

    def read(self, *, patient: bool = True) -> bytes:
        """Wait for bytes; `b""` is the end of the client's stream, with or without its alert."""
        if self._ahead:
            return self._take_ahead()
        try:
            data = self._pump(lambda: self.object.read(BLOCK), patient=patient)
        except (ssl.SSLZeroReturnError, EndOfStream):
            data = b""
        self._ended = not data
        return data

    def write(self, data: bytes) -> None:
        """Encrypt and send all bytes; waits while there is no room."""
        for start in range(0, len(data), BLOCK):
            piece = data[start : start + BLOCK]
            self._pump(lambda piece=piece: self.object.write(piece))  # type: ignore[misc]  # a default binds it
            self._flush()

    def end(self) -> None:
        """Send a close_notify and end our stream; what has arrived can still be read."""
        self._decrypt_ahead()
        # The client's own close_notify is not waited for.
        with contextlib.suppress(ssl.SSLError):
            self.object.unwrap()
        with contextlib.suppress(Ended):
            self._flush()
        self._wire.end()

    def rest(self) -> bytes | None:
        """What can be read without waiting: bytes, `b""` at the end, None for nothing yet."""
        if self._ahead:
            return self._take_ahead()
        while True:
            try:
                data = self.object.read(BLOCK)
            except ssl.SSLWantReadError:
                raw = self._wire.rest()
                if raw is None:
                    return None
                self._take(raw)
                continue
            except ssl.SSLError:
                data = b""
            self._ended = not data
            return data

    def _decrypt_ahead(self) -> None:
        """Decrypt what is here: OpenSSL loses it if the end is announced over unread records."""
        with contextlib.suppress(ssl.SSLError):
            while data := self.object.read(BLOCK):
                self._ahead += data

    def _take_ahead(self) -> bytes:
        data, self._ahead = self._ahead, b""
        return data

    def _pump(self, work: Callable[[], T], *, patient: bool = True) -> T:
        """Do `work`, feeding it from the wire for as long as it needs bytes."""
        while True:
            try:
                return work()
            except ssl.SSLWantReadError:
                self._flush()
                if not self._take(self._wire.read(patient=patient)):
                    raise EndOfStream from None
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLEOFError:
                raise EndOfStream from None
            except ssl.SSLError as error:
                with contextlib.suppress(Ended):
                    self._flush()
                raise TLSBroken(_named(error)) from None

    def _take(self, raw: bytes) -> bool:
        if raw:
            self._has_begun = True
            self._incoming.write(raw)
        else:
            self._incoming.write_eof()
        return bool(raw)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._wire.write(self._outgoing.read())


def _named(error: ssl.SSLError) -> str:
    """An error without the library's prose: its class, and the reason's symbol if it has one."""
    return f"{type(error).__name__} {error.reason or ''}".rstrip()
