"""``httplib-kit check``: run the corpus against implementations, and say what is broken."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import cast

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from certs import CertificateAuthority
from conformance.cases import Case, client_cases, load_corpus, swept
from conformance.cases.corpus import LEVELS
from conformance.cases.sweeps import Sweep
from conformance.cli.options import error_map_option, level_option, selection
from conformance.cli.outputs import Outputs, output_options, tell_person
from conformance.drivers import targets
from conformance.drivers.factory import OURS
from conformance.report import Run, matrix
from conformance.report.standing import EXIT_NOTHING, TOLD, standing, worst
from conformance.run import Result, ResultFile, RunHead, Runner
from conformance.run.background import Background


@click.command()
@click.argument("implementations", nargs=-1, metavar="[IMPL]...")
@selection
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
    globs: tuple[str, ...],
    levels: tuple[str, ...],
    sweep: str,
    no_tolerance: bool,
    exit_first: bool,
    quiet: bool,
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
    shown as one matrix.
    """
    found = list(chain.from_iterable(map(targets, implementations or (OURS,))))
    if results_file is not None and len(found) > 1:
        raise click.UsageError("--results takes the results of one implementation")
    corpus = load_corpus()
    cases = corpus.select(globs, levels)
    # What a case is worth to httplib says nothing about its worth to other clients.
    usual = ctx.get_parameter_source("levels") is ParameterSource.DEFAULT
    for_clients = list(client_cases(corpus.select(globs, LEVELS if usual else levels)))
    if not cases and not for_clients:
        click.echo("httplib-kit: no case is selected", err=True)
        ctx.exit(EXIT_NOTHING)
    background, out = Background(corpus), sys.stdout
    runs: list[Run] = []
    clients: list[Run] = []
    with _results_file(results_file) as written, outputs.opened() as write:
        for index, one in enumerate(found):
            tolerant = not (no_tolerance or one.is_reference)
            with Runner(one, CertificateAuthority(), error_map, tolerant=tolerant) as runner:
                head = RunHead.of(runner.identity, kit=version("httplib-kit"), corpus=corpus.digest)
                is_client = runner.identity.is_client
                every = _varied(for_clients if is_client else cases, cast("Sweep", sweep))
                results = list(background.told(_judged(runner, every, exit_first)))
            runs.append(Run(head, results))
            # A case in this process may have put something else in the place of sys.stdout.
            if is_client and len(found) > 1:
                clients.append(runs[-1])
            else:
                out.write("\n" if index else "")
                tell_person(runs[-1], out, stories=not quiet)
            if written is not None:
                written.write(head, results)
        if clients:
            out.writelines(f"{line}\n" for line in matrix(clients))
        write(runs)
    ctx.exit(worst(run.exit_code for run in runs))


def _varied(cases: Iterable[Case], sweep: Sweep) -> list[Case]:
    return list(chain.from_iterable(swept(case, sweep) for case in cases))


def _results_file(path: Path | None) -> AbstractContextManager[ResultFile | None]:
    if path is None:
        return nullcontext()
    try:
        return ResultFile(path)
    except OSError as error:
        raise click.UsageError(f"--results: cannot write {path}: {error.strerror}") from None


def _judged(runner: Runner, cases: Sequence[Case], exit_first: bool) -> Iterator[Result]:
    """Yield the results of *cases*, through the first failure where *exit_first*."""
    for result in _with_progress(runner.run(cases), len(cases), runner.identity.written):
        yield result
        if exit_first and standing(result) in TOLD:
            return


def _with_progress(results: Iterable[Result], total: int, name: str) -> Iterator[Result]:
    """Yield *results*, with a bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from results
        return
    columns = (TextColumn(name, markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(name, total=total)
        for result in results:
            progress.advance(task)
            yield result
