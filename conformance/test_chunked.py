"""Conformance: the chunked transfer coding, each production well-formed and malformed."""

from conformance.plugin import WireCase

FAMILY = "chunked"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
