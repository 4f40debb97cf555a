"""Looks for responses over which implementations disagree.

The input is two or more implementations, started, and bounds.  The output is findings, one for
each kind of difference: the shortest response that shows it, which rules of RFC 9112 it breaks,
and what each implementation did.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.hunt.deeds import Deed, deeds_of, fact
    from conformance.hunt.hunter import Finding, Hunter, case_of, mended, short_responses
    from conformance.hunt.kinds import Drawn, Kind, Signature, kind_of, signature_of
    from conformance.hunt.parts import at_fault, parts_of

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "deeds": "Deed deeds_of fact",
            "parts": "at_fault parts_of",
            "hunter": "Finding Hunter case_of mended short_responses",
            "kinds": "Drawn Kind Signature kind_of signature_of",
        },
    )
