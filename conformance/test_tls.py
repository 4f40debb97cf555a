"""Conformance: TLS, certificates and handshakes."""

from conformance.plugin import WireCase

FAMILY = "tls"


def test_what_is_seen_is_an_accepted_outcome(wire_case: WireCase) -> None:
    wire_case.check()
