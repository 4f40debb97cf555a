"""A request, and the TLS inside which it came, as values that JSON can express.

The input is a request of the mock server, and a connection.  The output is what ``/c/echo`` and the
plays report.  Nothing is interpreted: what is malformed is reported as it was read, and named.
"""

import hashlib
from base64 import b64encode
from typing import Any

import msgspec

from mockserver import GivenConnection, Request

_MOST = 1 << 20
"""The most bytes of a body that are reported themselves."""


class BodyFacts(msgspec.Struct, frozen=True):
    """The content of a request, its framing removed.

    Args:
        length: how many bytes it has.
        sha256: their digest, in hexadecimal.
        text: the content, if it is UTF-8 and has at most a mebibyte.
        base64: the content, if it is not UTF-8 and has at most a mebibyte.
    """

    length: int
    sha256: str
    text: str | None
    base64: str | None


class RequestFacts(msgspec.Struct, frozen=True):
    """A request as it was sent.

    Args:
        connection: the number of its connection, from 1.
        method: the method.
        target: the target.
        path: the path of the target, percent-decoded as UTF-8.
        query: the names and values of its query, decoded as HTML forms encode them.
        version: the protocol version, such as HTTP/1.1.
        headers: the names and values of its fields, in their order; each byte is one character.
        body: the content.
        problem: what is malformed in it; null if nothing is.
    """

    connection: int
    method: str
    target: str
    path: str
    query: list[tuple[str, str]]
    version: str
    headers: list[tuple[str, str]]
    body: BodyFacts
    problem: str | None


class CertificateFacts(msgspec.Struct, frozen=True):
    """A client's certificate, which the authority of this server has signed.

    Args:
        subject: its subject, by the names of the attributes.
        issuer: its issuer.
        names: its alternative names.
        serial_number: its number, in hexadecimal.
    """

    subject: dict[str, str]
    issuer: dict[str, str]
    names: list[str]
    serial_number: str


class TLSFacts(msgspec.Struct, frozen=True):
    """What a handshake led to.

    Args:
        version: the protocol version, such as TLSv1.3.
        cipher: the cipher suite, as OpenSSL calls it.
        server_name: the name that the client asked for; null if it sent none.
        alpn: the protocol that was selected; null if the client offers none that is spoken here.
        client_certificate: the client's certificate; null if it sent none.
    """

    version: str
    cipher: str
    server_name: str | None
    alpn: str | None
    client_certificate: CertificateFacts | None


class EchoFacts(RequestFacts, frozen=True, kw_only=True):
    """A request, and the TLS inside which it came: null for none."""

    tls: TLSFacts | None


def request_facts(request: Request) -> RequestFacts:
    """Return the facts of *request*."""
    return RequestFacts(**_facts(request))


def echo(given: GivenConnection, request: Request) -> bytes:
    """Return the facts of *request*, which came on *given*, as JSON."""
    facts = _facts(request) | {"connection": given.number, "tls": _tls_facts(given)}
    return msgspec.json.format(msgspec.json.encode(EchoFacts(**facts)), indent=1) + b"\n"


def _facts(request: Request) -> dict[str, Any]:
    return {
        "connection": request.connection,
        "method": request.method,
        "target": request.target,
        "path": request.path,
        "query": list(request.query.pairs),
        "version": request.version,
        "headers": list(request.headers.pairs),
        "body": _body_facts(request.body),
        "problem": request.problem,
    }


def _body_facts(body: bytes) -> BodyFacts:
    text = coded = None
    if len(body) <= _MOST:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            coded = b64encode(body).decode()
    return BodyFacts(len(body), hashlib.sha256(body).hexdigest(), text, coded)


def _tls_facts(given: GivenConnection) -> TLSFacts | None:
    tls = given.ssl_object
    if tls is None:
        return None
    cipher = tls.cipher()
    return TLSFacts(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        server_name=given.server_name or None,
        alpn=tls.selected_alpn_protocol(),
        client_certificate=_certificate_facts(tls.getpeercert()),
    )


def _certificate_facts(shown: Any) -> CertificateFacts | None:
    """Return the facts of a certificate in the form of `ssl.SSLObject.getpeercert`."""
    if not shown:
        return None
    subject, issuer = (
        {name: value for part in shown[key] for name, value in part}
        for key in ("subject", "issuer")
    )
    names = [value for _, value in shown.get("subjectAltName", ())]
    return CertificateFacts(subject, issuer, names, shown["serialNumber"])
