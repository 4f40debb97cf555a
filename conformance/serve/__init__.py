"""Serve: every case at a URL, for any HTTP client; and text to reproduce a case.

The input is the corpus, and ports to listen on.  The output is the bytes of a case's script, played
for each client that requests it::

    curl -i http://127.0.0.1:8080/c/chunked.size-line.hexadecimal

The request line alone selects what is played; no other part of a request is parsed.  Plays have
bounds in time and size.  The server opens no connections, and judges no client.
"""

from conformance.cases.twins import sent_octets
from conformance.serve.catalogue import Catalogue, Entry, Ports
from conformance.serve.code import NotReproducible
from conformance.serve.reproduce import DEFAULT_PORTS, FORMS, reproduce
from conformance.serve.roles import annotated
from conformance.serve.server import Bounds, ServeError, Server

__all__ = [
    "DEFAULT_PORTS",
    "FORMS",
    "Bounds",
    "Catalogue",
    "Entry",
    "NotReproducible",
    "Ports",
    "ServeError",
    "Server",
    "annotated",
    "reproduce",
    "sent_octets",
]
