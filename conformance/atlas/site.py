"""The atlas: a site of every case, every recorded implementation, and the runs of a user.

The input is a corpus, the ids of its cases to show, the golden records, and runs.  The output is
the names and texts of the files of the site, one after the other; equal input gives equal text.

Each case is built, judged and rendered once and not kept: only its row of the tables is.  The pages
load one style sheet, one script and, where they filter, one file of data; the content security
policy of each page forbids everything else, and every template escapes what it shows.
"""

import functools
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from conformance.atlas.facts import (
    CODES,
    SIGNS,
    Column,
    Results,
    columns,
    entry_of,
    entry_of_results,
    results_by_case,
)
from conformance.atlas.markup import calls, coded, event_head, octets, rows, shown, spans
from conformance.atlas.overview import Overview, packed
from conformance.atlas.pages import CasePages, file_name, link
from conformance.atlas.tables import Tables
from conformance.cases import Corpus, Listed
from conformance.report import (
    VERDICTS,
    WORDS,
    Run,
    command,
    frame_lines,
    place,
    scope,
    score_lines,
    standing,
    table,
    totals,
    transcript_lines,
    visible_text,
)
from conformance.results.golden import Book, played_for

MENU = (
    ("cases.html", "Cases"),
    ("implementations.html", "Implementations"),
    ("matrix.html", "Matrix"),
    ("map.html", "Map"),
    ("compare.html", "Compare"),
    ("requirements.html", "Requirements"),
    ("open.html", "Open a result"),
)


def site(
    corpus: Corpus, names: Sequence[str], book: Book, runs: Sequence[Run] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the name, relative to the site, and the text of each file.

    Args:
        corpus: the corpus.
        names: the ids of the cases to show, in order; an id that the corpus lacks is shown by the
            results of *runs* alone.
        book: the golden records.
        runs: runs of the user, which become the first columns.
    """
    every = columns(book, runs)
    made = environment()
    files = [implementation_file(one) for one in every]
    shared: dict[str, Any] = {
        "served": False,
        "menu": MENU,
        "kit": version("httplib-kit"),
        "corpus": corpus.digest,
        "labels": [one.label for one in every],
        "keys": [one.key for one in every],
        "files": files,
        "signs": _SIGNS,
        "words": WORDS,
    }
    yield "atlas.css", (TEMPLATES / "atlas.css").read_text(encoding="utf-8")
    results = results_by_case(runs)
    known = {name: _present(corpus, name, results) for name in names}
    titles = {
        name: results[name][0][1].title if listed is None else listed.title
        for name, listed in known.items()
    }
    pages = CasePages(corpus, titles)
    template = made.get_template("case.html")
    tables = Tables(every)
    overview = Overview(every, tables)
    ran: dict[tuple[int, ...], int] = {}
    for name, listed in known.items():
        one = (
            entry_of_results(name, every, results)
            if listed is None
            else entry_of(
                case := listed.case(), book, every, results, played_for(book, corpus, case)
            )
        )
        tables.add(one)
        overview.add(one)
        number = ran.setdefault(one.ran, len(ran)) if one.rest else None
        text = template.render(root="../", here="", ran=number, **shared, **pages.context(one))
        yield f"cases/{file_name(name)}", _shortened(text)
    by = {visible_text(label): file for label, file in zip(shared["labels"], files, strict=True)}
    clients = [at for at, one in enumerate(every) if one.is_client and one.run is None]
    found = {
        "BY": by,
        "CLIENTS": [visible_text(every[at].label) for at in clients],
        "ABSENT": [[at for at, one in enumerate(clients) if one not in members] for members in ran],
        "MENU": MENU,
    }
    script = (TEMPLATES / "atlas.js").read_text(encoding="utf-8")
    constants = (
        f"const {name} = {json.dumps(one, separators=(',', ':'))};\n" for name, one in found.items()
    )
    yield "atlas.js", "".join(('"use strict";\n', *constants, script))
    shared["order"], shared["alike"] = overview.order, overview.alike
    shared["titles_of"], shared["within"] = overview.titles, overview.within
    shared["clients"], shared["ran"] = clients, list(ran)
    for name, context in overview.pages():
        yield name, made.get_template(name).render(root="", here=name, **shared, **context)
    template = made.get_template("implementation.html")
    for index, file in enumerate(files):
        context = {**shared, **overview.implementation(index)}
        yield f"by/{file}", template.render(root="../", here="implementations.html", **context)
    yield "data.js", f"const ATLAS = {json.dumps(overview.data(), separators=(',', ':'))};\n"


def _shortened(text: str) -> str:
    """Return the page of a case without what a parser adds: there are thousands of them."""
    # No attribute is in single quotes; each paragraph ends at a block or at the end of one.
    for part, short in (("&#39;", "'"), (">\n<", "><"), ("</p><", "<"), ("</li><", "<")):
        text = text.replace(part, short)
    return text.removesuffix("</body></html>")


def _present(corpus: Corpus, name: str, results: Results) -> Listed | None:
    """Return the case called *name*; None if results are of another form of it."""
    listed = corpus.listed(name)
    revisions = {result.rev for _, result in results.get(name, ())}
    return listed if listed is not None and revisions <= {listed.rev} else None


def implementation_file(one: Column) -> str:
    """Return the name of the file about an implementation."""
    return file_name(one.key)


TEMPLATES = Path(__file__).with_name("templates")


def _labelled(
    indices: Sequence[int],
    labels: Sequence[str],
    rest: Sequence[int] = (),
    everyone: Markup | None = None,
) -> Markup:
    if indices is rest:
        return Markup("all other {} of {}").format(len(rest), everyone)
    return Markup(", ".join(shown(labels[index]) for index in indices))  # each is escaped


def _shown_lines(text: str) -> Markup:
    return Markup("\n").join(map(shown, text.split("\n")))


@functools.cache
def environment() -> jinja2.Environment:
    """Return the environment of all templates, which escapes whatever they show."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    made.filters.update(
        coded=coded,
        shown=shown,
        octets=octets,
        spans=spans,
        rows=rows,
        event_head=event_head,
        calls=calls,
        packed=packed,
        labelled=_labelled,
        shown_lines=_shown_lines,
        totals=totals,
        score=_score_lines,
        table=table,
        scope=scope,
        place=place,
        frame_lines=lambda result: list(frame_lines(result)),
        transcript=transcript_lines,
        standing=lambda result: standing(result).value,
        code=lambda verdict: CODES[SIGNS[verdict]],
        code_of=CODES.__getitem__,
        file=file_name,
        link=link,
        query=_query,
    )
    made.globals["command"] = command
    return made


_SIGNS = [
    (CODES[sign], sign, entry.meaning)
    for entry in VERDICTS
    if (sign := SIGNS[entry.word]) != "?" and entry.word not in ("NOT_INSTALLED", "NOT_RUN")
]
"""The sign of each verdict, with its meaning."""


def _query(text: str) -> str:
    """Return *text* as a part of an address; half a character becomes a question mark."""
    return quote(text.encode("utf-8", "replace"), safe="")


def _score_lines(run: Run) -> list[str]:
    return score_lines(run.results, run.head.unreached)
