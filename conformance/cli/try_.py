"""``httplib-kit try``: any bytes, without a case, and what each implementation does with them.

The input is a file of bytes, and implementations.  The output is their calls side by side, and, if
requested, a case file with these bytes to edit.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.cases import Case, load_text, page
from conformance.cli.options import deadline_option
from conformance.drivers import OURS, targets
from conformance.export import READERS, CaptureError
from conformance.judge import (
    ERRORS,
    NOT_RUN,
    Verdict,
)
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_NOTHING,
    EXIT_OK,
    Refused,
    WholeFile,
    inert_line,
    visible_text,
)
from conformance.run import ENDS, NotTried, Trial, compared, trial_text, tried

MOST = 16 * 1024 * 1024
"""Bytes that are played at most; a case file may contain a few times as many."""
_COLUMN = 44


@click.command("try")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option(
    "--impl",
    "implementations",
    multiple=True,
    metavar="IMPL",
    help="An implementation, written as for check (repeatable); by default httplib_impl.",
)
@deadline_option
@click.option("--method", default="GET", show_default=True, help="The method of the request.")
@click.option(
    "--end",
    type=click.Choice(ENDS),
    default="fin",
    show_default=True,
    help="How the connection ends after the bytes: FIN, a reset, or not at all.",
)
@click.option(
    "--entry",
    type=click.IntRange(1),
    metavar="N",
    help="Of a FILE that has several: the N-th TCP stream of a .pcap, or entry of a .har.",
)
@click.option(
    "--save-case",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the bytes as a new case file for you to edit; no file is replaced.",
)
@click.pass_context
def try_octets(
    ctx: click.Context,
    file: Any,
    implementations: tuple[str, ...],
    deadline: float,
    method: str,
    end: str,
    entry: int | None,
    save_case: Path | None,
) -> None:
    """Send the bytes of FILE to each IMPL; compare what they do.

    FILE is `-` for standard input. Of a `.pcap` or `.pcapng` it is what the server sent in one TCP
    stream, of a `.har` a response. The kit reads one request and answers it with these bytes.
    Nothing is judged: the result of each call is shown, one column for each IMPL. An IMPL that
    makes no progress hangs: the kit resets its connection. Exit codes: 0 all calls ended, 1 an IMPL
    hung or crashed, 2 an error of the kit, of a driver or in the usage, 3 nothing was run.
    """
    if save_case is not None and save_case.is_file():  # it may be FILE
        raise click.UsageError(f"--save-case: {save_case} is there already")
    octets = _octets(file, entry)
    found = [one for written in implementations or (OURS,) for one in targets(written)]
    name = save_case.stem if save_case is not None else "tried"
    text = trial_text(octets, name, method, end)
    case = load_text(text, f"{name}.toml")[0]
    if save_case is not None:
        _save(save_case, text)
    try:
        results = [tried(one, case, method, deadline) for one in found]
    except NotTried as problem:
        hint = f"leave {method!r} or this --impl out"
        raise click.UsageError(f"--method: {problem}; {hint}") from None
    _tell(case, results)
    if save_case is not None:
        click.echo(
            f"\n{save_case} is a case file now; {page('fixtures/README.md')} describes the format"
        )
    ctx.exit(_exit_code(results))


def _octets(file: Any, entry: int | None) -> bytes:
    """Return the bytes to send: those of *file*, or of an exchange that it has."""
    octets: bytes = file.read(MOST + 1)
    if len(octets) > MOST:
        raise click.UsageError(f"{file.name}: more than {MOST} bytes")
    read = READERS.get(Path(file.name).suffix.lower())
    if read is None:
        if entry is not None:
            raise click.UsageError(f"--entry: {file.name} is sent as a whole")
        return octets
    try:
        octets, note = read(octets, entry)
    except CaptureError as error:
        raise click.UsageError(f"{file.name}: {error}") from None
    if note:
        click.echo(f"httplib-kit: {visible_text(note)}", err=True)
    return octets


def _save(path: Path, text: str) -> None:
    try:
        WholeFile(path).write(text.encode())
    except Refused as error:
        raise click.UsageError(f"--save-case: {error}") from None


def _exit_code(tried: Iterable[Trial]) -> int:
    """Return 2 after an error of kit or driver, 1 if one hung or died, 3 if none ran."""
    verdicts = {one.verdict for one in tried}
    if verdicts & ERRORS:
        return EXIT_ERROR
    if verdicts & {Verdict.HANG, Verdict.CRASH}:
        return EXIT_FAILED
    return EXIT_OK if verdicts - NOT_RUN else EXIT_NOTHING


def _tell(case: Case, tried: Sequence[Trial]) -> None:
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 20 + (_COLUMN + 2) * len(tried)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for one in tried:
        table.add_column(Text(visible_text(one.label)), overflow="fold", max_width=_COLUMN)
    for call, results in compared(case, tried):
        table.add_row(Text(call), *(Text(visible_text(one)) for one in results))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(inert_line(line.rstrip()))
