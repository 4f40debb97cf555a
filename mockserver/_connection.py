"""One connection while its steps are played: its channel, its buffer, and what has happened on it.

In come the reads and writes of steps, out come events. A `LiveConnection` is used by the worker
that owns it; after its last step by a thread that holds the play's lock. What the connections of
one play share is a `PlayState`.
"""

import dataclasses
import itertools
import threading
from ssl import SSLContext

from mockserver._phase import Ended, EndOfStream, Happens, Owner, PeerReset, Phase, Wait
from mockserver._record import FIN_SENT, UNREAD, ConnectionRecord, Entry, Event, events_of
from mockserver._request import SHORT, Inbox, asks_to_close, head_of, is_bare
from mockserver._state import Plan, PlayState, RoutePlan
from mockserver._step import Begins, Piece, Recipe, Step, joined, place
from mockserver._tls import TLS, Discarding
from mockserver._wire import Wire

_READS_IN_A_ROW = 16
"""How often a client can be read from in one go before other connections are let in."""
_KEPT = 1 << 26
"""How many unread bytes are kept. What comes then stays in the kernel, so that the client has to
wait; after the script's own end of the connection it is counted and discarded instead."""
_DISCARDED_AT_ONCE = 1 << 24
"""Bytes that are discarded before others are let in: a client may send without end."""

# A member of an enum is slow to look up: 40 ns each, of the 8 us that a request takes.
_READY, _OVER, _OPEN = Wait.READY, Wait.OVER, Phase.OPEN
_ACTING, _READING, _OPTIONAL = Begins.ACTING, Begins.READING, Begins.OPTIONAL


