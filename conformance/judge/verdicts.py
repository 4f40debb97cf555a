"""The verdicts, in their order of precedence, and what a judgement says beside one."""

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """What a case came to; a verdict that stands earlier wins over a later one."""

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
    LEAK = "LEAK"
    WRONG_ERROR = "WRONG_ERROR"
    NO_ERROR = "NO_ERROR"
    FALSE_ERROR = "FALSE_ERROR"
    WRONG_VALUE = "WRONG_VALUE"
    WRONG_CONNECTION = "WRONG_CONNECTION"


ERRORS = frozenset({Verdict.HARNESS_ERROR, Verdict.DRIVER_ERROR})
"""The kit's or the driver's own fault."""
NOT_RUN = ERRORS | {Verdict.NOT_INSTALLED, Verdict.UNSUPPORTED, Verdict.NOT_RUN}
OK = frozenset({Verdict.PASS, Verdict.TOLERATED, Verdict.INFO})
FAILURES = frozenset(Verdict) - NOT_RUN - OK


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where an observation leaves an outcome.

    Args:
        verdict: what such a difference is called.
        where: the id of the op, or the key of ``wire``.
        position: how many ops had matched before.
        expected: what the outcome accepts here, as text.
        seen: what was seen, as text.
    """

    verdict: Verdict
    where: str
    position: int
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reasons.

    Args:
        verdict: the verdict.
        basis: why the outcome is tolerated; empty for every other verdict.
        mismatch: where the nearest accepted outcome was left; None where one was met.
        accepted: what each accepted outcome says about the place of the mismatch.
        faults: why nothing could be judged.
        level: the level of the part that failed, where it is not the level of the case.
    """

    verdict: Verdict
    basis: str = ""
    mismatch: Mismatch | None = None
    accepted: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    level: str = ""
