"""The rules of RFC 9112 and RFC 9110 for the bytes of one response: an independent reading.

The input is what a server sends in answer to one GET, and how it ends.  The output is the names
of the rules that the bytes break, in order; none for a well-formed response.  `LAW` gives for each
rule what a client may do, and with which strength; the README of the fixtures has the same table
with the sections.

It shares no code with the server, the judge or the reference, and does not guess: where no sentence
says with certainty what a client may do, the rule is one of `UNSAID`.
"""

import contextlib
import re
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

ACCEPTED, REJECTED = frozenset({"accept"}), frozenset({"reject"})
EITHER = ACCEPTED | REJECTED


class Law(NamedTuple):
    """What a client may do where a response breaks one rule alone.

    Args:
        strength: how strongly: ``must``, ``should`` or ``may``, as the sentence of the RFC says it.
        results: whether it may take the response, refuse it, or either.
        sections: where the RFC says so; a case cites at least one of them.
    """

    strength: str
    results: frozenset[str]
    sections: tuple[str, ...]


LAW: dict[str, Law] = {
    "well-formed": Law("must", ACCEPTED, ("9112#6.3", "9112#2.1")),
    "no-final-status": Law("must", REJECTED, ("9112#8", "9112#9.5")),
    "status-line.whitespace": Law("may", EITHER, ("9112#4",)),
    "status-line.invalid": Law("should", REJECTED, ("9112#4", "9112#2.3")),
    "version.higher-minor": Law("should", ACCEPTED, ("9110#2.5", "9112#2.3")),
    "version.other": Law("should", REJECTED, ("9112#2.3", "9110#2.5", "9112#4")),
    "code.outside-the-classes": Law("should", EITHER, ("9110#15",)),
    "head.cut": Law("should", REJECTED, ("9112#8",)),
    "reset": Law("must", REJECTED, ("9112#8", "9112#9.5", "9112#9.6")),
    "reset.after-the-end": Law("should", ACCEPTED, ("9112#6.3", "9112#9.5")),
    "bare-lf": Law("may", EITHER, ("9112#2.2",)),
    "bare-cr-or-nul": Law("must", EITHER, ("9112#2.2", "9110#5.5")),
    "control-character": Law("may", EITHER, ("9110#5.5", "9112#4")),
    "blank-before-fields": Law("must", EITHER, ("9112#2.2",)),
    "field-line.invalid": Law("should", EITHER, ("9112#5", "9110#5.1")),
    "fold": Law("must", ACCEPTED, ("9112#5.2",)),
    "limit": Law("may", EITHER, ("9110#5.4", "9110#2.3")),
    "interim.http-1-0": Law("should", EITHER, ("9110#15.2",)),
    "interim.close": Law("should", ACCEPTED, ("9112#9.6", "9110#15.2")),
    "switching": Law("may", EITHER, ("9110#15.2.2", "9110#7.8")),
    "content-length.invalid": Law("must", REJECTED, ("9112#6.3",)),
    "content-length.repeated": Law("must", EITHER, ("9110#8.6",)),
    "coding.unknown": Law("may", EITHER, ("9112#6.1", "9112#6.3")),
    "coding.http-1-0": Law("may", EITHER, ("9112#6.1",)),
    "coding-and-length": Law("must", EITHER, ("9112#6.3",)),
    "coding-without-body": Law("must", EITHER, ("9112#6.1", "9112#6.3")),
    "body.cut": Law("must", REJECTED, ("9112#8",)),
    "chunk-size.unreadable": Law("must", REJECTED, ("9112#8",)),
    "chunk-size.readable": Law("should", REJECTED, ("9112#7.1",)),
    "chunk-size.blank-after": Law("may", EITHER, ("9112#7.1",)),
    "chunk-line-end": Law("should", REJECTED, ("9112#7.1",)),
    "chunk-data-end": Law("should", REJECTED, ("9112#7.1",)),
    "chunk-extension": Law("may", EITHER, ("9112#7.1.1",)),
    "last-chunk.cut": Law("may", EITHER, ("9112#8", "9112#7.1")),
    "content-coding": Law("should", ACCEPTED, ("9110#8.4",)),
    "content-coding.damaged": Law("may", EITHER, ("9110#8.4",)),
    "content-coding.unknown": Law("may", EITHER, ("9110#8.4",)),
    "leftovers": Law("must", EITHER, ("9112#6.3", "9112#9.2")),
    "trailer.forbidden": Law("must", EITHER, ("9112#7.1.2", "9110#6.5.1")),
}
"""The law for each rule; the README of the fixtures shows the same table."""
UNSAID: dict[str, tuple[str, ...]] = {
    "stays-open": ("9112#9.5",),
    "interim.no-status-line-after": ("9110#15.2", "9112#4"),
    "bare-cr-or-nul.name-or-framing": ("9112#2.2", "9110#5.5"),
    "fold.after-invalid-line": ("9112#5.2", "9112#5"),
    "singleton.repeated": ("9110#5.3",),
    "content-digest": ("9110#5.1",),
    "range.not-asked-for": ("9110#15.3.7",),
    "content-length.without-body": ("9112#6.3", "9110#8.6"),
    "content-length.empty-item": ("9110#5.6.1", "9112#6.3"),
    "content-length.zeros": ("9110#8.6",),
    "coding.http-1-0.not-chunks": ("9112#6.1",),
    "chunk-size.cut": ("9112#8",),
    "chunk-size.zeros": ("9112#7.1",),
    "content-coding.not-examined": ("9110#8.4",),
}
"""Where no RFC says what a client may do, or two sentences differ: the sections."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) [\t\x20-\x7e\x80-\xff]*")
_LENIENT = re.compile(rb"[ \t\v\f\r]*HTTP/1\.[0-9][ \t\v\f\r]+([0-9]{3})([ \t\v\f\r][\0-\xff]*)?")
_PLAIN = re.compile(rb"HTTP/1\.[01] [0-9]{3} .*", re.DOTALL)
_MINOR = re.compile(rb"HTTP/1\.[2-9] ([0-9]{3}) [\t\x20-\x7e\x80-\xff]*")
_VERSION = re.compile(rb"(?i)HTTP/[0-9]+(\.[0-9]+)? [0-9]{3} .*", re.DOTALL)
_CODE_CAME = re.compile(rb"[ \t\v\f\r]*HTTP/1\.[0-9][ \t\v\f\r]+([0-9]{3})")
_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD = re.compile(rb"(" + _NAME + rb"):([^\r\n]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]+)([ \t]*)(.*)", re.DOTALL)
_READABLE = re.compile(rb"[ \t\v\f\r]*\+?(0[xX])?[0-9A-Fa-f]")
_VALUE = rb"(?:" + _NAME + rb'|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\xff])*")'
_EXTENSION = re.compile(rb"(?:[ \t]*;[ \t]*" + _NAME + rb"(?:[ \t]*=[ \t]*" + _VALUE + rb")?)*")
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_FORBIDDEN = _FRAMING | {b"connection", b"content-encoding", b"content-type", b"host", b"trailer"}
_MOST_DIGITS = 18
_MANY = 100
"""So many lines, interim heads or trailers, or a line of `_LONG` bytes, can be beyond a limit."""
_LONG = 4_000
_LARGE_HEAD = 8_000
"""Bytes of field lines in one head that can be beyond a limit."""
_EXPANDED = 100
"""So many times its coded size, decoded content can be beyond a limit."""
_SINGLE = (b"content-type", b"date", b"location")
"""Fields of which a message has at most one."""
_UNASKED = (b"content-md5", b"digest", b"content-digest")
"""Fields by which a client may check the content, or not."""
_WINDOWS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""The content codings that are decoded here, with the parameter of zlib for each."""
_UNDECODED = (b"br", b"zstd", b"compress", b"x-compress")
"""The other content codings that are registered and that clients have."""


