"""Conformance: interim responses and 101."""

from conformance.plugin import WireCase

FAMILY = "interim"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
