"""Plays the steps of one connection for a visitor.

In: a channel, in whose buffer the visitor's request may wait already, and steps.  Out: whatever the
steps write, and the events of the transcript.  Each kind of step has an entry in the table at the
end; a step without one, and that writes nothing, cannot be served.
"""

from collections.abc import Callable, Sequence
from ssl import SSLContext
from typing import Any, Protocol

from conformance.serve.channel import BeyondBounds, Channel, Over
from conformance.serve.request_line import wanted
from mockserver import (
    Close,
    Dispatch,
    Drain,
    Dribble,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Gate,
    Goto,
    Label,
    Pause,
    Read,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Reply,
    Route,
    Shutdown,
    Signal,
    Stall,
    Starttls,
    Step,
    Tunnel,
    WritingStep,
)

_LIMIT = ReadRequest().limit


class Stage(Protocol):
    """What the connections of one play share."""

    def give(self, name: str) -> None:
        """Give a signal."""

    def await_name(self, name: str, seconds: float) -> bool:
        """Wait for a signal, and tell whether it came."""

    def choose(self, method: str, target: str) -> Route | None:
        """Return the route for a request; None where none is left."""

    def context(self, step: Starttls) -> SSLContext:
        """Return the TLS context that *step* asks for."""


def can_play(step: Step) -> bool:
    """Tell whether *step* is one that can be served."""
    return isinstance(step, WritingStep | Goto) or type(step) in _ACTIONS


def play(channel: Channel, steps: Sequence[Step], stage: Stage) -> int:
    """Play *steps* as far as the client lets them; return how many were."""
    index, jumps = 0, dict[int, int | None]()
    while index < len(steps):
        step = steps[index]
        try:
            if isinstance(step, Goto):
                index = _after(steps, index, step, jumps)
                continue
            _ACTIONS.get(type(step), _write)(channel, step, stage)
        except Over as reason:
            channel.note(str(reason))
            if isinstance(reason, BeyondBounds):
                channel.reset()
            else:
                channel.end()
            return index
        index += 1
    return index


def _after(steps: Sequence[Step], index: int, step: Goto, jumps: dict[int, int | None]) -> int:
    """Return the index of what is played behind a `Goto`: its label, or the next step."""
    left = jumps.pop(index, step.times)
    if left == 0:
        return index + 1
    jumps[index] = None if left is None else left - 1
    return steps.index(Label(step.label))


def _write(channel: Channel, step: WritingStep, _: Stage) -> None:
    for pieces in step.writes():
        channel.write(pieces)


def _dribble(channel: Channel, step: Dribble, _: Stage) -> None:
    for pieces in step.writes():
        channel.drain()
        channel.write(pieces)


def _reply(channel: Channel, step: Reply, stage: Stage) -> None:
    _write(channel, step, stage)
    if step.framing == "close":
        channel.end()


def _tunnel(channel: Channel, step: Tunnel, stage: Stage) -> None:
    channel.take_request(_LIMIT, lambda _: False)
    _write(channel, step, stage)


def _read_request(channel: Channel, step: ReadRequest, _: Stage) -> None:
    channel.take_request(step.limit, lambda _: step.body == "framed")


def _read(channel: Channel, step: Read, _: Stage) -> None:
    while len(channel.buffer) < step.n:
        _need(channel)
    channel.take(step.n)


def _read_until(channel: Channel, step: ReadUntil, _: Stage) -> None:
    while (found := channel.buffer.find(step.marker)) < 0:
        _need(channel)
    channel.take(found + len(step.marker))


def _need(channel: Channel) -> None:
    if not channel.receive():
        channel.take(len(channel.buffer))
        raise Over("the client ended its stream")


def _read_eof(channel: Channel, _: Step, __: Stage) -> None:
    while channel.receive():
        channel.take(len(channel.buffer))
    channel.take(len(channel.buffer))
    channel.note("the client ended its stream")


def _drain(channel: Channel, _: Drain, __: Stage) -> None:
    channel.drain()


def _gate(channel: Channel, step: Gate, stage: Stage) -> None:
    if not stage.await_name(step.name, channel.bounds.stall):
        raise BeyondBounds(f"no signal {step.name} for {channel.bounds.stall:g} s, the limit")


def _signal(channel: Channel, step: Signal, stage: Stage) -> None:
    channel.note(f"signal {step.name}")
    stage.give(step.name)


def _pause(channel: Channel, step: Pause, _: Stage) -> None:
    channel.pause(step.seconds)


def _stall(channel: Channel, _: Stall, __: Stage) -> None:
    channel.wait_for_closing()


def _end(channel: Channel, _: Shutdown, __: Stage) -> None:
    channel.end()


def _close(channel: Channel, step: Close, _: Stage) -> None:
    if step.how == "fin":
        channel.end()
    elif step.how == "rst":
        channel.reset()
    else:
        channel.note("abandoned")
        channel.wait_for_closing()


def _expect(channel: Channel, _: Expect, __: Stage) -> None:
    channel.note("a request is not compared here")


def _label(_: Channel, __: Label, ___: Stage) -> None:
    """Do nothing: it is a place."""


def _dispatch(channel: Channel, _: Dispatch, stage: Stage) -> None:
    """Answer each request by a route, until one of them ends the connection."""
    found: list[Route | None] = []

    def with_body(head: bytes) -> bool:
        asked = wanted(head)
        route = None if asked is None else stage.choose(asked.method, asked.authority)
        found.append(route)
        return route is not None and route.body == "framed"

    while not channel.ended:
        channel.take_request(_LIMIT, with_body)
        route = found.pop()
        if route is None:
            raise BeyondBounds("no route is left for the request")
        if play(channel, route.steps, stage) < len(route.steps) or route.ends:
            return


def _starttls(channel: Channel, step: Starttls, stage: Stage) -> None:
    channel.start_tls(stage.context(step))


_ACTIONS: dict[type[Step], Callable[[Channel, Any, Stage], None]] = {
    ReadRequest: _read_request,
    Read: _read,
    ReadUntil: _read_until,
    ReadEof: _read_eof,
    ExpectEof: _read_eof,
    ExpectReset: _read_eof,
    ExpectNoBytes: _read_eof,
    Expect: _expect,
    Label: _label,
    Dispatch: _dispatch,
    Reply: _reply,
    Dribble: _dribble,
    Drain: _drain,
    Gate: _gate,
    Signal: _signal,
    Pause: _pause,
    Stall: _stall,
    Shutdown: _end,
    Close: _close,
    Starttls: _starttls,
    Tunnel: _tunnel,
}
