"""The documented message object: the interface of `mimetools.Message`, and of `rfc822.Message`.

The header block of a response, or a file that begins with one, comes in; what old programs read
from it goes out, with the results of 2.7. The block is parsed at the first access: of most
responses one field is read, of many none. From the first access to lines, and from the first
change, the object is what it was in 2.7: a list of lines, and a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import takewhile

from ._grammar import BLANKS
from ._head import read_block
from ._headers import Fields, parse_fields
from ._types import Any, Default

_BLANKS = BLANKS.decode("ascii")
_Values = dict[str, str]
_FIRST_SEEN = {"typeheader", "encodingheader", "type", "maintype", "subtype", "plisttext", "plist"}
_FIRST_SEEN |= {"unixfrom", "status"}


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _lower(name: str) -> str:
    """In lower case, ASCII letters alone."""
    return _text(name.encode("latin-1", "replace").lower())


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _continues(line: str) -> bool:
    return line[:1] in _BLANKS and line != ""


class HTTPMessage:
    r"""The fields of one response.

    >>> message = HTTPMessage(b"Vary: Accept\r\nno field\r\nAge : 5\r\nvary: Range\r\n")
    >>> message.items(), message.getheaders("Vary")
    ([('vary', 'Accept, Range'), ('age ', '5')], ['Accept', 'Range'])

    See `parse_fields` for what is a field. All text is ISO-8859-1. Mapping access gives the values
    of a repeated name joined with a comma and a blank.

    Args:
        source: a file of bytes or text, which is read up to the end of its header block; or the
            block itself, without the blank line.
        seekable: whether `rewindbody` may set the position of the file.

    Attributes:
        fp: the file; None of a response, whose body has `read`.
        seekable: as given, 0 where the file cannot tell its position.
        headers: the raw lines with their ends, without those that are not fields; a live list.
        dict: the joined values by lower-case name.
        status: empty, or what is wrong with the block.
        unixfrom: lines before the first field that begin with ``From`` and a blank.
        type, maintype, subtype: the media type in lower case, ``text/plain`` where none is given.
        plist: its parameters as ``name=value``, the name in lower case.
        typeheader, plisttext, encodingheader: Content-Type as received, its part from the first
            semicolon on, and Content-Transfer-Encoding as received; None where absent.
    """

    fp: Any = None
    seekable = 0
    _is_whole = True

    def __init__(self, source: Any, seekable: int = 1) -> None:
        if isinstance(source, bytes):
            self._block = source
            return
        self.fp = source
        lines: list[bytes] = []
        self._is_whole = read_block(lambda n: _bytes(source.readline(n)), lines)
        self._block = b"".join(lines)
        try:
            self._start_of_body = source.tell() if seekable else None
        except (AttributeError, OSError):
            self._start_of_body = None
        self.seekable = int(self._start_of_body is not None)

    @cached_property
    def _parsed(self) -> tuple[Fields, list[bytes]]:
        return parse_fields(self._block)

    @cached_property
    def headers(self) -> list[str]:
        fields = self._parsed[1]
        lines = [line + b"\n" for field in fields for line in field.split(b"\n")]
        if fields and (b"\n" + self._block).endswith(b"\n" + fields[-1]):
            lines[-1] = lines[-1][:-1]  # the stream was cut there
        return [line.decode("latin-1") for line in lines]

    @cached_property
    def dict(self) -> _Values:
        parsed = self._parsed[0].items()
        return {_text(name): _text(b", ".join(values)) for name, values in parsed}

    def rewindbody(self) -> None:
        """Go back to the beginning of the body, in the file of the constructor.

        Raises:
            OSError: there is no file, or its position cannot be set.
        """
        if not self.seekable:
            raise OSError("unseekable file")
        self.fp.seek(self._start_of_body)

    # Lines

    def isheader(self, line: str) -> str | None:
        """The lower-case name where a line is a field, else None."""
        name, colon, _ = line.partition(":")
        return _lower(name) if colon else None

    def islast(self, line: str) -> bool:
        """Whether a line ends the block."""
        return line in ("\r\n", "\n")

    def iscomment(self, line: str) -> bool:  # noqa: ARG002  # a hook of rfc822
        """Whether a line is to be skipped: never."""
        return False

    def getallmatchingheaders(self, name: str) -> list[str]:
        """The raw lines of every field of a name, continuation lines included."""
        prefix, matches, found = _lower(name) + ":", False, []
        for line in self.headers:
            if _lower(line[: len(prefix)]) == prefix:
                matches = True
            elif not _continues(line):
                matches = False
            if matches:
                found.append(line)
        return found

    def getfirstmatchingheader(self, name: str) -> list[str]:
        """The raw lines of the first field of a name."""
        lines = self.getallmatchingheaders(name)
        end = next((n for n, line in enumerate(lines) if n and not _continues(line)), len(lines))
        return lines[:end]

    def getrawheader(self, name: str) -> str | None:
        """Everything after the colon of the first field of a name, its line ends included."""
        lines = self.getfirstmatchingheader(name)
        return "".join(lines).partition(":")[2] if lines else None

    # Values

    def getheader(self, name: str, default: Default | None = None) -> str | Default | None:
        """The joined value of a name, or `default`."""
        if "dict" in self.__dict__:
            return self.dict.get(_lower(name), default)
        values = self._parsed[0].get(name.encode("latin-1", "replace").lower())
        return b", ".join(values).decode("latin-1") if values else default

    get = getheader

    def getheaders(self, name: str) -> list[str]:
        """The values of a name, one item for each of its lines."""
        values: list[str] = []
        for line in self.getallmatchingheaders(name):
            if not _continues(line):
                values.append(_strip(line.partition(":")[2]))
            elif values:  # 2.7: a continuation line replaces an empty value
                values[-1] = f"{values[-1]}\n {_strip(line)}" if values[-1] else _strip(line)
        return values

    def getaddrlist(self, name: str) -> list[tuple[str, str]]:
        """The addresses in all fields of a name, as pairs of a real name and an address."""
        from email._parseaddr import AddrlistClass  # type: ignore[import-not-found]

        lines = self.getallmatchingheaders(name)
        texts = [line if _continues(line) else ", " + line.partition(":")[2] for line in lines]
        parser = AddrlistClass("".join(texts)[2:])
        parser.FWS = parser.LWS  # 2.7: a line end also ends an address,
        addresses: list[tuple[str, str]] = []
        while found := parser.getaddress():  # and the first empty one ends the list
            addresses += found
        return addresses

    def getaddr(self, name: str) -> tuple[str | None, str | None]:
        """The first of `getaddrlist`; a pair of None where there is none."""
        return next(iter(self.getaddrlist(name)), (None, None))

    def getdate(self, name: str) -> tuple[int, ...] | None:
        """The date in a field, 9 items as `time.mktime` takes them; None where it has none."""
        date = self.getdate_tz(name)
        return date and date[:9]

    def getdate_tz(self, name: str) -> tuple[Any, ...] | None:
        """As `getdate`, with the seconds east of UTC as 10th item, None where it has no zone."""
        from email._parseaddr import _parsedate_tz

        text = self.getheader(name) or ""
        date: Any = _parsedate_tz(text) if ":" in text else None
        if date is None:
            return None
        # 2.7: the year as it is written, no summer time, and -0000 is a zone.
        year = date[0] if str(date[0]) in text else date[0] % 100
        zone = 0 if date[9] is None and "-0000" in text else date[9]
        return (year, *date[1:8], 0, zone)

    # The mapping

    def has_key(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return self.getheader(name) is not None

    __contains__ = has_key

    def keys(self) -> list[str]:
        """The lower-case names, each once, in the order of their first lines."""
        return list(self.dict)

    def items(self) -> list[tuple[str, str]]:
        """Names with their joined values."""
        return list(self.dict.items())

    def values(self) -> list[str]:
        """The joined values."""
        return list(self.dict.values())

    def __getitem__(self, name: str) -> str:
        value = self.getheader(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        """Put one field in place of all that have the name."""
        text = name + ": " + value
        del self[name]
        self.dict[_lower(name)] = value
        self.headers.extend(line + "\n" for line in text.split("\n"))

    def __delitem__(self, name: str) -> None:
        """Remove all fields of a name, if there are any."""
        if self.dict.pop(_lower(name), None) is not None:
            gone = {id(line) for line in self.getallmatchingheaders(name)}
            self.headers[:] = [line for line in self.headers if id(line) not in gone]

    def setdefault(self, name: str, default: str = "") -> str:
        """The value of a name, which is added where there is none."""
        if not self.has_key(name):
            self[name] = default
        return self[name]

    def addheader(self, key: str, value: str) -> None:
        """Join a value to those of a key of `dict`, which is in lower case."""
        self.dict[key] = f"{self.dict[key]}, {value}" if key in self.dict else value

    def addcontinue(self, key: str, more: str) -> None:
        """Join a continuation line to the value of a key of `dict`."""
        self.dict[key] = f"{self.dict[key]}\n {more}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.dict)

    def __len__(self) -> int:
        return len(self.dict)

    def __str__(self) -> str:
        return "".join(self.headers)

    # The media type. 2.7 reads it once, with the block: later changes have no effect on it.

    def __getattr__(self, name: str) -> Any:
        """The attributes that 2.7 sets when it reads the block, all set at the first access."""
        if name not in _FIRST_SEEN:
            raise AttributeError(name)
        first = {name: _text(b", ".join(values)) for name, values in self._parsed[0].items()}
        kind, encoding = first.get(b"content-type"), first.get(b"content-transfer-encoding")
        essence, semicolon, rest = ("text/plain" if kind is None else kind).partition(";")
        self.typeheader, self.encodingheader = kind, encoding
        self.type = _lower("/".join([_strip(word) for word in essence.split("/")]))
        self.maintype, _, self.subtype = self.type.partition("/")
        self.plisttext = semicolon + rest
        self.plist = [_parameter(text) for text in self.plisttext.split(";")[1:]]
        lines = self._block.decode("latin-1").split("\n")[:-1]
        mail = [*takewhile(lambda line: line.startswith("From "), lines)]
        self.unixfrom = "".join(line + "\n" for line in mail)
        self.status = _defect(lines[len(mail) :]) if self._is_whole else "EOF in headers"
        return self.__dict__[name]

    def gettype(self) -> str:
        """As `type`."""
        return self.type

    def getmaintype(self) -> str:
        """As `maintype`."""
        return self.maintype

    def getsubtype(self) -> str:
        """As `subtype`."""
        return self.subtype

    def getplist(self) -> list[str]:
        """As `plist`."""
        return self.plist

    def getparamnames(self) -> list[str]:
        """The names of the parameters of the media type."""
        return [_lower(text.partition("=")[0]) for text in self.plist if "=" in text]

    def getparam(self, name: str) -> str | None:
        """The value of one parameter of the media type, unquoted."""
        prefix = _lower(name) + "="
        for parameter in self.plist:
            if parameter.startswith(prefix):
                return _unquote(parameter[len(prefix) :])
        return None

    def getencoding(self) -> str:
        """The Content-Transfer-Encoding in lower case, ``7bit`` where none is given."""
        return "7bit" if self.encodingheader is None else _lower(self.encodingheader)


def _defect(lines: list[str]) -> str:
    """The text that 2.7 stores in the attribute `status` of a header block."""
    in_field = False
    for line in lines:
        if not (in_field and line[:1] in (" ", "\t")):
            if ":" not in line:
                return "Non-header line where header expected"
            in_field = not line.startswith(":")
    return ""


def _strip(text: str) -> str:
    return text.strip(_BLANKS)


def _parameter(text: str) -> str:
    # 2.7: cut at every semicolon, also inside quotes.
    name, equals, value = text.partition("=")
    return _lower(_strip(name)) + "=" + _strip(value) if equals else _strip(text)


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
    if len(text) > 1 and text[0] == "<" and text[-1] == ">":
        return text[1:-1]
    return text
