"""What programs write about a response, where that is not the content and a head as such.

The input is the result of a program that ended after a response; the output is its head and its
content, each None where the program does not report it.
"""

import re
from collections.abc import Callable, Mapping

from conformance.drivers.clients.command import Taken
from conformance.drivers.clients.invocation import Ended


def taken_by_wget(ended: Ended) -> Taken:
    """Return what wget wrote: the content on standard output, the head on standard error.

    With ``--save-headers`` it would write both to one file, but no head that it does not know as
    one, and of a head with a NUL only the part before it. On standard error the lines of the last
    head are indented, with backslashes before what is not printable. It discards the content of a
    response that it does not save: a redirect, and one that requires credentials.
    """
    heads = _WGET_HEAD.findall(ended.said)
    lines = (line[2:].decode("unicode_escape") for line in heads[-1].split(b"\n")) if heads else ()
    head = "".join(f"{line}\n" for line in lines).encode("latin-1")
    saved = ended.output or re.search(rb"(?m)^Saving to: ", ended.said)
    return (head or None), (ended.output if saved else None)


_WGET_HEAD = re.compile(rb"(?m)^  HTTP.*(?:\n  .*)*")
READERS: Mapping[str, Callable[[Ended], Taken]] = {"wget": taken_by_wget}
"""The readers, by the names that the registry has for them."""
