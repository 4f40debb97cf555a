"""The plugin's options, from the command line and the host's configuration.

The input is what pytest has parsed, or, in a worker of pytest-xdist, what the main process sends.
The output is an `Options`, with the text of every file that it names: a worker may run where the
file does not exist, and where the host's configuration is not found.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.cases import JUDGED_LEVELS
from conformance.run import DEADLINE

REFERENCE = "httplib_impl"
SHIPPED = "shipped"
JUDGED = ",".join(JUDGED_LEVELS)
FAMILY, LEVEL, EXCEPTION = "family_", "level_", "exception_"
"""What the names of marks begin with."""
SENT = "httplib_kit"
"""The key under which a worker of pytest-xdist receives the options and sends its answer."""


@dataclass(frozen=True)
class Options:
    """The implementations and cases to judge, and how.

    Args:
        implementations: as `httplib-kit check` takes them.
        levels: the levels, comma-separated, or ``all``.
        sweep: ``none``, ``each`` or ``product``.
        globs: the ids of the cases; empty for all.
        exclude: the ids of cases that are left out.
        deadline: seconds without progress after which a case is late.
        tolerant: whether outcomes graded tolerated are accepted.
        baselines: files, each with its text, or ``shipped``; one for all implementations, or one
            for each of them.
        error_map: a file that maps the implementation's exceptions, with its text; empty for none.
        fail_on_flaky: whether a flaky case is a failure.
        cases: the user's own case files, each with its text.
        frozen: the set to which the cases are limited; empty for none.
    """

    implementations: tuple[str, ...]
    levels: str
    sweep: str
    globs: tuple[str, ...]
    exclude: tuple[str, ...]
    deadline: float
    tolerant: bool
    baselines: tuple[tuple[str, str], ...]
    error_map: tuple[str, str]
    fail_on_flaky: bool
    cases: tuple[tuple[str, str], ...]
    frozen: str

    @classmethod
    def of(cls, config: pytest.Config) -> "Options":
        """Return the options in *config*.

        The command line has priority over the configuration file.

        Raises:
            pytest.UsageError: a file cannot be read.
        """
        if _OPTIONS not in config.stash:
            sent = getattr(config, "workerinput", {}).get(SENT)
            config.stash[_OPTIONS] = cls._parsed(config) if sent is None else cls._received(sent)
        return config.stash[_OPTIONS]

    @classmethod
    def _parsed(cls, config: pytest.Config) -> "Options":
        given = config.getoption("httplib_impl") or config.getini("httplib_impl")
        error_map = config.getoption("httplib_error_map")
        here = config.invocation_params.dir
        return cls(
            implementations=tuple(dict.fromkeys(given)) or (REFERENCE,),
            levels=config.getoption("httplib_level"),
            sweep=config.getoption("httplib_sweep"),
            globs=tuple(config.getoption("httplib_select")),
            exclude=tuple(config.getoption("httplib_exclude")),
            deadline=config.getoption("httplib_deadline"),
            tolerant=not config.getoption("httplib_no_tolerance"),
            baselines=tuple(_baselines(config)),
            error_map=(error_map, _text("--httplib-error-map", here, error_map)),
            fail_on_flaky=config.getoption("httplib_fail_on_flaky")
            or config.getini("httplib_fail_on_flaky"),
            cases=tuple(_own_cases(config)),
            frozen=config.getoption("httplib_set") or config.getini("httplib_set"),
        )

    @classmethod
    def _received(cls, sent: Mapping[str, Any]) -> "Options":
        return cls(**sent)

    @property
    def to_send(self) -> dict[str, Any]:
        """The options as values that can be sent to another process."""
        return dataclasses.asdict(self)

    @property
    def usual(self) -> bool:
        """Whether all options have their default, so that none can be wrong."""
        asked = self.baselines or self.error_map[0] or self.cases or self.frozen
        plain = self.levels == JUDGED and self.deadline == DEADLINE
        return self.implementations == (REFERENCE,) and plain and not asked

    def baseline(self, index: int) -> tuple[str, str]:
        """Return name and text of the baseline of an implementation; empty without one."""
        if not self.baselines:
            return "", ""
        return self.baselines[index if len(self.baselines) > 1 else 0]


_OPTIONS = pytest.StashKey[Options]()


def _baselines(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield the baselines; a name in the configuration file is relative to its directory."""
    directory, names = config.invocation_params.dir, config.getoption("httplib_baseline")
    if not names:
        names = config.getini("httplib_baseline")
        directory = config.inipath.parent if config.inipath is not None else directory
    for name in names:
        text = "" if name == SHIPPED else _text("--httplib-baseline", directory, name)
        yield name, text


