"""What a connection, and the steps on it, can reach beyond it: the state of their play.

A plan is steps made ready once for all connections that play them. The state itself is made in
`_shared`; this is the side of it for the connections.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Literal, Protocol

from mockserver._clock import HeldClock
from mockserver._request import Request
from mockserver._step import Action, Begins, Step

Plan = list[tuple[Action, Begins]]
"""For each step what plays it, and how it begins; connections with the same steps share it."""


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """A route, ready to be played.

    Attributes:
        title: How messages name it.
        steps: What is played.
        plan: How it is played.
        ends: Whether the connection can carry no request after this answer.
        body: As in `Route`.
    """

    title: str
    steps: tuple[Step, ...]
    plan: Plan
    ends: bool
    body: Literal["framed", "none"]


class PlayState(Protocol):
    """What a connection, and its steps, need of the play."""

    contexts: Mapping[Step, SSLContext]
    """The TLS contexts of the script's handshakes."""
    came: list[tuple[int, bytes]]
    """Every request so far: the number of its connection, and its bytes."""

    @property
    def address_text(self) -> bytes:
        """The server's address as a Host field has it."""

    @property
    def others_may_play(self) -> bool:
        """Whether others may have something to play while a connection waits for bytes."""

    clock: HeldClock | None
    """What pauses are measured by; None for the real time."""

    @property
    def unmatched(self) -> str:
        """What becomes of a request that no route fits: `reset` or `reply`."""

    @property
    def obliging(self) -> bool:
        """Whether a connection is closed after the response to a request that asks for it."""

    def problem(self, text: str) -> None:
        """Note something that went against the script."""

    def choose(self, request: Request, *, is_whole: bool) -> tuple[RoutePlan | None, bool]:
        """The route for a request, None where none is left; and whether that is decided."""

    def explain(self, request: Request) -> list[str]:
        """Lines that say for each route why it does not fit."""

    def named(self, name: str) -> threading.Event:
        """The event of a signal."""

    def leave(self, connection: Any) -> None:
        """Take a connection back from its thread."""
