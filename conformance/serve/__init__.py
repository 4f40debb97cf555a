"""Serve: every case at a URL, for any HTTP client.

The input is the corpus, and ports to listen on.  The output is the bytes of a case's script, played
for each client that requests it::

    curl -i http://127.0.0.1:8080/c/chunked.size-line.hexadecimal

The request line alone selects what is played; no other part of a request is parsed.  Plays have
bounds in time and size.  The server opens no connections, and judges no client.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.serve.catalogue import (
        DEFAULT_PORTS,
        Catalogue,
        Entry,
        Ports,
        curl,
        entry_of,
        is_silent,
    )
    from conformance.serve.server import Bounds, ServeError, Server

__all__ = [
    "DEFAULT_PORTS",
    "Bounds",
    "Catalogue",
    "Entry",
    "Ports",
    "ServeError",
    "Server",
    "curl",
    "entry_of",
    "is_silent",
]

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "catalogue": "Catalogue DEFAULT_PORTS Entry Ports curl entry_of is_silent",
            "server": "Bounds ServeError Server",
        },
    )
