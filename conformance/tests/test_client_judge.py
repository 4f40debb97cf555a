"""The judge of the client profile, on observations written by hand."""

from typing import Any

import pytest

from conformance.cases import Case, CaseError, client_case, client_cases
from conformance.cases.casefile import load_text
from conformance.judge import Observation, Verdict, judge, late_entry
from conformance.judge.client import did_of
from conformance.results.golden.stable import Connection

ACCEPT = '{ accept = { status = 200, reason = "OK", body = "hello", headers = { X-Name = "1" } } }'
FRAMING = '{ reject = ["bad-framing", "truncated-body"] }'


def case(expect: str, strength: str = "must") -> Case:
    text = f"""
family = "framing"
[[case]]
id = "a.b"
title = "A title"
level = "observe"
spec = ["HTTPResponse.read"]
rfc = ["9112#6.3"]
why = "why"
respond = ""
[case.fetch]
strength = "{strength}"
expect = [{expect}]
"""
    (loaded,) = load_text(text, "x.toml")
    return client_case(loaded)


def response(**different: Any) -> dict[str, Any]:
    value = {
        "type": "response",
        "status": 200,
        "reason": "OK",
        "headers": [["x-name", "1"], ["X-Other", "2"]],
        "body": "hello",
        **different,
    }
    return {"id": "fetch", "value": value}


def refusal(category: str | None) -> dict[str, Any]:
    error = {"class": "client.Error", "bases": [], "attributes": {}, "message": "no"}
    return {"id": "fetch", "error": error if category is None else {**error, "category": category}}


GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"


def connected(*requests: bytes, received: bytes | None = None) -> Connection:
    return Connection(requests, b"".join(requests) if received is None else received)


def observed(entry: dict[str, Any], *connections: Connection, **more: Any) -> Observation:
    return Observation({"fetch": entry}, "127.0.0.1", 1, connections or (connected(GET),), **more)


def verdict(one: Case, entry: dict[str, Any], error_map: dict[str, str] | None = None) -> Verdict:
    seen = observed(entry)
    return judge(one, seen, error_map=error_map).verdict


@pytest.mark.parametrize(
    ("expect", "entry", "must"),
    [
        (ACCEPT, response(), Verdict.PASS),
        (ACCEPT, response(reason=None, headers=None), Verdict.PASS),
        (ACCEPT, response(status=None), Verdict.PASS),
        (ACCEPT, response(headers=[["X-NAME", "1"]]), Verdict.PASS),
        (ACCEPT, response(body="hel"), Verdict.WRONG_VALUE),
        (ACCEPT, response(body="hello!"), Verdict.WRONG_VALUE),
        (ACCEPT, response(body=""), Verdict.WRONG_VALUE),
        (ACCEPT, response(status=404), Verdict.WRONG_VALUE),
        (ACCEPT, response(reason=""), Verdict.WRONG_VALUE),
        (ACCEPT, response(headers=[]), Verdict.WRONG_VALUE),
        (ACCEPT, response(headers=[["X-Name", "1"], ["X-Name", "1"]]), Verdict.WRONG_VALUE),
        (ACCEPT, {"id": "fetch", "skipped": True}, Verdict.WRONG_VALUE),
        (ACCEPT, {"id": "fetch", "value": "hello"}, Verdict.WRONG_VALUE),
        (ACCEPT, refusal("bad-framing"), Verdict.FALSE_ERROR),
        (ACCEPT, refusal(None), Verdict.FALSE_ERROR),
        ('"reject"', refusal("bad-framing"), Verdict.PASS),
        ('"reject"', refusal("timeout"), Verdict.PASS),
        ('"reject"', refusal(None), Verdict.PASS),
        ('"reject"', response(), Verdict.NO_ERROR),
        (FRAMING, refusal("truncated-body"), Verdict.PASS),
        (FRAMING, refusal("bad-header"), Verdict.WRONG_ERROR),
        (FRAMING, refusal("timeout"), Verdict.WRONG_ERROR),
        (FRAMING, refusal(None), Verdict.PASS),
        (FRAMING, response(), Verdict.NO_ERROR),
        (f'"reject", {ACCEPT}', response(), Verdict.PASS),
        (f'"reject", {ACCEPT}', refusal("bad-header"), Verdict.PASS),
        (f'"reject", {ACCEPT}', response(body="hel"), Verdict.WRONG_VALUE),
        (f'{ACCEPT}, {{ accept = {{ body = "hel" }} }}', response(body="hel"), Verdict.PASS),
    ],
)
def test_only_a_must_fails(expect: str, entry: dict[str, Any], must: Verdict) -> None:
    assert verdict(case(expect), entry) == must
    for strength in ("should", "may"):
        softer = Verdict.PASS if must is Verdict.PASS else Verdict.TOLERATED
        assert verdict(case(expect, strength), entry) == softer


@pytest.mark.parametrize("strength", ["must", "should", "may"])
def test_no_strength_lets_an_exception_leak(strength: str) -> None:
    assert verdict(case('"reject"', strength), refusal("leak")) == Verdict.LEAK
    assert verdict(case(ACCEPT, strength), refusal("leak")) == Verdict.LEAK


