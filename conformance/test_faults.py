"""Conformance: resets, early ends, timeouts and refusals."""

from conformance.plugin import WireCase

FAMILY = "faults"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
