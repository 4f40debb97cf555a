"""No verdict without a question: a case is met only by requests that have arrived."""

import sys
from dataclasses import replace
from typing import Any

import pytest

from conformance.cases import Case
from conformance.cases.casefile import load_text
from conformance.judge import Judgement, Observation, Verdict, judge
from conformance.results.golden.stable import Connection
from conformance.run.performed import Performed

HEAD = """
family = "framing"
[[case]]
id = "a.b"
title = "A title"
level = "precedent"
spec = ["HTTPResponse.read"]
why = "why"
"""
RESPOND = 'respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"\n'
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"
NOTHING = {"value": None}
MADE = {"value": {"type": "object", "class": "m.C", "bases": []}}
HELLO = {"value": {"type": "bytes", "value": "hello"}}


def case(rest: str = '[[case.outcome]]\nread = "hello"', script: str = RESPOND) -> Case:
    (loaded,) = load_text(HEAD + script + rest, "x.toml")
    return loaded


def error(name: str, *bases: str) -> dict[str, Any]:
    kind = {"class": name, "bases": [*bases, "builtins.Exception"]}
    return {"error": {**kind, "message": "it failed", "attributes": {}}}


def connection(*requests: bytes, **more: Any) -> Connection:
    return Connection(requests, b"".join(requests), **more)


def judged(
    one: Case,
    *connections: Connection,
    foreign: bool = False,
    **entries: dict[str, Any],
) -> Judgement:
    usual = {"new": MADE, "request": NOTHING, "getresponse": MADE, "read": HELLO}
    facts: dict[str, Any] = {**usual, "isclosed": {"value": True}, **entries}
    trace = {op.id: {"id": op.id, **facts.get(op.id, NOTHING)} for op in one.ops}
    return judge(one, Observation(trace, "127.0.0.1", 1, connections), foreign=foreign)


def test_what_was_asked_for_can_be_met() -> None:
    assert judged(case(), connection(GET)).verdict is Verdict.PASS
    assert judged(case(), connection(GET), foreign=True).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("connections", "verdict"),
    [
        ([], Verdict.WRONG_CONNECTION),
        ([connection()], Verdict.WRONG_VALUE),
        ([Connection((), b"GET / HTTP/1.1\r\nHo")], Verdict.WRONG_VALUE),
    ],
    ids=["never connects", "sends nothing", "sends half a request"],
)
def test_a_request_that_is_claimed_and_never_came_fails(
    connections: list[Connection], verdict: Verdict
) -> None:
    assert judged(case(), *connections).verdict is verdict
    assert judged(case(), *connections, foreign=True).verdict is Verdict.DRIVER_ERROR
    observed = replace(case(), level="observe")
    assert judged(observed, *connections).verdict is verdict


@pytest.mark.parametrize(
    "request_", [GET.replace(b"GET", b"DELETE"), GET.replace(b"/ H", b"/x H"), b"GET /\r\n\r\n"]
)
def test_another_request_than_the_one_that_was_asked_for_fails(request_: bytes) -> None:
    for foreign in (False, True):
        found = judged(case(), connection(request_), foreign=foreign)
        assert found.verdict is Verdict.WRONG_VALUE
        assert found.mismatch is not None
        assert found.mismatch.expected == "GET /"


def test_a_request_that_nobody_asked_for_fails() -> None:
    assert judged(case(), connection(GET, GET)).verdict is Verdict.WRONG_VALUE


def test_every_request_of_the_script_has_to_come() -> None:
    exchange = (
        '{ read_request = {} }, { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n" }'
    )
    ops = """ops = [
        { call = "request", args = ["GET", "/1"] }, { call = "getresponse" },
        { call = "request", args = ["GET", "/2"], id = "r2" }, { call = "getresponse", id = "g2" },
    ]
    """
    one = case(f"{ops}[[case.outcome]]", f"connections = [[{exchange}, {exchange}]]\n")
    first, second = (GET.replace(b"/ H", b"/%d H" % number) for number in (1, 2))
    assert judged(one, connection(first, second), g2=MADE).verdict is Verdict.PASS
    assert judged(one, connection(first), g2=MADE).verdict is Verdict.WRONG_VALUE
    assert judged(one, connection(first), g2=MADE, foreign=True).verdict is Verdict.WRONG_VALUE


