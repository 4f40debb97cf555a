"""Conformance: the documented interface: names, constants, arguments, and what `msg` offers."""

from conformance.plugin import WireCase

FAMILY = "interface"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
