"""Fixtures: a server for a test, and plain sockets as its clients."""

import socket
from collections.abc import Callable, Iterator

import pytest

from certs import CertificateAuthority
from mockserver import MockServer

Connect = Callable[[tuple[str, int]], socket.socket]


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def server(authority: CertificateAuthority) -> Iterator[MockServer]:
    with MockServer(tls=authority.server_context, patience=5.0) as one:
        yield one


@pytest.fixture
def impatient(authority: CertificateAuthority) -> Iterator[MockServer]:
    with MockServer(tls=authority.server_context, patience=0.05) as one:
        yield one


@pytest.fixture
def connect() -> Iterator[Connect]:
    sockets: list[socket.socket] = []

    def connect(address: tuple[str, int]) -> socket.socket:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        one = socket.socket(family)
        sockets.append(one)
        one.settimeout(10)
        one.connect(address)
        return one

    yield connect
    for one in sockets:
        one.close()
