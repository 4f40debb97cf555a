"""Conformance: which connections are kept, and what may be left over on them."""

from conformance.plugin import WireCase

FAMILY = "persistence"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
