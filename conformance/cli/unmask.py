"""``httplib-kit course unmask``: write the case that the reference passes and a liar fails."""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console

from conformance.cases import Case, load_corpus, own_files, page, with_own
from conformance.cli.lesson import NumberType
from conformance.course import (
    PROGRESS,
    CourseError,
    Liar,
    Progress,
    Unmasking,
    load_liars,
    unmaskings,
)
from conformance.drivers import OURS, target
from conformance.report import (
    EXIT_FAILED,
    Refused,
    WholeFile,
    lines_of,
    print_story,
    rows,
    visible_text,
)
from conformance.results import Result, RunHead

_SKELETON = """\
family = "mine"

[[case]]
id = "mine.liar-{number}"
title = "{about}"
level = "documented"
spec = ["HTTPResponse.read"]
why = "Say which rule the liar breaks."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
ops = [
  {{ call = "request", args = ["GET", "/"] }},
  {{ call = "getresponse" }},
  {{ get = "status" }},
  {{ get = "reason" }},
  {{ call = "getheader", args = ["X-Name"] }},
  {{ call = "read" }},
]
[[case.outcome]]                # what is right; an op that is left out must not raise
status = 200
read = "hello"                  # or {{ raises = "IncompleteRead" }}
"""


@click.command()
@click.argument("number", type=NumberType("liar", len(load_liars())), metavar="[N]", required=False)
@click.argument("file", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@click.option(
    "--new",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a case file to begin with; no file is replaced.",
)
@click.option(
    "--progress",
    type=click.Path(path_type=Path, dir_okay=False),
    default=PROGRESS,
    show_default=True,
    metavar="FILE",
    help="Your own file.",
)
@click.pass_context
def unmask(
    ctx: click.Context, number: int | None, file: Path | None, new: Path | None, progress: Path
) -> None:
    """Unmask liar N: write the case that the reference passes and the liar fails.

    Each liar is the reference with one fault, which is kept secret. FILE has your cases, in the
    format of the kit's; one of them has to unmask the liar, and the reference has to pass all.
    Without FILE, what the liar is about is shown; without N, all liars.
    """
    try:
        mine = Progress.read(progress)
        if number is None:
            for at, one in enumerate(load_liars(), 1):
                click.echo(f"{'x' if at in mine.unmasked else ' '} {at:>2}  {one.about}")
            return
        liar = load_liars()[number - 1]
        if new is not None:
            _begin(new, number, liar)
            return
        if file is None:
            _introduce(number, liar)
            return
        found = list(unmaskings(liar, _cases(file)))
        if not _tell(number, liar, found, file):
            ctx.exit(EXIT_FAILED)
        mine.unmasked = sorted({*mine.unmasked, number})
        mine.write(progress)
    except CourseError as error:
        raise click.UsageError(str(error)) from None


def _cases(file: Path) -> list[Case]:
    cases = list(with_own(load_corpus(), own_files([file])).select())
    if observed := [one.id for one in cases if one.profile == "client" or not one.outcomes]:
        raise click.UsageError(
            f"{file}: {observed[0]} has no [[case.outcome]], so nothing can fail"
        )
    return cases


def _begin(path: Path, number: int, liar: Liar) -> None:
    if path.exists():
        raise click.UsageError(f"--new: {path} is there already")
    try:
        WholeFile(path).write(_SKELETON.format(number=number, about=liar.about).encode())
    except Refused as error:
        raise click.UsageError(f"--new: {error}") from None
    click.echo(f"next: edit {path}; {page('fixtures/README.md')} describes the format")
    click.echo(f"then: httplib-kit course unmask {number} {path}")


def _introduce(number: int, liar: Liar) -> None:
    click.echo(f"Liar {number}: {liar.about}\n")
    click.echo(
        "It is the reference with one fault. Write a case that the reference passes and it fails."
    )
    click.echo(f"begin  httplib-kit course unmask {number} --new case.toml")
    click.echo(f"check  httplib-kit course unmask {number} case.toml")


def _tell(number: int, liar: Liar, found: list[Unmasking], file: Path) -> bool:
    """Write what the cases show; return whether they unmask the liar."""
    for one in found:
        if not one.is_right:
            click.echo(f"{visible_text(one.case.id)} is not right: the reference fails it\n")
            _story(one.true, f"httplib-kit course unmask {number} {shlex.quote(str(file))}")
            return False
    for one in found:
        if one.unmasks:
            click.echo(f"Unmasked. {liar.told}\n")
            _seen(one)
            return True
    for one in found:
        click.echo(f"liar {number} passes {visible_text(one.case.id)}")
    click.echo("It is not unmasked yet: change the bytes, or compare more of what it does.")
    return False


def _seen(one: Unmasking) -> None:
    """Write where the liar differs, without the bytes that it read in place of others."""
    click.echo(f"  case      {visible_text(one.case.id)}")
    click.echo(f"  at        {visible_text(one.lied.call or one.lied.where or one.lied.verdict)}")
    for text in one.lied.accepted:
        click.echo(f"  right     {visible_text(text)}")
    click.echo(f"  the liar  {visible_text(one.lied.seen or one.lied.reason)}")


def _story(result: Result, again: str) -> None:
    driver = target(OURS).make()
    head = RunHead.of(driver.identity, kit=version("httplib-kit"), corpus="", own=[])
    driver.stop()
    shown = list(rows(result, head, again=again))
    if sys.stdout.isatty():
        print_story(Console(highlight=False, markup=False, emoji=False), shown)
    else:
        click.echo("\n".join(lines_of(shown)))
