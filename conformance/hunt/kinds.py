"""What differs, and when two differences are one kind.

The input is a drawn response, and what implementations did with it.  The output is a `Signature`,
which needs nothing else, and a `Kind`, for a response that was reduced.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from conformance.cases import rules_broken
from conformance.hunt.deeds import Deed
from conformance.hunt.parts import FIELD_LINE, at_fault, shape

_SHORT = "ends early"
_ENDINGS = frozenset(
    f"raises {name}"
    for name in ("IncompleteRead", "OSError", "TimeoutError", "ConnectionResetError")
)
_NONE, _ENDS = Deed(""), ("hangs", "crashes")


class Drawn(NamedTuple):
    """A response, as bytes, and how the connection ends: ``fin``, ``rst`` or ``open``."""

    octets: bytes
    end: str


class Signature(NamedTuple):
    """How implementations differ over one response, as far as that shows without shrinking.

    Args:
        rules: the names of the rules of RFC 9112 that the response breaks; empty if well-formed.
        call: the first call, or part of the response, with different results.
        kinds: what it resulted in, for each implementation.
        alike: for each implementation, the first one with the same result.
    """

    rules: tuple[str, ...]
    call: str
    kinds: tuple[str, ...]
    alike: tuple[int, ...]

    def covers(self, other: "Signature") -> bool:
        """Return whether *other* is this difference, if it also breaks further rules."""
        return self[1:] == other[1:] and set(self.rules) <= set(other.rules)

    def replaces(self, other: "Signature", is_noise: bool) -> bool:
        """Return whether this may stand for *other*; after noise is removed, by another rule."""
        fewer = is_noise and len(self.rules) <= len(other.rules)
        return self.covers(other) or (fewer and self[1:] == other[1:])


class Kind(NamedTuple):
    """What makes a difference another one.

    Args:
        part: the part of the response that is at fault: nothing differs if it is plain.
        rules: the rules that this part breaks.
        shape: the form of this part, if it breaks none.
        call: the first call, or part of the response, with different results.
        results: for each implementation, the kind of its result; all that a short body leads to
            are one.
        alike: for each implementation, the first one with the same result.
    """

    part: str
    rules: tuple[str, ...]
    shape: bytes
    call: str
    results: tuple[str, ...]
    alike: tuple[int, ...]

    def covers(self, other: "Kind") -> bool:
        """Return whether *other* is this kind, or only another detail of the same refusal."""
        rules = set(self.rules) <= set(other.rules) if self.rules else not other.rules
        place = (self.part, self.shape, self.call) == (other.part, other.shape, other.call)
        return rules and place and (self[4:] == other[4:] or {*other.results} == {_SHORT})


def kind_of(drawn: Drawn, signature: Signature) -> Kind:
    """Return the kind of a difference, of which *drawn* is the plainest response."""
    octets, end = drawn
    results = tuple(_SHORT if kind in _ENDINGS else kind for kind in signature.kinds)
    place = (signature.call, results, signature.alike)
    if (part := at_fault(octets)) is not None:
        rules = _fewer(signature, rules_broken(next(part.mended(octets)), end))
        name = FIELD_LINE if "headers" in signature.call and part.is_field else part.name
        return Kind(name, rules, b"" if rules else shape(part.of(octets)), *place)
    rules = _fewer(signature, rules_broken(octets, "fin"))
    return Kind("" if end == "fin" else "end of the connection", rules, b"", *place)


def _fewer(signature: Signature, rules: Sequence[str]) -> tuple[str, ...]:
    return tuple(rule for rule in signature.rules if rule not in rules)


def signature_of(rules: tuple[str, ...], every: Sequence[Mapping[str, Deed]]) -> Signature | None:
    """Return how implementations differ; None if they do the same.

    Args:
        rules: the names of the rules that the response breaks.
        every: what each implementation did.
    """
    calls = dict.fromkeys(call for one in every for call in one)
    # One that has not ended has done nothing that others could have done too.
    ended = [call for call in calls if any(one.get(call, _NONE).kind in _ENDS for one in every)]
    for call in ended or calls:
        done = [one.get(call) for one in every]
        given = [one for one in done if one is not None]
        if len(set(map(repr, given))) > 1 or (ended and None in done):
            kinds = tuple("" if one is None else one.kind for one in done)
            return Signature(rules, call, kinds, tuple(map(done.index, done)))
    return None
