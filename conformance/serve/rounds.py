"""Rounds: which connection of a script comes next, what its connections share, and what happened.

In: the visits to a case.  Out: for each visit the steps of one connection: the first visit has the
first connection of the script, the next one the next, and behind the last it begins anew.  The
latest round is what the transcript shows.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from ssl import SSLContext

from mockserver import ConnectionRecord, Event, Record, Route, Script, Starttls, Step

Context = Callable[[Starttls], SSLContext]


class Visit:
    """One connection of a round, as it was played.

    Args:
        number: which connection of the script it is, from 1.
        steps: what is played.
        stage: the round, which its connections share.
    """

    def __init__(self, number: int, steps: tuple[Step, ...], stage: "Round") -> None:
        self.number = number
        self.steps = steps
        self.stage = stage
        self.events: list[Event] = []
        self.played: int | None = None

    def record(self) -> ConnectionRecord:
        """Return what has happened so far."""
        unplayed = () if self.played is None else self.steps[self.played :]
        return ConnectionRecord(events=tuple(self.events), unplayed=unplayed)


class Round:
    """One way through the connections of a script."""

    def __init__(self, name: str, script: Script, context: Context) -> None:
        self.name = name
        self.script = script
        self.context = context
        self.visits: list[Visit] = []
        self._answered = [0] * len(script.routes)
        self._lock = threading.Lock()
        self._names: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def give(self, name: str) -> None:
        """Give a signal."""
        self._named(name).set()

    def await_name(self, name: str, seconds: float) -> bool:
        """Wait for a signal, and tell whether it came."""
        return self._named(name).wait(seconds)

    def choose(self, method: str, target: str) -> Route | None:
        """Return the first route that fits a request and is not used up."""
        with self._lock:
            for index, route in enumerate(self.script.routes):
                left = route.times is None or self._answered[index] < route.times
                if left and route.fits(method, target):
                    self._answered[index] += 1
                    return route
        return None

    def release(self) -> None:
        """Let go everyone who waits for a signal."""
        with self._lock:
            for event in self._names.values():
                event.set()

    def _named(self, name: str) -> threading.Event:
        with self._lock:
            return self._names[name]


class Rounds:
    """The rounds of all cases; safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._current: dict[str, Round] = {}
        self._latest: Round | None = None

    def visit(self, name: str, script: Script, number: int | None = None) -> Visit:
        """Return the next connection of the script called *name*.

        Args:
            name: the id of a case, or the target of a made script.
            script: what is played.
            number: which connection is wanted, from 1; the first begins a new round.
        """
        with self._lock:
            current = self._current.get(name)
            latest = current.visits[-1].number if current is not None else 0
            wanted = number or latest + 1
            planned = script.nth(wanted - 1)
            if planned is None:
                wanted, planned = 1, script.nth(0)
            if planned is None:
                raise ValueError(f"{name}: a script without connections has no visitors")
            if current is None or wanted <= latest:
                current = self._current[name] = Round(name, script, self._context)
            visit = Visit(wanted, planned.steps, current)
            current.visits.append(visit)
            self._latest = current
            return visit

    def forget(self, name: str) -> None:
        """Forget the round of a script that will not be asked for by this name again."""
        with self._lock:
            self._current.pop(name, None)

    def release(self) -> None:
        """Let go everyone who waits for a signal."""
        with self._lock:
            for current in self._current.values():
                current.release()

    def transcript(self) -> str:
        """Return what the latest round has shown so far, without times and ports."""
        with self._lock:
            latest = self._latest
            visits = [] if latest is None else list(latest.visits)
        if latest is None:
            return "nothing has been played yet\n"
        record = Record(connections=tuple(visit.record() for visit in visits))
        return f"{latest.name}\n{record.transcript()}"
