"""A whole script: listener options, then connections in accept order, then their steps.

In come steps, out comes an immutable script whose order makes sense; an order that cannot be played
is refused here, with the numbers of connection and step, before any socket exists.
"""

from dataclasses import dataclass
from typing import Literal

from mockserver import _control as control
from mockserver import _writing as writing
from mockserver._step import ScriptError, Step, WritingStep

_CLASSES: tuple[type[Step], ...] = (
    control.ReadRequest,
    control.Read,
    control.ReadUntil,
    control.ReadEof,
    control.Expect,
    writing.Send,
    writing.Reply,
    writing.StatusLine,
    writing.Header,
    writing.EndHeaders,
    writing.Interim,
    writing.Chunk,
    writing.LastChunk,
    writing.Fill,
    writing.Garbage,
    writing.Dribble,
    control.Drain,
    control.Gate,
    control.Signal,
    control.Pause,
    control.Stall,
    control.Shutdown,
    control.Close,
    control.ExpectEof,
    control.ExpectReset,
    control.ExpectNoBytes,
    control.Starttls,
    control.Tunnel,
)

STEPS: dict[str, type[Step]] = {step.step_name: step for step in _CLASSES}
"""Every step by its name in scripts."""


@dataclass(frozen=True, slots=True)
class Listener:
    """How the port behaves.

    Attributes:
        mode: `accept` plays the script; `refuse` reserves a port on which nobody listens.
    """

    mode: Literal["accept", "refuse"] = "accept"

    def __post_init__(self) -> None:
        if self.mode not in ("accept", "refuse"):
            raise ScriptError(f"listener: mode must be 'accept' or 'refuse', not {self.mode!r}")


@dataclass(frozen=True, slots=True)
class Connection:
    """The steps of one connection."""

    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """What a server plays: the n-th connection that comes gets the n-th list of steps."""

    connections: tuple[Connection, ...] = ()
    listener: Listener = Listener()

    def __post_init__(self) -> None:
        if self.connections and self.listener.mode == "refuse":
            raise ScriptError("listener: a script that refuses has no connections")
        for number, one in enumerate(self.connections, 1):
            if not isinstance(one, Connection):
                raise ScriptError(f"connection {number}: must be a Connection, not {one!r:.80}")
            _check_order(number, one.steps)

    @property
    def handshakes(self) -> list[control.Starttls]:
        """The TLS handshakes in this script."""
        return [
            step
            for one in self.connections
            for step in one.steps
            if isinstance(step, control.Starttls)
        ]


def script(*connections: Connection, listener: Listener = Listener()) -> Script:
    """A script of these connections, in the order in which they will be accepted."""
    return Script(connections, listener)


def connection(*steps: Step) -> Connection:
    """A connection that plays these steps."""
    return Connection(steps)


def place(connection_number: int, step_index: int, step: Step) -> str:
    """How messages name a step, for instance `connection 1, step 3 (send)`."""
    return f"connection {connection_number}, step {step_index + 1} ({step.step_name})"


def _check_order(number: int, steps: tuple[Step, ...]) -> None:
    for index, step in enumerate(steps):
        if not isinstance(step, Step):
            raise ScriptError(
                f"connection {number}, step {index + 1}: must be a step, not {step!r:.80}"
            )
        if problem := _misplaced(step, steps[:index]):
            raise ScriptError(f"{place(number, index, step)}: {problem}")


def _misplaced(step: Step, earlier: tuple[Step, ...]) -> str | None:
    """Why a step cannot follow the earlier ones, or None."""
    if any(map(_is_end, earlier)):
        return "the connection is closed by then"
    if isinstance(step, WritingStep | control.Starttls) and _any(earlier, control.Shutdown):
        return "writing is shut down by then"
    if isinstance(step, _READING) and _any(earlier, control.ReadEof, control.ExpectEof):
        return "the client's stream has ended by then"
    if isinstance(step, control.Expect) and not _any(earlier, control.ReadRequest, control.Tunnel):
        return "no request has been read by then"
    if isinstance(step, control.Starttls):
        return _misplaced_handshake(earlier)
    return None


_READING = (
    control.ReadRequest,
    control.Read,
    control.ReadUntil,
    control.ReadEof,
    control.ExpectEof,
    control.ExpectNoBytes,
    control.Starttls,
    control.Tunnel,
)


def _misplaced_handshake(earlier: tuple[Step, ...]) -> str | None:
    if _any(earlier, control.Starttls):
        return "TLS is spoken already"
    tunnels = [step for step in earlier if isinstance(step, control.Tunnel)]
    if earlier and not tunnels:
        return "must be the first step, or inside a tunnel"
    if tunnels and tunnels[-1].data is None and not 200 <= tunnels[-1].status < 300:
        return f"a status of {tunnels[-1].status} opens no tunnel"
    return None


def _is_end(step: Step) -> bool:
    if isinstance(step, writing.Reply):
        return step.framing == "close"
    return isinstance(step, control.Close | control.ExpectReset)


def _any(steps: tuple[Step, ...], *kinds: type[Step]) -> bool:
    return any(isinstance(step, kinds) for step in steps)
