r"""A scripted HTTP/1.x server for testing clients: it plays exact octets on real sockets.

In comes a script: connections in accept order, each a list of steps, or routes by which requests
are answered. Out comes a record: what the client sent, what it did with its end of each connection,
and which steps were not reached.

    from mockserver import Close, MockServer, ReadRequest, Send, connection, script

    play = script(connection(ReadRequest(), Send(b"HTTP/1.1 200 OK\r\n\r\nhello"), Close("rst")))
    with MockServer(play) as server:
        client_under_test(server.url)

It needs the standard library only, shares no code with any client, and never sleeps to win a race.
"""

from mockserver._control import (
    ADDRESS,
    Close,
    Dispatch,
    Drain,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Gate,
    Goto,
    Label,
    Pause,
    Read,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Shutdown,
    Signal,
    Stall,
)
from mockserver._endings import EndOfStream
from mockserver._faults import (
    FAULTS,
    connection_reset_by_peer,
    empty_response,
    malformed_response_chunk,
    random_data_then_close,
)
from mockserver._part import Part
from mockserver._play import MockServerError, Play
from mockserver._record import ConnectionRecord, Event, ReceivedRequest, Record
from mockserver._replay import script_from
from mockserver._request import Inbox, read_request
from mockserver._script import (
    STEPS,
    Connection,
    Listener,
    Route,
    Script,
    connection,
    fault_on,
    route,
    script,
)
from mockserver._secure import Starttls, TlsFault, Tunnel
from mockserver._server import MockServer, TLSProvider
from mockserver._step import Piece, ScriptError, Step, WritingStep
from mockserver._transforms import TRANSFORMS, cut_at, inject_at, marks, pause_at
from mockserver._writing import (
    Chunk,
    Dribble,
    EndHeaders,
    Fill,
    Garbage,
    Header,
    Interim,
    LastChunk,
    Reply,
    Send,
    StatusLine,
)

__all__ = [
    "ADDRESS",
    "FAULTS",
    "STEPS",
    "TRANSFORMS",
    "Chunk",
    "Close",
    "Connection",
    "ConnectionRecord",
    "Dispatch",
    "Drain",
    "Dribble",
    "EndHeaders",
    "EndOfStream",
    "Event",
    "Expect",
    "ExpectEof",
    "ExpectNoBytes",
    "ExpectReset",
    "Fill",
    "Garbage",
    "Gate",
    "Goto",
    "Header",
    "Inbox",
    "Interim",
    "Label",
    "LastChunk",
    "Listener",
    "MockServer",
    "MockServerError",
    "Part",
    "Pause",
    "Piece",
    "Play",
    "Read",
    "ReadEof",
    "ReadRequest",
    "ReadUntil",
    "ReceivedRequest",
    "Record",
    "Reply",
    "Route",
    "Script",
    "ScriptError",
    "Send",
    "Shutdown",
    "Signal",
    "Stall",
    "Starttls",
    "StatusLine",
    "Step",
    "TLSProvider",
    "TlsFault",
    "Tunnel",
    "WritingStep",
    "connection",
    "connection_reset_by_peer",
    "cut_at",
    "empty_response",
    "fault_on",
    "inject_at",
    "malformed_response_chunk",
    "marks",
    "pause_at",
    "random_data_then_close",
    "read_request",
    "route",
    "script",
    "script_from",
]
