"""The authority's certificates do, in a handshake, exactly what their names say."""

import ssl
from pathlib import Path
from typing import Any, Literal

import pytest

from certs import (
    CLIENT_CERTIFICATES,
    SERVER_CERTIFICATES,
    CertificateAuthority,
    UnknownCertificateError,
)


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """Do a handshake in memory; returns the server's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=host)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (near, far, near, far):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return far


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_server_certificate_is_for_this_machine(
    authority: CertificateAuthority, host: str
) -> None:
    assert handshake(authority.client_context(), authority.server_context(), host).version()


@pytest.mark.parametrize("host", ["example.test", "www.example.test"])
def test_the_names_certificate_is_for_the_domain_and_below(
    authority: CertificateAuthority, host: str
) -> None:
    assert handshake(authority.client_context(), authority.server_context("names"), host).version()


@pytest.mark.parametrize(
    ("cert", "verify", "code"),
    [
        ("wrong-host", "full", 64),  # X509_V_ERR_IP_ADDRESS_MISMATCH
        ("names", "full", 64),
        ("expired", "chain", 10),  # X509_V_ERR_CERT_HAS_EXPIRED
        ("not-yet-valid", "chain", 9),  # X509_V_ERR_CERT_NOT_YET_VALID
        ("untrusted", "chain", 20),  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        ("self-signed", "chain", 18),  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
        ("missing-intermediate", "chain", 20),  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    ],
)
def test_a_bad_certificate_is_bad_in_its_own_way(
    authority: CertificateAuthority, cert: str, verify: Literal["chain", "full"], code: int
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(authority.client_context(verify), authority.server_context(cert), "127.0.0.1")
    assert caught.value.verify_code == code


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_server_speaks_the_versions_that_are_asked_for(
    authority: CertificateAuthority, version: str
) -> None:
    server = authority.server_context(versions=(version,))
    assert handshake(authority.client_context(), server, "127.0.0.1").version() == version


def test_a_server_has_the_ciphers_that_are_asked_for(authority: CertificateAuthority) -> None:
    cipher = "ECDHE-ECDSA-AES128-GCM-SHA256"
    server = authority.server_context(versions=("TLSv1.2",), ciphers=cipher)
    found = handshake(authority.client_context(), server, "127.0.0.1").cipher()
    assert found is not None
    assert found[0] == cipher


def test_a_version_that_does_not_exist_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(UnknownCertificateError, match=r"no version of TLS is called 'TLS 1\.2'"):
        authority.server_context(versions=("TLS 1.2",))


@pytest.mark.parametrize("cert", ["wrong-host", "names", "server", "intermediate"])
def test_a_check_of_the_chain_does_not_look_at_names(
    authority: CertificateAuthority, cert: str
) -> None:
    client = authority.client_context("chain")
    assert handshake(client, authority.server_context(cert), "127.0.0.1").version()


@pytest.mark.parametrize("cert", SERVER_CERTIFICATES)
def test_without_verification_every_certificate_will_do(
    authority: CertificateAuthority, cert: str
) -> None:
    client = authority.client_context("none")
    assert handshake(client, authority.server_context(cert), "127.0.0.1").version()


def test_a_good_client_certificate_is_taken(authority: CertificateAuthority) -> None:
    server = authority.server_context(client_cert="required")
    far = handshake(authority.client_context(cert="client"), server, "127.0.0.1")
    seen: Any = far.getpeercert()
    assert (("commonName", "client"),) in seen["subject"]


@pytest.mark.parametrize("cert", [None, "client-untrusted", "client-expired"])
def test_a_bad_client_certificate_is_refused(
    authority: CertificateAuthority, cert: str | None
) -> None:
    server = authority.server_context(client_cert="required")
    with pytest.raises(ssl.SSLError):
        handshake(authority.client_context(cert=cert), server, "127.0.0.1")


def test_an_optional_client_certificate_can_be_missing(authority: CertificateAuthority) -> None:
    server = authority.server_context(client_cert="optional")
    far = handshake(authority.client_context(), server, "127.0.0.1")
    assert not far.getpeercert()


def test_alpn_is_agreed_on(authority: CertificateAuthority) -> None:
    client = authority.client_context()
    client.set_alpn_protocols(["http/1.1"])
    far = handshake(client, authority.server_context(alpn=("h2", "http/1.1")), "127.0.0.1")
    assert far.selected_alpn_protocol() == "http/1.1"


def test_a_server_sends_session_tickets_where_asked_only(authority: CertificateAuthority) -> None:
    assert authority.server_context().num_tickets == 0
    assert authority.server_context(tickets=2).num_tickets == 2


def test_server_contexts_are_kept(authority: CertificateAuthority) -> None:
    assert authority.server_context("names") is authority.server_context("names")
    assert authority.server_context() is not authority.server_context(client_cert="required")


def test_two_authorities_do_not_trust_each_other(authority: CertificateAuthority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(CertificateAuthority().client_context(), authority.server_context(), "127.0.0.1")


@pytest.mark.parametrize("name", CLIENT_CERTIFICATES)
def test_a_client_certificate_can_be_loaded_from_its_files(
    authority: CertificateAuthority, tmp_path: Path, name: str
) -> None:
    files = authority.files(tmp_path).clients[name]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(files.chain, files.key)
    context.load_cert_chain(files.combined)
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(files.chain)


def test_the_authority_can_be_trusted_from_its_file(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    client = ssl.create_default_context(cafile=authority.files(tmp_path).ca_file)
    assert handshake(client, authority.server_context(), "127.0.0.1").version()


def test_keys_are_readable_by_their_owner_only(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    files = authority.files(tmp_path).clients["client"]
    assert {path.stat().st_mode & 0o777 for path in (files.key, files.combined)} == {0o600}


def test_the_pem_is_the_authority(authority: CertificateAuthority, tmp_path: Path) -> None:
    assert authority.files(tmp_path).ca_file.read_bytes() == authority.ca_pem


def test_a_client_certificate_is_also_returned_as_pem(tmp_path: Path) -> None:
    authority = CertificateAuthority()
    assert authority.files(tmp_path).clients["client"].combined.read_bytes() == authority.client_pem


def test_files_go_where_they_were_asked_for_and_nowhere_else(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    files = authority.files(tmp_path)
    paths = {files.ca_file}
    for one in files.clients.values():
        paths |= {one.key, one.chain, one.combined}
    assert set(tmp_path.iterdir()) == paths


def test_an_unknown_server_certificate_has_a_clear_error(authority: CertificateAuthority) -> None:
    with pytest.raises(
        UnknownCertificateError,
        match=r"no server certificate is called 'x'; known: server, names, wrong-host, ",
    ):
        authority.server_context("x")


def test_an_unknown_client_certificate_has_a_clear_error(authority: CertificateAuthority) -> None:
    with pytest.raises(UnknownCertificateError, match="no client certificate is called 'server'"):
        authority.client_context(cert="server")


def test_an_unknown_verification_has_a_clear_error(authority: CertificateAuthority) -> None:
    wrong: Any = "some"
    with pytest.raises(UnknownCertificateError, match="no verification is called 'some'"):
        authority.client_context(wrong)
    with pytest.raises(UnknownCertificateError, match="no client_cert is called 'some'"):
        authority.server_context(client_cert="some")
