"""The sessions of the corpus: a right client passes them, and each wrong one is found by a case."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certs import CertificateAuthority
from conformance.cases import Case, client_case, load_corpus
from conformance.drivers import FETCH, Identity
from conformance.drivers.clients import ClientTarget, python_client
from conformance.drivers.clients.starting import Adapted
from conformance.drivers.protocol import Exchange
from conformance.judge import FAILURES, Observation, Verdict, judge
from conformance.results import Result
from conformance.results.golden.codec import Codec
from conformance.results.golden.stable import stable_observation
from conformance.results.golden.values import Values
from conformance.run import Runner
from conformance.tests.small_client import FLAWS, REPEATS, Small, small
from conformance.tests.support import BY_ID

SESSIONS = [case for case in BY_ID.values() if case.family == "session"]
ROWS = [*{case.authored: case for case in SESSIONS}.values()]
"""One case of each row."""


def results(*flaws: str, cases: list[Case], authority: CertificateAuthority) -> list[Result]:
    with Runner(small(*flaws), authority, deadline=5.0) as runner:
        return list(runner.run(cases))


def test_a_right_client_passes_every_case(certificate_authority: CertificateAuthority) -> None:
    found = results(cases=SESSIONS, authority=certificate_authority)
    assert len(found) == len(SESSIONS) >= 400
    assert len(ROWS) >= 120
    assert not [
        (one.id, one.verdict, one.seen, one.reason) for one in found if one.verdict != "PASS"
    ]


ERROR, CLOSING = "reused after an error", "reused after one side said that it closes it"
UNFINISHED, LEFTOVERS = "reused with an unfinished request", "reused with leftover bytes"
OTHERS = "bytes that were sent for the exchange 1"
FOUND = {
    "repeats when nothing came": ("session.cut.by-fin.post", "REPLAYED", "twice"),
    "repeats after a reset": ("session.cut.by-rst.patch", "REPLAYED", "twice"),
    "repeats after a part": ("session.cut.in-the-status-line.post", "REPLAYED", "twice"),
    "repeats after a timeout": ("session.timeout.before-the-response.post", "REPLAYED", "twice"),
    "repeats again and again": ("session.retry.get-again-and-again", "TOLERATED", "5 times"),
    "repeats after an error status": ("session.retry.status.503.post", "REPLAYED", "twice"),
    "repeats without content": ("session.cut.content.streamed", "WRONG_VALUE", "b''"),
    "follows a redirect": ("session.redirect.307.post", "WRONG_VALUE", "ninth"),
    "ignores close of the server": ("session.closing.in-chunks", "WRONG_CONNECTION", CLOSING),
    "ignores close in a list": (
        "session.closing.http-1-1.with-keep-alive-before-it",
        "WRONG_CONNECTION",
        CLOSING,
    ),
    "ignores its own close": (
        "session.closing.request-says-close",
        "WRONG_CONNECTION",
        CLOSING,
    ),
    "takes HTTP/1.0 for HTTP/1.1": ("session.closing.http-1-0", "WRONG_CONNECTION", CLOSING),
    "takes what came while it was idle": ("session.unasked.a-408", "WRONG_VALUE", OTHERS),
    "ignores the end of an idle connection": ("session.idle.408.get", "WRONG_VALUE", OTHERS),
    "keeps what follows a response": (
        "session.leftovers.two-responses-to-post.get",
        "WRONG_VALUE",
        OTHERS,
    ),
    "takes an interim response for the final one": (
        "session.continue.unasked.103.post",
        "WRONG_VALUE",
        "accepts status 103",
    ),
    "never closes": ("session.closing.close", "WRONG_CONNECTION", "leaked"),
    "never closes after its own close": (
        "session.closing.request-says-close",
        "WRONG_CONNECTION",
        "leaked",
    ),
    "never closes after HTTP/1.0": ("session.closing.http-1-0", "WRONG_CONNECTION", "leaked"),
    "keeps an unread response": (
        "session.unread.closed-unread.by-length",
        "WRONG_CONNECTION",
        LEFTOVERS,
    ),
    "keeps a dropped response": (
        "session.unread.dropped.in-chunks",
        "WRONG_CONNECTION",
        LEFTOVERS,
    ),
    "keeps a response that is read in part": (
        "session.unread.status.404",
        "WRONG_CONNECTION",
        LEFTOVERS,
    ),
    "keeps a connection after an error": ("session.error.two-lengths", "WRONG_CONNECTION", ERROR),
    "keeps a connection after a bad length": (
        "session.error.length.negative",
        "WRONG_CONNECTION",
        ERROR,
    ),
    "keeps a connection after a bad chunk": (
        "session.error.chunk.negative",
        "WRONG_CONNECTION",
        ERROR,
    ),
    "keeps an unfinished request": (
        "session.continue.refused.413",
        "WRONG_CONNECTION",
        UNFINISHED,
    ),
    "keeps unfinished chunks": (
        "session.continue.refused-for-put.streamed",
        "WRONG_CONNECTION",
        UNFINISHED,
    ),
    "keeps a request whose content a 100 permits": (
        "session.continue.and-the-end.413",
        "WRONG_CONNECTION",
        UNFINISHED,
    ),
    "stops an upload and keeps the connection": ("session.early.kept.413", "HANG", "timeout"),
    "keeps nothing": ("session.kept.two-gets", "TOLERATED", "abandoned"),
    "keeps nothing after HEAD": (
        "session.no-content.head-with-a-length",
        "TOLERATED",
        "abandoned",
    ),
    "keeps nothing after chunks": ("session.kept.in-chunks", "TOLERATED", "abandoned"),
    "reads content after HEAD": ("session.no-content.head-with-a-length", "HANG", "timeout"),
    "reads one byte too few": ("session.kept.two-gets", "FALSE_ERROR", "bad-status-line"),
    "leaves trailers": ("session.kept.trailers.one", "FALSE_ERROR", "bad-status-line"),
    "sends no content": ("session.closing.really.fin", "WRONG_VALUE", "b''"),
    "reads as much as the last time": ("session.kept.two-gets", "WRONG_VALUE", "secon"),
    "refuses content without a length": (
        "session.closing.until-the-end.http-1-0",
        "FALSE_ERROR",
        "bad-framing",
    ),
    "leaves the content of a response with Upgrade": (
        "session.upgrade.offered.404",
        "FALSE_ERROR",
        "bad-status-line",
    ),
    "sends content with the next request": (
        "session.kept.content-of-put.get",
        "WRONG_VALUE",
        "content",
    ),
}
"""For each flaw a case that finds it, its verdict, and a part of what is seen."""


def test_what_is_asked_of_a_driver_has_the_form_of_the_protocol() -> None:
    for case in SESSIONS:
        for op in case.ops:
            asked = msgspec.convert(op.message["kwargs"], Exchange)
            assert asked.target == op.message["kwargs"]["target"]


def test_a_record_of_a_session_is_judged_as_the_run_was(
    certificate_authority: CertificateAuthority,
) -> None:
    seen: list[tuple[Case, Observation]] = []
    target, codec = small(*REPEATS, "keeps nothing"), Codec(Values("small", True, {}))
    with Runner(
        target, certificate_authority, deadline=5.0, witness=lambda *one: seen.append(one)
    ) as runner:
        verdicts = [one.verdict for one in runner.run(ROWS)]
    assert {"PASS", "TOLERATED", "REPLAYED"} <= {*verdicts}
    for (case, observation), verdict in zip(seen, verdicts, strict=True):
        short = msgspec.json.decode(
            msgspec.json.encode(codec.short(case, stable_observation(observation)))
        )
        assert judge(case, codec.full(case, short)).verdict == verdict, case.id


def test_a_client_completes_a_session_before_it_is_judged(
    certificate_authority: CertificateAuthority,
) -> None:
    with Runner(small(), certificate_authority, deadline=5.0) as runner:
        done = [(one.case.title, problem) for one, problem in runner.completed()]
        assert done[-1] == ("a GET and a POST with content, by `exchange`", "")
    bad = ClientTarget("client:small", lambda _written: Gets())
    with Runner(bad, certificate_authority, deadline=5.0) as runner:
        assert (
            "arrives, on connection 1, where the content b'' is" in list(runner.completed())[-1][1]
        )


class Gets(Small):
    """A driver that does not look at the method."""

    def exchange(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        return super().exchange(url, {**given, "method": "GET"})


@pytest.mark.parametrize("missing", ["ops", "features"])
def test_a_driver_that_cannot_do_a_session_is_not_judged_by_it(
    missing: str, certificate_authority: CertificateAuthority
) -> None:
    class Lacks(Small):
        @property
        def identity(self) -> Identity:
            whole, only = super().identity, frozenset({FETCH})
            return replace(whole, ops=only) if missing == "ops" else replace(whole, features=only)

    one = ClientTarget("client:small", lambda _written: Lacks())
    cases = [client_case(BY_ID["chunked.two-chunks"]), BY_ID["session.unread.dropped"]]
    with Runner(one, certificate_authority, deadline=5.0) as runner:
        fetch, session = runner.run(cases)
    assert (fetch.verdict, session.verdict) == ("PASS", "UNSUPPORTED")
    what = {"ops": "does not declare exchange", "features": "has no drop"}
    assert what[missing] in session.reason


def test_a_late_response_is_named_as_that_of_the_other_exchange(
    certificate_authority: CertificateAuthority,
) -> None:
    case = BY_ID["session.timeout.before-the-response.get"]
    (found,) = results(
        "keeps a connection after an error", cases=[case], authority=certificate_authority
    )
    assert found.verdict == "WRONG_VALUE"
    assert found.seen.endswith("bytes that were sent for the exchange 1")
    assert found.trace[1].startswith("2  GET /2  on connection 1 -> accepts status 200")


def test_every_flaw_is_found_by_a_case() -> None:
    assert FOUND.keys() == {*FLAWS}


@pytest.mark.parametrize("flaw", FOUND)
def test_a_wrong_client_is_found(flaw: str, certificate_authority: CertificateAuthority) -> None:
    name, verdict, part = FOUND[flaw]
    (found,) = results(flaw, cases=[BY_ID[name]], authority=certificate_authority)
    assert found.verdict == verdict, found
    assert part in found.seen


def test_each_kind_of_verdict_has_three_wrong_clients() -> None:
    kinds = Counter((verdict, part) for _, verdict, part in FOUND.values())
    wanted = [
        ("WRONG_CONNECTION", one) for one in (ERROR, CLOSING, UNFINISHED, LEFTOVERS, "leaked")
    ]
    wanted += [("REPLAYED", "twice"), ("WRONG_VALUE", OTHERS), ("TOLERATED", "abandoned")]
    assert not [one for one in wanted if kinds[one] < 3]


def test_the_cases_of_a_session_are_not_for_httplib() -> None:
    corpus = load_corpus().select(["session.*"])
    assert not len(corpus.for_profile(is_client=False))
    assert len(corpus.for_profile(is_client=True)) == len(SESSIONS)
    assert FLAWS
    assert Verdict.REPLAYED in FAILURES


PLANTED = {
    "requests": (
        """
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
usual = HTTPAdapter.__init__
again = Retry(3, allowed_methods=None)
HTTPAdapter.__init__ = lambda self, *args, **more: usual(self, max_retries=again)
""",
        {"session.cut.by-fin.post": "REPLAYED", "session.cut.by-rst.patch": "REPLAYED"},
    ),
    "urllib3": (
        """
