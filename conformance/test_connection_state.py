"""Conformance: every call in every connection state."""

from conformance.plugin import WireCase

FAMILY = "connection-state"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
