"""The lint of the client profile: every wire case says what RFC 9112 lets any client do with it.

A *wire case* is one whose client does no more before the first response than GET a URL, on a
connection made with nothing but host and port, and whose server answers that in clear, without a
silence that only the client's own patience can end.  The families about httplib's own calls are
none of this, whatever their servers play.
"""

import re

import pytest

from conformance.cases import Case, client_case
from conformance.tests.support import EVERY

HTTPLIBS_OWN = {"interface", "connection-state", "requests", "tunnel", "tls"}
NOT_ANSWERED = {"starttls", "tls_fault", "tunnel", "stall", "dispatch"}
NEVER_WHOLE = {
    "interim.101.behind-an-unread-response",
    "interim.101.refused-behind-an-unread-response",
    "limits.then-request.quiet.{fault}",
    "persistence.one-segment.{body}",
    "persistence.response-close-early.{how}",
}
"""Their servers wait for a second request in the middle of the first answer: to wait is right."""
BETWEEN_REQUESTS = {
    "persistence.408-in-the-content",
    "persistence.ends-in-the-content.{method}.{end}",
    "persistence.leftover-content.{status}",
    "persistence.never-sent-again.{method}.{end}",
    "persistence.one-of-two.{end}",
}
"""They are about the second request; `session.*` asks other clients the same."""


def is_plain_get(case: Case) -> bool:
    new, *calls = [op.message for op in case.ops]
    arguments = new.get("kwargs", {})
    if new.get("call") != "HTTPConnection" or arguments not in ({}, {"strict": False}):
        return False
    names = [message.get("call") for message in calls]
    if "getresponse" not in names:
        return False
    before = [one for one in calls[: names.index("getresponse")] if one["on"] == "conn"]
    return [
        (one.get("call"), one.get("args", [])[:1], len(one.get("args", []))) for one in before
    ] == [("request", ["GET"], 2)]


def is_answered(case: Case) -> bool:
    if case.script.listener.mode != "accept" or not case.script.connections:
        return False
    names = [step.step_name for step in case.script.connections[0].steps]
    return names[:1] == ["read_request"] and not NOT_ANSWERED & set(names)


def is_wire(case: Case) -> bool:
    own = case.family in HTTPLIBS_OWN or case.authored in NEVER_WHOLE | BETWEEN_REQUESTS
    return not own and is_plain_get(case) and is_answered(case)


WIRE = [case for case in EVERY if is_wire(case)]
PROFILE = [case for case in EVERY if case.fetch is not None]


def test_there_are_wire_cases() -> None:
    assert len(WIRE) > 2_000


def test_every_wire_case_says_what_a_client_may_do() -> None:
    assert not [case.id for case in WIRE if case.fetch is None]


def test_what_a_client_may_do_rests_on_a_section() -> None:
    silent = [case.id for case in PROFILE if case.fetch is not None and not case.fetch.rfc]
    assert not silent
    sections = {section for case in PROFILE if case.fetch for section in case.fetch.rfc}
    odd = {one for one in sections if not re.fullmatch(r"\d{4}(#[0-9A-Z]+(\.\d+)*)?", one)}
    assert not odd


def test_a_client_needs_a_feature_for_tls_and_for_a_tunnel() -> None:
    for case in PROFILE:
        asked = client_case(case)
        names = {step.step_name for one in asked.script.connections for step in one.steps}
        needed = "connect" if "tunnel" in names else "tls" if "starttls" in names else ""
        assert asked.needs >= {needed} - {""}, case.id


@pytest.mark.parametrize("strength", ["must", "should", "may"])
def test_every_strength_is_used(strength: str) -> None:
    assert any(case.fetch is not None and case.fetch.strength == strength for case in PROFILE)
