"""Sessions: what the format takes, and what the judge says."""

from typing import Any

import pytest

from conformance.cases import Case, CaseError
from conformance.cases.casefile import load_text
from conformance.judge import Observation, Verdict, judge, late_entry
from conformance.results.golden.stable import Connection
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
