"""The header section: lines become fields, and fields become the documented message object.

Raw lines with their ends come in, `HTTPMessage` goes out. No line is an error here: a line that is
no field is skipped and the rest is kept, because a client that stops reading loses the framing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ._grammar import BLANKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Default = TypeVar("Default")


class Field:
    """One field: its lower-case name, the pieces of its value, and the raw lines it came in."""

    __slots__ = ("lines", "name", "pieces")

    def __init__(self, name: bytes, value: bytes, line: bytes) -> None:
        self.name = name
        self.pieces = [value]
        self.lines = [line]

    @property
    def value(self) -> bytes:
        """The value; 2.7: lines of an obs-fold are joined by a newline and one blank."""
        return b"\n ".join(self.pieces)


def parse_fields(lines: list[bytes]) -> list[Field]:
    r"""Turn the lines of a header section into fields.

    >>> lines = [b"Age: 1\r\n", b"no field\r\n", b"Via: a\r\n", b" b\r\n"]
    >>> [(field.name, field.value) for field in parse_fields(lines)]
    [(b'age', b'1'), (b'via', b'a\n b')]

    RFC 9112, 5: field-line = field-name ":" OWS field-value OWS. A line that begins with a blank
    continues the line before it (obs-fold), also where that one was skipped. A blank before the
    colon stays in the name, so ``Content-Length :`` frames nothing.
    """
    fields: list[Field] = []
    current: Field | None = None
    first = True
    for line in lines:
        if line[:1] in (b" ", b"\t") and not first:
            if current:
                current.pieces.append(line.strip(BLANKS))
                current.lines.append(line)
            continue
        first = False
        name, colon, value = line.partition(b":")
        if not colon or not name or (not fields and line.startswith(b"From ")):
            current = None  # 2.7: "From " is the first line of a mailbox, kept from rfc822
            continue
        current = Field(name.lower(), value.strip(BLANKS), line)
        fields.append(current)
    return fields


class HTTPMessage:
    """The fields of one response, read as `mimetools.Message` was read.

    Names are compared without ASCII case. All text is ISO-8859-1. Mapping access gives the values
    of a repeated name joined with a comma and a blank, in the order of their lines.

    Args:
        lines: the raw header lines with their ends, without the blank line.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._fields = parse_fields(lines)
        self._by_name: dict[bytes, list[Field]] = {}
        for field in self._fields:
            self._by_name.setdefault(field.name, []).append(field)

    def field_values(self, name: bytes) -> list[bytes]:
        """The values of every field of that lower-case name, for the framing rules."""
        return [field.value for field in self._by_name.get(name, ())]

    def _named(self, name: str) -> list[Field]:
        try:
            return self._by_name.get(name.encode("latin-1").lower(), [])
        except UnicodeEncodeError:  # no server can have sent such a name
            return []

    @property
    def headers(self) -> list[str]:
        """The raw lines with their ends, without those that are no field."""
        return [line.decode("latin-1") for field in self._fields for line in field.lines]

    def getheader(self, name: str, default: Default | None = None) -> str | Default | None:
        """The joined value of a name, or `default`."""
        fields = self._named(name)
        if not fields:
            return default
        return b", ".join([field.value for field in fields]).decode("latin-1")

    get = getheader

    def getheaders(self, name: str) -> list[str]:
        """The values of a name, one item for each of its lines."""
        return [field.value.decode("latin-1") for field in self._named(name)]

    def getallmatchingheaders(self, name: str) -> list[str]:
        """The raw lines of every field of a name, continuation lines included."""
        return [line.decode("latin-1") for field in self._named(name) for line in field.lines]

    def getfirstmatchingheader(self, name: str) -> list[str]:
        """The raw lines of the first field of a name."""
        return [line.decode("latin-1") for field in self._named(name)[:1] for line in field.lines]

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
        return [name.decode("latin-1") for name in self._by_name]

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
        return len(self._by_name)

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
