"""``httplib-kit statement`` and ``collect``: conformance statements, alone and on one page."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
from markupsafe import Markup

from conformance.atlas import page_alone
from conformance.report import (
    DAYS,
    EXIT_FAILED,
    NoReport,
    Refused,
    Run,
    Statement,
    WholeFile,
    WholeSite,
    colour_of,
    key_words,
    picture,
    read_runs,
    read_statement,
    signed,
    statement_json,
    statement_markdown,
    statement_of,
    visible_text,
)

_FILE = click.Path(path_type=Path, dir_okay=False)
_THERE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])
_FOLLOWS = ("client", "kit", "corpus", "set", "levels", "verdicts")
"""What a statement says that follows from the results, whatever wording a kit uses."""

_today = click.option(
    "--today",
    type=_DAY,
    metavar="DATE",
    help="The date with which the expiry is compared; by default, today.",
)
_signer = click.option(
    "--signer",
    "signers",
    type=_THERE,
    multiple=True,
    metavar="FILE",
    help="A public key; a statement that none of these keys has signed is not accepted "
    "(repeatable).",
)


def _day(given: dt.datetime | None) -> dt.date:
    return (given or dt.datetime.now(dt.UTC)).date()


@click.command()
@click.argument("files", nargs=-1, required=True, type=_THERE, metavar="RESULTS...")
@click.option("--implementation", metavar="IMPL", help="Which of several in the files.")
@click.option("--json", "json_file", type=_FILE, metavar="FILE", help="Write the statement.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write it for people.")
@click.option("--date", type=_DAY, metavar="DATE", help="Its date; by default, today in UTC.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=DAYS,
    show_default=True,
    help="Days for which it is valid.",
)
@click.option(
    "--key",
    type=_THERE,
    metavar="FILE",
    help="Sign with this private key: Ed25519, as ssh-keygen writes it, without a passphrase.",
)
@click.option("--verify", is_flag=True, help="Check the statement FILE, with RESULTS if given.")
@_signer
@_today
@click.pass_context
def statement(
    ctx: click.Context,
    files: tuple[Path, ...],
    implementation: str | None,
    json_file: Path | None,
    markdown: Path | None,
    date: dt.datetime | None,
    days: int,
    key: Path | None,
    verify: bool,
    signers: tuple[Path, ...],
    today: dt.datetime | None,
) -> None:
    """State what RESULTS, the files of `check --results`, say about one client.

    Without --json and --markdown, the statement is printed as Markdown. With --verify, the first
    file is a statement: it is checked for changes, its signature and its expiry, and, if RESULTS
    follow, for what they say. The exit code is then 0 if all is as stated, and 1 if it is not.
    """
    try:
        if verify:
            problems = _problems(files[0], files[1:], _keys(signers), _day(today), implementation)
            ctx.exit(EXIT_FAILED if problems else 0)
        made = statement_of(
            _run(files, implementation),
            {visible_text(path.name): path.read_bytes() for path in files},
            _day(date),
            days,
        )
        if key is not None:
            made = signed(made, key)
    except NoReport as error:
        raise click.UsageError(str(error)) from None
    text = statement_markdown(made).encode()
    _write("--json", json_file, statement_json(made))
    _write("--markdown", markdown, text)
    if json_file is None and markdown is None:
        click.echo(text, nl=False)


def _write(option: str, path: Path | None, content: bytes) -> None:
    if path is not None:
        try:
            WholeFile(path).write(content)
        except Refused as error:
            raise click.UsageError(f"{option}: {error}") from None


def _run(files: Sequence[Path], implementation: str | None) -> Run:
    """Return the one run in *files*.

    Raises:
        NoReport: there is none, or there are several.
    """
    found = {run.head.implementation: run for run in read_runs(files)}
    if implementation is None and len(found) > 1:
        raise NoReport(f"several implementations; give --implementation: {', '.join(found)}")
    one = found.get(implementation or next(iter(found)))
    if one is None:
        raise NoReport(f"--implementation: {implementation} is none of {', '.join(found)}")
    return one


def _problems(
    path: Path,
    results: Sequence[Path],
    keys: frozenset[str],
    today: dt.date,
    implementation: str | None,
) -> bool:
    """Print what was checked of the statement at *path*; return whether anything is wrong."""
    one = _Read.of(path, keys, today)
    if one.statement is None:
        raise NoReport(one.problem)
    found = one.statement
    signature = f"signed with {found.signature.key}" if found.signature else "not signed"
    lines = [
        f"{found.client.name} {found.client.version}: {found.score}",
        f"{signature}; made on {found.date}, valid until {found.expires}",
    ]
    problems = [one.problem] if one.problem else []
    if results:
        given = sorted(found.results.values())
        again = statement_of(
            _run(results, implementation or found.client.written),
            {str(path): path.read_bytes() for path in results},
            found.date,
        )
        if sorted(again.results.values()) != given:
            problems.append("it was made from other result files")
        differ = [name for name in _FOLLOWS if getattr(again, name) != getattr(found, name)]
        if differ:
            problems.append(f"it does not follow from the results: {', '.join(differ)}")
        lines += [] if problems else ["it follows from the results"]
    for line in (*lines, *(f"NOT VALID: {problem}" for problem in problems or ())):
        click.echo(visible_text(line))
    return bool(problems)


def _keys(paths: Sequence[Path]) -> frozenset[str]:
    return frozenset(
        key_words(path.read_text(encoding="utf-8", errors="replace")) for path in paths
    )


@dataclass(frozen=True)
class _Read:
    """A statement that was read, and what is wrong with it.

    Args:
        name: the name of its file.
        statement: the statement; None if the file is none.
        problem: why it is not accepted; empty if it is.
        state: the same in one or two words.
    """

    name: str
    statement: Statement | None
    problem: str
    state: str

    @classmethod
    def of(cls, path: Path, keys: frozenset[str], today: dt.date) -> "_Read":
        """Return the statement at *path*; if there are *keys*, one of them must have signed it."""
        try:
            found = read_statement(path)
        except NoReport as error:
            return cls(path.name, None, str(error), "not readable")
        if found.problem:
            return cls(path.name, found, found.problem, "not valid")
        if keys and (found.signature is None or key_words(found.signature.key) not in keys):
            return cls(path.name, found, "none of the given keys has signed it", "not accepted")
        if found.is_expired(today):
            return cls(path.name, found, f"it expired on {found.expires}", "expired")
        return cls(path.name, found, "", "signed" if found.signature else "valid")


@click.command()
@click.argument("files", nargs=-1, required=True, type=_THERE, metavar="STATEMENT...")
@click.option(
    "--html",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The directory for the page and the badges.",
)
@_signer
@_today
@click.pass_context
def collect(
    ctx: click.Context,
    files: tuple[Path, ...],
    html: Path,
    signers: tuple[Path, ...],
    today: dt.datetime | None,
) -> None:
    """Show many STATEMENTs on one page, with a badge for each level of each client.

    A statement that was changed after it was written, that has expired or that cannot be read is
    shown as such, and has no badge of its numbers. The exit code is then 1.
    """
    keys, day = _keys(signers), _day(today)
    found = [_Read.of(path, keys, day) for path in files]
    shown = [_Shown(one, index) for index, one in enumerate(found)]
    try:
        site = WholeSite(html)
    except Refused as error:
        raise click.UsageError(f"--html: {error}") from None
    site.write(_pages(shown, day))
    for one in found:
        if one.problem:
            click.echo(visible_text(f"httplib-kit: {one.name}: {one.problem}"), err=True)
    ctx.exit(EXIT_FAILED if any(one.problem for one in found) else 0)


class _Shown:
    """A statement as the page shows it.

    Attributes:
        read: the statement.
        badges: for each badge its level, the name of its file, and the picture.
    """

    def __init__(self, read: _Read, index: int) -> None:
        self.read = read
        self.badges: list[tuple[str, str, Markup]] = []
        one = read.statement
        if one is None:
            return
        label = visible_text(" ".join(filter(None, [one.client.name, one.client.version])))
        slug = re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-.")[:60] or "client"
        for level, counts in list(one.levels.items())[:_MOST_LEVELS]:
            text = visible_text(level)
            message, colour = read.state, "lightgrey"
            if not read.problem and not counts.judged:
                message = "not judged"
            elif not read.problem:
                message = f"{counts.passed}/{counts.judged}"
                colour = colour_of(counts.passed, counts.judged, whole=not counts.not_run)
            kind = re.sub(r"[^a-z]+", "-", text)[:20]
            drawn = picture(f"{label[:60]} HTTP/1.1 {text[:20]}", message, colour)
            # The picture escapes what it shows.
            self.badges.append((text, f"{index + 1}-{slug}-{kind}.svg", Markup(drawn)))

    @property
    def fields(self) -> dict[str, Any]:
        """The statement as plain values."""
        return {} if self.read.statement is None else msgspec.to_builtins(self.read.statement)


_MOST_LEVELS = 8


def _pages(shown: Sequence[_Shown], day: dt.date) -> Iterator[tuple[str, str]]:
    levels = dict.fromkeys(
        level for one in shown for level in list(one.fields.get("levels", {}))[:_MOST_LEVELS]
    )
    yield "index.html", page_alone("statements.html", shown=shown, levels=list(levels), day=day)
    for one in shown:
        yield from ((name, str(drawn)) for _, name, drawn in one.badges)
