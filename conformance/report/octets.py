r"""Makes bytes and untrusted text visible, unambiguously and without effect on a terminal or a log.

The input is bytes, or text from anywhere.  The output is text in which every byte and every
character is shown as itself or by a name: ``\r``, ``\n``, ``\t``, ``\\`` and ``\xNN`` for bytes,
``<U+202E>`` for characters.  Nothing in it moves a cursor, changes the direction of writing, ends a
line, or is a command in the log of a CI service.  Characters with a meaning in one format only,
such as ``<`` in XML, are escaped by the code that writes that format.
"""

import re

_NAMES = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}
_VISIBLE = {
    octet: _NAMES.get(octet, f"\\x{octet:02x}")
    for octet in range(256)
    if octet in _NAMES or not 0x20 <= octet < 0x7F
}
_LOG_COMMAND = re.compile(r"(?:\A *:(?=:))|#(?=#\w*\[)")
"""What a CI service reads as a command in a log: ``::name::`` with at most blanks before it, and
``##[name]`` or ``##name[`` anywhere.
"""
_NAME = re.compile(r"<(?=U\+)")
"""Text that could be mistaken for the name of a character."""


def visible(octets: bytes) -> str:
    """Return *octets* as printable, unambiguous text."""
    return inert(_translated(octets))


def _translated(octets: bytes) -> str:
    return octets.decode("latin-1").translate(_VISIBLE)


_WRITTEN = re.compile(rb"\\([rnt\\]|x[0-9A-Fa-f]{2})?|[\r\n]")
_MEANT = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def octets_of(text: bytes) -> bytes:
    r"""Return the bytes that *text* shows in the notation of `visible`.

    A line end in *text* itself is layout, and stands for nothing.

    Raises:
        ValueError: a backslash begins none of the names; the message gives its place.

    >>> octets_of(rb"a\x00\r\n" + b"\n" + rb"b\\")
    b'a\x00\r\nb\\'
    """

    def meant(found: re.Match[bytes]) -> bytes:
        name = found[1]
        if name is None and found[0] == b"\\":
            line = text.count(b"\n", 0, found.start()) + 1
            before = text[: found.start()].rpartition(b"\n")[2]
            column = len(before.decode("utf-8", "replace")) + 1
            names = r"\r, \n, \t, \\ or \xNN"
            raise ValueError(f"line {line}, character {column}: a backslash begins {names}")
        if name is None:
            return b""
        return _MEANT.get(name) or bytes([int(name[1:], 16)])

    return _WRITTEN.sub(meant, text)


_UNSEEN = re.compile(r"([^ -\[\]-~]+)")


OctetRuns = list[tuple[str, str]]
"""Text that is shown as itself, each with the names of the bytes that follow it."""


def octet_runs(octets: bytes) -> OctetRuns:
    r"""Return *octets* as text that is shown as itself, each with the named bytes after it.

    >>> octet_runs(b"a\r\nb\\")
    [('a', '\\r\\n'), ('b', '\\\\')]
    """
    found = _UNSEEN.split(octets.decode("latin-1"))
    names = [one.translate(_VISIBLE) for one in found[1::2]]
    return [*zip(found[::2], names, strict=False), *([(found[-1], "")] if found[-1] else [])]


def inert(text: str) -> str:
    """Return visible *text* with nothing in it that a CI service reads as a command."""
    return _LOG_COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", text)


_BEGINS_A_COMMAND = re.compile(r"\A((?:\x1b\[[0-9;]*m|\s)*):(?=(?:\x1b\[[0-9;]*m)*:)")


def inert_line(line: str) -> str:
    r"""Return a line that is printed unchanged, styled or folded, with nothing in it that acts.

    Text that is harmless in the middle of a line may begin a line once the line is folded.

    >>> inert_line("\x1b[1m ::error::x")
    '\x1b[1m <U+003A>:error::x'
    """
    return _BEGINS_A_COMMAND.sub(lambda found: f"{found[1]}{_named(':')}", line)


def visible_text(text: str) -> str:
    r"""Return *text* in one unambiguous line, with every character that could act shown by name.

    >>> visible_text("a\x1b[2J\u202eb <U+1> ::error::")
    'a<U+001B>[2J<U+202E>b <U+003C>U+1> ::error::'
    >>> visible_text("::error::")
    '<U+003A>:error::'
    """
    text = _NAME.sub(_named, text)
    text = _LOG_COMMAND.sub(lambda found: found[0][:-1] + _named(found[0][-1]), text)
    if text.isprintable():
        return text
    return "".join(_named(one) if not one.isprintable() else one for one in text)


def _named(character: str | re.Match[str]) -> str:
    """Return the name of *character*: ``<U+001B>``."""
    return f"<U+{ord(character[0]):04X}>"


def unencodable(error: UnicodeError) -> tuple[str, int]:
    """Return the names of characters that an encoding lacks; an error handler for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_named, error.object[error.start : error.end])), error.end


def original_text(shown: str) -> str:
    r"""Return the text that `visible_text` has made visible.

    >>> original_text("<U+003C>U+1>")
    '<U+1>'
    """
    return re.sub(r"<U\+([0-9A-F]{4,6})>", lambda found: chr(int(found[1], 16)), shown)


_WHOLE = re.compile(r"(?:[^\\]|\\x..|\\[^x])*")
_LONGEST_NAME = len(r"\x00")


def octet_lines(octets: bytes, width: int = 96) -> list[str]:
    r"""Return *octets* as visible lines, split after each line feed and at *width*.

    The name of a byte is never split, so a line has room for one at least.

    >>> octet_lines(b"hello\0", 8)
    ['hello', '\\x00']
    """
    found: list[str] = []
    for line in split_lines(octets):
        text, at = _translated(line), 0
        while at < len(text):
            whole: str = _WHOLE.findall(text, at, at + max(width, _LONGEST_NAME))[0]
            found.append(inert(whole))
            at += len(whole)
    return found


def split_lines(octets: bytes) -> list[bytes]:
    """Split after every line feed, and nowhere else: a bare CR is data."""
    parts = octets.split(b"\n")
    ended = [part + b"\n" for part in parts[:-1]]
    return ended + ([parts[-1]] if parts[-1] else [])
