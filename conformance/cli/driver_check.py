"""``httplib-kit driver-check``: report what is wrong with a driver, in plain words."""

import click

from conformance.cases import page
from conformance.driver_check import Checkup
from conformance.drivers import EXEC, START_PATIENCE, command_in
from conformance.report import visible_text


@click.command("driver-check", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, metavar="CMD", type=click.UNPROCESSED)
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=START_PATIENCE,
    show_default=True,
    help="The time in which the driver must start, in seconds.",
)
@click.pass_context
def driver_check(ctx: click.Context, command: tuple[str, ...], patience: float) -> None:
    """Check the driver CMD against the driver protocol.

    CMD is a program with its arguments, as one argument (as after `exec:`) or as several. Exit
    codes: 0 nothing is wrong, 1 something is wrong, 2 the program does not exist.
    """
    text = command[0].removeprefix(EXEC)
    words = command_in(text) if len(command) == 1 else (*command_in(text), *command[1:])
    wrong = 0
    for finding in Checkup(words, patience).findings():
        wrong += finding.kind == "wrong"
        click.echo(f"{finding.kind:<6} {finding.what:<16} {visible_text(finding.text)}")
    if wrong:
        click.echo(f"\n{wrong} wrong; {page('docs/driver-protocol.md')} describes the protocol")
    ctx.exit(1 if wrong else 0)
