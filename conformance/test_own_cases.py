"""Conformance: a user's own cases, given with ``--httplib-cases``."""

from conformance.plugin import WireCase

OWN = True


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
