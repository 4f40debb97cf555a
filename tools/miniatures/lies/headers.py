"""Lies about the header section and the message object."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, lie, mishears, overrides

_M = "_message.HTTPMessage."
_R = "_response.HTTPResponse."

overrides(
    "compares-names-exactly",
    "`msg`; HTTPResponse.getheader",
    _M + "getheader",
    lambda true: (
        lambda self, name, default=None: true(self, name, default) if name.islower() else default
    ),
)
overrides(
    "knows-no-default",
    "HTTPResponse.getheader.default",
    _R + "getheader",
    lambda true: lambda self, name, default=None: true(self, name),
)
overrides(
    "takes-the-first-of-repeated",
    "repeated names",
    _M + "getheader",
    lambda true: (
        lambda self, name, default=None: (
            (true(self, name, None) or "").split(", ")[0] or true(self, name, default)
        )
    ),
)
overrides(
    "gives-headers-as-lists",
    "HTTPResponse.getheaders",
    _R + "getheaders",
    lambda true: lambda self: [list(pair) for pair in true(self)],
)
overrides(
    "sorts-headers",
    "repeated names",
    _R + "getheaders",
    lambda true: lambda self: sorted(true(self)),
)
overrides(
    "has-no-headers-before-begin",
    "`HTTPResponse` before `begin()`",
    _R + "getheaders",
    lambda true: lambda self: true(self) if self.msg is not None else [],
)
overrides(
    "joins-values-in-getheaders",
    "`msg`",
    _M + "getheaders",
    lambda true: lambda self, name: [", ".join(true(self, name))] if true(self, name) else [],
)
overrides(
    "rewinds-to-the-start-of-the-file",
    "`msg`, undocumented but common in old programs",
    _M + "rewindbody",
    lambda true: lambda self: self.fp.seek(0),
)
overrides(
    "reads-the-type-when-asked-for-it",
    "`msg`, undocumented but common in old programs",
    "_message._FIRST_SEEN",
    lambda true: true & {"type", "maintype", "plist", "unixfrom"},
)
overrides(
    "finds-the-type-in-the-first-field",
    "`msg`, undocumented but common in old programs",
    _M + "__getattr__",
    lambda true: (
        lambda self, name: (
            true(self, name).split(", ")[0] if name == "typeheader" else true(self, name)
        )
    ),
)
overrides(
    "adds-to-names-that-are-there",
    "`msg`, undocumented but common in old programs",
    _M + "addheader",
    lambda true: lambda self, key, value: true(self, key, value) if self.dict[key] else None,
)
overrides(
    "gives-a-blank-first-line-to-every-name",
    "`msg`",
    _M + "getallmatchingheaders",
    lambda true: (
        lambda self, name: [line for line in self.headers[:1] if line[0] == " "] + true(self, name)
    ),
)
overrides(
    "expects-a-blank-before-addresses",
    "`msg`",
    _M + "getaddrlist",
    lambda true: (
        lambda self, name: true(self, name) if (self.getrawheader(name) or "")[:1].isspace() else []
    ),
)
overrides(
    "has-no-zone-for-minus-zero",
    "`msg`",
    _M + "getdate_tz",
    lambda true: (
        lambda self, name: None if "-0000" in (self.getheader(name) or "") else true(self, name)
    ),
)
overrides(
    "raises-no-keyerror",
    "`msg`",
    _M + "__getitem__",
    lambda true: lambda self, name: self.getheader(name),
)
overrides("knows-no-key", "`msg`", _M + "has_key", lambda true: lambda self, name: False)
overrides(
    "has-no-raw-lines", "`msg`", _M + "getallmatchingheaders", lambda true: lambda self, name: []
)
overrides("has-no-raw-header", "`msg`", _M + "getrawheader", lambda true: lambda self, name: None)
overrides(
    "counts-field-lines", "`msg`", _M + "__len__", lambda true: lambda self: len(self.headers)
)
overrides(
    "strips-every-blank-of-a-type",
    "`msg`",
    _M + "getmaintype",
    lambda true: lambda self: true(self).strip(),
)
overrides("says-text-html", "`msg`", _M + "gettype", lambda true: lambda self: "text/html")
overrides(
    "leaves-parameters-quoted", "`msg`; E7", "_message._unquote", lambda true: lambda text: text
)
overrides(
    "keeps-transfer-codings-in-case",
    "`msg`",
    _M + "getencoding",
    lambda true: lambda self: self.getheader("content-transfer-encoding") or "7bit",
)

mishears("unfolds-with-nothing", "obs-fold; D11", rb"\r\n[ \t]+(?=\S)", b"")
mishears("ends-the-head-at-an-odd-line", "odd lines; E1", rb"(?<=\r\n)[^:\r\n]+(?=\r\n\w)", b"")
mishears(
    "loses-fields-behind-8-bit-names",
    "odd lines; E2",
    rb"(?<=\n)[^:\r\n]*[\x80-\xff][^:\r\n]*:",
    b"\r\n",
)
mishears("trims-names", "odd lines; E3", rb"(?<=\n)([\w-]+)[ \t]+:", rb"\1:")
mishears("trims-names-of-vertical-blanks", "odd lines", rb"(?<=\n)([\w-]+)[\x0b\x0c]+:", rb"\1:")
mishears("trims-leading-blanks", "odd lines; C4; C5", rb"(?<=\n)[ \t]+(?=[^\s:]+:)", b"")
mishears("splits-at-a-bare-cr", "odd lines; D8", rb"\r(?!\n)", b"\r\n")
mishears("wants-crlf", "odd lines; E5", rb"(?<!\r)\n(?=[\w-]+:)", b"_")
mishears("takes-mailbox-lines", "odd lines", rb"(?<=\n)From ", b"from ")


@lie("is-no-message", "HTTPResponse.msg")
def is_no_message(liar: Liar) -> None:
    """`msg` is a plain dictionary."""

    def begin(true: Any) -> Any:
        def changed(self: Any) -> None:
            true(self)
            self.msg = dict(self.msg.items())

        return changed

    liar.override(_R + "begin", begin)


@lie("wants-every-head-ended", "end of stream inside the header block")
def wants_every_head_ended(liar: Liar) -> None:
    """A head that the end of the stream cuts is refused."""

    def read(true: Any) -> Any:
        def wanting(self: Any, reader: Any) -> Any:
            line = true(self, reader)
            if not self.whole and line.version != 9:
                from httplib_impl import HTTPException

                raise HTTPException("a cut head")
            return line

        return wanting

    liar.override("_head.Head.read", read)


@lie("calls-control-characters-a-bad-status-line", "odd lines", "C10")
def calls_control_characters_a_bad_status_line(liar: Liar) -> None:
    """An odd byte in a field is reported as a bad status line."""

    def begin(true: Any) -> Any:
        def blaming(self: Any) -> None:
            true(self)
            lines = "".join(self.msg.headers)
            if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", lines):
                from httplib_impl import BadStatusLine

                raise BadStatusLine(lines)

        return blaming

    liar.override(_R + "begin", begin)


@lie("refuses-names-that-are-no-tokens", "odd lines", "E4", "E6")
def refuses_names_that_are_no_tokens(liar: Liar) -> None:
    """One odd name makes the whole response unreadable."""

    def begin(true: Any) -> Any:
        def refusing(self: Any) -> None:
            true(self)
            if re.search(r"^[^\s:]*[^\w\s:-]", "".join(self.msg.headers), re.MULTILINE):
                from httplib_impl import HTTPException

                raise HTTPException("an odd name")

        return refusing

    liar.override(_R + "begin", begin)


overrides(
    "guesses-the-century",
    "`msg`; HTTPResponse.msg",
    _M + "getdate_tz",
    lambda true: (
        lambda self, name: (
            date and (date[0] + 1900 * (date[0] < 100), *date[1:])
            if (date := true(self, name))
            else date
        )
    ),
)
overrides(
    "knows-one-address",
    "`msg`",
    _M + "getaddrlist",
    lambda true: lambda self, name: true(self, name)[:1],
)
overrides(
    "writes-beside-the-lines",
    "`msg`",
    _M + "__setitem__",
    lambda true: lambda self, name, value: self.dict.__setitem__(name.lower(), value),
)
overrides(
    "removes-beside-the-lines",
    "`msg`",
    _M + "__delitem__",
    lambda true: lambda self, name: self.dict.pop(name.lower(), None),
)
overrides(
    "complains-of-what-is-not-there",
    "`msg`",
    _M + "__delitem__",
    lambda true: lambda self, name: true(self, (self.has_key(name) and name) or self.dict[name]),
)
overrides(
    "prefers-its-default",
    "`msg`",
    _M + "setdefault",
    lambda true: lambda self, name, default="": default,
)
overrides(
    "hands-out-copies-of-its-lines",
    "`msg`",
    _M + "headers",
    lambda true: property(lambda self: list(self.__dict__.setdefault("lines", true.func(self)))),
)
overrides(
    "takes-the-end-for-the-last-line",
    "`msg`",
    _M + "islast",
    lambda true: lambda self, line: not line.strip(),
)
overrides(
    "forgets-old-names",
    "`msg`, undocumented but common in old programs",
    _M + "addcontinue",
    lambda true: lambda self, key, more: None,
)
overrides(
    "counts-a-blank-as-the-beginning-of-a-name",
    "`msg`; odd lines",
    "_message._continues",
    lambda true: lambda line: False,
)
overrides(
    "rewinds-nothing",
    "`msg`",
    _M + "rewindbody",
    lambda true: lambda self: None,
)
