"""The pages of the atlas for a server, each made when it is requested.

The input is a corpus, the ports of the server, and the path of a page.  The output is the page: the
index, which lists every case, or a case with a button that plays it and the transcript of what was
played last.  All links are relative to the host, so that another machine can follow them.

What needs all cases at once, such as the matrix, is for a site that `httplib-kit atlas` writes.
"""

from importlib.metadata import version
from typing import Any

from conformance.atlas.facts import columns, entry_of
from conformance.atlas.pages import CasePages, file_name
from conformance.atlas.site import TEMPLATES, environment
from conformance.cases import Listed
from conformance.reproduce import Catalogue, Entry, Ports, curl
from conformance.results.golden import load_book, played_for

ROOT = "/_/"
_MENU = (
    ("", "Cases"),
    ("lessons", "Lessons"),
    ("playground", "Playground"),
    ("judge", "Judge this browser"),
    ("transcript/last", "Latest transcript"),
    ("cases.json", "cases.json"),
    ("ca.pem", "Certificate authority"),
)
_FILES = {"atlas.css": "text/css", "atlas.js": "text/javascript", "served.js": "text/javascript"}


class ServedSite:
    """Makes the pages.

    Args:
        catalogue: the cases, with the way to each.
        ports: where the server listens.
        playground: whether it has the playground.
    """

    def __init__(self, catalogue: Catalogue, ports: Ports, playground: bool = True) -> None:
        self._catalogue = catalogue
        self._listed = {one.id: one for one in catalogue.listed}
        self._files = {file_name(name): name for name in self._listed}
        titles = {name: one.title for name, one in self._listed.items()}
        self._pages = CasePages(catalogue.corpus, titles)
        self._ports = ports
        self._playground = playground

    def page(self, path: str) -> tuple[str, str] | None:
        """Return the type and the text of the page at *path*; None if there is none.

        Args:
            path: the path below ``/_/``.
        """
        if path in _FILES:
            return f"{_FILES[path]}; charset=utf-8", (TEMPLATES / path).read_text(encoding="utf-8")
        if path in ("", "cases.html"):
            return _HTML, self._index()
        name = self._files.get(path.removeprefix("cases/"))
        return None if name is None else (_HTML, self._case(self._listed[name]))

    def _index(self) -> str:
        families: dict[str, list[Listed]] = {}
        for one in self._listed.values():
            families.setdefault(one.family, []).append(one)
        return self._rendered("served.html", here="", families=families, ports=self._ports)

    def _rendered(self, name: str, **context: Any) -> str:
        return rendered(name, self._catalogue.digest, playground=self._playground, **context)

    def _case(self, listed: Listed) -> str:
        book = load_book()
        every = columns(book, ())
        entry = self._catalogue.entries[listed.id]
        played = played_for(book, self._catalogue.corpus, entry.case)
        one = entry_of(entry.case, book, every, {}, played)
        context = {
            **self._pages.context(one),
            "labels": [column.label for column in every],
            "here": "-",
            "how": self._how(entry),
            "port": self._ports.http,
        }
        return self._rendered("case.html", **context)

    def _how(self, entry: Entry) -> dict[str, str]:
        """Return how a client reaches the case: a path for a browser, or a command, or neither."""
        is_page = entry.how == "url"
        return {
            "path": entry.path if is_page else "",
            "url": "" if is_page else entry.url(self._ports),
            "command": curl(entry, self._ports),
            "why_not": entry.why_not,
        }


def rendered(name: str, digest: str, *, playground: bool = True, **context: Any) -> str:
    """Return the template *name* as a page of a server.

    Args:
        name: the template.
        digest: of the corpus.
        playground: whether the server has the playground.
        context: what the template shows, with ``here``, the path of the page.
    """
    return (
        environment()
        .get_template(name)
        .render(
            root=ROOT,
            served=True,
            menu=[one for one in _MENU if playground or one[0] != "playground"],
            playground=playground,
            kit=version("httplib-kit"),
            corpus=digest,
            **context,
        )
    )


_HTML = "text/html; charset=utf-8"
