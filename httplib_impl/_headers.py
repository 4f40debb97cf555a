"""The header section: lines become fields.

A block of lines as received goes in, names with their values come out. No line is an error: one
that is not a field is skipped and the rest is kept, because a client that stops reading loses the
framing. `_message` makes the documented object of it.
"""

from __future__ import annotations

from ._grammar import FIELD_END, FOLD

# The values of fields by lower-case name, one for each field line.
Fields = dict[bytes, list[bytes]]


def parse_fields(block: bytes) -> tuple[Fields, list[bytes]]:
    r"""Split a header section into fields.

    >>> parse_fields(b"Vary: a\r\nno field\r\nAge : 5\r\nvary: b\r\n c\r\n")
    ({b'vary': [b'a', b'b\n c'], b'age ': [b'5']}, [b'Vary: a\r', b'Age : 5\r', b'vary: b\r\n c\r'])

    RFC 9112, 5: field-line = field-name ":" OWS field-value OWS. Names are compared without ASCII
    case; a blank before the colon stays in the name, so that ``Content-Length :`` frames nothing. A
    line without a colon or without a name is skipped. A line that begins with a blank continues the
    line before it (RFC 9112, 5.2, obs-fold), and is skipped with it.

    Args:
        block: the lines with their ends, without the blank line.

    Returns:
        The values by lower-case name, and the lines unchanged, without the last LF of each.
    """
    values: Fields = {}
    fields: list[bytes] = []
    folded = FOLD.search(block)
    lines = FIELD_END.split(block) if folded else block.split(b"\n")
    clean = folded_value if folded else bytes.strip
    for line in lines:
        name, colon, raw = line.partition(b":")
        if not colon or not name or (not fields and name.startswith(b"From ")):
            continue  # 2.7: "From " begins a mailbox, in front of the first field
        if folded and b"\n" in name:
            continue  # the colon of a continuation line does not make its line a field
        fields.append(line)
        values.setdefault(name.lower(), []).append(clean(raw))
    return values, fields


def folded_value(raw: bytes) -> bytes:
    r"""The value in what follows a colon, whose lines continue each other.

    >>> folded_value(b" a\r\n  b \r")
    b'a\n b'

    2.7: the lines are stripped and joined by a newline and one blank.
    """
    return b"\n ".join([line.strip() for line in raw.split(b"\n")])
