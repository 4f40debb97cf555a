"""The runner: a result for each case, whatever the implementation does.

The cases go through a lane in a thread of its own; the calling thread only watches.  If a case
makes no progress for one deadline, all sockets of its server are reset.  If its client is still
stuck one deadline later, the driver's process is killed, or, in-process, the lane is abandoned and
a new one continues with the next case.  The watching thread polls for results: a hand-over between
threads for each result would cost as much as a plain case.
"""

import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from time import monotonic  # an implementation in this process may patch the module
from typing import Self

import msgspec

from certs import CertificateAuthority
from conformance.cases import Case, CaseError
from conformance.drivers import (
    ANY_OP,
    EXEC,
    Driver,
    DriverError,
    Effort,
    Identity,
    Implementation,
)
from conformance.judge import NOT_RUN, ErrorMapError, Observation, Verdict, checked_error_map
from conformance.results import Result, bounded, not_run, with_script
from conformance.run.deadlines import DEADLINE, abandoned_thread, gave_up, no_connection
from conformance.run.exchanges import Exchange, exchanges
from conformance.run.hangs import Hangs
from conformance.run.interface import is_lacking, probed, probes
from conformance.run.lane import Certificates, Lane, Witness
from conformance.run.performed import Performed

_GLANCE = 0.02
"""Seconds between two polls of the lane."""
_FIRST = 16
"""The part of a deadline without progress after which a case is looked at: most end before."""
_MOST_QUIET = 6
"""Deadlines of silence after which a case is late, even if the machine is busy."""
_SLOWEST = 8.0
"""The longest working time, in deadlines, for a runtime that is slower than others."""
_MOST = 20
"""Deadlines that a case may take in total, even if it makes progress."""


