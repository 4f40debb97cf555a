"""Options that several commands share, and the selections that they make."""

import difflib
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.cases import JUDGED_LEVELS, LEVELS, Cases, Corpus, load_corpus, own_files, with_own
from conformance.results import Shard
from conformance.run import DEADLINE, LONGEST_DEADLINE, SHORTEST_DEADLINE, as_deadline

if TYPE_CHECKING:
    from conformance.cases import Case

F = TypeVar("F", bound=Callable[..., Any])
_NEAR = 3
"""How many names are proposed for a wrong one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases are selected by their ids.

    Args:
        select: globs, of which an id must match at least one; empty for all cases.
        exclude: globs, of which an id may match none.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.select or self.exclude)

    def of(self, corpus: Corpus, levels: Iterable[str] = LEVELS, *, usual: bool = False) -> Cases:
        """Return the selected cases of *corpus* at *levels*.

        Args:
            corpus: the cases.
            levels: the levels.
            usual: whether these are the default levels: a user's own cases are then selected
                whatever their level.
        """
        return corpus.select(self.select, levels, self.exclude, LEVELS if usual else None)

    def complaints(self, corpus: Corpus) -> Iterator[str]:
        """Yield a line for each glob that matches no id, with the nearest names."""
        for option, globs in (("--select", self.select), ("--exclude", self.exclude)):
            for glob in globs:
                if not corpus.select([glob]):
                    yield f"{option}: no case matches {glob!r}{near_names(glob, corpus)}"


def selection(command: F) -> F:
    """Add ``--select`` and ``--exclude`` to *command*, which receives them as one `Selection`."""

    @functools.wraps(command)
    def taking(*args: Any, **kwargs: Any) -> Any:
        chosen = Selection(kwargs.pop("select"), kwargs.pop("exclude"))
        return command(*args, chosen=chosen, **kwargs)

    wrapped: Any = taking
    for name, text in (
        ("--exclude", "Leave out cases whose id matches (repeatable)."),
        ("--select", "Only cases whose id matches (repeatable)."),
    ):
        wrapped = click.option(name, multiple=True, metavar="GLOB", help=text)(wrapped)
    return wrapped  # type: ignore[no-any-return]  # it takes what the command takes, and more


def own_cases(command: F) -> F:
    """Add ``--cases`` to *command*, which receives the `Corpus` as one argument ``corpus``."""

    @functools.wraps(command)
    def taking(*args: Any, **kwargs: Any) -> Any:
        corpus = with_own(load_corpus(), own_files(kwargs.pop("cases")))
        return command(*args, corpus=corpus, **kwargs)

    option = click.option(
        "--cases",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        metavar="FILE|DIR",
        help="Run your own cases (repeatable), and no others unless --select names them.",
    )
    wrapped: Any = option(taking)
    return wrapped  # type: ignore[no-any-return]  # it takes what the command takes, and more


def say_what_matches_nothing(chosen: Selection, corpus: Corpus) -> None:
    """Write a line on standard error for each glob of *chosen* that matches no case."""
    for line in chosen.complaints(corpus):
        from conformance.report import visible_text

        click.echo(f"httplib-kit: {visible_text(line)}", err=True)


def near_names(name: str, corpus: Corpus) -> str:
    """Return a clause that proposes ids or families similar to *name*, an id or a glob."""
    ids = [case.id for case in corpus.every.listed]
    if any(character in name for character in "*?["):
        heads = dict.fromkeys(
            ".".join(parts[:length])
            for parts in (one.split(".") for one in ids)
            for length in (1, 2)
        )
        stem = name.rstrip("*").rstrip(".") or name
        found = [f"{one}.*" for one in difflib.get_close_matches(stem, heads, _NEAR)]
    else:
        found = [one for one in ids if name in one][:_NEAR]
        found = found or difflib.get_close_matches(name, ids, _NEAR)
    if not found:
        return "; `httplib-kit list` shows them all"
    return f"; near names: {', '.join(found)}"


class DeadlineType(click.ParamType[float]):
    """A number of seconds."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds that *value* gives."""
        try:
            return as_deadline(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def deadline_option(command: F) -> F:
    """Add ``--deadline`` to *command*."""
    option = click.option(
        "--deadline",
        type=DeadlineType(),
        default=DEADLINE,
        show_default=True,
        metavar="SECONDS",
        help="Seconds without progress after which a case is ended as a HANG "
        f"({SHORTEST_DEADLINE:g} to {LONGEST_DEADLINE:g}).",
    )
    return option(command)


class LevelsType(click.ParamType[tuple[str, ...]]):
    """A comma-separated list of levels, or ``all``."""

    name = "levels"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the levels that *value* names."""
        if isinstance(value, tuple):
            return value
        if value == "all":
            return LEVELS
        levels = tuple(part.strip() for part in str(value).split(","))
        for level in levels:
            if level not in LEVELS:
                self.fail(f"{level!r} is not one of {', '.join(LEVELS)}, all", param, ctx)
        return levels


def level_option(command: F) -> F:
    """Add ``--level`` to *command*."""
    option = click.option(
        "--level",
        "levels",
        type=LevelsType(),
        default=",".join(JUDGED_LEVELS),
        show_default=True,
        help="Only cases of these levels, separated by commas; or all.",
    )
    return option(command)


class ErrorMapType(click.ParamType[dict[str, str]]):
    """The name of a file that is an error map."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Return the error map in the file *value*."""
        from conformance.judge import ErrorMapError, read_error_map

        if isinstance(value, dict):
            return value
        try:
            return read_error_map(Path(value))
        except ErrorMapError as error:
            self.fail(str(error), param, ctx)


def error_map_option(command: F) -> F:
    """Add ``--error-map`` to *command*."""
    option = click.option(
        "--error-map",
        type=ErrorMapType(),
        metavar="FILE",
        help="A TOML file that maps the implementation's exceptions to the documented ones.",
    )
    return option(command)


class ShardType(click.ParamType[Shard]):
    """``I/N``: one part of a run."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shard:
        """Return the shard that *value* gives."""
        try:
            return value if isinstance(value, Shard) else Shard.of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def shard_option(command: F) -> F:
    """Add ``--shard`` to *command*."""
    option = click.option(
        "--shard",
        type=ShardType(),
        metavar="I/N",
        help="Run only part I of N; each case is in exactly one part.",
    )
    return option(command)


def find_case(corpus: Corpus, name: str) -> "Case":
    """Return the case called *name*.

    Raises:
        click.UsageError: there is none; the message names the nearest ids.
    """
    case = corpus.case(name)
    if case is None:
        raise click.UsageError(f"no case is called {name!r}{near_names(name, corpus)}")
    return case