@dataclass
class Reading:
    """One response, read from the front.

    Args:
        rest: the bytes that are not read yet.
        end: how the server ends: ``fin``, ``rst`` or ``open``.
        contents: the content as sent, and what is left after each coding that is taken away.
        broken: the rules that it breaks.
        fields: the names in lower case, and the values with their blanks, of the final response.
        reason: the reason phrase of the final response.
    """

    rest: bytes
    end: str
    contents: list[bytes] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    reason: bytes = b""

    def line(self) -> bytes | None:
        """Take a line and return it without its end; None where it does not end."""
        line, found, rest = self.rest.partition(b"\n")
        if len(line) > _LONG:
            self.breaks("limit")
        if not found:
            return None
        self.rest = rest
        return line

    def breaks(self, rule: str) -> None:
        """Note that the response breaks *rule*, which is in `LAW` or `UNSAID`."""
        if rule not in LAW and rule not in UNSAID:
            raise KeyError(rule)
        if rule not in self.broken:
            self.broken.append(rule)


class _End(Exception):
    """Nothing more can be read."""


def rules_broken(sent: bytes, end: str) -> list[str]:
    """Return the names of the rules that a response breaks, in the order of its bytes."""
    return reading_of(sent, end).broken


def reading_of(sent: bytes, end: str) -> Reading:
    """Return the reading of a response, from its front to its end or its first bad fault."""
    reading = Reading(sent, end)
    with contextlib.suppress(_End):
        _response(reading)
    return reading


