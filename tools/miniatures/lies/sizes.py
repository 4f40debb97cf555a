"""Lies about sizes: lines, heads, targets and bodies that are cut, folded or refused."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, after, before, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_URL = "HTTPConnection.request; URL in `putrequest` and `request`"
_FIELD = "HTTPConnection.putheader; HTTPConnection.request.headers"


def _refused(what: str) -> Exception:
    return ValueError(f"{what} is too long")


def _urls(name: str, change: Any) -> None:
    """Enter a client that starts its requests with what *change* makes of a URL."""
    overrides(
        name,
        _URL,
        _C + "putrequest",
        lambda true: (
            lambda self, method, url, *args, **kwargs: true(
                self, method, change(url), *args, **kwargs
            )
        ),
    )


def _within(limit: int) -> Any:
    def within(text: Any) -> Any:
        if text is not None and len(text) > limit:
            raise _refused("a URL")
        return text

    return within


for _limit in (2048, 8192, 16384):
    _urls(f"refuses-urls-over-{_limit}", _within(_limit))
    _urls(f"cuts-urls-at-{_limit}", lambda url, limit=_limit: url and url[:limit])


def _fields(name: str, change: Any) -> None:
    """Enter a client that adds what *change* makes of a field's values."""
    overrides(
        name,
        _FIELD,
        _C + "putheader",
        lambda true: lambda self, header, *values: true(self, header, *map(change, values)),
    )


def _folded(value: Any) -> Any:
    return re.sub(r"(.{900}) ", r"\1\r\n ", value) if isinstance(value, str) else value


def _line_within(limit: int) -> Any:
    def within(value: Any) -> Any:
        if isinstance(value, str | bytes) and len(value) > limit:
            raise _refused("a value")
        return value

    return within


_fields("folds-long-values", _folded)
for _limit in (8192, 16384):
    _fields(f"refuses-values-over-{_limit}", _line_within(_limit))
    _fields(
        f"cuts-values-at-{_limit}",
        lambda value, limit=_limit: value[:limit] if isinstance(value, str | bytes) else value,
    )


def _heads(limit: int) -> Any:
    def within(self: Any) -> None:
        if sum(map(len, self._lines_)) > limit:
            raise _refused("a head")

    return within


for _limit in (8192, 16384, 65536):
    overrides(
        f"sends-no-head-over-{_limit}",
        "HTTPConnection.endheaders",
        _C + "endheaders",
        before(_heads(_limit)),
    )


def _received(limit: int) -> Any:
    """A `begin` that refuses heads of more bytes."""

    def within(self: Any, _: Any) -> None:
        if self.msg is not None and sum(map(len, self.msg.headers)) > limit:
            from httplib_impl import HTTPException

            raise HTTPException("the head is too long")

    return after(within)


overrides("takes-no-head-over-262144", "more than 100 lines", _R + "begin", _received(1 << 18))


@lie("takes-no-long-tunnel-headers", "`set_tunnel` headers")
def takes_no_long_tunnel_headers(liar: Liar) -> None:
    """Fields of a CONNECT have 1024 bytes at most."""

    def connect_request(true: Any) -> Any:
        return lambda *args: b"\r\n".join(line[:1024] for line in true(*args).split(b"\r\n"))

    liar.override("_tunnel.connect_request", connect_request)
