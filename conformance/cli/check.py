"""``httplib-kit check``: run the corpus against implementations, and say what is broken."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import cast

import click
import msgspec
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from conformance.cases import Cases, Corpus
from conformance.cases.corpus import JUDGED_LEVELS, LEVELS
from conformance.cases.sweeps import Sweep
from conformance.cli.baselines import Baselines, baseline_options
from conformance.cli.options import (
    Selection,
    deadline_option,
    error_map_option,
    level_option,
    own_cases,
    say_what_matches_nothing,
    selection,
    shard_option,
)
from conformance.cli.outputs import Outputs, output_options, tell_person
from conformance.cli.recorded import recorded_clients
from conformance.drivers import Implementation, targets
from conformance.drivers.factory import OURS
from conformance.report import Run, matrix
from conformance.report.octets import visible_text
from conformance.report.standing import EXIT_NOTHING, worst
from conformance.run import Result, ResultFile, RunHead
from conformance.run.background import Background
from conformance.run.check import Check
from conformance.run.shard import Shard


@click.command()
@click.argument("implementations", nargs=-1, metavar="[IMPL]...")
@selection
@own_cases
@level_option
@click.option(
    "--sweep",
    type=click.Choice(["none", "each", "product"]),
    default="none",
    show_default=True,
    help="Vary how octets are cut, bodies read, connections ended and reused.",
)
@click.option(
    "--no-tolerance",
    is_flag=True,
    help="Accept only outcomes graded pass; for httplib_impl this is always so.",
)
@click.option("-x", "--exit-first", is_flag=True, help="Stop at the first failure.")
@click.option("-q", "--quiet", is_flag=True, help="Only the summary, no stories.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Run N cases at a time, each in a process of its own; the results are the same.",
)
@shard_option
@deadline_option
@click.option("--fail-on-flaky", is_flag=True, help="Exit with 1 where a case is FLAKY.")
@baseline_options
@click.option(
    "--results",
    "results_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every result to this file, as JSON lines.",
)
@error_map_option
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    implementations: tuple[str, ...],
    chosen: Selection,
    corpus: Corpus,
    levels: tuple[str, ...],
    sweep: str,
    no_tolerance: bool,
    exit_first: bool,
    quiet: bool,
    jobs: int,
    shard: Shard | None,
    deadline: float,
    fail_on_flaky: bool,
    baselines: Baselines,
    results_file: Path | None,
    error_map: dict[str, str] | None,
    outputs: Outputs,
) -> None:
    """Judge each IMPL, by default httplib_impl.

    IMPL is an importable module (`http.client`), an interpreter and a module
    (`python2.7:httplib`), a library that patches the standard one and a module
    (`gevent:http.client`), any program that speaks the driver protocol
    (`exec:./my-driver --flag`), or a client with another interface (`client:requests`,
    `client:cmd:curl -sS {url}`, `client:all` for all that are built in). Two clients or more are
    shown as one matrix; one that is not installed is shown as it was recorded.

    What no baseline foresees is run again: alone in a fresh process, and after the same cases as
    before. What is fine both times is FLAKY: listed, counted neither as passed nor as failed, and a
    failure only with --fail-on-flaky.
    """
    found = list(chain.from_iterable(map(targets, implementations or (OURS,))))
    limits = {
        "--select": bool(chosen.select),
        "--exclude": bool(chosen.exclude),
        "--cases": corpus.has_own,
        "--level": not set(JUDGED_LEVELS) <= set(levels),
        "--shard": shard is not None,
        "-x": exit_first,
    }
    filtered = next((option for option, given in limits.items() if given), "")
    baselines.check(len(found), filtered)
    usual = ctx.get_parameter_source("levels") is ParameterSource.DEFAULT
    cases = _sharded(chosen.of(corpus, levels, usual=usual), shard)
    # What a case is worth to httplib says nothing about its worth to other clients.
    of_clients = chosen.of(corpus, LEVELS if usual else levels, usual=usual)
    if not cases and not any(one.for_clients for one in _sharded(of_clients, shard).listed):
        why = "; ".join(chosen.complaints(corpus)) or "`httplib-kit list` shows them"
        click.echo(f"httplib-kit: no case is selected; {visible_text(why)}", err=True)
        ctx.exit(EXIT_NOTHING)
    say_what_matches_nothing(chosen, corpus)
    _check_the_others(found[1:], error_map, baselines, corpus)
    background, out = Background(corpus), sys.stdout
    runs: list[Run] = []
    clients: list[Run] = []
    with _results_file(results_file) as written, outputs.opened() as write:
        for index, one in enumerate(found):
            with Check(
                one,
                error_map=error_map,
                jobs=jobs,
                exit_first=exit_first,
                tolerant=not no_tolerance,
                deadline=deadline,
            ) as one_check:
                identity = one_check.identity
                is_client = identity.is_client
                mine = _sharded(of_clients.for_clients(), shard) if is_client else cases
                every = mine.swept(cast("Sweep", sweep))
                known = baselines.known(identity, corpus, every)
                one_check.listing = known.listing
                one_check.run(every, partial(_with_progress, total=len(every), name=one.written))
                results = one_check.finished(background)
            head = RunHead.of(
                identity,
                kit=version("httplib-kit"),
                corpus=corpus.digest,
                deadline=deadline,
            )
            head = msgspec.structs.replace(head, fail_on_flaky=fail_on_flaky)
            runs.append(Run(known.head(head, whole=not filtered), results))
            # A case in this process may have put something else in the place of sys.stdout.
            if is_client and len(found) > 1:
                clients.append(runs[-1])
            else:
                out.write("\n" if index else "")
                tell_person(runs[-1], out, stories=not quiet)
            if baselines.update:
                click.echo(known.write(head, results), file=out)
        if clients:
            # What was recorded was judged in the usual way, and without a setting.
            plain = sweep == "none" and not no_tolerance and error_map is None
            lines = matrix(clients, recorded_clients(clients, corpus) if plain else None)
            out.writelines(f"{line}\n" for line in lines)
        if written is not None:
            try:
                written.write((run.head, run.results) for run in runs)
            except OSError as error:  # the disk is full, say
                raise _cannot_write(results_file, error) from None
        write(runs)
    ctx.exit(worst(run.exit_code for run in runs))


def _check_the_others(
    others: Iterable[Implementation],
    error_map: Mapping[str, str] | None,
    baselines: Baselines,
    corpus: Corpus,
) -> None:
    """Refuse what cannot be started or has no baseline before the first one is run."""
    for one in others:
        with Check(one, error_map=error_map) as started:
            baselines.known(started.identity, corpus, ())


def _sharded(cases: Cases, shard: Shard | None) -> Cases:
    return cases if shard is None else cases.where(lambda case: shard.has(case.id))


def _results_file(path: Path | None) -> AbstractContextManager[ResultFile | None]:
    if path is None:
        return nullcontext()
    try:
        return ResultFile(path)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path | None, error: OSError) -> click.UsageError:
    return click.UsageError(f"--results: cannot write {path}: {error.strerror}")


def _with_progress(results: Iterable[Result], total: int, name: str) -> Iterator[Result]:
    """Yield *results*, with a bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    # Colours can be forced where no terminal is; a bar there is only a row of lines.
    if not (console.is_terminal and sys.stderr.isatty()):
        yield from results
        return
    columns = (TextColumn(visible_text(name), markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(name, total=total)
        for result in results:
            progress.advance(task)
            yield result
