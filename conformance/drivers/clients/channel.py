"""The channel to a page in a browser: the kit gives orders, and the page reports.

The input is orders, each a URL to fetch; the output is what the page reports of it.  The page sends
a POST with its report, and the reply is the next order, as soon as there is one.  The channel has a
port of its own: so no request of the page's own is made on a connection to a case, and a browser
never sends the request of a case on a connection of the channel.

The page is not trusted: what it sends is bounded in size and time and must have the form of
`Report`.  Its address has a random part, which only this page is given.
"""

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Annotated, Any

import msgspec

from conformance.drivers.program import LONGEST_ANSWER

_POLL = 10.0
"""Seconds after which a request without an order is answered; no proxy or browser ends it."""
_MOST_THREADS = 16
_LONGEST_HEAD = 1 << 20
Text = Annotated[str, msgspec.Meta(max_length=_LONGEST_HEAD)]


class Failure(msgspec.Struct, frozen=True):
    """An error that the page caught.

    Args:
        kind: the name of its class.
        message: its text.
        category: why it was raised, as far as a page can know; ``leak`` for one that is not of
            fetch.
    """

    kind: str = msgspec.field(name="class")
    message: str
    category: str = ""


class Report(msgspec.Struct, frozen=True):
    """What the page reports.

    Args:
        number: of the order; 0 if the page reports only that it is there.
        origin: of the page.
        agent: the name that the browser gives itself.
        status: of the response, and so on.
        error: what was raised instead.
        bodiless: whether the browser shows no content of the response, whatever was sent.
        hidden: whether the browser shows nothing of the response, a redirect.
        gone: whether the page is being closed.
        content: the content of the response.
    """

    number: int
    origin: str
    agent: str = ""
    status: int | None = None
    reason: str | None = None
    headers: list[tuple[str, str]] | None = None
    error: Failure | None = None
    bodiless: bool = False
    hidden: bool = False
    gone: bool = False
    content: bytes = b""


class PageLeft(Exception):
    """The page did not report in time, or was given up."""


