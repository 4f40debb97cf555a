"""One accepted connection while it is played: its channel, its inbox, and what has happened on it.

In come the player's reads and writes, out come events. A session is used by the thread that plays
it until `wire.waits` says that this is over; after that, by whoever holds the play's lock.
"""

import enum
import threading
from collections.abc import Callable, Iterator, Mapping
from ssl import SSLContext
from typing import Any, Literal, Protocol

from mockserver._blocking import Wait
from mockserver._endings import Ended, EndOfStream, PeerReset
from mockserver._order import place
from mockserver._record import FIN_SENT, UNREAD, Event
from mockserver._request import SHORT, Inbox, is_bare
from mockserver._script import Route
from mockserver._secure import Starttls
from mockserver._step import Piece, Step
from mockserver._tls import TLS
from mockserver._wire import Wire

_GULPS = 16
"""How often a client can be read from in one turn before others are let in."""
_KEPT = 1 << 26
"""How many unread octets are kept. What comes then stays in the kernel, so that the client has to
wait; after the script's own end of the connection it is counted and thrown away instead."""
_DISCARDED_AT_ONCE = 1 << 24
"""Octets that are thrown away before others are let in: a client may send without end."""


class Stage(Protocol):
    """What a session needs of its play."""

    contexts: Mapping[Starttls, SSLContext]
    came: list[int | bytes]
    plans: dict[int, "Plan"]

    @property
    def address_text(self) -> bytes:
        """The server's address as a Host field has it."""

    @property
    def crowded(self) -> bool:
        """Whether others may have something to play while a session waits for octets."""

    def problem(self, text: str) -> None:
        """Note something that went against the script."""

    def choose(self, head: bytes) -> tuple[int, Route] | None:
        """The route for a request, and its number from 1; None where none is left."""

    def give(self, name: str) -> None:
        """Give a signal."""

    def await_name(self, session: "Session", name: str) -> None:
        """Wait for a signal."""

    def leave(self, session: "Session") -> None:
        """Take a session back from its thread."""


Entry = tuple[Literal["<", ">", "note"], int, bytes | tuple[Piece, ...], str, int]
"""An event, or, with pieces in place of octets, the events of one write: made short, told long."""
Log = list[str | int | bytes | tuple[Piece, ...]]
"""The fields of entries, one after the other: so the collector of garbage has nothing to walk."""
Plan = list[tuple[Callable[["Session", Any], None], Any, "Beginning"]]
"""For each step what plays it, with what, and how it begins; the player makes and knows it."""


class Beginning(enum.Enum):
    """How a step begins, as far as it can leave its thread to others."""

    ACTING = "not by reading"
    PATIENT = "by reading, within the server's patience"
    OPTIONAL = "by reading, and the client may end there instead"
    SILENT = "by reading nothing, for as long as it takes"


_OPTIONAL, _SILENT = Beginning.OPTIONAL, Beginning.SILENT
_OVER = Wait.OVER


def events_of(entry: Entry) -> Iterator[Event]:
    """The events of an entry, each piece of a write by itself."""
    direction, offset, what, role, step = entry
    if isinstance(what, bytes):
        yield Event(direction, offset, what, role, step)
        return
    for piece_role, data in what:
        if data:
            yield Event(direction, offset, data, piece_role, step)
            offset += len(data)


def entries_of(log: Log) -> Iterator[Entry]:
    """The entries of a log, as far as it has come."""
    fields: Iterator[Any] = iter(tuple(log))
    return zip(fields, fields, fields, fields, fields, strict=True)


def joined(pieces: tuple[Piece, ...]) -> bytes:
    """The octets of pieces."""
    return pieces[0].data if len(pieces) == 1 else b"".join([piece.data for piece in pieces])


