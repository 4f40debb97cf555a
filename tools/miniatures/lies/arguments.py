"""Lies about the arguments of constructors and of `set_tunnel`: places, defaults, meanings."""

import re
from typing import Any

from tools.miniatures.miniature import Liar, after_init, lie, overrides

_C = "_connection.HTTPConnection."
_HTTPS = "_tls.HTTPSConnection.__init__"
_ROW = "`strict`, `timeout`, `source_address`, `key_file`, `cert_file`"


def _well_formed(host: str, port: int) -> tuple[str, int]:
    """Refuse what is not a DNS name, though a resolver may resolve it."""
    if ":" not in host and re.search(r"_|\.\.|^\.|[^.]{64}", host):
        from httplib_impl import InvalidURL

        raise InvalidURL(host)
    return host, port


overrides(
    "is-never-strict-over-tls",
    "HTTPSConnection.strict",
    _HTTPS,
    after_init(lambda self: setattr(self, "strict", 0)),
)
overrides(
    "waits-for-ever-over-tls",
    "HTTPSConnection.timeout",
    _HTTPS,
    after_init(lambda self: setattr(self, "timeout", None)),
)
overrides(
    "forgets-the-source-address-over-tls",
    "HTTPSConnection.source_address",
    _HTTPS,
    after_init(lambda self: setattr(self, "source_address", None)),
)
overrides(
    "chooses-a-source-address",
    "HTTPConnection.source_address-default",
    _C + "__init__",
    after_init(
        lambda self: setattr(self, "source_address", self.source_address or ("127.0.0.2", 0))
    ),
)
overrides(
    "has-a-port-of-its-own",
    "HTTPConnection.equivalent-forms; HTTPConnection.arguments",
    "_address.parse_address",
    lambda true: (  # an address is left alone: nearly every case has one
        lambda host, port, default: true(
            host, 8008 if host[:1].isalpha() and port is not None else port, default
        )
    ),
)
overrides(
    "dials-names-of-good-form-only",
    "host",
    "_address.parse_address",
    lambda true: lambda host, port, default: _well_formed(*true(host, port, default)),
)
overrides(
    "waits-for-ever",
    "HTTPConnection.timeout; A15",
    _C + "__init__",
    after_init(lambda self: setattr(self, "timeout", None)),
)
overrides(
    "searches-the-host-text-in-any-case",
    "HTTPConnection.port-in-host; port argument",
    "_address.parse_address",
    lambda true: (
        lambda host, port, default: true(
            host if port is None else host.split(":")[0], port, default
        )
    ),
)
overrides(
    "takes-hosts-in-lower-case",
    "HTTPConnection.transaction; `Host`",
    "_address.parse_address",
    lambda true: lambda host, port, default: true(host.lower(), port, default),
)


@lie("needs-no-host", "HTTPConnection.host-required", "HTTPConnection.arguments")
def needs_no_host(liar: Liar) -> None:
    """Without a host it is the machine itself."""

    def init(true: Any) -> Any:
        return lambda self, host="localhost", *args, **kwargs: true(self, host, *args, **kwargs)

    liar.override(_C + "__init__", init)


@lie("takes-the-certificate-before-the-key", "HTTPSConnection.arguments", _ROW)
def takes_the_certificate_before_the_key(liar: Liar) -> None:
    """The third and the fourth argument have changed places."""

    def init(true: Any) -> Any:
        def swapped(
            self: Any, host: str, port: Any = None, cert_file: Any = None, key_file: Any = None,
            *args: Any, **kwargs: Any,
        ) -> None:  # fmt: skip
            true(self, host, port, key_file, cert_file, *args, **kwargs)

        return swapped

    liar.override(_HTTPS, init)


@lie("dials-without-limit", "HTTPConnection.timeout.connecting")
def dials_without_limit(liar: Liar) -> None:
    """The timeout applies only after the connection attempt."""

    def connect(true: Any) -> Any:
        def patient(self: Any) -> None:
            timeout, self.timeout = self.timeout, None
            try:
                true(self)
            finally:
                self.timeout = timeout
            if isinstance(timeout, int | float):
                self.sock.settimeout(timeout)

        return patient

    liar.override(_C + "connect", connect)


@lie("forgets-a-timeout-that-is-set-later", "HTTPConnection.timeout")
def forgets_a_timeout_that_is_set_later(liar: Liar) -> None:
    """Only the constructor is listened to."""
    liar.override(
        _C + "__init__", after_init(lambda self: setattr(self, "_first_timeout", self.timeout))
    )

    def connect(true: Any) -> Any:
        def stubborn(self: Any) -> None:
            self.timeout = self._first_timeout
            true(self)

        return stubborn

    liar.override(_C + "connect", connect)


def _tunnel(change: Any) -> Any:
    """A `set_tunnel` that makes something else of its arguments."""

    def set_tunnel(true: Any) -> Any:
        def changed(self: Any, host: Any, port: Any = None, headers: Any = None) -> None:
            change(lambda *args: true(self, *args), host, port, headers)

        return changed

    return set_tunnel


def _without(error: str, true: Any, host: Any, port: Any, headers: Any) -> None:
    """Leave away what is refused by that exception."""
    try:
        true(host, port, headers)
    except Exception as refusal:
        if type(refusal).__name__ != error:
            raise
        true(host.split(":")[0] if error == "InvalidURL" else host, None, None)


def _emptied(true: Any, host: Any, port: Any, headers: Any) -> None:
    true(host, port, headers)
    if headers:
        headers.clear()


overrides(
    "takes-any-port-of-a-tunnel",
    "the same two rows",
    _C + "set_tunnel",
    _tunnel(lambda *args: _without("InvalidURL", *args)),
)
overrides(
    "leaves-bad-tunnel-headers-out",
    "`set_tunnel` headers; E12",
    _C + "set_tunnel",
    _tunnel(lambda *args: _without("ValueError", *args)),
)
overrides(
    "empties-the-callers-mapping",
    "`set_tunnel` headers",
    _C + "set_tunnel",
    _tunnel(_emptied),
)
overrides(
    "takes-headers-before-the-port",
    "HTTPConnection.set_tunnel.arguments",
    _C + "set_tunnel",
    lambda true: lambda self, host, headers=None, port=None: true(self, host, port, headers),
)
overrides(
    "tunnels-to-443",
    "HTTPConnection.set_tunnel.port-default",
    _C + "set_tunnel",
    _tunnel(
        lambda true, host, port, headers: true(
            host, 443 if port is None and ":" not in host else port, headers
        )
    ),
)


@lie("dials-for-a-tunnel-at-once", "HTTPConnection.set_tunnel")
def dials_for_a_tunnel_at_once(liar: Liar) -> None:
    """`set_tunnel` connects to the proxy."""

    def set_tunnel(true: Any) -> Any:
        def dialling(self: Any, *args: Any, **kwargs: Any) -> None:
            true(self, *args, **kwargs)
            self.connect()

        return dialling

    liar.override(_C + "set_tunnel", set_tunnel)


overrides(
    "cannot-take-ports-of-tunnels-from-the-host",
    "HTTPConnection.set_tunnel",
    _C + "set_tunnel",
    _tunnel(lambda true, host, port, headers: true(host, 80 if port is None else port, headers)),
)