@pytest.mark.parametrize("entry", [refusal("timeout"), late_entry("fetch", "the kit gave up")])
def test_an_answer_that_is_late_is_judged_with_the_strength_of_the_case(
    entry: dict[str, Any],
) -> None:
    assert verdict(case(ACCEPT, "must"), entry) == Verdict.HANG
    for strength in ("should", "may"):
        judgement = judge(case(ACCEPT, strength), observed(entry))
        assert judgement.verdict == Verdict.TOLERATED
        assert judgement.basis == f"{strength} 9112#6.3"
        assert judgement.mismatch is not None
        assert judgement.mismatch.verdict == Verdict.HANG
    for expect in ('"reject"', '{ reject = "timeout" }', f'"reject", {ACCEPT}'):
        assert verdict(case(expect, "must"), entry) == Verdict.PASS
    assert did_of(entry) == "rejects (timeout)"


def test_what_is_tolerated_is_shown_with_strength_and_section() -> None:
    seen = observed(response())
    judgement = judge(case('"reject"', "should"), seen)
    assert judgement.basis == "should 9112#6.3"
    assert judgement.mismatch is not None
    assert judgement.mismatch.seen == "accepts status 200, reason 'OK', body 'hello'"
    assert judgement.accepted == ("rejects",)


def test_what_is_told_is_the_difference_from_the_nearest_of_several_responses() -> None:
    far, near = "{ accept = { status = 500 } }", '{ accept = { status = 200, body = "hell" } }'
    for expect in (f"{far}, {near}", f"{near}, {far}"):
        seen = observed(response())
        judgement = judge(case(expect), seen)
        assert judgement.mismatch is not None
        assert judgement.mismatch.expected == "body 'hell'"


def test_a_map_of_errors_wins_over_the_word_of_the_driver() -> None:
    one = case('{ reject = "bad-header" }')
    assert verdict(one, refusal("leak"), {"client.Error": "bad-header"}) == Verdict.PASS
    assert verdict(one, refusal("bad-header"), {"client.Error": "leak"}) == Verdict.LEAK


def test_a_folded_field_may_hold_any_number_of_blanks() -> None:
    one = case('{ accept = { headers = { x-name = { matches = "a +b" } } } }')
    assert verdict(one, response(headers=[["x-name", "a   b"]])) == Verdict.PASS
    assert verdict(one, response(headers=[["x-name", "a\r\n b"]])) == Verdict.WRONG_VALUE


def test_a_field_is_expected_once() -> None:
    with pytest.raises(CaseError, match=r"expect\[0\].accept.headers: two names differ in nothing"):
        case('{ accept = { headers = { x-name = "1", X-Name = "1" } } }')


def test_a_fault_of_the_server_is_nobodys_failure() -> None:
    seen = Observation(trace={"fetch": response()}, host="h", port=1, faults=("broken",))
    assert judge(case(ACCEPT), seen).verdict == Verdict.HARNESS_ERROR


def test_a_body_is_shown_as_bytes_and_not_as_letters() -> None:
    found = judge(case('{ accept = { body = "\u00fc" } }'), observed(response(body="\xda\x00")))
    assert found.mismatch is not None
    assert found.mismatch.expected == r"body '\xfc'"
    assert found.mismatch.seen.endswith(r"body '\xda\x00'")


def test_what_a_client_did_is_told_in_a_word_or_two() -> None:
    assert did_of(response()) == "accepts"
    assert did_of(refusal("bad-header")) == "rejects (bad-header)"
    assert did_of(refusal(None)) == "rejects"


SCRIPTED = """
family = "framing"
[[case]]
id = "a.b"
title = "A title"
level = "observe"
spec = ["HTTPResponse.read"]
why = "why"
connections = [
  [ { read_request = {} }, { send = "first" }, { read_request = {} }, { send = "second" } ],
  [ { read_request = {} }, { send = "third" } ],
]
[case.fetch]
strength = "must"
expect = ["reject"]
[[case]]
id = "a.c"
title = "Another title"
level = "observe"
spec = ["HTTPResponse.read"]
why = "why"
respond = ""
"""


def test_a_client_meets_the_answer_to_its_first_request_however_often_it_asks() -> None:
    (one,) = client_cases(load_text(SCRIPTED, "x.toml"))
    (connection,) = one.script.connections
    assert [step.step_name for step in connection.steps] == ["read_request", "send"]
    assert connection.optional
    assert connection.times == 10
    assert [op.id for op in one.ops] == ["fetch"]
    assert client_case(one) is one


def test_a_case_that_says_nothing_of_clients_is_none_for_them() -> None:
    _, silent = load_text(SCRIPTED, "x.toml")
    with pytest.raises(ValueError, match=r"a\.c has no expectation"):
        client_case(silent)


REFUSED = case('"reject"', "must")
TAKEN = case(ACCEPT, "must")
IDLE = connected(received=b"")


