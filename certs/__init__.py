"""A certificate authority for one run, and the TLS contexts made from it.

The input is the names of certificates, valid and invalid ones. The output is contexts for servers
and clients, and files for a client that needs files. Keys are ECDSA keys, made when they are first
used. Only these contexts trust the authority, and files are written only on request.
"""

import datetime as dt
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from certs._files import CertificateFiles, ClientFiles, write_authority, write_client

if TYPE_CHECKING:
    import trustme

__all__ = [
    "CLIENT_CERTIFICATES",
    "SERVER_CERTIFICATES",
    "CertificateAuthority",
    "CertificateFiles",
    "ClientFiles",
    "UnknownCertificateError",
]

_HERE = ("127.0.0.1", "::1", "localhost")
_CLIENT = ("client@example.test",)

_SERVERS: dict[str, tuple[str, ...]] = {
    "server": _HERE,
    "names": ("example.test", "*.example.test"),
    "wrong-host": ("other.test",),
    "expired": _HERE,
    "not-yet-valid": _HERE,
    "untrusted": _HERE,
    "self-signed": (),
    "intermediate": _HERE,
    "missing-intermediate": _HERE,
}
_CLIENTS: dict[str, tuple[str, ...]] = {
    "client": _CLIENT,
    "client-untrusted": _CLIENT,
    "client-expired": _CLIENT,
}

SERVER_CERTIFICATES = tuple(_SERVERS)
"""The names that `CertificateAuthority.server_context` accepts."""
CLIENT_CERTIFICATES = tuple(_CLIENTS)
"""The names that `CertificateAuthority.client_context` accepts."""

_VALIDITY = {
    "expired": (dt.datetime(2001, 1, 1), dt.datetime(2002, 1, 1)),
    "client-expired": (dt.datetime(2001, 1, 1), dt.datetime(2002, 1, 1)),
    "not-yet-valid": (dt.datetime(2900, 1, 1), dt.datetime(2901, 1, 1)),
}
_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_Key = tuple[str, str, tuple[str, ...], int, tuple[str, ...], str]
_VERIFY_CLIENT = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


class UnknownCertificateError(ValueError):
    """The name of a certificate or of a kind of verification does not exist."""


