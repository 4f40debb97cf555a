"""Serve: every case at a URL, for any HTTP client.

The input is the corpus, and ports to listen on.  The output is the bytes of a case's script, played
for each client that requests it::

    curl -i http://127.0.0.1:8080/c/chunked.size-line.hexadecimal

The request line alone selects what is played; no other part of a request is parsed.  Plays have
bounds in time and size.  A program that has the token begins plays of its own scripts, at
``/_/plays`` on the control port.  The server judges only a browser whose user asks for it, at
``/_/judge``.
"""

from conformance.serve.playground import PlayBounds, Playground
from conformance.serve.server import Bounds, ServeError, Server
from conformance.serve.visits import VisitBounds

__all__ = ["Bounds", "PlayBounds", "Playground", "ServeError", "Server", "VisitBounds"]
