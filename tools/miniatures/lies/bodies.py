"""Lies about where a body ends, and about what `read` returns."""

import ssl
import zlib
from typing import Any

from tools.miniatures.miniature import Liar, before, lie, mishears, overrides

_READ = "_response.HTTPResponse.read"
_BEGIN = "_response.HTTPResponse.begin"
_SHORT_READ = "short body, `read(n)`, length and chunked alike, a bad size line included"

mishears(
    "believes-a-length-with-a-sign",
    "`Content-Length`; D1",
    rb"(?i)(\r\ncontent-length: *)\+",
    rb"\1",
)
mishears(
    "believes-a-length-with-underscores",
    "`Content-Length`; D1",
    rb"(?i)(\r\ncontent-length: *\d+)_",
    rb"\1",
)
mishears(
    "believes-the-last-of-two-lengths",
    "`Content-Length`; D12",
    rb"(?is)\r\ncontent-length: *\d+(?=\r\n(.*\r\n)?content-length)",
    b"",
)
mishears(
    "believes-the-first-of-two-lengths",
    "`Content-Length`; D12",
    rb"(?is)(\r\ncontent-length: *\d+)((\r\n.*?)?)\r\ncontent-length: *\d+",
    rb"\1\2",
)
mishears(
    "counts-two-equal-lengths-as-none",
    "`Content-Length`",
    rb"(?is)\r\ncontent-length: *(\d+)(?=\r\n(.*\r\n)?content-length: *\1\r)",
    b"\r\nContent-Length: x",
)
mishears(
    "believes-the-length-beside-chunked",
    "chunked and `Content-Length`; D9",
    rb"(?is)(\r\ncontent-length: *\d+\r\n.*?)transfer-encoding: *chunked",
    rb"\1X-Coding: chunked",
)
mishears(
    "counts-the-digits-in-a-length",
    "`Content-Length`",
    rb"(?i)(\r\ncontent-length: *)(?:[a-z;]|\(\d+\) )?(\d+)(?:;| ?[a-z]| \(\d+\))?(?=\r\n)",
    rb"\1\2",
)
mishears(
    "takes-any-number-for-a-length",
    "neither",
    rb"(?i)\r\n(?:proxy-)?(?:connection|keep-alive): *(\d+)(?=\r\n)",
    rb"\r\nContent-Length: \1",
)
mishears("knows-no-chunks", "Transfer-Encoding", rb"(?i)\r\ntransfer-encoding:", b"\r\nX-Coding:")
mishears(
    "takes-gzip-for-nothing",
    "Transfer-Encoding; exceptions.UnknownTransferEncoding",
    rb"(?i)(\r\ntransfer-encoding:) *gzip(, *chunked)?\r",
    rb"\1 identity\r",
)
mishears(
    "takes-every-coding-for-chunked",
    "Transfer-Encoding",
    rb"(?i)(\r\ntransfer-encoding:)(?:[^\r]|\r\n )*(?=\r\n)",
    rb"\1 chunked",
)
mishears(
    "drops-odd-bytes-of-a-coding",
    "Transfer-Encoding",
    rb"(?i)(\r\ntransfer-encoding: *[a-z]*)(?:[\x00\x7f;]|\xc2?\xa0)(?=[a-z]*\r\n)",
    rb"\1",
)
mishears(
    "compares-codings-exactly",
    "Transfer-Encoding",
    rb"(\r\nTransfer-Encoding: *)(?=[A-Z])",
    rb"\1x",
)
mishears(
    "takes-a-sign-in-a-size", "chunk-size line; D1; D3", rb"(?<=\r\n)\+(?=[0-9a-fA-F]+\r\n)", b""
)
mishears(
    "takes-a-negative-size", "chunk-size line; C8; D2", rb"(?<=\r\n)-(?=[0-9a-fA-F]+\r\n)", b""
)
mishears("takes-0x-in-a-size", "chunk-size line; B11; D1", rb"(?<=\r\n)0x(?=[0-9a-fA-F]+\r\n)", b"")
mishears(
    "takes-underscores-in-a-size",
    "chunk-size line; D1",
    rb"(?<=\r\n)([0-9a-fA-F]+)_(?=[0-9a-fA-F]+\r\n)",
    rb"\1",
)
mishears(
    "takes-blanks-before-a-size", "chunk-size line", rb"(?<=\r\n)[ \t]+(?=[0-9a-fA-F]+\r\n)", b""
)
mishears(
    "takes-a-bad-size-for-the-end",
    "chunk-size line; C6; C7",
    rb"(?<=hello\r\n)(?:zz|xyz|HTTP/1\.1 200 OK|)(?=\r\n)",
    b"0",
)
mishears(
    "refuses-blanks-behind-a-size",
    "chunk-size line; E4; E16",
    rb"(?<=\r\n)([0-9a-fA-F]+)[ \t]+(?=\r\n)",
    rb"\1 x",
)
mishears(
    "refuses-extensions",
    "chunk-size line",
    rb"(?<=\r\n)([0-9a-fA-F]+[ \t]*);[^\r\n]*(?=\r\n)",
    rb"\1,x",
)
mishears(
    "takes-a-bare-lf-behind-a-size",
    "chunk-size line; D5; D6",
    rb"(?<=\n)([0-9a-fA-F]+(?:;[^\r\n]*)?)\n",
    rb"\1\r\n",
)
mishears(
    "takes-anything-behind-a-chunk",
    "chunk data not followed by CRLF; D4",
    rb"(\r\n5\r\nhello)..",
    rb"\1\r\n",
)
mishears("joins-quoted-extensions", "chunk-size line; D7", rb'(;[^\r\n"]*="[^\r\n"]*)\r\n', rb"\1")
mishears("wants-every-trailer-ended", "trailers", rb"(\r\n0\r\n.*)\Z", rb"\1X-Never: ends")


