"""One accepted connection while it is played: its channel, its inbox, and what has happened on it.

In come the player's reads and writes, out come events. A session is used by the thread that plays
it until `wire.waits` says that this is over; after that, by whoever holds the play's lock.
"""

import threading
from collections.abc import Mapping
from ssl import SSLContext
from typing import Protocol

from mockserver._blocking import Wait
from mockserver._endings import Ended, EndOfStream
from mockserver._order import place
from mockserver._record import FIN_SENT, UNREAD, Event, ReceivedRequest
from mockserver._request import Inbox
from mockserver._script import Route
from mockserver._secure import Starttls
from mockserver._step import Piece, Step
from mockserver._tls import TLS
from mockserver._wire import Wire

_KEPT = 1 << 26
"""How many unread octets are kept before no more are taken from the kernel."""


class Stage(Protocol):
    """What a session needs of its play."""

    contexts: Mapping[Starttls, SSLContext]
    requests: list[ReceivedRequest]

    @property
    def address_text(self) -> bytes:
        """The server's address as a Host field has it."""

    @property
    def full(self) -> bool:
        """Whether every connection of the script has come."""

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


class Session:
    """One connection under play.

    Attributes:
        title: How messages name what is played: the connection, or the route on it.
        steps: What is played.
        index: The step that is being played.
        jumps: How many times each `Goto`, by its index, still goes back.
        excused: Whether the client may end here, and no step is missed then.
        deaf: Whether what still comes means nothing, and is thrown away.
        reset: Whether we reset the connection.
        stream_over: Whether the client's stream has been read to its end, or broke.
        tls: What the handshake came to.
        gate: The signal that a gate waits for, or waited for last.
        unread_since: When octets behind the last step were seen first, by the monotonic clock.
    """

    def __init__(self, number: int, steps: tuple[Step, ...], wire: Wire, stage: Stage) -> None:
        self.number = number
        self.title = f"connection {number}"
        self.steps = steps
        self.wire = wire
        self.stage = stage
        self.channel: Wire | TLS = wire
        self.inbox = Inbox(self._receive)
        self.events: list[Event] = []
        self.requests: list[bytes] = []
        self.index = 0
        self.jumps: dict[int, int | None] = {}
        self.excused = False
        self.deaf = False
        self.reset = False
        self.stream_over = False
        self.tls: str | None = None
        self.gate: threading.Event | None = None
        self.unread_since = 0.0
        self._taken = 0
        self._given = 0
        self._writing: tuple[Piece, ...] = ()
        self._writing_from = 0

    @property
    def place(self) -> str:
        """How messages name the step that is being played."""
        return place(self.title, self.index, self.steps[self.index])

    def note(self, text: str) -> None:
        """Put a line without octets into the transcript."""
        self.events.append(Event("note", 0, b"", text, self._step))

    def problem(self, text: str) -> None:
        """Note, at this step, something that went against the script."""
        self.stage.problem(f"{self.place}: {text}")

    def took(self, data: bytes, role: str) -> None:
        """Note octets that a step has read."""
        if data:
            self.events.append(Event("<", self._taken, data, role, self.index))
            self._taken += len(data)

    def took_request(self, raw: bytes) -> None:
        """Note a request that a step has read."""
        self.took(raw, "request")
        self.requests.append(raw)
        self.stage.requests.append(ReceivedRequest(self.number, raw))

    def write(self, pieces: tuple[Piece, ...]) -> None:
        """Write pieces, all in one write, and note each of them."""
        self._writing = pieces
        self._writing_from = self.wire.given
        if len(pieces) == 1:
            self.channel.write(pieces[0].data)
        else:
            self.channel.write(b"".join([piece.data for piece in pieces]))
        self._writing = ()
        for role, data in pieces:
            if data:
                self.events.append(Event(">", self._given, data, role, self.index))
                self._given += len(data)

    def half_written(self) -> list[Event]:
        """Events for what the kernel has taken of a write that did not come to its end."""
        events, offset = [], self._given
        count = self.wire.given - self._writing_from if self.channel is self.wire else 0
        for role, data in self._writing:
            if part := data[:count]:
                events.append(Event(">", offset, part, role, self.index))
            offset += len(part)
            count -= len(part)
        return events

    def encrypt(self, context: SSLContext) -> TLS:
        """Put TLS on the channel; octets that have arrived already belong to it."""
        tls = TLS(self.wire, context, bytes(self.inbox.buffer))
        self.inbox.buffer.clear()
        self.channel = tls
        return tls

    def may_end(self) -> None:
        """Wait, for as long as it takes, for octets; the client may end its stream instead.

        Raises:
            EndOfStream: It has; nothing is missed.
            PeerReset: It has reset the connection; nothing is missed.
        """
        self.excused = True
        if not self.inbox.buffer:
            data = self.channel.read(patient=False)
            self.stream_over = not data
            if not data:
                raise EndOfStream
            self.inbox.buffer += data
        self.excused = False

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
        """Move octets that nobody reads into the inbox, without waiting; whether there were any."""
        before = len(self.inbox.buffer)
        while not (self.reset or self.stream_over) and len(self.inbox.buffer) < _KEPT:
            try:
                data = self.channel.rest()
            except Ended:
                data = b""
            if data is None:
                break
            if not self.deaf:
                self.inbox.buffer += data
            self.stream_over = not data
        return len(self.inbox.buffer) > before

    def let_the_end_in(self) -> bool:
        """For an observer: make room for an end of stream behind octets that no step reads.

        Returns:
            Whether the end can still come in; not where the client has sent too much to be kept.
        """
        with self.wire.moving:
            if self.wire.waits is Wait.CLOSING:
                self.drink()
        return len(self.inbox.buffer) < _KEPT

    def unread(self) -> list[Event]:
        """The event for the octets that no step has read."""
        rest = bytes(self.inbox.buffer)
        return [Event("<", self._taken, rest, UNREAD, -1)] if rest else []

    def _receive(self) -> bytes:
        data = self.channel.read()
        self.stream_over = not data
        return data

    @property
    def _step(self) -> int:
        return self.index if self.index < len(self.steps) and not self._over else -1

    @property
    def _over(self) -> bool:
        return self.wire.waits is Wait.OVER
