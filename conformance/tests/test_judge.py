"""The judge: hand-made observations, and the verdict that each must get."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from conformance.cases import Case
from conformance.cases.casefile import load_text
from conformance.cases.names import DOCUMENTED, met_by
from conformance.judge import Observation, Verdict, judge
from conformance.judge.forms import error_names
from conformance.results.result import result_of

PYTHON_2 = frozenset({"lowercase-names"})


def case_with(outcome: str, level: str = "documented", extra: str = "") -> Case:
    """Return a case with the default ops and these outcomes."""
    (case,) = load_text(
        f"""
family = "framing"
[[case]]
id = "judge.case"
title = "A case"
level = "{level}"
spec = ["HTTPResponse.read"]
why = "To be judged."
respond = "x"
{extra}
[[case.outcome]]
{outcome}
""",
        "test.toml",
    )
    return case


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "value": value}


def octets(value: str) -> dict[str, Any]:
    return {"type": "bytes", "value": value}


def raised(name: str, *bases: str, **attributes: Any) -> dict[str, Any]:
    error: dict[str, Any] = {
        "class": name,
        "bases": [*bases, "builtins.Exception"],
        "attributes": attributes,
    }
    return {"error": {**error, "message": "so it is"}}


INCOMPLETE = raised(
    "httplib.IncompleteRead", "httplib.HTTPException", partial=octets("hel"), expected=2
)


@dataclass(frozen=True)
class Seen:
    """A connection as somebody else than the mock server might report it."""

    requests: tuple[bytes, ...] = (b"GET / HTTP/1.1\r\n\r\n",)
    received: bytes = b""
    unread: bytes = b""
    tls: str | None = None
    after: str | None = "closed"
    left: int | None = 0
    source: str = "127.0.0.1"
    source_port: int = 4711


CONNECTION = Seen()


def observed(read: dict[str, Any], **changes: Any) -> Observation:
    """Return an observation in which ``read`` came to this, and everything else went well."""
    entries: dict[str, dict[str, Any]] = {
        "new": {"value": {"type": "object", "class": "httplib.HTTPConnection", "bases": []}},
        "request": {"value": None},
        "getresponse": {"value": {"type": "object", "class": "httplib.HTTPResponse", "bases": []}},
        "read": read,
        "isclosed": {"value": True},
    }
    trace = {key: {"id": key, **entry} for key, entry in entries.items()}
    plain = Observation(trace, "127.0.0.1", 4711, connections=(CONNECTION,))
    return replace(plain, **changes)


HELLO = {"value": octets("hello")}


def verdict(outcome: str, observation: Observation, **kwargs: Any) -> Verdict:
    return judge(case_with(outcome), observation, **kwargs).verdict


def test_an_accepted_value_passes() -> None:
    assert verdict('read = "hello"', observed(HELLO)) is Verdict.PASS


def test_another_value_is_a_wrong_value() -> None:
    assert verdict('read = "hell"', observed(HELLO)) is Verdict.WRONG_VALUE


def test_text_for_a_body_is_a_wrong_value_in_python_3_only() -> None:
    seen = observed({"value": text("hello")})
    assert verdict('read = "hello"', seen) is Verdict.WRONG_VALUE
    assert verdict('read = "hello"', seen, features=PYTHON_2) is Verdict.PASS


def test_a_boolean_is_no_number() -> None:
    assert verdict("isclosed = 1", observed(HELLO)) is Verdict.WRONG_VALUE


def test_an_error_that_must_come_passes() -> None:
    outcome = 'read = { raises = "IncompleteRead", partial = "hel", expected = 2 }'
    assert verdict(outcome, observed(INCOMPLETE)) is Verdict.PASS


def test_an_attribute_that_differs_is_a_wrong_error() -> None:
    outcome = 'read = { raises = "IncompleteRead", partial = "he" }'
    assert verdict(outcome, observed(INCOMPLETE)) is Verdict.WRONG_ERROR


def test_an_attribute_that_is_missing_is_a_wrong_error() -> None:
    outcome = 'read = { raises = "IncompleteRead", line = "x" }'
    assert verdict(outcome, observed(INCOMPLETE)) is Verdict.WRONG_ERROR


@pytest.mark.parametrize(
    "other",
    [
        raised("httplib.HTTPException"),
        raised("httplib.BadStatusLine", "httplib.HTTPException", line=text("x")),
        raised("httplib.LineTooLong", "httplib.HTTPException"),
        raised("builtins.OSError"),
    ],
)
def test_another_error_of_the_module_or_of_sockets_is_a_wrong_error(other: dict[str, Any]) -> None:
    assert verdict('read = { raises = "IncompleteRead" }', observed(other)) is Verdict.WRONG_ERROR


def test_each_of_several_classes_will_do() -> None:
    outcome = 'read = { raises = ["BadStatusLine", "IncompleteRead"] }'
    assert verdict(outcome, observed(INCOMPLETE)) is Verdict.PASS
    assert verdict(outcome, observed(HELLO)) is Verdict.NO_ERROR


def test_the_text_of_an_error_is_compared_where_it_is_given() -> None:
    outcome = 'read = { raises = "IncompleteRead", message = "so it is" }'
    assert verdict(outcome, observed(INCOMPLETE)) is Verdict.PASS
    assert verdict(outcome.replace("so it", "it"), observed(INCOMPLETE)) is Verdict.WRONG_ERROR


def test_a_value_where_an_error_must_come_is_no_error() -> None:
    assert verdict('read = { raises = "IncompleteRead" }', observed(HELLO)) is Verdict.NO_ERROR


def test_an_error_where_none_is_named_is_a_false_error() -> None:
    assert verdict("isclosed = true", observed(INCOMPLETE)) is Verdict.FALSE_ERROR


def test_an_error_from_outside_is_a_leak_wherever_it_comes() -> None:
    seen = observed(raised("builtins.ValueError"))
    assert verdict('read = "hello"', seen) is Verdict.LEAK
    assert verdict('read = { raises = "IncompleteRead" }', seen) is Verdict.LEAK


def test_an_error_from_outside_that_an_outcome_names_is_no_leak() -> None:
    seen = observed(raised("builtins.ValueError"))
    assert verdict('read = { raises = "ValueError" }', seen) is Verdict.PASS


def test_a_leak_comes_before_an_earlier_difference() -> None:
    seen = observed(raised("builtins.ValueError"))
    assert verdict('getresponse = { raises = "BadStatusLine" }', seen) is Verdict.LEAK


def test_anything_is_anything() -> None:
    assert verdict("read = { any = true }", observed(raised("builtins.ValueError"))) is Verdict.PASS


def test_an_expected_op_that_was_skipped_is_a_wrong_value() -> None:
    assert verdict('read = "hello"', observed({"skipped": True})) is Verdict.WRONG_VALUE


def test_an_op_that_must_raise_and_was_skipped_is_a_wrong_value() -> None:
    outcome = 'read = { raises = "IncompleteRead" }'
    assert verdict(outcome, observed({"skipped": True})) is Verdict.WRONG_VALUE


def test_an_op_that_nobody_names_may_be_skipped() -> None:
    assert verdict("isclosed = true", observed({"skipped": True})) is Verdict.PASS


def test_the_first_outcome_that_matches_decides() -> None:
    outcome = """read = "x"
