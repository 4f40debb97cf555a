"""Reproduce: the way to each case, and text with which anyone can repeat by hand what it does.

The input is a case, and the ports of a server.  The output is an `Entry` with a URL, or text to
paste: a command for a running server, the server's bytes, a few lines of Python, or one stand-alone
script for a bug report.  Nothing here opens a socket.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.reproduce.catalogue import (
        DEFAULT_PORTS,
        LOCALHOST,
        Catalogue,
        Entry,
        Ports,
        curl,
        entry_of,
        is_silent,
    )
    from conformance.reproduce.code import NotReproducible
    from conformance.reproduce.forms import FORMS, reproduce

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "catalogue": "Catalogue DEFAULT_PORTS Entry LOCALHOST Ports curl entry_of is_silent",
            "code": "NotReproducible",
            "forms": "FORMS reproduce",
        },
    )
