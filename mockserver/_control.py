"""The steps that read, wait, check and close.

Each says what it does in `play`, with the means of a connection. Nothing here writes to the client.
"""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from mockserver._connection import LiveConnection
from mockserver._match import ANYTHING, json_condition, shown
from mockserver._phase import EndOfStream, PeerReset, Unanswered
from mockserver._reads import (
    always,
    await_end,
    await_silence,
    never,
    take,
    take_all,
    take_framed,
)
from mockserver._record import ABANDONED, CLIENT_CLOSED, RST_SENT
from mockserver._request import Request
from mockserver._state import RoutePlan
from mockserver._step import (
    Action,
    AtLeast,
    Begins,
    Count,
    GivenHeaders,
    Headers,
    Leaves,
    Name,
    Positive,
    Seconds,
    SomeBytes,
    Step,
)
from mockserver._writing import Reply

__all__ = [
    "ADDRESS",
    "Close",
    "Dispatch",
    "Drain",
    "Expect",
    "ExpectEof",
    "ExpectNoBytes",
    "ExpectReset",
    "Gate",
    "Goto",
    "Label",
    "Pause",
    "Read",
    "ReadEof",
    "ReadRequest",
    "ReadUntil",
    "Shutdown",
    "Signal",
    "Stall",
]

ADDRESS = b"\0address\0"
"""In `Expect`, in `raw` and the values of `headers`: replaced by the server's `host:port`, which is
known only once it plays."""


@dataclass(frozen=True, slots=True)
class ReadRequest(Step):
    """Read one request: its head through the blank line, then its body.

    Attributes:
        body: `framed` reads the body that the head announces, `none` only the head.
        limit: How many bytes to read at most; what is longer is taken as it is.
        optional: Whether the client may end here instead, or send nothing more: then neither this
            step nor those after it are missed.
    """

    step_name: ClassVar[str] = "read_request"
    primary: ClassVar[str | None] = "body"
    reads: ClassVar[bool] = True
    body: Literal["framed", "none"] = "framed"
    limit: Positive = 1 << 28
    optional: bool = False

    @property
    def begins(self) -> Begins:
        """By reading; and the client may end there, if it is optional."""
        return Begins.OPTIONAL if self.optional else Begins.READING

    def play(self, connection: LiveConnection) -> None:
        """Read one request."""
        bare = connection.bare_request(self.limit)
        if bare is not None:  # nearly always: no other step is played as often
            connection.took_request(bare, True)
        else:
            take_framed(connection, self.limit, always if self.body == "framed" else never)


@dataclass(frozen=True, slots=True)
class Read(Step):
    """Read exactly `n` bytes."""

    step_name: ClassVar[str] = "read"
    primary: ClassVar[str | None] = "n"
    reads: ClassVar[bool] = True
    n: Count

    def play(self, connection: LiveConnection) -> None:
        """Read so many bytes."""
        take(connection, lambda: connection.inbox.exactly(self.n))


@dataclass(frozen=True, slots=True)
class ReadUntil(Step):
    """Read through the first occurrence of a marker."""

    step_name: ClassVar[str] = "read_until"
    primary: ClassVar[str | None] = "marker"
    reads: ClassVar[bool] = True
    marker: SomeBytes

    def play(self, connection: LiveConnection) -> None:
        """Read through the marker."""
        take(connection, lambda: connection.inbox.through(self.marker))


