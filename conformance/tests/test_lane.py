"""What a lane makes of a trace and a record, and of cases that it can play only in part."""

import re

from certs import CertificateAuthority
from conformance.cases.casefile import load_text
from conformance.drivers import target
from conformance.judge import Verdict
from conformance.results import Result
from conformance.run import Runner
from conformance.run.observed import observation_of
from mockserver import ConnectionRecord, Record

AUTHORITY = CertificateAuthority()
ADDRESS = ("127.0.0.1", 4711)
CASE = """
family = "framing"
[[case]]
id = "lane.case"
title = "A case that is played"
level = "documented"
spec = ["HTTPResponse.read"]
why = "Something is seen of it."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
[[case.outcome]]
read = "hello"
"""
KEPT = "[{ read_request = {} }, { reply = 200 }]"


def run(text: str) -> Result:
    (case,) = load_text(text, "test.toml")
    with Runner(target("httplib_impl"), AUTHORITY) as runner:
        return runner.run_case(case)


def test_every_fact_of_a_record_is_seen() -> None:
    connection = ConnectionRecord(after="kept", left=3)
    record = Record((connection,), refused_extra=2, problems=("late",), errors=("broken",))
    seen = observation_of([{"id": "new", "value": None}], record, ADDRESS)
    assert seen.trace == {"new": {"id": "new", "value": None}}
    assert (seen.host, seen.port) == ADDRESS
    assert seen.connections == (connection,)
    assert (seen.unexpected, seen.problems, seen.faults) == (2, ("late",), ("broken",))


def test_of_a_runtime_that_reads_ahead_it_is_not_seen_what_became_of_a_connection() -> None:
    record = Record((ConnectionRecord(after="kept", left=3, source="127.0.0.1"),))
    (blind,) = observation_of([], record, ADDRESS, blind=True).connections
    assert (blind.after, blind.left, blind.source) == (None, None, "127.0.0.1")


def test_a_connection_beyond_the_script_fails_a_case() -> None:
    assert run(CASE).verdict == Verdict.PASS
    more = 'ops = [{ call = "connect" }, { call = "connect", id = "again" }]\n'
    result = run(CASE.replace("[[case.outcome]]\nread", more + "[[case.outcome]]\n#"))
    assert result.verdict == Verdict.WRONG_CONNECTION


def test_what_a_client_leaves_undone_fails_a_case() -> None:
    scripted = CASE.replace("respond =", "connections = [[{ expect_eof = {} }]]\nops = []\n#")
    result = run(scripted.replace("read =", "#"))
    assert result.verdict == Verdict.PASS  # nobody came, so nobody failed to close
    connected = scripted.replace("ops = []", 'ops = [{ call = "send", args = ["x"] }]')
    assert run(connected.replace("read =", "#")).verdict == Verdict.WRONG_CONNECTION


TOLERATED = """[[case.outcome]]
read = "other"
[[case.outcome]]
grade = "tolerated"
basis = "precedent"
read = "hello"
"""


def test_what_is_tolerated_is_so_for_all_but_the_reference() -> None:
    (case,) = load_text(CASE.partition("[[case.outcome]]")[0] + TOLERATED, "test.toml")
    verdicts = []
    for tolerant in (None, False, True):
        with Runner(target("httplib_impl"), AUTHORITY, tolerant=tolerant) as runner:
            verdicts.append(runner.run_case(case).verdict)
    assert verdicts == [Verdict.WRONG_VALUE, Verdict.WRONG_VALUE, Verdict.TOLERATED]


def test_an_error_of_the_kit_costs_one_verdict() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("in the kit")

    (case,) = load_text(CASE, "test.toml")
    with Runner(target("httplib_impl"), AUTHORITY, witness=fail) as runner:
        results = [runner.run_case(case) for _ in range(2)]
    assert [result.verdict for result in results] == [Verdict.HARNESS_ERROR] * 2
    assert results[0].reason == "ZeroDivisionError: in the kit"


def test_an_error_map_is_asked_for_what_an_exception_is() -> None:
    cut = CASE.replace("Content-Length: 5", "Content-Length: 9")
    (case,) = load_text(cut.replace('"hello"\n', '{ raises = "BadStatusLine" }\n'), "test.toml")
    mapped = {"httplib_impl._exceptions.IncompleteRead": "BadStatusLine"}
    verdicts = []
    for error_map in ({}, mapped):
        with Runner(target("httplib_impl"), AUTHORITY, error_map) as runner:
            verdicts.append(runner.run_case(case).verdict)
    assert verdicts == [Verdict.WRONG_ERROR, Verdict.PASS]


def test_a_result_tells_no_port() -> None:
    result = run(CASE.replace('read = "hello"', 'wire = { request = ["GET / HTTP/1.1"] }'))
    assert result.verdict == Verdict.WRONG_VALUE
    told = repr(result)
    assert "Host: 127.0.0.1" in told
    assert not re.search(r"127\.0\.0\.1:\d", told)
