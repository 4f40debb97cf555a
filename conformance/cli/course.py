"""``httplib-kit course``: build your own HTTP client, in stages that the corpus checks."""

import contextlib
import shlex
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console

from conformance.atlas import link, section_name
from conformance.cases import Corpus, load_corpus, with_own
from conformance.cli.lesson import NumberType, filled
from conformance.cli.unmask import unmask
from conformance.course import (
    FORMATS,
    LANGUAGES,
    PROGRESS,
    Checked,
    Course,
    CourseError,
    Mark,
    Progress,
    Stage,
    Work,
    begin,
    checked,
    load_stages,
    mark_of_results,
    mark_of_stage,
)
from conformance.drivers import EXEC, DriverError, UnknownImplementation, target
from conformance.report import (
    EXIT_FAILED,
    NoReport,
    lines_of,
    print_story,
    read_runs,
    rows,
    visible_text,
)
from conformance.results import Result, RunHead
from conformance.run import Background
from conformance.wording import counted

progress_option = click.option(
    "--progress",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=PROGRESS,
    show_default=True,
    metavar="FILE",
    help="Your own file: your client, and the stages that it has passed.",
)


_STAGE = NumberType("stage", len(load_stages()))


@click.group(invoke_without_command=True)
@progress_option
@click.pass_context
def course(ctx: click.Context, file: Path) -> None:
    """Build your own HTTP client, in stages that are checked.

    Without a command it lists the stages, and those that you have passed.
    """
    if ctx.invoked_subcommand is None:
        passed = _read(file).passed
        for number, stage in enumerate(load_stages(), 1):
            click.echo(f"{'x' if number in passed else ' '} {number:>2}  {stage.title}")
        click.echo()
        click.echo(_next(passed))


def _read(file: Path) -> Progress:
    try:
        return Progress.read(file)
    except CourseError as error:
        raise click.UsageError(str(error)) from None


def _next(passed: Iterable[int]) -> str:
    """Return a line that says what to do next."""
    number = next((one for one in range(1, len(load_stages()) + 1) if one not in passed), 0)
    if not number:
        return "You have passed every stage. `httplib-kit check` has thousands of further cases."
    return f"next: httplib-kit course show {number}"


course.add_command(unmask)


@course.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--language",
    type=click.Choice(list(LANGUAGES)),
    required=True,
    help="The language of your client.",
)
def new(directory: Path, language: str) -> None:
    """Write a template into DIR: a client that passes stage 1, and a driver around it."""
    try:
        written = begin(directory, language)
    except CourseError as error:
        raise click.UsageError(str(error)) from None
    for path in written:
        click.echo(path)
    click.echo(f"\nnext: cd {shlex.quote(str(directory))} && httplib-kit course check 1")


@course.command()
@click.argument("number", type=_STAGE, metavar="N")
@click.option("--hint", "hints", count=True, help="Show a hint; again for one more.")
def show(number: int, hints: int) -> None:
    """Show stage N: what it is about, what is checked, and what to read."""
    stage = load_stages()[number - 1]
    click.echo(f"Stage {number}: {stage.title}\n")
    click.echo(f"{filled(stage.text)}\n")
    cases = stage.of(load_corpus())
    demand = " A SHOULD counts as a MUST." if stage.strict else ""
    click.echo(filled(f"{counted(len(cases), 'case')}, such as {cases[0].id}.{demand}"))
    if stage.reports:
        click.echo(f"From here on your client reports: {', '.join(stage.reports)}.")
    for one in stage.read:
        click.echo(f"read   {section_name(one)}  {link(one)}")
    for hint in stage.hints[:hints]:
        click.echo(f"hint   {filled(hint, 7)}")
    if hints < len(stage.hints):
        click.echo(f"hints  {len(stage.hints) - hints} more: --hint, once for each")
    click.echo(f"check  httplib-kit course check {number}")


