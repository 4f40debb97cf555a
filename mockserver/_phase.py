"""The states of a connection, who may act on it, and why a play of it ends before its script does.

A TCP connection is two streams, and each ends on its own, in order or by a reset. `TABLE` has what
becomes of the connection in each event; nothing else decides it. Who acts on a connection is a
fact of its own: its owner. Only the owner reads, writes and closes; a play that gives a connection
up while a worker uses it makes that worker close it.

                 server ends                  client ends
        OPEN ────────────────► SERVER_ENDED ───────────────► BOTH_ENDED
         │                                                        ▲
         └──── client ends ──► CLIENT_ENDED ──── server ends ─────┘

A reset by the client leads from everywhere to CLIENT_RESET, one by the server to SERVER_RESET.
"""

import enum


class Phase(enum.Enum):
    """What has become of a connection's two streams."""

    # Enum hashes a member's name in Python: 0.25 us for each look into a table, of the 40 us that
    # a connection takes in `benchmarks.mock_server`.
    __hash__ = object.__hash__

    OPEN = "both go on"
    SERVER_ENDED = "the server has ended its own; the client may still send"
    CLIENT_ENDED = "the client's has been read to its end; the server may still send"
    BOTH_ENDED = "both have ended"
    CLIENT_RESET = "the client has reset the connection, or closed it with unread bytes"
    SERVER_RESET = "the server has reset the connection"


class Happens(enum.Enum):
    """What happens to a connection's streams."""

    __hash__ = object.__hash__  # as above

    SERVER_ENDS = "the server ends its stream"
    CLIENT_ENDS = "the end of the client's stream is read"
    CLIENT_RESETS = "the client's reset is seen"
    SERVER_RESETS = "the server resets the connection"


_OPEN, _SERVER_ENDED, _CLIENT_ENDED = Phase.OPEN, Phase.SERVER_ENDED, Phase.CLIENT_ENDED
_BOTH_ENDED, _CLIENT_RESET, _SERVER_RESET = (
    Phase.BOTH_ENDED,
    Phase.CLIENT_RESET,
    Phase.SERVER_RESET,
)

TABLE: dict[Happens, dict[Phase, Phase]] = {
    Happens.SERVER_ENDS: {
        _OPEN: _SERVER_ENDED,
        _SERVER_ENDED: _SERVER_ENDED,
        _CLIENT_ENDED: _BOTH_ENDED,
        _BOTH_ENDED: _BOTH_ENDED,
        _CLIENT_RESET: _BOTH_ENDED,
        _SERVER_RESET: _SERVER_RESET,
    },
    Happens.CLIENT_ENDS: {
        _OPEN: _CLIENT_ENDED,
        _SERVER_ENDED: _BOTH_ENDED,
        _CLIENT_ENDED: _CLIENT_ENDED,
        _BOTH_ENDED: _BOTH_ENDED,
        _CLIENT_RESET: _CLIENT_RESET,  # the kernel reports a reset once, and an end from then on
        _SERVER_RESET: _SERVER_RESET,
    },
    Happens.CLIENT_RESETS: {
        _OPEN: _CLIENT_RESET,
        _SERVER_ENDED: _BOTH_ENDED,
        _CLIENT_ENDED: _CLIENT_RESET,
        _BOTH_ENDED: _BOTH_ENDED,
        _CLIENT_RESET: _CLIENT_RESET,
        _SERVER_RESET: _SERVER_RESET,
    },
    Happens.SERVER_RESETS: dict.fromkeys(Phase, _SERVER_RESET),
}
"""The phase after an event, by the event and the phase before it."""

SERVER_HAS_ENDED = frozenset({_SERVER_ENDED, _BOTH_ENDED})
CLIENT_HAS_ENDED = frozenset({_CLIENT_ENDED, _BOTH_ENDED, _CLIENT_RESET})


class Owner(enum.Enum):
    """Who may act on a connection.

    A worker owns it from its acceptance on, hands it to the selector where a step has nothing to
    read yet, takes it back when bytes come, and leaves it to the play after the last step. The play
    can give it up at any time: a worker that has it then finds out after its wait.
    """

    WORKER = "a thread plays its steps"
    SELECTOR = "it waits for bytes without a thread"
    PLAY = "its steps are over"
    NO_ONE = "it is given up; a worker that still uses it closes it"


class Wait(enum.Enum):
    """What a connection's thread is blocked on."""

    NOTHING = "it is running"
    READY = "it is running, and bytes or an end are known to have come"
    BYTES = "bytes from the client"
    ROOM = "room in the client's queue"
    CLOSING = "the client's closing"
    TAKING = "the client's taking what was sent"
    NAME = "a signal"
    TIME = "a pause"
    UPSTREAM = "the server that a request was passed on to"
    OVER = "nothing any more"


# ---------------------------------------------------------------------------- endings


class Ended(Exception):
    """The base: nothing more can be played on this connection.

    Attributes:
        note: What the transcript says about it.
        blamed: Whether it goes against the script.
    """

    note = "the play of this connection ended"
    blamed = False

    def __init__(self, note: str | None = None) -> None:
        super().__init__(note or self.note)
        self.note = note or self.note


class EndOfStream(Ended):
    """The client ended its stream where a step requires bytes."""

    note = "the client ended its stream"


class ClientLeft(Ended):
    """The client closed its end while the connection waited for something else."""

    note = "the client closed its end"


class PeerReset(Ended):
    """The client reset the connection, or closed it so that nothing can be written."""

    note = "the client reset the connection"


class Expired(Ended):
    """Nothing moved for as long as the server's patience lasts."""

    note = "patience ran out"
    blamed = True


class LimitReached(Expired):
    """A limit of a connection was reached, whose client is not trusted."""

    note = "a limit was reached"


class Unanswered(Ended):
    """A request came for which the script has no route, or none that is left."""

    note = "no route is left for the request"
    blamed = True


class Released(Ended):
    """The play was finished or aborted while the step waited."""

    note = "released"


class TLSBroken(Ended):
    """The handshake failed, or TLS broke later."""

    note = "TLS broke"
