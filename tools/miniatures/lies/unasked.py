"""Lies about what a client does unasked: cookies, repetitions, redirects, fields of its own."""

import base64
import hashlib
import re
import socket
import time
from typing import Any

from tools.miniatures.miniature import Liar, after, before, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_PAGE = "HTTPConnection.request.no-headers"
_ONE = "HTTPConnection.transaction"


def _remembers_requests(liar: Liar) -> None:
    """Keep what `request` was asked for as ``asked``."""

    def request(true: Any) -> Any:
        def kept(self: Any, *args: Any, **kwargs: Any) -> None:
            self.asked = args, kwargs
            true(self, *args, **kwargs)

        return kept

    liar.override(_C + "request", request)


def _repeats(name: str, about: str, wanted: Any) -> None:
    """Enter a client that sends its request again after a response of which *wanted* is true."""

    def change(liar: Liar) -> None:
        def respond(self: Any, response: Any) -> Any:
            asked = getattr(self, "asked", None)
            if asked and wanted(response):
                response.read()
                self.asked = None
                self.request(*asked[0], **asked[1])
                return self.getresponse()
            return response

        _remembers_requests(liar)
        liar.override(_C + "getresponse", after(respond))

    lie(name, *about.split("; "))(change)


def _follows(name: str, about: str, target_of: Any) -> None:
    """Enter a client that asks for what *target_of* finds in a response."""

    def change(liar: Liar) -> None:
        def respond(self: Any, response: Any) -> Any:
            target = target_of(response)
            if not target or getattr(self, "following", False):
                return response
            response.read()
            self.following = True
            try:
                self.request("GET", re.sub("^http://[^/]*", "", target))
                return self.getresponse()
            finally:
                self.following = False

        liar.override(_C + "getresponse", after(respond))

    lie(name, *about.split("; "))(change)


def _adds(name: str, about: str, field: str, value_for: Any) -> None:
    """Enter a client that adds a field to a request where *value_for* has a value for it."""

    def adds(self: Any) -> None:
        value = value_for(self)
        if value is not None and self._lines_:
            self.putheader(field, value)

    overrides(name, about, _C + "endheaders", before(adds))


def _said(response: Any, name: str) -> str:
    return str(response.getheader(name) or "")


def _cookies(name: str, jar_of: Any) -> None:
    """Enter a client that keeps cookies in the jar that *jar_of* has for a connection."""

    def change(liar: Liar) -> None:
        def keep(self: Any, response: Any) -> Any:
            if cookie := _said(response, "set-cookie"):
                jar_of(self)["cookie"] = cookie.partition(";")[0]
            return response

        def send(self: Any) -> None:
            if self._lines_ and "cookie" in jar_of(self):
                self.putheader("Cookie", jar_of(self)["cookie"])

        liar.override(_C + "getresponse", after(keep))
        liar.override(_C + "endheaders", before(send))

    lie(name, _ONE, _PAGE)(change)


def _of_the_socket(conn: Any) -> Any:
    """A jar that is lost with the socket."""
    sock, jar = getattr(conn, "jar", (None, {}))
    if sock is not conn.sock:
        jar = {}
        conn.jar = conn.sock, jar
    return jar


_cookies("keeps-cookies", lambda self: self.__dict__.setdefault("jar", {}))
_cookies("keeps-cookies-while-connected", _of_the_socket)

_follows(
    "follows-what-was-created",
    _ONE,
    lambda response: response.status in (201, 202) and _said(response, "location"),
)
_follows(
    "follows-refreshes",
    _ONE,
    lambda response: _said(response, "refresh").partition("url=")[2],
)
_repeats(
    "repeats-after-retry-after",
    _ONE,
    lambda response: _said(response, "retry-after"),
)
_repeats("repeats-after-421", _ONE, lambda response: response.status == 421)
_repeats("repeats-after-425", _ONE, lambda response: response.status == 425)


def _as_long_as_it_says(self: Any, response: Any) -> Any:
    waits = _said(response, "retry-after")
    if waits.isdigit():
        time.sleep(int(waits))
    return response


overrides("waits-as-told", _ONE, _C + "getresponse", after(_as_long_as_it_says))


def _validators(name: str, field: str, validator: str) -> None:
    def change(liar: Liar) -> None:
        def keep(self: Any, response: Any) -> Any:
            self.validator = _said(response, validator)
            return response

        def send(self: Any) -> None:
            if self._lines_ and getattr(self, "validator", ""):
                self.putheader(field, self.validator)

        liar.override(_C + "getresponse", after(keep))
        liar.override(_C + "endheaders", before(send))

    lie(name, _ONE, _PAGE)(change)


_validators("asks-whether-tags-match", "If-None-Match", "etag")
_validators("asks-whether-it-was-modified", "If-Modified-Since", "last-modified")
_validators("names-its-referer", "Referer", "location")


@lie("fills-304-from-a-cache", "HTTPResponse.status")
def fills_304_from_a_cache(liar: Liar) -> None:
    """A 304 is shown as the response that it confirms."""

    def respond(self: Any, response: Any) -> Any:
        if response.status == 304 and getattr(self, "confirmed", None) is not None:
            response.read()
            return self.confirmed
        self.confirmed = response if response.getheader("etag") else None
        return response

    liar.override(_C + "getresponse", after(respond))


def _of_length(limit: int) -> Any:
    return lambda self: (
        "100-continue"
        if any(
            line[:15].lower() == b"content-length:" and int(line[15:]) > limit
            for line in self._lines_
            if line[15:].strip().isdigit()
        )
        else None
    )


_adds("expects-100-for-a-mebibyte", _PAGE, "Expect", _of_length(1 << 20))


def _moves(self: Any, response: Any) -> Any:
    service = re.search(r':(\d+)"', _said(response, "alt-svc"))
    if service:
        self.port = int(service[1])
        self.close()
    return response


overrides("moves-to-alternative-services", _ONE, _C + "getresponse", after(_moves))


def _few(self: Any, response: Any) -> Any:
    if re.search(r"max=[01]\b|timeout=0", _said(response, "keep-alive")):
        response.will_close = True
        response.take_over_()
        self._drop_socket_()
        self._unread_ = None
        from httplib_impl._state import IDLE

        self._state_ = IDLE
    return response


overrides("obeys-keep-alive", "persistence", _C + "getresponse", after(_few))
overrides(
    "obeys-proxy-connection",
    "persistence",
    "_framing.is_persistent",
    lambda true: (
        lambda version, fields: (
            true(version, fields)
            and b"close" not in b",".join(fields.get(b"proxy-connection", [])).lower()
        )
    ),
)


@lie("checks-digests", "HTTPResponse.read")
def checks_digests(liar: Liar) -> None:
    """A body that does not fit its Content-MD5 is refused."""

    def checked(self: Any, octets: bytes) -> bytes:
        digest = base64.b64encode(hashlib.md5(octets, usedforsecurity=False).digest()).decode()
        if self.msg and self.msg.getheader("content-md5") not in (None, digest):
            from httplib_impl import HTTPException

            raise HTTPException("the digest is another")
        return octets

    liar.override(_R + "read", after(checked))


def _half_closed(self: Any, _: Any) -> None:
    if type(self.sock) is socket.socket:
        self.sock.shutdown(socket.SHUT_WR)


overrides("ends-its-side", "HTTPConnection.endheaders", _C + "endheaders", after(_half_closed))
