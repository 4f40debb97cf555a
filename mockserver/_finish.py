"""How a play comes to rest, and what is then known about each connection.

In come sessions whose client has finished its calls, out come facts. A thread is at rest when it is
over, or blocked on its peer while the kernel's counts show that nothing is on its way to wake it.
Nothing here is decided by a delay; delays only space the questions.
"""

import select
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from mockserver import _kernel
from mockserver._blocking import Wait
from mockserver._control import ExpectEof, ExpectNoBytes, ExpectReset, Stall
from mockserver._record import ConnectionRecord
from mockserver._session import Session, events_of
from mockserver._step import Step

if TYPE_CHECKING:
    from mockserver._play import Play

_UNSEEN_REST = 0.02
"""Seconds of silence that stand for rest where the kernel cannot be asked about the client."""
_IN_FLIGHT = 0.25
"""Seconds for octets, or a FIN, to cross the loopback; only a peer elsewhere takes longer."""


def settle(play: "Play", deadline: float) -> list[Session]:
    """Wait until every session is at rest; returns those that did not come to rest in time."""
    while not all(one.wire.waits is Wait.OVER for one in play.sessions):
        before = play.progress
        late = [one for one in play.sessions if not _settles(one, deadline)]
        if late or play.progress == before:
            return late
    return []


def _settles(session: Session, deadline: float) -> bool:
    until = session.wire.bell.until
    while not until(lambda: _at_rest(session), deadline):
        if session.wire.waits is not Wait.TIME:
            return False
        deadline = time.monotonic() + 1.0  # a pause is as long as it is
    return True


def _at_rest(session: Session) -> bool:
    wire = session.wire
    waits = wire.waits
    if waits is Wait.OVER:
        return True
    if waits is Wait.NOTHING or waits is Wait.TIME:
        return False
    if waits is Wait.NAME:
        return not (session.gate and session.gate.is_set())
    peer = wire.peer()
    if peer is None:
        return _is_silent(session)
    if not peer.held:
        return not session.let_the_end_in()  # the end of the stream will wake it
    try:
        return _REST[waits](session, peer)
    except (OSError, ValueError):
        return False  # its thread has moved on, and has closed the socket


def _octets_rest(session: Session, peer: _kernel.Peer) -> bool:
    wire = session.wire
    return peer.open and peer.quiet and _kernel.received(wire.sock) == wire.taken


def _closing_rests(_: Session, peer: _kernel.Peer) -> bool:
    return peer.held


def _taking_rests(_: Session, peer: _kernel.Peer) -> bool:
    return peer.unread > 0


def _room_rests(session: Session, _: _kernel.Peer) -> bool:
    """There is no room, and none has come about in a while that acknowledgements would need."""
    given = session.wire.given
    time.sleep(0.002)
    return given == session.wire.given and not _has_room(session)


_REST: dict[Wait, Callable[[Session, _kernel.Peer], bool]] = {
    Wait.OCTETS: _octets_rest,
    Wait.CLOSING: _closing_rests,
    Wait.TAKING: _taking_rests,
    Wait.ROOM: _room_rests,
}


def _has_room(session: Session) -> bool:
    poll = select.poll()
    poll.register(session.wire.sock, select.POLLOUT)
    return bool(poll.poll(0))


def _is_silent(session: Session) -> bool:
    before = session.wire.taken, session.wire.given, session.wire.waits
    time.sleep(_UNSEEN_REST)
    return before == (session.wire.taken, session.wire.given, session.wire.waits)


def take_facts(session: Session) -> ConnectionRecord:
    """The facts about a session at rest; nothing is released yet."""
    waits = session.wire.waits
    if waits is not Wait.OCTETS:  # its thread has read everything itself
        _take_all(session)
    after, left = _client_state(session)
    return ConnectionRecord(
        events=(
            *session.events,
            *(event for entry in session.half_written() for event in events_of(entry)),
            *session.unread(),
        ),
        requests=tuple(session.requests),
        unplayed=tuple(step for _, step in unplayed(session)),
        after=after,
        left=left,
        tls=session.tls,
        source=session.wire.source,
        ended=session.ended_by_script and not session.surplus,
    )


def _take_all(session: Session) -> None:
    """Take what no step reads, also what the client's kernel had no room to send until now."""
    if session.drink():  # a queue that was full has room again
        session.wire.bell.until(lambda: _has_all(session), time.monotonic() + _IN_FLIGHT)


def _has_all(session: Session) -> bool:
    peer = session.wire.peer()  # asked first: what it sent before the answer is here
    return not session.drink() and (peer is None or peer.quiet)


def unplayed(session: Session) -> list[tuple[str, Step]]:
    """The steps that a session at rest has not completed, each with its place."""
    return session.unplayed((Stall, ExpectNoBytes))


def unmet_expectations(session: Session) -> Iterator[str]:
    """What a session at rest still waits for and the client was expected to do by now."""
    wanted = _AWAITED.get(_current(session))
    if wanted is not None and session.wire.waits is Wait.OCTETS:
        yield f"{session.place}: {wanted}"


_AWAITED: dict[type[Step] | None, str] = {
    ExpectEof: "the client has not ended its stream",
    ExpectReset: "the client has not reset the connection",
}


def _current(session: Session) -> type[Step] | None:
    return type(session.steps[session.index]) if session.index < len(session.steps) else None


State = tuple[Literal["closed", "kept", "gone"], int | None]


def _client_state(session: Session) -> State:
    if session.reset:
        return "gone", None
    if session.stream_over:
        return "closed", None
    peer = session.wire.peer()
    if peer is None:
        return "kept", None
    if peer.open:
        return "kept", _left(session, peer)
    deadline = time.monotonic() + _IN_FLIGHT
    came = session.wire.bell.until(lambda: _stream_ends(session), deadline)
    return ("closed" if came or not peer.held else "kept"), None


def _stream_ends(session: Session) -> bool:
    session.drink()
    return session.stream_over


def _left(session: Session, peer: _kernel.Peer | None) -> int | None:
    """The client's unread octets, once all of ours have come to its kernel."""
    wire, deadline = session.wire, time.monotonic() + _IN_FLIGHT
    while peer and peer.received < wire.given and wire.waits is not Wait.ROOM:
        if time.monotonic() > deadline:
            break
        peer = wire.peer()
    return peer.unread if peer else None
