"""The gate of the control port: which requests may start programs and plays on this machine.

The input is a request, and the address of its client.  The output is a refusal, or None.

A page of any site can make the visiting browser send requests here, and a name of its own resolve
to this machine (DNS rebinding).  So a request needs a client on this machine, one Host that is an
address of the control port, and, to do anything, an Origin equal to it and the token of the page,
which another origin cannot read.  A program that is no browser sends no Origin, and the token as
``Authorization: Bearer``; the command prints the token, or is given it.  The control port is an
origin of its own: the bytes of a case, which may be a page with a script, are never served there.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from conformance.reproduce import Ports
from conformance.wording import counted
from mockserver import Request

FORM = "application/x-www-form-urlencoded"
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_MINUTE = 60.0


class Refused(Exception):
    """The request is refused.

    Args:
        status: the status of the reply.
        reason: one line.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """Refuses what comes neither from the page itself nor from a program that has the token.

    Args:
        ports: where the server listens.
        token: the token; None for one that is drawn.
    """

    def __init__(self, ports: Ports, token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._ports = ports

    @property
    def host(self) -> str:
        """Host and port of the page."""
        own = self._ports.at(self._ports.control)
        return own if is_local(self._ports.host) else f"{_NAMES[0]}:{self._ports.control}"

    def check(self, request: Request, client: str) -> None:
        """Check where *request* comes from.

        Raises:
            Refused: it is not from this machine, or not from a page of the control port.
        """
        host = self._host_of(request, client)
        if request.method in ("GET", "HEAD"):
            return
        if request.method != "POST":
            raise Refused(405, "the playground takes GET, HEAD and POST")
        if request.headers.get_all("origin") != [f"http://{host}"]:
            raise Refused(403, "the Origin is not this page")
        media = media_type(request)
        if media != FORM:
            raise Refused(415, f"the playground takes {FORM}")

    def check_program(self, request: Request, client: str) -> None:
        """Check where *request* comes from: a program on this machine that has the token.

        Raises:
            Refused: it is from elsewhere, or has another token.
        """
        host = self._host_of(request, client)
        if request.headers.get_all("origin") not in ([], [f"http://{host}"]):
            raise Refused(403, "the Origin is another site")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        matches = secrets.compare_digest(given.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not matches:
            raise Refused(401, "send Authorization: Bearer TOKEN; serve prints it when it starts")

    def _host_of(self, request: Request, client: str) -> str:
        if not is_local(client):
            raise Refused(403, "this answers programs on this machine only, at a loopback address")
        hosts = request.headers.get_all("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts():
            raise Refused(403, "the Host is not an address of the control port")
        return hosts[0].lower()

    def check_token(self, given: bytes) -> None:
        """Check the token of a form.

        Raises:
            Refused: it is not that of this server.
        """
        if not secrets.compare_digest(given, self.token.encode()):
            raise Refused(403, "the token is not that of this server; load the page again")

    def _hosts(self) -> set[str]:
        return {self.host, *(f"{name}:{self._ports.control}" for name in _NAMES)}


def media_type(request: Request) -> str:
    """Return the media type of a request's content, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_local(address: str) -> bool:
    """Return whether *address*, an address or a name, is of the loopback interface."""
    try:
        one = ip_address(address.partition("%")[0])
    except ValueError:
        return address == "localhost"
    return (getattr(one, "ipv4_mapped", None) or one).is_loopback


def reaches_loopback(host: str) -> bool:
    """Return whether a server that listens on *host* has clients on the loopback interface."""
    return is_local(host) or host in ("", "0.0.0.0", "::")


class Turnstile:
    """Bounds how many plays there are at once, and in a minute; safe to share between threads.

    Args:
        at_once: plays at the same time.
        per_minute: plays that begin within any minute.
        clock: returns seconds.
        what: what a play is called.
    """

    def __init__(
        self,
        at_once: int,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        what: str = "play",
    ) -> None:
        self._what = what
        self._places = threading.BoundedSemaphore(at_once)
        self._begun: deque[float] = deque(maxlen=per_minute)
        self._lock = threading.Lock()
        self._clock = clock

    @contextmanager
    def play(self) -> Iterator[None]:
        """Hold a place for one play.

        Raises:
            Refused: there is none now.
        """
        if not self._places.acquire(blocking=False):
            raise Refused(503, f"other {self._what}s are running; try again when they have ended")
        try:
            self._count()
            yield
        finally:
            self._places.release()

    def _count(self) -> None:
        with self._lock:
            now, most = self._clock(), self._begun.maxlen or 0
            if len(self._begun) == most and now - self._begun[0] < _MINUTE:
                wait = int(_MINUTE - (now - self._begun[0])) + 1
                most_text = counted(most, self._what)
                raise Refused(
                    429, f"at most {most_text} may begin in a minute; try again in {wait} s"
                )
            self._begun.append(now)
