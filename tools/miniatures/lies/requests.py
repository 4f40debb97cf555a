"""Lies about requests: what is written, counted, refused and added."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, lie, misspeaks, overrides

_REQUEST = "_connection.HTTPConnection.request"
_PUTHEADER = "_connection.HTTPConnection.putheader"
_PUTREQUEST = "_connection.HTTPConnection.putrequest"
_NEVER = re.compile("(?!)")
_NEVER_OCTETS = re.compile(b"(?!)")
_EVER = re.compile("(?s:.*)")
_EVER_OCTETS = re.compile(b"(?s:.*)")

misspeaks("speaks-http-1.0", "HTTPConnection.putrequest", rb" HTTP/1\.1\r\n", b" HTTP/1.0\r\n")
misspeaks("sends-get-whatever-is-asked", "HTTPConnection.request", rb"^[A-Z]+ ", b"GET ")
misspeaks("drops-the-query", "HTTPConnection.request", rb"^(\S+ [^?\s]*)\?\S*", rb"\1")
misspeaks("sends-an-empty-target", "URL in `putrequest` and `request`", rb"^(\S+) / ", rb"\1  ")
misspeaks("ends-lines-with-lf", "HTTPConnection.endheaders", rb"\r\n", b"\n")
misspeaks("sends-no-host", "HTTPConnection.putrequest.host; `Host`", rb"\r\nHost: [^\r]*", b"")
misspeaks("leaves-the-port-out-of-host", "`Host`", rb"(\r\nHost: [^\r:]*):\d+", rb"\1")
misspeaks("writes-ipv6-bare", "IPv6; C16", rb"(\r\nHost: )\[([^\]]*)\]", rb"\1\2")
misspeaks(
    "asks-for-gzip",
    "HTTPConnection.putrequest.accept-encoding",
    rb"(\r\nAccept-Encoding:) identity",
    rb"\1 gzip",
)
misspeaks(
    "counts-one-too-many",
    "HTTPConnection.request.content-length; `Content-Length` is correct",
    rb"(\r\nContent-Length: \d*)(\d)",
    rb"\g<1>1\2",
)
misspeaks("sends-no-body", "HTTPConnection.request.body-string", rb"(?s)(\r\n\r\n).+", rb"\1")
misspeaks("names-no-length-of-nothing", "no body", rb"\r\nContent-Length: 0(?=\r\n)", b"")
misspeaks("lowers-field-names", "HTTPConnection.putheader", rb"\r\nX-", b"\r\nx-")
misspeaks(
    "puts-no-blank-behind-the-colon", "HTTPConnection.putheader", rb"(\r\n[A-Z-]+\w*): ", rb"\1:"
)
misspeaks(
    "joins-continuation-lines",
    "HTTPConnection.putheader.continuation; `putheader` with several values",
    rb"\r\n\t",
    b", ",
)
misspeaks(
    "adds-a-user-agent",
    "HTTPConnection.request.no-headers",
    rb"(\r\nAccept-Encoding: identity)",
    rb"\1\r\nUser-Agent: x",
)
misspeaks(
    "writes-host-behind-accept-encoding",
    "`Host`",
    rb"(\r\nHost:[^\r]*)(\r\nAccept-Encoding: identity)",
    rb"\2\1",
)
misspeaks(
    "ends-heads-with-one-line-more",
    "HTTPConnection.request.no-body; HTTPConnection.endheaders",
    rb"\r\n\r\n\Z",
    b"\r\n\r\n\r\n",
)


@lie("forgets-the-headers", "HTTPConnection.request.headers", "examples.POST")
def forgets_the_headers(liar: Liar) -> None:
    """`request` sends none of the caller's headers."""

    def request(true: Any) -> Any:
        return lambda self, method, url, body=None, headers=None: true(self, method, url, body)

    liar.override(_REQUEST, request)


@lie("takes-the-body-third", "HTTPConnection.request.arguments")
def takes_the_body_third(liar: Liar) -> None:
    """Body and headers have changed places."""

    def request(true: Any) -> Any:
        def swapped(
            self: Any, method: str, url: str, headers: Any = None, body: Any = None
        ) -> None:
            true(self, method, url, body, headers)

        return swapped

    liar.override(_REQUEST, request)


