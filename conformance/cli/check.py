"""``httplib-kit check``: run the corpus against implementations, and report the failures."""

import contextlib
import ctypes
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import time
from typing import cast

import click
from click.core import ParameterSource

from conformance.cases import LEVELS, Corpus, Sweep, with_own
from conformance.cli.baselines import Baselines, Known, baseline_options
from conformance.cli.ending import Ending
from conformance.cli.judging import Judging, Plan, without
from conformance.cli.options import (
    Selection,
    complete_implementation,
    deadline_option,
    error_map_option,
    jobs_option,
    level_option,
    name_options,
    own_cases_or_set,
    say_what_a_set_lacks,
    say_what_matches_nothing,
    selection,
    shard_option,
)
from conformance.cli.outputs import Outputs, Screen, output_options, view_options
from conformance.cli.recorded import recorded_clients
from conformance.drivers import OURS, targets
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_NOTHING,
    EXIT_OK,
    Run,
    View,
    matrix,
    visible_text,
    worst_code,
)
from conformance.results import ResultFile, Shard
from conformance.results.golden import BookError

_M_MMAP_THRESHOLD = -3
"""The parameter of `mallopt` that sets from which size a block is mapped by itself."""


@click.command()
@click.argument(
    "implementations", nargs=-1, metavar="[IMPL]...", shell_complete=complete_implementation
)
@name_options
@selection
@own_cases_or_set
@click.option(
    "--fresh",
    type=click.IntRange(0),
    metavar="SEED",
    help="Run cases that no one has seen, drawn by this seed; equal seeds give equal cases.",
)
@level_option
@click.option(
    "--sweep",
    type=click.Choice(["none", "each", "product"]),
    default="none",
    show_default=True,
    help="Vary how bytes are cut into segments, how bodies are read, how connections end.",
)
@click.option(
    "--no-tolerance",
    is_flag=True,
    help="Accept only outcomes of grade pass, as is always done for httplib_impl.",
)
@click.option("-x", "--exit-first", is_flag=True, help="Stop at the first failure.")
@view_options
@jobs_option
@shard_option
@deadline_option
@click.option(
    "--wait-for-hangs",
    is_flag=True,
    help="Give each case that hangs the whole deadline, as is always done with a baseline; by "
    "default, a case that is where others have hung is given up sooner, as NOT_RUN.",
)
@click.option("--fail-on-flaky", is_flag=True, help="Exit with 1 if a case is FLAKY.")
@baseline_options
@click.option(
    "--results",
    "results_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every result to this file, as JSON lines, for `report` and `diff`.",
)
@click.option(
    "--times",
    is_flag=True,
    help="Record how long each case took, for --junit and --ctrf; without it, equal runs give "
    "equal files.",
)
@error_map_option
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    implementations: tuple[str, ...],
    names: tuple[str, ...],
    versions: tuple[str, ...],
    chosen: Selection,
    corpus: Corpus,
    fresh: int | None,
    levels: tuple[str, ...],
    sweep: str,
    no_tolerance: bool,
    exit_first: bool,
    view: View,
    jobs: int,
    shard: Shard | None,
    deadline: float,
    wait_for_hangs: bool,
    fail_on_flaky: bool,
    baselines: Baselines,
    results_file: Path | None,
    times: bool,
    error_map: dict[str, str] | None,
    outputs: Outputs,
) -> None:
    """Judge each IMPL, by default httplib_impl.

    A module is judged as a drop-in replacement for the httplib of Python 2.7: an importable module
    (`http.client`), a module of another interpreter (`python2.7:httplib`), or a module after gevent
    has patched the standard library (`gevent:http.client`).

    A client is judged by RFC 9112: `client:requests`, a module with the interface of httplib
    (`client:httplib:http.client`), a command that is run for each case (`client:cmd:curl -sS
    {url}`), a browser that a command starts (`client:browser:chromium`), or clients by a pattern
    (`client:all`, `client:ruby-*`, `client:engine=undici`, `client:language=perl`). Two or more
    clients are shown as one matrix; the row of a client that is not installed comes from its
    record.

    A program that speaks the driver protocol (`exec:./my-driver --flag`) is judged as one or the
    other; its driver declares which.

    An unexpected result is run again: alone in a fresh process, and after the same cases as before.
    A case that then passes both times is FLAKY: it is listed, counts neither as passed nor as
    failed, and fails the run only with --fail-on-flaky.
    """
    _return_large_blocks()
    named = implementations or (OURS,)
    found = targets(*named, names=names, versions=versions)
    if fresh is not None:
        from conformance.course import fresh_file  # it imports hypothesis

        corpus = with_own(corpus, [fresh_file(fresh)])
    plan = Plan(
        chosen=chosen,
        corpus=corpus,
        levels=levels,
        usual=ctx.get_parameter_source("levels") is ParameterSource.DEFAULT,
        sweep=cast("Sweep", sweep),
        tolerant=not no_tolerance,
        exit_first=exit_first,
        jobs=jobs,
        shard=shard,
        deadline=deadline,
        patient=wait_for_hangs,
        fail_on_flaky=fail_on_flaky,
        baselines=baselines,
        error_map=error_map,
        among=[one.written for one in found] if len(found) > 1 else [],
        started=int(time()) if times else 0,
    )
    limits = {"-x": exit_first, "--shard": shard is not None, "--set": corpus.set is not None}
    baselines.check(len(found), limits, plan.scope)
    outputs.check(("--results", results_file), baselines.written)
    if plan.is_empty:
        why = "; ".join(chosen.complaints(corpus)) or "`httplib-kit list` shows them"
        click.echo(f"httplib-kit: no case is selected; {visible_text(why)}", err=True)
        say_what_a_set_lacks(chosen, corpus, LEVELS)
        ctx.exit(EXIT_NOTHING)
    say_what_matches_nothing(chosen, corpus)
    found = [*plan.startable(found, named)]
    if not found:
        ctx.exit(EXIT_ERROR)
    plan = replace(plan, among=plan.among and [one.written for one in found])

    # A case in this process may replace sys.stdout.
    screen = Screen(sys.stdout)
    runs: list[Run] = []
    problems: list[str] = []
    with (
        Ending() as ending,
        _results_file(results_file) as written,
        outputs.opened(corpus) as write,
    ):
        judging = Judging(plan, ending, written)
        for run, known in judging.each(found):
            if not (run.is_client and len(found) > 1):
                screen.write("\n" if runs else "")
                screen.show(run, view)
            runs.append(run)
            problems += _updated(known, run, screen) if baselines.update else []
        if judging.gap:
            runs[-1] = without(runs[-1], judging.gap)
        if len(found) > 1:
            # Records were made with the usual judgement, and without settings.
            plain = sweep == "none" and not no_tolerance and error_map is None
            problems += _matrix(runs, corpus if plain else None, screen)
        problems += _written(written, results_file, runs)
        problems += write(runs)
    if screen.has_failed(runs, problems):
        ctx.exit(EXIT_ERROR)
    code = worst_code(run.exit_code for run in runs)
    # After an update, what failed is known.
    ctx.exit(EXIT_OK if baselines.update and code == EXIT_FAILED else code)


