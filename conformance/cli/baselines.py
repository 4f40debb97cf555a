"""The options about baselines: which one applies to a run, and how a run updates it.

The input is options.  The output is a `Known` for each implementation.  The file is read before the
run, so that one that is not valid is reported at once; it is updated after the run.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
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
    Scope,
    ScopeError,
    Shard,
    baseline_source,
    check_width,
    parse_baseline,
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

    @property
    def written(self) -> tuple[str, Path | None]:
        """The option that names the file that is written, and its path; None for none."""
        named = self.update and self.source not in (None, SHIPPED)
        return "--baseline", Path(str(self.source)) if named else None

    def check(self, implementations: int, limits: Mapping[str, bool], scope: Scope) -> None:
        """Check that the options can be met, before anything is run.

        Args:
            implementations: how many are judged.
            limits: options that leave out some of the selected cases, and whether they are given.
            scope: the cases of the run.

        Raises:
            click.UsageError: the reason.
        """
        partial = next((option for option, given in limits.items() if given), "")
        if self.update and partial:
            raise click.UsageError(
                f"--update-baseline needs a run of all selected cases: leave {partial} out"
            )
        if self.update and scope.cases and not scope.select:
            raise click.UsageError(
                "--update-baseline with --cases needs --select, to record which cases it is about"
            )
        if self.source not in (None, SHIPPED):
            if implementations > 1:
                raise click.UsageError(
                    f"--baseline: {self.source} is about one implementation, and "
                    f"{implementations} are judged: run `check` once for each"
                )
            self._scoped(Path(str(self.source)), scope)

    def known(
        self, identity: Identity, corpus: Corpus, cases: Iterable[Case], scope: Scope
    ) -> "Known":
        """Return the known deviations of the implementation with this *identity*.

        Args:
            identity: the implementation under test.
            corpus: the whole corpus.
            cases: the cases that are run, with their settings.
            scope: the cases of the run, as they were selected.

        Raises:
            click.UsageError: there is no such baseline, or it is not valid.
        """
        if self.source is None:
            return Known(None, None)
        try:
            path = self._path(identity)
            text, baseline = self._scoped(path, scope)
            try:
                baseline.check_is_about(identity)
            except BaselineError as error:
                raise BaselineError(f"{path}: {error}") from None
            revisions = {case.id: case.rev for case in corpus.every.listed}
            revisions.update((case.name, case.rev) for case in cases)
            listing = Listing(baseline, revisions, self.today, scope, text=text, name=str(path))
            if self.update:
                check_width(listing)
                _open(path).close()
            return Known(path, listing)
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

    def _scoped(self, path: Path, scope: Scope) -> tuple[str, Baseline]:
        """Return the text and the content of the baseline at *path*; empty if it is a new one.

        Raises:
            click.UsageError: it cannot be read, is not valid, or a run of *scope* cannot update it.
        """
        if self.update and not path.exists():
            return "", Baseline()
        try:
            text = baseline_source(path)
            baseline = parse_baseline(text, str(path))
        except BaselineError as error:
            hint = "" if path.exists() else "; --update-baseline writes a new one"
            raise click.UsageError(f"--baseline: {error}{hint}") from None
        if self.update:
            try:
                baseline.scope.joined(scope)
            except ScopeError as error:
                raise click.UsageError(
                    f"--update-baseline: {path} {error}: give the same options, or another file"
                ) from None
        return text, baseline


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
        listing: the baseline applied to the corpus; None without a baseline.
    """

    path: Path | None
    listing: Listing | None

    def head(self, head: RunHead, *, complete: bool, shard: Shard | None = None) -> RunHead:
        """Return *head* with the source of the baseline, and its entries that match no case.

        Args:
            head: the head of the run.
            complete: whether all selected cases are run, or all of *shard*.
            shard: the part of the run.
        """
        if self.path is None or self.listing is None:
            return head
        of = self.listing.baseline
        made = [f"of {of.implementation} {of.version}".rstrip()] if of.implementation else []
        if not of.implementation:
            made.append("which names no implementation" if self.listing.text else "which is new")
        if of.version not in ("", head.version):
            made.append(f"this is {head.version}")
        if not of.scope.is_whole:
            made.append(f"about {of.scope}")
        vague = sum(one.failure.is_vague for one in self.listing.listed)
        if vague:
            made.append(f"{vague} of its lines compare the verdict alone")
        text = ", ".join([self.path.name, *made])
        whole = complete and self.listing.is_whole
        stale = list(self.listing.nowhere(shard)) if whole else []
        return msgspec.structs.replace(head, baseline=text, stale=stale)

    def finished(self, head: RunHead, results: Sequence[Result]) -> RunHead:
        """Return *head* with the entries of which no case fails any more."""
        partial = head.shard or head.incomplete or head.unreached or head.exit_first or head.set
        if self.listing is None or partial or not self.listing.is_whole:
            return head
        stale = [*head.stale, *self.listing.passed(results)]
        return msgspec.structs.replace(head, stale=stale)

    def write(self, head: RunHead, results: Sequence[Result]) -> str:
        """Write the baseline, updated to the *results* of a complete run; return a line about it.

        Raises:
            click.UsageError: it cannot be written, or the run had errors.
        """
        if self.path is None or self.listing is None:
            raise click.UsageError("--update-baseline needs --baseline: which one?")
        errors = [result.name for result in results if result.is_error]
        if errors:
            ended = counted(len(errors), "case")
            raise click.UsageError(
                f"--update-baseline: nothing is written, for {ended} ended in an error of kit or "
                f"driver, such as {errors[0]}"
            )
        try:
            after = updated(self.listing, head, results)
        except BaselineError as error:
            raise click.UsageError(f"--update-baseline: {error}") from None
        _open(self.path).write(after.text.encode())
        text = counted(len(after.baseline.entry), "entry", "entries")
        made = [f"{counted(after.added, 'case')} added"] if after.added else []
        made += [f"{after.removed} removed"] if after.removed else []
        if after.unexplained:
            made.append(f"{counted(after.unexplained, 'reason')} to be written")
        return f"baseline {self.path} is written: {', '.join([text, *made])}"


def _open(path: Path) -> WholeFile:
    try:
        return WholeFile(path)
    except Refused as error:
        raise click.UsageError(f"--update-baseline: {error}") from None
