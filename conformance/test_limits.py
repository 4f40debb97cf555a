"""Conformance: limits on lines, counts and lengths."""

from conformance.plugin import WireCase

FAMILY = "limits"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
