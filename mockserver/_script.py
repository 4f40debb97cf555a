"""A whole script: listener options, connections in accept order with their steps, and routes.

In come steps, out comes an immutable script whose order makes sense; an order that cannot be played
is refused here, with the numbers of connection and step, before any socket exists.
"""

import itertools
from dataclasses import dataclass
from typing import Literal

from mockserver import _control as control
from mockserver import _secure as secure
from mockserver import _writing as writing
from mockserver._step import Leaves, ScriptError, Step, WritingStep, place


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
            raise ScriptError(f"listener: mode must be one of {_MODES}, not {self.mode!r}")
        if self.receive_buffer is not None and self.receive_buffer < 1:
            raise ScriptError(f"listener: receive_buffer of {self.receive_buffer!r} holds nothing")


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
    """How requests are answered, on whichever connection they come.

    Attributes:
        steps: What is played once such a request has been read.
        method: The method, exactly; None for any.
        target: The request target, exactly; None for any.
        times: How many requests it answers before it is used up; None for any number, also none.
        optional: Whether it need not be asked for so often.
        body: `framed` reads the request's body first, `none` begins to answer after its head.
    """

    steps: tuple[Step, ...] = ()
    method: str | None = None
    target: str | None = None
    times: int | None = 1
    optional: bool = False
    body: Literal["framed", "none"] = "framed"

    def __post_init__(self) -> None:
        _check_times("route", self.times)
        if self.body not in ("framed", "none"):
            raise ScriptError(f"route: body must be 'framed' or 'none', not {self.body!r}")

    @property
    def ends(self) -> bool:
        """Whether the connection can carry no request after this answer."""
        return any(step.leaves is not Leaves.OPEN for step in self.steps)

    def fits(self, method: str, target: str) -> bool:
        """Whether it is for such a request."""
        return self.method in (None, method) and self.target in (None, target)


@dataclass(frozen=True, slots=True)
class Script:
    """What a server plays: the n-th connection that comes gets the n-th list of steps.

    Attributes:
        routes: What a `Dispatch` step chooses from, the first that fits and is not used up. A
            script of routes alone serves any number of connections.
    """

    connections: tuple[Connection, ...] = ()
    listener: Listener = Listener()
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        if (self.connections or self.routes) and self.listener.mode != "accept":
            verb = {"refuse": "refuses"}.get(self.listener.mode, f"is in mode {self.listener.mode}")
            raise ScriptError(f"listener: a script that {verb} has no connections")
        for number, one in enumerate(self.connections, 1):
            if not isinstance(one, Connection):
                raise ScriptError(f"connection {number}: must be a Connection, not {one!r:.80}")
            _check_order(f"connection {number}", one.steps)
        for number, route in enumerate(self.routes, 1):
            if not isinstance(route, Route):
                raise ScriptError(f"route {number}: must be a Route, not {route!r:.80}")
            _check_order(f"route {number}", route.steps, routed=True)
        self._check_line()

    def _check_line(self) -> None:
        for number, (one, later) in enumerate(itertools.pairwise(self.connections), 1):
            if one.times is None:
                raise ScriptError(f"connection {number}: its times leave nothing to the next one")
            if one.optional and not later.optional:
                raise ScriptError(f"connection {number}: is optional, and the next one is not")
        steps = [step for one in self.connections for step in one.steps]
        dispatches = any(isinstance(step, control.Dispatch) for step in steps)
        if dispatches != bool(self.routes) and (dispatches or self.connections):
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
    def handshakes(self) -> list[secure.Starttls]:
        """The TLS handshakes in this script, also those that are only begun."""
        steps = [step for one in self.connections for step in one.steps]
        begun = [one for one in steps if isinstance(one, secure.TlsFault)]
        return [
            *(step for step in steps if isinstance(step, secure.Starttls)),
            *(step.handshake for step in begun if step.kind == "cut-hello"),
        ]


def script(*parts: Connection | Route, listener: Listener = Listener()) -> Script:
    """A script of connections in accept order, of routes, or of both."""
    connections = tuple(one for one in parts if not isinstance(one, Route))
    return Script(connections, listener, tuple(one for one in parts if isinstance(one, Route)))


def connection(*steps: Step, optional: bool = False, times: int | None = 1) -> Connection:
    """A connection that plays these steps."""
    return Connection(steps, optional, times)