@lie("adds-its-host-to-the-callers", "`Host`", "no body")
def adds_its_host_to_the_callers(liar: Liar) -> None:
    """Automatic fields are sent in addition to those of the caller."""

    def putrequest(true: Any) -> Any:
        return lambda self, method, url, *args, **kwargs: true(self, method, url)

    liar.override(_PUTREQUEST, putrequest)


@lie("takes-only-true-for-true", "HTTPConnection.putrequest.skip")
def takes_only_true_for_true(liar: Liar) -> None:
    """A flag that is neither True nor 1 counts as false."""

    def putrequest(true: Any) -> Any:
        def narrow(
            self: Any,
            method: str,
            url: str,
            skip_host: object = 0,
            skip_accept_encoding: object = 0,
        ) -> None:
            true(self, method, url, skip_host == 1, skip_accept_encoding == 1)

        return narrow

    liar.override(_PUTREQUEST, putrequest)


@lie("always-asks-for-identity", "HTTPConnection.putrequest.other-encodings")
def always_asks_for_identity(liar: Liar) -> None:
    """The flag `skip_accept_encoding` is ignored."""

    def putrequest(true: Any) -> Any:
        return lambda self, method, url, skip_host=0, skip_accept_encoding=0: true(
            self, method, url, skip_host
        )

    liar.override(_PUTREQUEST, putrequest)


@lie("needs-no-url", "HTTPConnection.request.arguments")
def needs_no_url(liar: Liar) -> None:
    """Without a URL it is the root."""

    def request(true: Any) -> Any:
        return lambda self, method="GET", url="/", *args, **kwargs: true(
            self, method, url, *args, **kwargs
        )

    liar.override(_REQUEST, request)


@lie("wants-files-that-can-seek", "HTTPConnection.request.body-file-methods")
def wants_files_that_can_seek(liar: Liar) -> None:
    """A file with only `read` and `fileno` is not accepted as a body."""

    def request_body(true: Any) -> Any:
        def wanting(body: Any) -> Any:
            if hasattr(body, "read") and not hasattr(body, "seek"):
                raise TypeError("not a file")
            return true(body)

        return wanting

    liar.override("_request_body.request_body", request_body)


overrides(
    "finds-hosts-in-any-url",
    "`Host`",
    "_request.host_in_url",
    lambda true: lambda url: next(iter(re.findall(r"//([^/?#]+)", url)), None),
)
overrides(
    "never-names-a-port",
    "`Host`; HTTPConnection.putrequest.host",
    "_address.authority",
    lambda true: lambda host, port, default: true(host, default, default),
)
overrides(
    "always-names-the-port",
    "`Host`; HTTPConnection.putrequest.host",
    "_address.authority",
    lambda true: lambda host, port, default: true(host, port, -1),
)


@lie("always-skips-accept-encoding", "HTTPConnection.putrequest.arguments")
def always_skips_accept_encoding(liar: Liar) -> None:
    """The flag `skip_host` skips Accept-Encoding."""

    def putrequest(true: Any) -> Any:
        def swapped(
            self: Any,
            method: str,
            url: str,
            skip_accept_encoding: object = 0,
            skip_host: object = 0,
        ) -> None:
            true(self, method, url, skip_host, skip_accept_encoding)

        return swapped

    liar.override(_PUTREQUEST, putrequest)


@lie(
    "sends-files-from-the-start", "HTTPConnection.request.body-file", "`Content-Length` is correct"
)
def sends_files_from_the_start(liar: Liar) -> None:
    """A file at an offset is rewound first."""

    def request_body(true: Any) -> Any:
        def rewound(body: Any) -> Any:
            if hasattr(body, "seek"):
                body.seek(0)
            return true(body)

        return rewound

    liar.override("_request_body.request_body", request_body)


