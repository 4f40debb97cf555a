"""HTML: a small static site, an index with a page for each case.

The input is runs.  The output is the names and texts of the site's files.  The pages contain no
scripts and load only their own style sheet, and their content security policy forbids anything
else.  Untrusted text is made visible before it is escaped.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from conformance.report.legend import EVERY
from conformance.report.octets import split_lines, visible, visible_text
from conformance.report.runs import Run
from conformance.report.score import score_lines
from conformance.report.standing import Standing, standing
from conformance.report.story import Span, command, frame_lines, place, transcript_lines
from conformance.report.summary import scope, table, totals
from conformance.results import Clipped, Result, RunHead, kept_parts, left_out

_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,150}")
_WORST_FIRST = (
    Standing.ERROR,
    Standing.FAILED,
    Standing.FLAKY,
    Standing.EXPECTED,
    Standing.OK,
    Standing.SKIPPED,
)


@dataclass
class Page:
    """What the page of one case shows, over all runs and settings."""

    id: str
    file: str
    results: list[tuple[RunHead, Result]] = field(default_factory=list)
    worst: list[Result | None] = field(default_factory=list)

    @property
    def first(self) -> Result:
        """The first result of the case; the facts about the case are the same in all."""
        return max((result for _, result in self.results), key=lambda one: len(one.octets))

    @property
    def octets(self) -> Iterator[list[Span]]:
        """What each connection sends; the place that differs from the twin is marked."""
        for number, kept in enumerate(self.first.octets):
            at, start, end = self.first.differs or (-1, 0, 0)
            spans: list[Span] = []
            for offset, octets in kept_parts(kept):
                if offset and isinstance(kept, Clipped):
                    spans.append(Span(f"\n… {left_out(kept)} …\n"))
                first, last = max(start - offset, 0), max(end - offset, 0)
                if at == number and offset <= start <= offset + len(octets):
                    spans.append(Span(_in_lines(octets[:first])))
                    spans.append(Span(_in_lines(octets[first:last]), "marked"))
                    octets = octets[last:]
                spans.append(Span(_in_lines(octets)))
            yield spans

    def requirement(self, name: str) -> str:
        """Return the text of the requirement called *name*."""
        return self.results[0][0].requirements.get(name, "")


def site_files(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Yield the name, relative to the site, and the text of each file."""
    pages = _pages(runs)
    templates = _templates()
    index, case = templates.get_template("index.html"), templates.get_template("case.html")
    files = {page.id: page.file for page in pages}
    yield "index.html", index.render(runs=runs, pages=pages, files=files, legend=EVERY)
    for page in pages:
        yield f"cases/{page.file}", case.render(page=page, command=command)


def style_sheet() -> tuple[str, str]:
    """Return the name and the text of the file that the pages of all cases share.

    A copy in each of thousands of pages would be half of the site's size.
    """
    return "style.css", _templates().get_template("style.css").render()


def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).with_name("templates"))
    made = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    made.filters.update(
        visible=visible_text,
        totals=totals,
        score=_score_lines,
        table=table,
        scope=scope,
        place=place,
        frames=frame_lines,
        transcript=transcript_lines,
        standing=lambda result: standing(result).value,
    )
    return made


def _pages(runs: Sequence[Run]) -> list[Page]:
    """Return a page for each case, in the order of the runs."""
    pages: dict[str, Page] = {}
    for run in runs:
        found: dict[str, list[Result]] = {}
        for result in run.results:
            found.setdefault(result.id, []).append(result)
        for name, results in found.items():
            page = pages.setdefault(name, Page(name, _file_name(name)))
            page.results += [(run.head, result) for result in results]
    for page in pages.values():
        page.worst = [_worst(page, run.head) for run in runs]
    return list(pages.values())


def _worst(page: Page, head: RunHead) -> Result | None:
    """Return the most serious result of the case in the run with *head*, if there is one."""
    found = [result for of, result in page.results if of is head]
    return min(found, key=lambda one: _WORST_FIRST.index(standing(one)), default=None)


def _file_name(name: str) -> str:
    """Return a file name for any id: it is never a path, and never too long."""
    if _PLAIN_ID.fullmatch(name):
        return f"{name}.html"
    return f"{hashlib.sha256(visible_text(name).encode()).hexdigest()}.html"


def _in_lines(octets: bytes) -> str:
    return "".join(
        visible(line) + ("\n" if line.endswith(b"\n") else "") for line in split_lines(octets)
    )


def _score_lines(run: Run) -> list[str]:
    return score_lines(run.results, run.head.unreached)