REFUSED = '[[case.outcome]]\nrequest = { raises = "InvalidURL" }'
INVALID = error("m.InvalidURL", "m.HTTPException")
SKIPPED = {"getresponse": error("m.ResponseNotReady", "m.HTTPException")}


def test_a_call_that_refuses_its_arguments_needs_no_request() -> None:
    one = case(f"ops = [{{ call = \"request\", args = ['GET', '/ x'] }}]\n{REFUSED}")
    for foreign in (False, True):
        assert judged(one, request=INVALID, foreign=foreign).verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["builtins.OSError", "builtins.TimeoutError", "ssl.SSLError"])
def test_an_error_of_sockets_needs_a_connection(name: str) -> None:
    ops = 'ops = [{ call = "request", args = ["GET", "/"] }]\n'
    raises = name.rpartition(".")[2]
    one = case(f'{ops}[[case.outcome]]\nrequest = {{ raises = "{raises}" }}')
    failed = error(name, *(["builtins.OSError"] if raises != "OSError" else []))
    assert judged(one, connection(), request=failed).verdict is Verdict.PASS
    assert judged(one, request=failed).verdict is Verdict.WRONG_CONNECTION
    assert judged(one, request=failed, foreign=True).verdict is Verdict.DRIVER_ERROR
    said = case(
        f'{ops}[[case.outcome]]\nrequest = {{ raises = "{raises}" }}\nwire = {{ connections = 0 }}'
    )
    assert judged(said, request=failed, foreign=True).verdict is Verdict.PASS


@pytest.mark.parametrize("mode", ["refuse", "accept_rst", "connect_stall"])
def test_where_no_connection_can_be_established_none_is_needed(mode: str) -> None:
    server = f'connections = []\nserver = {{ listener = "{mode}" }}\n'
    ops = 'ops = [{ call = "request", args = ["GET", "/"] }]\n'
    one = case(f'{ops}[[case.outcome]]\nrequest = {{ raises = "OSError" }}', server)
    failed = error("builtins.ConnectionRefusedError", "builtins.OSError")
    assert judged(one, request=failed, foreign=True).verdict is Verdict.PASS


def test_a_failed_handshake_can_lose_a_request() -> None:
    broken = Connection((), b"", tls="failed: no certificate")
    ops = 'ops = [{ call = "request", args = ["GET", "/"] }]\n'
    steps = 'connections = [[{ starttls = {} }, { read_request = {} }, { close = "fin" }]]\n'
    one = case(f"{ops}[[case.outcome]]", steps)
    assert judged(one, broken).verdict is Verdict.PASS
    assert judged(one, replace(broken, tls="TLSv1.3")).verdict is Verdict.WRONG_VALUE


def test_a_case_that_fails_anyway_keeps_its_verdict() -> None:
    short = {"value": {"type": "bytes", "value": "hell"}}
    assert judged(case(), read=short).verdict is Verdict.WRONG_VALUE
    half = Connection((), b"GET / HT")
    assert judged(case(), half, read=short, foreign=True).verdict is Verdict.WRONG_VALUE
    assert judged(case(), read=short, foreign=True).verdict is Verdict.DRIVER_ERROR


def test_a_driver_supports_what_it_has_performed() -> None:
    performed = Performed()
    body = '[{ call = "request", args = ["POST", "/", { open = "x" }] }, { get = "sock" }]'
    plain = case()
    opened = case(f"ops = {body}\n[[case.outcome]]")
    performed.note(plain.ops, [{"id": op.id, **NOTHING} for op in plain.ops])
    assert all(map(performed.has, plain.ops))
    assert [performed.has(op) for op in opened.ops] == [True, False, False]
    last = {"id": "sock", "skipped": True}
    performed.note(opened.ops, [*({"id": op.id, **NOTHING} for op in opened.ops[:-1]), last])
    assert [performed.has(op) for op in opened.ops] == [True, True, False]


def test_ops_that_were_performed_are_not_kept() -> None:
    """They contain every body that a case sends."""
    performed, one, other = Performed(), case().ops, case("ops = []\n[[case.outcome]]").ops
    before = sys.getrefcount(one)
    performed.note(one, [{"id": op.id, **NOTHING} for op in one])
    performed.note(other, [{"id": op.id, **NOTHING} for op in other])
    assert sys.getrefcount(one) == before