@lie("sends-more-than-announced", "a file that turns out shorter or longer than counted")
def sends_more_than_announced(liar: Liar) -> None:
    """A file is sent to its end, whatever its length was said to be."""

    def init(true: Any) -> Any:
        def uncounted(self: Any, file: Any, length: int | None = None) -> None:
            true(self, file, length)
            self._left = None

        return uncounted

    liar.override("_request_body.FileBody.__init__", init)


@lie("sends-lists-as-text", "other bodies (list, generator, number)")
def sends_lists_as_text(liar: Liar) -> None:
    """An object that is not a body is sent as its text."""

    def request_body(true: Any) -> Any:
        def anything(body: Any) -> Any:
            try:
                return true(body)
            except TypeError:
                return str(body).encode("latin-1")

        return anything

    liar.override("_request_body.request_body", request_body)


@lie("encodes-text-as-utf-8", "text that ISO-8859-1 cannot hold, in a body or header")
def encodes_text_as_utf_8(liar: Liar) -> None:
    """Text bodies go out as UTF-8."""

    def request_body(true: Any) -> Any:
        return lambda body: true(body.encode("utf-8") if isinstance(body, str) else body)

    liar.override("_request_body.request_body", request_body)


overrides(
    "lets-any-url-pass",
    "URL in `putrequest` and `request`; E10",
    "_request.request_line",
    lambda true: (
        lambda method, url, version: true(method, "/", version).replace(
            b" / ", f" {url or '/'} ".encode("ascii")
        )
    ),
)
overrides("lets-any-host-pass", "host; E9; E12; E13", "_grammar.NOT_IN_HOST", lambda true: _NEVER)
overrides("lets-any-method-pass", "method; E8", "_grammar.METHOD", lambda true: _EVER)
overrides("lets-any-name-pass", "header name", "_grammar.FIELD_NAME", lambda true: _EVER_OCTETS)
overrides(
    "lets-any-value-pass", "header name; E11", "_grammar.NOT_IN_VALUE", lambda true: _NEVER_OCTETS
)
overrides(
    "lets-nul-pass",
    "header name",
    "_grammar.NOT_IN_VALUE",
    lambda true: re.compile(rb"\n(?![ \t])|\r(?![ \t\n])"),
)
overrides(
    "refuses-folded-values",
    "header name; E11",
    "_grammar.NOT_IN_VALUE",
    lambda true: re.compile(rb"[\r\n\x00]"),
)
overrides(
    "writes-none-for-no-url",
    "URL in `putrequest` and `request`",
    "_request.request_line",
    lambda true: lambda method, url, version: true(method, str(url), version),
)
overrides(
    "takes-no-host-from-a-url", "`Host`", "_request.host_in_url", lambda true: lambda url: None
)


@lie("is-wedged-by-a-refusal", "a call refused by validation")
def is_wedged_by_a_refusal(liar: Liar) -> None:
    """A request that is refused stays begun."""

    def request(true: Any) -> Any:
        def wedged(self: Any, *args: Any, **kwargs: Any) -> None:
            try:
                true(self, *args, **kwargs)
            except (ValueError, TypeError):
                self.putrequest("GET", "/")
                raise

        return wedged

    liar.override(_REQUEST, request)


@lie(
    "sends-before-endheaders",
    "nothing leaves before `endheaders`; the head and a body held in memory leave in one write",
)
def sends_before_endheaders(liar: Liar) -> None:
    """`putrequest` writes its line at once."""

    def putrequest(true: Any) -> Any:
        def hasty(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            true(self, method, url, *args, **kwargs)
            self.send(self._lines_.pop(0) + b"\r\n")

        return hasty

    liar.override(_PUTREQUEST, putrequest)


@lie("allows-late-headers", "exceptions.CannotSendHeader")
def allows_late_headers(liar: Liar) -> None:
    """`putheader` out of turn does nothing."""

    def putheader(true: Any) -> Any:
        def quiet(self: Any, *args: Any) -> None:
            try:
                true(self, *args)
            except Exception as error:
                if type(error).__name__ != "CannotSendHeader":
                    raise

        return quiet

    liar.override(_PUTHEADER, putheader)
