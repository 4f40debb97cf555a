"""The head of a request: request line and field lines, checked before the connection changes.

Text, bytes and numbers of the caller come in, lines of bytes without their end go out. After a
refusal the connection is unchanged, so that the next valid call works.
"""

from __future__ import annotations

from ._exceptions import InvalidURL
from ._grammar import ABSOLUTE_URL, FIELD_NAME, METHOD, NOT_IN_VALUE


def request_line(method: str, url: str | None, version: str) -> bytes:
    """Build the first line of a request.

    >>> request_line("GET", "/index.html", "HTTP/1.1")
    b'GET /index.html HTTP/1.1'

    RFC 9112, 3: method SP request-target SP HTTP-version, where the target is printable ASCII
    without the blank (3.2). An empty URL is ``/``.

    Raises:
        ValueError: the method is not a token.
        InvalidURL: the URL has a character outside 0x21 to 0x7e.
    """
    if not isinstance(method, str):
        raise TypeError(f"method is text, not {type(method).__name__}")
    if url is not None and not isinstance(url, str):
        raise TypeError(f"URL is text, not {type(url).__name__}")
    url = url or "/"  # 2.7: of None as well
    if not METHOD.fullmatch(method):
        raise ValueError(f"method {method!r} is not a token")
    if " " in url or not (url.isascii() and url.isprintable()):
        bad = next(character for character in url if not "!" <= character <= "~")
        raise InvalidURL(f"URL {url!r} contains {bad!r}")
    return f"{method} {url} {version}".encode("ascii")


def host_in_url(url: str) -> str | None:
    """The host and port of an absolute URL, without its user information.

    >>> host_in_url("HTTP://me:secret@example.com:8080/x")
    'example.com:8080'
    """
    absolute = None if url.startswith("/") else ABSOLUTE_URL.match(url)  # the usual case
    return absolute.group(1) if absolute else None


def field_line(name: str, values: tuple[object, ...]) -> bytes:
    r"""Build one field of a request, with a continuation line for every further value.

    >>> field_line("X-Tree", ("oak", 7))
    b'X-Tree: oak\r\n\t7'

    Args:
        name: the field name; text must be ISO-8859-1.
        values: bytes stay unchanged, anything else is converted by `str`.

    Raises:
        ValueError: the name or a value could end the line, or holds a NUL.
        UnicodeEncodeError: text that ISO-8859-1 cannot hold.
    """
    if not isinstance(name, str):
        raise TypeError(f"header name is text, not {type(name).__name__}")
    raw = name.encode("latin-1")
    if not FIELD_NAME.fullmatch(raw):
        raise ValueError(f"header name {name!r} is not allowed")
    return raw + b": " + b"\r\n\t".join(map(_field_value, values))


def _field_value(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1")
    if NOT_IN_VALUE.search(raw):
        raise ValueError(f"header value {value!r} is not allowed")
    return raw
