"""The options about baselines: which one applies to a run, and how a run updates it.

The input is options.  The output is a `Known` for each implementation.  The file is read before the
run, so that one that is not valid is reported at once; it is updated after the run.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from conformance.cases import Case, Corpus
from conformance.cli.options import bundled
from conformance.drivers import Identity
from conformance.report import Refused, WholeFile
from conformance.results import (
    Baseline,
    BaselineError,
    Listing,
    Result,
    RunHead,
    Shard,
    baseline_text,
    check_width,
    read_baseline,
    shipped_baseline,
    shipped_directory,
    updated,
)
from conformance.wording import counted

SHIPPED = "shipped"


class Baselines:
    """The values of the options.

    Args:
        source: a file, or ``shipped``; None for no baseline.
        update: whether the baseline is to be written.
        today: the day with which expiry dates are compared; None for today.

    Raises:
        click.UsageError: the options contradict each other.
    """

    def __init__(self, source: str | None, update: bool, today: dt.datetime | None) -> None:
        if update and source is None:
            raise click.UsageError("--update-baseline needs --baseline: which one?")
        self.source = source
        self.update = update
        self.today = (today or dt.datetime.now(dt.UTC)).date()

    def check(self, implementations: int, filtered: str) -> None:
        """Check that the options can be met, before anything is run.

        Args:
            implementations: how many are judged.
            filtered: the option that makes the run partial; empty for a complete run.

        Raises:
            click.UsageError: the reason.
        """
        if self.update and filtered:
            raise click.UsageError(
                f"--update-baseline needs a whole run: without {filtered}, nothing is lost"
            )
        if self.source not in (None, SHIPPED):
            if implementations > 1:
                raise click.UsageError("--baseline FILE is about one implementation")
            self._read(Path(str(self.source)))

    def known(self, identity: Identity, corpus: Corpus, cases: Iterable[Case]) -> "Known":
        """Return the known deviations of the implementation with this *identity*.

        Args:
            identity: the implementation under test.
            corpus: the whole corpus.
            cases: the cases that are run, with their settings.

        Raises:
            click.UsageError: there is no such baseline, or it is not valid.
        """
        if self.source is None:
            return Known(None, Baseline(), None)
        try:
            path = self._path(identity)
            baseline = self._read(path)
            try:
                baseline.check_is_about(identity)
            except BaselineError as error:
                raise BaselineError(f"{path}: {error}") from None
            revisions = {case.id: case.rev for case in corpus.every.listed}
            if self.update:
                check_width(baseline, revisions)
                _open(path).close()
            revisions.update((case.name, case.rev) for case in cases)
            return Known(path, baseline, Listing(baseline, revisions, self.today))
        except BaselineError as error:
            raise click.UsageError(f"--baseline: {error}") from None

    def _path(self, identity: Identity) -> Path:
        if self.source != SHIPPED:
            return Path(str(self.source))
        try:
            return shipped_baseline(identity)
        except BaselineError:
            if not self.update:
                raise
            return shipped_directory() / f"{identity.label}.toml"

    def _read(self, path: Path) -> Baseline:
        if self.update and not path.exists():
            return Baseline()
        try:
            return read_baseline(path)
        except BaselineError as error:
            hint = "" if path.exists() else "; --update-baseline writes a new one"
            raise click.UsageError(f"--baseline: {error}{hint}") from None


baseline_options = bundled(
    "baselines",
    Baselines,
    click.option(
        "--baseline",
        "source",
        metavar="FILE|shipped",
        help="A list of known failures: a file, or the one shipped with the kit for this IMPL.",
    ),
    click.option(
        "--update-baseline",
        "update",
        is_flag=True,
        help="Write the failures of this run into the baseline; the file need not exist.",
    ),
    click.option(
        "--today",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="DATE",
        help="The date with which the expiry of entries is compared; by default, today.",
    ),
)
"""Adds the options to a command, which receives them as ``baselines``."""


@dataclass(frozen=True, slots=True)
class Known:
    """The known deviations of one implementation.

    Args:
        path: the file; None without a baseline.
        baseline: its content.
        listing: the baseline applied to the corpus.
    """

    path: Path | None
    baseline: Baseline
    listing: Listing | None

    def head(self, head: RunHead, *, whole: bool, shard: Shard | None = None) -> RunHead:
        """Return *head* with the source of the baseline, and its entries that match no case.

        Args:
            head: the head of the run.
            whole: whether all cases are run, or all of *shard*.
            shard: the part of the run.
        """
        if self.path is None or self.listing is None:
            return head
        of = self.baseline
        made = [f"of {of.implementation} {of.version}".rstrip()] if of.implementation else []
        if not of.implementation:
            made.append("which names no implementation")
        if of.version not in ("", head.version):
            made.append(f"this is {head.version}")
        vague = sum(len(entry.globs) for entry in of.entry if entry.is_vague)
        if vague:
            made.append(f"{vague} of its lines compare the verdict alone")
        told = ", ".join([self.path.name, *made])
        stale = list(self.listing.nowhere(shard)) if whole else []
        return msgspec.structs.replace(head, baseline=told, stale=stale)

    def write(self, head: RunHead, results: Sequence[Result]) -> str:
        """Write the baseline, updated to the *results* of a complete run; return a line about it.

        Raises:
            click.UsageError: it cannot be written, or the run had errors.
        """
        if self.path is None:
            raise click.UsageError("--update-baseline needs --baseline: which one?")
        errors = [result.name for result in results if result.is_error]
        if errors:
            ended = counted(len(errors), "case")
            raise click.UsageError(
                f"--update-baseline: nothing is written, for {ended} ended in an error of kit or "
                f"driver, such as {errors[0]}"
            )
        after = updated(self.baseline, head, results)
        _open(self.path).write(baseline_text(after).encode())
        count = sum(len(entry.globs) for entry in after.entry)
        entries = counted(len(after.entry), "entry", "entries")
        return f"baseline {self.path} is written: {entries}, {counted(count, 'line')}"


def _open(path: Path) -> WholeFile:
    try:
        return WholeFile(path)
    except Refused as error:
        raise click.UsageError(f"--update-baseline: {error}") from None
