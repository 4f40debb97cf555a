"""Why the play of one connection ends before its script does; internal, never seen by users."""


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
