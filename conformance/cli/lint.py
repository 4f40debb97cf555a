"""``httplib-kit lint``: check case files and baselines, without running anything."""

import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click

from conformance.cases import CaseError, Corpus, load_corpus, own_files, with_own
from conformance.report import EXIT_FAILED, EXIT_OK, visible_text
from conformance.results import BaselineError, Listing, baseline_source, parse_baseline


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE...",
)
@click.option(
    "--cases",
    "places",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE|DIR",
    help="Your own cases that a baseline may be about (repeatable).",
)
@click.pass_context
def lint(ctx: click.Context, files: tuple[Path, ...], places: tuple[Path, ...]) -> None:
    """Check FILEs: cases of your own, and baselines.

    The cases of all FILEs are built. Each entry of a baseline must be about a case of the kit, of
    the FILEs or of --cases, and no two about the same. The first fault of the cases and those of
    each baseline are listed, and the exit code is then 1.
    """
    cases = [path for path in files if _has_cases(path)]
    problems = []
    corpus = load_corpus()
    try:
        every = {Path(name).resolve(): (name, data) for name, data in own_files([*cases, *places])}
        corpus = with_own(corpus, every.values())
    except CaseError as error:
        problems.append(str(error))
    for path in files:
        if path not in cases:
            problems += _faults(path, corpus)
    for problem in problems:
        click.echo(f"httplib-kit: {visible_text(problem)}", err=True)
    ctx.exit(EXIT_FAILED if problems else EXIT_OK)


def _has_cases(path: Path) -> bool:
    """Return whether the file has cases, or is not TOML at all; a baseline has other keys."""
    try:
        found = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        return True
    return bool(found.keys() & {"family", "case", "grid"})


def _faults(path: Path, corpus: Corpus) -> Iterator[str]:
    """Yield what is wrong with the baseline at *path*."""
    try:
        text = baseline_source(path)
        baseline = parse_baseline(text, str(path))
        revisions = {one.id: one.rev for one in corpus.every.listed}
        today = dt.datetime.now(dt.UTC).date()
        yield from Listing(baseline, revisions, today, text=text, name=str(path)).nowhere()
    except BaselineError as error:
        yield str(error)
