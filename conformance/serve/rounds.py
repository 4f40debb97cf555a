"""Rounds: which connection of a script is next, the state its connections share, and what happened.

The input is the visits to a case.  The output is the steps of one connection for each visit: the
first visit gets the first connection of the script, the next visit the next one, and after the last
one a new round begins.  The transcript shows the latest round.
"""

import threading
from collections.abc import Callable, Iterator
from ssl import SSLContext
from typing import NamedTuple

from mockserver import Gate, Record, Script, SharedState, Signal, Starttls, Step

Contexts = Callable[[Script], dict[Step, SSLContext]]


class Visit(NamedTuple):
    """One connection of a round.

    Attributes:
        number: the number of the connection in the script, from 1.
        steps: the steps to play.
        state: the state that the connections of the round share.
    """

    number: int
    steps: tuple[Step, ...]
    state: SharedState

    def without_handshake(self) -> "Visit":
        """Return the visit for a connection whose handshake is done, or was not requested."""
        if self.steps and isinstance(self.steps[0], Starttls):
            return self._replace(steps=self.steps[1:])
        return self


class _Round(NamedTuple):
    """One pass through the connections of a script, and the number of the latest one."""

    name: str
    state: SharedState
    latest: int


class Rounds:
    """The rounds of all cases; safe to share between threads.

    Args:
        address: host and port, as in a request.
        contexts: makes the TLS contexts of a script.
    """

    def __init__(self, address: tuple[str, int], contexts: Contexts) -> None:
        self._address = address
        self._contexts = contexts
        self._lock = threading.Lock()
        self._current: dict[str, _Round] = {}
        self._shown: _Round | None = None

    def visit(self, name: str, script: Script, number: int | None = None) -> Visit:
        """Return the next connection of the script called *name*.

        Args:
            name: the id of a case, or the target for a made script.
            script: the script to play.
            number: the number of the requested connection, from 1; the first begins a new round.
        """
        with self._lock:
            current = self._current.get(name)
            latest = current.latest if current is not None else 0
            wanted = number or latest + 1
            planned = script.nth(wanted - 1)
            if planned is None:
                wanted, planned = 1, script.nth(0)
            if planned is None:
                raise ValueError(f"{name}: a script without connections has no visitors")
            if current is None or wanted <= latest:
                state = SharedState(script, self._address, self._contexts(script))
                for gate in _gates_of_exchanges(script):
                    state.named(gate).set()
                current = _Round(name, state, wanted)
            self._current[name] = self._shown = current._replace(latest=wanted)
            return Visit(wanted, planned.steps, current.state)

    def forget(self, name: str) -> None:
        """Remove the round of a script that will not be requested by this name again."""
        with self._lock:
            self._current.pop(name, None)

    def release(self) -> None:
        """Let every connection continue that waits for a signal."""
        with self._lock:
            for current in self._current.values():
                current.state.open_gates()

    def transcript(self) -> str:
        """Return the transcript of the latest round so far, without times and ports."""
        with self._lock:
            shown = self._shown
        if shown is None:
            return "nothing has been played yet\n"
        state = shown.state
        connections = tuple(one.record for one in tuple(state.connections))
        record = Record(connections, problems=tuple(state.problems), address=self._address)
        return f"{shown.name}\n{record.transcript()}"


def _gates_of_exchanges(script: Script) -> Iterator[str]:
    """Yield the gates that no step of *script* opens: those of a session's exchanges.

    Nothing says here when a client has completed one, so that the server does not wait for it.
    """
    signals = {step.name for step in script.steps if isinstance(step, Signal)}
    for step in script.steps:
        if isinstance(step, Gate) and step.name not in signals:
            yield step.name