@course.command()
@click.argument("number", type=_STAGE, metavar="[N]", required=False)
@click.argument("implementation", metavar="[IMPL]", required=False)
@click.option("--select", metavar="GLOB", help="Only cases of the stage whose id matches.")
@progress_option
@click.pass_context
def check(
    ctx: click.Context,
    number: int | None,
    implementation: str | None,
    select: str | None,
    file: Path,
) -> None:
    """Check stage N, by default the next one, and the stages that you have passed.

    IMPL is your client, as for `check`: exec:COMMAND for a driver, client:cmd:COMMAND for a program
    that fetches a URL, client:httplib:MODULE for a module with the interface of httplib. It is
    needed once: your file keeps it.
    """
    mine = _read(file)
    mine.client = implementation or mine.client
    if not mine.client:
        how = "`httplib-kit course new DIR --language python` writes one"
        raise click.UsageError(
            f"no client is named in {file}: give IMPL, or begin with a template: {how}"
        )
    stages, corpus = load_stages(), load_corpus()
    number = number or next((n for n in range(1, len(stages)) if n not in mine.passed), len(stages))
    try:
        with checked(target(mine.client)) as running:
            found = _checked(running, number, stages[number - 1], corpus, select)
            _tell(found, stages[number - 1], corpus)
            is_whole = found.passes and not select
            broken = list(_broken(running, mine.passed, number, corpus)) if is_whole else []
        if not select:
            mine.settle(number, passes=found.passes)
            for one in broken:
                mine.settle(one, passes=False)
            mine.write(file)
    except CourseError as error:
        raise click.UsageError(str(error)) from None
    if broken or not found.passes:
        ctx.exit(EXIT_FAILED)
    if not select:
        click.echo(_next(mine.passed))


def _checked(
    running: Course, number: int, stage: Stage, corpus: Corpus, select: str | None
) -> Checked:
    cases = stage.of(corpus)
    if select is not None:
        ids = {one.id for one in corpus.select([select]).listed}
        cases = [one for one in cases if one.id in ids]
        if not cases:
            raise click.UsageError(f"--select: no case of stage {number} matches {select!r}")
    return running.check(number, cases)


def _broken(running: Course, passed: Iterable[int], number: int, corpus: Corpus) -> Iterable[int]:
    """Yield the earlier stages that were passed, and are not any more; say so."""
    for one in [each for each in passed if each != number]:
        found = running.check(one, load_stages()[one - 1].of(corpus), first=True)
        if not found.passes:
            example = f": {found.failed[0].id}" if found.failed else ""
            click.echo(
                f"stage {one} passed before and does not any more{visible_text(example)}; "
                f"`httplib-kit course check {one}` shows it"
            )
            yield one


def _tell(found: Checked, stage: Stage, corpus: Corpus) -> None:
    """Write what the client did in the stage, with the story of its first failure."""
    whole = len(found.results) + found.unreached
    verdict = "passes this stage" if found.passes else "does not pass this stage yet"
    click.echo(f"stage {found.number}: {stage.title}")
    click.echo(f"{found.count} of {counted(whole, 'case')} pass: your client {verdict}\n")
    if found.unreached:
        click.echo(f"{counted(found.unreached, 'case')} not run: two have ended like this one\n")
    if found.unsupported:
        first = found.unsupported[0]
        count = counted(len(found.unsupported), "case")
        click.echo(f"{count} not run: {visible_text(first.id)}: {visible_text(first.reason)}\n")
    if found.failed:
        (result,) = Background(corpus).applied(found.failed[:1])
        _story(result, found, corpus)
        if stage.hints:
            click.echo(f"hints     httplib-kit course show {found.number} --hint")


def _story(result: Result, found: Checked, corpus: Corpus) -> None:
    head = RunHead.of(found.identity, kit=version("httplib-kit"), corpus=corpus.digest)
    again = f"httplib-kit course check {found.number} --select {shlex.quote(result.id)}"
    shown = list(rows(result, head, again=again))
    if sys.stdout.isatty():
        print_story(Console(highlight=False, markup=False, emoji=False), shown)
    else:
        click.echo("\n".join(lines_of(shown)))
    click.echo()