def _own_cases(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield the user's own case files.

    A name in the configuration file is relative to its directory.
    """
    directory, names = config.invocation_params.dir, config.getoption("httplib_cases")
    if not names:
        names = config.getini("httplib_cases")
        directory = config.inipath.parent if config.inipath is not None else directory
    for name in names:
        place = directory / name
        paths = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        if not paths:
            raise pytest.UsageError(f"--httplib-cases: {name}: no case files here")
        for path in paths:
            yield str(path), _text("--httplib-cases", directory, str(path))


def _text(option: str, directory: Path, name: str) -> str:
    if not name:
        return ""
    try:
        return (directory / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise pytest.UsageError(f"{option}: {name}: {problem}") from None


def add_options(parser: pytest.Parser) -> None:
    """Add the options to *parser*."""
    group = parser.getgroup("httplib-kit", "conformance of HTTP/1.x clients")
    group.addoption(
        "--httplib-impl",
        action="append",
        default=[],
        metavar="IMPL",
        help="the implementation to judge, written as for `httplib-kit check` (repeatable; "
        f"by default {REFERENCE})",
    )
    group.addoption(
        "--httplib-level",
        default=JUDGED,
        metavar="LEVELS",
        help=f"only cases of these levels, separated by commas, or all (by default {JUDGED})",
    )
    group.addoption(
        "--httplib-sweep",
        choices=["none", "each", "product"],
        default="none",
        help="vary how bytes are cut into segments, how bodies are read, how connections end",
    )
    group.addoption(
        "--httplib-select",
        action="append",
        default=[],
        metavar="GLOB",
        help="only cases whose id matches (repeatable)",
    )
    group.addoption(
        "--httplib-exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out cases whose id matches (repeatable)",
    )
    group.addoption(
        "--httplib-deadline",
        default=DEADLINE,
        type=float,
        metavar="SECONDS",
        help="seconds without progress after which a case is ended as a HANG (by default 1)",
    )
    group.addoption(
        "--httplib-no-tolerance",
        action="store_true",
        help="accept only outcomes of grade pass, as is always done for httplib_impl",
    )
    group.addoption(
        "--httplib-baseline",
        action="append",
        default=[],
        metavar="FILE",
        help="a list of known failures, each a strict xfail with its reason: a file, or `shipped`; "
        "with several implementations one for each, in their order",
    )
    group.addoption(
        "--httplib-error-map",
        default="",
        metavar="FILE",
        help="a TOML file that maps the implementation's exceptions to the documented ones",
    )
    group.addoption(
        "--httplib-fail-on-flaky",
        action="store_true",
        help="fail the test of a case that is flaky; without it, that test is xfailed",
    )
    parser.addini("httplib_fail_on_flaky", "as --httplib-fail-on-flaky", type="bool", default=False)
    group.addoption(
        "--httplib-set",
        default="",
        metavar="REV",
        help="only the cases that this release froze, in the revisions of then",
    )
    parser.addini("httplib_set", "as --httplib-set", default="")
    group.addoption(
        "--httplib-cases",
        action="append",
        default=[],
        metavar="PATH",
        help="your own cases, a file or a directory of files (repeatable), and no others unless "
        "--httplib-select names them",
    )
    parser.addini("httplib_cases", "as --httplib-cases, one a line", type="linelist", default=[])
    parser.addini("httplib_impl", "as --httplib-impl, one a line", type="linelist", default=[])
    parser.addini("httplib_baseline", "as --httplib-baseline", type="linelist", default=[])