def _response(reading: Reading) -> None:
    version, code = _status(reading)
    heads = 0
    while code.startswith(b"1") and code != b"101":
        _fields(reading, reading.fields, cut="no-final-status")
        if version == b"HTTP/1.0":
            reading.breaks("interim.http-1-0")
        if _values(reading, b"connection"):
            reading.breaks("interim.close")
        heads += 1
        if heads >= _MANY:
            reading.breaks("limit")
        reading.fields.clear()
        version, code = _status(reading, interim=True)
    _fields(reading, reading.fields)
    if code == b"101":
        reading.breaks("switching")
        raise _End
    _body(reading, version, code)
    if reading.end == "rst" and not reading.broken:
        reading.breaks("reset.after-the-end")


def _status(reading: Reading, *, interim: bool = False) -> tuple[bytes, bytes]:
    before = reading.rest
    line = reading.line()
    if line is None:
        came = _CODE_CAME.match(before)
        final = came is not None and not came[1].startswith(b"1")
        _cut(reading, "head.cut" if final else "no-final-status")
        raise _End
    if line.endswith(b"\r"):
        line = line[:-1]
    else:
        reading.breaks("bare-lf")
    found = _STATUS_LINE.fullmatch(line) or _MINOR.fullmatch(line)
    if found is None:
        found = _LENIENT.fullmatch(line)
        if found is None:
            wrong = "version.other" if _VERSION.fullmatch(line) else "status-line.invalid"
            reading.breaks("interim.no-status-line-after" if interim else wrong)
            raise _End
        if b"\r" in line:
            reading.breaks("bare-cr-or-nul")
        elif _PLAIN.fullmatch(line):
            reading.breaks("control-character")
        else:
            reading.breaks("status-line.whitespace")
    if line.lstrip()[7:8] not in (b"0", b"1"):
        reading.breaks("version.higher-minor")
    reading.reason = line.partition(found[1])[2][1:]
    if not b"100" <= found[1] <= b"599":
        reading.breaks("code.outside-the-classes")
    return line.strip()[:8], found[1]


def _cut(reading: Reading, rule: str) -> None:
    """Note that the bytes end too early: by a reset, by a FIN, or not at all."""
    if reading.end == "fin" or (reading.end == "rst" and rule == "last-chunk.cut"):
        reading.breaks(rule)  # with the last chunk the content is complete (RFC 9112, 8)
    else:
        reading.breaks("reset" if reading.end == "rst" else "stays-open")


def _fields(reading: Reading, fields: list[tuple[bytes, bytes]], *, cut: str = "head.cut") -> None:
    """Read field lines through the empty one."""
    count, before = 0, len(reading.rest)
    while True:
        line = reading.line()
        count += 1
        if count >= _MANY or before - len(reading.rest) > _LARGE_HEAD:
            reading.breaks("limit")
        if line is None:
            _cut(reading, cut)
            raise _End
        if not line.endswith(b"\r"):
            reading.breaks("bare-lf")
        line = line.removesuffix(b"\r")
        if not line:
            return
        _field_line(reading, line, fields, trailer=cut == "last-chunk.cut")


