"""Hangs with one cause, for which the kit does not wait again and again.

The input is a case that makes no progress, and where its client is.  The output is whether `MOST`
cases have already hung at the same place.  Such a case is given less time.  If it does not end
then, it is not judged: its verdict is NOT_RUN and not HANG, so a wrong guess turns no pass into a
failure.  A run with such a case never exits with 0.

A place is the call and the innermost lines of the client.  Cases in which the client has a timeout
are counted separately: a client that respects it waits at the same lines, and comes back.  A driver
that reports no lines is compared by the family of the case.

A client that loops at a place is not freed by the reset of its sockets, and its process is ended.
For the cases after the first ones, this is not waited for either.

For a client of another interface the place is the wire: the server has done all that its script
says, and the client has read every byte, keeps its connection open, and does nothing.  Only such a
case is compared with others, also by its lines where they are reported.  Nothing but its own timers
can move the client then, so the kit does judge it: its answer is a timeout.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from conformance.cases import Case
from conformance.drivers import Message

MOST = 2
"""Cases that are waited for at one place."""
_MOST_IN_FAMILY = 10
"""Cases of one family that are waited for, if the driver reports no lines."""
_LINES = 3
"""The innermost lines that are compared: further out, callers differ."""
_TIMED = frozenset({"timeout", "settimeout", "setdefaulttimeout"})


class Hangs:
    """The places at which cases of one run have hung; safe to share between threads.

    Attributes:
        pause: the longest time in which nothing happened in a case that went on, in seconds.
    """

    def __init__(self) -> None:
        self.pause = 0.0
        self._counts: Counter[Hashable] = Counter()
        self._first: dict[Hashable, str] = {}
        self._stuck: set[Hashable] = set()

    def note(self, case: Case, position: Message) -> None:
        """Add *case*, which hung at *position* after the whole wait."""
        place = _place(case, position)
        self._first.setdefault(place, case.name)
        self._counts[place] += 1

    def note_stuck(self, case: Case, position: Message) -> None:
        """Add that *case* did not come back from *position* even without its sockets."""
        self._stuck.add(_place(case, position))

    def is_stuck(self, case: Case, position: Message) -> bool:
        """Return whether a case did not come back from *position* even without its sockets."""
        return _place(case, position) in self._stuck

    def known(self, case: Case, position: Message) -> str:
        """Return the name of the first case that hung at *position*, if enough have; else ``""``.

        Args:
            case: a case that makes no progress.
            position: where its client is, as the driver reports it; empty if it does not.
        """
        place = _place(case, position)
        enough = MOST if position or case.profile == "client" else _MOST_IN_FAMILY
        return self._first[place] if self._counts[place] >= enough else ""


def _place(case: Case, position: Message) -> Hashable:
    if case.profile == "client":
        return "client", lines_of(position.get("frames", ()))
    timed = any(_is_timed(op.message) for op in case.ops)
    if not position:
        return case.family, timed
    done = len(position["trace"])
    call = case.ops[done].message.get("call") if done < len(case.ops) else None
    return call, timed, lines_of(position["frames"])


def lines_of(frames: Sequence[Mapping[str, Any]]) -> Hashable:
    """Return the innermost lines of *frames*, which are compared."""
    return tuple((one["file"], one["line"]) for one in frames[:_LINES])


def _is_timed(message: Message) -> bool:
    """Return whether the call of *message* gives the client a timeout."""
    names = {message.get("call"), message.get("set"), *message.get("kwargs", ())}
    return not _TIMED.isdisjoint(names)
