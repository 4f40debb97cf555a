"""``httplib-kit record``: store what implementations do with each case, as golden records."""

import glob
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from conformance.cases import Case, Corpus, client_cases, load_corpus
from conformance.cli.options import (
    Selection,
    complete_implementation,
    deadline_option,
    jobs_option,
    name_options,
    say_what_matches_nothing,
    selection,
)
from conformance.drivers import Implementation, UnknownImplementation, targets
from conformance.drivers.clients import PREFIX
from conformance.report import visible_text
from conformance.results.golden import (
    Book,
    BookError,
    Recorded,
    observed_directory,
    read_book,
    write_book,
)
from conformance.run import ROSTER, NotRecorded
from conformance.run import record as record_one
from conformance.wording import counted

_SHOWN = 10
_AGAIN = 2
_Made = tuple[str, Recorded, list[tuple[Case, object]]]
"""A key, an implementation, and its observation of each case."""


@click.command()
@click.argument(
    "implementations", nargs=-1, metavar="[IMPL]...", shell_complete=complete_implementation
)
@name_options
@click.option(
    "--all", "roster", is_flag=True, help="Every implementation of which there is a record."
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory of the records; by default that of the fixtures.",
)
@selection
@deadline_option
@click.option(
    "--resume",
    is_flag=True,
    help="Leave out each IMPL of which every case has been recorded in its present form.",
)
@click.option("--check", is_flag=True, help="Write nothing; list the differences from the records.")
@jobs_option
@click.pass_context
def record(
    ctx: click.Context,
    implementations: tuple[str, ...],
    names: tuple[str, ...],
    versions: tuple[str, ...],
    roster: bool,
    directory: Path | None,
    chosen: Selection,
    deadline: float,
    resume: bool,
    check: bool,
    jobs: int,
) -> None:
    """Record what each IMPL does, or compare it with its record.

    With `--all`, and where a pattern such as `client:all` selects several, the record of an
    implementation that is not installed or cannot be judged stays unchanged. Each record is written
    when it is complete. Of cases with one GET and the same script, a client plays one, whose record
    stands for the others. The exit code is 1 if `--check` finds a difference.
    """
    if roster == bool(implementations):
        raise click.UsageError("record needs an IMPL, or --all")
    place = directory or observed_directory()
    try:
        book = read_book(place).whole()
    except BookError as error:
        raise click.UsageError(str(error)) from None
    corpus = load_corpus()
    cases = chosen.of(corpus)
    say_what_matches_nothing(chosen, corpus)
    if not cases:
        raise click.UsageError("no case is selected")
    differs = False
    given = targets(*implementations, names=names, versions=versions)
    for one in given or chain.from_iterable(map(_found, ROSTER)):
        played = corpus.played(cases) if one.written.startswith(PREFIX) else cases
        if resume and _is_complete(book, one, played):
            click.echo(f"{one.written}: already recorded")
            continue
        made = _recorded(one, played, jobs, deadline, must=one.written in implementations)
        if made is None:
            continue
        key, recorded, seen = made
        if check:
            differs |= _compared(book, one, corpus, made, deadline)
            continue
        book.put(key, recorded, seen, whole=not chosen)
        write_book(place, book, corpus.cases)
        who = visible_text(f"{key}: {recorded.name} {recorded.version}")
        click.echo(f"{who}, {counted(len(seen), 'case')} recorded")

    ctx.exit(1 if differs else 0)


def _is_complete(book: Book, one: Implementation, cases: Sequence[Case]) -> bool:
    """Return whether *book* has an observation of each of *cases* that *one*, a client, runs."""
    keys = [key for key, known in book.implementations.items() if known.written == one.written]
    is_client = one.written.startswith(PREFIX)
    wanted = client_cases(cases) if is_client else (it for it in cases if it.profile == "httplib")
    return bool(keys) and all(keys[0] in book.of(case) for case in wanted)


def _found(written: str) -> list[Implementation]:
    """Return what *written*, a part of the roster, names; none, with a line, if it is not there."""
    try:
        return targets(written)
    except UnknownImplementation as error:
        _absent(written, str(error))
        return []


def _recorded(
    one: Implementation,
    cases: Sequence[Case],
    jobs: int,
    deadline: float,
    *,
    must: bool,
) -> _Made | None:
    try:
        return record_one(one, cases, jobs=jobs, deadline=deadline)
    except NotRecorded as error:
        if must:
            problem = str(error)
            place = "" if problem.startswith(one.written) else f"{one.written}: "
            raise click.UsageError(f"{place}{problem}") from None
        _absent(one.written, str(error))
        return None


def _absent(written: str, why: str) -> None:
    click.echo(f"{written}: not recorded, kept as it was: {visible_text(why)}")


def _compared(
    book: Book, one: Implementation, corpus: Corpus, made: _Made, deadline: float
) -> bool:
    """Print the differences from *book*; return whether there are any.

    What a client does can depend on what arrives first, so the cases that differ are run again, up
    to `_AGAIN` times.
    """
    key, recorded, seen = made
    before = book.implementations.get(key)
    if before is None:
        click.echo(f"{key}: not recorded")
        return True
    changed = _changed(book, key, seen)
    if before.version != recorded.version:
        versions = f"recorded {before.version}, here is {recorded.version}"
        click.echo(visible_text(f"{key}: {versions}"))
    for _ in range(_AGAIN if before.version == recorded.version else 0):
        if not changed:
            break
        some = corpus.select(map(glob.escape, changed))
        found = _recorded(one, some, 1, deadline, must=True)
        changed = changed if found is None else _changed(book, key, found[2])
    click.echo(f"{key}: {len(changed)} of {counted(len(seen), 'case')} differ")
    _list(changed)
    return bool(changed)


def _changed(book: Book, key: str, seen: Iterable[tuple[Case, object]]) -> list[str]:
    return [case.id for case, encoded in seen if not book.has(key, case, encoded)]


def _list(names: Sequence[str]) -> None:
    for name in names[:_SHOWN]:
        click.echo(f"  {name}")
    if len(names) > _SHOWN:
        click.echo(f"  and {len(names) - _SHOWN} more")
