"""TLS and proxies for any client: what is asked, and wrong clients next to a right one."""

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, CaseError, client_case
from conformance.cases.casefile import load_text
from conformance.drivers import target
from conformance.drivers.clients import ClientTarget, is_present
from conformance.judge import Observation, Verdict, judge
from conformance.results import Result
from conformance.results.golden.stable import Connection
from conformance.run import Runner
from conformance.tests.secure_client import FLAWS, secure
from conformance.tests.small_client import small
from conformance.tests.support import BY_ID

ASKED = [
    client_case(case)
    for case in BY_ID.values()
    if case.session is not None and (case.session.is_secure or case.session.proxy_to)
]
FOUND = {
    "trusts any authority": ("tls.client.refused.self-signed", "NO_ERROR"),
    "compares no name": ("tls.client.refused.another-host", "NO_ERROR"),
    "asks before it has verified": ("tls.client.refused.untrusted-authority", "WRONG_VALUE"),
    "takes any end of TLS for that of the content": (
        "tls.end.no-close-notify.to-the-end",
        "NO_ERROR",
    ),
    "takes a broken record for the end of the content": (
        "tls.end.flipped-bit.to-the-end",
        "NO_ERROR",
    ),
    "speaks in clear where TLS fails": ("tls.client.handshake.ended", "WRONG_VALUE"),
    "takes what comes in clear": ("tls.client.handshake.answered-in-clear", "NO_ERROR"),
    "goes on in clear where no tunnel is opened": ("tunnel.unopened.400", "WRONG_VALUE"),
    "takes any answer for a tunnel": ("tunnel.unopened-and-speaks-tls.403", "NO_ERROR"),
    "takes a part of an answer for a tunnel": (
        "tunnel.broken-off.after-the-status-line",
        "WRONG_VALUE",
    ),
    "returns the answer of the proxy": ("tunnel.unopened.403-with-a-page", "NO_ERROR"),
    "reads content of the answer that opens a tunnel": (
        "tunnel.opened.with-a-length",
        "HANG",
    ),
    "refuses what comes before a tunnel is opened": ("tunnel.opened.after-103", "FALSE_ERROR"),
    "asks a proxy as an origin": ("tunnel.forwarded.by-length", "WRONG_VALUE"),
    "names the proxy in Host": ("tunnel.forwarded-to-a-port", "WRONG_VALUE"),
    "asks for a tunnel without a port": ("tunnel.inside.to-a-port", "WRONG_VALUE"),
    "asks a proxy for a URL of https": ("tunnel.unopened.404", "NO_ERROR"),
    "sends the credentials for its proxy to the origin": (
        "tunnel.credentials.inside",
        "WRONG_VALUE",
    ),
    "sends refused credentials again and again": ("tunnel.credentials.refused.post", "REPLAYED"),
    "repeats a challenged request without its content": (
        "tunnel.credentials.forwarded-post.held",
        "WRONG_VALUE",
    ),
}
"""For each flaw a case that finds it, and how."""


def results(one: ClientTarget, cases: list[Case], authority: CertificateAuthority) -> list[Result]:
    with Runner(one, authority, deadline=5.0) as runner:
        return list(runner.run(cases))


def test_a_right_client_passes_every_case(certificate_authority: CertificateAuthority) -> None:
    # It waits for a line end of two bytes, as it may.
    cases = [case for case in ASKED if case.id != "tunnel.opened.of-bare-line-feeds"]
    found = results(secure(), cases, certificate_authority)
    assert not [
        (one.id, one.verdict, one.seen, one.reason) for one in found if one.verdict != "PASS"
    ]
    families = [case.family for case in ASKED]
    assert min(families.count("tls"), families.count("tunnel")) >= 60


def test_a_client_may_send_credentials_only_when_a_proxy_asks_for_them(
    certificate_authority: CertificateAuthority,
) -> None:
    cases = [case for case in ASKED if case.id.startswith("tunnel.credentials.")]
    found = results(secure(waits=True), cases, certificate_authority)
    assert [one.verdict for one in found] == ["PASS"] * 8


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_wrong_client_is_found(flaw: str, certificate_authority: CertificateAuthority) -> None:
    name, verdict = FOUND[flaw]
    (result,) = results(secure(flaw), [client_case(BY_ID[name])], certificate_authority)
    assert result.verdict == verdict, result


def test_a_client_without_the_feature_is_not_asked(
    certificate_authority: CertificateAuthority,
) -> None:
    names = ["tls.exchange.get", "tunnel.forwarded.by-length", "tunnel.inside.post"]
    cases = [client_case(BY_ID[name]) for name in names]
    found = results(small(), cases, certificate_authority)
    names = ["tls", "proxy", "connect"]
    assert [one.verdict for one in found] == ["UNSUPPORTED"] * 3
    assert [one.reason.rpartition(" ")[2] for one in found] == names
    case = client_case(BY_ID["tunnel.credentials.inside"])
    (result,) = results(small(), [case], certificate_authority)
    assert result.reason.endswith("no connect, proxy-credentials")