@dataclass(frozen=True, slots=True)
class ReadEof(Step):
    """Read everything up to the client's end of stream."""

    step_name: ClassVar[str] = "read_eof"
    reads: ClassVar[bool] = True

    @property
    def leaves(self) -> Leaves:
        """The client's stream has ended."""
        return Leaves.NO_REQUESTS

    def play(self, connection: LiveConnection) -> None:
        """Read to the end."""
        take_all(connection)


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Check the request that was read last; a difference is a problem, and the play goes on.

    Attributes:
        headers: Fields that must be there: names without case, values without outer blanks. A
            mapping, or pairs, of text or bytes.
        absent: Names of fields that must not be there.
        body: The content: the body, decoded where it is chunked.
        raw: The whole request, byte by byte; `ADDRESS` in it is replaced by the server's address.
        connection: `new` for the first request of its connection, `same` for a later one.
    """

    step_name: ClassVar[str] = "expect"
    method: str | None = None
    target: str | None = None
    headers: GivenHeaders = ()
    absent: tuple[str, ...] = ()
    body: bytes | None = None
    raw: bytes | None = None
    connection: Literal["any", "same", "new"] = "any"
    json: Any = ANYTHING

    def check(self) -> None:
        """JSON must be some."""
        if self.json is not ANYTHING:
            json_condition(self.json)

    def play(self, connection: LiveConnection) -> None:
        """Compare the request that was read last."""
        is_first, address = connection.request_count == 1, connection.state.address_text
        for difference in self.differences(connection.last_request, is_first, address):
            connection.note(f"expected otherwise: {difference}")
            connection.problem(difference)

    def differences(self, raw: bytes, is_first: bool, address: bytes) -> list[str]:
        """How a request differs from what is expected, each difference in a sentence.

        Args:
            raw: The request.
            is_first: Whether it is the first of its connection.
            address: What replaces `ADDRESS`.
        """
        request = Request(0, raw)
        compared = (
            ("the method", request.method, self.method),
            ("the target", request.target, self.target),
            ("the body", request.body, self.body),
            ("the request", raw, None if self.raw is None else self.raw.replace(ADDRESS, address)),
            (
                "the connection",
                "new" if is_first else "same",
                None if self.connection == "any" else self.connection,
            ),
        )
        found = [
            f"{what} is {shown(seen)}, expected {shown(expected)}"
            for what, seen, expected in compared
            if expected is not None and seen != expected
        ]
        if self.json is not ANYTHING and (text := json_condition(self.json).differs(request)):
            found.append(text)
        return [*found, *self._field_differences(request, address)]

    def _field_differences(self, request: Request, address: bytes) -> Iterator[str]:
        for name, expected in typing.cast("Headers", self.headers):
            value = expected.replace(ADDRESS, address).decode("latin-1")
            if value not in (values := request.headers.get_all(name.decode("latin-1"))):
                yield f"field {name.decode('latin-1')} has {values!r}, expected {value!r}"
        for absent in self.absent:
            if values := request.headers.get_all(absent):
                yield f"field {absent} has {values!r}, expected none"


@dataclass(frozen=True, slots=True)
class Drain(Step):
    """Wait until the client has taken everything sent so far out of its kernel's queue."""

    step_name: ClassVar[str] = "drain"

    def play(self, connection: LiveConnection) -> None:
        """Wait for the client."""
        connection.wire.await_taking()


@dataclass(frozen=True, slots=True)
class Gate(Step):
    """Wait until the test, or a `Signal` of another connection, gives this name."""

    step_name: ClassVar[str] = "gate"
    primary: ClassVar[str | None] = "name"
    name: Name

    def play(self, connection: LiveConnection) -> None:
        """Wait for the name."""
        connection.gate = connection.state.named(self.name)
        connection.wire.await_name(connection.gate.wait)


@dataclass(frozen=True, slots=True)
class Signal(Step):
    """Give a name: opens the gates that wait for it, and a test can wait for it."""

    step_name: ClassVar[str] = "signal"
    primary: ClassVar[str | None] = "name"
    name: Name

    def play(self, connection: LiveConnection) -> None:
        """Give the name."""
        connection.note(f"signal {self.name}")
        connection.state.named(self.name).set()


@dataclass(frozen=True, slots=True)
class Pause(Step):
    """Be silent for so many seconds; the client's closing ends it early."""

    step_name: ClassVar[str] = "pause"
    primary: ClassVar[str | None] = "seconds"
    seconds: Seconds

    def play(self, connection: LiveConnection) -> None:
        """Let the time pass."""
        connection.pause(self.seconds)


@dataclass(frozen=True, slots=True)
class Stall(Step):
    """Be silent until the client closes its end; no patience runs out here."""

    step_name: ClassVar[str] = "stall"
    primary: ClassVar[str | None] = "until"
    until: Literal["peer_close"] = "peer_close"

    @property
    def lasts(self) -> bool:
        """The client ends it."""
        return True

    def play(self, connection: LiveConnection) -> None:
        """Wait for the client's closing."""
        connection.wire.await_closing()
        connection.note(CLIENT_CLOSED)


@dataclass(frozen=True, slots=True)
class Shutdown(Step):
    """Close the writing half: the client reads an end of stream and can go on sending."""

    step_name: ClassVar[str] = "shutdown"
    primary: ClassVar[str | None] = "how"
    how: Literal["write"] = "write"

    @property
    def leaves(self) -> Leaves:
        """No request can be answered any more."""
        return Leaves.NO_REQUESTS

    def play(self, connection: LiveConnection) -> None:
        """End our stream."""
        connection.end_by(self)
        connection.end()


@dataclass(frozen=True, slots=True)
class Label(Step):
    """A place for a `Goto` to go back to; nothing happens here."""

    step_name: ClassVar[str] = "label"
    primary: ClassVar[str | None] = "name"
    name: Name

    def play(self, connection: LiveConnection) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Goto(Step):
    """Go back to an earlier label, so many times; then go on with the next step.

    Attributes:
        times: How many times to go back; None for as long as the client goes on.
    """

    step_name: ClassVar[str] = "goto"
    primary: ClassVar[str | None] = "label"
    label: Name
    times: Annotated[int | None, AtLeast(1)] = 1

    def play(self, connection: LiveConnection) -> None:
        """Go back, or on."""
        connection.go_to(connection.steps.index(Label(self.label)), self.times)

    def action(self, steps: tuple[Step, ...], *, repeated: bool) -> Action:  # noqa: ARG002 - see the base
        """Go back, or on, with the label found in advance."""
        index, times = steps.index(Label(self.label)), self.times
        if times is not None:
            return lambda connection: connection.go_to(index, times)

        def back(connection: LiveConnection) -> None:
            connection.index = index

        return back


