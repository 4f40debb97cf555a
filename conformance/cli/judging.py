"""How `check` judges one implementation after the other, and keeps results if it ends early.

The input is implementations, and how each is started and prepared.  The output is a run for each,
complete or partial, and its known deviations.  Nothing that was measured is lost: an interrupt or
an error of the kit ends the run, and the reports are still written.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from conformance.cases import Case
from conformance.cli.baselines import Known
from conformance.cli.ending import Ending
from conformance.drivers import DriverError, Identity, Implementation
from conformance.report import Run, visible_text
from conformance.results import Result, ResultFile, RunHead, stamped
from conformance.run import Background, Check
from conformance.wording import counted

Prepared = tuple[Sequence[Case], Known, RunHead]


@dataclass
class Judging:
    """Judges implementations.

    Args:
        start: starts the check of one.
        prepared: returns, for the identity of an implementation, the cases to run, its known
            deviations, and the head of its run.
        background: what the corpus adds to a result.
        ending: handles signals.
        written: where results are written as they are measured; None for nowhere.

    Attributes:
        gap: which implementations have no run, and why; empty if all have one.
    """

    start: Callable[[Implementation], Check]
    prepared: Callable[[Identity], Prepared]
    background: Background
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
                    check = self.start(one)
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
            every, known, head = self.prepared(check.identity)
            check.listing = known.listing
            if self.written is not None:
                self.written.begin(head)
            try:
                with self.ending.measuring():
                    check.run(every, partial(_shown, head=head, written=self.written))
            except KeyboardInterrupt:
                why = self.ending.reason or "interrupted"
            except Exception as error:  # noqa: BLE001 # an error of the kit costs no result
                why = f"an error of the kit: {type(error).__name__}: {error}"
            results = check.finished(self.background)
        if why:
            why = f"{why} after {len(results)} of {counted(head.cases, 'case')}"
            head = msgspec.structs.replace(head, incomplete=why)
        elif head.exit_first:
            unreached = head.cases - len(results)
            head = msgspec.structs.replace(head, cases=len(results), unreached=unreached)
        return Run(stamped(head, results), results), known


def without(run: Run, gap: str) -> Run:
    """Return *run* with the note that others in the same file are missing."""
    told = "; ".join(filter(None, [run.head.incomplete, gap]))
    return Run(msgspec.structs.replace(run.head, incomplete=told), run.results)


def _gap(others: Iterable[Implementation], why: str = "") -> str:
    names = ", ".join(one.written for one in others)
    return f"nothing of {names}: {why}" if why else f"nothing of {names}"


def _shown(
    results: Iterable[Result], head: RunHead, written: ResultFile | None
) -> Iterator[Result]:
    """Yield *results*, each written at once; show a progress bar on a terminal."""
    console = Console(stderr=True)
    # Colours can be forced without a terminal; a progress bar would then be a series of lines.
    columns = (TextColumn(visible_text(head.name), markup=False), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, console=console, transient=True, redirect_stdout=False)
        if console.is_terminal and sys.stderr.isatty()
        else nullcontext()
    ) as progress:
        task = progress.add_task(head.name, total=head.cases) if progress else TaskID(0)
        for result in results:
            if written is not None:
                written.add(result)
            if progress:
                progress.advance(task)
            yield result
