"""``httplib-kit export``: the corpus as one JSON document, or the play of a case as a capture."""

import contextlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import click

from conformance.cases import Corpus
from conformance.cli.options import (
    Selection,
    complete_case,
    find_case,
    levels_option,
    own_cases_or_set,
    say_what_a_set_lacks,
    say_what_matches_nothing,
    selection,
)
from conformance.drivers import OURS, targets
from conformance.export import NotPlayed, export_lines, pcap, played
from conformance.report import EXIT_NOTHING, Refused, WholeFile


@click.command()
@selection
@own_cases_or_set
@levels_option("all")
@click.option(
    "--pcap",
    "captured",
    metavar="CASE",
    shell_complete=complete_case,
    help="Write a capture of the play of CASE, for tools such as tshark.",
)
@click.option(
    "--impl",
    "implementation",
    metavar="IMPL",
    help="With --pcap: the client, written as for check; by default httplib_impl.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE instead of standard output.",
)
@click.pass_context
def export(
    ctx: click.Context,
    chosen: Selection,
    corpus: Corpus,
    levels: tuple[str, ...],
    captured: str | None,
    implementation: str | None,
    output: Path | None,
) -> None:
    """Write cases as one JSON document, for a runner in any language.

    Grids and shorthand are expanded, so that a runner needs nothing of the kit. Bytes are strings
    with one character for each, or repetitions; `fixtures/export.schema.json` is the JSON Schema.
    By default all cases are written.
    """
    if captured is not None:
        _write(output, [_capture(corpus, captured, implementation)])
        return
    if implementation is not None:
        raise click.UsageError("--impl: only a capture is played by a client; add --pcap CASE")
    cases = chosen.of(corpus, levels)
    say_what_matches_nothing(chosen, corpus)
    say_what_a_set_lacks(chosen, corpus, levels)
    if not cases:
        click.echo("httplib-kit: no case is selected; `httplib-kit list` shows them", err=True)
        ctx.exit(EXIT_NOTHING)
    frozen = "" if corpus.set is None else corpus.set.set
    lines = export_lines(cases, kit=version("httplib-kit"), corpus=corpus.digest, frozen=frozen)
    _write(output, (line.encode() for line in lines))


def _capture(corpus: Corpus, name: str, implementation: str | None) -> bytes:
    """Return the capture of the play of the case called *name*."""
    case = find_case(corpus, name)
    written = implementation or (f"client:httplib:{OURS}" if case.profile == "client" else OURS)
    (one, *others) = targets(written)
    if others:
        raise click.UsageError(f"--impl: {written} names several; a capture has one client")
    try:
        seen = played(case, one)
    except NotPlayed as error:
        raise click.UsageError(str(error)) from None
    if any(connection.tls is not None for connection in seen.connections):
        click.echo("httplib-kit: what was inside TLS is written in clear", err=True)
    return pcap(seen)


def _write(path: Path | None, parts: Iterable[bytes]) -> None:
    if path is None:
        for part in parts:
            click.echo(part, nl=False)
        return
    try:
        with contextlib.closing(WholeFile(path)) as file:
            file.write(parts)
    except Refused as error:
        raise click.UsageError(f"--output: {error}") from None