class CertificateAuthority:
    """An authority, its certificates, and a second, untrusted authority; it is thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._own: trustme.CA | None = None
        self._leaves: dict[str, trustme.LeafCert] = {}
        self._contexts: dict[_Key, ssl.SSLContext] = {}

    @staticmethod
    def server_certificates() -> tuple[str, ...]:
        """The names of certificates that a server can show, such as `expired`."""
        return SERVER_CERTIFICATES

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the authority, as PEM."""
        return self._authority.cert_pem.bytes()

    @property
    def client_pem(self) -> bytes:
        """The certificate `client`, which the authority has signed, after its key, as PEM."""
        return self._leaf("client").private_key_and_cert_chain_pem.bytes()

    def server_context(
        self,
        cert: str = "server",
        client_cert: str = "none",
        alpn: Iterable[str] = (),
        tickets: int = 0,
        *,
        versions: Iterable[str] = (),
        ciphers: str = "",
    ) -> ssl.SSLContext:
        """Return the context of a server; the same object for the same arguments.

        Args:
            cert: One of `SERVER_CERTIFICATES`.
            client_cert: Whether the client is asked for one: `none`, `optional`, `required`.
            alpn: The protocols to offer, the preferred one first.
            tickets: How many session tickets to send after a TLS 1.3 handshake; by default none,
                because a reset could discard them before the client has read them.
            versions: The only versions to speak, such as `TLSv1.2`; empty for those of OpenSSL.
            ciphers: The only ciphers up to TLS 1.2, as a list of OpenSSL; empty for its own.

        Raises:
            UnknownCertificateError: The name of the certificate, the kind of verification or the
                version is unknown.
        """
        key = (cert, client_cert, tuple(alpn), tickets, tuple(versions), ciphers)
        with self._lock:
            if key not in self._contexts:
                self._contexts[key] = self._new_server_context(*key)
            return self._contexts[key]

    def client_context(
        self, verify: Literal["none", "chain", "full"] = "full", cert: str | None = None
    ) -> ssl.SSLContext:
        """Return a new context for a client that trusts only this authority.

        Args:
            verify: `none` accepts any server, `chain` checks the certificate, `full` also its name.
            cert: The client's own certificate, one of `CLIENT_CERTIFICATES`.

        Raises:
            UnknownCertificateError: The name of the certificate or kind of verification is unknown.
        """
        _known(verify, ("none", "chain", "full"), "verification")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = verify == "full"
        context.verify_mode = ssl.CERT_NONE if verify == "none" else ssl.CERT_REQUIRED
        self._authority.configure_trust(context)
        if cert is not None:
            self._leaf(_known(cert, _CLIENTS, "client certificate")).configure_cert(context)
        return context

    def files(self, directory: Path | str) -> CertificateFiles:
        """Write the authority and all client certificates to a directory that exists."""
        place = Path(directory)
        return CertificateFiles(
            write_authority(place, self._authority.cert_pem),
            {name: write_client(place, name, self._leaf(name)) for name in _CLIENTS},
        )

    @property
    def _authority(self) -> "trustme.CA":
        """The authority, made on first use: most runs do not need TLS."""
        with self._lock:
            if self._own is None:
                self._own = _new_authority()
            return self._own

    @cached_property
    def _stranger(self) -> "trustme.CA":
        """Another authority, which no context trusts."""
        return _new_authority()

    def _leaf(self, name: str) -> "trustme.LeafCert":
        with self._lock:
            if name not in self._leaves:
                issuer = self._stranger if name.endswith("untrusted") else self._authority
                if name.endswith("intermediate"):
                    issuer = issuer.create_child_ca()
                not_before, not_after = _VALIDITY.get(name, (None, None))
                self._leaves[name] = issuer.issue_cert(
                    *(_SERVERS | _CLIENTS)[name],
                    common_name=name,
                    not_before=not_before,
                    not_after=not_after,
                )
            return self._leaves[name]

    def _new_server_context(
        self,
        cert: str,
        client_cert: str,
        alpn: tuple[str, ...],
        tickets: int,
        versions: tuple[str, ...],
        ciphers: str,
    ) -> ssl.SSLContext:
        _known(cert, _SERVERS, "server certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = tickets
        context.verify_mode = _VERIFY_CLIENT[_known(client_cert, _VERIFY_CLIENT, "client_cert")]
        if alpn:
            context.set_alpn_protocols(alpn)
        if versions:
            spoken = [_VERSIONS[_known(one, _VERSIONS, "version of TLS")] for one in versions]
            context.minimum_version, context.maximum_version = min(spoken), max(spoken)
        if ciphers or (versions and min(spoken) < ssl.TLSVersion.TLSv1_2):
            context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")  # older ones need weaker hashes
        self._authority.configure_trust(context)
        self._configure_server(cert)(context)
        return context

    def _configure_server(self, cert: str) -> Callable[[ssl.SSLContext], None]:
        if cert == "self-signed":
            return _configure_self_signed
        leaf = self._leaf(cert)
        if cert == "missing-intermediate":
            alone = leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes()
            return lambda context: _load(context, alone)
        return leaf.configure_cert


def _new_authority() -> "trustme.CA":
    import trustme  # only for TLS: this import doubles the time of a small run

    return trustme.CA()


def _configure_self_signed(context: ssl.SSLContext) -> None:
    """Load the certificate of a new authority: it is self-signed, and no context trusts it."""
    alone = _new_authority()
    _load(context, alone.private_key_pem.bytes() + alone.cert_pem.bytes())


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a key and certificates."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "loaded.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)


def _known(name: str, names: Iterable[str], what: str) -> str:
    if name not in names:
        raise UnknownCertificateError(f"no {what} is called {name!r}; known: {', '.join(names)}")
    return name
