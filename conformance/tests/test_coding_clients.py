"""The cases about content codings: a client that decodes passes them, each wrong one is found."""

import zlib
from typing import Any

import pytest

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers.clients import ClientTarget
from conformance.results import Result
from conformance.run import Runner
from conformance.tests.small_client import Broken, Line, Small
from conformance.tests.support import BY_ID

CASES = [case for case in BY_ID.values() if case.id.startswith("codings.")]
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""The codings that the client takes away, with the parameter of zlib for each."""
FOUND = {
    "takes the end of a stream for that of the message": (
        "codings.message-cut.whole-gzip.length",
        "NO_ERROR",
    ),
    "lets an error escape": ("codings.not-coded.gzip.length", "LEAK"),
    "returns the first member": ("codings.two-members.gzip.length", "TOLERATED"),
    "returns a part": ("codings.cut.gzip.close", "TOLERATED"),
    "takes one coding away": ("codings.stacked.gzip-gzip.length", "TOLERATED"),
    "searches for gzip": ("codings.unregistered.x-blank-gzip", "TOLERATED"),
    "refuses what it does not know": ("codings.whole.br.length", "TOLERATED"),
}
"""For each flaw a case that finds it, and the verdict."""
(ENDS_EARLY, LEAKS, FIRST, PART, ONE, SEARCHES, REFUSES) = FOUND


class Decoding(Small):
    """The small client, which here takes gzip and deflate away; with one flaw, or none."""

    def __init__(self, flaw: str = "") -> None:
        super().__init__()
        self.flaw = flaw

    def content(
        self, line: Line, method: str, status: int, fields: list[tuple[str, str]], given: Any
    ) -> tuple[bytes | None, bool]:
        try:
            content, whole = super().content(line, method, status, fields, given)
        except Broken:
            if self.flaw != ENDS_EARLY:
                raise
            content, whole = line.buffer, False
        value = ",".join(value for name, value in fields if name == "content-encoding").lower()
        codings = [item.strip() for item in value.split(",") if item.strip()]
        if self.flaw == SEARCHES and "gzip" in value:
            codings = ["gzip"]
        if not codings or content is None:
            return content, whole
        if not WINDOWS.keys() >= {*codings}:
            if self.flaw == REFUSES:
                raise Broken("unsupported-coding")
            return content, whole
        try:
            for coding in codings[-1:] if self.flaw == ONE else reversed(codings):
                content = self.decoded(coding, content)
        except zlib.error as error:
            raise Broken("leak" if self.flaw == LEAKS else "unsupported-coding") from error
        return content, whole

    def decoded(self, coding: str, content: bytes) -> bytes:
        plain = b""
        while content:
            stream = zlib.decompressobj(WINDOWS[coding])
            plain += stream.decompress(content)
            if not stream.eof and self.flaw != PART:
                raise zlib.error("the stream is cut")
            content = b"" if self.flaw == FIRST else stream.unused_data
        return plain


def results(flaw: str, cases: list[Case], authority: CertificateAuthority) -> list[Result]:
    target = ClientTarget("client:decoding", lambda _written: Decoding(flaw))
    with Runner(target, authority, deadline=5.0) as runner:
        return list(runner.run(cases))


def test_a_client_that_decodes_passes_every_case(
    certificate_authority: CertificateAuthority,
) -> None:
    found = results("", CASES, certificate_authority)
    assert len(found) == len(CASES) >= 200
    assert not [(one.id, one.verdict, one.seen) for one in found if one.verdict != "PASS"]


@pytest.mark.parametrize(("flaw", "case", "verdict"), [(a, *b) for a, b in FOUND.items()])
def test_a_wrong_client_is_found(
    flaw: str, case: str, verdict: str, certificate_authority: CertificateAuthority
) -> None:
    (found,) = results(flaw, [BY_ID[case]], certificate_authority)
    assert found.verdict == verdict
