"""What `check` and `report` write in addition to the terminal: options that both share.

The input is options and the environment.  The output is files, annotations and a step summary, all
made from the same runs.  The files are opened before the run, so that a path that cannot be written
is reported at once.
"""

import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click
from rich.console import Console

from conformance.cases import Corpus, load_corpus
from conformance.cli.options import bundled
from conformance.report import (
    USUAL,
    Refused,
    Run,
    View,
    WholeFile,
    WholeSite,
    annotation_lines,
    as_document,
    badge_endpoint,
    badge_files,
    badge_svg,
    code_quality_json,
    comment_text,
    ctrf_json,
    embedding,
    inert_line,
    junit_xml,
    markdown_text,
    plain_lines,
    print_run,
    sarif_json,
    visible_text,
)

Write = Callable[[Sequence[Run]], list[str]]
"""Writes runs to all places; returns a line for each place where that failed."""
_Render = Callable[[Sequence[Run], Corpus], Any]
"""Returns what a `WholeFile` writes, or the pages of a `WholeSite`."""
_Writer = tuple[str, Callable[[Sequence[Run]], None]]

_FILE = click.Path(path_type=Path, dir_okay=False)


def _view(none: bool, every: bool, cause: int | None) -> View:
    if none + every + (cause is not None) > 1:
        raise click.UsageError("--quiet, --all and --cause exclude each other: give one")
    return View(none, every, cause or 0)


view_options = bundled(
    "view",
    _view,
    click.option("-q", "--quiet", "none", is_flag=True, help="Print only the summary, no stories."),
    click.option("--all", "every", is_flag=True, help="Print the story of every failure."),
    click.option(
        "--cause",
        type=click.IntRange(1),
        metavar="N",
        help="Print only the Nth cause of failures, with a story for each of its parts.",
    ),
)
"""Adds the options about stories to a command, which receives them as ``view``."""


class Format(NamedTuple):
    """The format of a report: a module in `conformance.report`, and a row in `FORMATS`.

    Args:
        option: the option that names its file, without the hyphens.
        help: the help of the option.
        render: returns the file for runs, of which the corpus has the cases.
    """

    option: str
    help: str
    render: Callable[[Sequence[Run], Corpus], bytes]


def document(runs: Sequence[Run]) -> bytes:
    """Return *runs* as one JSON document."""
    found = {"runs": [as_document(run) for run in runs]}
    return json.dumps(found, indent=1).encode("ascii") + b"\n"


FORMATS = (
    Format("junit", "Write a JUnit XML report.", lambda runs, _: junit_xml(runs)),
    Format("markdown", "Write a Markdown summary.", lambda runs, _: markdown_text(runs).encode()),
    Format(
        "comment",
        "Write a Markdown summary of at most 65,536 characters, for a comment.",
        lambda runs, _: comment_text(runs).encode(),
    ),
    Format("json", "Write a JSON report.", lambda runs, _: document(runs)),
    Format("ctrf", "Write a CTRF report (JSON), for test dashboards.", ctrf_json),
    Format("sarif", "Write what matters for security as SARIF 2.1.0.", sarif_json),
    Format("code-quality", "Write GitLab's code quality report (JSON).", code_quality_json),
)


class Outputs:
    """The files to write.

    Args:
        html: the directory for the site; None for none.
        badge: the files for badges.
        badges: the directory for the badges of all levels; None for none.
        files: the file of each of `FORMATS`, by the option with underscores; None for none.
    """

    def __init__(
        self,
        *,
        html: Path | None,
        badge: tuple[Path, ...],
        badges: Path | None,
        **files: Path | None,
    ) -> None:
        self._places: list[tuple[str, Path | None, Callable[[Path], Any], _Render]] = [
            *(
                (f"--{one.option}", files[one.option.replace("-", "_")], WholeFile, one.render)
                for one in FORMATS
            ),
            *(("--badge", path, WholeFile, _badge(path)) for path in badge),
            ("--html", html, WholeSite, _site),
            ("--badges", badges, WholeSite, _badges),
        ]

    def check(self, *others: tuple[str, Path | None]) -> None:
        """Check that no two options write the same file.

        Args:
            others: options of the command that write a file too, each with its path.

        Raises:
            click.UsageError: two of them do.
        """
        found: dict[Path, str] = {}
        mine = ((option, path) for option, path, *_ in self._places)
        for option, path in (*others, *mine):
            if path is None or (path.exists() and not path.is_file()):
                continue  # a pipe or a terminal takes several
            other = found.setdefault(Path(os.path.realpath(path)), option)
            if other is not option:
                raise click.UsageError(f"{other} and {option} both write {path}: give two files")

    @contextmanager
    def opened(self, corpus: Corpus | None = None) -> Iterator[Write]:
        """Open every place, and yield a function that writes the runs to all of them.

        Args:
            corpus: the cases that the runs are about; by default those of the kit.

        Raises:
            click.UsageError: something cannot be written.
        """
        with ExitStack() as stack:
            writers: list[_Writer] = []
            for option, path, kind, render in self._places:
                if path is not None:
                    place = _opened(option, kind, path)
                    stack.callback(place.close)
                    writer = functools.partial(_write, place, render, corpus)
                    writers.append((f"{option} {path}", writer))

            def write(runs: Sequence[Run]) -> list[str]:
                every = [*writers, ("the log of the CI service", tell_pipeline)]
                problems = (_problem(place, one, runs) for place, one in every)
                return [problem for problem in problems if problem]

            yield write


