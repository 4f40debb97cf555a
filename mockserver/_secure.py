"""The steps of TLS and of tunnels, good and bad.

In come the names of certificates and of faults, and the answer to a CONNECT; what a handshake or a
fault does is the player's business. Which certificates exist is the TLS provider's business.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from mockserver._step import CRLF, Headers, Piece, Step, WritingStep, field_lines
from mockserver._writing import status_line

_RECORD = 1 << 14
"""How many octets one TLS record can carry."""


@dataclass(frozen=True, slots=True)
class Starttls(Step):
    """Do a TLS handshake as the server; a failure is recorded and ends the connection's play.

    Attributes:
        cert: The name of the certificate to show, as the TLS provider knows it.
        client_cert: Whether the client is asked for a certificate.
        alpn: The protocols to offer.
        tickets: How many session tickets to send behind a TLS 1.3 handshake.
    """

    step_name: ClassVar[str] = "starttls"
    primary: ClassVar[str | None] = "cert"
    cert: str = "server"
    client_cert: Literal["none", "optional", "required"] = "none"
    alpn: tuple[str, ...] = ()
    tickets: int = 0

    def check(self) -> None:
        """A certificate has a name, and there is a number of tickets."""
        self.need_some("cert")
        self.need_at_least("tickets", 0)


@dataclass(frozen=True, slots=True)
class Tunnel(WritingStep):
    """Read a CONNECT request and answer it; what follows is inside the tunnel.

    Attributes:
        status: The answer's status; only after 2xx can TLS follow.
        data: The whole answer as raw octets, in place of one made from the other fields.
    """

    step_name: ClassVar[str] = "tunnel"
    primary: ClassVar[str | None] = "status"
    status: int = 200
    reason: bytes | None = None
    headers: Headers = ()
    data: bytes | None = None

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
            Behind a handshake: `half-record` sends half of the record with `data`, `flipped-bit`
            sends that record with its last bit turned, `no-close-notify` sends `data`, if there is
            any, and leaves the closing alert out.
        data: The octets in clear, or inside the record; None for a short one that suits the kind.
        cert: The name of the certificate with which `cut-hello` begins.
    """

    step_name: ClassVar[str] = "tls_fault"
    primary: ClassVar[str | None] = "kind"
    kind: Literal[
        "plaintext", "alert", "cut-hello", "half-record", "flipped-bit", "no-close-notify"
    ]
    data: bytes | None = None
    cert: str = "server"

    def check(self) -> None:
        """Data where the kind has some, and not more than a record can carry."""
        self.need_some("cert")
        if self.data is None:
            return
        if self.kind in ("alert", "cut-hello"):
            self.refuse("data", f"has no place in {self.kind}")
        if len(self.data) > _RECORD:
            self.refuse("data", f"must be at most {_RECORD} octets")
        if self.kind != "no-close-notify":
            self.need_some("data")

    @property
    def inside(self) -> bool:
        """Whether the fault comes behind a handshake."""
        return self.kind in ("half-record", "flipped-bit", "no-close-notify")

    @property
    def octets(self) -> bytes:
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
