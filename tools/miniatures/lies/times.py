"""Lies about timeouts, and about where a connection comes from."""

import socket
import time
from typing import Any

from tools.miniatures.miniature import Liar, after, after_init, before, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_DEFAULT = "HTTPConnection.timeout-default"
_UNSET = socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]


def _unset(conn: Any) -> bool:
    return conn.timeout is _UNSET


def _dial(name: str, about: str, change: Any) -> None:
    """Enter a client that *change* touches before it dials."""
    overrides(name, about, _C + "connect", before(change))


def _for_ever(self: Any) -> None:
    if _unset(self):
        self.timeout = None


_dial("ignores-the-default-timeout", _DEFAULT, _for_ever)
_dial(
    "ignores-the-default-timeout-over-tls",
    _DEFAULT + "; HTTPSConnection.timeout",
    lambda self: _for_ever(self) if self.default_port == 443 else None,
)
_dial(
    "ignores-the-default-timeout-in-tunnels",
    _DEFAULT + "; HTTPConnection.set_tunnel",
    lambda self: _for_ever(self) if self._tunnel_host else None,
)
_dial(
    "prefers-the-default-timeout",
    "HTTPConnection.timeout",
    lambda self: setattr(self, "timeout", socket.getdefaulttimeout() or self.timeout),
)
_dial(
    "takes-none-for-the-default-timeout",
    "HTTPConnection.timeout; " + _DEFAULT,
    lambda self: setattr(self, "timeout", _UNSET) if self.timeout is None else None,
)
overrides(
    "sets-the-default-timeout",
    "HTTPConnection.timeout",
    _C + "__init__",
    after_init(
        lambda self: (
            None if _unset(self) or not self.timeout else socket.setdefaulttimeout(self.timeout)
        )
    ),
)


@lie("takes-the-default-timeout-for-connecting-only", _DEFAULT)
def takes_the_default_timeout_for_connecting_only(liar: Liar) -> None:
    """The default timeout does not count for what follows the connection attempt."""

    def dial(true: Any) -> Any:
        def impatient(address: Any, timeout: Any, source_address: Any) -> Any:
            sock = true(address, timeout, source_address)
            if timeout is _UNSET:
                sock.settimeout(None)
            return sock

        return staticmethod(impatient)

    liar.override(_C + "_create_connection", dial)


@lie("dials-without-the-default-timeout", _DEFAULT, "HTTPConnection.timeout.connecting")
def dials_without_the_default_timeout(liar: Liar) -> None:
    """The default timeout counts for what follows the connection attempt."""

    def dial(true: Any) -> Any:
        def patient(address: Any, timeout: Any, source_address: Any) -> Any:
            if timeout is not _UNSET:
                return true(address, timeout, source_address)
            sock = true(address, None, source_address)
            sock.settimeout(socket.getdefaulttimeout())
            return sock

        return staticmethod(patient)

    liar.override(_C + "_create_connection", dial)


def _anywhere(self: Any) -> None:
    if self.source_address:
        self.source_address = (self.source_address[0], 0)


_SOURCE = "HTTPConnection.source_address"
_dial("ignores-the-source-port", _SOURCE, _anywhere)
_dial(
    "ignores-the-source-port-over-tls",
    "HTTPSConnection.source_address",
    lambda self: _anywhere(self) if self.default_port == 443 else None,
)
_dial(
    "ignores-the-source-port-in-tunnels",
    _SOURCE + "; HTTPConnection.set_tunnel",
    lambda self: _anywhere(self) if self._tunnel_host else None,
)


def _port_only(self: Any) -> None:
    if self.source_address and self.source_address[1]:
        self.source_address = ("", self.source_address[1])


_dial("takes-the-source-port-alone", _SOURCE, _port_only)


@lie("closes-when-sending-times-out", "`OSError` while sending", "HTTPConnection.timeout")
def closes_when_sending_times_out(liar: Liar) -> None:
    """Where sending times out, the connection is closed."""

    def send(true: Any) -> Any:
        def closing(self: Any, data: Any) -> None:
            try:
                true(self, data)
            except TimeoutError:
                self.close()
                raise

        return closing

    liar.override(_C + "send", send)


@lie("sends-without-limit", "HTTPConnection.timeout")
def sends_without_limit(liar: Liar) -> None:
    """The timeout does not count for sending."""

    def send(true: Any) -> Any:
        def patient(self: Any, data: Any) -> None:
            sock = self.sock
            if type(sock) is not socket.socket:
                true(self, data)
                return
            timeout = sock.gettimeout()
            sock.settimeout(None)
            try:
                true(self, data)
            finally:
                if sock.fileno() >= 0:
                    sock.settimeout(timeout)

        return patient

    liar.override(_C + "send", send)


@lie("rounds-timeouts", "HTTPConnection.timeout")
def rounds_timeouts(liar: Liar) -> None:
    """A timeout is a whole number of seconds, one at least."""
    liar.override(
        _C + "connect",
        before(
            lambda self: (
                setattr(self, "timeout", max(1, round(self.timeout)))
                if isinstance(self.timeout, float)
                else None
            )
        ),
    )


@lie("counts-all-waits-together", "HTTPConnection.timeout")
def counts_all_waits_together(liar: Liar) -> None:
    """The timeout is for a whole exchange, not for one wait."""

    def start(self: Any) -> None:
        self.started = time.monotonic()

    def check(self: Any, result: Any) -> Any:
        limit = getattr(self, "limit", self.__dict__.get("timeout"))
        started = self.__dict__.get("started")
        if isinstance(limit, int | float) and started and time.monotonic() - started > limit:
            raise TimeoutError("timed out")
        if hasattr(result, "begin"):
            result.started, result.limit = started, limit
        return result

    liar.override(_C + "putrequest", before(start))
    liar.override(_C + "getresponse", after(check))
    liar.override(_R + "read", after(check))