def _problem(place: str, write: Callable[[Sequence[Run]], None], runs: Sequence[Run]) -> str:
    """Write *runs* to one place; return what went wrong, or an empty text.

    A place that cannot be written, or a report that fails, does not affect the other reports.
    """
    try:
        write(runs)
    except OSError as error:
        return f"{place}: cannot write: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 # an error of the kit in one report
        return f"{place}: {type(error).__name__}: {error}"
    return ""


output_options = bundled(
    "outputs",
    Outputs,
    *(
        click.option(f"--{one.option}", type=_FILE, metavar="FILE", help=one.help)
        for one in FORMATS
    ),
    click.option(
        "--html",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write the atlas of the cases that were run, with the run as its first column.",
    ),
    click.option(
        "--badge",
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="Write a badge: an image (.svg), or data for an endpoint badge (.json).",
    ),
    click.option(
        "--badges",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write a badge for each level, and a page with the lines that embed them.",
    ),
)
"""Adds the options to a command, which receives them as ``outputs``."""


class Screen:
    """Standard output.  If it cannot be written any more, the other reports are still written.

    Args:
        out: the stream.

    Attributes:
        is_lost: whether something could not be written.
        problem: why, in one line; empty if its reader has only closed it.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.is_lost = False
        self.problem = ""

    def show(self, run: Run, view: View = USUAL) -> None:
        """Write the report on *run*: in colours on a terminal, as plain lines elsewhere."""
        console = Console(file=self._out, highlight=False, markup=False, emoji=False)
        if console.is_terminal:
            with console.capture() as captured:
                print_run(console, run, view)
            self.write("\n".join(map(inert_line, captured.get().split("\n"))))
        else:
            self.write("".join(f"{line}\n" for line in plain_lines(run, view)))

    @property
    def width(self) -> int | None:
        """The characters of a line of the terminal; None where there is no terminal."""
        console = Console(file=self._out)
        return console.width if console.is_terminal else None

    def write(self, text: str) -> None:
        """Write *text*."""
        with self._losing():
            if not self.is_lost:
                self._out.write(text)
                self._out.flush()

    def has_failed(self, runs: Sequence[Run], problems: Iterable[str]) -> bool:
        """Report on standard error what is missing or failed; return whether anything is or did.

        Args:
            runs: those that were reported.
            problems: lines about other errors.
        """
        gaps = [(run.head.implementation, run.head.incomplete) for run in runs]
        lines = [*problems, self.problem]
        lines += [f"{name}: incomplete: {gap}" for name, gap in gaps if gap]
        lines = [line for line in lines if line]
        for line in lines:
            click.echo(f"httplib-kit: {visible_text(line)}", err=True)
        return bool(lines) or self.is_lost

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.is_lost = True
            if not isinstance(error, BrokenPipeError):
                self.problem = f"standard output: cannot write: {error.strerror or error}"
            with suppress(OSError, ValueError):
                # What Python still buffers for it goes to the null device.
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())


def tell_pipeline(runs: Sequence[Run]) -> None:
    """Write annotations and step summary if the environment names a known CI service."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotation_lines(runs):
            click.echo(line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8", newline="") as file:
            file.write(markdown_text(runs))


def _badge(path: Path) -> Callable[[Sequence[Run], Corpus], bytes]:
    for suffix, render in ((".svg", badge_svg), (".json", badge_endpoint)):
        if path.suffix == suffix:
            return lambda runs, _: render(runs)
    raise click.UsageError(f"--badge: {path} ends neither in .svg nor in .json")


def _write(
    place: WholeFile | WholeSite,
    render: _Render,
    corpus: Corpus | None,
    runs: Sequence[Run],
) -> None:
    place.write(render(runs, corpus or load_corpus()))


def _site(runs: Sequence[Run], corpus: Corpus) -> Iterable[tuple[str, str]]:
    # Import the templates and read the records only when pages are requested.
    from conformance.atlas import site
    from conformance.results.golden import load_book

    names = dict.fromkeys(result.id for run in runs for result in run.results)
    return site(corpus, list(names), load_book(), runs)


def _badges(runs: Sequence[Run], _: Corpus) -> Iterator[tuple[str, str]]:
    from conformance.atlas import page_alone

    files = [(name, content.decode()) for name, content in badge_files(runs)]
    shown = [(name, embedding(name)) for name, _ in files if name.endswith(".svg")]
    yield "index.html", page_alone("badges.html", badges=shown)
    yield from files


def _opened(option: str, kind: Callable[[Path], Any], path: Path) -> Any:
    try:
        return kind(path)
    except Refused as error:
        raise click.UsageError(f"{option}: {error}") from None
