"""What a connection may do now: one table, and the exception for everything that is not in it.

A state and a call come in, the next state goes out. Nothing else in the package decides whether a
call is in turn. The second half of the states are those of the first with a response that is still
unread: a request may already be sent behind it, but its own response cannot be had yet.

    IDLE --PUTREQUEST--> STARTED --ENDHEADERS--> SENT --ANSWERED--> UNREAD --READ--> IDLE
"""

from __future__ import annotations

from enum import Enum

from ._exceptions import CannotSendHeader, CannotSendRequest, ResponseNotReady


class State(Enum):
    """Where a connection stands."""

    __hash__ = object.__hash__  # members are singletons; the hash of Enum is written in Python

    IDLE = "idle"
    STARTED = "request started"
    SENT = "request sent"
    UNREAD = "response unread"
    UNREAD_STARTED = "response unread, request started"
    UNREAD_SENT = "response unread, request sent"


class Call(Enum):
    """What can happen to a connection; `close` is not here, because it is never out of turn."""

    __hash__ = object.__hash__

    PUTREQUEST = "putrequest"
    PUTHEADER = "putheader"
    ENDHEADERS = "endheaders"
    GETRESPONSE = "getresponse"
    ANSWERED = "a response that keeps the connection has begun"
    READ = "the unread response was read"


TRANSITIONS: dict[tuple[State, Call], State] = {
    (State.IDLE, Call.PUTREQUEST): State.STARTED,
    (State.STARTED, Call.PUTHEADER): State.STARTED,
    (State.STARTED, Call.ENDHEADERS): State.SENT,
    (State.SENT, Call.GETRESPONSE): State.IDLE,  # where the response closes the connection
    (State.SENT, Call.ANSWERED): State.UNREAD,
    (State.UNREAD, Call.PUTREQUEST): State.UNREAD_STARTED,
    (State.UNREAD_STARTED, Call.PUTHEADER): State.UNREAD_STARTED,
    (State.UNREAD_STARTED, Call.ENDHEADERS): State.UNREAD_SENT,
    (State.UNREAD, Call.READ): State.IDLE,
    (State.UNREAD_STARTED, Call.READ): State.STARTED,
    (State.UNREAD_SENT, Call.READ): State.SENT,
}

_REFUSALS = {
    Call.PUTREQUEST: CannotSendRequest,
    Call.PUTHEADER: CannotSendHeader,
    Call.ENDHEADERS: CannotSendHeader,
    Call.GETRESPONSE: ResponseNotReady,
}


def next_state(state: State, call: Call) -> State:
    """The state behind a call.

    >>> next_state(State.IDLE, Call.PUTREQUEST)
    <State.STARTED: 'request started'>

    Raises:
        CannotSendRequest, CannotSendHeader, ResponseNotReady: the call is out of turn.
    """
    following = TRANSITIONS.get((state, call))
    if following is None:
        raise _REFUSALS[call]
    return following
