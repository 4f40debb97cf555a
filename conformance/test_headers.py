"""Conformance: the header block, and which of its content must be kept."""

from conformance.plugin import WireCase

FAMILY = "headers"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
