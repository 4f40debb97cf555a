"""Lies about names and values: letter case, spelling, what is trimmed, joined, decoded."""

import re
import urllib.parse
from typing import Any

from tools.miniatures.miniature import (
    before,
    mishears,
    overrides,
)

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_M = "_message.HTTPMessage."
_FIELD = "HTTPConnection.putheader; HTTPConnection.request.headers"
_GET = "HTTPResponse.getheader"


def _named(name: str, about: str, change: Any) -> None:
    """Enter a client that adds fields under what *change* makes of their names."""
    overrides(
        name,
        about,
        _C + "putheader",
        lambda true: (
            lambda self, header, *values: true(
                self, change(header) if isinstance(header, str) else header, *values
            )
        ),
    )


_named("capitalizes-field-names", _FIELD, lambda name: name.capitalize())
_named("writes-hyphens-for-underscores", _FIELD, lambda name: name.replace("_", "-"))


def _lines(name: str, about: str, change: Any) -> None:
    """Enter a client that sends what *change* makes of the field lines."""

    def changed(self: Any) -> None:
        if len(self._lines_) > 1:
            first, *rest = self._lines_
            self._lines_ = [first, *change(b"\r\n".join(rest).split(b"\r\n"))]

    overrides(name, about, _C + "endheaders", before(changed))


def _unfolded(lines: list[bytes]) -> bool:
    return not any(line[:1] in (b"\t", b" ", b"") for line in lines)


_lines(
    "sorts-the-callers-fields",
    _FIELD,
    lambda lines: [*lines[:2], *sorted(lines[2:])] if _unfolded(lines) else lines,
)


def _target(name: str, about: str, change: Any) -> None:
    """Enter a client that asks for what *change* makes of a URL."""
    overrides(
        name,
        about,
        _C + "putrequest",
        lambda true: (
            lambda self, method, url, *args, **kwargs: true(
                self, method, change(url) if url else url, *args, **kwargs
            )
        ),
    )


_URL = "HTTPConnection.request; URL in `putrequest` and `request`"
_target("decodes-percent-signs", _URL, lambda url: url.replace("%41", "A"))
_target(
    "writes-percent-signs-in-capitals",
    _URL,
    lambda url: re.sub("%[0-9a-f]{2}", lambda one: one[0].upper(), url),
)


def _seen(name: str, about: str, change: Any) -> None:
    """Enter a client whose `getheader` gives what *change* makes of a value that is there."""
    overrides(
        name,
        about,
        _R + "getheader",
        lambda true: (
            lambda self, name, default=None: (
                default if true(self, name) is None else change(true(self, name))
            )
        ),
    )


_seen("decodes-percent-signs-in-values", _GET, urllib.parse.unquote)
_seen("cuts-values-at-a-comma", _GET, lambda value: value.partition(",")[0])
_seen("drops-empty-items", _GET, lambda value: re.sub(r", *(?=,)", "", value))


def _asked(name: str, change: Any) -> None:
    """Enter a client whose `getheader` looks for what *change* makes of a name."""
    overrides(
        name,
        _GET,
        _R + "getheader",
        lambda true: lambda self, name, default=None: true(self, change(name), default),
    )


_asked("takes-underscores-for-hyphens", lambda name: name.replace("_", "-"))
_asked("takes-hyphens-for-underscores", lambda name: name.replace("-", "_"))
mishears(
    "frames-by-underscores",
    "`Content-Length`",
    rb"(?i)\r\ncontent_length:",
    b"\r\nContent-Length:",
)
mishears(
    "frames-by-underscores-in-codings",
    "Transfer-Encoding",
    rb"(?i)\r\ntransfer_encoding:",
    b"\r\nTransfer-Encoding:",
)
mishears(
    "reads-underscores-as-hyphens",
    "odd lines; HTTPResponse.getheader",
    rb"(\r\n[\w-]*)_(?=[\w-]*:)",
    rb"\1-",
)


def _repeated(name: str, about: str, change: Any) -> None:
    """Enter a client whose `getheader` gives what *change* makes of the values of a name."""
    overrides(
        name,
        about,
        _M + "getheader",
        lambda true: (
            lambda self, name, default=None: (
                change(name.lower(), self.getheaders(name)) if self.getheaders(name) else default
            )
        ),
    )


_repeated("takes-the-last-of-repeated", "repeated names", lambda _, values: values[-1])
_repeated(
    "gives-one-of-equal-lengths",
    "repeated names",
    lambda name, values: values[0] if name == "content-length" else ", ".join(values),
)
_repeated(
    "gives-the-first-cookie",
    "repeated names",
    lambda name, values: values[0] if name == "set-cookie" else ", ".join(values),
)
_repeated(
    "joins-cookies-with-lines",
    "repeated names",
    lambda name, values: "\n".join(values) if name == "set-cookie" else ", ".join(values),
)
_repeated(
    "gives-one-type",
    "repeated names",
    lambda name, values: (
        values[-1] if name in ("content-type", "location", "host") else ", ".join(values)
    ),
)
overrides(
    "lists-no-cookies",
    "HTTPResponse.getheaders",
    _R + "getheaders",
    lambda true: lambda self: [pair for pair in true(self) if pair[0] != "set-cookie"],
)
overrides(
    "lists-every-line",
    "repeated names; HTTPResponse.getheaders",
    _R + "getheaders",
    lambda true: (
        lambda self: [
            (name, value) for name, _ in true(self) for value in self.msg.getheaders(name)
        ]
    ),
)
mishears(
    "reads-two-blanks-as-a-word",
    "reason",
    rb"^(HTTP/1\.\d \d{3}[^\r\n]*?)(?:  |\t)",
    rb"\1 x",
)
mishears(
    "counts-on-after-two-blanks",
    "HTTPResponse.status",
    rb"^(HTTP/1\.\d)(?:  |\t)200",
    rb"\1 201",
)
