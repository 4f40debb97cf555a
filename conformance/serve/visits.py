"""The judge of visiting browsers: a page fetches every case for clients, and the kit judges it.

The input is a request for ``/_/judge``, from this machine or another.  The output is a page.  A
visit is a check like that of ``client:browser:COMMAND``, with the same page and the same judge; the
visitor opens the page instead of a command.  Its servers listen on the address that the visitor has
reached, each visit on ports of its own: so the bytes of its cases share no origin with another
visit or with these pages, which are on the control port alone.

Visits have bounds in number and time; one whose page gives no sign is ended, and keeps its results.
"""

import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version

import msgspec

from conformance.atlas import rendered
from conformance.cases import LEVELS, Cases
from conformance.drivers import Browser, Channel, Driver, DriverError, browser_identity
from conformance.judge import FAILURES
from conformance.report import Run, badge_svg
from conformance.reproduce import Catalogue
from conformance.results import Result, RunHead, stamped
from conformance.run import Background, Check
from conformance.serve.gate import Refused, Turnstile
from conformance.wording import counted
from mockserver import Reply, Request

JUDGE = "/_/judge"
_HTML, _TEXT = b"text/html; charset=utf-8", b"text/plain; charset=utf-8"
_LINES, _SVG = b"application/jsonl; charset=utf-8", b"image/svg+xml"
_STARTED = 20.0
"""Seconds within which the servers of a visit listen."""
_SHOWN = 200
"""Failures that the page of a visit lists; the result file has all."""
_AGENT = re.compile(r"(Edg|OPR|CriOS|FxiOS|Firefox|HeadlessChrome|Chrome|Version)/([\d.]+)")
_NAMES = {
    "Edg": "edge",
    "OPR": "opera",
    "CriOS": "chrome",
    "FxiOS": "firefox",
    "HeadlessChrome": "chrome",
    "Version": "safari",
}
_POLICY = (
    b"Content-Security-Policy",
    b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; frame-src http:; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'",
)


@dataclass(frozen=True, slots=True)
class VisitBounds:
    """Limits for visits.

    Args:
        at_once: visits at the same time.
        per_minute: visits that begin within any minute.
        kept: visits whose results are kept.
        seconds: after these, a visit ends.
        patience: seconds without a sign of the page after which it has left.
        deadline: seconds without progress after which a case hangs: more than on one machine.
    """

    at_once: int = 4
    per_minute: int = 10
    kept: int = 16
    seconds: float = 3600.0
    patience: float = 60.0
    deadline: float = 2.0


class _Over(Exception):
    """The visitor has left, or the server stops."""


class Visit:
    """One browser that is judged, or was; it is the implementation, and opens its page.

    Args:
        number: of the visit, from 1.
        host: the address that the visitor has reached.
        cases: the cases.
        bounds: the limits.

    Attributes:
        key: known to the page that began the visit.
        url: the page that fetches.
        counts: how many results have each verdict.
        failures: the first of the results that fail.
        problem: why the visit ended early.
        run: the results; None before the end, and if nothing was measured.
        is_over: whether the visit has ended.
    """

    is_reference = False

    def __init__(self, number: int, host: str, cases: Cases, bounds: VisitBounds) -> None:
        self.number = number
        self.key = secrets.token_urlsafe(16)
        self.url = ""
        self.total = len(cases)
        self.counts: Counter[str] = Counter()
        self.failures: list[Result] = []
        self.problem = ""
        self.run: Run | None = None
        self.is_over = False
        self._host = host
        self._cases = cases
        self._bounds = bounds
        self._channel = Channel(host, bounds.patience)
        self._listens = threading.Event()

    @property
    def written(self) -> str:
        """The browser, as far as it names itself."""
        return f"client:browser:{self.named[0]}"

    @property
    def named(self) -> tuple[str, str]:
        """Name and version that the browser gives itself."""
        found = _AGENT.search(self._channel.agent)
        return (_NAMES.get(found[1], found[1].lower()), found[2]) if found else ("browser", "")

    @property
    def done(self) -> int:
        """How many cases have a result."""
        return sum(self.counts.values())

    def make(self) -> Driver:
        """Return a driver of the page."""
        identity = browser_identity(self.written, *self.named)
        return Browser(identity, self._channel, self, self._host)

    def open(self, url: str) -> None:
        """Note where the page is: the visitor opens it."""
        self.url = self.url or url
        self._listens.set()

    def end(self) -> None:
        """Do nothing: the browser is the visitor's."""

    def stop(self) -> None:
        """Do nothing: the second run of a case uses the same page."""

    def await_page(self) -> bool:
        """Wait until the page can be opened; return whether it can."""
        return self._listens.wait(_STARTED) and bool(self.url)

    def give_up(self, reason: str) -> None:
        """End the visit."""
        self._channel.give_up(reason)

    def judge(self, digest: str, background: Background) -> None:
        """Judge the browser until it has fetched every case, or has left."""
        limit = threading.Timer(self._bounds.seconds, self.give_up, ["the time of a visit is over"])
        limit.daemon = True
        limit.start()
        try:
            with Check(self, deadline=self._bounds.deadline) as check:
                try:
                    check.run(self._cases, self._measured)
                except _Over:
                    self.problem = self._channel.left
                results = [one for one in check.finished(background) if not self._is_lost(one)]
            identity = browser_identity(self.written, *self.named)
            head = RunHead.of(
                identity,
                kit=version("httplib-kit"),
                corpus=digest,
                levels=list(LEVELS),
                cases=self.total,
                deadline=self._bounds.deadline,
                incomplete=self._gap(len(results)),
            )
            self.run = Run(stamped(head, results), results)
        except (DriverError, OSError) as error:
            self.problem = self._channel.left or str(error)
        finally:
            limit.cancel()
            self._channel.close()
            self._listens.set()

    def _measured(self, results: Iterable[Result]) -> Iterator[Result]:
        for result in results:
            if self._channel.left:
                raise _Over
            self.counts[str(result.verdict)] += 1
            if result.verdict in FAILURES and len(self.failures) < _SHOWN:
                self.failures.append(result)
            yield result

    def _is_lost(self, result: Result) -> bool:
        """Return whether *result* shows only that the visitor has left."""
        return bool(self._channel.left) and self._channel.left in result.reason

    def _gap(self, count: int) -> str:
        return (
            f"{self.problem} after {count} of {counted(self.total, 'case')}" if self.problem else ""
        )

    @property
    def lines(self) -> bytes:
        """The result file."""
        if self.run is None:
            return b""
        encoded = map(msgspec.json.encode, (self.run.head, *self.run.results))
        return b"".join(line + b"\n" for line in encoded)


