"""Lies about the status line and interim responses."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, lie, mishears, overrides

_INIT = "_connection.HTTPConnection.__init__"
_BEGIN = "_response.HTTPResponse.begin"


def _begun(change: Any) -> Any:
    """A `begin` after which *change* alters the response."""

    def begin(true: Any) -> Any:
        def changed(self: Any) -> None:
            true(self)
            change(self)

        return changed

    return begin


@lie("is-never-strict", "HTTPConnection.strict", "`strict` true")
def is_never_strict(liar: Liar) -> None:
    """`strict` is taken and ignored."""

    def init(true: Any) -> Any:
        def lenient(self: Any, *args: Any, **kwargs: Any) -> None:
            true(self, *args, **kwargs)
            self.strict = 0

        return lenient

    liar.override(_INIT, init)


overrides(
    "is-always-strict",
    "HTTPConnection.strict-default; `strict` false, HTTP/0.9; E15",
    "_connection.HTTPConnection.strict",
    lambda true: 1,
)
overrides(
    "says-1.1-of-everything",
    "HTTPResponse.version; version",
    _BEGIN,
    _begun(lambda self: setattr(self, "version", 11)),
)
mishears(
    "takes-102-for-final",
    "interim responses; E14",
    rb"HTTP/1\.1 1(?:0[2-9]|[1-9][0-9]) ",
    b"HTTP/1.1 200 ",
)
mishears("skips-101", "101", rb"(HTTP/1\.[01]) 101 ", rb"\1 100 ")
mishears("takes-100-for-final", "interim responses; A14", rb"HTTP/1\.1 100 ", b"HTTP/1.1 200 ")
mishears(
    "takes-signs-in-codes",
    "a code that is not understood; exceptions.BadStatusLine.code",
    rb"^(HTTP/1\.\d )[+-]",
    rb"\1",
)
mishears("takes-long-codes", "a code that is not understood", rb"^(HTTP/1\.\d )0(\d{3})", rb"\1\2")
mishears(
    "takes-codes-of-two-digits",
    "a code that is not understood",
    rb"^(HTTP/1\.\d )(\d\d)(?=[ \r])",
    rb"\g<1>2\2",
)
mishears(
    "takes-letters-in-codes",
    "a code that is not understood; exceptions.BadStatusLine.code; C15",
    rb"^(HTTP/1\.\d )\d[a-z]+(?=[ \r])",
    rb"\g<1>200",
)
mishears(
    "takes-codes-below-100",
    "a code that is not understood",
    rb"^(HTTP/1\.\d )0(\d\d)(?=[ \r])",
    rb"\g<1>2\2",
)
mishears("speaks-http-2.0", "version; exceptions.UnknownProtocol", rb"^HTTP/2\.0", b"HTTP/1.1")
mishears(
    "takes-http-0.0-for-0.9", "version; exceptions.UnknownProtocol", rb"^HTTP/0\.0", b"HTTP/0.9"
)
mishears("skips-a-leading-line", "`strict` true; C11", rb"^\r\n", b"")
mishears("reads-lower-case-versions", "`strict` false, HTTP/0.9", rb"^http/", b"HTTP/")
mishears(
    "has-another-reason", "HTTPResponse.reason; reason; C9", rb"^(HTTP/1\.\d \d{3}) \S", rb"\1 X"
)
mishears("has-another-status", "HTTPResponse.status", rb"^(HTTP/1\.\d) 404", rb"\1 400")
overrides(
    "strips-every-blank",
    "reason",
    _BEGIN,
    _begun(lambda self: setattr(self, "reason", self.reason.strip("\x85\xa0\x1c\x1d\x1e\x1f "))),
)
overrides(
    "reads-lines-of-any-length",
    "any line over 65,536 bytes, its end included; A8; A10; A13",
    "_grammar.MAX_LINE",
    lambda true: 1 << 30,
)
overrides(
    "reads-short-lines-only",
    "any line over 65,536 bytes, its end included",
    "_grammar.MAX_LINE",
    lambda true: 8192,
)
overrides(
    "counts-no-lines",
    "more than 100 lines; trailers; interim responses; A1; A2; A9",
    "_grammar.MAX_LINES",
    lambda true: 1 << 30,
)
overrides("takes-fifty-lines", "more than 100 lines; A9", "_grammar.MAX_LINES", lambda true: 50)
overrides(
    "takes-letters-for-codes",
    "a code that is not understood",
    "_grammar.STATUS_CODE",
    lambda true: re.compile(rb"[0-9]+"),
)


overrides(
    "loses-the-first-line-of-0.9",
    "`strict` false, HTTP/0.9",
    "_reader.Reader.unread",
    lambda true: lambda self, octets: None,
)


@lie("understands-no-0.9", "`strict` false, HTTP/0.9", "HTTPConnection.strict-default")
def understands_no_0_9(liar: Liar) -> None:
    """An answer without a status line is refused, strict or not."""

    def begin(true: Any) -> Any:
        def refusing(self: Any) -> None:
            true(self)
            if self.version == 9:
                from httplib_impl import BadStatusLine

                raise BadStatusLine("")

        return refusing

    liar.override(_BEGIN, begin)


@lie("prints-no-reply", "`set_debuglevel(1)`", "HTTPResponse.arguments")
def prints_no_reply(liar: Liar) -> None:
    """A response prints nothing of its head."""

    def begin(true: Any) -> Any:
        def silent(self: Any) -> None:
            self.debuglevel = 0
            true(self)

        return silent

    liar.override(_BEGIN, begin)
