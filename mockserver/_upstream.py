"""The connection to another server that requests are passed on to.

In come a URL, a trust and bytes of a request, out come bytes of the answer, or one sentence about
why there are none. Its socket never blocks: each wait is for that socket and for the closing of the
client's end together, is announced like every wait of a connection, and ends after a time. It is
used by the thread that plays the connection, so no other connection waits for it.
"""

import errno
import ipaddress
import os
import select
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import urlsplit

from mockserver._phase import ClientLeft, Owner, Released, Wait
from mockserver._step import authority
from mockserver._wire import BLOCK, CLOSED, Wire

SYSTEM = "system"
"""The trust in the authorities of this machine."""
_ASK_AGAIN = 0.01
"""Seconds between two questions about a client that has ended its stream."""


class UpstreamFailed(Exception):
    """The other server did not do its part; the text says in which way.

    Attributes:
        is_reset: Whether it has reset the connection.
    """

    def __init__(self, text: str, *, is_reset: bool = False) -> None:
        super().__init__(text)
        self.is_reset = is_reset


@dataclass(frozen=True, slots=True)
class Origin:
    """Where another server is.

    Attributes:
        scheme: `http` or `https`.
        path: What comes before the path of each request; without a slash at its end.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as a Host field has them: without the port of the scheme."""
        if self.port == _PORTS[self.scheme]:
            return f"[{self.host}]" if ":" in self.host else self.host
        return authority((self.host, self.port))

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


_PORTS = {"http": 80, "https": 443}
_UNREACHED = {
    errno.ECONNREFUSED: "refused the connection",
    errno.ECONNRESET: "reset the connection",
}


def origin_of(url: str) -> Origin:
    """The parts of a URL.

    Raises:
        ValueError: It is not the beginning of an HTTP URL; the text is a remedy.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL ({error})") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("must be a URL such as 'http://127.0.0.1:9000'")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be scheme, host and port, and at most a path")
    path = parts.path.rstrip("/")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)


@lru_cache(maxsize=8)
def _context(trust: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if trust == SYSTEM else trust)


class Upstream:
    """One connection to another server.

    Args:
        origin: Where it is.
        trust: A file with certificates of authorities, or `SYSTEM`; for `https`.
        seconds: How long any wait for it lasts.
        wire: The client's connection, whose closing ends each wait.

    Attributes:
        has_ended: Whether its stream has been read to the end.
    """

    def __init__(self, origin: Origin, trust: str, seconds: float, wire: Wire) -> None:
        self.has_ended = False
        self._origin = origin
        self._trust = trust
        self._seconds = seconds
        self._wire = wire
        self._sock: socket.socket | None = None

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            UpstreamFailed: It refuses, cannot be reached, or its certificate is not trusted.
        """
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock is not None:
            self._sock.close()

    def _connect(self) -> None:
        host, port = self._origin.host, self._origin.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UpstreamFailed(f"has a name without an address ({error.strerror})") from None
        number = 0
        for family, kind, protocol, _, address in found:
            self._sock = sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            number = sock.connect_ex(address)
            if number == errno.EINPROGRESS:
                if not self._await(select.POLLOUT):
                    raise UpstreamFailed(f"did not accept a connection in {self._seconds:g} s")
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not number:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._origin.scheme == "https":
                    self._handshake(sock)
                return
            sock.close()
        raise UpstreamFailed(_UNREACHED.get(number, f"cannot be reached ({os.strerror(number)})"))

    def _handshake(self, sock: socket.socket) -> None:
        encrypted = _context(self._trust).wrap_socket(
            sock, server_hostname=self._origin.host, do_handshake_on_connect=False
        )
        self._sock = encrypted
        while True:
            try:
                return encrypted.do_handshake()
            except ssl.SSLWantReadError:
                self._patiently(select.POLLIN, "did not do a TLS handshake")
            except ssl.SSLWantWriteError:
                self._patiently(select.POLLOUT, "did not do a TLS handshake")
            except ssl.SSLCertVerificationError as error:
                text = f"has a certificate that is not trusted: {error.verify_message}"
                raise UpstreamFailed(text) from None
            except OSError as error:  # those of TLS are such, too
                reason = getattr(error, "reason", None) or error.strerror
                raise UpstreamFailed(f"failed in the TLS handshake: {reason}") from None

    def send(self, data: bytes) -> bool:
        """Send bytes.

        Returns:
            Whether all were taken; not where it answers, or closes, without reading them.

        Raises:
            UpstreamFailed: It took nothing for too long.
        """
        assert self._sock is not None
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                happened = self._await(select.POLLOUT | select.POLLIN)
                if not happened:
                    raise UpstreamFailed(f"took nothing for {self._seconds:g} s") from None
                if not happened & select.POLLOUT:
                    return False
            except OSError:
                return False  # what it has said before can still be read
        return True

    def receive(self) -> bytes:
        """Wait for bytes; `b""` is the end of its stream.

        Raises:
            UpstreamFailed: None came for too long, or the connection broke.
        """
        assert self._sock is not None
        data = b""
        while not self.has_ended:
            try:
                data = self._sock.recv(BLOCK)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._patiently(select.POLLIN, "sent nothing")
            except ssl.SSLWantWriteError:
                self._patiently(select.POLLOUT, "took nothing")
            except ssl.SSLEOFError:  # without a close_notify, as many servers do
                self.has_ended = True
            except ConnectionResetError:
                raise UpstreamFailed("reset the connection", is_reset=True) from None
            except OSError as error:
                raise UpstreamFailed(f"broke the connection: {error.strerror}") from None
            else:
                self.has_ended = not data
                break
        return data

    def _given_up(self) -> bool:
        return self._wire.owner is Owner.NO_ONE

    def _patiently(self, mask: int, otherwise: str) -> None:
        if not self._await(mask):
            raise UpstreamFailed(f"{otherwise} for {self._seconds:g} s")

    def _await(self, mask: int) -> int:
        """Wait for its socket; returns what has happened to it, 0 for nothing.

        Raises:
            Released: The connection of the client has been given up.
            ClientLeft: The client has closed its end.
        """
        assert self._sock is not None
        wire, watched = self._wire, self._sock.fileno()
        wire.step_aside()
        poll = select.poll()
        poll.register(watched, mask)
        poll.register(wire.sock, CLOSED)
        wire.wait_for(Wait.UPSTREAM)
        deadline, longest = time.monotonic() + self._seconds, self._seconds
        try:
            while not self._given_up():
                left = max(0.0, deadline - time.monotonic())
                happened = dict(poll.poll(min(left, longest) * 1000))
                if watched in happened:
                    return happened[watched]
                if happened or longest == _ASK_AGAIN:
                    # An end of stream can be half a closing: the client may wait for the answer.
                    if not self._given_up() and wire.has_left(CLOSED):
                        raise ClientLeft
                    poll.modify(wire.sock, 0)  # a reset is reported all the same
                    longest = _ASK_AGAIN
                if not left:
                    return 0
            raise Released
        finally:
            wire.waits = Wait.NOTHING
