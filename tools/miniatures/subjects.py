"""What a lie can be about: requirements of the page, real bugs, and subjects of the readings.

The output is names.  The readings say what the page means where it is silent or ambiguous; their
subjects are listed here in the order of the readings, so that a subject without a lie is found.
"""

from conformance.cases import load_regressions, load_requirements

READINGS: tuple[str, ...] = (
    # Constructor, URL, host and port
    'port in the host text, `"host:8080"`',
    "port argument",
    "the same two rows",
    "IPv6",
    "host",
    "URL in `putrequest` and `request`",
    "method, URL, header name",
    "method",
    "`set_tunnel` headers",
    "a call refused by validation",
    "`strict`, `timeout`, `source_address`, `key_file`, `cert_file`",
    "HTTPS certificate verification",
    "failed TLS handshake or failed `connect`",
    "`HTTP`, `HTTPS`",
    # Status line
    "`strict` true",
    "`strict` false, HTTP/0.9",
    "version",
    "a code that is not understood",
    "end of stream before a status line",
    "reason",
    "any line over 65,536 bytes, its end included",
    "interim responses",
    "101",
    # Headers
    "`msg`",
    "`msg`, undocumented but common in old programs",
    "repeated names",
    "obs-fold",
    "odd lines",
    "more than 100 lines",
    "end of stream inside the header block",
    # Where the body ends
    "method `HEAD` (exactly)",
    "1xx, 204, 304",
    "Transfer-Encoding",
    "chunked and `Content-Length`",
    "`Content-Length`",
    "neither",
    "short body, `read()`",
    "short body, `read(n)`, length and chunked alike, a bad size line included",
    "chunked, cut or malformed, `read()`",
    "chunk-size line",
    "chunk data not followed by CRLF",
    "trailers",
    "`read(n)`, n negative",
    "`read` after the end",
    "`IncompleteRead`, `LineTooLong` in a body",
    "a reset inside a body",
    "TLS ends without close_notify, or inside a record",
    "a timeout while reading",
    "`response.close()` before the end of a kept response",
    "leftovers",
    # Connection state
    "a second request while a response is unread",
    "`putrequest` · `putheader`, `endheaders` · `getresponse` out of turn",
    "`send` without a connection",
    "nothing leaves before `endheaders`; the head and a body held in memory leave in one write",
    "a response that closes the connection owns the socket",
    "an empty body on a kept connection",
    "persistence",
    "failed `getresponse`, except a timeout",
    "`OSError` while sending",
    "`close()`",
    "`set_debuglevel(1)`",
    "`set_tunnel`",
    "CONNECT not answered by an HTTP/1.x status 200 and a whole head",
    # Requests
    "`Content-Length` is correct",
    "what the client still owes",
    "a file that turns out shorter or longer than counted",
    "no body",
    "a body file that cannot give octets",
    "other bodies (list, generator, number)",
    "`Host`",
    "`putheader` with several values",
    "header name",
    "`responses`",
    # What callers of 2.7 use that the page does not document
    "arguments",
    "attributes and hooks",
    "`HTTPResponse` before `begin()`",
    "exception details",
    "socket-likes",
    "overriding `connect`",
    "`_tunnel_host`, `_tunnel_port`, `_tunnel_headers`, `_tunnel()`",
    "`httplib.socket`, `httplib.ssl`, `_MAXHEADERS`, `_MAXLINE`",
    "`_send_request`, `_send_output`, `HTTPResponse.close` and `HTTPConnection.close` as hooks",
    "`response.length`",
    "hooks that are not kept",
    "names of a subclass",
    "`from httplib import *`",
    "reading `conn.sock` beside the response",
    # Python 3
    "`read()`",
    "`socket.error`",
    "text that ISO-8859-1 cannot hold, in a body or header",
)
UNJUDGED = frozenset({"a body file that cannot give octets", "method, URL, header name"})
"""Readings whose cases are recorded and never judged: no client can fail them."""

SESSIONS = frozenset({f"F{number}" for number in range(1, 10)})
"""Real bugs between two exchanges, of which only cases of sessions are: the reference has no
sessions to be wrong about. The small client in `conformance/tests` has flaws of these kinds."""

UNREACHED = frozenset(
    {
        "`httplib.socket`, `httplib.ssl`, `_MAXHEADERS`, `_MAXLINE`",
        "`_send_request`, `_send_output`, `HTTPResponse.close` and `HTTPConnection.close` as hooks",
        "`response.length`",
        "hooks that are not kept",
        "names of a subclass",
        "`from httplib import *`",
    }
)
"""Readings that no case is about: no case makes a subclass, changes a limit of the module, sets a
length, or imports names. The tests of the reference hold it to them."""


def subjects() -> frozenset[str]:
    """Return everything that a lie can be about."""
    return frozenset(READINGS) | load_requirements().keys() | {one.id for one in load_regressions()}
