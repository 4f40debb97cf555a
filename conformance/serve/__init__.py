"""Serve: every case at a URL, for whatever client a person has at hand; and how to reproduce one.

In: the corpus, and ports to listen on.  Out: the octets of a case's script, played for anyone who
asks for it::

    curl -i http://127.0.0.1:8080/c/chunked.size-line.hexadecimal

A request's own first line says what is wanted; nothing else of a request is ever parsed.  What is
played has bounds in time and size, nothing is dialled, and nobody is judged.
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
