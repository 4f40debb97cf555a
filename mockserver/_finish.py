"""How a play becomes idle, and what is then recorded about each connection.

In come connections whose client has finished its calls, out come facts. A worker is at rest when it
is done, or blocked on its client while the kernel's counts show that nothing is on its way to wake
it. Nothing here is decided by a delay; delays only space the questions.
"""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from mockserver import _kernel
from mockserver._connection import LiveConnection
from mockserver._phase import Owner, Wait
from mockserver._record import ConnectionRecord, events_of

TakeFacts = Callable[[LiveConnection], ConnectionRecord]
_UNSEEN_REST = 0.02
"""Seconds of silence that count as rest where the kernel cannot be asked about the client."""
_IN_FLIGHT = 0.25
"""Seconds for bytes, or a FIN, to cross the loopback; only a peer elsewhere takes longer."""

_BOUNDED = (Wait.TIME, Wait.UPSTREAM)
"""Waits that end without the client, in a time that their step says."""
_MOVING = (Wait.NOTHING, Wait.READY, *_BOUNDED)


def settle(
    connections: Sequence[LiveConnection],
    progress: Callable[[], int],
    deadline: float,
    through_pauses: bool = True,
) -> list[LiveConnection]:
    """Wait until every connection is at rest.

    Args:
        connections: The connections; more may come.
        progress: A number that rises with everything that happens.
        deadline: When to give up, by the monotonic clock.
        through_pauses: Whether pauses are waited for, however long they are.

    Returns:
        Those that did not come to rest in time.
    """
    # One that is at rest can be moved again by another that was not yet, for instance by a signal.
    while not all(one.wire.waits is Wait.OVER for one in connections):
        before = progress()
        late = [one for one in connections if not _settles(one, deadline, through_pauses)]
        if late or progress() == before:
            return late
    return []


def _settles(one: LiveConnection, deadline: float, through_pauses: bool) -> bool:
    def rests() -> bool:
        return _at_rest(one) or (one.wire.waits in _BOUNDED and not through_pauses)

    while not one.wire.condition.wait_for(rests, deadline):
        if one.wire.waits not in _BOUNDED:
            return False
        deadline = time.monotonic() + 1.0  # a pause is as long as it is
    return True


def _at_rest(one: LiveConnection) -> bool:
    wire = one.wire
    waits = wire.waits
    if waits is Wait.OVER:
        return True
    if waits in _MOVING:
        return False
    if waits is Wait.NAME:
        return not (one.gate and one.gate.is_set())
    peer = wire.peer()
    if peer is None:
        return _is_silent(one)
    if not peer.held:
        return False  # its end will wake the thread
    try:
        return _REST[waits](one, peer)
    except (OSError, ValueError):
        return False  # its thread has moved on, and has closed the socket


def is_moving(one: LiveConnection) -> bool:
    """Whether the server has something to do here, so that the client can only wait for it.

    A worker whose wait is over may still wait for a processor. On a busy machine that is seconds,
    most of all in `drain` and `dribble`, where it asks again and again.
    """
    return one.wire.peer() is not None and not _at_rest(one)


def _bytes_rest(one: LiveConnection, peer: _kernel.Peer) -> bool:
    wire = one.wire
    return peer.open and peer.quiet and _kernel.received(wire.sock) == wire.taken


def _closing_rests(_: LiveConnection, peer: _kernel.Peer) -> bool:
    return peer.held


def _taking_rests(_: LiveConnection, peer: _kernel.Peer) -> bool:
    return peer.unread > 0


def _room_rests(one: LiveConnection, _: _kernel.Peer) -> bool:
    """There is no room, and there was none for as long as acknowledgements would need."""
    given = one.wire.given
    time.sleep(0.002)
    return given == one.wire.given and not _has_room(one)


_REST: dict[Wait, Callable[[LiveConnection, _kernel.Peer], bool]] = {
    Wait.BYTES: _bytes_rest,
    Wait.CLOSING: _closing_rests,
    Wait.TAKING: _taking_rests,
    Wait.ROOM: _room_rests,
}


def _has_room(one: LiveConnection) -> bool:
    poll = select.poll()
    poll.register(one.wire.sock, select.POLLOUT)
    return bool(poll.poll(0))


def _is_silent(one: LiveConnection) -> bool:
    before = one.wire.taken, one.wire.given, one.wire.waits
    time.sleep(_UNSEEN_REST)
    return before == (one.wire.taken, one.wire.given, one.wire.waits)


def take_facts(one: LiveConnection) -> ConnectionRecord:
    """The facts about a connection at rest; nothing is given up yet."""
    if one.wire.waits is not Wait.BYTES:  # else its thread has read everything itself
        _take_all(one)
    after, left = _client_state(one)
    return ConnectionRecord(
        events=(*one.events, *events_of(one.half_written()), *one.unread()),
        requests=tuple(one.requests),
        unplayed=tuple(step for _, step in one.unplayed()),
        after=after,
        left=left,
        tls=one.tls,
        source=one.wire.source,
        source_port=one.wire.source_port,
        ended=one.ended_by is not None and not one.surplus,
    )


def facts_so_far(one: LiveConnection) -> ConnectionRecord:
    """The facts about a connection that may go on: all of them, where its steps are over."""
    return take_facts(one) if one.wire.owner is Owner.PLAY else one.record


def _take_all(one: LiveConnection) -> None:
    """Take what no step reads, also what the client's kernel had no room to send until now."""
    if one.drain_input():  # a queue that was full has room again
        one.wire.condition.wait_for(lambda: _has_all(one), time.monotonic() + _IN_FLIGHT)


def _has_all(one: LiveConnection) -> bool:
    peer = one.wire.peer()  # asked first: what it sent before the answer is here
    return not one.drain_input() and (peer is None or peer.quiet)


def unmet_expectations(one: LiveConnection) -> Iterator[str]:
    """What a connection at rest still waits for and the client was expected to do by now."""
    step = one.current
    if step is not None and step.awaited is not None and one.wire.waits is Wait.BYTES:
        yield f"{one.place}: {step.awaited}"


State = tuple[Literal["closed", "kept", "gone"], int | None]


def _client_state(one: LiveConnection) -> State:
    if one.wire.is_reset:
        return "gone", None
    if one.channel.client_ended:
        return "closed", None
    peer = one.wire.peer()
    if peer is None:
        return "kept", None
    if peer.open:
        return "kept", _left(one, peer)
    deadline = time.monotonic() + _IN_FLIGHT
    came = one.wire.condition.wait_for(lambda: _stream_ends(one), deadline)
    return ("closed" if came or not peer.held else "kept"), None


def _stream_ends(one: LiveConnection) -> bool:
    one.drain_input()
    return one.channel.client_ended


def _left(one: LiveConnection, peer: _kernel.Peer | None) -> int | None:
    """The client's unread bytes, once all of ours have come to its kernel."""
    wire, deadline = one.wire, time.monotonic() + _IN_FLIGHT
    while peer and peer.received < wire.given and wire.waits is not Wait.ROOM:
        if time.monotonic() > deadline:
            break
        peer = wire.peer()
    return peer.unread if peer else None
