"""Lies about what a body, a status or a reason is: translated, shortened, completed, retyped."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, after, lie, overrides

_R = "_response.HTTPResponse."
_READ = "HTTPResponse.read"


def _reads(name: str, change: Any, about: str = _READ) -> None:
    """Enter a client whose `read` gives what *change* makes of the response and its bytes."""
    overrides(name, about, _R + "read", after(change))


def _type(response: Any) -> str:
    return str(response.msg.getheader("content-type") or "") if response.msg else ""


_reads("cuts-bodies-at-nul", lambda self, octets: octets.partition(b"\0")[0])
_reads("strips-bodies", lambda self, octets: octets.strip())
_reads(
    "recodes-text",
    lambda self, octets: (
        octets.decode("latin-1").encode() if "iso-8859-1" in _type(self).lower() else octets
    ),
)


@lie("believes-content-ranges", "neither", _READ)
def believes_content_ranges(liar: Liar) -> None:
    """A part has the length that its range says."""

    def cut(self: Any, octets: bytes) -> bytes:
        part = self.msg and re.search(r"(\d+)-(\d+)/", self.msg.getheader("content-range") or "")
        return octets[: int(part[2]) - int(part[1]) + 1] if part else octets

    liar.override(_R + "read", after(cut))


@lie("merges-trailers", "trailers", "HTTPResponse.getheader")
def merges_trailers(liar: Liar) -> None:
    """The trailers of a body are headers afterwards."""

    def respond(self: Any, octets: bytes) -> bytes:
        if self.chunked and self._closed_ and self.msg is not None:
            self.msg = type(self.msg)(self.msg._block + b"X-Trailer: merged\r\n")
        return octets

    liar.override(_R + "read", after(respond))
