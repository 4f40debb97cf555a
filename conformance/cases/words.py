"""The closed lists of a case file: every string that selects one of a few alternatives.

These are types, from which the tables are made. Levels, strengths and families are also tuples, in
their order; nothing else lists them. A test compares the lists that the mock server and the
certificate authority define with these.
"""

from typing import Literal, get_args

Level = Literal["documented", "precedent", "guard", "observe"]
Grade = Literal["pass", "tolerated"]
Profile = Literal["httplib", "client"]
Strength = Literal["must", "should", "may"]
Reused = Literal["error", "unfinished", "leftovers", "closing"]
"""Why a connection must not be used again: after an error, with an unfinished request, with bytes
that belong to no response, or because one side has said that it closes it."""
Consume = Literal["read", "part", "drop", "timeout"]
"""How a client consumes a response: all of it; a part, then it closes the response; it drops the
response unread; or it waits for a short time only."""
ReadStyle = Literal["read()", "read(1)", "read(7)", "read(amt)"]
Cut = Literal["whole", "bytes", "steps"]
End = Literal["fin", "rst", "open"]
Reuse = Literal["fresh", "kept"]
After = Literal["closed", "kept", "gone"]
Mode = Literal["r", "rb", "r+", "r+b", "w", "wb", "w+", "w+b", "a", "ab", "a+", "a+b"]
Typecode = Literal["b", "B", "h", "H", "i", "I", "l", "L", "f", "d"]
"""The typecodes that arrays have in every Python."""
ServerCertificate = Literal[
    "server",
    "names",
    "wrong-host",
    "expired",
    "not-yet-valid",
    "untrusted",
    "self-signed",
    "intermediate",
    "missing-intermediate",
]
Listening = Literal["accept", "refuse", "connect_stall", "accept_rst"]
Fault = Literal[
    "EMPTY_RESPONSE",
    "MALFORMED_RESPONSE_CHUNK",
    "RANDOM_DATA_THEN_CLOSE",
    "CONNECTION_RESET_BY_PEER",
]
"""The fault names of WireMock."""
ClientCertificate = Literal["client", "client-untrusted", "client-expired"]
Feature = Literal[
    "HTTP",
    "HTTPS",
    "HTTPSConnection",
    "cert_file",
    "context",
    "http09",
    "isclosed",
    "key_file",
    "lowercase-names",
    "mimetools",
    "python3",
    "response-class",
    "set_tunnel",
    "skip_accept_encoding",
    "source_address",
    "strict",
]
"""The optional features that the agent detects."""
ClientFeature = Literal[
    "connect",
    "drop",
    "expect-continue",
    "parallel",
    "part",
    "proxy",
    "proxy-credentials",
    "streamed",
    "timeout",
    "tls",
]
"""What a client of another interface can do besides a request with content, of its own origin."""
Scheme = Literal["http", "https"]
Family = Literal[
    "interface",
    "exceptions",
    "status-codes",
    "status-line",
    "headers",
    "framing",
    "chunked",
    "persistence",
    "interim",
    "connection-state",
    "requests",
    "tunnel",
    "tls",
    "limits",
    "faults",
    "session",
]
LEVELS: tuple[str, ...] = get_args(Level)
JUDGED_LEVELS = LEVELS[:3]
"""The levels that are judged; a case of the last one is only shown."""
STRENGTHS: tuple[str, ...] = get_args(Strength)
FAMILIES: tuple[str, ...] = get_args(Family)
FEATURES: tuple[str, ...] = get_args(Feature)
CLIENT_FEATURES: tuple[str, ...] = get_args(ClientFeature)
