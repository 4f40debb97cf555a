"""Conformance: every documented exception: its class, and each way it is raised."""

from conformance.plugin import WireCase

FAMILY = "exceptions"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
