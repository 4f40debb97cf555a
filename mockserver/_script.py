"""A whole script: listener options, connections in accept order with their steps, and routes.

In come steps, out comes an immutable script whose order makes sense. `Script` and its parts are the
plain data that case files are made into; `script`, `connection` and `route` are for people: they
also refuse what can be played but cannot be meant, each in one line that names the remedy.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mockserver import _control as control
from mockserver import _secure as secure
from mockserver import _writing as writing
from mockserver._match import ANYTHING, Condition, Expected, conditions
from mockserver._meant import checks_names
from mockserver._order import check_order
from mockserver._proxy import Proxy
from mockserver._request import Request
from mockserver._respond import Respond
from mockserver._step import Leaves, ScriptError, Step, remedy


@dataclass(frozen=True, slots=True)
class Listener:
    """How the port behaves.

    Attributes:
        mode: `accept` plays the script; `refuse` reserves a port on which no socket listens;
            `connect_stall` lets no connection be established; `accept_rst` resets each as it comes.
        receive_buffer: Bytes of the kernel's receive queue of each connection, as SO_RCVBUF; a
            small one makes a client wait that sends what no step reads. None for the usual queue.
    """

    mode: Literal["accept", "refuse", "connect_stall", "accept_rst"] = "accept"
    receive_buffer: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ScriptError(f"listener: mode must be {_either(_MODES)}, not {self.mode!r}")
        if self.receive_buffer is not None and self.receive_buffer < 1:
            raise ScriptError(f"listener: receive_buffer of {self.receive_buffer!r} is empty")


_MODES = ("accept", "refuse", "connect_stall", "accept_rst")


@dataclass(frozen=True, slots=True)
class Connection:
    """The steps of one connection, or of several in a row.

    Attributes:
        optional: Whether it may stay away.
        times: How many connections in a row get these steps; None for every one from here on.
    """

    steps: tuple[Step, ...] = ()
    optional: bool = False
    times: int | None = 1

    def __post_init__(self) -> None:
        _check_times("connection", self.times)


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests are answered, on whichever connection they come, and how; see `route`."""

    steps: tuple[Step, ...] = ()
    method: Expected | None = None
    target: Expected | None = None
    times: int | None = 1
    optional: bool = False
    body: Literal["framed", "none"] = "framed"
    path: Expected | None = None
    prefix: str | bytes | None = None
    pattern: Expected | None = None
    query: Mapping[Any, Any] | None = None
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None = None
    json: Any = ANYTHING

    def __post_init__(self) -> None:
        _check_times("route", self.times)
        if not isinstance(self.optional, bool):
            raise ScriptError(f"route: optional must be True or False, not {self.optional!r:.80}")
        if self.body not in ("framed", "none"):
            raise ScriptError(f"route: body must be 'framed' or 'none', not {self.body!r}")
        needs_body = any(one.needs_body for one in self.conditions)
        if self.body == "none" and needs_body:
            raise ScriptError("route: json needs the body, which body='none' does not read")

    @property
    def ends(self) -> bool:
        """Whether the connection can carry no request after this answer."""
        return any(step.leaves is not Leaves.OPEN for step in self.steps)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What a request must be to get this answer."""
        return conditions(
            method=self.method,
            target=self.target,
            path=self.path,
            prefix=self.prefix,
            pattern=self.pattern,
            query=self.query,
            headers=self.headers,
            json=self.json,
        )


@dataclass(frozen=True, slots=True)
class Script:
    """What a server plays: the n-th connection that comes gets the n-th list of steps.

    Attributes:
        routes: What a `Dispatch` step chooses from, the first that fits and is not used up. A
            script of routes alone serves any number of connections.
        unmatched: What becomes of a request that no route fits: its connection is `reset`, or it
            gets a `reply` with status 500 that explains for each route what did not fit.
        obliging: Whether a connection is closed after the response to a request that asks for it,
            where no step is left or the next one reads another request (RFC 9112, 9.3 and 9.6).
    """

    connections: tuple[Connection, ...] = ()
    listener: Listener = Listener()
    routes: tuple[Route, ...] = ()
    unmatched: Literal["reset", "reply"] = "reset"
    obliging: bool = True

    def __post_init__(self) -> None:
        if (self.connections or self.routes) and self.listener.mode != "accept":
            verb = {"refuse": "refuses"}.get(self.listener.mode, f"is in mode {self.listener.mode}")
            raise ScriptError(f"listener: a script that {verb} has no connections")
        if self.unmatched not in ("reset", "reply"):
            raise ScriptError(f"script: unmatched is {self.unmatched!r}; write 'reply' or 'reset'")
        for number, one in enumerate(self.connections, 1):
            if not isinstance(one, Connection):
                raise ScriptError(f"connection {number}: must be a Connection, not {one!r:.80}")
            check_order(f"connection {number}", one.steps)
        for number, route in enumerate(self.routes, 1):
            if not isinstance(route, Route):
                raise ScriptError(f"route {number}: must be a Route, not {route!r:.80}")
            check_order(f"route {number}", route.steps, routed=True)
        self._check_line()

    def _check_line(self) -> None:
        for number, (one, later) in enumerate(itertools.pairwise(self.connections), 1):
            if one.times is None:
                raise ScriptError(f"connection {number}: its times leave nothing to the next one")
            if one.optional and not later.optional:
                raise ScriptError(f"connection {number}: is optional, and the next one is not")
        steps = [step for one in self.connections for step in one.steps]
        dispatches = any(isinstance(step, control.Dispatch) for step in steps)
        alone = self.routes and self.connections and not dispatches
        if alone or (dispatches and not self.routes and self.unmatched == "reset"):
            raise ScriptError("routes: they and a dispatch step need each other")

    @property
    def line(self) -> tuple[Connection, ...]:
        """The connections, also those that mode and routes imply."""
        if self.listener.mode == "accept_rst":
            return (Connection((control.Close("rst"),), optional=True, times=None),)
        if self.routes and not self.connections:
            return (Connection((control.Dispatch(),), optional=True, times=None),)
        return self.connections

    def nth(self, index: int) -> Connection | None:
        """What the connection of this index plays; None for one that the script does not have."""
        for one in self.line:
            if one.times is None or index < one.times:
                return one
            index -= one.times
        return None

    @property
    def is_tls(self) -> bool:
        """Whether the first thing that a client must do is a TLS handshake."""
        steps = self.line[0].steps if self.line else ()
        first = steps[0] if steps else None
        fault = isinstance(first, secure.TlsFault) and not first.inside
        return fault or isinstance(first, secure.Starttls)

    @property
    def room(self) -> int | None:
        """How many connections there can be; None for any number."""
        times = [one.times for one in self.line]
        return None if None in times else sum(filter(None, times))

    def missing(self, came: int) -> list[str]:
        """What is to be said about connections when only so many have come."""
        texts, last = [], 0
        for one in self.line:
            first, last = last + 1, last + (one.times or 1)
            first = max(first, came + 1)
            if first <= last and not one.optional:
                name = f"connection {first}" if first == last else f"connections {first} to {last}"
                texts.append(f"{name}: never opened")
        return texts

    @property
    def steps(self) -> list[Step]:
        """Every step, of connections and of routes."""
        of_connections = [step for one in self.line for step in one.steps]
        return [*of_connections, *(step for one in self.routes for step in one.steps)]

    @property
    def handshakes(self) -> list[secure.Starttls]:
        """The TLS handshakes in this script, also those that are only begun."""
        steps = [step for one in self.connections for step in one.steps]
        begun = [one for one in steps if isinstance(one, secure.TlsFault)]
        return [
            *(step for step in steps if isinstance(step, secure.Starttls)),
            *(step.handshake for step in begun if step.kind == "cut-hello"),
        ]


# ---------------------------------------------------------------------------- for people

ScriptPart = Script | Connection | Route | Step
"""What `script`, `MockServer` and the fixture `mock_server` take."""


@checks_names("script")
def script(
    *parts: ScriptPart,
    listener: Listener = Listener(),
    unmatched: Literal["reply", "reset"] = "reply",
) -> Script:
    """A script of connections in accept order, of routes, or of both; or of bare steps.

    Bare replies answer one request each, in their order; a `Proxy` that is the last of them answers
    all that come. Steps that begin with one that reads are the steps of one connection; others
    answer one request. A `Starttls` before replies or routes puts them inside TLS. A script as the
    only part is returned unchanged.

    Args:
        parts: Connections, routes, or steps.
        listener: How the port behaves.
        unmatched: What a request gets that no route fits: a `reply` with status 500 that says why,
            or a `reset`.

    Raises:
        ScriptError: It cannot be played, or cannot be what is meant.
    """
    __tracebackhide__ = True
    if not isinstance(listener, Listener):
        raise ScriptError(f"script: listener must be a Listener({listener!r:.80})")
    for part in parts:
        _check_part(part)
    if len(parts) == 1 and isinstance(parts[0], Script):
        return parts[0]
    connections = [one for one in parts if isinstance(one, Connection)]
    routes = [one for one in parts if isinstance(one, Route)]
    steps = [one for one in parts if isinstance(one, Step)]
    handshake = steps[:1] if steps and isinstance(steps[0], secure.Starttls) else []
    rest = steps[len(handshake) :]
    if steps and (connections or (routes and rest)):
        raise ScriptError(
            f"script: {steps[-1].step_name} stands next to connections and routes; "
            f"write connection(...) or route(...) around the steps"
        )
    if rest and all(isinstance(step, writing.Reply | Respond | Proxy) for step in rest):
        *earlier, last = rest
        endless = isinstance(last, Proxy)
        routes = [*(Route((one,)) for one in earlier), Route((last,), times=None if endless else 1)]
    elif rest and not handshake and not rest[0].reads:
        routes = [Route(tuple(rest))]
    elif steps and not routes:
        refused = isinstance(steps[-1], secure.Starttls) and steps[-1].refused
        connections = [Connection(tuple(steps), times=None if refused else 1)]
    if handshake and routes:
        inside = (*handshake, control.Dispatch())
        refused = getattr(handshake[0], "refused", False)
        connections = [Connection(inside, optional=not refused, times=None)]
    if not connections and not routes and listener.mode == "accept":
        raise ScriptError("script: is empty; give it a connection(...), a route(...) or a Reply()")
    check_reach(routes)
    return Script(tuple(connections), listener, tuple(routes), unmatched if routes else "reset")


@checks_names("connection")
def connection(*steps: Step, optional: bool = False, times: int | None = 1) -> Connection:
    """A connection that plays these steps."""
    __tracebackhide__ = True
    for step in steps:
        _check_step("connection", step)
    return Connection(steps, optional, times)


@checks_names("route")
def route(
    *steps: Step,
    method: Expected | None = None,
    target: Expected | None = None,
    path: Expected | None = None,
    prefix: str | bytes | None = None,
    pattern: Expected | None = None,
    query: Mapping[Any, Any] | None = None,
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None = None,
    json: Any = ANYTHING,
    respond: Callable[[Request], Any] | None = None,
    times: int | None = 1,
    optional: bool = False,
    body: Literal["framed", "none"] = "framed",
) -> Route:
    """A route that answers requests with these steps, or with what a function returns.

    Text is compared as it is; a compiled pattern must match the whole part.

    Args:
        steps: What is played once such a request has been read.
        method: The method, in any case; None for any.
        target: The request target, unchanged, with its query; None for any.
        path: The target without its query, percent-decoded.
        prefix: How the path begins.
        pattern: A regular expression that the whole path matches.
        query: Every name of the query with its value, or with the list of its values.
        headers: Fields that must be there; a value of None is for one that must not.
        json: What the body must be, as JSON.
        respond: In place of steps: called with the `Request`, on a thread that no other connection
            waits for; returns a `Reply`, another step, or several in a list. What it raises is
            reported by the test, and the client gets a 500.
        times: How many requests it answers before it is used up; None for any number, also none.
        optional: Whether it need not be asked for so often.
        body: `framed` reads the request's body first, `none` begins to answer after its head.
    """
    __tracebackhide__ = True
    for step in steps:
        _check_step("route", step)
    if respond is not None:
        if steps:
            raise ScriptError("route: has steps and respond; give one of them")
        steps = (Respond(respond),)
    if not steps:
        raise ScriptError("route: has no steps, so the client would wait; give it a Reply()")
    if isinstance(steps[0], control.ReadRequest):
        raise ScriptError("route: begins after its request has been read; leave ReadRequest() out")
    return Route(
        steps, method, target, times, optional, body, path, prefix, pattern, query, headers, json
    )


def _check_part(part: object) -> None:
    __tracebackhide__ = True
    if isinstance(part, Script | Connection | Route | Step):
        return
    if isinstance(part, type) and issubclass(part, Step):
        _check_step("script", part)
    if isinstance(part, list | tuple | Iterator):
        raise ScriptError("script: got a list; write script(*parts)")
    if isinstance(part, Listener):
        raise ScriptError("script: got a listener; write script(..., listener=Listener(...))")
    raise ScriptError(f"script: must have connections, routes or steps{remedy(part)}")


def _check_step(title: str, step: object) -> None:
    __tracebackhide__ = True
    if isinstance(step, Step):
        return
    if isinstance(step, type) and issubclass(step, Step):
        raise ScriptError(f"{title}: got the class {step.__name__}; write {step.__name__}(...)")
    if isinstance(step, Script | Connection | Route):
        kind = type(step).__name__.lower()
        raise ScriptError(f"{title}: has a {kind} inside; give both to script(...) side by side")
    if isinstance(step, list | tuple):
        raise ScriptError(f"{title}: got a list of steps; write {title}(*steps)")
    raise ScriptError(f"{title}: must have steps, such as Reply(){remedy(step)}")


def check_reach(routes: Sequence[Route]) -> None:
    """Refuse a route that no request can come to, because an earlier one never lets go."""
    for number, one in enumerate(routes, 1):
        for before, other in enumerate(routes[: number - 1], 1):
            same = _requests_of(one) == _requests_of(other)
            if other.times is None and (same or not other.conditions):
                raise ScriptError(
                    f"route {number}: route {before} takes all its requests; change their order"
                )


def _requests_of(route: Route) -> Route:
    """A route with nothing but what its requests must be."""
    return dataclasses.replace(route, steps=(), times=1, optional=False)


def fault_on(n: int, *fault: Step, usual: Step | None = None) -> tuple[Route, ...]:
    """Routes for any request: the n-th gets the fault, those around it the usual answer.

    Args:
        n: Which request, counted from 1 over all connections.
        fault: The steps of the fault, for instance those of `connection_reset_by_peer`.
        usual: How the others are answered; None for an empty `Reply`.
    """
    if type(n) is not int or n < 1:
        raise ScriptError(f"fault_on: n must be at least 1, not {n!r}")
    answer = usual or writing.Reply()
    before = (route(answer, times=n - 1),) if n > 1 else ()
    return (*before, route(*fault), route(answer, times=None))


def _check_times(what: str, times: int | None) -> None:
    if times is not None and (type(times) is not int or times < 1):
        raise ScriptError(f"{what}: times must be at least 1, or None, not {times!r}")


def _either(values: Iterable[str]) -> str:
    return " or ".join(map(repr, values))