class Session:
    """One connection under play.

    Attributes:
        title: How messages name what is played: the connection, or the route on it.
        steps: What is played.
        plan: How it is played; made by the player.
        last_request: The request that was read last, raw.
        request_count: How many have been read.
        log: What has happened, as the fields of short entries.
        buffer: What has arrived and no step has taken yet.
        index: The step that is being played.
        jumps: How many times each `Goto`, by its index, still goes back.
        excused: Whether the client may end here, and no step is missed then.
        endless: Whether the wait for the step that reads next has no patience that runs out.
        deaf: Whether what still comes means nothing, and is thrown away.
        ended_by_script: Whether a step has ended the connection, or our side of it.
        whole: Whether the step that read last has read a request to its end.
        surplus: Whether more than this request had come already when a step ended the connection.
        discarded: Octets that came after those that are kept.
        called: Whether octets, or an end, are known to have come for the step that reads next.
        outside: What is to be played on when a route is over: title, steps and index.
        reset: Whether we reset the connection.
        stream_over: Whether the client's stream has been read to its end, or broke.
        tls: What the handshake came to.
        gate: The signal that a gate waits for, or waited for last.
        unread_since: When octets behind the last step were seen first, by the monotonic clock.
    """

    __slots__ = (  # a play can have a great many
        "_given",
        "_gulps",
        "_inbox",
        "_taken",
        "_writing",
        "_writing_from",
        "buffer",
        "called",
        "channel",
        "deaf",
        "discarded",
        "ended_by_script",
        "endless",
        "excused",
        "gate",
        "index",
        "jumps",
        "last_request",
        "log",
        "number",
        "outside",
        "plan",
        "request_count",
        "reset",
        "stage",
        "steps",
        "stream_over",
        "surplus",
        "title",
        "tls",
        "unread_since",
        "whole",
        "wire",
    )

    def __init__(self, number: int, steps: tuple[Step, ...], wire: Wire, stage: Stage) -> None:
        self.number = number
        self.title = f"connection {number}"
        self.steps = steps
        self.wire = wire
        self.stage = stage
        self.channel: Wire | TLS = wire
        self.buffer = bytearray()
        self._inbox: Inbox | None = None
        self.log: Log = []
        self.plan: Plan = []
        self.last_request = b""
        self.request_count = 0
        self.index = 0
        self.jumps: dict[int, int | None] = {}
        self.excused = False
        self.endless = False
        self.deaf = False
        self.ended_by_script = False
        self.whole = False
        self.surplus = False
        self.discarded = 0
        self.called = False
        self.outside: tuple[str, tuple[Step, ...], int] | None = None
        self.reset = False
        self.stream_over = False
        self.tls: str | None = None
        self.gate: threading.Event | None = None
        self.unread_since = 0.0
        self._gulps = 0
        self._taken = 0
        self._given = 0
        self._writing: tuple[Piece, ...] = ()
        self._writing_from = 0

    @property
    def inbox(self) -> Inbox:
        """The buffer, with places in it; most connections have no need of it."""
        if self._inbox is None:
            self._inbox = Inbox(self._receive, self.buffer)
        return self._inbox

    @property
    def place(self) -> str:
        """How messages name the step that is being played."""
        return place(self.title, self.index, self.steps[self.index])

    def note(self, text: str) -> None:
        """Put a line without octets into the transcript."""
        self.log.extend(("note", 0, b"", text, self._step))

    def problem(self, text: str) -> None:
        """Note, at this step, something that went against the script."""
        self.stage.problem(f"{self.place}: {text}")

    def took(self, data: bytes, role: str) -> None:
        """Note octets that a step has read."""
        if data:
            self.log.extend(("<", self._taken, data, role, self.index))
            self._taken += len(data)

    def took_request(self, raw: bytes) -> None:
        """Note a request that a step has read."""
        self.log.extend(("<", self._taken, raw, "request", self.index))
        self._taken += len(raw)
        self.last_request = raw
        self.request_count += 1
        self.stage.came.extend((self.number, raw))

    @property
    def events(self) -> list[Event]:
        """What has happened, each piece of a write by itself."""
        return [event for entry in entries_of(self.log) for event in events_of(entry)]

    @property
    def requests(self) -> list[bytes]:
        """Each request that a step has read, raw."""
        return [what for _, _, what, role, _ in entries_of(self.log) if role == "request"]  # type: ignore[misc]  # these are octets

    def write(self, pieces: tuple[Piece, ...]) -> None:
        """Write pieces, all in one write, and note them."""
        self.write_joined((pieces, joined(pieces)))

    def write_joined(self, written: tuple[tuple[Piece, ...], bytes]) -> None:
        """Write pieces whose octets have been joined already, and note them."""
        pieces, data = written
        self._writing = pieces
        self._writing_from = self.wire.given
        self.channel.write(data)
        self._writing = ()
        self.log.extend((">", self._given, pieces, "", self.index))
        self._given += len(data)

    def half_written(self) -> list[Entry]:
        """What the kernel has taken of a write that did not come to its end."""
        entries: list[Entry] = []
        offset = self._given
        count = self.wire.given - self._writing_from if self.channel is self.wire else 0
        for role, data in self._writing:
            if part := data[:count]:
                entries.append((">", offset, part, role, self.index))
            offset += len(part)
            count -= len(part)
        return entries

    def encrypt(self, context: SSLContext) -> TLS:
        """Put TLS on the channel; octets that have arrived already belong to it."""
        tls = TLS(self.wire, context, bytes(self.buffer))
        self.buffer.clear()
        self.channel = tls
        return tls

    def let_others_lead(self) -> None:
        """Give the lead away before a step that can keep its thread busy for long."""
        if self.stage.crowded:
            self.wire.step_aside()

    def parks(self, beginning: Beginning) -> bool:
        """Whether to let go of the thread, because a step that reads has nothing to read yet."""
        buffer = self.buffer
        self.excused = beginning is _OPTIONAL and not buffer
        self.endless = self.excused or beginning is _SILENT
        if self.called or buffer or self.channel is not self.wire or self.stream_over:
            return False
        if self.wire.heard:
            self._gulps = 0
            return True
        if not self.stage.crowded:
            return False  # a brief wait is cheaper
        try:
            data = self.wire.rest()
        except PeerReset:
            return False  # the step itself has to meet it
        if data is None:
            return True
        self._take_note(data)
        buffer += data
        return False

    def enter_route(self, number: int, route: Route) -> None:
        """Play a route's steps next, in place of the step that has chosen it."""
        self.outside = self.title, self.steps, self.index + route.ends
        self.title = f"connection {self.number}, route {number}"
        self.steps, self.index = route.steps, -1  # the step that has chosen is over
        self.plan = []
        self.jumps.clear()

    def leave_route(self) -> None:
        """Go back to where the route was chosen, or behind it where the route has ended it all."""
        if self.outside is not None:
            self.title, self.steps, self.index = self.outside
            self.plan = []
            self.outside = None

    def unplayed(self, waits_in_vain: tuple[type[Step], ...]) -> list[tuple[str, Step]]:
        """The steps that were not completed, each with its place.

        Args:
            waits_in_vain: Steps that need no end of their own.
        """
        if self.excused:
            return []
        over = self.index < len(self.steps) and isinstance(self.steps[self.index], waits_in_vain)
        first = self.index + over
        rest = enumerate(self.steps[first:], first)
        return [(place(self.title, index, step), step) for index, step in rest]

    def end_by_script(self) -> None:
        """Note that a step ends the connection; what the client still sends may be in flight.

        What has come together with the end of a request, and belongs to none, was not.
        """
        self.surplus = self.surplus or (self.whole and bool(self.buffer))
        self.ended_by_script = True

    def end(self) -> None:
        """End our stream in order."""
        if not self.wire.ended:
            self.note(FIN_SENT)
            self.channel.end()

    def end_bare(self) -> None:
        """End our stream without what TLS says before."""
        self.note(FIN_SENT)
        self.wire.end()

    def abort(self) -> None:
        """Reset the connection."""
        self.reset = True
        self.wire.sock.close()

    def drink(self) -> bool:
        """Move octets that no step reads into the inbox, without waiting; whether any came."""
        before, most = self.wire.taken, self.discarded + _DISCARDED_AT_ONCE
        while not (self.reset or self.stream_over):
            room = _KEPT - len(self.buffer)
            if not (room or (self.ended_by_script and self.discarded < most)):
                break
            try:
                data = self.channel.rest()
            except Ended:
                data = b""
            if data is None:
                break
            if not self.deaf:
                self.buffer += data[:room]
                self.discarded += max(0, len(data) - room)
            self.stream_over = not data
        return self.wire.taken > before

    def let_the_end_in(self) -> bool:
        """For an observer: make room for an end of stream behind octets that no step reads.

        Returns:
            Whether the end can still come in; not where the client has sent too much to be kept.
        """
        with self.wire.moving:
            if self.wire.waits is Wait.CLOSING:
                self.drink()
        return len(self.buffer) < _KEPT

    def unread(self) -> list[Event]:
        """The events for the octets that no step has read."""
        events = [Event("<", self._taken, bytes(self.buffer), UNREAD, -1)] if self.buffer else []
        if self.discarded:
            text = f"{self.discarded} more octets came and were not kept"
            events.append(Event("note", 0, b"", text, -1))
        return events

    def bare_request(self, limit: int) -> bytes | None:
        """A request without a body, if nothing else comes next, and in one piece; else None.

        It comes to what the `Inbox` makes of the same octets, at a third of the cost.
        """
        buffer = self.buffer
        if buffer:
            data = bytes(buffer)
        elif self.called:  # it was parked, so there is no TLS
            self.called = False
            data = self.wire.read()
            if data:
                self.excused = self.endless = False
            else:
                self.stream_over = True
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
        if not self.called and self.stage.crowded:  # in the midst of a step, which may take long
            data = self.channel.rest()
            self._gulps += 1
            if data is None or self._gulps > _GULPS:
                self.wire.step_aside()
        if data is None:
            data = self.channel.read(patient=not self.endless)
        self.called = False
        self._take_note(data)
        return data

    def _take_note(self, data: bytes) -> None:
        if data:
            self.excused = self.endless = False
        else:
            self.stream_over = True

    @property
    def _step(self) -> int:
        over = self.wire.waits is _OVER
        return self.index if self.index < len(self.steps) and not over else -1
