"""Lies about memory: what one call, exchange or connection leaves for the next."""

from typing import Any

from tools.miniatures.miniature import Liar, after, before, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."


def _on_redial(name: str, about: str, change: Any) -> None:
    """Enter a client that *change* touches before it dials for the second time."""

    def touched(self: Any) -> None:
        if getattr(self, "dialled", False):
            change(self)
        self.dialled = True

    overrides(name, about, _C + "connect", before(touched))


_on_redial(
    "dials-again-without-timeout",
    "HTTPConnection.timeout",
    lambda self: setattr(self, "timeout", None),
)
_on_redial(
    "is-strict-for-one-connection",
    "HTTPConnection.strict",
    lambda self: setattr(self, "strict", 0),
)
_on_redial(
    "prints-for-one-connection",
    "HTTPConnection.set_debuglevel",
    lambda self: setattr(self, "debuglevel", 0),
)


def _closes(name: str, about: str, change: Any) -> None:
    overrides(name, about, _C + "close", after(lambda self, _: change(self)))


_closes(
    "is-silent-after-close",
    "HTTPConnection.set_debuglevel",
    lambda self: setattr(self, "debuglevel", 0),
)
_closes(
    "forgets-its-timeout-at-close",
    "HTTPConnection.timeout",
    lambda self: setattr(self, "timeout", None),
)
_closes(
    "is-not-strict-after-close", "HTTPConnection.strict", lambda self: setattr(self, "strict", 0)
)


@lie("is-strict-once", "HTTPConnection.strict")
def is_strict_once(liar: Liar) -> None:
    """`strict` counts for the first response of a connection."""

    def once(self: Any, response: Any) -> Any:
        self.strict = 0
        return response

    liar.override(_C + "getresponse", after(once))


def _putrequest(name: str, about: str, change: Any) -> None:
    """Enter a client whose `putrequest` has other flags, which *change* makes."""

    def putrequest(true: Any) -> Any:
        def changed(
            self: Any, method: str, url: str, skip_host: Any = 0, skip_accept_encoding: Any = 0
        ) -> None:
            true(self, method, url, *change(self, skip_host, skip_accept_encoding))

        return changed

    overrides(name, about, _C + "putrequest", putrequest)


def _sticky(self: Any, *flags: Any) -> Any:
    kept = getattr(self, "flags", (0, 0))
    self.flags = tuple(a or b for a, b in zip(flags, kept, strict=True))
    return self.flags


_SKIP = "HTTPConnection.putrequest.skip"
_putrequest("goes-on-skipping", _SKIP, _sticky)


@lie("remembers-reasons", "HTTPResponse.reason")
def remembers_reasons(liar: Liar) -> None:
    """The reason of a status is the one that a connection has received first."""

    def learn(self: Any, response: Any) -> Any:
        kept = self.__dict__.setdefault("reasons", {})
        response.reason = kept.setdefault(response.status, response.reason)
        return response

    liar.override(_C + "getresponse", after(learn))


@lie("has-one-response", "HTTPConnection.getresponse.type")
def has_one_response(liar: Liar) -> None:
    """The response before turns into the next one."""

    def one(self: Any, response: Any) -> Any:
        last, self.last = getattr(self, "last", None), response
        if last is not None:
            last.status, last.reason, last.msg = response.status, response.reason, response.msg
        return response

    liar.override(_C + "getresponse", after(one))


@lie("makes-a-message-for-every-look", "HTTPResponse.msg")
def makes_a_message_for_every_look(liar: Liar) -> None:
    """`msg` is another object every time."""

    def msg(true: Any) -> Any:
        def look(self: Any) -> Any:
            kept = self.__dict__.get("message")
            return None if kept is None else type(kept)(kept._block)

        return property(look, lambda self, value: self.__dict__.update(message=value))

    liar.override(_R + "msg", msg)
