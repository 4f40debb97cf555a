"""The built-in clients that are programs: curl and wget.

In: the client as the user wrote it.  Out: its driver, or `NotInstalled`.  Each is told to read no
configuration, to ask no proxy, to follow no redirect and to repeat nothing; a table maps its exit
codes and last words to categories.
"""

import re
import shutil
import subprocess

from conformance.drivers.base import NotInstalled
from conformance.drivers.clients.command import HEAD, URL, Command, Ended, Rows, Taken
from conformance.drivers.clients.python_client import CURL

_TIMEOUT = "5"
"""Seconds, beyond the deadline of the kit: whether a client waits is told by that alone."""
_CURL = ("-q", "-sS", "--noproxy", "*", "--max-time", _TIMEOUT, "--dump-header", HEAD, URL)
_WGET = (
    *("--no-config", "--no-proxy", "--no-netrc", "--no-hsts", "--tries=1", "--max-redirect=0"),
    *(f"--timeout={_TIMEOUT}", "--content-on-error", "--save-headers", "--server-response"),
    *("-O", "-", URL),
)
_WGET_ROWS: Rows = (
    (r"(?i)timed out", "timeout"),
    (r"(?i)no data received|connection reset|refused|retrying|giving up", "no-response"),
    (r"(?i)read error|connection closed|expecting", "truncated-body"),
    (r"(?i)malformed status|no headers|bad response", "bad-status-line"),
)
_ANSWERED = (0, 6, 8)
"""How wget ends where it got an answer: 6 for one that asks for credentials, 8 for another error
status and for a redirect that it was told not to follow."""


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
        NotInstalled: there is none.
    """
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"there is no program {name}")
    return path


def _version(path: str) -> str:
    """Return the first number with dots that the program says of itself."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "unknown"


def _taken_by_wget(ended: Ended) -> Taken | None:
    """Return what wget wrote: the head, and behind it the content.

    Of a redirect, and of what asks for credentials, it tells the head alone, with its story.
    """
    if ended.code not in _ANSWERED:
        return None
    if ended.output:
        end = re.search(rb"\r?\n\r?\n", ended.output)
        at = end.end() if end else len(ended.output)
        return ended.output[:at], ended.output[at:]
    lines = [line[2:] for line in ended.said.split(b"\n") if line.startswith(b"  ")]
    return b"\n".join(lines), None
