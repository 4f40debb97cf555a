"""Where the authority's certificates lie once somebody needs them as files.

In come PEM blobs and a directory, out come paths. Nothing is written anywhere else.
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
        chain: The certificate and what leads to its authority.
        combined: Both, the key first.
    """

    key: Path
    chain: Path
    combined: Path


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Everything that a client under test can be given as files.

    Attributes:
        ca_file: The authority that signed the servers' certificates.
        clients: The client certificates by their names.
    """

    ca_file: Path
    clients: Mapping[str, ClientFiles]


def write_authority(directory: Path, blob: "trustme.Blob") -> Path:
    """Write the authority's certificate; returns its path."""
    path = directory / "ca.pem"
    blob.write_to_path(path)
    return path


def write_client(directory: Path, name: str, leaf: "trustme.LeafCert") -> ClientFiles:
    """Write one client certificate in its three forms; the keys are the owner's only."""
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