def _matrix(runs: Iterable[Run], corpus: Corpus | None, screen: Screen) -> list[str]:
    """Write the matrix of the clients among *runs*; return a line if that fails.

    Args:
        runs: of all implementations.
        corpus: judges the records of clients that are not installed; None to leave them out.
        screen: where it is written.
    """
    clients = [run for run in runs if run.is_client]
    if not clients:
        return []
    try:
        recorded = None if corpus is None else recorded_clients(clients, corpus)
    except BookError as error:
        return [str(error)]
    screen.write("".join(f"{line}\n" for line in matrix(clients, recorded, screen.width)))
    return []


def _updated(known: Known, run: Run, screen: Screen) -> list[str]:
    """Write the baseline; return a line if that fails."""
    if run.head.incomplete:
        return ["--update-baseline: nothing is written, for the run is incomplete"]
    try:
        screen.write(f"{known.write(run.head, run.results)}\n")
    except click.UsageError as error:
        return [error.message]
    return []


def _written(file: ResultFile | None, path: Path | None, runs: Iterable[Run]) -> list[str]:
    """Write the result file; return a line if that fails."""
    if file is None:
        return []
    try:
        file.write((run.head, run.results) for run in runs)
    except OSError as error:  # the disk is full, for example
        kept = "" if file.partial is None else f"; what fitted is in {file.partial}"
        return [f"{_cannot_write(path, error).message}{kept}"]
    return []


def _results_file(path: Path | None) -> AbstractContextManager[ResultFile | None]:
    if path is None:
        return nullcontext()
    try:
        return ResultFile(path)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path | None, error: OSError) -> click.UsageError:
    return click.UsageError(f"--results: cannot write {path}: {error.strerror}")


def _return_large_blocks() -> None:
    """Let the GNU C library return each block of a megabyte or more when it is freed.

    By default it keeps blocks of up to 32 MB for later, in each thread: after a few large bodies, a
    run that uses 60 MB occupied 180 MB. Other C libraries have no such call.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)