def route(
    *steps: Step,
    method: str | None = None,
    target: str | None = None,
    times: int | None = 1,
    optional: bool = False,
    body: Literal["framed", "none"] = "framed",
) -> Route:
    """A route that answers requests with these steps."""
    return Route(steps, method, target, times, optional, body)


def fault_on(n: int, *fault: Step, usual: Step | None = None) -> tuple[Route, ...]:
    """Routes for any request: the n-th gets the fault, those around it the usual answer.

    Args:
        n: Which request, counted from 1 over all connections.
        fault: The steps of the fault, for instance those of `connection_reset_by_peer`.
        usual: How the others are answered; None for an empty `Reply`.
    """
    if n < 1:
        raise ScriptError(f"fault_on: n must be at least 1, not {n!r}")
    answer = usual or writing.Reply()
    before = (route(answer, times=n - 1),) if n > 1 else ()
    return (*before, route(*fault), route(answer, times=None))


def _check_times(what: str, times: int | None) -> None:
    if times is not None and times < 1:
        raise ScriptError(f"{what}: times must be at least 1, not {times!r}")


# ---------------------------------------------------------------------------- the order of steps


def _check_order(title: str, steps: tuple[Step, ...], *, routed: bool = False) -> None:
    """Refuse an order of steps that cannot be played.

    Args:
        title: How messages name the steps' place, for instance `connection 1`.
        steps: What is to be played.
        routed: Whether a request has been read before the first step.

    Raises:
        ScriptError: Naming the first step that cannot follow those before it.
    """
    earlier: list[Step] = [control.ReadRequest()] if routed else []
    for index, step in enumerate(steps):
        if not isinstance(step, Step):
            raise ScriptError(f"{title}, step {index + 1}: must be a step, not {step!r:.80}")
        problem = _misplaced(step, tuple(earlier))
        earlier.append(step)
        if isinstance(step, control.Label) and step in steps[:index]:
            problem = "there is such a label already"
        if isinstance(step, control.Dispatch) and routed:
            problem = "a route cannot dispatch"
        if isinstance(step, control.Goto):
            problem = problem or _repeat(step, steps[:index], earlier)
        if problem:
            raise ScriptError(f"{place(title, index, step)}: {problem}")


def _repeat(goto: control.Goto, before: tuple[Step, ...], earlier: list[Step]) -> str | None:
    """Why the steps from a label on cannot be played again, or None; `earlier` grows by them."""
    label = control.Label(goto.label)
    if label not in before:
        return f"there is no label {goto.label!r} before it"
    again = before[before.index(label) :]
    if goto.times is None and not any(step.reads for step in again):
        return "what repeats without end must read"
    for step in again:
        if problem := _misplaced(step, tuple(earlier)):
            return f"goes back to {step.step_name}, but {problem}"
        earlier.append(step)
    return None


def _misplaced(step: Step, earlier: tuple[Step, ...]) -> str | None:
    """Why a step cannot follow the earlier ones, or None."""
    if any(one.leaves is Leaves.CLOSED for one in earlier):
        return "the connection is closed by then"
    if _any(earlier, control.Dispatch):
        return "the requests are dispatched from there on"
    if isinstance(step, WritingStep | secure.Starttls | secure.TlsFault) and _any(
        earlier, control.Shutdown
    ):
        return "writing is shut down by then"
    if step.reads and _any(earlier, control.ReadEof, control.ExpectEof):
        return "the client's stream has ended by then"
    if isinstance(step, control.Expect) and not _any(earlier, control.ReadRequest, secure.Tunnel):
        return "no request has been read by then"
    if isinstance(step, secure.TlsFault) and step.inside:
        return None if _any(earlier, secure.Starttls) else "TLS is not spoken yet"
    if isinstance(step, secure.Starttls | secure.TlsFault):
        return _misplaced_handshake(earlier)
    return None


def _misplaced_handshake(earlier: tuple[Step, ...]) -> str | None:
    if _any(earlier, secure.Starttls):
        return "TLS is spoken already"
    tunnels = [step for step in earlier if isinstance(step, secure.Tunnel)]
    if earlier and not tunnels:
        return "must be the first step, or inside a tunnel"
    if tunnels and tunnels[-1].data is None and not 200 <= tunnels[-1].status < 300:
        return f"a status of {tunnels[-1].status} opens no tunnel"
    return None


def _any(steps: tuple[Step, ...], *kinds: type[Step]) -> bool:
    return any(isinstance(step, kinds) for step in steps)
