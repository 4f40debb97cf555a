"""Bounds: how much of a text, and of the bytes sent, a result keeps.

Short texts and bytes are kept unchanged.  Of long ones, both ends are kept, with the length and the
SHA-256 digest of the whole, so that two of them can still be compared.  Every report is made from
what is kept here, so this module alone limits the size of reports.
"""

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from conformance.drivers import Frame
from conformance.wording import counted

S = TypeVar("S", bound=msgspec.Struct)
MOST = 1_000
"""Characters of a text, and bytes of what a connection carried, that are kept whole."""
MOST_WIRE = 6 * MOST
"""Characters of a transcript, in which a byte takes up to four and has a line of its own."""
MOST_ITEMS = 64
"""Entries of a list, such as connections, that are kept."""
MOST_FRAMES = 5
"""Frames of an error, or of a client that hangs, that are kept: the innermost."""
_NAME = 200
"""Characters of a name, a version or a line of code that are kept whole."""


class Clipped(msgspec.Struct, frozen=True):
    """Bytes of which only both ends are kept, with one character for each byte.

    Args:
        length: how many bytes there are.
        sha256: the digest of all of them, in hexadecimal digits.
        first: the first ones.
        last: the last ones.
    """

    length: int
    sha256: str
    first: str
    last: str


Kept = str | Clipped
"""Bytes as a result keeps them."""


def kept_parts(kept: Kept) -> list[tuple[int, bytes]]:
    """Return the parts of *kept* that are present, each with its offset."""
    if isinstance(kept, str):
        return [(0, kept.encode("latin-1"))] if kept else []
    last = kept.last.encode("latin-1")
    return [(0, kept.first.encode("latin-1")), (kept.length - len(last), last)]


def kept_length(kept: Kept) -> int:
    """Return how many bytes *kept* represents."""
    return len(kept) if isinstance(kept, str) else kept.length


def left_out(kept: Clipped) -> str:
    """Return a text that says which bytes of *kept* are left out."""
    missing = kept.length - len(kept.first) - len(kept.last)
    return f"{missing} of {counted(kept.length, 'byte')} left out, SHA-256 {kept.sha256}"


def kept_octets(octets: bytes) -> Kept:
    """Return *octets*, shortened as a result stores them."""
    if len(octets) <= MOST:
        return octets.decode("latin-1")
    half = MOST // 2
    return Clipped(
        length=len(octets),
        sha256=hashlib.sha256(octets).hexdigest(),
        first=octets[:half].decode("latin-1"),
        last=octets[-half:].decode("latin-1"),
    )


def kept_text(text: str, most: int = MOST) -> str:
    """Return *text* as a result stores it: the middle of a long text is replaced by a note.

    >>> kept_text("a" * 5_000, 20)[:60]
    'aaaaaaaaaa … 4980 of 5000 characters left out, SHA-256 c5aeb'
    """
    if len(text) <= most:
        return text
    half = most // 2
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    note = f"{len(text) - 2 * half} of {len(text)} characters left out, SHA-256 {digest}"
    return f"{text[:half]} … {note} … {text[-half:]}"


def kept_lines(text: str) -> str:
    """Return *text*, such as a transcript, shortened by lines as a result stores it."""
    if len(text) <= MOST_WIRE:
        return text
    first, last = text[: MOST_WIRE // 2], text[-MOST_WIRE // 2 :]
    first, last = first[: first.rfind("\n") + 1 or None], last[last.find("\n") + 1 :]
    left_out = len(text) - len(first) - len(last)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    note = f"{left_out} of {len(text)} characters left out, SHA-256 {digest}"
    return f"{first}{'' if first.endswith(chr(10)) else chr(10)}  … {note}\n{last}"


def kept_name(text: str) -> str:
    """Return a name or a version, shortened as the head of a run stores it."""
    return kept_text(text, _NAME)


def kept_frames(reported: Iterable[Mapping[str, Any]]) -> list[Frame]:
    """Return the frames that a driver reported, shortened as a result stores them."""
    found = [msgspec.convert(one, Frame) for one in itertools.islice(reported, MOST_FRAMES)]
    return [
        Frame(kept_name(one.file), one.line, kept_name(one.function), kept_name(one.text))
        for one in found
    ]


_LINES = "transcript"


def bounded(found: S) -> S:
    """Return *found*, such as a result, with every text in it shortened as a result stores it."""
    changed = {}
    for name, value in zip(found.__struct_fields__, msgspec.structs.astuple(found), strict=True):
        # Almost every value is short, and a result has some thirty of them.
        if not value or (type(value) is str and len(value) <= MOST):
            continue
        kept = _kept(value, name)
        if kept is not value:
            changed[name] = kept
    return msgspec.structs.replace(found, **changed) if changed else found


def _kept(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return kept_lines(value) if name == _LINES else kept_text(value)
    if isinstance(value, list) and any(isinstance(one, str) and len(one) > MOST for one in value):
        value = [kept_text(one) if isinstance(one, str) else one for one in value]
    if isinstance(value, list) and len(value) > MOST_ITEMS and isinstance(value[0], str):
        more = f"… {len(value) - MOST_ITEMS} more"
        return [*value[: MOST_ITEMS - 1], more, value[-1]]
    return value
