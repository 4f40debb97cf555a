"""The playground: bytes that a visitor edits, and what implementations do with them.

The input is a request for ``/_/playground``.  The output is the page.  It works as a plain form;
the script of the atlas sends the same form while the visitor types, and shows parts of the reply.
Nothing that a visitor writes names a program: the implementations are those that were offered, each
in a process of its own with a deadline and a bound on its memory.
"""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from conformance.atlas import events, rendered
from conformance.cases import Case, load_text, page, sent_octets
from conformance.drivers import OURS, DriverError, apart, installed, target
from conformance.judge import Verdict
from conformance.report import octets_of, split_lines, visible
from conformance.reproduce import Catalogue
from conformance.run import DEADLINE, ENDS, ROSTER, NotTried, Trial, compared, trial_text, tried
from conformance.serve.gate import Gate, Refused, Turnstile
from conformance.serve.parametric import parsed_query
from conformance.wording import near_clause
from mockserver import Close, Connection, Reply, Request, Route

_ACTS = ("edit", "show", "play", "save")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
_HEADERS = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Security-Policy", f"{_POLICY}; frame-ancestors 'none'".encode()),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Cache-Control", b"no-store"),
)
_METHOD = re.compile(r"[!#-'*+.^_`|~0-9A-Za-z-]{1,20}")
_NAME = re.compile(r"[A-Za-z0-9._-]{0,60}")
_LONGEST_LINK = 16_384
_LONGEST_ID = 200
_FIRST = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass(frozen=True, slots=True)
class PlayBounds:
    """Limits for the playground.

    Args:
        octets: bytes that are played.
        form: bytes of a request, in which each byte may take six.
        implementations: how many take part in a play.
        plays: plays at the same time.
        per_minute: plays that begin within any minute.
        seconds: after these, a play starts no further implementation.
        deadline: seconds without progress after which an implementation hangs.
    """

    octets: int = 1 << 16
    form: int = 1 << 19
    implementations: int = 8
    plays: int = 2
    per_minute: int = 30
    seconds: float = 30.0
    deadline: float = DEADLINE


@dataclass(slots=True)
class _Form:
    """What the page shows in its fields.

    Args:
        text: the bytes, in the notation.
        method: the method of the request.
        end: how the connection ends.
        name: the name of a saved case.
        chosen: the implementations to play.
        notes: about the case from which the bytes come.
    """

    text: bytes
    method: str = "GET"
    end: str = "fin"
    name: str = "mine"
    chosen: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)