[[case.outcome]]
grade = "tolerated"
basis = "precedent"
read = "hello"
[[case.outcome]]
read = "hello"
"""
    judgement = judge(case_with(outcome), observed(HELLO))
    assert judgement.verdict is Verdict.TOLERATED
    assert judgement.basis == "precedent"


def test_an_outcome_that_was_excluded_before_is_shown_at_its_own_difference() -> None:
    case = case_with("read = 'y'\n[[case.outcome]]\nread = 'x'\nwire = { after = ['kept'] }")
    judgement = judge(case, observed({"value": octets("x")}), PYTHON_2)
    assert judgement.mismatch is not None
    assert judgement.mismatch.where == "after"
    assert judgement.accepted == ("['kept']", "'y' (at read)")


def test_every_accepted_outcome_is_told_at_the_place_of_the_difference() -> None:
    outcome = """read = "x"
[[case.outcome]]
grade = "tolerated"
basis = "precedent"
read = { raises = "IncompleteRead", partial = "" }
"""
    judgement = judge(case_with(outcome), observed(HELLO))
    assert judgement.accepted == ("'x'", "IncompleteRead with partial '' (tolerated: precedent)")
    assert judgement.mismatch is not None
    assert judgement.mismatch.seen == "'hello'"


def test_what_is_told_is_the_difference_from_the_outcome_that_was_followed_farthest() -> None:
    outcome = """getresponse = { raises = "BadStatusLine" }
