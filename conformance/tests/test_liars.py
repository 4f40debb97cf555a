"""Clients that lie: the client profile fails each of them, and an honest one in none of these."""

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from certs import CertificateAuthority
from conformance.cases import client_cases
from conformance.drivers import Identity
from conformance.drivers.base import FETCH, Driver, Message, Trace
from conformance.drivers.clients import ClientTarget
from conformance.judge.verdicts import FAILURES
from conformance.run import Runner
from conformance.tests.support import BY_ID

CASES = (
    "framing.length.short.5",
    "framing.length.short.9",
    "faults.whole.to-the-end",
    "chunked.two-chunks",
    "chunked.one-chunk",
    "chunked.size-line.not-hex",
    "headers.name.sent-upper-case.asked-lower-case",
    "status-codes.404.1-1.registered.get-body",
    "interim.kept-connection",
    "faults.whole.by-length",
    "exceptions.bad-status-line.nothing",
)
Value = dict[str, Any]


def honest(url: str) -> Value:
    """Return what a right client makes of the octets; the cases are those in which this one is."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read()
        headers = [[name, value] for name, value in answer.getheaders()]
        return response(answer.status, answer.reason, headers, body)
    finally:
        connection.close()


def response(status: int, reason: str, headers: list[list[str]], body: bytes) -> Value:
    text = body.decode("latin-1")
    told = {"status": status, "reason": reason, "headers": headers, "body": text}
    return {"type": "response", **told}


def takes_what_came(url: str) -> Value:
    """Report success with whatever there is of a body that was cut."""
    try:
        return honest(url)
    except http.client.IncompleteRead as error:
        return response(200, "OK", [], error.partial)


def never_fails(url: str) -> Value:
    try:
        return honest(url)
    except (http.client.HTTPException, OSError):
        return response(200, "OK", [], b"")


def refuses_all(url: str) -> Value:
    honest(url)
    raise http.client.HTTPException("no")


def different(**parts: Any) -> Callable[[str], Value]:
    return lambda url: {**honest(url), **parts}


def shortened(url: str) -> Value:
    value = honest(url)
    return {**value, "body": value["body"][:-1]}


def lengthened(url: str) -> Value:
    value = honest(url)
    return {**value, "body": value["body"] + "\n"}


def in_upper_case(url: str) -> Value:
    value = honest(url)
    return {**value, "headers": [[name, text.upper()] for name, text in value["headers"]]}


def leaks(url: str) -> Value:
    try:
        return honest(url)
    except http.client.HTTPException as error:
        raise KeyError("chunk") from error


def waits_in_vain(url: str) -> Value:
    honest(url)
    raise TimeoutError


def nothing_at_all(url: str) -> Value:
    honest(url)
    return {"type": "tuple", "value": []}


LIES: dict[str, Callable[[str], Value]] = {
    "takes a cut body for a whole one": takes_what_came,
    "never fails": never_fails,
    "refuses all": refuses_all,
    "says 200 whatever the status": different(status=200),
    "loses every field": different(headers=[]),
    "loses the body": different(body=""),
    "loses the last octet": shortened,
    "adds an octet": lengthened,
    "changes the values of fields": in_upper_case,
    "leaks an exception": leaks,
    "waits for what was there": waits_in_vain,
    "answers with no response": nothing_at_all,
}


class FakeClient(Driver):
    """A client in this process."""

    def __init__(self, fetch: Callable[[str], Value]) -> None:
        self._fetch = fetch

    @property
    def identity(self) -> Identity:
        return Identity("client:fake", "fake", "1", frozenset(), frozenset({FETCH}))

    def run(self, message: Message) -> Trace:
        return [self._entry(message["url"], op["id"]) for op in message["ops"]]

    def _entry(self, url: str, name: str) -> dict[str, Any]:
        try:
            return {"id": name, "value": self._fetch(url)}
        except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
            own = isinstance(error, http.client.HTTPException | OSError)
            category = "timeout" if isinstance(error, TimeoutError) else "bad-framing"
            return {
                "id": name,
                "error": {
                    "class": type(error).__name__,
                    "message": str(error),
                    "category": category if own else "leak",
                },
            }

    def release(self) -> None:
        pass

    def kill(self) -> bool:
        return True

    def stop(self) -> None:
        pass


def failures(fetch: Callable[[str], Value], authority: CertificateAuthority) -> list[str]:
    known = BY_ID
    cases = list(client_cases(known[name] for name in CASES))
    assert len(cases) == len(CASES)
    one = ClientTarget("client:fake", lambda _written: FakeClient(fetch))
    with Runner(one, authority) as runner:
        results = list(runner.run(cases))
    assert not [result.reason for result in results if result.is_error]
    return [f"{one.id}: {one.verdict}" for one in results if one.verdict in FAILURES]


def test_an_honest_client_fails_in_none(certificate_authority: CertificateAuthority) -> None:
    assert not failures(honest, certificate_authority)


@pytest.mark.parametrize("lie", LIES)
def test_a_client_that_lies_fails(lie: str, certificate_authority: CertificateAuthority) -> None:
    assert failures(LIES[lie], certificate_authority)
