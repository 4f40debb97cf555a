"""How `check` judges one implementation after the other, and keeps results if it ends early.

The input is implementations, and the plan by which each is judged.  The output is a run for each,
complete or partial, and its known deviations.  Nothing that was measured is lost: an interrupt or
an error of the kit ends the run, and the reports are still written.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import click
import msgspec

from conformance.cases import LEVELS, Case, Cases, Corpus, Sweep
from conformance.cli.baselines import Baselines, Known
from conformance.cli.ending import Ending
from conformance.cli.options import Selection
from conformance.cli.progress import Progress
from conformance.drivers import DriverError, Identity, Implementation
from conformance.drivers.clients import PREFIX, lacking
from conformance.report import Run, visible_text
from conformance.results import ResultFile, RunHead, Scope, Shard, stamped
from conformance.results.golden import load_book
from conformance.run import Background, Check
from conformance.wording import counted


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which cases are run, and how, whatever the implementation.

    Args:
        chosen: the cases by their ids and families.
        corpus: the cases, the user's own included.
        levels: the levels that were chosen.
        usual: whether these are the default levels.
        sweep: how cases are varied.
        tolerant: whether outcomes graded tolerated are accepted.
        exit_first: whether the first failure ends the run.
        jobs: how many cases are run at a time.
        shard: the part of the cases that is run; None for all of them.
        deadline: seconds without progress after which a case is late.
        patient: whether each case that hangs gets the whole deadline; always so with a baseline.
        fail_on_flaky: whether a flaky case fails the run.
        baselines: the options about known deviations.
        error_map: native exception names to known ones.
        among: all implementations, if there are several.
        started: when the run began, in seconds since 1970, if results contain times; else 0.
    """

    chosen: Selection
    corpus: Corpus
    levels: tuple[str, ...]
    usual: bool
    sweep: Sweep
    tolerant: bool
    exit_first: bool
    jobs: int
    shard: Shard | None
    deadline: float
    patient: bool
    fail_on_flaky: bool
    baselines: Baselines
    error_map: dict[str, str] | None
    among: list[str]
    started: int = 0

    @property
    def scope(self) -> Scope:
        """The cases that were chosen, whatever the shard."""
        chosen = self.chosen
        limits = (chosen.select, chosen.exclude, chosen.family, self.corpus.own_files)
        return Scope.chosen(self.levels, *limits)

    @property
    def is_empty(self) -> bool:
        """Whether there is no case for any kind of implementation."""
        of_clients = self._sharded(
            self.chosen.of(self.corpus, self._levels(True), usual=self.usual)
        )
        return not self._cases(is_client=False) and not any(
            one.for_clients for one in of_clients.listed
        )

    def _levels(self, is_client: bool) -> tuple[str, ...]:
        # The level of a case is about httplib; it says nothing about other clients.
        return LEVELS if is_client and self.usual else self.levels

    def _sharded(self, cases: Cases) -> Cases:
        shard = self.shard
        return cases if shard is None else cases.where(lambda case: shard.has(case.id))

    def _cases(self, *, is_client: bool) -> Cases:
        levels = self._levels(is_client)
        found = self._sharded(self.chosen.of(self.corpus, levels, usual=self.usual))
        return found.for_profile(is_client=is_client)

    def _outside(self, is_client: bool) -> list[str]:
        return self.corpus.not_judged(
            self._levels(is_client),
            is_client=is_client,
            select=self.chosen.select,
            exclude=self.chosen.exclude,
            family=self.chosen.family,
        )

    def startable(
        self, found: Sequence[Implementation], named: Collection[str]
    ) -> Iterator[Implementation]:
        """Yield those of *found* that can start; check before the first one runs that all can.

        Args:
            found: the implementations.
            named: those that the user named; of others, which a pattern has selected, those that
                are neither installed nor recorded are left out, with one line for all, and one
                that cannot be judged with a line that says why.

        Raises:
            DriverError: one that was named cannot be started, or has no baseline; the first one is
                not started here.
        """
        known = set(named)
        if not known.issuperset(one.written for one in found):
            known.update(one.written for one in load_book().implementations.values())
        wanted = [
            one
            for one in found
            if one.written in known or not lacking(one.written.removeprefix(PREFIX))
        ]
        if absent := len(found) - len(wanted):
            click.echo(
                f"left out: {counted(absent, 'client')} not installed; `httplib-kit clients` says"
                " how to get them",
                err=True,
            )
        for index, one in enumerate(wanted):
            if index or one.written not in named:
                try:
                    with Check(one, error_map=self.error_map) as started:
                        self.baselines.known(started.identity, self.corpus, (), self.scope)
                except DriverError as error:
                    if one.written in named:
                        raise
                    click.echo(visible_text(f"left out: {error}"), err=True)
                    continue
            yield one

    def start(self, one: Implementation) -> Check:
        """Start the check of *one*.

        Raises:
            DriverError: it cannot be started.
        """
        return Check(
            one,
            error_map=self.error_map,
            jobs=self.jobs,
            exit_first=self.exit_first,
            tolerant=self.tolerant,
            deadline=self.deadline,
            patient=self.patient or self.baselines.source is not None,
            timed=bool(self.started),
        )

    def ordered(self, every: Sequence[Case], identity: Identity) -> tuple[Sequence[Case], int]:
        """Return the cases *every* in the order in which they are run.

        Where no option leaves any out, a first look comes first; the number is that of its cases.
        """
        whole = self.scope.is_whole and not self.exit_first and self.shard is None
        if whole and isinstance(every, Cases):
            return every.looking_first(identity.features)
        return every, 0

    def why_none(self, identity: Identity) -> str:
        """Return why the selection has no case for the implementation with this *identity*."""
        others = len(self._cases(is_client=not identity.is_client))
        if identity.is_client:
            return f"no selected case asks a client; {others} for the interface of httplib"
        options = [f"--select '{glob}'" for glob in self.chosen.select]
        options += [f"--family {name}" for name in self.chosen.family]
        again = " ".join(["httplib-kit check", f"client:httplib:{identity.written}", *options])
        how = "" if identity.is_foreign else f": `{again}`"
        return f"no selected case is for the interface of httplib; {others} for clients{how}"

    def prepared(self, identity: Identity) -> tuple[Sequence[Case], Known, RunHead]:
        """Return the cases for the implementation with this *identity*, and how they are run."""
        every = self._cases(is_client=identity.is_client).swept(self.sweep)
        complete = not self.exit_first and self.corpus.set is None
        known = self.baselines.known(identity, self.corpus, every, self.scope)
        head = RunHead.of(
            identity,
            kit=version("httplib-kit"),
            corpus=self.corpus.digest,
            levels=list(self._levels(identity.is_client)),
            cases=len(every),
            select=list(self.chosen.select),
            exclude=list(self.chosen.exclude),
            family=list(self.chosen.family),
            own=self.corpus.own_files,
            sweep=self.sweep,
            tolerant=self.tolerant,
            deadline=self.deadline,
            error_map=self.error_map or {},
            exit_first=self.exit_first,
            fail_on_flaky=self.fail_on_flaky,
            shard=str(self.shard or ""),
            among=self.among,
            started=self.started,
            set="" if self.corpus.set is None else self.corpus.set.set,
            outside=self._outside(identity.is_client),
        )
        return every, known, known.head(head, complete=complete, shard=self.shard)