[[case.outcome]]
read = "x"
[[case.outcome]]
getresponse = "y"
"""
    judgement = judge(case_with(outcome), observed(HELLO))
    assert judgement.mismatch is not None
    assert judgement.mismatch.where == "read"
    assert judgement.mismatch.expected == "'x'"


def test_an_observed_case_is_never_judged() -> None:
    case = case_with("isclosed = false", level="observe")
    assert judge(case, observed(HELLO)).verdict is Verdict.INFO


def test_a_fault_of_the_server_is_an_error_of_the_harness() -> None:
    assert verdict('read = "hello"', observed(HELLO, faults=("boom",))) is Verdict.HARNESS_ERROR


def test_a_request_is_compared_octet_by_octet() -> None:
    outcome = 'wire = { request = ["GET / HTTP/1.1\\r\\n\\r\\n"] }'
    assert verdict(outcome, observed(HELLO)) is Verdict.PASS
    assert verdict(outcome.replace("GET", "PUT"), observed(HELLO)) is Verdict.WRONG_VALUE


def test_an_op_and_a_fact_of_the_wire_with_the_same_name_are_kept_apart() -> None:
    case = case_with('wire = { request = ["PUT / HTTP/1.1\\r\\n\\r\\n"] }')
    assert "request" in {op.id for op in case.ops}
    judgement = judge(case, observed(HELLO))
    assert judgement.accepted == (r"[b'PUT / HTTP/1.1\r\n\r\n']",)
    assert result_of(case, judgement).call == ""


def test_all_that_came_on_a_connection_is_compared_octet_by_octet() -> None:
    seen = observed(HELLO, connections=(replace(CONNECTION, received=b"GET"),))
    assert verdict('wire = { received = ["GET"] }', seen) is Verdict.PASS
    assert verdict('wire = { received = ["PUT"] }', seen) is Verdict.WRONG_VALUE
    assert verdict('wire = { received = ["GET", ""] }', seen) is Verdict.WRONG_VALUE


def test_a_missing_request_is_a_wrong_value() -> None:
    assert verdict('wire = { request = ["a", "b"] }', observed(HELLO)) is Verdict.WRONG_VALUE


@pytest.mark.parametrize(
    "wire", ["connections = 2", 'after = ["kept"]', "left = [1]", 'source = ["127.0.0.2"]']
)
def test_a_connection_that_differs_is_a_wrong_connection(wire: str) -> None:
    assert verdict(f"wire = {{ {wire} }}", observed(HELLO)) is Verdict.WRONG_CONNECTION


@pytest.mark.parametrize(
    ("port", "found"), [(4711, Verdict.PASS), (4712, Verdict.WRONG_CONNECTION)]
)
def test_the_port_of_a_source_is_compared_where_it_is_named(port: int, found: Verdict) -> None:
    outcome = 'wire = { source = [["127.0.0.1:", { address = "port" }]] }'
    assert verdict(outcome, replace(observed(HELLO), port=port)) is found
    assert verdict(outcome.replace(".0.1", ".0.2"), observed(HELLO)) is Verdict.WRONG_CONNECTION
    assert verdict('wire = { source = ["127.0.0.1"] }', observed(HELLO)) is Verdict.PASS


def test_a_connection_beyond_the_script_is_a_wrong_connection() -> None:
    assert verdict('read = "hello"', observed(HELLO, unexpected=1)) is Verdict.WRONG_CONNECTION


def test_a_step_that_the_client_did_not_meet_is_a_wrong_connection() -> None:
    seen = observed(HELLO, problems=("connection 1, step 2 (expect_eof): a reset",))
    judgement = judge(case_with('read = "hello"'), seen)
    assert judgement.verdict is Verdict.WRONG_CONNECTION
    assert judgement.mismatch is not None
    assert "expect_eof" in judgement.mismatch.seen


def test_what_could_not_be_seen_is_not_compared() -> None:
    blind = replace(CONNECTION, left=None, after=None)
    seen = observed(HELLO, connections=(blind,))
    assert verdict('wire = { left = [3], after = ["kept"] }', seen) is Verdict.PASS


def test_an_outcome_for_a_setting_comes_before_the_others() -> None:
    outcome = """read = "hello"
