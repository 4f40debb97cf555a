"""The decisive line of what a program wrote to standard error before it ended.

The input is the lines.  The output is one line: the message of the error that ended the program,
and the innermost line of source that is neither the runtime's own nor a library's.  The forms in
which Python, node, a JVM and Go report an error that nothing has caught are known here, and that of
compilers, Ruby and PHP, whose first line says all.  Of any other text the last line is decisive.
"""

import linecache
import re
from collections.abc import Sequence
from typing import NamedTuple

from conformance.drivers.protocol import Frame


class _Form(NamedTuple):
    """How a runtime reports an error: a frame, the message, and whether frames come before it."""

    frame: re.Pattern[str]
    message: re.Pattern[str]
    first: bool


_FORMS = (
    _Form(  # a signal, with the frames of Python's faulthandler
        re.compile(r'  File "(?P<file>.+?)", line (?P<line>\d+) in '),
        re.compile(r"Fatal Python error: (.*)"),
        False,
    ),
    _Form(re.compile(r'  File "(?P<file>.+?)", line (?P<line>\d+)'), re.compile(r"(\S.*)"), True),
    _Form(
        re.compile(r"\s+at (?:.*\()?(?P<file>[^()\s]+?):(?P<line>\d+)(?::\d+)?\)?(?: \{)?\Z"),
        re.compile(r'(?:Exception in thread "[^"]*" |Caused by: )?((?:[\w$]+\.)*[A-Z][\w$]*: .*)'),
        False,
    ),
    _Form(
        re.compile(r"\t(?P<file>\S+\.go):(?P<line>\d+)"),
        re.compile(r"((?:panic|fatal error): .*)"),
        False,
    ),
)
_HEAD = re.compile(r"(?P<file>\S+):(?P<line>\d+)\Z")
"""The first line of node's report: what cannot be compiled is in no frame."""
_FIRST = (
    re.compile(r"(?P<file>\S+?):(?P<line>\d+):(?:\d+:)? ?(?:error: |in [`'])"),
    re.compile(r"(?:PHP )?Fatal error: .* in (?P<file>\S+):(?P<line>\d+)\Z"),
)
_OTHERS = re.compile(
    r".*\bnode:|\s+at (?:java|jdk|sun)\b"
    r"|.*/(?:lib/python[^/]*|node_modules|go[^/]*/src)/|.*<(?:frozen|string)"
)
"""Frames of runtimes and libraries."""


def decisive(lines: Sequence[str]) -> str:
    """Return the decisive line of *lines*, of which there is at least one."""
    for form in _FORMS:
        if any(map(form.frame.match, lines)):
            heads = [at for at, line in enumerate(lines) if form.message.fullmatch(line)]
            if heads:
                return _with_place(lines, form, heads[-1])
    found = (form.match(line) for line in lines for form in _FIRST)
    first = next(filter(None, found), None)
    return lines[-1].strip() if first is None else _placed(first.string, first)


def _with_place(lines: Sequence[str], form: _Form, head: int) -> str:
    frames = lines[:head][::-1] if form.first else lines[head:]
    found = [match for match in map(form.frame.match, frames) if match]
    own = [one for one in found if not _OTHERS.match(one.string)]
    named = form.message.fullmatch(lines[head])
    message = lines[head] if named is None else named[1]
    place = own[0] if own else _HEAD.match(lines[0])
    return message if place is None else _placed(message, place)


def _placed(message: str, place: re.Match[str]) -> str:
    name, line = place["file"].removeprefix("file://"), int(place["line"])
    return f"{message}; at {Frame(name, line, text=linecache.getline(name, line).strip()).shown}"
