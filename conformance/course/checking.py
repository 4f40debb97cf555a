"""The check of one stage: its cases on a client, and what the stage asks for beyond a verdict.

The input is a stage, its cases and an implementation.  The output is a `Checked`.  A failure is run
again at once, and counts only if it fails again: a student's machine is busy.  Where a client
hangs, dies or answers what cannot be read, each case takes seconds and shows the same: after two of
them the rest of the stage is not run.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.course.progress import CourseError
from conformance.course.stages import reported, taught
from conformance.drivers import EXEC, Identity, Implementation
from conformance.judge import ERRORS, NOT_RUN, OK, Observation, Verdict, is_late
from conformance.results import Result
from conformance.run import Runner

_MOST_LOST = 2
_LOST = ERRORS | {Verdict.HANG, Verdict.CRASH}
_UNABLE = NOT_RUN - ERRORS
_FINE = OK | _UNABLE


@dataclass
class Checked:
    """What a client did in one stage.

    Args:
        number: that of the stage, from 1.
        identity: the client.
        results: a result for each case that was run.
        unreached: how many cases were not run.
    """

    number: int
    identity: Identity
    results: list[Result] = field(default_factory=list)
    unreached: int = 0

    @property
    def failed(self) -> list[Result]:
        """The results that fail the stage."""
        return [one for one in self.results if one.verdict not in _FINE]

    @property
    def unsupported(self) -> list[Result]:
        """The results of cases that ask for what the client does not have."""
        return [one for one in self.results if one.verdict in _UNABLE]

    @property
    def count(self) -> int:
        """How many cases passed."""
        return len(self.results) - len(self.failed) - len(self.unsupported)

    @property
    def passes(self) -> bool:
        """Whether the stage is passed: all cases that it can run, and one at least."""
        return bool(self.count) and not self.failed and not self.unreached


class Course:
    """Runs stages on one client, which is started once.

    Args:
        one: the implementation.

    Raises:
        CourseError: it is judged as an httplib.
        DriverError: it cannot be started.
    """

    def __init__(self, one: Implementation) -> None:
        self._seen: Observation | None = None
        # A client of the kit reports what its interface has; a driver program can report all.
        self._reports = one.written.startswith(EXEC)
        self._runner = Runner(one, CertificateAuthority(), thorough=True, witness=self._note)
        if not self.identity.is_client:
            self._runner.close()
            how = f"write client:httplib:{one.written}"
            raise CourseError(f"{one.written} has the interface of httplib: {how}")

    @property
    def identity(self) -> Identity:
        """The client."""
        return self._runner.identity

    def close(self) -> None:
        """End the client."""
        self._runner.close()

    def check(self, number: int, cases: Iterable[Case], *, first: bool = False) -> Checked:
        """Run *cases* of the stage with this *number*; with *first* up to the first failure."""
        found = Checked(number, self.identity)
        waiting, lost = iter(cases), 0
        for case in waiting:
            if self._reports:
                case = taught(case, number)
            result = self._result(case, number)
            if result.verdict not in _FINE and not self._is_lost(result):
                again = self._result(case, number)
                result = again if again.verdict in OK else result
            found.results.append(result)
            lost += self._is_lost(result)
            if lost == _MOST_LOST or (first and found.failed):
                break
        found.unreached = sum(1 for _ in waiting)
        return found

    def _note(self, _: Case, seen: Observation) -> None:
        self._seen = seen

    def _result(self, case: Case, number: int) -> Result:
        self._seen = None
        result = self._runner.run_case(case)
        missing = reported(number) - self._parts(number) if self._reports else frozenset()
        if result.verdict in OK and missing:
            return msgspec.structs.replace(
                result,
                verdict=Verdict.WRONG_VALUE,
                reason=f"the response of your client has no {' and no '.join(sorted(missing))}, "
                "which it returns from this stage on",
            )
        return result

    def _is_lost(self, result: Result) -> bool:
        entries = self._seen.trace.values() if self._seen else ()
        return result.verdict in _LOST or any(map(is_late, entries))

    def _parts(self, number: int) -> frozenset[str]:
        """Return the parts that every response of the latest case has."""
        entries = self._seen.trace.values() if self._seen else ()
        values: list[Any] = [one["value"] for one in entries if "value" in one]
        found = [{part for part, value in one.items() if value is not None} for one in values]
        return reported(number).intersection(*found)


@contextlib.contextmanager
def checked(one: Implementation) -> Iterator[Course]:
    """Yield the course of a client, which ends with the block."""
    course = Course(one)
    try:
        yield course
    finally:
        course.close()
