"""Sessions: what the format takes, what the judge says, and wrong clients next to a right one."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certs import CertificateAuthority
from conformance.cases import Case, CaseError, client_case, load_corpus
from conformance.cases.casefile import load_text
from conformance.drivers import FETCH, Identity
from conformance.drivers.clients import ClientTarget, python_client
from conformance.drivers.clients.starting import Adapted
from conformance.drivers.protocol import Exchange
from conformance.judge import FAILURES, Observation, Verdict, judge, late_entry
from conformance.results import Result
from conformance.results.golden.codec import Codec
from conformance.results.golden.stable import Connection, stable_observation
from conformance.results.golden.values import Values
from conformance.run import Runner
from conformance.tests.small_client import FLAWS, REPEATS, Small, small
from conformance.tests.support import BY_ID

SESSIONS = [case for case in BY_ID.values() if case.family == "session"]
HEAD = """
family = "session"
[[case]]
id = "session.a"
title = "A title"
level = "observe"
spec = ["HTTPConnection.request"]
rfc = ["9112#9.3"]
why = "why"
routes = [
  { target = "/1", steps = [{ reply = { body = "first" } }] },
  { target = "/2", steps = [{ reply = { body = "second" } }] },
]
[case.session]
"""
FIRST = '{ target = "/1", expect = [{ accept = { body = "first" } }] }'
POST = (
    '{ method = "POST", target = "/2", body = "abc", '
    'expect = [{ accept = { body = "second" } }, "reject"]'
)


def session(*exchanges: str, head: str = HEAD) -> Case:
    (case,) = load_text(f"{head}exchanges = [{', '.join(exchanges)}]\n", "x.toml")
    return case


# The format.


def test_fetch_is_the_session_of_one_get() -> None:
    case = BY_ID["chunked.two-chunks"]
    assert case.session is not None
    (exchange,) = case.session.exchanges
    assert (exchange.id, exchange.method, exchange.target) == ("fetch", "GET", "")
    assert case.fetch is exchange.fetch
    assert SESSIONS[0].fetch is None


def test_an_exchange_has_what_the_file_says_and_nothing_usual() -> None:
    case = session(FIRST, POST + ', id = "post", fields = { X = "1" }, streamed = true }')
    first, post = (op.message for op in case.ops)
    assert first["kwargs"] == {"method": "GET", "target": "/1"}
    assert post["kwargs"] == {
        "method": "POST",
        "target": "/2",
        "fields": {"type": "mapping", "value": [["X", "1"]]},
        "body": {"type": "bytes", "value": "abc"},
        "streamed": True,
    }
    assert case.profile == "client"
    assert case.needs == {"streamed"}
    assert case.ops[1].text == "POST /2 (X: 1, 3 bytes, streamed)"


def test_exchanges_that_begin_together_are_one_group() -> None:
    case = session(FIRST, POST + ", parallel = true }", FIRST.replace("/1", "/3"))
    assert case.session is not None
    assert [[one.id for one in group] for group in case.session.groups] == [["1", "2"], ["3"]]
    assert "parallel" in case.needs


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        ([FIRST, FIRST], "exchanges[1].target: an earlier exchange is GET /1 too"),
        ([FIRST.replace("{ t", '{ id = "2", t'), POST + "}"], "exchanges[1].id: the id '2' is"),
        ([FIRST.replace(" }] }", ' }], on = "same" }')], "on: the first exchange has none before"),
        ([FIRST.replace(" }] }", " }], parallel = true }")], "has none to be parallel to"),
        ([FIRST, POST + ', on = { new = "error", of = "9" } }'], "no earlier exchange has the id"),
        ([FIRST, POST + ", on = { same = true, new = 'error' } }"], "`same` connection, or on a"),
        ([FIRST, POST + ", amount = 3 }"], '`amount` goes with `consume = "part"`'),
        ([FIRST.replace("{ t", "{ streamed = true, t")], "`streamed` goes with a `body`"),
        ([FIRST.replace("/1", "1")], "target"),
        ([FIRST, POST.replace("abc", "GET /1 HTTP/1.1") + "}"], "looks like a request line"),
        ([FIRST, POST + ', on = { new = "eror" } }'], "error"),
        ([FIRST, POST + ", arrive = 1 }"], "unknown key `arrive`"),
    ],
)
def test_what_is_no_session_is_refused_in_one_line(exchanges: list[str], problem: str) -> None:
    with pytest.raises(CaseError) as caught:
        session(*exchanges)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"observe"', '"guard"', "level: the level is about httplib's interface"),
        ("[case.session]", "ops = []\n[case.session]", ""),
        ("[case.session]", '[[case.outcome]]\nread = ""\n[case.session]', "and no `outcome`"),
        ('{ reply = { body = "first" } }]', '{ gate = "3" }]', "nothing opens the gate '3'"),
        (
            "[case.session]",
            '[case.fetch]\nstrength = "must"\nexpect = ["reject"]\n[case.session]',
            "`fetch` is short for a `session`",
        ),
    ],
)
def test_what_is_only_for_httplib_is_refused(old: str, new: str, problem: str) -> None:
    head = HEAD.replace(old, new, 1)
    if not problem:  # an empty list is the same as none
        assert session(FIRST, head=head).profile == "client"
        return
    with pytest.raises(CaseError, match=problem.replace("`", ".")):
        session(FIRST, head=head)


# The judge.


def asked(method: str, target: str, content: str = "", length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    fields = f"Content-Length: {size}\r\n" if method == "POST" else ""
    return f"{method} {target} HTTP/1.1\r\nHost: h:1\r\n{fields}\r\n{content}".encode()


ONE, TWO = asked("GET", "/1"), asked("POST", "/2", "abc")


def took(body: str) -> dict[str, Any]:
    return {"value": {"type": "response", "status": 200, "reason": "", "headers": [], "body": body}}


BOTH = [took("first"), took("second")]
REFUSED = {"error": {"class": "E", "message": "", "category": "no-response"}}


def judged(
    second: str, *received: bytes, trace: list[dict[str, Any]] | None = None, **facts: Any
) -> tuple[Verdict, str]:
    case = session(FIRST, POST + second + " }")
    entries = trace or [took("first"), took("second")]
    named = {op.id: {"id": op.id, **entry} for op, entry in zip(case.ops, entries, strict=True)}
    lines = tuple(Connection((), one, after=facts.get("after", "closed")) for one in received)
    found = judge(case, Observation(named, "h", 1, lines))
    return found.verdict, found.mismatch.seen if found.mismatch else "".join(found.faults)


def test_each_request_once_on_any_connections_passes() -> None:
    assert judged("", ONE + TWO)[0] == Verdict.PASS
    assert judged("", ONE, TWO)[0] == Verdict.PASS
    assert judged("", ONE, ONE + TWO)[0] == Verdict.PASS  # a GET may be repeated


def test_a_post_that_arrives_twice_is_replayed() -> None:
    assert judged("", ONE + TWO, TWO) == (
        Verdict.REPLAYED,
        "it arrives twice, on connection 1 and 2",
    )
    part = asked("POST", "/2", "a", length=3)
    assert judged("", ONE + part, TWO)[0] == Verdict.REPLAYED
    assert judged(", arrives = [1, 2]", ONE + TWO, TWO)[0] == Verdict.PASS
    assert judged(", arrives = 'any'", ONE + TWO, TWO, TWO)[0] == Verdict.PASS
    softer = ", arrives = { times = 1, strength = 'may' }"
    assert judged(softer, ONE + TWO, TWO)[0] == Verdict.REPLAYED


def test_a_get_that_arrives_too_often_is_judged_with_its_strength() -> None:
    for strength, verdict in (("must", Verdict.REPLAYED), ("should", Verdict.TOLERATED)):
        once = f", arrives = {{ times = 1, strength = '{strength}' }}"
        get = POST.replace('method = "POST", ', "").replace('body = "abc", ', "") + once + " }"
        case = session(FIRST, get)
        trace = {op.id: {"id": op.id, **entry} for op, entry in zip(case.ops, BOTH, strict=True)}
        lines = (Connection((), ONE + asked("GET", "/2")), Connection((), asked("GET", "/2")))
        assert judge(case, Observation(trace, "h", 1, lines)).verdict == verdict


def test_a_request_that_does_not_arrive_whole_is_wrong() -> None:
    part = asked("POST", "/2", "a", length=3)
    assert judged("", ONE) == (Verdict.WRONG_VALUE, "it arrives never")
    assert judged("", ONE + part)[1] == "only a part of it arrives, on connection 1"
    assert judged(", arrives = { partial = true }", ONE + part)[0] == Verdict.PASS
    assert judged("", ONE + asked("POST", "/2", "abd"))[0] == Verdict.WRONG_VALUE
    assert judged("", ONE + TWO + b"DELETE /9 HTTP/1.1\r\nHost: h:1\r\n\r\n")[0] == "WRONG_VALUE"


def test_content_without_a_line_end_does_not_hide_the_next_request() -> None:
    assert judged("", TWO + ONE)[0] == Verdict.PASS


def test_the_connection_of_a_request_is_compared() -> None:
    new = ", on = { new = 'closing' }"
    verdict, seen = judged(new, ONE + TWO)
    assert verdict == Verdict.WRONG_CONNECTION
    assert seen.startswith("reused after one side said that it closes it: POST /2")
    assert judged(new, ONE, TWO)[0] == Verdict.PASS
    assert judged(", on = 'same'", ONE, TWO)[1].startswith("abandoned: ")
    assert judged(", on = 'same'", ONE + TWO)[0] == Verdict.PASS
    softer = ", on = { same = true, strength = 'should' }"
    assert judged(softer, ONE, TWO)[0] == Verdict.TOLERATED


def test_an_unfinished_request_forbids_the_next_one_only_where_it_is_unfinished() -> None:
    lines = [POST.replace("{", "{ id = 'post', arrives = { partial = true },", 1) + "}"]
    last = '{ target = "/3", expect = ["reject"], on = { new = "unfinished" } }'
    case = session(*lines, last)
    named = {op.id: {"id": op.id, **REFUSED} for op in case.ops}
    three = asked("GET", "/3")
    for sent, verdict in ((TWO, "PASS"), (asked("POST", "/2", "", 3), "WRONG_CONNECTION")):
        seen = Observation(named, "h", 1, (Connection((), sent + three),))
        assert judge(case, seen).verdict == verdict


def test_a_connection_that_stays_open_is_leaked() -> None:
    ends = ", ends = 'closed'"
    assert judged(ends, ONE + TWO, after="kept") == (
        Verdict.WRONG_CONNECTION,
        "leaked: connection 1 is kept at the end",
    )
    for after in ("closed", "gone", None):
        assert judged(ends, ONE + TWO, after=after)[0] == Verdict.PASS


def test_the_bytes_of_another_message_are_wrong_at_any_strength() -> None:
    other = [took("first"), took("first")]
    verdict, seen = judged(", strength = 'may'", ONE + TWO, trace=other)
    assert verdict == Verdict.WRONG_VALUE
    assert seen.endswith("bytes that were sent for the exchange 1")
    third = [took("first"), took("third")]
    assert judged(", strength = 'may'", ONE + TWO, trace=third)[0] == Verdict.TOLERATED


def test_a_replay_takes_precedence_over_a_wrong_value() -> None:
    wrong = [took("first"), took("third")]
    assert judged("", ONE + TWO, TWO, trace=wrong)[0] == Verdict.REPLAYED


def test_without_any_request_there_is_no_verdict() -> None:
    assert judged("", trace=[REFUSED, REFUSED])[0] == Verdict.DRIVER_ERROR
    assert judged("", b"", trace=[REFUSED, REFUSED])[0] == Verdict.DRIVER_ERROR


def test_an_exchange_that_is_not_ended_in_time_is_judged_with_its_strength() -> None:
    late = [took("first"), late_entry("2", "the kit gave up")]
    for strength, verdict in (("must", Verdict.HANG), ("may", Verdict.TOLERATED)):
        case = session(FIRST, FIRST.replace("/1", "/2")[:-2] + f', strength = "{strength}" }}')
        trace = {op.id: {**entry, "id": op.id} for op, entry in zip(case.ops, late, strict=True)}
        two = asked("GET", "/2")
        seen = Observation(trace, "h", 1, (Connection((), asked("GET", "/1") + two),))
        assert judge(case, seen).verdict == verdict


def test_the_server_closes_for_a_client_that_asks_unless_the_session_is_about_that() -> None:
    assert session(FIRST).script.obliging
    for name in ("Connection", "connection"):
        closing = FIRST[:-2] + f', fields = {{ {name} = "TE, Close" }} }}'
        assert not session(closing).script.obliging


# The corpus.


def results(*flaws: str, cases: list[Case], authority: CertificateAuthority) -> list[Result]:
    with Runner(small(*flaws), authority, deadline=5.0) as runner:
        return list(runner.run(cases))


def test_a_right_client_passes_every_case(certificate_authority: CertificateAuthority) -> None:
    found = results(cases=SESSIONS, authority=certificate_authority)
    assert len(found) == len(SESSIONS) > 50
    assert not [
        (one.id, one.verdict, one.seen, one.reason) for one in found if one.verdict != "PASS"
    ]


FOUND = {
    "repeats when nothing came": ("session.cut.by-fin.post", "REPLAYED"),
    "repeats after a reset": ("session.cut.by-rst.patch", "REPLAYED"),
    "repeats after a part": ("session.cut.in-the-status-line.post", "REPLAYED"),
    "repeats without content": ("session.cut.content.streamed", "WRONG_VALUE"),
    "ignores close of the server": ("session.closing.in-chunks", "WRONG_CONNECTION"),
    "ignores its own close": ("session.closing.request-says-close", "WRONG_CONNECTION"),
    "takes what came while it was idle": ("session.idle.408.get", "WRONG_VALUE"),
    "never closes": ("session.closing.close", "WRONG_CONNECTION"),
    "repeats after a timeout": ("session.timeout.before-the-response.post", "REPLAYED"),
    "ignores the end of an idle connection": ("session.idle.408.get", "WRONG_VALUE"),
    "keeps what follows a response": ("session.leftovers.a-second-response", "WRONG_VALUE"),
    "keeps an unread response": ("session.unread.closed-unread.by-length", "WRONG_CONNECTION"),
    "keeps a connection after an error": ("session.error.two-lengths", "WRONG_CONNECTION"),
    "keeps an unfinished request": ("session.continue.refused.413", "WRONG_CONNECTION"),
    "keeps nothing": ("session.kept.two-gets", "TOLERATED"),
    "reads content after HEAD": ("session.no-content.head-with-a-length", "HANG"),
}
"""For each flaw a case that finds it, and how."""


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
        verdicts = [one.verdict for one in runner.run(SESSIONS)]
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
    name, verdict = FOUND[flaw]
    (found,) = results(flaw, cases=[BY_ID[name]], authority=certificate_authority)
    assert (found.verdict, found.reason) == (verdict, found.reason), found


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
