"""The steps that read, wait, check and close.

In come names, counts and markers; what they do is the player's business. Nothing here writes to
the peer.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from mockserver._step import Headers, Step

ADDRESS = b"\0address\0"
"""In `Expect`, in `raw` and the values of `headers`: stands for the server's `host:port`, which is
known only once it plays."""


@dataclass(frozen=True, slots=True)
class ReadRequest(Step):
    """Read one request: its head through the blank line, then its body.

    Attributes:
        body: `framed` reads the body that the head announces, `none` only the head.
        limit: How many octets to read at most; what is longer is taken as it is.
        optional: Whether the client may end here instead, or send nothing more: then neither this
            step nor those behind it are missed.
    """

    step_name: ClassVar[str] = "read_request"
    primary: ClassVar[str | None] = "body"
    body: Literal["framed", "none"] = "framed"
    limit: int = 1 << 28
    optional: bool = False

    def check(self) -> None:
        """Room for at least one octet."""
        self.need_at_least("limit", 1)


@dataclass(frozen=True, slots=True)
class Read(Step):
    """Read exactly `n` octets."""

    step_name: ClassVar[str] = "read"
    primary: ClassVar[str | None] = "n"
    n: int

    def check(self) -> None:
        """A size that exists."""
        self.need_at_least("n", 0)


@dataclass(frozen=True, slots=True)
class ReadUntil(Step):
    """Read through the first occurrence of a marker."""

    step_name: ClassVar[str] = "read_until"
    primary: ClassVar[str | None] = "marker"
    marker: bytes

    def check(self) -> None:
        """A marker that can be found."""
        self.need_some("marker")


@dataclass(frozen=True, slots=True)
class ReadEof(Step):
    """Read everything up to the client's end of stream."""

    step_name: ClassVar[str] = "read_eof"


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Check the request that was read last; a difference is a problem, and the play goes on.

    Attributes:
        headers: Fields that must be there: names without case, values without outer blanks.
        absent: Names of fields that must not be there.
        raw: The whole request, octet by octet; `ADDRESS` in it stands for the server's address.
        connection: `new` for the first request of its connection, `same` for a later one.
    """

    step_name: ClassVar[str] = "expect"
    method: str | None = None
    target: str | None = None
    headers: Headers = ()
    absent: tuple[str, ...] = ()
    body: bytes | None = None
    raw: bytes | None = None
    connection: Literal["any", "same", "new"] = "any"


@dataclass(frozen=True, slots=True)
class Drain(Step):
    """Wait until the client has taken everything sent so far out of its kernel's queue."""

    step_name: ClassVar[str] = "drain"


@dataclass(frozen=True, slots=True)
class Gate(Step):
    """Wait until the test, or a `Signal` of another connection, gives this name."""

    step_name: ClassVar[str] = "gate"
    primary: ClassVar[str | None] = "name"
    name: str

    def check(self) -> None:
        """A name that can be said."""
        self.need_some("name")


@dataclass(frozen=True, slots=True)
class Signal(Step):
    """Give a name: opens the gates that wait for it, and a test can wait for it."""

    step_name: ClassVar[str] = "signal"
    primary: ClassVar[str | None] = "name"
    name: str

    def check(self) -> None:
        """A name that can be said."""
        self.need_some("name")


@dataclass(frozen=True, slots=True)
class Pause(Step):
    """Be silent for so many seconds; the client's closing ends it early."""

    step_name: ClassVar[str] = "pause"
    primary: ClassVar[str | None] = "seconds"
    seconds: float

    def check(self) -> None:
        """A time that can pass."""
        if not 0 <= self.seconds < 1e6:
            self.refuse("seconds", "must be from 0 to a million")


@dataclass(frozen=True, slots=True)
class Stall(Step):
    """Be silent until the client closes its end; no patience runs out here."""

    step_name: ClassVar[str] = "stall"
    primary: ClassVar[str | None] = "until"
    until: Literal["peer_close"] = "peer_close"


@dataclass(frozen=True, slots=True)
class Shutdown(Step):
    """Close the writing half: the client sees an end of stream and can go on sending."""

    step_name: ClassVar[str] = "shutdown"
    primary: ClassVar[str | None] = "how"
    how: Literal["write"] = "write"


@dataclass(frozen=True, slots=True)
class Label(Step):
    """A place for a `Goto` to go back to; nothing happens here."""

    step_name: ClassVar[str] = "label"
    primary: ClassVar[str | None] = "name"
    name: str

    def check(self) -> None:
        """A name that can be said."""
        self.need_some("name")


@dataclass(frozen=True, slots=True)
class Goto(Step):
    """Go back to an earlier label, so many times; then go on with the next step.

    Attributes:
        times: How many times to go back; None for as long as the client goes on.
    """

    step_name: ClassVar[str] = "goto"
    primary: ClassVar[str | None] = "label"
    label: str
    times: int | None = 1

    def check(self) -> None:
        """A label has a name, and going back happens at least once."""
        self.need_some("label")
        if self.times is not None:
            self.need_at_least("times", 1)


@dataclass(frozen=True, slots=True)
class Dispatch(Step):
    """Read requests until the client ends; answer each by the first route that fits."""

    step_name: ClassVar[str] = "dispatch"


@dataclass(frozen=True, slots=True)
class Close(Step):
    """End the connection.

    Attributes:
        how: `fin` ends the stream in order (inside TLS behind a close_notify), whatever is unread;
            `rst` resets, throwing away what the client's kernel has not received yet; `abandon`
            leaves the connection open and silent until the play is finished.
    """

    step_name: ClassVar[str] = "close"
    primary: ClassVar[str | None] = "how"
    how: Literal["fin", "rst", "abandon"] = "fin"


@dataclass(frozen=True, slots=True)
class ExpectEof(Step):
    """The next thing that the client does is to end its stream; octets or a reset are a problem."""

    step_name: ClassVar[str] = "expect_eof"


@dataclass(frozen=True, slots=True)
class ExpectReset(Step):
    """The next thing that the client does is to reset; octets or an end of stream are a problem."""

    step_name: ClassVar[str] = "expect_reset"


@dataclass(frozen=True, slots=True)
class ExpectNoBytes(Step):
    """Until the client closes its end, or the play is finished, it sends nothing."""

    step_name: ClassVar[str] = "expect_no_bytes"