@dataclass
class Judging:
    """Judges implementations.

    Args:
        plan: which cases are run, and how.
        ending: handles signals.
        written: where results are written as they are measured; None for nowhere.

    Attributes:
        gap: which implementations have no run, and why; empty if all have one.
    """

    plan: Plan
    ending: Ending
    written: ResultFile | None
    gap: str = field(default="", init=False)

    def each(self, found: Sequence[Implementation]) -> Iterator[tuple[Run, Known]]:
        """Yield the run of each of *found*, and its known deviations.

        An incomplete one is the last.

        Raises:
            DriverError: the first one cannot be started, so that nothing was measured.
            KeyboardInterrupt: it was interrupted before anything was measured.
        """
        for index, one in enumerate(found):
            rest = found[index + 1 :]
            try:
                with self.ending.measuring():
                    check = self.plan.start(one)
            except (DriverError, KeyboardInterrupt) as error:
                if not index:
                    raise
                self.gap = _gap([one, *rest], self.ending.reason or str(error))
                return
            run, known = self._judged(check)
            if run.head.incomplete and rest:
                run = without(run, _gap(rest))
            yield run, known
            if run.head.incomplete:
                return

    def _judged(self, check: Check) -> tuple[Run, Known]:
        why = ""
        with check:
            every, known, head = self.plan.prepared(check.identity)
            head = msgspec.structs.replace(head, unable=check.unable)
            if not every:
                text = f"httplib-kit: {head.implementation}: {self.plan.why_none(check.identity)}"
                click.echo(visible_text(text), err=True)
            check.listing = known.listing
            ordered, first = self.plan.ordered(every, check.identity)
            if self.written is not None:
                self.written.begin(head)
            try:
                with self.ending.measuring(), Progress(head, first, self.written) as progress:
                    check.run(ordered, progress.measured, progress.settling)
            except KeyboardInterrupt:
                why = self.ending.reason or "interrupted"
            except Exception as error:  # noqa: BLE001 # an error of the kit costs no result
                why = f"an error of the kit: {type(error).__name__}: {error}"
            results = check.finished(Background(self.plan.corpus))
            if first and isinstance(every, Cases):
                places = {name: place for place, (name, _) in enumerate(every.by_name())}
                results.sort(key=lambda one: places[one.name])
        if why:
            why = f"{why} after {len(results)} of {counted(head.cases, 'case')}"
            head = msgspec.structs.replace(head, incomplete=why)
        elif head.exit_first:
            unreached = head.cases - len(results)
            head = msgspec.structs.replace(head, cases=len(results), unreached=unreached)
        return Run(stamped(known.finished(head, results), results), results), known


def without(run: Run, gap: str) -> Run:
    """Return *run* with the note that others in the same file are missing."""
    text = "; ".join(filter(None, [run.head.incomplete, gap]))
    return Run(msgspec.structs.replace(run.head, incomplete=text), run.results)


def _gap(others: Iterable[Implementation], why: str = "") -> str:
    names = ", ".join(one.written for one in others)
    return f"nothing of {names}: {why}" if why else f"nothing of {names}"