class Playground:
    """Makes the page, and runs the plays.

    Args:
        catalogue: where the bytes of a case come from.
        gate: refuses what does not come from the page.
        bounds: the limits.
        offered: the implementations, as a user writes them; by default those that are installed.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        gate: Gate,
        bounds: PlayBounds | None = None,
        offered: Sequence[str] | None = None,
    ) -> None:
        self.bounds = bounds or PlayBounds()
        self.gate = gate
        self._catalogue = catalogue
        self._turnstile = Turnstile(self.bounds.plays, self.bounds.per_minute)
        self._stopped = threading.Event()
        self._offered = offered

    def stop(self) -> None:
        """Start no further implementation."""
        self._stopped.set()

    @property
    def offered(self) -> Sequence[str]:
        """The implementations that can be chosen."""
        if self._offered is None:
            self._offered = installed(dict.fromkeys((OURS, "http.client", *ROSTER)))
        return self._offered

    def reply(self, request: Request | str, client: str) -> Reply:
        """Return the reply to *request*, or to the one that cannot be read for this reason."""
        try:
            if isinstance(request, str):
                raise Refused(413, request)
            self.gate.check(request, client)
            return self._page(request)
        except Refused as refusal:
            headers = ((b"Content-Type", b"text/plain; charset=utf-8"), *_HEADERS[1:])
            body = f"{refusal}\n".encode()
            return Reply(refusal.status, headers=headers, body=body, framing="close")

    def elsewhere(self, target: str) -> Reply:
        """Return the reply on every other port, whose origin the bytes of a case share."""
        host = self.gate.host
        location = f"http://{host}{target}".encode("latin-1")
        return Reply(302, headers=((b"Location", location),), framing="close")

    def _page(self, request: Request) -> Reply:
        posted = request.method == "POST"
        query = request.body.decode("latin-1") if posted else request.target.partition("?")[2]
        pairs = parsed_query(query)
        given = dict(pairs)
        act = given.get("do", b"edit").decode("latin-1") if posted else "edit"
        if posted:
            self.gate.check_token(given.get("token", b""))
        status, problem = 200, ""
        shown: dict[str, Any] = {}
        form = _Form(visible_lines(_FIRST))
        try:
            chosen = [value for name, value in pairs if name == "impl"]
            form = self._form(given, None if not posted and not chosen else chosen)
            self._do(act, form, shown)
        except Refused as refusal:
            # While a visitor types, a name of a byte that is not complete yet is no error.
            status, problem = 200 if act == "show" else refusal.status, str(refusal)
        text = self._rendered(form, problem, shown)
        body = b"" if request.method == "HEAD" else text.encode()
        return Reply(status, headers=_HEADERS, body=body, framing="close")

    def _form(self, given: Mapping[str, bytes], chosen: Sequence[bytes] | None) -> _Form:
        """Return the form with the values of a request; *chosen* is None for the usual choice.

        Raises:
            Refused: a case is not known.
        """
        offered = self.offered
        form = self._of_case(given["case"]) if "case" in given else _Form(visible_lines(_FIRST))
        form.text = given.get("bytes", form.text)
        form.chosen = (
            _usual(offered)
            if chosen is None
            else [one for one in offered if one.encode() in chosen]
        )
        form.method = given.get("method", form.method.encode()).decode("latin-1")
        form.end = given.get("end", form.end.encode()).decode("latin-1")
        form.name = given.get("name", form.name.encode()).decode("latin-1")
        return form

    def _of_case(self, name: bytes) -> _Form:
        wanted = name.decode("utf-8", "replace").strip()[:_LONGEST_ID]
        entry = self._catalogue.entries.get(wanted)
        if entry is None:
            near = near_clause(wanted, self._catalogue.entries)
            raise Refused(404, f"no case is called {wanted!r}{near}")
        return form_of(entry.case, self.bounds.octets)

    def _do(self, act: str, form: _Form, shown: dict[str, Any]) -> None:
        """Do what the form requests, and note in *shown* what the page shows of it.

        Raises:
            Refused: a value is not valid, or a bound is reached.
        """
        try:
            octets = octets_of(form.text)
        except ValueError as problem:
            raise Refused(400, str(problem)) from None
        if len(octets) > self.bounds.octets:
            raise Refused(413, f"{len(octets)} bytes; at most {self.bounds.octets} are played")
        for value, valid, what in (
            (act, act in _ACTS, "act"),
            (form.end, form.end in ENDS, "end of the connection"),
            (form.method, bool(_METHOD.fullmatch(form.method)), "method"),
            (form.name, bool(_NAME.fullmatch(form.name)), "name (letters, digits, '.', '_', '-')"),
        ):
            if not valid:
                raise Refused(400, f"{value!r} is not a valid {what}")
        text = trial_text(octets, form.name, form.method, form.end)
        case = load_text(text, "playground.toml")[0]
        shown["size"] = len(octets)
        shown["lines"] = [line for event in events(case, None) for line in event.lines]
        shown["link"] = _link(octets, form)
        if act == "save":
            shown["toml"] = text
        if act == "play":
            trials = self._play(case, form)
            rows = compared(case, trials)
            shown["trials"] = trials
            shown["rows"] = [(call, cells, _differ(cells)) for call, cells in rows]

    def _play(self, case: Case, form: _Form) -> list[Trial]:
        if not 0 < len(form.chosen) <= self.bounds.implementations:
            raise Refused(400, f"choose one to {self.bounds.implementations} implementations")
        with self._turnstile.play(), ThreadPoolExecutor(2) as pool:
            until = time.monotonic() + self.bounds.seconds
            return list(pool.map(lambda one: self._trial(one, case, form, until), form.chosen))

    def _trial(self, written: str, case: Case, form: _Form, until: float) -> Trial:
        if self._stopped.is_set() or time.monotonic() > until:
            reason = "not started: the time of the play is over"
            return Trial(written, {}, Verdict.NOT_INSTALLED, reason)
        try:
            return tried(apart(target(written)), case, form.method, self.bounds.deadline)
        except NotTried as problem:
            return Trial(written, {}, Verdict.UNSUPPORTED, str(problem))
        except DriverError as problem:
            return Trial(written, {}, Verdict.DRIVER_ERROR, str(problem))

    def _rendered(self, form: _Form, problem: str, shown: Mapping[str, Any]) -> str:
        empty: dict[str, Any] = {
            "size": None,
            "lines": [],
            "link": "",
            "toml": "",
            "trials": [],
            "rows": [],
        }
        context = {**empty, **shown, "form": form, "problem": problem}
        return rendered(
            "playground.html",
            self._catalogue.digest,
            here="playground",
            token=self.gate.token,
            text=_shown_text(form.text),
            offered=self.offered,
            format=page("fixtures/README.md"),
            bounds=self.bounds,
            **context,
        )


def visible_lines(octets: bytes) -> bytes:
    """Return *octets* in the notation, with a line end after each line feed among them."""
    return "\n".join(map(visible, split_lines(octets))).encode()


def _usual(offered: Sequence[str]) -> list[str]:
    """Return what is chosen at first: two modules, and a client of another kind."""
    return [*offered[:2], *[one for one in offered[2:] if one.startswith("client:")][:1]]


def _differ(cells: Sequence[str]) -> bool:
    """Return whether the results of a call differ, apart from the names of their classes."""
    return len({one.partition(" of class ")[0] for one in cells if one}) > 1


def _shown_text(text: bytes) -> str:
    """Return *text* as it was written; what a text area cannot hold, in the notation."""
    return "".join(
        one if one.isprintable() or one in "\n\t" else visible(one.encode())
        for one in text.replace(b"\r", b"").decode("utf-8", "backslashreplace")
    )


def form_of(case: Case, most: int) -> _Form:
    """Return the form with the bytes of *case*: what its first connection sends.

    Args:
        case: the case.
        most: bytes that are shown; of more, the first ones.
    """
    notes = []
    parts: list[Connection | Route] = [*case.script.connections, *case.script.routes]
    octets = sent_octets(parts[0]) if parts else b""
    if len(parts) > 1:
        notes.append("The case has more than one connection; these are the bytes of the first.")
    if len(octets) > most:
        notes.append(f"The case sends {len(octets)} bytes; these are the first {most}.")
    steps = [step.step_name for step in parts[0].steps] if parts else []
    if set(steps) - {"read_request", "send", "close", "drain"}:
        notes.append("The case does more than send these bytes as the answer to one request.")
    last = parts[0].steps[-1] if steps else None
    end = (last.how if isinstance(last, Close) else "open") if parts else "fin"
    asked = [op.message.get("args") for op in case.ops if op.message.get("call") == "request"]
    method = asked[0][0] if asked and asked[0] and isinstance(asked[0][0], str) else "GET"
    name = case.id if _NAME.fullmatch(case.id) else "mine"
    return _Form(visible_lines(octets[:most]), method, end, name, notes=notes)


def _link(octets: bytes, form: _Form) -> str:
    """Return the relative address of the page with these bytes; empty if it would be too long."""
    values = {"bytes": visible_lines(octets).decode(), "method": form.method, "end": form.end}
    pairs = [*values.items(), *(("impl", one) for one in form.chosen)]
    query = "&".join(f"{name}={quote(one, safe='')}" for name, one in pairs)
    return f"playground?{query}" if len(query) <= _LONGEST_LINK else ""
