"""The file of the authority that signed a server's certificates, if the TLS provider offers one.

In comes a provider, out comes a path for `SSL_CERT_FILE` and the like. The provider itself, or the
object whose method it is, has either `ca_file`, a path, or `ca_pem`, the certificate as octets.
"""

import os
import tempfile
from pathlib import Path


class AuthorityFile:
    """The path, made when it is first asked for."""

    def __init__(self, provider: object) -> None:
        self._provider = provider
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    @property
    def path(self) -> str | None:
        """The path of the file; None where the provider does not offer the certificate."""
        for owner in (self._provider, getattr(self._provider, "__self__", None)):
            file, pem = getattr(owner, "ca_file", None), getattr(owner, "ca_pem", None)
            if isinstance(file, str | os.PathLike):
                return os.fspath(file)
            if isinstance(pem, bytes):
                return self._written(pem)
        return None

    def close(self) -> None:
        """Remove the file, if it was made here."""
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def _written(self, pem: bytes) -> str:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="mockserver-")
        path = Path(self._directory.name) / "ca.pem"
        if not path.exists():
            path.write_bytes(pem)
        return str(path)
