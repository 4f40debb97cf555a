"""Plays: scripts that a program in any language sends, each on a port of its own until it ends.

The input is a script in the format of a case, without the case around it.  The output is the
address at which the mock server plays it, and at any time what has happened there.

A play ends by request, or by its bounds: a lifetime, and bytes and connections in all.  Then its
port is closed and its record is kept, for a while.  Its port is on the loopback interface, whatever
the server's own address is.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from certs import CertificateAuthority
from conformance.cases import CaseError, ScriptTable, load_script
from conformance.reproduce import Ports
from conformance.serve.facts import RequestFacts, request_facts
from conformance.serve.gate import Refused
from conformance.wording import counted
from mockserver import Gate, Interim, MockServer, MockServerError, Play, Record, ScriptError, Signal

_TICK = 0.1
"""Seconds between two checks of the bounds."""
_ENTRY = 200
"""Bytes that an entry of a record counts for, in addition to those that it shows."""


@dataclass(frozen=True, slots=True)
class PlaysBounds:
    """Limits for the plays of a server.

    Args:
        script: bytes of a script.
        made: bytes that the notations of a script make, and that a play reads and writes.
        connections: connections of a play.
        plays: plays at the same time, and ended ones whose records are kept.
        wait: seconds that a request waits for a signal.
    """

    script: int = 1 << 20
    made: int = 1 << 26
    connections: int = 1000
    plays: int = 32
    wait: float = 10.0


class PlayTable(ScriptTable, frozen=True, kw_only=True):
    """A script to play: the server's side of a case, and how long to play it.

    A request that no route answers gets a 500 with the reasons, unless `server.unmatched` is reset.
    """

    lifetime: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    patience: Annotated[float, Meta(gt=0, le=600)] = 5.0


class PlaySummary(msgspec.Struct, frozen=True):
    """A play, and where it is played.

    Args:
        id: its name in URLs.
        url: where a client begins: https if the script begins with TLS, else http.
        urls: the beginning of a URL for each scheme that the script speaks.
        host: the address.
        port: the port.
        lifetime: seconds after which it ends.
        ended: whether it has ended.
        reason: what has ended it; null while it is played.
    """

    id: str
    url: str
    urls: dict[Literal["http", "https"], str]
    host: str
    port: int
    lifetime: float
    ended: bool
    reason: str | None


class PlayReport(PlaySummary, frozen=True, kw_only=True):
    """A play, and what has happened in it.

    Args:
        record: the bytes of each connection and what became of it, without times and ports.
        requests: every request, in the order in which they were read.
        complaints: what went against the script, and what it still asks for; empty if it was met.
    """

    record: str
    requests: list[RequestFacts]
    complaints: list[str]


class SignalReport(msgspec.Struct, frozen=True):
    """Whether a signal was given.

    Args:
        given: whether it was.
    """

    given: bool


@dataclass(eq=False, slots=True)
class _Live:
    """A play, its server, and how it ended."""

    id: str
    server: MockServer
    play: Play
    lifetime: float
    until: float
    reason: str | None = None
    record: Record | None = None
    given: frozenset[str] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def summary(self) -> dict[str, Any]:
        """Return what `PlaySummary` says; also after the server has stopped."""
        (host, port), script = self.play.address, self.play.script
        schemes = ["https" if script.is_tls else "http"]
        if script.handshakes and not script.is_tls:  # in a tunnel
            schemes.append("https")
        urls = {one: f"{one}://{Ports(host, port, 0, 0, 0).at(port)}" for one in schemes}
        return {
            "id": self.id,
            "url": urls[schemes[0]],
            "urls": urls,
            "host": host,
            "port": port,
            "lifetime": self.lifetime,
            "ended": self.reason is not None,
            "reason": self.reason,
        }

    @property
    def signals(self) -> dict[str, threading.Event]:
        """The event of each signal of the script."""
        steps = [step for step in self.play.script.steps if isinstance(step, Signal)]
        return {step.name: self.play.named(step.name) for step in steps}

    def end(self, reason: str) -> None:
        """Reset what is open, close the port, and keep the record."""
        with self.lock:
            if self.reason is None:
                self.given = frozenset(name for name, one in self.signals.items() if one.is_set())
                self.record = self.play.settled(0)
                self.reason = reason
                self.play.abort(reason)
                self.server.stop()


class Plays:
    """The plays of a server; safe to share between threads.

    Args:
        authority: makes the certificates.
        bounds: the limits.
    """

    def __init__(self, authority: CertificateAuthority, bounds: PlaysBounds | None = None) -> None:
        self.bounds = bounds or PlaysBounds()
        self._authority = authority
        self._numbers = itertools.count(1)
        self._plays: dict[str, _Live] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._keeper = threading.Thread(target=self._keep, name="serve-plays", daemon=True)

    def begin(self, raw: Any) -> PlaySummary:
        """Begin to play the script *raw*.

        Raises:
            CaseError: it is not a script, with the place and the remedy.
            Refused: there are too many plays.
        """
        table, script = load_script(_with_reasons(raw), PlayTable)
        if not script.line and script.listener.mode == "accept":
            raise CaseError("the script is empty; give it respond, connections or routes")
        self._check_size(raw, script.steps)
        script = replace(script, obliging=True)
        with self._changed:
            if self._stopped or sum(1 for _ in self._running()) >= self.bounds.plays:
                most = counted(self.bounds.plays, "play")
                raise Refused(429, f"{most} are running; DELETE one, or wait until one has ended")
            server = MockServer(
                tls=self._authority.server_context,
                host=table.server.host,
                patience=table.patience,
            )
            try:
                play = server.start().play(script)
            except (ScriptError, MockServerError, OSError) as error:
                server.stop()
                raise CaseError(str(error)) from None
            until = time.monotonic() + table.lifetime
            live = _Live(str(next(self._numbers)), server, play, table.lifetime, until)
            self._plays[live.id] = live
            if not self._keeper.is_alive():
                self._keeper.start()
            self._changed.notify_all()
        return PlaySummary(**live.summary())

    def all(self) -> list[PlaySummary]:
        """Return the plays, in the order in which they began."""
        with self._changed:
            return [PlaySummary(**one.summary()) for one in self._plays.values()]

    def report(self, name: str) -> PlayReport:
        """Return what has happened in a play.

        Raises:
            Refused: there is no such play.
        """
        live = self._of(name)
        record = live.record or live.play.settled()
        return PlayReport(
            **live.summary(),
            record=record.transcript(),
            requests=[request_facts(one) for one in live.play.requests],
            complaints=list(record.complaints()),
        )

    def end(self, name: str) -> None:
        """End a play, and forget it.

        Raises:
            Refused: there is no such play.
        """
        self._of(name).end("deleted")
        with self._changed:
            self._plays.pop(name, None)

    def open_gate(self, name: str, gate: str) -> None:
        """Open a gate of a play, for as long as it lasts.

        Raises:
            Refused: there is no such play, or it has no such gate.
        """
        live = self._of(name)
        gates = sorted({one.name for one in live.play.script.steps if isinstance(one, Gate)})
        if gate not in gates:
            raise Refused(404, f"no gate of this play is called {gate!r}; {_there_are(gates)}")
        live.play.release(gate)

    def await_signal(self, name: str, signal: str, seconds: float) -> SignalReport:
        """Wait for a signal of a play.

        Raises:
            Refused: there is no such play, or it has no such signal.
        """
        live = self._of(name)
        signals = live.signals
        if signal not in signals:
            known = _there_are(sorted(signals))
            raise Refused(404, f"no signal of this play is called {signal!r}; {known}")
        signals[signal].wait(min(seconds, self.bounds.wait))
        with live.lock:
            ended = live.reason is not None
            return SignalReport(signal in live.given if ended else signals[signal].is_set())

    def stop(self) -> None:
        """End every play, and begin no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            plays = list(self._plays.values())
        if self._keeper.is_alive():
            self._keeper.join()
        for live in plays:
            live.end("the server has stopped")

    def _of(self, name: str) -> _Live:
        with self._changed:
            live = self._plays.get(name)
        if live is None:
            raise Refused(
                404, f"there is no play {name!r}; GET /_/plays lists those that there are"
            )
        return live

    def _running(self) -> Iterator[_Live]:
        return (one for one in self._plays.values() if one.reason is None)

    def _check_size(self, raw: Any, steps: list[Any]) -> None:
        """Refuse a script whose notations would fill the memory, before or while it is played."""
        made = _made(raw) + sum(one.times * _ENTRY for one in steps if isinstance(one, Interim))
        if made > self.bounds.made:
            raise CaseError(f"the script makes {made} bytes; it may make {self.bounds.made}")

    def _keep(self) -> None:
        """End the plays that have reached a bound, and forget the oldest of those that ended."""
        while True:
            with self._changed:
                if self._stopped:
                    return
                running = list(self._running())
                for one in list(self._plays.values())[: -self.bounds.plays or None]:
                    if one.reason is not None:
                        del self._plays[one.id]
                if not running:
                    self._changed.wait()
            for one in running:
                if (reason := self._reason(one)) is not None:
                    one.end(reason)
            with self._changed:
                if running and not self._stopped:
                    self._changed.wait(_TICK)

    def _reason(self, one: _Live) -> str | None:
        """Return what ends a play now; None for nothing."""
        connections = tuple(one.play.connections)
        entries = sum(len(each.log) for each in connections)
        if time.monotonic() > one.until:
            return f"its lifetime of {one.lifetime:g} s is over"
        if len(connections) > self.bounds.connections:
            return f"more than {self.bounds.connections} connections, the bound"
        if one.play.progress + entries * _ENTRY > self.bounds.made:
            return f"more than {self.bounds.made} bytes, the bound"
        return None


def _with_reasons(raw: Any) -> Any:
    """Return *raw* so that a request that no route fits is answered with the reasons."""
    if not isinstance(raw, dict) or not raw.get("routes"):
        return raw
    server = raw.get("server", {})
    return {**raw, "server": {"unmatched": "reply", **server}} if isinstance(server, dict) else raw


def _made(raw: Any) -> int:
    """Return how many bytes the repetitions in *raw* make."""
    if isinstance(raw, list):
        return sum(map(_made, raw))
    if not isinstance(raw, dict):
        return 0
    unit, times = raw.get("repeat"), raw.get("times")
    if isinstance(unit, str) and isinstance(times, int):
        return len(unit) * times
    return sum(map(_made, raw.values()))


def _there_are(names: list[str]) -> str:
    return f"there are {', '.join(map(repr, names))}" if names else "there are none"
