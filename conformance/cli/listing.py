"""``httplib-kit list``: which cases there are."""

import sys
from collections.abc import Iterable

import click

from conformance.cases import Case, load_corpus
from conformance.cases.corpus import LEVELS
from conformance.cases.names import PARENTS
from conformance.cli.options import level_option, selection


@click.command("list")
@selection
@level_option
@click.option("--requirement", metavar="ID", help="Only cases for this requirement of spec.toml.")
@click.option(
    "--exception",
    type=click.Choice(sorted(PARENTS)),
    metavar="NAME",
    help="Only cases in which an op must raise this.",
)
@click.option("--authored", is_flag=True, help="Cases as they were written: a grid counts once.")
def list_cases(
    globs: tuple[str, ...],
    levels: tuple[str, ...],
    requirement: str | None,
    exception: str | None,
    authored: bool,
) -> None:
    """List cases; piped, one expanded case a line without a header."""
    cases: Iterable[Case] = load_corpus().select(globs, levels)
    if requirement is not None:
        cases = [case for case in cases if requirement in case.spec]
    if exception is not None:
        cases = [case for case in cases if _raises(case, exception)]
    rows = _authored(cases) if authored else [_row(case, case.id) for case in cases]
    if not sys.stdout.isatty():
        click.echo("".join(f"{name}\n" for _, name, _ in rows), nl=False)
        return
    width = max((len(name) for _, name, _ in rows), default=0)
    for level, name, title in rows:
        click.echo(f"{level:<{max(map(len, LEVELS))}}  {name:<{width}}  {title}")
    click.echo(f"{len(rows)} cases")


def _raises(case: Case, exception: str) -> bool:
    return any(
        exception in expectation.raises
        for outcome in case.outcomes
        if outcome.grade == "pass"
        for expectation in outcome.ops.values()
    )


Row = tuple[str, str, str]


def _row(case: Case, name: str) -> Row:
    return case.level, name, case.title


def _authored(cases: Iterable[Case]) -> list[Row]:
    rows: dict[str, Row] = {}
    for case in cases:
        rows.setdefault(case.authored, _row(case, case.authored))
    return list(rows.values())