class Runner:
    """Runs cases against one implementation.

    Args:
        target: the implementation.
        authority: the certificate authority of this run.
        error_map: native exception names to known ones, with priority over those that the driver
            reports.
        deadline: seconds without progress after which a case is late.
        tolerant: whether outcomes graded tolerated are accepted; by default for all but the
            reference.
        thorough: whether results contain trace and transcript also if nothing failed.
        witness: called with each case and its observation, in the thread that runs it.
        performed: what the implementation has performed in other processes; by default empty.
        hangs: where cases of the run have hung; by default each case is waited for.
        timed: whether results say how long their cases took.

    Raises:
        DriverError: the implementation cannot be started, or reports an error map that is not
            valid.
    """

    def __init__(
        self,
        target: Implementation,
        authority: CertificateAuthority,
        error_map: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
        tolerant: bool | None = None,
        thorough: bool = False,
        witness: Witness | None = None,
        performed: Performed | None = None,
        hangs: Hangs | None = None,
        timed: bool = False,
    ) -> None:
        self.deadline = deadline
        self._timed = timed
        self._target = target
        self._authority = authority
        self._given_map = error_map or {}
        self._tolerant = not target.is_reference if tolerant is None else tolerant
        self._thorough = thorough
        self._witness = witness
        self._performed = Performed() if performed is None else performed
        self._hangs = hangs
        self._certificates: Certificates = {}
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._shift: _Shift | None = None
        self._singles: SimpleQueue[Case | None] = SimpleQueue()
        self._answers: Iterator[Result] | None = None
        self._lane = self._new_lane()

    @property
    def identity(self) -> Identity:
        """The implementation under test."""
        return self._lane.driver.identity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop driver and servers, and delete the certificate files."""
        self._singles.put(None)
        if self._shift is not None:
            self._shift.end()
        self._lane.close()
        if self._directory is not None:
            self._directory.cleanup()

    def examine(self) -> None:
        """Let the implementation complete well-formed exchanges for the features that it claims.

        A module must complete the first; which others it does not complete is noted (`Performed`).
        A client or a program of the user must complete all of them: one that rejects whatever it
        is sent would pass every case in which it must reject.  If a client is not installed,
        nothing is examined: each case reports it.

        Raises:
            DriverError: it does not complete an exchange that it must; the runner is then closed.
        """
        # Drivers made from an early example request `/`, whatever the path is.
        is_program = self.identity.written.startswith(EXEC)
        is_module = not (is_program or self.identity.is_client)
        for index, (exchange, problem) in enumerate(self.completed(any_path=not is_program)):
            if problem and index and is_module:
                self._performed.unable.append(exchange.case.title)
            elif problem:
                self.close()
                reason = f"{exchange.case.title} is not completed: {problem}"
                raise DriverError(f"{self.identity.written} cannot be judged: {reason}")
        if ANY_OP in self.identity.ops:
            self._find_lacking()

    def _find_lacking(self) -> None:
        """Run the cases about the presence of names, and note those that do not exist."""
        lacking = self._performed.lacking

        def note(case: Case, seen: Observation) -> None:
            if is_lacking(case, seen):
                lacking.add(probed(case))

        before, self._lane.witness = self._lane.witness, note
        for _ in self._run(iter(probes()), prompt=False):
            pass
        self._lane.witness = before

    def completed(self, *, any_path: bool = True) -> Iterator[tuple[Exchange, str]]:
        """Yield each well-formed exchange, and why it was not completed; empty if it was.

        An implementation that hung or died may have done so by chance, so the exchange is tried
        again.
        """
        for exchange in exchanges(self.identity, any_path=any_path):
            result, seen = self._exchanged(exchange)
            if result.verdict in (Verdict.HANG, Verdict.CRASH):
                result, seen = self._exchanged(exchange)
            yield exchange, exchange.problem(result, seen)

    def _exchanged(self, exchange: Exchange) -> tuple[Result, Observation | None]:
        noted: list[Observation] = []
        before = self._lane.witness
        self._lane.witness = lambda _, seen: noted.append(seen)
        (result,) = self._run(iter([exchange.case]), prompt=False)
        self._lane.witness = before
        return result, noted[-1] if noted else None

    def run(self, cases: Iterable[Case]) -> Iterator[Result]:
        """Yield the result of each of *cases*, in order."""
        return self._run(iter(cases), prompt=False)

    def run_case(self, case: Case) -> Result:
        """Return the result of *case*; the thread of the lane waits for the next one."""
        if self._answers is None:
            self._answers = self._run(iter(self._singles.get, None), prompt=True)
        self._singles.put(case)
        return next(self._answers)

    def _run(self, waiting: Iterator[Case], *, prompt: bool) -> Iterator[Result]:
        while True:
            shift = self._shift = _Shift(
                self._lane, waiting, self.deadline, prompt=prompt, timed=self._timed
            )
            yield from shift.results()
            if shift.stuck is None:
                return
            # The caller may not ask for another result: replace the lane before it gets this one.
            self._lane.abandon()
            self._lane = self._new_lane()
            yield shift.stuck

    def _new_lane(self) -> Lane:
        driver = self._target.make()
        return Lane(
            driver,
            self._authority.server_context,
            self._files,
            {**self._own_map(driver), **self._given_map},
            tolerant=self._tolerant,
            deadline=self.deadline,
            thorough=self._thorough,
            witness=self._witness,
            performed=self._performed,
            hangs=self._hangs,
        )

    def _own_map(self, driver: Driver) -> Mapping[str, str]:
        """Return the error map that *driver* reports about itself."""
        try:
            return checked_error_map(driver.identity.errors, "its error map")
        except ErrorMapError as error:
            driver.stop()
            raise DriverError(f"{driver.identity.written}: {error}") from None

    def _files(self) -> Certificates:
        """Return the names of the PEM files for drivers; the first call writes them."""
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="httplib-kit-")
            written = self._authority.files(Path(self._directory.name))
            self._certificates = {
                "ca": {"chain": str(written.ca_file)},
                **{
                    name: {part: str(getattr(files, part)) for part in ("key", "chain", "combined")}
                    for name, files in written.clients.items()
                },
            }
        return self._certificates


class _Shift:
    """One thread that runs cases on a lane, and the watch over it.

    Args:
        lane: the lane, which no other thread uses.
        waiting: the cases; an abandoned shift takes no further one.
        deadline: seconds without progress.
        prompt: whether each result is handed over at once, at the cost of a switch of threads.
        timed: whether results say how long their cases took.
    """

    def __init__(
        self, lane: Lane, waiting: Iterator[Case], deadline: float, *, prompt: bool, timed: bool
    ) -> None:
        self._timed = timed
        self._begun = 0.0
        self.stuck: Result | None = None
        self._lane = lane
        self._waiting = waiting
        self._deadline = deadline
        self._current: Case | None = None
        self._refused: CaseError | None = None
        self._done: deque[Result] = deque()
        self._count = 0
        self._prompt = prompt
        self._given_up = threading.Event()
        self._ended = threading.Event()
        self._news = threading.Event() if prompt else self._ended

    def results(self) -> Iterator[Result]:
        """Yield the results as they are measured.

        `stuck` gives that of a case that cannot be ended.

        Raises:
            CaseError: one of the cases, which are built here, is not valid.
        """
        threading.Thread(target=self._work, name="conformance-lane", daemon=True).start()
        try:
            watch = _Watch(self._lane, self._deadline)
            while not self._ended.is_set():
                if self._news.wait(_GLANCE) and self._prompt:
                    self._news.clear()
                yield from self._collected()
                if watch.is_lost(self._count):
                    self.stuck = self._abandoned()
                    return
            yield from self._collected()
            if self._refused is not None:
                raise self._refused
        finally:
            self._given_up.set()

    def end(self) -> None:
        """Let the running case end, within a deadline, and take no further one."""
        self._given_up.set()
        if not self._ended.wait(self._deadline):
            self._lane.reset("the kit ended its run and reset its sockets")
            self._ended.wait(self._deadline)

    def _work(self) -> None:
        try:
            self._work_through()
        except CaseError as error:
            self._refused = error
        finally:
            self._ended.set()
            self._news.set()

    def _work_through(self) -> None:
        while not self._given_up.is_set():
            case = self._current = next(self._waiting, None)
            if case is None:
                return
            self._begun = monotonic()
            result = self._with_time(self._result(case))
            if self._given_up.is_set():
                return  # the caller has ended, or the watch has already given this case a verdict
            self._done.append(result)
            self._count += 1
            if self._prompt:
                self._news.set()

    def _result(self, case: Case) -> Result:
        try:
            result = bounded(self._lane.run_case(case))
            return result if result.verdict in NOT_RUN else with_script(result, case.script)
        except Exception as error:  # noqa: BLE001 # an error of the kit is a verdict too
            problem = f"{type(error).__name__}: {error}"
            return bounded(not_run(case, Verdict.HARNESS_ERROR, problem))
        except BaseException as error:  # noqa: BLE001 # in this thread only an implementation does
            problem = f"{type(error).__name__} ended the thread: {error}"
            return bounded(not_run(case, Verdict.CRASH, problem))

    def _with_time(self, result: Result) -> Result:
        if not self._timed:
            return result
        return msgspec.structs.replace(result, seconds=round(monotonic() - self._begun, 3))

    def _collected(self) -> Iterator[Result]:
        while self._done:
            yield self._done.popleft()

    def _abandoned(self) -> Result:
        self._given_up.set()
        case = self._current
        if case is None:
            raise RuntimeError("a lane that runs no case cannot be stuck")
        reason = abandoned_thread(self._lane.late, self._deadline)
        given_up = with_script(bounded(self._lane.given_up(case, reason)), case.script)
        return self._with_time(given_up)


class _Watch:
    """Measures idle time, and acts when it exceeds the deadline.

    Only time in which the implementation could have worked is counted.  A late poll counts as one
    on time, and time in which the implementation was runnable but not scheduled is not counted.  A
    runtime that is slow to start is also slow to load what a case needs, so its working time counts
    less. All of this is bounded, so that an endless loop is found even on a busy machine.

    The time of a client with another interface begins with its first connection: until then it may
    be starting, for which its driver states an allowance.
    """

    def __init__(self, lane: Lane, deadline: float) -> None:
        self._lane = lane
        self._deadline = deadline
        self._seen: tuple[int, tuple[int, ...]] = (-1, ())
        self._glanced = monotonic()
        self._quiet = 0.0
        self._spent = 0.0
        self._looked: tuple[float, Effort] | None = None
        self._wait = deadline
        self._is_looked_at = False
        self._was_starting = False
        self._measures = 0

    def is_lost(self, count: int) -> bool:
        """Poll; reset or kill when that is due.

        Return whether nothing is left to do but abandon the lane.

        Args:
            count: how many cases the lane has finished.
        """
        self._pass_time()
        seen = count, self._lane.activity
        if seen != self._seen and not (self._measures or self._was_starting):
            self._lane.paused(self._quiet)
        self._was_starting = self._lane.is_starting
        if count != self._seen[0]:
            self._measures, self._spent = 0, 0.0
        if count != self._seen[0] or (seen != self._seen and not self._measures):
            self._seen = seen
            self._begin_anew()
        if self._lane.driver.busy:
            self._spent = 0.0
            self._begin_anew()
        act = self._due()
        if not act:
            return False
        self._begin_anew()
        self._measures += 1
        if self._measures == 1:
            self._lane.reset(act)
            self._wait = self._lane.patience_after_reset
            return False
        return self._measures > 2 or not self._lane.driver.kill()

    def _begin_anew(self) -> None:
        self._quiet, self._looked = 0.0, None
        if not self._measures:
            self._wait, self._is_looked_at = self._deadline, False

    def _pass_time(self) -> None:
        now = monotonic()
        passed = min(now - self._glanced, 2 * _GLANCE)
        self._glanced = now
        self._quiet += passed
        self._spent += passed

    @property
    def _slowness(self) -> float:
        """How many seconds of work of this runtime count as one second, from 1 to `_SLOWEST`."""
        return min(_SLOWEST, max(1.0, self._lane.driver.start_cost / DEADLINE))

    def _due(self) -> str:
        """Return the text of what is due now; empty while the case has time left."""
        patience = self._deadline * self._slowness
        if not self._measures and self._lane.is_starting:
            self._spent = 0.0
            allowance = self._lane.driver.allowance
            is_late = self._quiet >= _MOST_QUIET * allowance or self._counted() >= allowance
            return no_connection(allowance) if is_late else ""
        if not (self._measures or self._is_looked_at) and self._quiet >= self._deadline / _FIRST:
            self._is_looked_at = True
            self._wait = self._lane.look()
        if not self._measures and self._spent >= _MOST * patience:
            return gave_up(_MOST * patience, progress=True)
        if self._quiet >= _MOST_QUIET * patience or self._counted() >= self._wait:
            return gave_up(self._deadline)
        return ""

    def _counted(self) -> float:
        """Return how much of the idle time the implementation could have used."""
        quiet = self._quiet
        if quiet < self._deadline / _FIRST:  # no reading is needed
            return quiet
        effort = self._lane.driver.effort()
        if effort is None:
            return quiet
        if self._looked is None:
            self._looked = quiet, effort
        since, before = self._looked
        starved = min(quiet - since, max(0.0, effort.waited - before.waited))
        worked = min(quiet - since - starved, max(0.0, effort.worked - before.worked))
        return quiet - starved - worked + worked / self._slowness
