"""Conformance: requests on the wire, byte by byte."""

from conformance.plugin import WireCase

FAMILY = "requests"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
