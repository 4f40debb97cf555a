"""The header section: lines become fields, and fields become the documented message object.

A block of lines as they came goes in, `HTTPMessage` comes out. No line is an error: one that is
no field is skipped and the rest is kept, because a client that stops reading loses the framing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ._grammar import BLANKS, FIELD_END, FOLD, FRAMING_FIELD
from ._types import Default

# The values of fields by lower-case name, one for each field line.
Fields = dict[bytes, list[bytes]]

_NO_VALUES: list[bytes] = []


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
        The values by lower-case name, and the lines as they came, without the last LF of each.
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
            continue  # what continues a line that is no field must not lend it its colon
        fields.append(line)
        name = name.lower()
        if name in values:
            values[name].append(clean(raw))
        else:
            values[name] = [clean(raw)]
    return values, fields


def framing_fields(buffer: bytes, start: int, end: int) -> Fields | None:
    r"""The fields that decide where a body ends, and whether the connection outlives it.

    >>> framing_fields(b"\nDate: now\r\nContent-length: 5\r\nX: y\r\n", 0, 39)
    {b'content-length': [b'5']}

    They are found without a look at the others, which may be many and are often never asked for.

    Args:
        buffer: octets as received.
        start: where the LF in front of the first header line is.
        end: where the last header line ends.

    Returns:
        None where a line is continued (obs-fold) or empty: then all lines need a closer look.
    """
    fields: Fields = {}
    for odd, name, value in FRAMING_FIELD.findall(buffer, start, end):
        if odd:
            return None
        name = name.lower()
        if name in fields:
            fields[name].append(value.strip())
        else:
            fields[name] = [value.strip()]
    return fields


def folded_value(raw: bytes) -> bytes:
    r"""The value in what stands behind a colon, whose lines continue each other.

    >>> folded_value(b" a\r\n  b \r")
    b'a\n b'

    2.7: the lines are stripped and joined by a newline and one blank.
    """
    return b"\n ".join([line.strip() for line in raw.split(b"\n")])


class HTTPMessage:
    r"""The fields of one response, read as `mimetools.Message` was read.

    >>> HTTPMessage(b"Vary: Accept\r\nno field\r\nAge : 5\r\nvary: Range\r\n").items()
    [('vary', 'Accept, Range'), ('age ', '5')]

    See `parse_fields` for what is a field. All text is ISO-8859-1. Mapping access gives the values
    of a repeated name joined with a comma and a blank. Nothing is parsed before somebody asks.

    Args:
        block: the raw header lines with their ends, without the blank line.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block

    @cached_property
    def _parsed(self) -> tuple[Fields, list[bytes]]:
        return parse_fields(self._block)

    def _named(self, name: str) -> list[bytes]:
        return self._parsed[0].get(name.encode("latin-1", "replace").lower(), _NO_VALUES)

    def _lines(self, fields: list[bytes]) -> list[str]:
        """The raw lines of some fields, with their ends."""
        lines = [line + b"\n" for field in fields for line in field.split(b"\n")]
        if fields and fields[-1] is self._parsed[1][-1] and self._is_cut():
            lines[-1] = lines[-1][:-1]
        return [line.decode("latin-1") for line in lines]

    def _is_cut(self) -> bool:
        """Whether the last field has no line end, as that of a stream that was cut."""
        return (b"\n" + self._block).endswith(b"\n" + self._parsed[1][-1])

    @property
    def headers(self) -> list[str]:
        """The raw lines with their ends, without those that are no field."""
        return self._lines(self._parsed[1])

    def getheader(self, name: str, default: Default | None = None) -> str | Default | None:
        """The joined value of a name, or `default`."""
        values = self._named(name)
        return b", ".join(values).decode("latin-1") if values else default

    get = getheader

    def getheaders(self, name: str) -> list[str]:
        """The values of a name, one item for each of its lines."""
        return [value.decode("latin-1") for value in self._named(name)]

    def _matching(self, name: str) -> list[bytes]:
        prefix = name.encode("latin-1", "replace").lower()
        return [field for field in self._parsed[1] if field.partition(b":")[0].lower() == prefix]

    def getallmatchingheaders(self, name: str) -> list[str]:
        """The raw lines of every field of a name, continuation lines included."""
        return self._lines(self._matching(name))

    def getfirstmatchingheader(self, name: str) -> list[str]:
        """The raw lines of the first field of a name."""
        return self._lines(self._matching(name)[:1])

    def getrawheader(self, name: str) -> str | None:
        """Everything behind the colon of the first field of a name, its line ends included."""
        lines = self.getfirstmatchingheader(name)
        return "".join(lines).partition(":")[2] if lines else None

    def has_key(self, name: str) -> bool:
        """Whether the name is there."""
        return bool(self._named(name))

    __contains__ = has_key

    def keys(self) -> list[str]:
        """The lower-case names, each once, in the order of their first lines."""
        return [name.decode("latin-1") for name in self._parsed[0]]

    def items(self) -> list[tuple[str, str]]:
        """Names with their joined values."""
        return [(name, self[name]) for name in self.keys()]

    def values(self) -> list[str]:
        """The joined values."""
        return [self[name] for name in self.keys()]

    def __getitem__(self, name: str) -> str:
        value = self.getheader(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._parsed[0])

    def __str__(self) -> str:
        return "".join(self.headers)

    def gettype(self) -> str:
        """The media type in lower case, ``text/plain`` where none is given."""
        value = self.getheader("content-type")
        if value is None:
            return "text/plain"
        words = value.partition(";")[0].split("/")
        return "/".join([_strip(word) for word in words]).lower()

    def getmaintype(self) -> str:
        """What stands before the slash of the media type; 2.7: all of it where there is none."""
        return self.gettype().partition("/")[0]

    def getsubtype(self) -> str:
        """What stands behind the first slash of the media type."""
        return self.gettype().partition("/")[2]

    def getplist(self) -> list[str]:
        """The parameters of the media type as ``name=value``, the name in lower case."""
        parameters = (self.getheader("content-type") or "").split(";")[1:]
        return [_parameter(text) for text in parameters]

    def getparam(self, name: str) -> str | None:
        """The value of one parameter of the media type, unquoted."""
        prefix = name.lower() + "="
        for parameter in self.getplist():
            if parameter.startswith(prefix):
                return _unquote(parameter[len(prefix) :])
        return None

    def getencoding(self) -> str:
        """The Content-Transfer-Encoding in lower case, ``7bit`` where none is given."""
        value = self.getheader("content-transfer-encoding")
        return "7bit" if value is None else value.lower()


def _strip(text: str) -> str:
    return text.strip(BLANKS.decode("ascii"))


def _parameter(text: str) -> str:
    # 2.7: cut at every semicolon, also inside quotes.
    name, equals, value = text.partition("=")
    return _strip(name).lower() + "=" + _strip(value) if equals else _strip(text)


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
    if len(text) > 1 and text[0] == "<" and text[-1] == ">":
        return text[1:-1]
    return text