def _field_line(
    reading: Reading, line: bytes, fields: list[tuple[bytes, bytes]], *, trailer: bool
) -> None:
    if b"\r" in line or b"\0" in line:
        name = _FIELD.match(line.split(b"\r")[0].split(b"\0")[0])
        framing = name is not None and name[1].lower() in _FRAMING
        plain = (name or line[:1] in b" \t") and not framing
        reading.breaks("bare-cr-or-nul" if plain else "bare-cr-or-nul.name-or-framing")
        fields.append((b"", b""))
    elif line[:1] in (b" ", b"\t"):
        if fields:
            reading.breaks("fold" if fields[-1][0] else "fold.after-invalid-line")
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line)
        else:
            reading.breaks("field-line.invalid" if trailer else "blank-before-fields")
    elif (found := _FIELD.fullmatch(line)) is None:
        reading.breaks("field-line.invalid")
        fields.append((b"", b""))
    else:
        if _CONTROLS.search(line):
            reading.breaks("control-character")
        fields.append((found[1].lower(), found[2]))


def _values(reading: Reading, name: bytes) -> list[bytes]:
    return [value.strip(b" \t") for known, value in reading.fields if known == name]


def _body(reading: Reading, version: bytes, code: bytes) -> None:
    codings = [
        item.strip(b" \t").lower()
        for value in _values(reading, b"transfer-encoding")
        for item in value.split(b",")
    ]
    coded = bool(_values(reading, b"transfer-encoding"))
    lengths = _values(reading, b"content-length")
    if code in (b"204", b"304"):
        if coded:
            reading.breaks("coding-without-body")
        elif any(not _is_number(one) for one in lengths):
            reading.breaks("content-length.without-body")
        if reading.rest:
            reading.breaks("leftovers")
        return
    _free_choices(reading, code)
    content = reading.rest
    if coded:
        content = _coded(reading, [one for one in codings if one], version, both=bool(lengths))
    elif lengths:
        content = _counted(reading, lengths)
    elif reading.end != "fin":
        _cut(reading, "stays-open")
    _content(reading, content)


def _free_choices(reading: Reading, code: bytes) -> None:
    """Note what a client may treat in one way or another, such as an optional check."""
    if code == b"206":
        reading.breaks("range.not-asked-for")
    if any(_values(reading, name) for name in _UNASKED):
        reading.breaks("content-digest")
    if any(len(_values(reading, name)) > 1 for name in _SINGLE):
        reading.breaks("singleton.repeated")


def _content(reading: Reading, content: bytes) -> None:
    """Note whether *content* is coded as the head says."""
    values = b",".join(_values(reading, b"content-encoding"))
    codings = [one for item in values.split(b",") if (one := item.strip(b" \t").lower())]
    reading.contents.append(content)
    try:
        for coding in reversed(codings):
            if coding not in _WINDOWS:
                known = coding in _UNDECODED
                reading.breaks(f"content-coding.{'not-examined' if known else 'unknown'}")
                return
            content = decoded(coding, content, _EXPANDED * len(content))
            reading.contents.append(content)
    except zlib.error:
        reading.breaks("content-coding.damaged")
    except OverflowError:
        reading.breaks("limit")
    else:
        if codings:
            reading.breaks("content-coding")


def decoded(coding: bytes, content: bytes, most: int) -> bytes:
    """Return *content* without *coding*: every member of gzip, the one stream of deflate.

    Raises:
        zlib.error: it is cut, damaged or not coded so, or something follows it.
        OverflowError: it has more than *most* bytes.
    """
    whole = b""
    while True:
        stream = zlib.decompressobj(_WINDOWS[coding])
        whole += stream.decompress(content, most + 1 - len(whole))
        if len(whole) > most:
            raise OverflowError
        content = stream.unused_data
        if not stream.eof or (content and coding == b"deflate"):
            raise zlib.error("not one whole stream")
        if not content:
            return whole


def _coded(reading: Reading, codings: list[bytes], version: bytes, *, both: bool) -> bytes:
    if codings != [b"chunked"]:
        reading.breaks("coding.unknown")
        raise _End
    if version == b"HTTP/1.0":
        reading.breaks("coding.http-1-0")
    if both:
        reading.breaks("coding-and-length")
    try:
        return _chunks(reading)
    except _End:
        if version == b"HTTP/1.0":  # the coding may be ignored there
            reading.breaks("coding.http-1-0.not-chunks")
        raise


def _is_number(value: bytes) -> bool:
    return re.fullmatch(rb"[0-9]+", value) is not None


