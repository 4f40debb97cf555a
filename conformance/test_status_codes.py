"""Conformance: every documented status code, in each version, with and without reason and body."""

from conformance.plugin import WireCase

FAMILY = "status-codes"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
