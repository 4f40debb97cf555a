"""Options that several commands share, and what they select."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cases import Case, Corpus
from conformance.cases.corpus import JUDGED_LEVELS, LEVELS
from conformance.judge.error_map import ErrorMapError, read_error_map
from conformance.run.shard import Shard

F = TypeVar("F", bound=Callable[..., Any])


def selection(command: F) -> F:
    """Add ``--select`` to *command*."""
    option = click.option(
        "--select",
        "globs",
        multiple=True,
        metavar="GLOB",
        help="Only cases whose id matches (repeatable).",
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
                self.fail(f"{level!r} is none of {', '.join(LEVELS)}, all", param, ctx)
        return levels


def level_option(command: F) -> F:
    """Add ``--level`` to *command*."""
    option = click.option(
        "--level",
        "levels",
        type=LevelsType(),
        default=",".join(JUDGED_LEVELS),
        show_default=True,
        help="Levels, comma-separated, or all.",
    )
    return option(command)


class ErrorMapType(click.ParamType[dict[str, str]]):
    """The name of a file that is an error map."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Return the map in the file *value*."""
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
        help="A TOML file that maps the implementation's exceptions to those of the page.",
    )
    return option(command)


class ShardType(click.ParamType[Shard]):
    """``I/N``: a part of a run."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shard:
        """Return the shard that *value* names."""
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
        help="Only part I of N; together the parts are the whole, and no case is in two.",
    )
    return option(command)


def find_case(corpus: Corpus, name: str) -> Case:
    """Return the case called *name*.

    Raises:
        click.UsageError: there is none; the message names the nearest ids.
    """
    for case in corpus.cases:
        if case.id == name:
            return case
    close = [case.id for case in corpus.cases if name in case.id][:3]
    hint = f"; there are {', '.join(close)}" if close else "; `httplib-kit list` shows them all"
    raise click.UsageError(f"no case is called {name!r}{hint}")
