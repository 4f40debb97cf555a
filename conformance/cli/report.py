"""``httplib-kit report``: the reports of `check`, from result files."""

import sys
from pathlib import Path

import click

from conformance.cli.outputs import Outputs, Screen, output_options, view_options
from conformance.report import EXIT_ERROR, NoReport, View, matrix, read_runs, worst_code


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="RESULTS...",
)
@output_options
@view_options
@click.option("--exit-code", is_flag=True, help="Exit with the exit code of that check.")
@click.pass_context
def report(
    ctx: click.Context, files: tuple[Path, ...], outputs: Outputs, view: View, exit_code: bool
) -> None:
    """Write reports from RESULTS, the files of `check --results`.

    The shards of one implementation are reported as one run, two or more clients as one matrix. If
    results are missing, every report says so, and the exit code is 2.
    """
    try:
        runs = read_runs(files)
    except NoReport as error:
        raise click.UsageError(str(error)) from None
    screen = Screen(sys.stdout)
    outputs.check()
    with outputs.opened() as write:
        clients = [run for run in runs if run.is_client] if len(runs) > 1 else []
        for index, run in enumerate(run for run in runs if not (clients and run.is_client)):
            screen.write("\n" if index else "")
            screen.show(run, view)
        if clients:
            screen.write("".join(f"{line}\n" for line in matrix(clients, width=screen.width)))
        problems = write(runs)
    if screen.has_failed(runs, problems):
        ctx.exit(EXIT_ERROR)
    if exit_code:
        ctx.exit(worst_code(run.exit_code for run in runs))
