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
from mockserver._session import Beginning, Plan, Session, joined
from mockserver._step import Step, WritingStep
from mockserver._tlsfaults import fail_tls


def play(session: Session, ending: Ended | None = None) -> bool:
    """Play the steps until they end, the connection does, or there is nothing to read.

    Args:
        session: What to play, from its current step on.
        ending: What has happened to the session while it was parked.

    Returns:
        Whether it is over; if not, it is to be played on when octets have come.
    """
    try:
        if ending is not None:
            raise ending
        while True:
            plan = session.plan or _planned(session)
            while session.index < len(plan):
                act, argument, beginning = plan[session.index]
                if beginning is not _ACTING and not session.called and session.parks(beginning):
                    return False
                act(session, argument)
                session.index += 1
                if session.plan is not plan:
                    break  # a route has been entered
            else:
                if session.outside is None:
                    return True
                session.leave_route()
    except Released:
        return True
    except Ended as reason:
        _wind_up(session, reason)
        return True


_ACTING = Beginning.ACTING


def _planned(session: Session) -> Plan:
    """The plan of the session's steps; sessions with the same steps share it."""
    steps, plans = session.steps, session.stage.plans
    plan = plans.get(id(steps))
    if plan is None:
        plan = plans[id(steps)] = [
            (_ACTIONS[type(step)], _argument(step, steps), _beginning(step)) for step in steps
        ]
    session.plan = plan
    return plan


def _argument(step: Step, steps: tuple[Step, ...]) -> Any:
    if isinstance(step, control.Goto):
        return steps.index(control.Label(step.label)), step.times
    return step


def _beginning(step: Step) -> Beginning:
    if isinstance(step, control.ReadRequest) and step.optional:
        return Beginning.OPTIONAL
    return _BEGINNINGS.get(type(step), Beginning.ACTING)


_BEGINNINGS: dict[type[Step], Beginning] = {
    control.ReadRequest: Beginning.PATIENT,
    control.Read: Beginning.PATIENT,
    control.ReadUntil: Beginning.PATIENT,
    control.ReadEof: Beginning.PATIENT,
    control.ExpectEof: Beginning.PATIENT,
    control.ExpectReset: Beginning.PATIENT,
    control.ExpectNoBytes: Beginning.SILENT,
    control.Dispatch: Beginning.OPTIONAL,
}


def _wind_up(session: Session, ending: Ended) -> None:
    """Leave no client waiting where the script cannot go on."""
    for entry in session.half_written():
        session.log.extend(entry)
    session.note(ending.note)
    if ending.blamed:
        session.problem(ending.note)
        session.abort()
    elif isinstance(ending, PeerReset):
        session.stream_over = True
    else:
        session.end()


def _write(session: Session, step: WritingStep) -> None:
    pieces = step.pieces()
    written = pieces, joined(pieces)
    session.write_joined(written)
    if len(written[1]) <= _REMEMBERED:
        session.plan[session.index] = Session.write_joined, written, _ACTING


_REMEMBERED = 1 << 16
"""The longest write that is kept, for the next time that its step is played."""


def _write_bulk(session: Session, step: WritingStep) -> None:
    session.let_others_lead()
    for pieces in step.writes():
        session.write(pieces)


def _reply(session: Session, step: writing.Reply) -> None:
    if step.framing != "close":
        _write(session, step)
        return
    session.write(step.pieces())
    session.end_by_script()
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
    session.end_by_script()
    session.end()


def _label(_: Session, __: control.Label) -> None:
    """Nothing happens."""


def _goto(session: Session, jump: tuple[int, int | None]) -> None:
    label, times = jump
    left = session.jumps.pop(session.index, times)
    if left is None:
        session.index = label
    elif left:
        session.jumps[session.index] = left - 1
        session.index = label


def _dispatch(session: Session, _: control.Dispatch) -> None:
    number, route = _routed(session)
    session.enter_route(number, route)


def _routed(session: Session) -> tuple[int, Route]:
    """Read a request; the route that is to answer it."""
    found: list[tuple[int, Route]] = []

    def with_body(head: bytes) -> bool:
        if chosen := session.stage.choose(head):
            found.append(chosen)
        return any(route.body == "framed" for _, route in found)

    reads.take_request(session, _LIMIT, with_body)
    if not found:
        line = session.last_request.lstrip().partition(b"\n")[0].rstrip()
        raise Unanswered(f"{Unanswered.note}: {line[:80]!r}")
    return found[0]


_LIMIT = control.ReadRequest().limit


def _close(session: Session, step: control.Close) -> None:
    session.end_by_script()
    if step.how == "fin":
        session.end()
    elif step.how == "rst":
        session.note(RST_SENT)
        session.abort()
    else:
        session.note(ABANDONED)


def _starttls(session: Session, step: secure.Starttls) -> None:
    session.let_others_lead()
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
    if not session.last_request.startswith(b"CONNECT "):
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
