"""The normal form of what was seen, equal whenever the same implementation does the same.

The input is a result.  The output is the place at which the observation left what is accepted, and
what was seen there, as one line.  A baseline compares these two, so that an entry does not cover
another failure of the same case.

Class names, status codes, values and bytes are kept.  What differs between runs or machines is
replaced by a name: memory addresses, ports, numbers of processes and descriptors, names of
temporary files, durations, and the text that an operating system or a TLS library adds to its error
number.  Long text is shortened, with a digest of the whole.

Of the error by which a client rejects a response, category and class are kept and the message is
not: clients change their messages between releases, and golden records do not store them.
"""

import hashlib
import re

from conformance.judge import Verdict
from conformance.results.result import Result

LONGEST = 200
"""Characters of a normal form that are kept unshortened."""
_START, _END = 100, 40
_START_OF_TEXT = 1_000
"""Characters of a text that a skeleton is made of; a result seldom has more."""

_SYSTEM = re.compile(r"(?s)(?P<class>[\w.]+): .*\(errno (?P<number>-?\d+)\)")
"""An error of the operating system, as `entry_text` writes it."""
_TLS = re.compile(
    r"(?s)(?P<start>[\w.]+: )?.*?(?P<name>\[SSL[^\]]*\]).*?(?P<errno> \(errno \d+\))?"
)
_VARYING = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r" ?\(_ssl\.c:\d+\)", ""),
        (r"(?<=\b_ssl\.c):\d+", ""),
        (r"\bat 0x[0-9a-fA-F]+|@[0-9a-f]{5,8}\b|\bobject 0x[0-9a-f]+", "(an address)"),
        (r"\b0x[0-9a-fA-F]{6,}", "(an address)"),
        # Only from the front of a word, or a long word would be read once from each letter.
        (r"(?<![^\s'\"])[^\s'\"]*httplib-kit-[^\s'\"/]+", "(a file)"),
        (r"/(?:var/)?tmp/[^\s'\",)\]>]+", "(a file)"),
        (r"(?<=127\.0\.0\.1:)\d+|(?<='127\.0\.0\.1', )\d+", "PORT"),
        (r"(?i)(?<=\bport )(?:3[2-9]\d{3}|[456]\d{4})\b", "PORT"),
        (r"(?i)(?<=\bpid )\d+|(?<=\bpid=)\d+|(?<=\bpid: )\d+|(?<=\bfd=)\d+", "N"),
        (r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "(an id)"),
        (r"\b\d+\.\d+(?= ?(?:s|ms|sec|secs|seconds)\b)", "N"),
    )
)


_LITERAL = re.compile(
    r"""(?<!attribute )(?<!argument )(?<!name )"""
    r"""(?:\bb)?(?:'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z))|(?<![\w.])\d+"""
)
"""A text, bytes or a number in a message; the names of attributes and arguments are kept."""


_REJECTION = re.compile(r"(?s)(rejects \([\w -]+\): [^\s:]+): .*")
"""A client's error, as `error_text` writes it."""


def seen_in(result: Result) -> tuple[str, str]:
    """Return the place and the normal form of what was seen there; both empty if there is none.

    The death of a process has no place; a hang has neither place nor form.
    """
    if result.where:
        return result.where, normal(without_message(result.seen))
    if result.verdict == Verdict.CRASH:
        return "", normal(result.reason.partition("\n")[0].partition(";")[0])
    return "", ""


def without_message(seen: str) -> str:
    """Return *seen* without the message, if it is an error by which a client rejects a response.

    >>> without_message("rejects (bad-framing): a.ChunkError: 0 is no size")
    'rejects (bad-framing): a.ChunkError'
    """
    return _REJECTION.sub(r"\1", seen)


def normal(text: str) -> str:
    """Return *text* in its normal form; the normal form of that is the same."""
    text = _stable(text)
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[:_START]} … {text[-_END:]} ({len(text)} characters, {digest})"


def skeleton(text: str) -> str:
    """Return the first line of *text* without what varies, and with `…` in place of each literal.

    >>> skeleton("builtins.ValueError: invalid literal for int() with base 16: b'5;x'")
    'builtins.ValueError: invalid literal for int() with base …: …'
    """
    return _LITERAL.sub("…", _stable(text[:_START_OF_TEXT]).partition("\n")[0])[:LONGEST]


def _stable(text: str) -> str:
    """Return *text* without what differs between runs or machines."""
    tls, system = _TLS.fullmatch(text), _SYSTEM.fullmatch(text)
    if tls:
        text = f"{tls['start'] or ''}{tls['name']}{tls['errno'] or ''}"
    elif system:
        text = f"{system['class']}: [Errno {system['number']}] (errno {system['number']})"
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text
