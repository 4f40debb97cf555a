"""The files of the authority's certificates, for clients that need files.

The input is PEM data and a directory, the output is paths. Files are written only in that
directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """One client certificate as PEM files.

    Attributes:
        key: The private key.
        chain: The certificate and the certificates up to its authority.
        combined: Both, the key first.
    """

    key: Path
    chain: Path
    combined: Path


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """All certificate files that a client under test may need.

    Attributes:
        ca_file: The authority that signed the servers' certificates.
        clients: The client certificates by their names.
    """

    ca_file: Path
    clients: Mapping[str, ClientFiles]


def write_authority(directory: Path, blob: "trustme.Blob") -> Path:
    """Write the authority's certificate; return its path."""
    path = directory / "ca.pem"
    blob.write_to_path(path)
    return path


def write_client(directory: Path, name: str, leaf: "trustme.LeafCert") -> ClientFiles:
    """Write the three files of a client certificate; only the owner may read the keys."""
    files = ClientFiles(
        directory / f"{name}.key.pem",
        directory / f"{name}.chain.pem",
        directory / f"{name}.pem",
    )
    for path in (files.key, files.combined):
        path.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(files.key)
    files.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_and_cert_chain_pem.write_to_path(files.combined)
    return files
