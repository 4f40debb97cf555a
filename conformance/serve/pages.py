"""The control pages: what is served, and what was played last.

The input is a path under ``/_/``, or ``/c/``.  The output is a reply, as a step that is written.

``/_/``                  an index for a browser; ``/_/cases/CASE.html`` is the page of a case
``/_/lessons``           the lessons; ``/_/lessons/3`` is one of them
``/_/cases.json``        every case, how it is reached, and the ports
``/_/transcript/last``   the wire of the latest play
``/_/playground``        bytes to edit and play (`Playground`)
``/_/judge``             judges the visiting browser (`Visits`)
``/_/openapi.json``      the description of ``/_/plays`` (`api`)
``/_/ca.pem``            the certificate of this run's authority
``/_/client.pem``        a certificate for clients, which it has signed, and the key
``/c/``                  the words of which a response can be made in a URL (`chain`)
"""

from collections.abc import Callable
from typing import Any

import msgspec

from certs import CertificateAuthority
from conformance.atlas import ServedSite, events, link, rendered, section_name
from conformance.course import load_lessons
from conformance.reproduce import Catalogue, Entry, Ports, curl
from conformance.serve.api import description
from conformance.serve.chain import PREFIX
from mockserver import Reply

CONTROL = "/_/"
LESSONS = "/_/lessons"
PLAYGROUND = "/_/playground"
_HTML = b"text/html; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_JSON, _PEM = b"application/json", b"application/x-pem-file"
_NOTHING = "no such page; /_/ lists all pages\n"


class Pages:
    """Makes the pages.

    Args:
        catalogue: the cases.
        ports: where the server listens.
        transcript: returns the transcript of what was played last.
        authority: makes the certificates.
        grammar: the text of ``/c/``.
        playground: whether the server has the playground.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ports: Ports,
        transcript: Callable[[], str],
        authority: CertificateAuthority,
        grammar: str,
        playground: bool = True,
    ) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._transcript = transcript
        self._authority = authority
        self._grammar = grammar
        self._playground = playground
        self._site = ServedSite(catalogue, ports, playground)

    def reply(self, path: str, method: str = "GET") -> Reply:
        """Return the page at *path*; for HEAD, its head only."""
        status, kind, body = self._page(path)
        headers = (
            (b"Content-Type", kind),
            (b"Content-Length", b"%d" % len(body)),
            (b"X-Content-Type-Options", b"nosniff"),
        )
        seen = b"" if method == "HEAD" else body
        return Reply(status, headers=headers, body=seen, framing="close")

    def _page(self, path: str) -> tuple[int, bytes, bytes]:
        if path == PREFIX:
            return 200, _TEXT, self._grammar.encode()
        found = self._site.page(path.removeprefix(CONTROL).lstrip("/"))
        if found is not None:
            kind, text = found
            return 200, kind.encode("ascii"), text.encode("utf-8")
        if path.startswith(LESSONS):
            lesson = self._lesson(path.removeprefix(LESSONS))
            if lesson is not None:
                return 200, _HTML, lesson.encode("utf-8")
        if path == f"{CONTROL}cases.json":
            return 200, _JSON, msgspec.json.encode(self.listing())
        if path == f"{CONTROL}openapi.json":
            return 200, _JSON, description()
        if path == f"{CONTROL}transcript/last":
            return 200, _TEXT, self._transcript().encode()
        if path == f"{CONTROL}ca.pem":
            return 200, _PEM, self._authority.ca_pem
        if path == f"{CONTROL}client.pem":
            return 200, _PEM, self._authority.client_pem
        return 404, _TEXT, _NOTHING.encode()

    def _lesson(self, path: str) -> str | None:
        """Return the page of the lessons, or of the one at *path*; None if there is none."""
        lessons, corpus = load_lessons(), self._catalogue.corpus
        more: dict[str, Any] = {"playground": self._playground}
        if path in ("", "/"):
            more |= {"here": "lessons", "lessons": lessons}
            return rendered("lessons.html", corpus.digest, **more)
        known = {f"/{number}": one for number, one in enumerate(lessons, 1)}
        if path not in known:
            return None
        lesson = known[path]
        return rendered(
            "lesson.html",
            corpus.digest,
            here="-",
            number=int(path[1:]),
            count=len(lessons),
            lesson=lesson,
            before=lesson.text.strip().split("\n\n"),
            after=lesson.after.strip().split("\n\n"),
            prediction=lesson.prediction(corpus),
            question=lesson.question(corpus),
            events=events(lesson.shown(corpus), None),
            read=[(section_name(one), link(one)) for one in lesson.read],
            **more,
        )

    def listing(self) -> dict[str, Any]:
        """Return the content of ``cases.json``."""
        ports = self._ports
        return {
            "corpus": self._catalogue.digest,
            "host": ports.host,
            "ports": {
                "http": ports.http,
                "tls": ports.tls,
                "proxy": ports.proxy,
                "control": ports.control,
            },
            "cases": [self._row(entry) for entry in self._catalogue.entries.values()],
        }

    def _row(self, entry: Entry) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": entry.case.id,
            "rev": entry.case.rev,
            "title": entry.case.title,
            "level": entry.case.level,
            "family": entry.case.family,
            "how": entry.how,
        }
        if entry.how == "none":
            return {**row, "why_not": entry.why_not}
        connections = len(entry.case.script.connections)
        return {
            **row,
            "url": entry.url(self._ports),
            "port": entry.port(self._ports),
            "connections": connections,
            "curl": curl(entry, self._ports),
        }
