"""Conformance: status lines, well-formed and malformed, strict and not."""

from conformance.plugin import WireCase

FAMILY = "status-line"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