class Visits:
    """Makes the pages, and runs the visits.

    Args:
        catalogue: the cases.
        bounds: the limits.
        playground: whether the server has that page.
    """

    def __init__(
        self, catalogue: Catalogue, bounds: VisitBounds | None = None, *, playground: bool = True
    ) -> None:
        self._catalogue = catalogue
        self._bounds = bounds or VisitBounds()
        self._playground = playground
        self._turnstile = Turnstile(self._bounds.at_once, self._bounds.per_minute, what="visit")
        self._visits: dict[int, Visit] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._number = 0

    def stop(self) -> None:
        """End every visit."""
        for visit in tuple(self._visits.values()):
            visit.give_up("the server has ended")
        for thread in self._threads:
            thread.join(_STARTED)

    def reply(self, request: Request | str, host: str) -> Reply:
        """Return the reply to *request*, or to the one that cannot be read for this reason.

        Args:
            request: the request.
            host: the address that the visitor has reached.
        """
        try:
            if isinstance(request, str):
                raise Refused(413, request)
            path, _, query = request.target.partition("?")
            number, _, file = path.removeprefix(JUDGE).strip("/").partition("/")
            if number:
                return self._of_visit(self._visit(number), file, query)
            if request.method == "POST":
                return self._begin(request, host)
            return self._page("judge.html", visits=list(self._visits.values()), total=self._total)
        except Refused as refusal:
            return _reply(refusal.status, _TEXT, f"{refusal}\n".encode())

    @property
    def _cases(self) -> Cases:
        only = self._catalogue.only
        chosen = self._catalogue.corpus.select([] if only is None else [only.case.id], LEVELS)
        return chosen.for_clients()

    @property
    def _total(self) -> int:
        return len(self._cases)

    def _visit(self, number: str) -> Visit:
        visit = self._visits.get(int(number)) if number.isdecimal() and len(number) < 9 else None
        if visit is None:
            raise Refused(404, "there is no such visit; /_/judge lists those that are kept")
        return visit

    def _of_visit(self, visit: Visit, file: str, query: str) -> Reply:
        if file == "results.jsonl" and visit.run is not None:
            return _reply(200, _LINES, visit.lines)
        if file == "badge.svg" and visit.run is not None:
            return _reply(200, _SVG, badge_svg([visit.run]))
        if file:
            raise Refused(404, "there is no such file; it is there when the visit has ended")
        # Only the page that began the visit has the frame, and only once: one that is loaded again
        # has ended the page in it.
        frame = visit.url if visit.run is None and query == f"key={visit.key}" else ""
        if frame:
            visit.key = ""
        return self._page(
            "visit.html",
            visit=visit,
            frame=frame,
            counts=sorted(visit.counts.items()),
            failures=list(visit.failures),
            most=_SHOWN,
        )

    def _begin(self, request: Request, host: str) -> Reply:
        hosts = request.headers.get_all("host")
        if len(hosts) != 1 or request.headers.get_all("origin") != [f"http://{hosts[0]}"]:
            raise Refused(403, "the Origin is not this page")
        stack = ExitStack()
        stack.enter_context(self._turnstile.play())
        try:
            with self._lock:
                self._number += 1
                visit = Visit(self._number, host, self._cases, self._bounds)
                self._visits[visit.number] = visit
                self._drop_oldest()
            thread = threading.Thread(target=self._judge, args=(visit, stack), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()
        except BaseException:
            stack.close()
            raise
        if not visit.await_page():
            raise Refused(503, visit.problem or "the servers of the visit do not start")
        where = f"{JUDGE}/{visit.number}?key={visit.key}"
        return Reply(303, headers=((b"Location", where.encode()),), framing="close")

    def _judge(self, visit: Visit, stack: ExitStack) -> None:
        try:
            with stack:
                visit.judge(self._catalogue.digest, Background(self._catalogue.corpus))
        finally:
            visit.is_over = True

    def _drop_oldest(self) -> None:
        ended = [one for one in self._visits.values() if one.is_over]
        for one in ended[: max(0, len(self._visits) - self._bounds.kept)]:
            del self._visits[one.number]

    def _page(self, template: str, **context: object) -> Reply:
        text = rendered(
            template, self._catalogue.digest, here="judge", playground=self._playground, **context
        )
        return _reply(200, _HTML, text.encode())


def _reply(status: int, kind: bytes, body: bytes) -> Reply:
    headers = ((b"Content-Type", kind), _POLICY, (b"X-Content-Type-Options", b"nosniff"))
    return Reply(
        status, headers=(*headers, (b"Cache-Control", b"no-store")), body=body, framing="close"
    )
