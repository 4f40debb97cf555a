"""Plays the steps of one connection, in a straight line.

In comes a connection, out come its events. What a step does is the step's own business; here is
only what comes next, and how a play of a connection ends before its script does. What the client
does is never an error of the server.
"""

from mockserver._connection import LiveConnection
from mockserver._control import Close, Dispatch, Goto, ReadRequest
from mockserver._phase import Ended, PeerReset, Released, Wait
from mockserver._state import Plan
from mockserver._step import Begins, Step

_HELLO = b"\x16\x03"
"""How a ClientHello begins, and no request does."""
_REQUESTS = (ReadRequest, Dispatch)
_ACTING, _READY = Begins.ACTING, Wait.READY


def plan_of(steps: tuple[Step, ...], *, times: int | None = 1) -> Plan:
    """How steps are played.

    Args:
        steps: What is to be played.
        times: How often, as far as is known; None for any number.
    """
    repeated = times != 1 or any(isinstance(step, Goto) for step in steps)
    return [(step.action(steps, repeated=repeated), step.begins) for step in steps]


def play_on(connection: LiveConnection, ending: Ended | None = None) -> bool:
    """Play the steps until they end, the connection does, or there is nothing to read.

    Args:
        connection: What to play, from its current step on.
        ending: What has happened to it while it waited without a thread.

    Returns:
        Whether it is over; if not, it is to be played on when bytes have come.
    """
    wire = connection.wire
    try:
        if ending is not None:
            raise ending
        while True:
            plan = connection.plan
            while connection.index < len(plan):
                action, begins = plan[connection.index]
                if begins is not _ACTING and (
                    (is_over := connection.asks_to_close and _obliges(connection))
                    or (wire.waits is not _READY and connection.can_wait_without_thread(begins))
                ):
                    return is_over
                action(connection)
                connection.index += 1
                if connection.plan is not plan:
                    break  # a route has been entered
            else:
                if not connection.leave_route():
                    _obliges(connection)
                    return True
    except Released:
        return True
    except Ended as reason:
        _wind_up(connection, reason)
        return True


def _obliges(connection: LiveConnection) -> bool:
    """Close, if the client has asked for that and no step would send it more; whether it is so."""
    step = connection.current
    if not connection.is_to_close or not (step is None or isinstance(step, _REQUESTS)):
        return False
    if step is not None:
        connection.expects = step.begins
    Close().play(connection)
    return True


def _wind_up(connection: LiveConnection, ending: Ended) -> None:
    """Leave no client waiting where the script cannot go on."""
    connection.break_off_write()
    connection.note(ending.note)
    if ending.blamed:
        is_hello = connection.channel is connection.wire and connection.buffer.startswith(_HELLO)
        hint = "; the client begins TLS, and the script has no Starttls()" if is_hello else ""
        connection.problem(ending.note + hint)
        connection.abort()
    elif not isinstance(ending, PeerReset):
        connection.end()