class LiveConnection:
    """One connection under play.

    Attributes:
        number: Which connection of its play it is, from 1.
        title: How messages name what is played: the connection, or the route on it.
        steps: What is played.
        plan: How it is played.
        index: The step that is being played.
        jumps: How many times each `Goto`, by its index, still goes back.
        outside: What is to be played on when a route is over.
        wire: The raw connection: its phase, its owner, its waits.
        channel: What steps read and write: the wire, or TLS over it.
        state: What the connections of the play share.
        buffer: What has arrived and no step has taken yet.
        last_request: The request that was read last, raw.
        request_count: How many have been read.
        request_is_whole: Whether the step that read last has read a request to its end.
        asks_to_close: Whether it asks that the connection be closed after the response.
        log: What has happened.
        expects: How the step that reads next began, until it has something: a client may end where
            it is `OPTIONAL`.
        ended_by: The step that ended the connection, or our stream on it.
        surplus: How many bytes had come by then that belong to no request.
        discarded: How many bytes came after those that are kept.
        tls: What the handshake led to.
        gate: The signal that a gate waits for, or waited for last.
        unread_since: When bytes after the last step were seen first, by the monotonic clock.
    """

    __slots__ = (  # a play can have a great many
        "_given",
        "_inbox",
        "_reads_in_a_row",
        "_taken",
        "_writing",
        "_writing_from",
        "asks_to_close",
        "buffer",
        "channel",
        "discarded",
        "ended_by",
        "expects",
        "gate",
        "index",
        "jumps",
        "last_request",
        "log",
        "number",
        "outside",
        "plan",
        "request_count",
        "request_is_whole",
        "state",
        "steps",
        "surplus",
        "title",
        "tls",
        "unread_since",
        "wire",
    )

    def __init__(
        self, number: int, steps: tuple[Step, ...], plan: Plan, wire: Wire, state: PlayState
    ) -> None:
        self.number = number
        self.title = f"connection {number}"
        self.steps = steps
        self.plan = plan
        self.wire = wire
        self.state = state
        self.channel: Wire | TLS | Discarding = wire
        self.buffer = bytearray()
        self.index = 0
        self.jumps: dict[int, int | None] = {}
        self.outside: tuple[str, tuple[Step, ...], Plan, int] | None = None
        self.last_request = b""
        self.request_count = 0
        self.request_is_whole = False
        self.asks_to_close = False
        self.log: list[Entry] = []
        self.expects = _ACTING
        self.ended_by: Step | None = None
        self.surplus = 0
        self.discarded = 0
        self.tls: str | None = None
        self.gate: threading.Event | None = None
        self.unread_since = 0.0
        self._inbox: Inbox | None = None
        self._reads_in_a_row = 0
        self._taken = 0
        self._given = 0
        self._writing: tuple[tuple[str, bytes | Recipe], ...] = ()
        self._writing_from = 0

    def followed_by(
        self, number: int, steps: tuple[Step, ...], plan: Plan, state: PlayState
    ) -> "LiveConnection":
        """Another play on the same connection; what has arrived, and TLS, go over to it."""
        later = LiveConnection(number, steps, plan, self.wire, state)
        later.channel = self.channel
        later.buffer = self.buffer
        return later

    # ------------------------------------------------------------------------ what is known

    @property
    def place(self) -> str:
        """How messages name the step that is being played."""
        return place(self.title, self.index, self.steps[self.index])

    @property
    def current(self) -> Step | None:
        """The step that is being played; None after the last."""
        return self.steps[self.index] if self.index < len(self.steps) else None

    @property
    def events(self) -> list[Event]:
        """What has happened, each piece of a write as an event of its own."""
        return list(events_of(tuple(self.log)))

    @property
    def requests(self) -> list[bytes]:
        """Each request that a step has read, raw."""
        entries = tuple(self.log)
        return [what for _, _, what, role, _ in entries if role == "request"]  # type: ignore[misc]  # these are bytes

    @property
    def so_far(self) -> ConnectionRecord:
        """The record of what has happened up to now, without what is known only at the end.

        What is being written counts: a client that has the bytes finds them in the record.
        """
        writing, at = self._writing, self._given
        log = tuple(self.log)
        if writing and not (log and log[-1][2] is writing):
            log = (*log, (">", at, writing, "", self.index))
        return ConnectionRecord(
            tuple(events_of(log)),
            tuple(self.requests),
            tls=self.tls,
            source=self.wire.source,
            source_port=self.wire.source_port,
        )

    @property
    def record(self) -> ConnectionRecord:
        """The record up to now; with the steps that were not played, once it is over."""
        if self.wire.owner is Owner.WORKER:
            return self.so_far
        unplayed = tuple(step for _, step in self.unplayed())
        return dataclasses.replace(self.so_far, unplayed=unplayed)

    @property
    def inbox(self) -> Inbox:
        """The buffer, with places in it; most connections have no need of it."""
        if self._inbox is None:
            self._inbox = Inbox(self._receive, self.buffer)
        return self._inbox

    @property
    def is_awaited_with_patience(self) -> bool:
        """Whether the wait for the step that reads next can expire."""
        return self.expects is _READING or self.expects is _ACTING

    @property
    def is_to_close(self) -> bool:
        """Whether the latest request asks that the connection be closed, and has a response."""
        if not (self.asks_to_close and self.state.obliging) or self.ended_by is not None:
            return False
        since = itertools.takewhile(lambda entry: entry[3] != "request", reversed(self.log))
        return any(entry[0] == ">" for entry in since)

    def unplayed(self) -> list[tuple[str, Step]]:
        """The steps that were not completed, each with its place."""
        if self.expects is _OPTIONAL:
            return []
        first = self.index + (self.current is not None and self.current.lasts)
        rest = enumerate(self.steps[first:], first)
        return [(place(self.title, index, step), step) for index, step in rest]

    # ------------------------------------------------------------------------ noting

    def note(self, text: str) -> None:
        """Put a line without bytes into the transcript."""
        over = self.index >= len(self.steps) or self.wire.waits is _OVER
        self.log.append(("note", 0, b"", text, -1 if over else self.index))

    def problem(self, text: str) -> None:
        """Note, at this step, something that went against the script."""
        self.state.problem(f"{self.place}: {text}")

    def took(self, data: bytes, role: str) -> None:
        """Note bytes that a step has read."""
        if data:
            self.log.append(("<", self._taken, data, role, self.index))
            self._taken += len(data)

    def took_unkept(self, count: int) -> None:
        """Count bytes that a step has read and that are not kept in the record."""
        self._taken += count

    def took_request(self, raw: bytes, whole: bool) -> None:
        """Note a request that a step has read.

        Args:
            raw: What was read of it.
            whole: Whether it cannot go on after that.
        """
        self.log.append(("<", self._taken, raw, "request", self.index))
        self._taken += len(raw)
        self.last_request = raw
        self.request_count += 1
        self.request_is_whole = whole
        self.asks_to_close = asks_to_close(raw if len(raw) <= SHORT else head_of(raw))
        self.state.came.append((self.number, raw))

    # ------------------------------------------------------------------------ writing

    def write(self, pieces: tuple[Piece, ...], data: bytes | None = None) -> None:
        """Write pieces, all in one write, and note them.

        Args:
            pieces: What to write.
            data: The bytes of the pieces, where they have been joined before.
        """
        if data is None:
            data = joined(pieces)
        self._writing = pieces
        self._writing_from = self.wire.given
        self.channel.write(data)
        self.log.append((">", self._given, pieces, "", self.index))
        self._writing = ()
        self._given += len(data)

    def write_recipe(self, role: str, recipe: Recipe) -> None:
        """Write the bytes of a recipe a block at a time, and note them as one write."""
        self._writing = writing = ((role, recipe),)
        self._writing_from = self.wire.given
        for block in recipe.blocks():
            self.channel.write(block)
        self.log.append((">", self._given, writing, "", self.index))
        self._writing = ()
        self._given += len(recipe)

    def pass_on(self, data: bytes) -> None:
        """Write bytes that are counted and not kept in the record."""
        self.channel.write(data)
        self._given += len(data)

    def half_written(self) -> list[Entry]:
        """What the kernel has taken of a write that did not come to its end."""
        entries: list[Entry] = []
        offset = self._given
        count = 0 if isinstance(self.channel, TLS) else self.wire.given - self._writing_from
        for role, data in self._writing:
            if part := data[:count]:
                entries.append((">", offset, part, role, self.index))
            offset += len(part)
            count -= len(part)
        return entries

    def break_off_write(self) -> None:
        """Note what the kernel has taken of a write that will not come to its end."""
        self.log += self.half_written()
        self._writing = ()

    def encrypt(self, context: SSLContext) -> TLS:
        """Put TLS on the channel; bytes that have arrived already belong to it."""
        tls = TLS(self.wire, context, bytes(self.buffer))
        self.buffer.clear()
        self.channel = tls
        return tls

    def discard_input(self) -> None:
        """Discard what still comes: after a fault of TLS it can only be an alert."""
        self.channel = Discarding(self.wire)

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass; by the real time, the client's closing ends that early."""
        if self.state.clock is None:
            self.wire.await_closing(seconds)
            return
        gate = self.gate = self.state.named(f"pause {self.number} of {id(self)} at {len(self.log)}")
        self.state.clock.start(seconds, gate)
        self.wire.await_name(lambda _: gate.wait())

    def let_others_lead(self) -> None:
        """Give the lead away before a step that can keep its thread busy for long."""
        if self.state.others_may_play:
            self.wire.step_aside()

    # ------------------------------------------------------------------------ reading

    def can_wait_without_thread(self, begins: Begins) -> bool:
        """Whether to let go of the thread, because a step that reads has nothing to read yet.

        Args:
            begins: How the step begins.
        """
        buffer, wire = self.buffer, self.wire
        self.expects = _READING if buffer and begins is _OPTIONAL else begins
        if buffer or self.channel is not wire or (wire.phase is not _OPEN and wire.client_ended):
            return False
        if wire.selector is not None:  # it may have come there: asking costs a call to the kernel
            self._reads_in_a_row = 0
            return True
        if not self.state.others_may_play:
            return False  # a brief wait is cheaper
        try:
            data = wire.rest()
        except PeerReset:
            return False  # the step itself has to meet it
        if data is None:
            return True
        if data:
            self.expects = _ACTING
        buffer += data
        return False

    def bare_request(self, limit: int) -> bytes | None:
        """A request without a body, if nothing else comes next, and in one piece; else None.

        It does what the `Inbox` does with the same bytes, at a third of the cost.
        """
        buffer = self.buffer
        if buffer:
            data = bytes(buffer)
        elif self.wire.waits is _READY:  # it waited without a thread, so there is no TLS
            data = self.wire.read()
            if data:
                self.expects = _ACTING
        else:
            data = self._receive()
        if len(data) <= SHORT and len(data) <= limit and is_bare(data):
            buffer.clear()
            return data
        if not data:
            raise EndOfStream
        buffer[:] = data
        return None

    def _receive(self) -> bytes:
        data = None
        ready = self.wire.waits is _READY
        if not ready and self.state.others_may_play:  # in the midst of a step, which may take long
            data = self.channel.rest()
            self._reads_in_a_row += 1
            if data is None or self._reads_in_a_row > _READS_IN_A_ROW:
                self.wire.step_aside()
        if data is None:
            data = self.channel.read(patient=self.is_awaited_with_patience)
        if data:
            self.expects = _ACTING
        return data

    def drain_input(self) -> bool:
        """Move bytes that no step reads into the buffer, without waiting; whether any came."""
        before, most = self.wire.taken, self.discarded + _DISCARDED_AT_ONCE
        while not (self.channel.client_ended or self.wire.is_reset):
            room = _KEPT - len(self.buffer)
            if not (room or (self.ended_by is not None and self.discarded < most)):
                break
            try:
                data = self.channel.rest()
            except Ended:
                break
            if data is None:
                break
            self.buffer += data[:room]
            self.discarded += max(0, len(data) - room)
        return self.wire.taken > before

    def unread(self) -> list[Event]:
        """The events for the bytes that no step has read."""
        events = [Event("<", self._taken, bytes(self.buffer), UNREAD, -1)] if self.buffer else []
        if self.discarded:
            text = f"{self.discarded} more bytes came and were not kept"
            events.append(Event("note", 0, b"", text, -1))
        return events

    # ------------------------------------------------------------------------ routes

    def enter_route(self, route: RoutePlan) -> None:
        """Play a route's steps next, in place of the step that has chosen it."""
        self.outside = self.title, self.steps, self.plan, self.index + route.ends
        self.title = f"connection {self.number}, {route.title}"
        self.steps, self.plan = route.steps, route.plan
        self.index = -1  # the step that has chosen is over
        self.jumps.clear()

    def leave_route(self) -> bool:
        """Go back to where the route was chosen, or after it where it has ended everything.

        Returns:
            Whether a route was being played.
        """
        if self.outside is None:
            return False
        self.title, self.steps, self.plan, self.index = self.outside
        self.outside = None
        return True

    def skip_all(self) -> None:
        """Play nothing more, and miss nothing: the connection has ended where it should."""
        self.index = len(self.steps)
        self.outside = None

    def skip_rest(self) -> None:
        """Play nothing after this step, which has ended the connection."""
        if self.index + 1 < len(self.steps):
            self.problem("the answer ends the connection, and steps come after it")
        self.index = len(self.steps) - 1
        if self.outside is not None:
            title, steps, plan, index = self.outside
            self.outside = title, steps, plan, index + 1

    def go_to(self, index: int, times: int | None) -> None:
        """Play on after an earlier step, so many times; then go on as usual."""
        left = self.jumps.pop(self.index, times)
        if left == 0:
            return
        if left is not None:
            self.jumps[self.index] = left - 1
        self.index = index

    # ------------------------------------------------------------------------ ending

    def end_by(self, step: Step) -> None:
        """Note that a step ends the connection; what the client still sends may be in flight.

        What has come together with the end of a request, and belongs to none, was not.
        """
        if self.ended_by is None and self.request_is_whole:
            self.surplus = len(self.buffer)
        self.ended_by = step

    def end(self) -> None:
        """End our stream in order."""
        if not self.wire.server_ended:
            self.note(FIN_SENT)
            self.channel.end()

    def end_bare(self) -> None:
        """End our stream without what TLS says before."""
        self.note(FIN_SENT)
        self.wire.end()

    def abort(self) -> None:
        """Reset the connection."""
        self.wire.happens(Happens.SERVER_RESETS)
        self.wire.sock.close()
