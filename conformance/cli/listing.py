"""``httplib-kit list``: the cases, and what they cover."""

import sys
from collections.abc import Iterable, Mapping

import click

from conformance.cases import DOCUMENTED, LEVELS, PARENTS, Corpus, Listed, load_requirements
from conformance.cli.coverage import Coverage
from conformance.cli.options import (
    Selection,
    level_option,
    own_cases_or_set,
    say_what_a_set_lacks,
    say_what_matches_nothing,
    selection,
)
from conformance.wording import counted, near_clause

_SPECIAL: Mapping[str, str] = {
    "ImproperConnectionState": (
        "the page lists it as a base only: CannotSendRequest, CannotSendHeader and "
        "ResponseNotReady are raised, it never is"
    ),
    "UnimplementedFileMode": (
        "the page names no condition for it; with Python 3's types it is for a body file that "
        "cannot give bytes, which is recorded and never judged (level observe)"
    ),
}
"""Why a documented exception has no judged case."""


@click.command("list")
@selection
@own_cases_or_set
@level_option
@click.option(
    "--requirement", metavar="ID", help="Only cases for this requirement (`--coverage` lists them)."
)
@click.option(
    "--exception",
    type=click.Choice(sorted(PARENTS)),
    metavar="NAME",
    help="Only cases in which a call must raise this exception, of every level.",
)
@click.option(
    "--authored", is_flag=True, help="Show each grid once, instead of the cases that it expands to."
)
@click.option(
    "--coverage",
    is_flag=True,
    help="Show the documented requirements, with the number of cases for each.",
)
@click.option(
    "--rfc",
    is_flag=True,
    help="With --coverage: what RFC 9112 and RFC 9110 demand of clients, in place of the page.",
)
@click.pass_context
def list_cases(
    ctx: click.Context,
    chosen: Selection,
    corpus: Corpus,
    levels: tuple[str, ...],
    requirement: str | None,
    exception: str | None,
    authored: bool,
    coverage: bool,
    rfc: bool,
) -> None:
    """List cases; without a terminal, only ids, one on each line."""
    if exception is not None and not _is_given(ctx, "levels"):
        levels = LEVELS
    cases: Iterable[Listed] = chosen.of(corpus, levels, usual=not _is_given(ctx, "levels")).listed
    say_what_matches_nothing(chosen, corpus)
    say_what_a_set_lacks(chosen, corpus, levels)
    if chosen and not cases and (others := chosen.of(corpus).listed):
        found = ", ".join(dict.fromkeys(one.level for one in others))
        line = f"not listed: {counted(len(others), 'case')} of the level {found}; add --level all"
        click.echo(f"httplib-kit: {line}", err=True)
    if requirement is not None:
        _check_requirement(requirement)
        cases = [case for case in cases if requirement in case.spec]
    if exception is not None:
        cases = [case for case in cases if exception in case.raises]
        _explain(exception)
    if coverage:
        # A session is judged, and its level says nothing: that is about httplib's interface.
        every = () if _is_given(ctx, "levels") else chosen.of(corpus, LEVELS).listed
        cases = [*cases, *(one for one in every if one.is_session)]
        ctx.exit(_show_rules(tuple(cases)) if rfc else _show_coverage(tuple(cases)))
    if rfc:
        raise click.UsageError("--rfc is for --coverage: list --coverage --rfc")
    rows = _authored(cases) if authored else [_row(case, case.id) for case in cases]
    if not sys.stdout.isatty():
        click.echo("".join(f"{name}\n" for _, name, _ in rows), nl=False)
        return
    from conformance.report import visible_text  # a list that is piped needs no reports

    width = max((len(name) for _, name, _ in rows), default=0)
    for level, name, title in rows:
        head = f"{level:<{max(map(len, LEVELS))}}  {visible_text(name):<{width}}"
        click.echo(f"{head}  {visible_text(title)}")
    click.echo(counted(len(rows), "case"))


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def _check_requirement(name: str) -> None:
    """Check that the page has the requirement; the error lists those that it has."""
    ids = list(load_requirements())
    if name in ids:
        return
    hint = near_clause(name, ids, "; `list --coverage` shows them all")
    raise click.UsageError(f"no requirement is called {name!r}{hint}")


def _explain(exception: str) -> None:
    """Write on standard error what the list itself does not show."""
    if exception in _SPECIAL:
        click.echo(f"{exception}: {_SPECIAL[exception]}", err=True)
    elif exception not in DOCUMENTED:
        click.echo(f"{exception}: not an exception of the page", err=True)


def _show_coverage(cases: tuple[Listed, ...]) -> int:
    """Print what *cases* cover; return 1 if a requirement or a real bug has no case."""
    found = Coverage(cases)
    lines = found.table() if sys.stdout.isatty() else found.plain()
    for line in lines:
        click.echo(line)
    return 1 if found.missing or found.uncaught else 0


def _show_rules(cases: tuple[Listed, ...]) -> int:
    """Print how many of *cases* are about each demand of an RFC; one without a case is no fault."""
    found = Coverage(cases)
    lines = found.rule_table() if sys.stdout.isatty() else map("\t".join, found.rules())
    for line in lines:
        click.echo(line)
    return 0


Row = tuple[str, str, str]


def _row(case: Listed, name: str) -> Row:
    return case.level, name, case.title


def _authored(cases: Iterable[Listed]) -> list[Row]:
    rows: dict[str, Row] = {}
    for case in cases:
        rows.setdefault(case.authored, _row(case, case.authored))
    return list(rows.values())