class Channel:
    """One channel, for one page at a time; safe to share between threads.

    Args:
        host: the address to listen on.
        patience: seconds without a sign of the page after which it has left.

    Attributes:
        left: why the page is waited for no longer; empty while it is.
        origin: from which the page has reported last.
        agent: the name that its browser gives itself.
    """

    def __init__(self, host: str, patience: float) -> None:
        self._host = host
        self._token = f"/{secrets.token_urlsafe(24)}"
        self._patience = patience
        self._changed = threading.Condition()
        self._order: dict[str, Any] = {}
        self._number = 0
        self._is_taken = False
        self._report: Report | None = None
        self._arriving = 0
        self._interrupted = ""
        self._seen = time.monotonic()
        self.left = ""
        self.origin = ""
        self.agent = ""
        self._server = _server(host, self)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def url(self) -> str:
        """The address for the page."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_address[1]}{self._token}"

    @property
    def busy(self) -> bool:
        """Whether an order has not arrived, or a report is arriving: no time of the client's."""
        return self._arriving > 0 or bool(self._order and not self._is_taken)

    def await_origin(self, origin: str) -> None:
        """Wait for the page to report from *origin*; lead it there if it is elsewhere.

        Raises:
            PageLeft: it did not.
        """
        with self._changed:
            if self.origin != origin:
                self._give({"go": f"{origin}/"})
                self._wait(lambda: self.origin == origin)

    def ask(self, order: Mapping[str, Any]) -> Report:
        """Return what the page reports of *order*.

        Raises:
            PageLeft: it did not report.
        """
        with self._changed:
            self._number += 1
            self._give({**order, "number": self._number})
            self._wait(lambda: self._report is not None)
            report, self._report = self._report, None
        if report is None:
            raise PageLeft("the page has not reported")
        return report

    def give_up(self, reason: str) -> None:
        """Wait for the page no longer, now or later."""
        with self._changed:
            self.left = self.left or reason
            self._changed.notify_all()

    def interrupt(self, reason: str) -> None:
        """Wait for the present report no longer; the page may still take the next order."""
        with self._changed:
            self._interrupted = reason
            self._changed.notify_all()

    def renew(self) -> None:
        """Wait again, for a page in another browser."""
        with self._changed:
            self.left, self.origin, self._order = "", "", {}

    def close(self) -> None:
        """Report to the page that there is no further order, and stop listening."""
        with self._changed:
            self._give({"end": True})
        self.give_up("the channel is closed")
        self._server.shutdown()
        self._server.server_close()

    def _give(self, order: dict[str, Any]) -> None:
        self._order, self._is_taken, self._report = order, False, None
        self._interrupted = ""
        self._seen = time.monotonic()
        self._changed.notify_all()

    def _wait(self, happens: Callable[[], bool]) -> None:
        while not happens():
            left = self._seen + self._patience - time.monotonic()
            if left <= 0 and not self._arriving:
                self.left = self.left or f"no sign of the page for {self._patience:g} s"
            if self.left or self._interrupted:
                self._order = {}
                raise PageLeft(self.left or self._interrupted)
            self._changed.wait(max(0.05, left))

    # -------------------------------------------------------------------- the page's requests

    @contextlib.contextmanager
    def arrives(self) -> Iterator[None]:
        """Note, while it is entered, that a request of the page is being read."""
        with self._changed:
            self._arriving += 1
        try:
            yield
        finally:
            with self._changed:
                self._arriving -= 1
                self._seen = time.monotonic()
                self._changed.notify_all()

    def is_own(self, path: str) -> bool:
        """Return whether *path* is that of the page."""
        return secrets.compare_digest(path.encode(), self._token.encode())

    def take(self, report: Report) -> dict[str, Any]:
        """Take a report; return the next order, empty if there is none yet."""
        if report.gone:
            self.give_up("the page was closed")
        with self._changed:
            self.origin, self.agent = report.origin, report.agent
            if report.number and report.number == self._order.get("number"):
                self._report, self._order = report, {}
            elif self._order.get("go") == f"{report.origin}/":
                self._order = {}  # it is there
            self._changed.notify_all()
            until = time.monotonic() + _POLL
            # A page that posts has no order: one that was lost is given again.
            while not self._order:
                left = until - time.monotonic()
                if left <= 0 or self.left:
                    return {"end": True} if self.left else {}
                self._changed.wait(left)
            self._is_taken = True
            return self._order


def report_in(body: bytes) -> Report:
    """Return the report in *body*: a line of JSON, and the content after it.

    Raises:
        ValueError: it has another form.
    """
    head, _, content = body.partition(b"\n")
    if len(head) > _LONGEST_HEAD:
        raise ValueError("its first line is too long")
    report = msgspec.json.decode(head, type=Report)
    return msgspec.structs.replace(report, content=content)


class _Requests(BaseHTTPRequestHandler):
    """One connection of the page."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # else each order waits 40 ms for the acknowledgement of another
    wbufsize = -1
    server: Any

    def do_POST(self) -> None:
        channel: Channel = self.server.channel
        length = self.headers.get("Content-Length", "")
        if not channel.is_own(self.path) or not length.isdecimal() or int(length) > LONGEST_ANSWER:
            self.send_error(404)
            return
        try:
            with channel.arrives():
                report = report_in(self.rfile.read(int(length)))
        except (ValueError, msgspec.DecodeError):
            self.send_error(400)
            return
        answer = msgspec.json.encode(channel.take(report))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Write nothing: the kit's output is for verdicts."""


def _server(host: str, channel: Channel) -> ThreadingTCPServer:
    class Server(ThreadingTCPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        places = threading.BoundedSemaphore(_MOST_THREADS)

        def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002
            return self.places.acquire(blocking=False)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.places.release()

        def handle_error(self, *_: object) -> None:
            """Write nothing: a page may leave at any time."""

    server = Server((host, 0), _Requests)
    server.channel = channel  # type: ignore[attr-defined]
    return server