@pytest.mark.parametrize("entry", [refusal("no-response"), response()])
@pytest.mark.parametrize("one", [REFUSED, TAKEN])
@pytest.mark.parametrize(
    "connections",
    [[], [IDLE], [connected(received=b"GET / HT")], [connected(received=b"\x16\x03\x01")]],
    ids=["none", "idle", "half a request", "TLS"],
)
def test_without_a_whole_request_there_is_no_verdict_on_the_client(
    one: Case, entry: dict[str, Any], connections: list[Connection]
) -> None:
    seen = Observation({"fetch": entry}, "127.0.0.1", 1, tuple(connections))
    found = judge(one, seen)
    assert found.verdict is Verdict.DRIVER_ERROR
    assert "came, where the script needs a" in found.faults[0]


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (GET.replace(b"GET", b"DELETE"), "method 'DELETE'"),
        (GET.replace(b"GET", b"get"), "method 'get'"),
        (GET.replace(b"GET /", b"GET /other"), "target '/other'"),
        (GET.replace(b"GET /", b"GET http://elsewhere/"), "target 'http://elsewhere/'"),
        (GET.replace(b"127.0.0.1:1", b"example.org"), "Host: example.org"),
        (GET.replace(b"127.0.0.1:1", b"127.0.0.1"), "Host: 127.0.0.1 came"),
        (GET.replace(b"Host: 127.0.0.1:1\r\n", b""), "Host: none"),
        (GET.replace(b"\r\n\r\n", b"\r\nHost: b\r\n\r\n"), "Host: 127.0.0.1:1, b"),
    ],
)
def test_what_arrives_is_the_request_that_was_asked_for(request_: bytes, problem: str) -> None:
    for one, entry in ((TAKEN, response()), (REFUSED, refusal("no-response"))):
        found = judge(one, observed(entry, connected(GET, request_)))
        assert found.verdict is Verdict.WRONG_VALUE
        assert found.mismatch is not None
        assert problem in found.mismatch.seen


@pytest.mark.parametrize(
    "request_",
    [
        GET.replace(b"GET /", b"GET http://127.0.0.1:1/"),
        GET.replace(b"Host", b"hOsT"),
        b"\r\n" + GET,
        b"GET / HTTP/1.0\r\n\r\n",
        GET.replace(b"\r\n\r\n", b"\r\nX-Host: b\r\n\r\n"),
    ],
)
def test_a_request_may_have_any_form_that_the_rfc_allows(request_: bytes) -> None:
    assert judge(TAKEN, observed(response(), connected(request_))).verdict is Verdict.PASS


def test_a_client_may_ask_again_and_opens_no_connection_for_nothing() -> None:
    twice = observed(refusal("no-response"), connected(GET), connected(GET))
    assert judge(REFUSED, twice).verdict is Verdict.PASS
    idle = observed(refusal("no-response"), IDLE, connected(GET))
    assert judge(REFUSED, idle).verdict is Verdict.WRONG_CONNECTION
    for entry, verdict in ((response(), "WRONG_CONNECTION"), (refusal("bad-header"), "PASS")):
        after = observed(entry, connected(GET), IDLE)
        assert judge(case(f'{ACCEPT}, "reject"'), after).verdict == verdict
    beyond = observed(refusal("no-response"), unexpected=1)
    assert judge(REFUSED, beyond).verdict is Verdict.WRONG_CONNECTION


def test_a_client_that_reports_nothing_of_a_response_has_not_taken_it() -> None:
    silent = response(status=None, reason=None, headers=None, body=None)
    for one in (TAKEN, REFUSED, case(ACCEPT, "may")):
        assert judge(one, observed(silent)).verdict is Verdict.DRIVER_ERROR
    assert judge(TAKEN, observed(response(status=None))).verdict is Verdict.PASS


OPEN = SCRIPTED.replace(', { read_request = {} }, { send = "second" }', "{more}")
WAITING = 'strength = "must"\nmay_wait = true'


@pytest.mark.parametrize(
    ("strength", "more", "end"),
    [
        ('strength = "must"', "", "send"),
        (WAITING, "", "close"),
        (WAITING, ", { read_request = {} }", "close"),
        (WAITING, ", { stall = {} }", "close"),
        (WAITING, ', { shutdown = "write" }, { read_eof = {} }', "shutdown"),
        (WAITING, ', { close = "rst" }', "close"),
    ],
)
def test_where_a_client_may_wait_the_server_ends_what_the_script_leaves_open(
    strength: str, more: str, end: str
) -> None:
    text = OPEN.replace("{more}", more).replace('strength = "must"', strength)
    (one,) = client_cases(load_text(text, "x.toml"))
    assert one.script.connections[0].steps[-1].step_name == end


def test_only_a_case_in_which_a_client_may_refuse_can_let_it_wait() -> None:
    text = SCRIPTED.replace('strength = "must"', WAITING).replace(
        'expect = ["reject"]', "expect = [{ accept = {} }]"
    )
    with pytest.raises(CaseError, match="`expect` must contain reject"):
        load_text(text, "x.toml")
