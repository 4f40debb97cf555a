"""Reproduce: text with which anyone can repeat what a case does, by hand.

The input is a case with the way to it.  The output is text to paste: a command for a running
server, the server's bytes, a few lines of Python, or one stand-alone script for a bug report.
Nothing here opens a socket.
"""

from conformance.reproduce.code import NotReproducible
from conformance.reproduce.forms import FORMS, reproduce

__all__ = ["FORMS", "NotReproducible", "reproduce"]
