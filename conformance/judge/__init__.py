"""The judge: a pure function from a case and an observation to a verdict.

In: a `Case`, the `Observation` of one run of it, and the features that the driver declared.  Out: a
`Judgement`. It opens nothing, waits for nothing and knows no implementation by name.
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
