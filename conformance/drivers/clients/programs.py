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
    """Return what wget wrote: the head, followed by the content.

    For a redirect and for a response that requires credentials, wget prints only the head, on
    standard error.
    """
    if ended.code not in _ANSWERED:
        return None
    if ended.output:
        end = re.search(rb"\r?\n\r?\n", ended.output)
        at = end.end() if end else len(ended.output)
        return ended.output[:at], ended.output[at:]
    lines = [line[2:] for line in ended.said.split(b"\n") if line.startswith(b"  ")]
    return b"\n".join(lines), None