def _wrapped(change: Any) -> Any:
    """A `read` whose result *change* makes from the true one."""

    def read(true: Any) -> Any:
        return lambda self, amt=None: change(self, true, amt)

    return read


overrides(
    "ignores-the-amount",
    "HTTPResponse.read.amt",
    _READ,
    _wrapped(lambda self, true, amt: true(self)),
)
overrides(
    "reads-one-octet-less",
    "HTTPResponse.read.amt",
    _READ,
    _wrapped(lambda self, true, amt: true(self, amt - 1 if amt and amt > 1 else amt)),
)
overrides(
    "reads-a-part-only",
    "HTTPResponse.read",
    _READ,
    _wrapped(lambda self, true, amt: true(self, 3 if amt is None else amt)),
)


def _allocating(self: Any, true: Any, amt: int | None) -> Any:
    if (amt or 0) >= 1 << 31:
        raise MemoryError
    return true(self, amt)


overrides("allocates-what-is-asked-for", "HTTPResponse.read.amt", _READ, _wrapped(_allocating))


def _skipping(self: Any, true: Any, amt: int | None) -> Any:
    if amt == 0 and self._reader_ and not self.isclosed():
        self._reader_.exactly(1)
    return true(self, amt)


overrides("loses-a-byte-for-an-amount-of-zero", "HTTPResponse.read.amt", _READ, _wrapped(_skipping))
overrides(
    "reads-text",
    "`read()`",
    _READ,
    _wrapped(lambda self, true, amt: true(self, amt).decode("latin-1")),
)
overrides(
    "reads-nothing-for-a-negative-amount",
    "`read(n)`, n negative; B9",
    _READ,
    _wrapped(lambda self, true, amt: b"" if amt is not None and amt < 0 else true(self, amt)),
)
overrides(
    "is-never-closed",
    "`read` after the end; B10",
    "_response.HTTPResponse.isclosed",
    lambda true: lambda self: False,
)
overrides(
    "is-closed-at-once",
    "`read` after the end",
    "_response.HTTPResponse.isclosed",
    lambda true: lambda self: True,
)
overrides(
    "has-no-length",
    "attributes and hooks",
    "_response.HTTPResponse.length",
    lambda true: property(lambda self: None),
)


@lie("never-says-chunked", "attributes and hooks")
def never_says_chunked(liar: Liar) -> None:
    """`chunked` is always false."""

    def begin(true: Any) -> Any:
        def changed(self: Any) -> None:
            true(self)
            self.chunked = False

        return changed

    liar.override(_BEGIN, begin)


overrides(
    "has-a-body-with-204",
    "1xx, 204, 304; A4; A6; A7; B13",
    "_framing.has_no_body",
    lambda true: lambda method, status: method == "HEAD",
)
overrides(
    "has-a-body-with-head",
    "method `HEAD` (exactly); examples.HEAD; A5; A6",
    "_framing.has_no_body",
    lambda true: lambda method, status: status in (204, 304) or status < 200,
)


def _tells_a_cut(error: Exception, response: Any) -> bool:
    """Return whether a body is short; a reset is an end of TLS to some versions of Python."""
    if type(error).__name__ == "IncompleteRead":
        return True
    return isinstance(response._sock_, ssl.SSLSocket) and isinstance(error, ConnectionResetError)


