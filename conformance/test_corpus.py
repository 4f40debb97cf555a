"""Conformance: every case of the corpus, and of a user's own files, each as an ordinary test."""

from conformance.plugin import WireCase


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
