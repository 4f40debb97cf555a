"""Plays the steps of one connection, in a straight line, on a thread of its own.

In comes a session, out come its events. Each kind of step has one function here; the table at the
end says which. A step that cannot be completed ends the play of its connection, by one of the
endings; what the client does is never an error of the server.
"""

from collections.abc import Callable
from typing import Any

from mockserver import _control as control
from mockserver import _reads as reads
from mockserver import _secure as secure
from mockserver import _writing as writing
from mockserver._endings import (
    Ended,
    PeerReset,
    Released,
    TLSBroken,
    Unanswered,
)
from mockserver._part import Part
from mockserver._record import ABANDONED, CLIENT_CLOSED, RST_SENT, TLS_ESTABLISHED
from mockserver._script import Route
from mockserver._session import Session
from mockserver._step import Step, WritingStep
from mockserver._tlsfaults import fail_tls


def play(session: Session) -> None:
    """Play the steps until they end, or the connection does."""
    try:
        _play_on(session)
    except Released:
        return
    except Ended as ending:
        _wind_up(session, ending)


def _play_on(session: Session) -> None:
    steps = session.steps
    while session.index < len(steps):
        step = steps[session.index]
        _ACTIONS[type(step)](session, step)
        session.index += 1


def _wind_up(session: Session, ending: Ended) -> None:
    """Leave no client waiting where the script cannot go on."""
    session.events += session.half_written()
    session.note(ending.note)
    if ending.blamed:
        session.problem(ending.note)
        session.abort()
    elif isinstance(ending, PeerReset):
        session.stream_over = True
    else:
        session.end()


def _write(session: Session, step: WritingStep) -> None:
    session.write(step.pieces())


def _write_bulk(session: Session, step: WritingStep) -> None:
    for pieces in step.writes():
        session.write(pieces)


def _reply(session: Session, step: writing.Reply) -> None:
    _write(session, step)
    if step.framing == "close":
        session.end()


def _dribble(session: Session, step: writing.Dribble) -> None:
    for pieces in step.writes():
        session.wire.await_taking()
        session.write(pieces)


def _drain(session: Session, _: control.Drain) -> None:
    session.wire.await_taking()


def _gate(session: Session, step: control.Gate) -> None:
    session.stage.await_name(session, step.name)


def _signal(session: Session, step: control.Signal) -> None:
    session.note(f"signal {step.name}")
    session.stage.give(step.name)


def _pause(session: Session, step: control.Pause) -> None:
    session.wire.await_closing(step.seconds)


def _stall(session: Session, _: control.Stall) -> None:
    session.wire.await_closing()
    session.note(CLIENT_CLOSED)


def _shutdown(session: Session, _: control.Shutdown) -> None:
    session.end()


def _label(_: Session, __: control.Label) -> None:
    """Nothing happens."""


def _goto(session: Session, step: control.Goto) -> None:
    left = session.jumps.pop(session.index, step.times)
    if left != 0:
        session.jumps[session.index] = left if left is None else left - 1
        session.index = session.steps.index(control.Label(step.label))


def _dispatch(session: Session, _: control.Dispatch) -> None:
    outside = session.title, session.steps, session.index
    while True:
        session.may_end()
        number, route = _routed(session)
        session.title = f"connection {session.number}, route {number}"
        session.steps, session.index = route.steps, 0
        session.jumps.clear()
        _play_on(session)
        session.title, session.steps, session.index = outside
        if route.ends:
            return


def _routed(session: Session) -> tuple[int, Route]:
    """Read a request; the route that is to answer it."""
    found: list[tuple[int, Route]] = []

    def with_body(head: bytes) -> bool:
        if chosen := session.stage.choose(head):
            found.append(chosen)
        return any(route.body == "framed" for _, route in found)

    reads.take_request(session, _LIMIT, with_body)
    if not found:
        line = session.requests[-1].lstrip().partition(b"\n")[0].rstrip()
        raise Unanswered(f"{Unanswered.note}: {line[:80]!r}")
    return found[0]


_LIMIT = control.ReadRequest().limit


def _close(session: Session, step: control.Close) -> None:
    if step.how == "fin":
        session.end()
    elif step.how == "rst":
        session.note(RST_SENT)
        session.abort()
    else:
        session.note(ABANDONED)


def _starttls(session: Session, step: secure.Starttls) -> None:
    tls = session.encrypt(session.stage.contexts[step])
    try:
        tls.handshake()
    except (TLSBroken, PeerReset) as ending:
        session.tls = f"failed: {ending.note}"
        raise
    session.tls = tls.version
    session.note(TLS_ESTABLISHED + tls.version)


def _tunnel(session: Session, step: secure.Tunnel) -> None:
    reads.take_request(session, 1 << 20, reads.always)
    if not session.requests[-1].startswith(b"CONNECT "):
        session.note("the request is not a CONNECT")
    session.write(step.pieces())


_ACTIONS: dict[type[Step], Callable[[Session, Any], None]] = {
    control.ReadRequest: reads.read_request,
    control.Read: reads.read,
    control.ReadUntil: reads.read_until,
    control.ReadEof: reads.read_eof,
    control.ExpectEof: reads.expect_eof,
    control.ExpectReset: reads.expect_reset,
    control.ExpectNoBytes: reads.expect_no_bytes,
    control.Expect: reads.expect,
    writing.Send: _write,
    writing.Reply: _reply,
    writing.StatusLine: _write,
    writing.Header: _write,
    writing.EndHeaders: _write,
    writing.Interim: _write,
    writing.Chunk: _write,
    writing.LastChunk: _write,
    writing.Fill: _write_bulk,
    writing.Garbage: _write_bulk,
    writing.Dribble: _dribble,
    Part: _write_bulk,
    control.Drain: _drain,
    control.Gate: _gate,
    control.Signal: _signal,
    control.Pause: _pause,
    control.Stall: _stall,
    control.Shutdown: _shutdown,
    control.Label: _label,
    control.Goto: _goto,
    control.Dispatch: _dispatch,
    control.Close: _close,
    secure.Starttls: _starttls,
    secure.TlsFault: fail_tls,
    secure.Tunnel: _tunnel,
}
