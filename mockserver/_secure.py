"""The steps of TLS and of tunnels, good and bad.

In come the names of certificates and of faults, and the answer to a CONNECT. Which certificates
exist is the TLS provider's business. Faults send what no TLS library sends; bytes that are
encrypted, or random, are reported in notes, so that a transcript stays the same from run to run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from mockserver._connection import LiveConnection
from mockserver._phase import PeerReset, TLSBroken
from mockserver._reads import always, take_request
from mockserver._record import TLS_ESTABLISHED
from mockserver._step import (
    CRLF,
    Begins,
    Count,
    GivenHeaders,
    Leaves,
    Name,
    Piece,
    Step,
    WritingStep,
    field_lines,
)
from mockserver._tls import TLS
from mockserver._writing import status_line

__all__ = ["Starttls", "TlsFault", "Tunnel"]

_RECORD = 1 << 14
"""How many bytes one TLS record can carry."""


@dataclass(frozen=True, slots=True)
class Starttls(Step):
    """Do a TLS handshake as the server; a failure is recorded and ends the connection's play.

    Attributes:
        cert: The name of the certificate to show, as the TLS provider calls it.
        client_cert: Whether the client is asked for a certificate.
        alpn: The protocols to offer.
        tickets: How many session tickets to send after a TLS 1.3 handshake.
        refused: Whether the handshake must fail, because the client refuses the certificate, or
            has none that is asked for; then nothing more is played, and nothing is missed.
        versions: The versions of TLS to offer: `TLSv1.2`, `TLSv1.3`; empty for the usual ones.
        ciphers: The ciphers to offer up to TLS 1.2, as OpenSSL lists them; empty for the usual.
    """

    step_name: ClassVar[str] = "starttls"
    primary: ClassVar[str | None] = "cert"
    reads: ClassVar[bool] = True
    cert: Name = "server"
    client_cert: Literal["none", "optional", "required"] = "none"
    alpn: tuple[str, ...] = ()
    tickets: Count = 0
    refused: bool = False
    versions: tuple[str, ...] = ()
    ciphers: str = ""

    @property
    def begins(self) -> Begins:
        """By a handshake, which needs its thread."""
        return Begins.ACTING

    def play(self, connection: LiveConnection) -> None:
        """Do the handshake."""
        connection.let_others_lead()
        tls = connection.encrypt(connection.state.contexts[self])
        try:
            tls.handshake()
        except (TLSBroken, PeerReset) as ending:
            connection.tls = f"failed: {ending.note}"
            if self.refused:
                connection.skip_all()
            raise
        connection.tls = tls.version
        connection.note(TLS_ESTABLISHED + tls.version)
        if self.refused:
            connection.problem(f"the client has accepted the certificate {self.cert!r}")


@dataclass(frozen=True, slots=True)
class Tunnel(WritingStep):
    """Read a CONNECT request and answer it; what follows is inside the tunnel.

    Attributes:
        status: The answer's status; only after 2xx can TLS follow.
        data: The whole answer as raw bytes, in place of one made from the other fields.
    """

    step_name: ClassVar[str] = "tunnel"
    primary: ClassVar[str | None] = "status"
    reads: ClassVar[bool] = True
    status: int = 200
    reason: bytes | None = None
    headers: GivenHeaders = ()
    data: bytes | None = None

    @property
    def begins(self) -> Begins:
        """By reading and writing in one go."""
        return Begins.ACTING

    def play(self, connection: LiveConnection) -> None:
        """Read the request, and answer it."""
        take_request(connection, 1 << 20, always)
        connection.request_is_whole = False  # what comes next is for the other end
        if not connection.last_request.startswith(b"CONNECT "):
            connection.note("the request is not a CONNECT")
        connection.write(self.pieces())

    def pieces(self) -> tuple[Piece, ...]:
        """The answer's head."""
        if self.data is not None:
            return (Piece("data", self.data),)
        line = status_line(self.status, self.reason)
        return (line, *field_lines(self.headers), Piece("end-of-head", CRLF))


