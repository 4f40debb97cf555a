"""Options that several commands share, and the selections that they make."""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.cases import (
    FAMILIES,
    JUDGED_LEVELS,
    LEVELS,
    Cases,
    Corpus,
    load_corpus,
    load_set,
    own_files,
    set_names,
    with_own,
)
from conformance.results import Shard
from conformance.run import DEADLINE, LONGEST_DEADLINE, SHORTEST_DEADLINE, as_deadline
from conformance.wording import near, near_clause

if TYPE_CHECKING:
    from click import ParamType as ParamType

    from conformance.cases import Case
else:

    class ParamType(click.ParamType):
        """`click.ParamType`, which can be subscripted only from click 8.4 on."""

        def __class_getitem__(cls, _kind: object) -> type:
            return cls


F = TypeVar("F", bound=Callable[..., Any])
_SHOWN = "; `httplib-kit list` shows them all"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases are selected by their ids and families.

    Args:
        select: globs, of which an id must match at least one; empty for all cases.
        exclude: globs, of which an id may match none.
        family: families, of which a case must have one; empty for all.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    family: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.select or self.exclude or self.family)

    def of(self, corpus: Corpus, levels: Iterable[str] = LEVELS, *, usual: bool = False) -> Cases:
        """Return the selected cases of *corpus* at *levels*.

        Args:
            corpus: the cases.
            levels: the levels.
            usual: whether these are the default levels: a user's own cases are then selected
                whatever their level.
        """
        found = corpus.select(self.select, levels, self.exclude, LEVELS if usual else None)
        return found.where(lambda case: case.family in self.family) if self.family else found

    def complaints(self, corpus: Corpus) -> Iterator[str]:
        """Yield a line for each glob that matches no id, with the nearest names."""
        for option, globs in (("--select", self.select), ("--exclude", self.exclude)):
            for glob in globs:
                if corpus.select([glob]):
                    continue
                if corpus.set is not None and Corpus(corpus.parts, corpus.digest).select([glob]):
                    yield f"{option}: no case of the set {corpus.set.set} matches {glob!r}"
                else:
                    yield f"{option}: no case matches {glob!r}{near_names(glob, corpus)}"


