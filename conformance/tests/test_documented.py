"""What is judged at the level `documented` is on the page, and the rest at `precedent`."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.cases import Case, documented_part, load_corpus
from conformance.cases.model import Expectation, WireExpectation
from conformance.cases.values import Octets, Scalar
from conformance.judge import Observation, Verdict, judge
from conformance.judge.forms import page_forms
from conformance.report.story import story
from conformance.results.result import RunHead, result_of
from conformance.tests.support import EVERY
from conformance.tests.test_judge import HELLO, Seen, case_with, observed, octets, raised

CORPUS = load_corpus()
DOCUMENTED = [case for case in EVERY if case.level == "documented"]
ON_THE_PAGE = {
    *("HTTPConnection", "HTTPSConnection", "HTTPResponse", "HTTP", "HTTPS"),
    *("request", "getresponse", "set_debuglevel", "set_tunnel", "connect", "close"),
    *("putrequest", "putheader", "endheaders", "send"),
    *("read", "getheader", "getheaders", "msg", "version", "status", "reason"),
    *("responses", "HTTP_PORT", "HTTPS_PORT", "host", "port"),
}
"""The names that the page lists, and the two attributes in which a port and a host are stored."""
OF_A_MESSAGE = {
    *("getallmatchingheaders", "getfirstmatchingheader", "getrawheader", "get", "has_key"),
    *("keys", "items", "values", "headers", "setdefault", "fp", "unixfrom"),
    *("getaddr", "getaddrlist", "getdate", "getdate_tz"),
    *("isheader", "islast", "iscomment", "rewindbody"),
}
"""Documented names of `mimetools.Message`, which the page says that `msg` is, and of its base."""
OF_THE_KIT = {"builtins", "agent"}
BAD_LINE = 'getresponse = { raises = "BadStatusLine", line = "HTTP/1.1 abc OK" }'


def compared(case: Case) -> list[tuple[str, str, Expectation]]:
    """Return receiver, name and expectation of every op that *case* compares."""
    messages = {op.id: op.message for op in case.ops}
    return [
        (
            str(messages[op]["on"]),
            str(messages[op].get("call") or messages[op].get("get") or "item"),
            wanted,
        )
        for outcome in case.outcomes
        for op, wanted in outcome.ops.items()
        if not wanted.anything
    ]


def beyond_the_page(case: Case) -> list[str]:
    """Return what *case* compares that the page does not say."""
    known = ON_THE_PAGE | OF_A_MESSAGE | {"item"}
    found = []
    for receiver, name, wanted in compared(case):
        constant = receiver == "module" and name.isupper()
        if not (receiver in OF_THE_KIT or constant or name in known):
            found.append(name)
        found += wanted.attributes
        value = wanted.value
        if name == "version" and isinstance(value, Scalar) and value.value not in (10, 11):
            found.append(f"version {value.value}")
        if name == "stdout" and wanted.has_value and value != Octets((b"",)):
            found.append("what debugging prints")
    return found


def test_a_documented_case_compares_nothing_that_only_a_precedent_says() -> None:
    found = {case.id: beyond_the_page(documented_part(case)) for case in DOCUMENTED}
    assert not {name: parts for name, parts in found.items() if parts}


def test_documented_cases_hold_what_only_a_precedent_says_beside_it() -> None:
    found = {part for case in DOCUMENTED for part in beyond_the_page(case)}
    assert {"line", "isclosed", "sock", "version 9", "what debugging prints"} <= found


def test_a_state_of_the_connection_counts_only_where_the_page_speaks_of_it() -> None:
    speaking = {"HTTPConnection.connect", "HTTPConnection.close"}
    for case in DOCUMENTED:
        for outcome in documented_part(case).outcomes:
            assert not outcome.exact
            assert outcome.wire.left is None
            if speaking.isdisjoint(case.spec):
                assert (outcome.wire.after, outcome.wire.connections) == (None, None)


def test_what_the_page_says_of_a_connection_stays() -> None:
    closing = next(case for case in DOCUMENTED if case.id == "interface.methods.connect-and-close")
    assert any(outcome.wire.after for outcome in documented_part(closing).outcomes)


def test_a_case_of_another_level_is_compared_whole() -> None:
    other = next(case for case in EVERY if case.level == "guard")
    assert documented_part(other) is other


def test_a_selection_without_precedents_compares_only_what_the_page_says() -> None:
    chosen = CORPUS.select(["status-line.code.letters.off"], ["documented"])
    assert [case.outcomes[0].exact for case in chosen] == [False]
    chosen = CORPUS.select(["status-line.code.letters.off"], ["documented", "precedent"])
    assert [case.outcomes[0].exact for case in chosen] == [True]


def failed_at(case: Case, seen: Observation) -> tuple[Verdict, str]:
    judgement = judge(case, seen)
    assert judgement.verdict not in (Verdict.PASS, Verdict.TOLERATED)
    return judgement.verdict, judgement.level or case.level


def bad_line(**attributes: Any) -> Observation:
    seen = observed({"skipped": True})
    error = raised("httplib.BadStatusLine", "httplib.HTTPException", **attributes)
    trace = dict(seen.trace)
    trace["getresponse"] = {"id": "getresponse", **error}
    trace["isclosed"] = {"id": "isclosed", "skipped": True}
    return replace(seen, trace=trace)


def test_the_right_class_with_another_line_fails_at_precedent() -> None:
    case = case_with(BAD_LINE)
    assert failed_at(case, bad_line(line=octets("abc"))) == (Verdict.WRONG_ERROR, "precedent")
    judged = judge(documented_part(case), bad_line(line=octets("abc")))
    assert judged.verdict is Verdict.PASS


def test_no_error_at_all_fails_at_documented() -> None:
    assert failed_at(case_with(BAD_LINE), observed(HELLO)) == (Verdict.NO_ERROR, "documented")


def test_a_connection_left_open_fails_at_precedent_unless_the_page_speaks_of_it() -> None:
    outcome = 'read = "hello"\nwire = { after = ["kept"] }'
    case, seen = case_with(outcome), observed(HELLO)
    assert failed_at(case, seen) == (Verdict.WRONG_CONNECTION, "precedent")
    speaking = replace(case, spec=("HTTPConnection.close",))
    assert failed_at(speaking, seen) == (Verdict.WRONG_CONNECTION, "documented")


def test_a_wrong_part_of_each_level_fails_at_documented() -> None:
    case = case_with('read = "hello"\nwire = { after = ["kept"] }')
    seen = observed({"value": octets("hell")})
    assert failed_at(case, seen) == (Verdict.WRONG_VALUE, "documented")


def test_an_error_of_a_method_that_is_not_on_the_page_fails_at_precedent() -> None:
    seen = observed(HELLO)
    gone = {"id": "isclosed", **raised("builtins.AttributeError")}
    seen = replace(seen, trace={**seen.trace, "isclosed": gone})
    assert failed_at(case_with('read = "hello"'), seen) == (Verdict.LEAK, "precedent")


def test_a_failure_at_another_level_says_so_in_its_result_and_its_story() -> None:
    case = case_with('read = "hello"\nwire = { after = ["kept"] }')
    result = result_of(case, judge(case, observed(HELLO)))
    assert (result.level, result.case_level) == ("precedent", "documented")
    text = "\n".join(story(result, HEAD))
    assert "[precedent]" in text
    assert "the case is documented; this part of it is precedent" in text


HEAD = RunHead(
    kit="1", corpus="c", implementation="x", name="x", version="1", features=[], label="x"
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\nX-A: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (GET, b"GET / HTTP/1.1\r\nX-A: 1\r\nAccept-Encoding: gzip\r\nHost: a\r\n\r\n"),
        (b"CONNECT a:1 HTTP/1.0\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
        (
            b"CONNECT a:1 HTTP/1.0\r\nA: b\r\n\r\n" + GET,
            b"CONNECT a:1 HTTP/1.1\r\nA: b\r\n\r\n" + GET,
        ),
    ],
)
def test_what_the_page_leaves_open_of_a_request_does_not_count(wanted: bytes, seen: bytes) -> None:
    forms = page_forms([wanted], [seen])
    assert forms[0] == forms[1]


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (GET, GET.replace(b"X-A: 1", b"X-A: 2")),
        (GET, GET.replace(b"Host: a\r\n", b"")),
        (GET, GET.replace(b"GET", b"PUT")),
        (GET, GET.replace(b"HTTP/1.1", b"HTTP/1.0")),
        (GET, GET + b"x"),
        (b"CONNECT a:1 HTTP/1.0\r\n\r\n", b"CONNECT a:2 HTTP/1.0\r\n\r\n"),
        (
            b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
            b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nho",
        ),
        (
            b"PUT / HTTP/1.1\r\nA: b\r\n\tc\r\nContent-Length: 0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nA: b\r\nContent-Length: 0\r\n\tc\r\n\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n",
            b"GET / HTTP/1.1\r\nAccept-Encoding: br\r\n\r\n",
        ),
    ],
)
def test_what_the_page_says_of_a_request_counts(wanted: bytes, seen: bytes) -> None:
    forms = page_forms([wanted], [seen])
    assert forms[0] != forms[1]


def test_the_order_and_the_letter_case_of_getheaders_are_a_precedent() -> None:
    case = case_with(
        'getheaders = [ { tuple = ["a", "1"] }, { tuple = ["b", "2"] } ]',
        extra='ops = [ { call = "getheaders", on = "conn" } ]',
    )
    pairs = [{"type": "tuple", "value": [text(name), text(value)]} for name, value in PAIRS]
    trace: dict[str, dict[str, Any]] = {
        "new": {"id": "new", "value": None},
        "getheaders": {"id": "getheaders", "value": pairs},
    }
    seen = Observation(trace, "127.0.0.1", 4711, connections=(Seen(),))
    assert failed_at(case, seen) == (Verdict.WRONG_VALUE, "precedent")
    trace["getheaders"]["value"] = pairs[:1]
    assert failed_at(case, seen) == (Verdict.WRONG_VALUE, "documented")


PAIRS = (("B", "2"), ("A", "1"))


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "value": value}


def test_nothing_of_a_wire_expectation_is_left_where_the_page_is_silent() -> None:
    fields = set(WireExpectation.__dataclass_fields__)
    assert fields == {"connections", "after", "left", "request", "received", "source"}