@course.command()
@click.argument(
    "works",
    nargs=-1,
    required=True,
    metavar="DIR|RESULTS...",
    type=click.Path(path_type=Path, exists=True),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="json",
    show_default=True,
    help="What reads it: Gradescope (results.json), GitHub Classroom (a runner's result), or you.",
)
@click.option("--stages", type=_STAGE, default=len(load_stages()), help="Only the first N stages.")
@click.option("--fresh", type=click.IntRange(0), metavar="SEED", help="Add cases of this seed.")
@click.option("--points", type=click.FloatRange(1), default=100.0, show_default=True, metavar="N")
@click.option("--output", type=click.File("wb", lazy=True), default="-", metavar="FILE")
def grade(
    works: tuple[Path, ...],
    form: str,
    stages: int,
    fresh: int | None,
    points: float,
    output: BinaryIO,
) -> None:
    """Grade each DIR, the folder of a student, by the stages that its client passes.

    RESULTS is a file that `check --results` has written for a client: each family is a part.
    All parts earn equal points. The exit code is 0 whatever the grade is.
    """
    if len(works) > 1 and form != "json":
        raise click.UsageError(f"--format {form} is about one student: give one DIR or RESULTS")
    corpus = load_corpus()
    if fresh is not None:
        from conformance.course import fresh_file  # it imports hypothesis

        corpus = with_own(corpus, [fresh_file(fresh)])
    try:
        found = [
            (_work if one.is_dir() else _read_work)(one, stages, fresh, corpus) for one in works
        ]
    except (CourseError, NoReport) as error:
        raise click.UsageError(str(error)) from None
    output.write(FORMATS[form](found, points))


def _work(directory: Path, stages: int, fresh: int | None, corpus: Corpus) -> Work:
    """Return the work of the student whose folder is *directory*."""
    if not (directory / PROGRESS).exists():
        raise CourseError(f"{directory / PROGRESS}: names no client; `course check 1 IMPL` does")
    client, marks = "", list[Mark]()
    try:
        with contextlib.chdir(directory):
            client = Progress.read(Path(PROGRESS)).client
            if not client.startswith(_OWN):
                how = f"it does not begin with {', '.join(_OWN)}"
                raise CourseError(
                    f"the client {client!r} in {PROGRESS} is not the student's: {how}"
                )
            with checked(target(client)) as running:
                for one in _marks(running, stages, fresh, corpus):
                    marks.append(one)  # what was earned before an error stays
    except (CourseError, DriverError, UnknownImplementation) as error:
        missing = _names(stages, fresh)[len(marks) :]
        marks += [Mark(name, 0.0, f"not run: {error}") for name in missing]
    return Work(str(directory), marks, client)


_OWN = (EXEC, "client:cmd:", "client:httplib:")
"""The beginnings of what names a program or a module, and not a client of the registry."""


def _names(stages: int, fresh: int | None) -> list[str]:
    names = [f"stage {number}: {one.title}" for number, one in enumerate(load_stages(), 1)]
    return [*names[:stages], *([f"fresh cases of the seed {fresh}"] if fresh is not None else [])]


def _marks(running: Course, stages: int, fresh: int | None, corpus: Corpus) -> Iterator[Mark]:
    for number, stage in enumerate(load_stages()[:stages], 1):
        yield mark_of_stage(running.check(number, stage.of(corpus)))
    if fresh is not None:
        found = running.check(len(load_stages()), corpus.select().for_clients())
        name, missed = _names(0, fresh)[0], found.unreached
        yield mark_of_results(name, found.results, corpus, unreached=missed)


def _read_work(path: Path, _: int, __: int | None, corpus: Corpus) -> Work:
    """Return the work whose result file is at *path*; each family is a part."""
    families: dict[str, list[Result]] = {}
    client = ""
    for run in read_runs([path]):
        client = run.head.implementation
        if not run.is_client:
            raise NoReport(f"{path}: {client} was judged as an httplib, not as a client")
        if run.head.incomplete:
            raise NoReport(f"{path}: the run is not complete: {run.head.incomplete}; run it again")
        for one in run.results:
            families.setdefault(one.family, []).append(one)
    marks = [mark_of_results(name, results, corpus) for name, results in families.items()]
    return Work(str(path), marks, client)
