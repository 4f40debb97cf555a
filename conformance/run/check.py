"""The check of one implementation: the one object that the command and the plugin use.

In: an implementation, cases, and what a baseline lists.  Out: results, each with its overlay and
what its second runs say, with the bytes of its case, and reduced to the smallest setting that
fails.  Cases first, side by side where that is wanted; then, when nothing else runs any more, what
was not expected once more (`triage`).

What was measured is in `results` at any moment, whatever ends the run.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import Identity, Implementation
from conformance.drivers.factory import apart
from conformance.run.background import Background
from conformance.run.deadlines import DEADLINE
from conformance.run.overlay import Listing, is_unexpected
from conformance.run.parallel import Runners
from conformance.run.performed import Performed
from conformance.run.processor import OneProcessor
from conformance.run.reduction import reduced
from conformance.run.results import Result
from conformance.run.runner import Runner
from conformance.run.triage import Doubts

Shown = Callable[[Iterable[Result]], Iterator[Result]]


class Check:
    """Runs cases against one implementation.

    Args:
        target: the implementation, which is started at once.
        authority: the certificate authority; by default a new one.
        error_map: native exception names to known ones.
        jobs: how many cases are run at a time.
        exit_first: whether the first result that is not fine is the last one.
        tolerant: whether outcomes graded tolerated count; for the reference they never do.
        deadline: seconds without progress after which a case is late.

    Attributes:
        identity: who is being judged.
        listing: what a baseline lists; None for no baseline.
        results: those so far, in the order of the cases.

    Raises:
        DriverError: the implementation cannot be started, or completes no well-formed exchange.
    """

    def __init__(
        self,
        target: Implementation,
        authority: CertificateAuthority | None = None,
        error_map: Mapping[str, str] | None = None,
        *,
        jobs: int = 1,
        exit_first: bool = False,
        tolerant: bool = True,
        deadline: float = DEADLINE,
    ) -> None:
        self._target = target
        self._authority = authority or CertificateAuthority()
        self._error_map = error_map
        self._jobs = jobs
        self._exit_first = exit_first
        self._tolerant = tolerant and not target.is_reference
        self._deadline = deadline
        self._performed = Performed()
        self._crew: Runners | None = self._started()
        self._crew.examine()
        self._known: dict[str, Case] = {}
        self._find: Callable[[str], Case] = self._known.__getitem__
        self._doubts = Doubts(self._apart, lambda name: self._find(name), self._over)
        self.identity: Identity = self._crew.identity
        self.listing: Listing | None = None
        self.results: list[Result] = []

    def __enter__(self) -> "Check":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was started."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()
        self._doubts.close()

    def _started(self) -> Runners:
        target = self._target if self._jobs == 1 else apart(self._target)
        return Runners(lambda: self._runner(target), self._jobs)

    def _apart(self) -> Runner:
        return self._runner(apart(self._target), thorough=True)

    def _runner(self, target: Implementation, *, thorough: bool = False) -> Runner:
        return Runner(
            target,
            self._authority,
            self._error_map,
            self._deadline,
            tolerant=self._tolerant,
            thorough=thorough,
            performed=self._performed,
        )

    def _over(self, result: Result) -> Result:
        return result if self.listing is None else self.listing.told(result)

    def run(self, cases: Sequence[Case], shown: Shown = iter) -> None:
        """Run *cases*; their results are then in `results`.

        Args:
            cases: what is to be run.
            shown: gets the results as they are measured, before the second runs, and yields them;
                it may report how far the run is.
        """
        self._find = getattr(cases, "named", None) or {one.name: one for one in cases}.__getitem__
        done = 0
        while done < len(cases):
            crew, self._crew = self._crew or self._started(), None
            try:
                self._measure(crew, cases[done:], shown)
            except BaseException:  # an interrupt as well: what was measured is kept
                self.results += map(self._over, crew.early)
                raise
            finally:
                crew.close()
            self._settle(crew, done)
            done = len(self.results)
            if self._exit_first and _stops(self.results[-1]):
                return

    def _measure(self, crew: Runners, cases: Sequence[Case], shown: Shown) -> None:
        """Take the results of *cases*, or of as many as it takes to find one to look at."""
        alone = self._jobs == 1 and apart(self._target) is not self._target
        with OneProcessor() if alone else contextlib.nullcontext() as processor:
            for result in shown(map(self._over, crew.run(cases))):
                self.results.append(result)
                if processor:
                    processor.look()
                if self._exit_first and _stops(result):
                    return

    def _settle(self, crew: Runners, done: int) -> None:
        """Settle the doubts about the results from the one at *done* on."""
        for index in range(done, len(self.results)):
            result = self.results[index]
            if is_unexpected(result):
                line = crew.line(result.name)
                self.results[index] = self._doubts.settled(result, line)

    def run_case(self, case: Case, background: Background) -> Result:
        """Return the result of *case*, settled, with its background.

        Args:
            case: the case.
            background: what the corpus says about it.
        """
        crew = self._crew = self._crew or self._started()
        self._known[case.name] = case
        result = self._over(crew.run_case(case))
        if is_unexpected(result):
            result = self._doubts.settled(result, crew.line(result.name))
        (result,) = background.told([result])
        return result

    def finished(self, background: Background) -> list[Result]:
        """Return the results so far with their background, each failure reduced."""
        return list(reduced(background.told(self.results)))


def _stops(result: Result) -> bool:
    """Tell whether a run that ends at the first failure ends here."""
    return result.is_error or is_unexpected(result)