@dataclass(frozen=True, slots=True)
class TlsFault(Step):
    """Do TLS wrongly, then end the stream.

    Attributes:
        kind: In place of a handshake, once the ClientHello has come: `plaintext` answers in clear,
            `alert` refuses with a fatal alert, `cut-hello` sends half of the ServerHello's record.
            After a handshake: `half-record` sends half of the record with `data`, `flipped-bit`
            sends that record with its last bit turned, `no-close-notify` sends `data`, if there is
            any, and leaves the closing alert out.
        data: The bytes in clear, or inside the record; None for a short one that suits the kind.
        cert: The name of the certificate with which `cut-hello` begins.
    """

    step_name: ClassVar[str] = "tls_fault"
    primary: ClassVar[str | None] = "kind"
    kind: Literal[
        "plaintext", "alert", "cut-hello", "half-record", "flipped-bit", "no-close-notify"
    ]
    data: bytes | None = None
    cert: Name = "server"

    @property
    def leaves(self) -> Leaves:
        """Nothing follows a fault."""
        return Leaves.CLOSED

    def play(self, connection: LiveConnection) -> None:
        """Do it, and end the stream without another word."""
        connection.let_others_lead()
        _FAULTS[self.kind](connection, self)
        connection.tls = f"fault: {self.kind}"
        connection.end_by(self)
        connection.end_bare()

    def check(self) -> None:
        """Data where the kind has some, and not more than a record can carry."""
        if self.data is None:
            return
        if self.kind in ("alert", "cut-hello"):
            self.refuse("data", f"has no place in {self.kind}")
        if len(self.data) > _RECORD:
            self.refuse("data", f"must be at most {_RECORD} bytes")
        if self.kind != "no-close-notify" and not self.data:
            self.refuse("data", "must not be empty")

    @property
    def inside(self) -> bool:
        """Whether the fault comes after a handshake."""
        return self.kind in ("half-record", "flipped-bit", "no-close-notify")

    @property
    def content(self) -> bytes:
        """The data, or what suits the kind."""
        return self.data if self.data is not None else _USUAL[self.kind]

    @property
    def handshake(self) -> Starttls:
        """The handshake that `cut-hello` begins."""
        return Starttls(self.cert)


_USUAL = {
    "plaintext": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "half-record": b"HTTP/1.1 200 OK\r\n",
    "flipped-bit": b"HTTP/1.1 200 OK\r\n",
    "no-close-notify": b"",
}


# ---------------------------------------------------------------------------- faults

_HEADER = 5
_HANDSHAKE = 0x16
_ALERT = bytes.fromhex("15 03 03 00 02 02 28")
"""A record with a fatal handshake_failure."""


def _plaintext(connection: LiveConnection, step: TlsFault) -> None:
    _client_hello(connection)
    connection.write((Piece("plaintext", step.content),))


def _alert(connection: LiveConnection, _: TlsFault) -> None:
    _client_hello(connection)
    connection.write((Piece("tls-alert", _ALERT),))


def _cut_hello(connection: LiveConnection, step: TlsFault) -> None:
    hello = _client_hello(connection)
    flight = TLS(connection.wire, connection.state.contexts[step.handshake], hello).first_flight()
    length = _HEADER + int.from_bytes(flight[3:_HEADER])
    connection.wire.write(flight[: length // 2])
    connection.note("half of the ServerHello's record sent")


def _client_hello(connection: LiveConnection) -> bytes:
    """Read the record of a ClientHello."""
    inbox = connection.inbox
    inbox.start()
    inbox.exactly(1)
    if inbox.buffer[0] != _HANDSHAKE:
        raise TLSBroken("the client does not begin with a ClientHello")
    inbox.exactly(_HEADER - 1)
    inbox.exactly(int.from_bytes(inbox.buffer[3:_HEADER]))
    connection.note("ClientHello read")
    connection.discard_input()
    return inbox.take()


def _half_record(connection: LiveConnection, step: TlsFault) -> None:
    record = _encrypted(connection, step)
    connection.wire.write(record[: len(record) // 2])
    connection.note(f"half of a record of {len(step.content)} bytes sent")


def _flipped_bit(connection: LiveConnection, step: TlsFault) -> None:
    *start, last = _encrypted(connection, step)
    connection.wire.write(bytes((*start, last ^ 1)))
    connection.note(f"record of {len(step.content)} bytes sent, its last bit turned")


def _no_close_notify(connection: LiveConnection, step: TlsFault) -> None:
    if step.content:
        connection.write((Piece("data", step.content),))
    connection.note("no close_notify sent")


def _encrypted(connection: LiveConnection, step: TlsFault) -> bytes:
    assert isinstance(connection.channel, TLS)  # the script's order was checked
    return connection.channel.record(step.content)


_FAULTS: dict[str, Callable[[LiveConnection, TlsFault], None]] = {
    "plaintext": _plaintext,
    "alert": _alert,
    "cut-hello": _cut_hello,
    "half-record": _half_record,
    "flipped-bit": _flipped_bit,
    "no-close-notify": _no_close_notify,
}
