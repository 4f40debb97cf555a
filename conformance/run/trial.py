"""A trial: one implementation, all selected cases, side by side where wanted, doubts settled.

In: an implementation and cases.  Out: results in the order of the cases, with their overlay and
triaged.  Cases first, then, when nothing else runs any more, whatever was not expected once more in
a process of its own.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import Identity, Implementation
from conformance.drivers.factory import apart
from conformance.run.overlay import is_unexpected
from conformance.run.parallel import Runners
from conformance.run.processor import OneProcessor
from conformance.run.results import Result
from conformance.run.runner import DEADLINE, Runner
from conformance.run.triage import triaged

Overlaid = Callable[[Iterable[Result]], Iterable[Result]]
Shown = Callable[[Iterable[Result], int, str], Iterator[Result]]


class Trial:
    """Runs cases against one implementation.

    Args:
        target: the implementation, which is started at once.
        error_map: native exception names to known ones.
        jobs: how many cases are run at a time.
        exit_first: whether the first result that is not fine is the last one.
        tolerant: whether outcomes graded tolerated count; for the reference they never do.
        deadline: seconds without progress after which a case is late.

    Raises:
        DriverError: the implementation cannot be started.
    """

    def __init__(
        self,
        target: Implementation,
        error_map: Mapping[str, str] | None = None,
        *,
        jobs: int = 1,
        exit_first: bool = False,
        tolerant: bool = True,
        deadline: float = DEADLINE,
    ) -> None:
        self._target = target
        self._error_map = error_map
        self._jobs = jobs
        self._exit_first = exit_first
        self._deadline = deadline
        self._tolerant = tolerant and not target.is_reference
        self._runners: Runners | None = self._started()
        self.identity: Identity = self._runners.identity
        """Who is being judged."""

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._runners is not None:
            self._runners.close()

    def _started(self) -> Runners:
        target = self._target if self._jobs == 1 else apart(self._target)
        return Runners(lambda: self._runner(target), self._jobs)

    def _runner(self, target: Implementation, *, thorough: bool = False) -> Runner:
        return Runner(
            target,
            CertificateAuthority(),
            self._error_map,
            self._deadline,
            tolerant=self._tolerant,
            thorough=thorough,
        )

    def run(self, cases: Sequence[Case], over: Overlaid, shown: Shown) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order.

        Args:
            cases: what is to be run.
            over: puts the overlay over results.
            shown: tells a person how far the run is; gets results, their number and a name.
        """
        done = 0
        while done < len(cases):
            batch = self._batch(cases[done:], over, shown)
            done += len(batch)
            results = list(self._settled(batch, cases, over))
            yield from results
            if _stops(results[-1]) and self._exit_first:
                return

    def _batch(self, cases: Sequence[Case], over: Overlaid, shown: Shown) -> list[Result]:
        """Return the results of *cases*, or of as many as one has to look at."""
        runners, self._runners = self._runners or self._started(), None
        batch = []
        alone = self._jobs == 1 and apart(self._target) is not self._target
        with runners, OneProcessor() if alone else contextlib.nullcontext() as processor:
            told = over(runners.run(cases))
            for result in shown(told, len(cases), self.identity.written):
                batch.append(result)
                if processor:
                    processor.look()
                if self._exit_first and _stops(result):
                    break
        return batch

    def _settled(
        self, batch: Sequence[Result], cases: Sequence[Case], over: Overlaid
    ) -> Iterator[Result]:
        """Yield the results of *batch* as they stand after a second run."""
        if not any(map(is_unexpected, batch)):
            yield from batch
            return
        doubted = {result.name for result in batch if is_unexpected(result)}
        named = {case.name: case for case in cases if case.name in doubted}
        with self._runner(self._target, thorough=True) as alone:
            yield from triaged(
                batch, lambda result: next(iter(over([alone.run_case(named[result.name])])))
            )


def _stops(result: Result) -> bool:
    """Tell whether a run that ends at the first failure ends here."""
    if result.again is not None:
        return not result.again.fine
    return result.is_error or is_unexpected(result)
