"""The plugin's options, of the command line and of the host's configuration.

In: what pytest has parsed.  Out: an `Options`.
"""

from dataclasses import dataclass

import pytest

REFERENCE = "httplib_impl"
SHIPPED = "shipped"
JUDGED = "documented,precedent,guard"
BASELINE = "httplib_baseline"
"""Under this name a worker of pytest-xdist gets the text of the baseline."""


@dataclass(frozen=True)
class Options:
    """What is to be judged, and how.

    Args:
        implementations: as `httplib-kit check` takes them.
        levels: the levels, comma-separated, or ``all``.
        sweep: ``none``, ``each`` or ``product``.
        globs: the ids of the cases; empty for all.
        tolerant: whether outcomes graded tolerated count.
        baseline: a file, ``shipped``, or empty for none.
        baseline_text: the text of that file.
        error_map: a file that maps the implementation's exceptions, or empty for none.
    """

    implementations: tuple[str, ...]
    levels: str
    sweep: str
    globs: tuple[str, ...]
    tolerant: bool
    baseline: str
    baseline_text: str
    error_map: str

    @classmethod
    def of(cls, config: pytest.Config) -> "Options":
        """Return what *config* says; the command line comes before the configuration.

        Raises:
            pytest.UsageError: the file of the baseline cannot be read.
        """
        given = config.getoption("httplib_impl") or config.getini("httplib_impl")
        baseline = config.getoption("httplib_baseline") or config.getini("httplib_baseline")
        return cls(
            implementations=tuple(dict.fromkeys(given)) or (REFERENCE,),
            levels=config.getoption("httplib_level"),
            sweep=config.getoption("httplib_sweep"),
            globs=tuple(config.getoption("httplib_select")),
            tolerant=not config.getoption("httplib_no_tolerance"),
            baseline=baseline,
            baseline_text=_text(config, baseline),
            error_map=config.getoption("httplib_error_map"),
        )

    @property
    def usual(self) -> bool:
        """Whether nothing was asked for that could be wrong."""
        asked = self.baseline or self.error_map
        return self.implementations == (REFERENCE,) and self.levels == JUDGED and not asked


def _text(config: pytest.Config, baseline: str) -> str:
    """Return the text of the baseline: a worker of pytest-xdist may run where the file is not."""
    if baseline in ("", SHIPPED):
        return ""
    sent = getattr(config, "workerinput", {}).get(BASELINE)
    if sent is not None:
        return str(sent)
    try:
        return (config.invocation_params.dir / baseline).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise pytest.UsageError(f"--httplib-baseline: {baseline}: {problem}") from None


def add_options(parser: pytest.Parser) -> None:
    """Add the options to *parser*."""
    group = parser.getgroup("httplib-kit", "conformance of HTTP/1.x clients")
    group.addoption(
        "--httplib-impl",
        action="append",
        default=[],
        metavar="IMPL",
        help="the implementation to judge, as `httplib-kit check` takes it (repeatable; "
        f"by default {REFERENCE})",
    )
    group.addoption(
        "--httplib-level",
        default=JUDGED,
        metavar="LEVELS",
        help=f"levels, comma-separated, or all (by default {JUDGED})",
    )
    group.addoption(
        "--httplib-sweep",
        choices=["none", "each", "product"],
        default="none",
        help="vary how octets are cut, how bodies are read, how connections end",
    )
    group.addoption(
        "--httplib-select",
        action="append",
        default=[],
        metavar="GLOB",
        help="only cases whose id matches (repeatable)",
    )
    group.addoption(
        "--httplib-no-tolerance",
        action="store_true",
        help="accept only outcomes graded pass; for httplib_impl this is always so",
    )
    group.addoption(
        "--httplib-baseline",
        default="",
        metavar="FILE",
        help="known deviations, each a strict xfail with its reason: a file, or `shipped`",
    )
    group.addoption(
        "--httplib-error-map",
        default="",
        metavar="FILE",
        help="maps the implementation's exceptions to those of the page, as --error-map of check",
    )
    parser.addini("httplib_impl", "as --httplib-impl, one a line", type="linelist", default=[])
    parser.addini("httplib_baseline", "as --httplib-baseline", default="")
