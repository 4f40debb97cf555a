"""The check of one implementation; the command and the plugin both use this class.

The input is an implementation, cases, and the entries of a baseline.  The output is results, each
with its overlay, the outcome of its second runs, the bytes of its case, and the smallest setting
that fails.  The cases run first, in parallel if requested.  Unexpected results are run again only
after that (`triage`), so that no other case runs at the same time.

The results so far are in `results` at any moment, however the run ends.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import Identity, Implementation, apart
from conformance.judge import FAILURES
from conformance.results import Listing, Result, is_unexpected
from conformance.run.background import Background
from conformance.run.deadlines import DEADLINE
from conformance.run.hangs import Hangs
from conformance.run.parallel import Runners
from conformance.run.performed import Performed
from conformance.run.processor import OneProcessor
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
        exit_first: whether the run ends at the first unexpected result.
        tolerant: whether outcomes graded tolerated are accepted; for the reference they never are.
        deadline: seconds without progress after which a case is late.
        patient: whether each case that hangs gets the whole deadline; if not, one that is where
            others have hung is given up sooner, as NOT_RUN.
        timed: whether results say how long their cases took.

    Attributes:
        identity: the implementation under test.
        listing: the entries of the baseline; None without a baseline.
        results: the results so far, in the order of the cases.

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
        patient: bool = True,
        timed: bool = False,
    ) -> None:
        self._timed = timed
        self._target = target
        self._authority = authority or CertificateAuthority()
        self._error_map = error_map
        self._jobs = jobs
        self._exit_first = exit_first
        self._tolerant = tolerant and not target.is_reference
        self._deadline = deadline
        self._performed = Performed()
        self.unable = self._performed.unable
        self._hangs = None if patient else Hangs()
        self._crew: Runners | None = self._started()
        self._crew.examine()
        self._known: dict[str, Case] = {}
        self._find: Callable[[str], Case] = self._known.__getitem__
        self._doubts = Doubts(
            self._apart, lambda name: self._find(name), self._over, follow=self._following
        )
        self.identity: Identity = self._crew.identity
        self.listing: Listing | None = None
        self.results: list[Result] = []

    def __enter__(self) -> "Check":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the runner and the second runs."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()
        self._doubts.close()

    def _started(self) -> Runners:
        target = self._target if self._jobs == 1 else apart(self._target)
        return Runners(lambda: self._runner(target, self._hangs), self._jobs)

    def _apart(self) -> Runner:
        return self._runner(apart(self._target), thorough=True)

    def _following(self) -> Runner:
        return self._runner(apart(self._target), self._hangs, thorough=True)

    def _runner(
        self, target: Implementation, hangs: Hangs | None = None, *, thorough: bool = False
    ) -> Runner:
        return Runner(
            target,
            self._authority,
            self._error_map,
            self._deadline,
            tolerant=self._tolerant,
            thorough=thorough,
            performed=self._performed,
            hangs=hangs,
            timed=self._timed,
        )

    def _over(self, result: Result) -> Result:
        return result if self.listing is None else self.listing.applied(result)

    def run(
        self,
        cases: Sequence[Case],
        shown: Shown = iter,
        settling: Callable[[int], None] | None = None,
    ) -> None:
        """Run *cases* and store their results in `results`.

        Args:
            cases: the cases to run.
            shown: receives the results as they are measured, before the second runs, and yields
                them again; it may report progress.
            settling: called with the number of unexpected results that have been run again.
        """
        self._find = getattr(cases, "named", None) or {one.name: one for one in cases}.__getitem__
        done = 0
        while done < len(cases):
            crew, self._crew = self._crew or self._started(), None
            try:
                self._measure(crew, cases[done:], shown)
            except BaseException:  # an interrupt as well: the results so far are kept
                self.results += map(self._over, crew.early)
                raise
            finally:
                crew.close()
            self._settle(crew, done, settling)
            done = len(self.results)
            if self._exit_first and _stops(self.results[-1]):
                return

    def _measure(self, crew: Runners, cases: Sequence[Case], shown: Shown) -> None:
        """Collect the results of *cases*, up to the first unexpected one if the run ends there."""
        alone = self._jobs == 1 and apart(self._target) is not self._target
        with OneProcessor() if alone else contextlib.nullcontext() as processor:
            for result in shown(map(self._over, crew.run(cases))):
                self.results.append(result)
                if processor:
                    processor.look()
                if self._exit_first and _stops(result):
                    return

    def _settle(self, crew: Runners, done: int, settling: Callable[[int], None] | None) -> None:
        """Run unexpected results again, starting with the result at index *done*."""
        count = 0
        for index in range(done, len(self.results)):
            result = self.results[index]
            if is_unexpected(result):
                line = crew.line(result.name)
                self.results[index] = self._doubts.settled(result, line)
                count += 1
                if settling is not None:
                    settling(count)

    def run_case(self, case: Case, background: Background) -> Result:
        """Return the result of *case*, after its second runs, with its background.

        Args:
            case: the case.
            background: what the corpus says about it.
        """
        crew = self._crew = self._crew or self._started()
        self._known[case.name] = case
        result = self._over(crew.run_case(case))
        if is_unexpected(result):
            result = self._doubts.settled(result, crew.line(result.name))
        (result,) = background.applied([result])
        return result

    def finished(self, background: Background) -> list[Result]:
        """Return the results so far with background; failures name their smallest setting."""
        return list(reduced(background.applied(self.results)))


def _stops(result: Result) -> bool:
    """Return whether a run that ends at the first failure ends here."""
    return result.is_error or is_unexpected(result)


def reduced(results: Iterable[Result]) -> Iterator[Result]:
    """Yield each of *results*.

    A failure names the smaller setting within which it fails, if any.
    """
    whole = list(results)
    failed: dict[str, list[Result]] = defaultdict(list)
    for result in whole:
        if result.verdict in FAILURES:
            failed[result.id].append(result)
    for found in failed.values():
        found.sort(key=lambda one: (len(one.setting), one.name))
    for result in whole:
        smaller = _smallest_within(result, failed.get(result.id, ()))
        yield result if smaller is None else msgspec.structs.replace(result, within=smaller.name)


def _smallest_within(result: Result, failed: Iterable[Result]) -> Result | None:
    """Return the first of *failed* whose setting is a proper part of that of *result*."""
    if result.verdict not in FAILURES:
        return None
    own = result.setting.items()
    return next((one for one in failed if one.setting.items() < own), None)
