"""The judge: a pure function from a case and an observation to a verdict.

`judge` and `judge_fetch` take a `Case`, the `Observation` of one run of it, and, for the profile
``httplib``, the features that the driver declared. They return a `Judgement`. The judge opens no
file or socket, does not wait, and treats every implementation alike.
"""

from conformance.judge.judge import judge
from conformance.judge.observation import ConnectionFacts, Observation
from conformance.judge.verdicts import FAILURES, Judgement, Mismatch, Verdict

__all__ = [
    "FAILURES",
    "ConnectionFacts",
    "Judgement",
    "Mismatch",
    "Observation",
    "Verdict",
    "judge",
]
