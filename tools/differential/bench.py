"""The bench: one example, run on the reference and on another implementation, side by side.

Facts come out in one form for both: bytes are bytes whatever type held them, exceptions go by the
names that the corpus uses for them.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import eq
from typing import Any

from conformance.drivers import Driver, target
from conformance.hunt import fact
from mockserver import Close, MockServer, ReadUntil, Script, Send, connection, script
from tools.differential.examples import Example, Op

_DEADLINE = 1.0
"""Seconds until the sockets of a run are reset."""
_PATIENCE = 4.0
"""The same, where a first run was too late."""
_NEVER = b"\0what no request holds\0"

Fact = Any


@dataclass(frozen=True, slots=True)
class Run:
    """What one implementation did with an example.

    Args:
        facts: for each op what it came to.
        requests: for each connection the bytes that it brought.
        after: what had become of each connection at the end.
        late: whether the run missed its deadline.
    """

    facts: tuple[Fact, ...]
    requests: tuple[bytes, ...]
    after: tuple[str | None, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which two runs part.

    Args:
        example: what was run.
        op: the call that came to something else; None where only the wire differs.
        ours: what it came to here.
        theirs: what it came to there.
        before: the results of the reference's calls until then.
    """

    example: Example
    op: Op | None
    ours: Any
    theirs: Any
    before: tuple[Fact, ...]


class Bench:
    """Runs examples on two implementations against one server."""

    def __init__(self, theirs: str) -> None:
        self.server = MockServer()
        self._ours = target("httplib_impl").make()
        self._theirs = target(theirs).make()

    def __enter__(self) -> "Bench":
        self.server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ours.stop()
        self._theirs.stop()
        self.server.stop()

    def difference(self, example: Example) -> Difference | None:
        """Run *example* on both; return where they part, None where they do not.

        On a busy machine a run can miss its deadline: where one did, both get more time.
        """
        ours, theirs = self.run(self._ours, example), self.run(self._theirs, example)
        if ours.late or theirs.late:
            drivers = self._ours, self._theirs
            ours, theirs = (self.run(driver, example, _PATIENCE) for driver in drivers)
        for index, op in enumerate(example.ops):
            if ours.facts[index] != theirs.facts[index]:
                facts = ours.facts[index], theirs.facts[index]
                return Difference(example, op, *facts, ours.facts[:index])
        heard = eq if example.silent else _alike
        for name, alike in (("requests", heard), ("after", eq), ("late", eq)):
            one, other = getattr(ours, name), getattr(theirs, name)
            if not alike(one, other):
                return Difference(example, None, (name, one), (name, other), ours.facts)
        return None

    def run(self, driver: Driver, example: Example, deadline: float = _DEADLINE) -> Run:
        """Run *example* on one of them."""
        play = self.server.play(_script(example))
        late = threading.Event()

        def give_up() -> None:
            late.set()
            play.abort()

        alarm = threading.Timer(deadline, give_up)
        alarm.start()
        try:
            message = {"type": "run", "ops": list(example.ops), "address": list(play.address)}
            trace = driver.run(message)
            record = play.finish()
            driver.release()
        finally:
            alarm.cancel()
            play.finish()
        facts = [fact(op, entry) for op, entry in zip(example.ops, trace, strict=True)]
        connections = record.connections
        return Run(
            tuple(facts),
            tuple(one.received for one in connections),
            tuple(one.after for one in connections),
            late.is_set(),
        )


@contextmanager
def bench(theirs: str) -> Iterator[Bench]:
    """A bench that is closed at the end."""
    with Bench(theirs) as made:
        yield made


def _alike(ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Whether the same was sent, as far as the server read both before it closed."""
    return len(ours) == len(theirs) and all(
        one.startswith(other) or other.startswith(one)
        for one, other in zip(ours, theirs, strict=True)
    )


def _script(example: Example) -> Script:
    connections = []
    for answers in example.connections:
        steps: list[Any] = [ReadUntil(_NEVER)] if example.silent else []
        for answer in answers:
            steps += [ReadUntil(b"\r\n\r\n"), Send(answer.octets)]
        connections.append(connection(*steps, Close()))
    return script(*connections)
