"""HTTPS: the same connection with TLS below it.

A connected socket comes in, one that encrypts goes out, or none: where the handshake fails, nothing
can be sent in clear, because the socket is closed and forgotten. `ssl` is imported only when an
`HTTPSConnection` is made.
"""

from __future__ import annotations

from ._connection import UNSET, HTTPConnection
from ._constants import HTTPS_PORT
from ._reader import IGNORE_UNEXPECTED_EOF
from ._types import Any, SSLContext


class HTTPSConnection(HTTPConnection):
    """A connection over TLS.

    The documentation page promises that no certificate is verified, so none is, unless a
    `context` requires it.

    Args:
        host: as for `HTTPConnection`.
        port: as for `HTTPConnection`, 443 by default.
        key_file: name of a PEM file with the client's private key.
        cert_file: name of a PEM file with the client's certificate chain.
        strict: as for `HTTPConnection`.
        timeout: as for `HTTPConnection`.
        source_address: as for `HTTPConnection`.
        context: an `ssl.SSLContext`; its verification, that of the host name included, is honoured.
            Where `ssl` sets `OP_IGNORE_UNEXPECTED_EOF` in every context, it is cleared.
    """

    default_port = HTTPS_PORT

    def __init__(
        self,
        host: str,
        port: int | str | None = None,
        key_file: str | None = None,
        cert_file: str | None = None,
        strict: int | None = None,
        timeout: float | None = UNSET,
        source_address: tuple[str, int] | None = None,
        context: SSLContext | None = None,
    ) -> None:
        super().__init__(host, port, strict, timeout, source_address)
        self.key_file, self.cert_file = key_file, cert_file
        self._context = context or _unverified_context()
        if cert_file or key_file:
            # Of key and chain, one may be given: then its file has both.
            self._context.load_cert_chain(cert_file or key_file or "", key_file)

    def connect(self) -> None:
        """Open the connection as `HTTPConnection` does, then add TLS.

        Raises:
            OSError, HTTPException: as `HTTPConnection.connect`.
            ssl.SSLError: the handshake failed; the connection is closed and idle.
        """
        HTTPConnection.connect(self)
        host = (self._tunnel_host or self.host).strip("[]")
        try:
            _report_ends(self._context)
            self.sock = self._context.wrap_socket(self.sock, server_hostname=host)
        except BaseException:
            self.close()
            raise


def _unverified_context() -> SSLContext:
    from ssl import _create_unverified_context

    return _create_unverified_context()


def _report_ends(context: Any) -> None:
    """Have OpenSSL report an end without close_notify where `ssl` hides it in every context.

    Python 3.11.2 does that. Where it does not, the option is the caller's own, and stays.
    """
    from ssl import SSLContext

    hidden = isinstance(context, SSLContext) and context.options & IGNORE_UNEXPECTED_EOF
    if hidden and _unverified_context().options & hidden:
        context.options &= ~hidden
