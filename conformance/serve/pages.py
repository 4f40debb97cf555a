"""The control pages: what is served, and what was played last.

The input is a path under ``/_/``.  The output is a reply, as a step that can be written.

``/_/``                  an index for a browser
``/_/cases.json``        every case, how it is reached, and the ports
``/_/transcript/last``   the wire of the latest play
``/_/ca.pem``            the certificate of this run's authority
"""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import msgspec

from conformance.reproduce import Catalogue, Entry, Ports, curl
from conformance.wording import counted
from mockserver import Reply

CONTROL = "/_/"
_TEXT, _HTML = b"text/plain; charset=utf-8", b"text/html; charset=utf-8"
_JSON, _PEM = b"application/json", b"application/x-pem-file"
_NOTHING = "no such page; /_/ lists all pages\n"


class Pages:
    """Makes the pages.

    Args:
        catalogue: the cases.
        ports: where the server listens.
        transcript: returns the transcript of what was played last.
        authority: returns the PEM of the certificate authority.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ports: Ports,
        transcript: Callable[[], str],
        authority: Callable[[], bytes],
    ) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._transcript = transcript
        self._authority = authority

    def reply(self, path: str, method: str = "GET") -> Reply:
        """Return the page at *path*; for HEAD, its head only."""
        status, kind, body = self._page(path)
        headers = ((b"Content-Type", kind), (b"Content-Length", b"%d" % len(body)))
        seen = b"" if method == "HEAD" else body
        return Reply(status, headers=headers, body=seen, framing="close")

    def _page(self, path: str) -> tuple[int, bytes, bytes]:
        if path in ("/", CONTROL):
            return 200, _HTML, "".join(self._index()).encode()
        if path == f"{CONTROL}cases.json":
            return 200, _JSON, msgspec.json.encode(self.listing())
        if path == f"{CONTROL}transcript/last":
            return 200, _TEXT, self._transcript().encode()
        if path == f"{CONTROL}ca.pem":
            return 200, _PEM, self._authority()
        return 404, _TEXT, _NOTHING.encode()

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

    def _index(self) -> Iterator[str]:
        ports = self._ports
        yield "<!doctype html><meta charset=utf-8><title>httplib-kit serve</title>\n"
        yield (
            "<style>body{font:16px/1.5 sans-serif;max-width:72em;margin:2em auto;padding:0 1em}"
            "code{font-size:90%}td{padding:0 1em 0 0;vertical-align:top}</style>\n"
            "<h1>httplib-kit serve</h1>\n"
            f"<p>{counted(len(self._catalogue.entries), 'case')}; TLS on port {ports.tls}, "
            f"a proxy on {ports.proxy}, these pages also on {ports.control}.\n"
            '<p><a href="/_/cases.json">cases.json</a> · '
            '<a href="/_/transcript/last">the latest transcript</a> · '
            '<a href="/_/ca.pem">the certificate authority</a> · '
            '<a href="/c/status/418?reason=teapot">/c/status/418?reason=teapot</a> · '
            '<a href="/c/bytes?text=hello">/c/bytes?text=hello</a>\n'
        )
        families: dict[str, list[str]] = {}
        for entry in self._catalogue.entries.values():  # several files may have cases of one family
            families.setdefault(entry.case.family, []).append(self._line(entry))
        for family, lines in families.items():
            yield f"<details><summary>{escape(family)}: {len(lines)}</summary><table>\n"
            yield from lines
            yield "</table></details>\n"

    def _line(self, entry: Entry) -> str:
        case, url = entry.case, entry.url(self._ports)
        name = f"<code>{escape(case.id)}</code>"
        if entry.how in ("url", "tls", "name", "port"):
            name = f'<a href="{escape(url)}">{name}</a>'
        told = entry.why_not or (f"CONNECT {case.id}" if entry.how == "proxy" else "")
        cells = (name, escape(case.level), escape(case.title), escape(told))
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"
