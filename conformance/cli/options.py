"""Options that several commands share, and what they select."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from conformance.cases import Case, Corpus
from conformance.cases.corpus import JUDGED_LEVELS, LEVELS

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
