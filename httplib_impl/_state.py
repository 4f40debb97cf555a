"""What a connection may do now: one table, and the exception for everything that is not in it.

Each call has a row: indexed with the state before, it gives the state after, or raises what is
documented for a call out of turn. Nothing else in the package decides that.

>>> PUTREQUEST[State.IDLE]
<State.STARTED: 'request started'>
>>> GETRESPONSE[State.IDLE]
Traceback (most recent call last):
httplib_impl._exceptions.ResponseNotReady

The second half of the states are those of the first with a response that is still
unread: a request may be sent already, but its own response cannot be read yet.

    IDLE --putrequest--> STARTED --endheaders--> SENT --getresponse--> UNREAD --read--> IDLE
"""

from __future__ import annotations

from enum import Enum

from ._exceptions import CannotSendHeader, CannotSendRequest, ResponseNotReady


class State(Enum):
    """The state of a connection."""

    # Members are singletons. The hash of Enum is a function in Python, and five of its calls take
    # 3 % of a small GET (`benchmarks.reference`, row "small GET").
    __hash__ = object.__hash__

    IDLE = "idle"
    STARTED = "request started"
    SENT = "request sent"
    UNREAD = "response unread"
    UNREAD_STARTED = "response unread, request started"
    UNREAD_SENT = "response unread, request sent"


IDLE, STARTED, SENT, UNREAD, UNREAD_STARTED, UNREAD_SENT = State


class Row(dict[State, State]):
    """One row of the table: the states in which a call is permitted, and the state after it.

    Args:
        following: the state after, by the state before.
        refusal: what is raised in every other state.
    """

    __slots__ = ("refusal",)

    def __init__(self, following: dict[State, State], refusal: type[Exception]) -> None:
        super().__init__(following)
        self.refusal = refusal

    def __missing__(self, state: State) -> State:
        raise self.refusal


# `close` is not here: it is never out of turn, and leads to IDLE.
PUTREQUEST = Row({IDLE: STARTED, UNREAD: UNREAD_STARTED}, CannotSendRequest)
PUTHEADER = Row({STARTED: STARTED, UNREAD_STARTED: UNREAD_STARTED}, CannotSendHeader)
ENDHEADERS = Row({STARTED: SENT, UNREAD_STARTED: UNREAD_SENT}, CannotSendHeader)
# A response that closes its connection leaves it idle at once,
GETRESPONSE = Row({SENT: IDLE}, ResponseNotReady)
# one that keeps it has to be read before the next.
ANSWERED = Row({SENT: UNREAD}, ResponseNotReady)
READ = Row({UNREAD: IDLE, UNREAD_STARTED: STARTED, UNREAD_SENT: SENT}, ResponseNotReady)
