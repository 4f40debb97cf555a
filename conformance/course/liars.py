"""Liars: the reference with one fault, for which a student writes the case that unmasks it.

A liar is a pattern and its replacement: the reference then reads other bytes than the server sends.
That is the same as a server that sends these bytes, so the lie is a pure function from case to
case, and the case that the student wrote is played twice: as it is, and misread.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import msgspec

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.course.stages import read_data
from conformance.drivers import OURS, target
from conformance.judge import FAILURES, OK, Verdict
from conformance.results import Result
from conformance.run import Runner
from mockserver import Close, Connection, Reply, Route, Send, Step, WritingStep, pieces_of

P = TypeVar("P", Connection, Route)


class _Lie(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept from the student.

    Args:
        pattern: a regular expression for bytes that the server sends, one character for each.
        instead: its replacement.
        told: the lie, in a sentence.
    """

    pattern: str
    instead: str
    told: str


class Liar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reference with one fault.

    Args:
        about: a question that says where to look.
        lie: the fault, in base64.
    """

    about: str
    lie: str

    @property
    def told(self) -> str:
        """The lie, in a sentence."""
        return self._lie.told

    @property
    def _lie(self) -> _Lie:
        return msgspec.json.decode(base64.b64decode(self.lie), type=_Lie)

    def misread(self, case: Case) -> Case:
        """Return *case* with the bytes that the liar reads; the rest is unchanged."""
        lie = self._lie
        pattern, instead = lie.pattern.encode("latin-1"), lie.instead.encode("latin-1")

        def changed(octets: bytes) -> bytes:
            return re.sub(pattern, instead, octets)

        played = case.script
        script = replace(
            played,
            connections=tuple(_with(one, changed) for one in played.connections),
            routes=tuple(_with(one, changed) for one in played.routes),
        )
        return replace(case, script=script)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    liar: list[Liar]


@cache
def load_liars() -> list[Liar]:
    """Return the liars, in their order.

    Raises:
        CourseError: the file does not conform to the format.
    """
    return read_data("liars.toml", _File).liar


def _with(part: P, changed: Callable[[bytes], bytes]) -> P:
    return replace(part, steps=tuple(_steps(part.steps, changed)))


def _steps(steps: Sequence[Step], changed: Callable[[bytes], bytes]) -> Iterator[Step]:
    """Yield *steps*; what is written without a pause is one piece, if the liar misreads it."""
    run: list[Step] = []
    for step in (*steps, None):
        if isinstance(step, WritingStep):
            run.append(step)
            continue
        octets = b"".join(piece.data for piece in pieces_of(*run))
        if changed(octets) == octets:
            yield from run
        else:
            yield Send(changed(octets))
            if isinstance(run[-1], Reply) and run[-1].framing == "close":
                yield Close()
        run = []
        if step is not None:
            yield step


@dataclass(frozen=True, slots=True)
class Unmasking:
    """What a case shows about a liar.

    Args:
        case: the case.
        true: what the reference does.
        lied: what the liar does.
    """

    case: Case
    true: Result
    lied: Result

    @property
    def is_right(self) -> bool:
        """Whether the reference passes the case."""
        return self.true.verdict in OK and self.true.verdict != Verdict.INFO

    @property
    def unmasks(self) -> bool:
        """Whether the reference passes the case and the liar fails it."""
        return self.is_right and self.lied.verdict in FAILURES


def unmaskings(liar: Liar, cases: Sequence[Case]) -> Iterator[Unmasking]:
    """Yield what each of *cases* shows about *liar*."""
    with Runner(target(OURS), CertificateAuthority(), tolerant=False, thorough=True) as runner:
        for case in cases:
            yield Unmasking(case, runner.run_case(case), runner.run_case(liar.misread(case)))
