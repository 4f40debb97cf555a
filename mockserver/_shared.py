"""What the connections of one play share: signals, routes, requests, problems.

In come requests, which are compared with the routes, and the names of signals; out come the route
that answers, and what is to be said about those that do not.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ssl import SSLContext

from mockserver._clock import HeldClock
from mockserver._connection import LiveConnection
from mockserver._match import Condition
from mockserver._player import plan_of
from mockserver._record import NO_ROUTE
from mockserver._request import Request
from mockserver._script import Route, Script
from mockserver._state import RoutePlan
from mockserver._step import Step, authority

_EXPLAINED = 5
"""How many routes are explained to a request that none fits."""


class SharedState:
    """What the connections of one play share: signals, routes, requests, problems.

    Attributes:
        script: What is played.
        address: Host and port of the server.
        contexts: The TLS contexts of the script's handshakes.
        clock: What pauses are measured by; None for the real time.
        connections: Those that have come, in accept order.
        came: Every request so far: the number of its connection, and its bytes.
        problems: What went against the script.
        lock: Held where the connections of the play meet.
        released: Whether gates are open for good, because the play is given up.
    """

    def __init__(
        self,
        script: Script,
        address: tuple[str, int],
        contexts: Mapping[Step, SSLContext],
        clock: HeldClock | None = None,
    ) -> None:
        self.script = script
        self.address = address
        self.contexts = contexts
        self.clock = clock
        self.connections: list[LiveConnection] = []
        self.came: list[tuple[int, bytes]] = []
        self.problems: list[str] = []
        self.lock = threading.Lock()
        self.released = False
        self._routes = [_planned(number, one) for number, one in enumerate(script.routes, 1)]
        self._names: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    @property
    def address_text(self) -> bytes:
        """The address as a Host field has it."""
        return authority(self.address).encode()

    @property
    def others_may_play(self) -> bool:
        """Whether others may have something to play while a connection waits for bytes."""
        return False

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order in which they were read."""
        return [Request(*one) for one in tuple(self.came)]

    def problem(self, text: str) -> None:
        """Note something that went against the script."""
        self.problems.append(text)

    @property
    def unmatched(self) -> str:
        """What becomes of a request that no route fits."""
        return self.script.unmatched

    @property
    def obliging(self) -> bool:
        """Whether a connection is closed after the response to a request that asks for it."""
        return self.script.obliging

    def choose(self, request: Request, *, is_whole: bool) -> tuple[RoutePlan | None, bool]:
        """The first route that fits a request and is not used up.

        Args:
            request: What has been read of it.
            is_whole: Whether that is more than its head.

        Returns:
            The route, or None; and whether that is decided, or takes the body too.
        """
        with self.lock:
            for one in self._routes:
                if one.times is not None and one.answered >= one.times:
                    continue
                needs_body = False
                for condition in one.conditions:
                    if condition.needs_body and not is_whole:
                        needs_body = True
                    elif not condition.fits(request):
                        break
                else:
                    if needs_body:
                        return None, False
                    one.answered += 1
                    return one.plan, True
        return None, True

    def explain(self, request: Request) -> list[str]:
        """Lines that say for each route why it does not fit; those that nearly fit come first."""
        reasons = []
        for number, one in enumerate(tuple(self._routes), 1):
            found = [text for each in one.conditions if (text := each.differs(request))]
            if not found:
                found = [f"fits, but has answered its {one.answered} requests"]
            reasons.append((len(found), f"  route {number}: {'; '.join(found)}"))
        reasons.sort(key=lambda item: item[0])
        lines = [text for _, text in reasons[:_EXPLAINED]]
        if len(reasons) > _EXPLAINED:
            lines.append(f"  and {len(reasons) - _EXPLAINED} routes more")
        return [f"{NO_ROUTE} {request.line[:200]!r}", *(lines or ["  there are no routes"])]

    def named(self, name: str) -> threading.Event:
        """The event of a signal."""
        with self.lock:
            event = self._names[name]
            if self.released:
                event.set()
            return event

    def leave(self, connection: LiveConnection) -> None:
        """Take a connection back from its thread."""
        connection.wire.leave()

    def open_gates(self) -> None:
        """Let every connection go on that waits for a signal, now and later."""
        with self.lock:
            self.released = True
            for event in self._names.values():
                event.set()

    def add(self, routes: Sequence[Route]) -> None:
        """Answer these routes too, after those that there are."""
        with self.lock:
            known = len(self._routes)
            self._routes += [_planned(known + n, one) for n, one in enumerate(routes, 1)]
            self.script = replace(self.script, routes=(*self.script.routes, *routes))

    def missed_routes(self) -> list[str]:
        """What is to be said about routes that have answered too few requests."""
        handshakes = self.script.handshakes if self._routes else []
        if handshakes and all(step.refused for step in handshakes):
            return []  # what the client refuses, it asks nothing
        return [
            f"route {number}: answered {one.answered} of {one.route.times} requests"
            for number, one in enumerate(self._routes, 1)
            if not one.route.optional and one.answered < (one.route.times or 0)
        ]


@dataclass(slots=True)
class _RouteState:
    """A route under play, and how many requests it has answered."""

    route: Route
    times: int | None
    conditions: tuple[Condition, ...]
    plan: RoutePlan
    answered: int = 0


def _planned(number: int, route: Route) -> _RouteState:
    plan = plan_of(route.steps, times=route.times)
    title = f"route {number}"
    ready = RoutePlan(title, route.steps, plan, route.ends, route.body)
    return _RouteState(route, route.times, route.conditions, ready)