@lie("ends-short-bodies-silently", "short body, `read()`", "B1", "B2", "B3", "B4", "B5", "B6", "B7")
def ends_short_bodies_silently(liar: Liar) -> None:
    """What came is taken for the whole."""

    def read(true: Any) -> Any:
        def silent(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except Exception as error:
                if not _tells_a_cut(error, self):
                    raise
                octets = getattr(error, "partial", b"")
            return octets

        return silent

    liar.override(_READ, read)


@lie("ends-short-reads-silently", _SHORT_READ, "B1", "B4")
def ends_short_reads_silently(liar: Liar) -> None:
    """With an amount, the end of the stream is the end of the body."""

    def read(true: Any) -> Any:
        def silent(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except Exception as error:
                if amt is None or not _tells_a_cut(error, self):
                    raise
                octets = b""
            return octets

        return silent

    liar.override(_READ, read)


@lie("takes-a-reset-for-the-end", "a reset inside a body")
def takes_a_reset_for_the_end(liar: Liar) -> None:
    """A reset inside a body ends it."""

    def read(true: Any) -> Any:
        def calm(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except TimeoutError:
                raise
            except OSError:
                octets = b""
            return octets

        return calm

    liar.override(_READ, read)


def _wanting_an_alert(self: Any) -> None:
    if self.will_close and isinstance(self._sock_, ssl.SSLSocket):
        sock: Any = self._sock_
        sock.suppress_ragged_eofs = False
        sock.recv(1)


overrides(
    "wants-close-notify-behind-whole-bodies",
    "TLS ends without close_notify, or inside a record",
    "_response.HTTPResponse._end_",
    before(_wanting_an_alert),
)


@lie("leaks-a-valueerror", "chunk-size line", "C6", "C8")
def leaks_a_valueerror(liar: Liar) -> None:
    """A bad chunk size is what `int` says of it."""

    def read(true: Any) -> Any:
        def leaking(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except Exception as error:
                if self.chunked and type(error).__name__ == "IncompleteRead":
                    raise ValueError("invalid literal") from None
                raise
            return octets

        return leaking

    liar.override(_READ, read)


@lie("gives-up-after-a-timeout", "a timeout while reading", "C14")
def gives_up_after_a_timeout(liar: Liar) -> None:
    """A read that timed out cannot be repeated."""

    def read(true: Any) -> Any:
        def impatient(self: Any, amt: int | None = None) -> bytes:
            try:
                octets: bytes = true(self, amt)
            except TimeoutError:
                self.close()
                raise
            return octets

        return impatient

    liar.override(_READ, read)


@lie("allocates-what-is-announced", "`Content-Length`", "A3", "A12")
def allocates_what_is_announced(liar: Liar) -> None:
    """Memory for a whole body is allocated before a byte of it was received."""

    def read(true: Any) -> Any:
        def greedy(self: Any, amt: int | None = None) -> bytes:
            if (self.length or 0) > 1 << 32:
                raise MemoryError
            octets: bytes = true(self, amt)
            return octets

        return greedy

    liar.override(_READ, read)


@lie("unpacks-by-itself", "HTTPResponse.read", "A11")
def unpacks_by_itself(liar: Liar) -> None:
    """A content coding is taken away, or fails, where only a transfer coding may be."""

    def read(true: Any) -> Any:
        def unpacking(self: Any, amt: int | None = None) -> bytes:
            octets: bytes = true(self, amt)
            coding = self.msg and self.getheader("content-encoding")
            return zlib.decompress(octets, 47) if coding and octets else octets

        return unpacking

    liar.override(_READ, read)


@lie("opens-messages-inside", "HTTPResponse.read", "E7")
def opens_messages_inside(liar: Liar) -> None:
    """Of content that is a message itself, the head is thrown away."""

    def read(true: Any) -> Any:
        def opening(self: Any, amt: int | None = None) -> bytes:
            octets: bytes = true(self, amt)
            kind = self.msg.getmaintype() if self.msg else ""
            return octets.partition(b"\r\n\r\n")[2] if kind in ("message", "multipart") else octets

        return opening

    liar.override(_READ, read)


@lie("takes-an-early-end-for-a-short-body", "`read` after the end", "B12")
def takes_an_early_end_for_a_short_body(liar: Liar) -> None:
    """A body that is read in parts is said to be short, though all of it came."""

    def read(true: Any) -> Any:
        def hasty(self: Any, amt: int | None = None) -> bytes:
            counted, before = self.length, vars(self).get("_parts", 0)
            octets: bytes = true(self, amt)
            self._parts = before + 1
            if before and counted and self.isclosed():
                from httplib_impl import IncompleteRead

                raise IncompleteRead(octets, 0)
            return octets

        return hasty

    liar.override(_READ, read)


overrides(
    "keeps-its-own-length",
    "attributes and hooks",
    "_response.HTTPResponse.length",
    lambda true: true.setter(lambda self, length: None),
)


@lie("expects-no-body-without-a-length", "neither", "HTTPResponse.read")
def expects_no_body_without_a_length(liar: Liar) -> None:
    """A response without a field for its length has no body."""

    def message_framing(true: Any) -> Any:
        def changed(*args: Any) -> Any:
            ending, length, reusable = true(*args)
            if ending.name == "CLOSE":
                ending, length = type(ending).LENGTH, 0
            return ending, length, reusable

        return changed

    liar.override("_framing.message_framing", message_framing)