[[case.outcome]]
when = { read_style = ["read(7)"] }
read = "hell"
"""
    case = case_with(outcome)
    assert judge(case, observed(HELLO)).verdict is Verdict.PASS
    varied = replace(case, setting={"read_style": "read(7)"})
    assert judge(varied, observed({"value": octets("hell")})).verdict is Verdict.PASS


def test_names_of_header_fields_are_folded_where_the_driver_keeps_their_case() -> None:
    ops = 'ops = [{ call = "getheaders", on = "conn", id = "read" }]'
    case = case_with('read = [{ tuple = ["x-a", "1"] }]', extra=ops)
    pair = {"type": "tuple", "value": [text("X-A"), text("1")]}
    trace: dict[str, dict[str, Any]] = {
        "new": {"id": "new", "value": None},
        "read": {"id": "read", "value": [pair]},
    }
    seen = Observation(trace, "127.0.0.1", 1)
    assert judge(case, seen, frozenset({"python3"})).verdict is Verdict.PASS
    assert (
        judge(case, seen, frozenset({"python3", "lowercase-names"})).verdict is Verdict.WRONG_VALUE
    )


@pytest.mark.parametrize(
    ("native", "bases", "known"),
    [
        (
            "http.client.RemoteDisconnected",
            ["builtins.OSError", "http.client.BadStatusLine", "http.client.HTTPException"],
            ("OSError", "BadStatusLine", "HTTPException"),
        ),
        ("mine.BadStatusLine", ["builtins.ValueError"], ("ValueError",)),
        ("socket.timeout", ["socket.error", "exceptions.IOError"], ("TimeoutError", "OSError")),
        ("ssl.SSLError", ["socket.error"], ("SSLError", "OSError")),
        ("ssl.CertificateError", ["exceptions.ValueError"], ("SSLError", "ValueError")),
        (
            "builtins.UnicodeEncodeError",
            ["builtins.UnicodeError", "builtins.ValueError"],
            ("UnicodeEncodeError", "ValueError"),
        ),
        ("mine.ValueError", [], ()),
        ("builtins.HTTPException", [], ()),
    ],
)
def test_native_exceptions_go_by_known_names(
    native: str, bases: list[str], known: tuple[str, ...]
) -> None:
    assert error_names({"class": native, "bases": bases}, {}) == known


@pytest.mark.parametrize("order", [1, -1])
def test_exported_names_are_given_nearest_first(order: int) -> None:
    exported = ["HTTPException", "ImproperConnectionState", "CannotSendRequest"][::order]
    error = {"class": "httplib.CannotSendRequest", "bases": [], "exported": exported}
    nearest_first = ("CannotSendRequest", "ImproperConnectionState", "HTTPException")
    assert error_names(error, {}) == nearest_first


def test_an_error_map_comes_before_the_rules() -> None:
    error = {"class": "mine.Broken", "bases": ["builtins.ValueError"]}
    names = error_names(error, {"mine.Broken": "BadStatusLine"})
    assert names == ("BadStatusLine", "HTTPException", "Exception", "ValueError")
    late = {"class": "socket.timeout", "bases": ["socket.error"]}
    assert error_names(late, {"socket.timeout": "BadStatusLine"})[0] == "BadStatusLine"


def test_an_undocumented_subclass_is_as_good_as_the_class() -> None:
    assert met_by("HTTPException", ["LineTooLong", "HTTPException"])


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if name != "HTTPException"])
def test_a_documented_subclass_is_another_class(name: str) -> None:
    assert not met_by("HTTPException", [name, "HTTPException"])


def test_a_base_class_does_not_do() -> None:
    assert not met_by("ResponseNotReady", ["ImproperConnectionState", "HTTPException"])


def test_a_timeout_is_no_plain_oserror() -> None:
    assert not met_by("OSError", ["TimeoutError", "OSError"])


def test_there_are_twelve_documented_exceptions() -> None:
    assert len(DOCUMENTED) == 12


def test_without_tolerance_only_outcomes_graded_pass_count() -> None:
    outcome = """read = "x"
[[case.outcome]]
grade = "tolerated"
basis = "precedent"
read = "hello"
"""
    judgement = judge(case_with(outcome), observed(HELLO), tolerant=False)
    assert judgement.verdict is Verdict.WRONG_VALUE
    assert judgement.accepted == ("'x'",)


def test_a_documented_class_is_not_a_built_in_one_beside_it() -> None:
    assert not met_by("ValueError", ["InvalidURL", "HTTPException", "ValueError"])
    assert not met_by("OSError", ["OSError", "BadStatusLine", "HTTPException"])
    assert met_by("BadStatusLine", ["OSError", "BadStatusLine", "HTTPException"])


def test_octets_behind_the_named_requests_are_a_wrong_value() -> None:
    outcome = 'wire = { request = ["GET / HTTP/1.1\\r\\n\\r\\n"] }'
    seen = observed(HELLO, connections=(replace(CONNECTION, unread=b"\r\n"),))
    assert verdict(outcome, seen) is Verdict.WRONG_VALUE
    assert verdict('read = "hello"', seen) is Verdict.PASS


def test_what_a_tls_client_sends_where_no_tls_is_spoken_is_nobodys_to_name() -> None:
    case = case_with("wire = { request = [] }", extra='new = { call = "HTTPSConnection" }')
    plain = replace(CONNECTION, requests=(), unread=b"\x16\x03")
    seen = observed({"skipped": True}, connections=(plain,))
    assert judge(case, seen).verdict is Verdict.PASS
    encrypted = observed({"skipped": True}, connections=(replace(plain, tls="TLSv1.3"),))
    assert judge(case, encrypted).verdict is Verdict.WRONG_VALUE


def test_a_setting_without_an_outcome_is_an_error_of_the_harness() -> None:
    case = replace(case_with('read = "hello"'), outcomes=())
    assert judge(case, observed(HELLO)).verdict is Verdict.HARNESS_ERROR
