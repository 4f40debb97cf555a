"""What is shown on standard error while a run goes on: progress, an estimate, and a first verdict.

The input is results as they are measured.  The output is a bar on a terminal, and elsewhere a line
every `EVERY` seconds.  After the first look, or after `LOOK` seconds if it takes longer, one line
says what was seen so far.  Nothing of this is in a report, so reports do not depend on time.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from conformance.report import Standing, standing, visible_text
from conformance.results import Result, ResultFile, RunHead
from conformance.wording import counted

if TYPE_CHECKING:  # it imports hypothesis, a sixth of what a small `check` costs
    from conformance.hunt import Hunter

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
LOOK = 55.0
"""Seconds after which the first verdict is given, even if the first look is not complete."""
_FAILED = (Standing.FAILED, Standing.EXPECTED)


class Shown:
    """A bar on a terminal, and elsewhere a line every `EVERY` seconds, as a context.

    Args:
        name: what goes on.
        total: at which number the bar ends.
        columns: what stands after the name.
        clock: returns the time, in seconds.
    """

    def __init__(
        self,
        name: str,
        total: float,
        columns: Sequence[ProgressColumn],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._name = visible_text(name)
        self._clock = clock
        self._begun = self._said = clock()
        self._bar: Bar | None = None
        console = Console(stderr=True)
        # Colours can be forced without a terminal; a bar would then be a series of lines.
        if console.is_terminal and sys.stderr.isatty():
            first = TextColumn(self._name, markup=False)
            self._bar = Bar(first, *columns, console=console, transient=True, redirect_stdout=False)
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _is_time(self) -> bool:
        return self._bar is None and self._clock() - self._said >= EVERY

    def _say(self, text: str) -> None:
        self._said = self._clock()
        line = f"httplib-kit: {self._name}: {text}"
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=True)


class Progress(Shown):
    """Shows how far a run is, as a context.

    Args:
        head: the head of the run.
        first: how many cases are the first look; 0 without one.
        written: where results are written as they are measured; None for nowhere.
        clock: returns the time, in seconds.
    """

    def __init__(
        self,
        head: RunHead,
        first: int = 0,
        written: ResultFile | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        super().__init__(head.name, head.cases, columns, clock)
        self._head = head
        self._first = first
        self._written = written
        self._counts: Counter[str] = Counter()
        self._hangs = 0

    def measured(self, results: Iterable[Result]) -> Iterator[Result]:
        """Yield *results*, each written at once."""
        for result in results:
            if self._written is not None:
                self._written.add(result)
            self._counts[standing(result).value] += 1
            self._hangs += result.verdict == "HANG"
            done = self._counts.total()
            if self._bar is not None:
                self._bar.advance(self._task)
            if self._first and (done >= self._first or self._clock() - self._begun >= LOOK):
                self._first = 0
                self._say(f"first look: {self._so_far(done)}")
            elif self._is_time():
                self._say(self._so_far(done))
            yield result

    def settling(self, count: int) -> None:
        """Say that *count* unexpected results have been run again."""
        if self._is_time():
            self._say(f"{counted(count, 'unexpected result')} run again")

    def _so_far(self, done: int) -> str:
        """Return how far the run is, what was seen, and how long the rest may take."""
        failed = sum(self._counts[one.value] for one in _FAILED)
        hangs = f" ({counted(self._hangs, 'HANG')})" if self._hangs else ""
        passed = self._counts[Standing.OK.value]
        rest = (self._clock() - self._begun) / done * (self._head.cases - done)
        return (
            f"{done} of {counted(self._head.cases, 'case')}: "
            f"{passed} passed, {failed} failed{hangs}, {done - passed - failed} not judged; "
            f"about {rest:.0f} s for the rest"
        )


class Hunting(Shown):
    """Shows how far a hunt is, as a context.

    Args:
        hunter: what hunts.
        clock: returns the time, in seconds.
    """

    def __init__(self, hunter: "Hunter", clock: Callable[[], float] = monotonic) -> None:
        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        super().__init__("hunt", hunter.draws or hunter.seconds or 1.0, columns, clock)
        self._hunter = hunter

    def tick(self) -> None:
        """Show how far it is now."""
        found = counted(self._hunter.found, "kind of difference", "kinds of differences")
        done = f"{self._hunter.drawn} drawn, {found}"
        if self._bar is not None:
            reached = self._hunter.drawn if self._hunter.draws else self._clock() - self._begun
            self._bar.update(self._task, completed=reached, description=done)
        elif self._is_time():
            self._say(done)

    def write(self, lines: Iterable[str]) -> None:
        """Write *lines* to standard output, before the bar."""
        if self._bar is not None:
            self._bar.stop()
        for line in lines:
            click.echo(line)
        if self._bar is not None:
            self._bar.start()