@dataclass(frozen=True, slots=True)
class Dispatch(Step):
    """Read requests until the client ends; answer each by the first route that fits.

    A request that no route fits is a problem; the script says what it gets.
    """

    step_name: ClassVar[str] = "dispatch"
    reads: ClassVar[bool] = True

    @property
    def begins(self) -> Begins:
        """By reading, and the client may end there."""
        return Begins.OPTIONAL

    def play(self, connection: LiveConnection) -> None:
        """Read a request, and enter the route that is to answer it."""
        state, number = connection.state, connection.number
        bare = connection.bare_request(_LIMIT)
        if bare is not None:  # as most requests are
            chosen, _ = state.choose(Request(number, bare), is_whole=True)
            connection.took_request(bare, True)
        else:
            chosen = self._choose_framed(connection)
        if chosen is not None:
            connection.enter_route(chosen)
            return
        request = Request(number, connection.last_request)
        if state.unmatched == "reset":
            raise Unanswered(f"{Unanswered.note}: {request.line.encode('latin-1')[:80]!r}")
        text = "\n".join(state.explain(request))
        connection.problem(text)
        Reply(500, text=text + "\n").play(connection)
        connection.index -= 1  # and dispatch the next one

    def _choose_framed(self, connection: LiveConnection) -> RoutePlan | None:
        """Read a request that may have a body, which the route has to ask for; the route."""
        state, number = connection.state, connection.number
        chosen: RoutePlan | None = None
        decided = False

        def with_body(head: bytes) -> bool:
            nonlocal chosen, decided
            chosen, decided = state.choose(Request(number, head), is_whole=False)
            if chosen is None:
                return not decided or state.unmatched == "reply"
            return chosen.body == "framed"

        take_framed(connection, _LIMIT, with_body)
        if not decided:
            chosen, _ = state.choose(Request(number, connection.last_request), is_whole=True)
        return chosen


_LIMIT = ReadRequest().limit


@dataclass(frozen=True, slots=True)
class Close(Step):
    """End the connection.

    Attributes:
        how: `fin` ends the stream in order (inside TLS after a close_notify), whatever is unread;
            `rst` resets, discarding what the client's kernel has not received yet; `abandon`
            leaves the connection open and silent until the play is finished.
    """

    step_name: ClassVar[str] = "close"
    primary: ClassVar[str | None] = "how"
    how: Literal["fin", "rst", "abandon"] = "fin"

    @property
    def leaves(self) -> Leaves:
        """Nothing more can be played, also where the connection is only abandoned."""
        return Leaves.CLOSED

    def play(self, connection: LiveConnection) -> None:
        """End it, reset it, or leave it."""
        connection.end_by(self)
        if self.how == "fin":
            connection.end()
        elif self.how == "rst":
            connection.note(RST_SENT)
            connection.abort()
        else:
            connection.note(ABANDONED)


@dataclass(frozen=True, slots=True)
class ExpectEof(Step):
    """The next thing that the client does is to end its stream; bytes or a reset are a problem."""

    step_name: ClassVar[str] = "expect_eof"
    reads: ClassVar[bool] = True
    awaited: ClassVar[str | None] = "the client has not ended its stream"

    @property
    def leaves(self) -> Leaves:
        """The client's stream has ended."""
        return Leaves.NO_REQUESTS

    def play(self, connection: LiveConnection) -> None:
        """Wait for the end."""
        await_end(connection, EndOfStream)


@dataclass(frozen=True, slots=True)
class ExpectReset(Step):
    """The next thing that the client does is to reset; bytes or an end of stream are a problem."""

    step_name: ClassVar[str] = "expect_reset"
    awaited: ClassVar[str | None] = "the client has not reset the connection"

    @property
    def begins(self) -> Begins:
        """By reading; what it reads is the reset, which can come after an end of stream too."""
        return Begins.READING

    @property
    def leaves(self) -> Leaves:
        """After a reset there is nothing."""
        return Leaves.CLOSED

    def play(self, connection: LiveConnection) -> None:
        """Wait for the reset."""
        await_end(connection, PeerReset)


@dataclass(frozen=True, slots=True)
class ExpectNoBytes(Step):
    """Until the client closes its end, or the play is finished, it sends nothing."""

    step_name: ClassVar[str] = "expect_no_bytes"
    reads: ClassVar[bool] = True

    @property
    def begins(self) -> Begins:
        """By reading nothing."""
        return Begins.SILENT

    @property
    def lasts(self) -> bool:
        """The client ends it, or the play."""
        return True

    def play(self, connection: LiveConnection) -> None:
        """Wait for nothing."""
        await_silence(connection)