def test_a_command_is_asked_for_what_it_has_a_place_for(
    certificate_authority: CertificateAuthority,
) -> None:
    if not is_present("curl"):
        pytest.skip("curl is not installed")
    names = ["tls.exchange.get", "tls.client.refused.expired", "tunnel.inside.to-a-port"]
    cases = [client_case(BY_ID[name]) for name in names]
    curl = "client:cmd:curl -q -sS --suppress-connect-headers --cacert {ca}"
    rest = " [ -D {head} -o {out} {url} | --next -sS -o /dev/null file://{pause} --next ]"
    with Runner(target(f"{curl} --proxy '{{proxy}}'{rest}"), certificate_authority) as runner:
        assert [one.verdict for one in runner.run(cases)] == ["PASS"] * 3
    with Runner(target(curl + " {url}"), certificate_authority) as runner:
        verdicts = [one.verdict for one in runner.run([cases[0], cases[2]])]
    assert verdicts == ["PASS", "UNSUPPORTED"]


HEAD = """
family = "tunnel"
[[case]]
id = "tunnel.a"
title = "A title"
level = "observe"
spec = ["HTTPConnection.request"]
rfc = ["9112#3.2.2"]
why = "why"
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
[case.session]
SAYS
exchanges = [{ target = "/1", expect = ["reject"], arrives = "any" }]
"""


@pytest.mark.parametrize("says", ['proxy_to = "http://a"', 'proxy_to = ""', 'scheme = "ftp"'])
def test_what_is_no_authority_or_scheme_is_refused(says: str) -> None:
    with pytest.raises(CaseError, match="session"):
        list(load_text(HEAD.replace("SAYS", says), "x.toml"))


def verdict(says: str, received: bytes, tls: str | None = None) -> tuple[Verdict, str]:
    (case,) = load_text(HEAD.replace("SAYS", says), "x.toml")
    error = {"class": "E", "bases": [], "attributes": {}, "message": "", "category": "timeout"}
    trace = {"1": {"id": "1", "error": error}}
    seen = Observation(trace, "h", 1, (Connection((), received, tls=tls),))
    found = judge(case, seen)
    return found.verdict, found.mismatch.seen if found.mismatch else "".join(found.faults)


SECURE, PROXY = 'scheme = "https"\n', 'proxy_to = "a.test"\n'
CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
GET = b"GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n"


@pytest.mark.parametrize(
    ("says", "received", "tls", "seen"),
    [
        (SECURE, GET.replace(b"a.test", b"h:1"), "TLSv1.3", ""),
        (SECURE, GET.replace(b"a.test", b"h:1"), None, "a request arrives in clear"),
        (SECURE, b"", "failed: SSLError HTTP_REQUEST", "a request arrives in clear"),
        (SECURE, b"", "failed: SSLError TLSV1_ALERT_UNKNOWN_CA", ""),
        (SECURE, b"", "failed: end of stream after a ClientHello", ""),
        (SECURE, b"", "failed: end of stream", "no TLS handshake was begun"),
        (SECURE + PROXY, CONNECT + GET, "TLSv1.3", ""),
        (SECURE + PROXY, CONNECT + GET.replace(b"a.test", b"a.test:443"), "TLSv1.3", ""),
        (SECURE + PROXY, CONNECT, None, ""),
        (SECURE + PROXY, CONNECT + GET, None, "a request arrives in clear"),
        (SECURE + PROXY, GET, "TLSv1.3", "arrives without a tunnel"),
        (SECURE + PROXY, b"", None, "no CONNECT came"),
        (SECURE + PROXY, CONNECT.replace(b":443 ", b" "), None, "CONNECT a.test came"),
        (SECURE + PROXY, CONNECT.replace(b"t: a", b"t: b"), None, "CONNECT with Host: b.test"),
        (SECURE + PROXY, CONNECT.replace(b"1.1\r\nHost: a.test:443", b"1.0"), None, ""),
        (SECURE + PROXY, CONNECT.replace(b"\r\nHost: a.test:443", b""), None, "Host: none came"),
        (PROXY, GET.replace(b" /1", b" http://a.test/1"), None, ""),
        (PROXY, GET, None, "the request target '/1' came to a proxy"),
        (PROXY, GET.replace(b" /1", b" http://b.test/1"), None, "the request target 'http://b"),
        (PROXY, CONNECT + GET, None, "the method 'CONNECT' came"),
    ],
)
def test_where_a_request_may_arrive_and_how(
    says: str, received: bytes, tls: str | None, seen: str
) -> None:
    found = verdict(says, received, tls)
    assert found[1].startswith(seen) or seen in found[1]
    assert (found[0] == Verdict.PASS) == (not seen), found