from http.client import HTTPResponse
HTTPResponse._check_close = lambda self: False
""",
        {"session.closing.close": "WRONG_CONNECTION", "session.kept.two-gets": "PASS"},
    ),
    "httpx": (
        """
from httpcore._sync.http11 import HTTP11Connection
usual = HTTP11Connection._response_closed
def reuse(self):
    if self._h11_state.our_state is not self._h11_state.their_state:
        import h11
        self._h11_state = h11.Connection(our_role=h11.CLIENT)
        self._state = type(self._state).IDLE
        return
    usual(self)
HTTP11Connection._response_closed = reuse
""",
        {"session.unread.closed-after-a-part.by-length": "WRONG_CONNECTION"},
    ),
}
"""Faults in real clients: the code that plants them, and what finds them."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_that_is_planted_in_a_library_is_found(
    name: str, tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    pytest.importorskip(name)
    code, found = PLANTED[name]
    program = tmp_path / "planted.py"
    place = str(Path(python_client.__file__).parent)
    program.write_text(
        f"import sys\nsys.path.insert(0, {place!r})\nimport python_client\n{code}\n"
        f"python_client.serve({name!r})\n"
    )
    one = ClientTarget(
        f"client:{name}", lambda written: Adapted(written, name, [sys.executable, str(program)])
    )
    with Runner(one, certificate_authority, deadline=5.0) as runner:
        results = runner.run([BY_ID[case] for case in found])
        assert {result.id: result.verdict for result in results} == found