def _counted(reading: Reading, lengths: list[bytes]) -> bytes:
    items = [item.strip(b" \t") for value in lengths for item in value.split(b",")]
    if not all(map(_is_number, items)):
        reading.breaks("content-length.invalid" if all(items) else "content-length.empty-item")
        raise _End
    if len(set(items)) > 1:
        differ = len(set(map(int, items))) > 1
        reading.breaks("content-length.invalid" if differ else "content-length.zeros")
        raise _End
    if len(items) > 1:
        reading.breaks("content-length.repeated")
    if len(items[0]) > _MOST_DIGITS and int(items[0][:4000]) < 10**_MOST_DIGITS:
        reading.breaks("content-length.zeros")
    length = int(items[0][-4000:])
    if len(reading.rest) < length:
        _cut(reading, "body.cut")
        raise _End
    if len(reading.rest) > length:
        reading.breaks("leftovers")
    return reading.rest[:length]


def _chunks(reading: Reading) -> bytes:
    content = b""
    while True:
        size = _size(reading)
        if size == 0:
            break
        data, reading.rest = reading.rest[:size], reading.rest[size:]
        if len(data) < size or len(reading.rest) < 2:
            short = len(data) < size or reading.rest in (b"", b"\r")
            if short:
                _cut(reading, "body.cut")
            else:
                reading.breaks("chunk-data-end")
            raise _End
        if not reading.rest.startswith(b"\r\n"):
            reading.breaks("chunk-data-end")
            raise _End
        content += data
        reading.rest = reading.rest[2:]
    trailers: list[tuple[bytes, bytes]] = []
    _fields(reading, trailers, cut="last-chunk.cut")
    if any(name in _FORBIDDEN for name, _ in trailers):
        reading.breaks("trailer.forbidden")
    if reading.rest:
        reading.breaks("leftovers")
    return content


def _size(reading: Reading) -> int:
    before = reading.rest
    line = reading.line()
    if line is None:
        last = re.fullmatch(rb"0+([ \t]*;.*)?\r?", before, re.DOTALL) is not None
        started = _READABLE.match(before) or not before.strip(b"\r")
        _cut(reading, "last-chunk.cut" if last else "body.cut" if started else "chunk-size.cut")
        raise _End
    found = _SIZE.fullmatch(line.removesuffix(b"\r"))
    if found is None:
        readable = _READABLE.match(line)
        reading.breaks("chunk-size.readable" if readable else "chunk-size.unreadable")
        raise _End
    if not line.endswith(b"\r"):
        reading.breaks("chunk-line-end")
        raise _End
    _rest_of_a_size_line(reading, found[2], found[3])
    size = int(found[1], 16)
    if len(line) < _LONG and len(found[1]) > _MOST_DIGITS and size < 10**_MOST_DIGITS:
        reading.breaks("chunk-size.zeros")  # how many zeros a client reads is its own
    return size


def _rest_of_a_size_line(reading: Reading, blanks: bytes, rest: bytes) -> None:
    if not rest and blanks:
        reading.breaks("chunk-size.blank-after")
    elif rest and not rest.startswith(b";"):
        reading.breaks("chunk-size.readable")
        raise _End
    elif not _EXTENSION.fullmatch(blanks + rest):
        reading.breaks("chunk-extension")


def sections_of(rule: str) -> tuple[str, ...]:
    """Return the sections of the RFCs that state *rule*, or are nearest to it."""
    return LAW[rule].sections if rule in LAW else UNSAID[rule]


def law_of(rules: list[str]) -> tuple[str, frozenset[str]] | None:
    """Return strength and results for a response that breaks *rules*; None where none can be named.

    A response that has to be refused for one of its faults has to be refused. One that may be taken
    in spite of each of its faults may be taken or refused, as weakly as the weakest law says.
    """
    if not UNSAID.keys().isdisjoint(rules):
        return None
    # What comes after the message says nothing about the message.
    own = [rule for rule in rules if rule != "leftovers"]
    laws = [LAW[rule] for rule in own or rules or ["well-formed"]]
    refused = [law for law in laws if law.results == REJECTED]
    if refused or len(laws) == 1:
        return (refused or laws)[0][:2]
    weakest = min((law.strength for law in laws), key=("may", "should", "must").index)
    return weakest, frozenset().union(*(law.results for law in laws))
