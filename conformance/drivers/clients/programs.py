"""The built-in clients that are programs: curl and wget.

The input is the client as the user wrote it; the output is its driver, or `NotInstalled`. Options
make each program read no configuration, use no proxy, follow no redirect and repeat no request. A
table maps exit codes and error output to categories.
"""

import re
import shutil
import subprocess

from conformance.drivers.base import NotInstalled
from conformance.drivers.clients.command import HEAD, URL, Command, Ended, Rows, Taken
from conformance.drivers.clients.python_client import CURL

_TIMEOUT = "5"
"""Seconds, more than the kit's own deadline, which alone decides whether a client hangs."""
_CURL = ("-q", "-sS", "--noproxy", "*", "--max-time", _TIMEOUT, "--dump-header", HEAD, URL)
_WGET = (
    *("--no-config", "--no-proxy", "--no-netrc", "--no-hsts", "--tries=1", "--max-redirect=0"),
    *(f"--timeout={_TIMEOUT}", "--content-on-error", "--server-response"),
    *("-O", "-", URL),
)
_WGET_ROWS: Rows = (
    (r"(?i)timed out", "timeout"),
    (r"(?i)no data received|connection reset|refused|retrying|giving up", "no-response"),
    (r"(?i)read error|connection closed|expecting", "truncated-body"),
    (r"(?i)malformed status|no headers|bad response", "bad-status-line"),
)
_ANSWERED = (0, 6, 8)
"""Exit codes of wget after a response: 6 for one that requires credentials, 8 for another error
status and for a redirect, which the options forbid to follow."""


def curl(written: str) -> Command:
    """Return the driver of curl."""
    path = program("curl")
    return Command(written, "curl", _version(path), (path, *_CURL), CURL)


def wget(written: str) -> Command:
    """Return the driver of wget."""
    path = program("wget")
    return Command(written, "wget", _version(path), (path, *_WGET), _WGET_ROWS, _taken_by_wget)


def program(name: str) -> str:
    """Return the path of the program *name*.

    Raises:
        NotInstalled: no such program was found.
    """
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"there is no program {name}")
    return path


def _version(path: str) -> str:
    """Return the first number with dots in the program's output for ``--version``."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "unknown"


def _taken_by_wget(ended: Ended) -> Taken | None:
    """Return what wget wrote: the content on standard output, the head on standard error.

    With ``--save-headers`` it would write both to one file, but no head that it does not know as
    one, and of a head with a NUL only the part before it. On standard error the lines of the last
    head are indented, with backslashes before what is not printable. It discards the content of a
    response that it does not save: a redirect, and one that requires credentials.
    """
    if ended.code not in _ANSWERED:
        return None
    heads = _WGET_HEAD.findall(ended.said)
    lines = (line[2:].decode("unicode_escape") for line in heads[-1].split(b"\n")) if heads else ()
    head = "".join(f"{line}\n" for line in lines).encode("latin-1")
    saved = ended.output or re.search(rb"(?m)^Saving to: ", ended.said)
    return (head or None), (ended.output if saved else None)


_WGET_HEAD = re.compile(rb"(?m)^  HTTP.*(?:\n  .*)*")
