"""The verdicts, in their order of precedence, and what a judgement contains besides the verdict."""

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """The result of a case; a verdict that is defined earlier takes precedence over a later one."""

    HARNESS_ERROR = "HARNESS_ERROR"
    DRIVER_ERROR = "DRIVER_ERROR"
    NOT_INSTALLED = "NOT_INSTALLED"
    UNSUPPORTED = "UNSUPPORTED"
    NOT_RUN = "NOT_RUN"
    CRASH = "CRASH"
    HANG = "HANG"
    PASS = "PASS"
    TOLERATED = "TOLERATED"
    INFO = "INFO"
    REPLAYED = "REPLAYED"
    LEAK = "LEAK"
    WRONG_ERROR = "WRONG_ERROR"
    NO_ERROR = "NO_ERROR"
    FALSE_ERROR = "FALSE_ERROR"
    WRONG_VALUE = "WRONG_VALUE"
    WRONG_CONNECTION = "WRONG_CONNECTION"


ERRORS = frozenset({Verdict.HARNESS_ERROR, Verdict.DRIVER_ERROR})
"""Verdicts that mean a fault of the kit or of the driver, not of the client."""
NOT_RUN = ERRORS | {Verdict.NOT_INSTALLED, Verdict.UNSUPPORTED, Verdict.NOT_RUN}
OK = frozenset({Verdict.PASS, Verdict.TOLERATED, Verdict.INFO})
FAILURES = frozenset(Verdict) - NOT_RUN - OK


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first difference between an observation and an outcome.

    Args:
        verdict: the verdict for such a difference.
        where: the id of the op, or the key of ``wire``.
        position: how many ops had matched before.
        expected: what the outcome accepts here, as text.
        seen: what was seen, as text.
        on_wire: whether *where* is a key of ``wire``; an op may have the same name.
    """

    verdict: Verdict
    where: str
    position: int
    expected: str
    seen: str
    on_wire: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reasons.

    Args:
        verdict: the verdict.
        basis: why the outcome is tolerated; empty for every other verdict.
        mismatch: the difference from the nearest accepted outcome; None where one matched.
        accepted: what each accepted outcome states about the place of the mismatch.
        faults: why no verdict on the client is possible.
        level: the level of the part that failed, where it differs from the level of the case.
    """

    verdict: Verdict
    basis: str = ""
    mismatch: Mismatch | None = None
    accepted: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    level: str = ""