def complete_case(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids that begin with what is typed, for the completion of a shell."""
    return [one.id for one in load_corpus().select([f"{escape(incomplete)}*"], LEVELS).listed]


def complete_implementation(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the built-in implementations that begin with what is typed."""
    from conformance.drivers.clients import PREFIX, registry

    clients = (f"{PREFIX}{one}" for one in (*registry().client, "all"))
    names = ("httplib_impl", "http.client", *clients)
    return [one for one in names if one.startswith(incomplete)]


class FamilyType(ParamType[str]):
    """The name of a family of cases."""

    name = "family"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return *value*, if it is the name of a family."""
        name = str(value)
        if name not in FAMILIES:
            known = near_clause(name, FAMILIES, f"; there are {', '.join(FAMILIES)}")
            self.fail(f"no family is called {name!r}{known}", param, ctx)
        return name


def bundled(
    name: str, make: Callable[..., Any], *options: Callable[[Any], Any]
) -> Callable[[F], F]:
    """Return a decorator that adds *options* to a command.

    The command receives what *make* returns for all their values as its one argument *name*.
    """

    def bare() -> None: ...

    for option in options:
        option(bare)
    parameters = [parameter.name for parameter in vars(bare)["__click_params__"]]

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def taking(*args: Any, **kwargs: Any) -> Any:
            made = make(**{one: kwargs.pop(one) for one in parameters})
            return command(*args, **{name: made}, **kwargs)

        wrapped: Any = taking
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]  # it takes what the command takes, and more

    return decorate


selection = bundled(
    "chosen",
    Selection,
    click.option(
        "--select",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete_case,
        help="Only cases whose id matches (repeatable).",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete_case,
        help="Leave out cases whose id matches (repeatable).",
    ),
    click.option(
        "--family",
        type=FamilyType(),
        multiple=True,
        metavar="NAME",
        help="Only cases of this family, such as chunked (repeatable).",
    ),
)
"""Adds the options for a `Selection` to a command, which receives it as ``chosen``."""

_CASES = click.option(
    "--cases",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE|DIR",
    help="Run your own cases (repeatable), and no others unless --select names them.",
)
own_cases = bundled("corpus", lambda cases: with_own(load_corpus(), own_files(cases)), _CASES)
"""Adds ``--cases`` to a command, which receives the `Corpus` as ``corpus``."""


own_cases_or_set = bundled(
    "corpus",
    lambda cases, frozen: with_own(load_corpus(), own_files(cases)).limited_to(
        None if frozen is None else load_set(frozen)
    ),
    _CASES,
    click.option(
        "--set",
        "frozen",
        metavar="REV|FILE",
        shell_complete=lambda *given: [one for one in set_names() if one.startswith(given[2])],
        help="Only the cases that this release froze, in the revisions of then.",
    ),
)
"""Adds ``--cases`` and ``--set`` to a command, which receives the `Corpus` as ``corpus``."""


def jobs_option(command: F) -> F:
    """Add ``--jobs`` to *command*."""
    option = click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 64),
        default=1,
        metavar="N",
        help="Run N cases at a time, in N processes; the results are the same.",
    )
    return option(command)


def say_what_matches_nothing(chosen: Selection, corpus: Corpus) -> None:
    """Write a line on standard error for each glob of *chosen* that matches no case."""
    for line in chosen.complaints(corpus):
        from conformance.report import visible_text

        click.echo(f"httplib-kit: {visible_text(line)}", err=True)


def say_what_a_set_lacks(chosen: Selection, corpus: Corpus, levels: Iterable[str]) -> None:
    """Write a line on standard error for each case of the set that *corpus* does not have as is."""
    limits = {"select": chosen.select, "exclude": chosen.exclude, "family": chosen.family}
    lines = [
        line
        for is_client in (False, True)
        for line in corpus.not_judged(levels, is_client=is_client, **limits)
    ]
    for line in dict.fromkeys(lines):
        click.echo(f"httplib-kit: not as in the set: {line}", err=True)


def near_names(name: str, corpus: Corpus) -> str:
    """Return a clause that proposes ids, or globs for many, similar to *name*, an id or a glob."""
    ids = [case.id for case in corpus.every.listed]
    stem = name.rstrip("*").rstrip(".") or name
    heads = dict.fromkeys(one.partition(".")[0] for one in ids)
    if stem == name and "." in stem:
        return near_clause(name, ids, _SHOWN)
    if stem not in heads:
        parts = (one.split(".") for one in ids)
        heads |= dict.fromkeys(".".join(one[:2]) for one in parts if len(one) > 2)
    found = [f"{one}.*" for one in near(stem, heads)] or near(stem, ids)
    return f"; near names: {', '.join(found)}" if found else _SHOWN


class DeadlineType(ParamType[float]):
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


def name_options(command: F) -> F:
    """Add ``--name`` and ``--client-version`` to *command*, as `names` and `versions`."""
    what = "of a client:cmd:COMMAND in reports and records (repeatable: for each, in their order)."
    for flag, parameter, help_ in (
        ("--client-version", "versions", f"The version {what}"),
        ("--name", "names", f"The name {what} By default the command."),
    ):
        command = click.option(flag, parameter, multiple=True, metavar="TEXT", help=help_)(command)
    return command


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


class LevelsType(ParamType[tuple[str, ...]]):
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


def levels_option(default: str) -> Callable[[F], F]:
    """Return a decorator that adds ``--level`` to a command, which receives it as ``levels``."""
    return click.option(
        "--level",
        "levels",
        type=LevelsType(),
        default=default,
        show_default=True,
        help="Only cases of these levels, separated by commas; or all.",
    )


level_option = levels_option(",".join(JUDGED_LEVELS))


class ErrorMapType(ParamType[dict[str, str]]):
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


class ShardType(ParamType[Shard]):
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
        hint = near_names(name, corpus)
        if "*" in hint:
            hint += "; `httplib-kit list --select GLOB` lists the cases"
        raise click.UsageError(f"no case is called {name!r}{hint}")
    return case
