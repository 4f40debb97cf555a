r"""A scripted HTTP/1.x server for testing clients: it plays exact bytes on real sockets.

In comes a script: connections in accept order, each a list of steps, or routes by which requests
are answered. Out comes a record: what the client sent, what it did with its end of each connection,
and which steps were not reached::

    from mockserver import Close, Drain, MockServer, Reply, Send, route

    cut = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), Drain(), Close("rst")
    with MockServer(route(*cut), route(Reply(json={"id": 7}), path="/items/7")) as server:
        client_under_test(server.url)

It needs the standard library only, shares no code with any client, and never sleeps to win a race.
"""

# Each module of steps lists its own names, so that a new step needs no word here.
from mockserver import _control, _proxy, _secure, _writing
from mockserver._clock import HeldClock
from mockserver._control import *  # noqa: F403
from mockserver._given import GivenConnection, Limits, play_steps
from mockserver._phase import Ended, EndOfStream
from mockserver._play import MockServerError, Play, TLSProvider
from mockserver._proxy import *  # noqa: F403
from mockserver._record import FIN_SENT, RST_SENT, ConnectionRecord, Event, Record
from mockserver._replay import routes_from, script_from
from mockserver._request import Fields, Inbox, Request, Values, read_request
from mockserver._respond import Respond
from mockserver._script import (
    Connection,
    Listener,
    Route,
    Script,
    ScriptPart,
    connection,
    fault_on,
    route,
    script,
)
from mockserver._script_text import script_tables, script_text
from mockserver._secure import *  # noqa: F403
from mockserver._server import MockServer
from mockserver._shared import SharedState
from mockserver._step import (
    STEPS,
    Piece,
    Recipe,
    ScriptError,
    Step,
    WritingStep,
    field_bounds,
    pieces_of,
)
from mockserver._transforms import (
    FAULTS,
    TRANSFORMS,
    Part,
    connection_reset_by_peer,
    cut_at,
    empty_response,
    inject_at,
    malformed_response_chunk,
    marks,
    pause_at,
    random_data_then_close,
)
from mockserver._writing import *  # noqa: F403

__all__ = [
    "FAULTS",
    "FIN_SENT",
    "RST_SENT",
    "STEPS",
    "TRANSFORMS",
    "Connection",
    "ConnectionRecord",
    "EndOfStream",
    "Ended",
    "Event",
    "Fields",
    "GivenConnection",
    "HeldClock",
    "Inbox",
    "Limits",
    "Listener",
    "MockServer",
    "MockServerError",
    "Part",
    "Piece",
    "Play",
    "Recipe",
    "Record",
    "Request",
    "Respond",
    "Route",
    "Script",
    "ScriptError",
    "ScriptPart",
    "SharedState",
    "Step",
    "TLSProvider",
    "Values",
    "WritingStep",
    "connection",
    "connection_reset_by_peer",
    "cut_at",
    "empty_response",
    "fault_on",
    "field_bounds",
    "inject_at",
    "malformed_response_chunk",
    "marks",
    "pause_at",
    "pieces_of",
    "play_steps",
    "random_data_then_close",
    "read_request",
    "route",
    "routes_from",
    "script",
    "script_from",
    "script_tables",
    "script_text",
]
__all__ += _control.__all__
__all__ += _proxy.__all__
__all__ += _secure.__all__
__all__ += _writing.__all__
