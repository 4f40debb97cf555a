"""Conformance: where a body ends."""

from conformance.plugin import WireCase

FAMILY = "framing"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
