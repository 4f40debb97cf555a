"""Which reading explains a difference between the reference and 2.7.

A difference comes in, the subject of a row of the readings goes out, or nothing. Each row has a
predicate over what was run and what came of it; it names the calls, the outcomes and the bytes of
which the row speaks, so that a difference of another kind stays unexplained. Only the first
difference of a run is compared: later ones follow from it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tools.differential.bench import Difference

Row = tuple[str, Callable[[Difference], bool]]


def explained(difference: Difference) -> str | None:
    """The subject of the row that explains *difference*; None where none does."""
    return next((subject for subject, is_it in ROWS if is_it(difference)), None)


def _call(difference: Difference) -> str:
    op = difference.op
    return "" if op is None else str(op.get("call") or op.get("get") or op.get("set"))


def _raised(fact: Any) -> str:
    """The name of the exception that a fact is; empty for a value."""
    return fact[1] if isinstance(fact, tuple) and fact[:1] == ("raised",) else ""


def _failures(difference: Difference) -> Iterator[tuple[str, str]]:
    """Call and exception of each call before that failed, but for those out of turn."""
    for op, fact in zip(difference.example.ops, difference.before, strict=False):
        if _raised(fact) not in _OUT_OF_TURN:
            yield str(op.get("call")), _raised(fact)


_INVALID = ("ValueError", "InvalidURL", "TypeError", "UnimplementedFileMode")
_OUT_OF_TURN = ("", "CannotSendRequest", "CannotSendHeader", "ResponseNotReady", "NotConnected")


def _after(difference: Difference, *calls: str) -> bool:
    """Whether one of these calls failed before: the reference closes then, and 2.7 goes on."""
    return any(call in calls for call, _ in _failures(difference))


def _refused_before(difference: Difference) -> bool:
    return any(name in _INVALID for _, name in _failures(difference))


def _is_left_in_the_middle(difference: Difference) -> bool:
    """Whether the reference is idle, and 2.7 still in the exchange that was broken off.

    2.7 wants no other request then, takes headers of the one that was refused, and looks for a
    response that the reference does not wait for.
    """
    call, ours, theirs = _call(difference), _raised(difference.ours), _raised(difference.theirs)
    if difference.op is None:
        return difference.ours[0] in ("requests", "after")
    if call in ("request", "putrequest"):
        return theirs == "CannotSendRequest"
    if call in ("putheader", "endheaders"):
        return ours == "CannotSendHeader"
    return call == "getresponse" and ours == "ResponseNotReady"


def _was_not_connected(difference: Difference) -> bool:
    return any(_raised(fact) == "NotConnected" for fact in difference.before)


def _sends_what_was_given_up(difference: Difference) -> bool:
    """Whether 2.7 sent lines as well that were begun before a `close`, or goes on with them."""
    ops = difference.example.ops[: len(difference.before)]
    calls = [op.get("call") for op in ops if op["on"] == "conn"]
    if "close" not in calls or "putrequest" not in calls[: calls.index("close")]:
        return False
    return difference.op is None and difference.ours[0] in ("requests", "after")


def _is_left_unread(difference: Difference) -> bool:
    """Whether 2.7 still waits for the rest of a body that the reference has given up."""
    if _call(difference) == "getresponse" and _raised(difference.theirs) == "ResponseNotReady":
        return True
    return _reads(difference) or _is_fresh_connection(difference)


def _seen(difference: Difference, pattern: bytes) -> bool:
    """Whether a server's bytes match."""
    return re.search(pattern, difference.example.octets, re.IGNORECASE | re.MULTILINE) is not None


def _detail(fact: Any, name: str) -> Any:
    """An attribute of the exception that a fact is."""
    return dict(fact[2]).get(name)


def _odd(difference: Difference, *dimensions: str) -> bool:
    return difference.example.odd in dimensions


def _args(difference: Difference) -> str:
    """The arguments of the call, as text in which control characters are themselves."""
    return "" if difference.op is None else "".join(_texts(difference.op.get("args", ())))


def _texts(items: Any) -> Iterator[str]:
    if isinstance(items, dict):
        items = items["value"]
    if isinstance(items, list):
        for item in items:
            yield from _texts(item)
    else:
        yield str(items)


def _head_of_request(requests: Sequence[bytes], name: bytes) -> bytes:
    """All requests without the fields of that name."""
    return re.sub(rb"(?im)^" + name + rb":[^\n]*\n", b"", b"".join(requests))


def _without(difference: Difference, name: bytes) -> bool:
    """Whether requests are the same but for the fields of that name."""
    if difference.op is not None or difference.ours[0] != "requests":
        return False
    ours, theirs = difference.ours[1], difference.theirs[1]
    return _head_of_request(ours, name) == _head_of_request(theirs, name)


def _is_refusal(difference: Difference, name: str, *calls: str) -> bool:
    """Whether these calls were refused here, and taken there, or refused otherwise."""
    return (
        _call(difference) in calls
        and _raised(difference.ours) == name
        and _raised(difference.theirs) != name
    )


def _is_fresh_connection(difference: Difference) -> bool:
    """Whether the reference left a connection on which 2.7 went on.

    2.7 meets the end of that connection then, or takes what lies there for the response.
    """
    if difference.op is None:
        return difference.ours[0] in ("requests", "after")
    if _call(difference) == "getresponse" and _raised(difference.theirs) in _AT_THE_END:
        return True
    return _odd(difference, *_LEAVING) and _call(difference) in _HEAD_CALLS


_AT_THE_END = ("BadStatusLine", "OSError")
_LEAVING = (
    "length",
    "leftovers",
    "coding",
    "chunks",
    "cut",
    "noise",
    "order",
    "status line",
    "method",
)
"""Dimensions in which bytes are left after a response."""
_HEAD_CALLS = ("getresponse", "status", "reason", "version", "getheaders", "will_close", "chunked")


def _reads(difference: Difference) -> bool:
    return _call(difference) in ("read", "length", "isclosed")


def _framings(difference: Difference) -> bool:
    """Whether the call states how a body ends, or reads it."""
    return _call(difference) in ("chunked", "length", "will_close") or _reads(difference)


def _codings(difference: Difference) -> bool:
    """Whether a transfer coding is not ``chunked`` alone, or comes with a length."""
    return _framings(difference) and _seen(
        difference,
        rb"^transfer-encoding:(?![ \t]*chunked[ \t]*\r?\n(?![ \t]))"
        rb"|^transfer-encoding:(.*\n)+?transfer-encoding:"
        rb"|^content-length:.*\n(.*\n)*?transfer-encoding:|^transfer-encoding:.*\n(.*\n)*?content-length:",
    )


_NEW = ("HTTPConnection", "HTTPSConnection", "set_tunnel")
_GOOD_CODE = rb"[1-9][0-9][0-9](?=\s|\Z)"

ROWS: Sequence[Row] = (
    # What was refused or failed before: the reference has cleaned up, 2.7 has not.
    ("a call refused by validation", lambda d: _refused_before(d) and _is_left_in_the_middle(d)),
    (
        "failed `getresponse`, except a timeout",
        lambda d: _after(d, "getresponse") and _is_left_in_the_middle(d),
    ),
    (
        "`IncompleteRead`, `LineTooLong` in a body",
        lambda d: _after(d, "read") and _is_left_unread(d),
    ),
    (
        # Where `auto_open` is off, nothing is connected either: 2.7 counts the request as sent.
        "failed TLS handshake or failed `connect`",
        lambda d: _was_not_connected(d) and _is_left_in_the_middle(d),
    ),
    ("`close()`", lambda d: _odd(d, "order", "sequence") and _sends_what_was_given_up(d)),
    # Constructor, URL, host and port
    (
        "method",
        lambda d: _odd(d, "method") and _is_refusal(d, "ValueError", "request", "putrequest"),
    ),
    ("`Host`", lambda d: _odd(d, "url") and _without(d, b"host")),
    ("the same two rows", lambda d: _is_bad_port(d, "set_tunnel")),
    (
        'port in the host text, `"host:8080"`',
        lambda d: _is_bad_port(d, "HTTPConnection", "HTTPSConnection") and _port_given(d) is None,
    ),
    (
        "port argument",
        lambda d: (
            _is_bad_port(d, "HTTPConnection", "HTTPSConnection")
            or (_odd(d, "address") and _call(d) == "port" and d.ours == int(d.theirs))
        ),
    ),
    ("host", lambda d: _odd(d, "address") and _call(d) in _NEW and not _args(d).isascii()),
    (
        "IPv6",
        lambda d: (
            _odd(d, "address")
            and _call(d) == "host"
            and d.ours == str(d.theirs).removeprefix("[").removesuffix("]")
        ),
    ),
    # Status line
    (
        "`strict` true",
        lambda d: (
            bool(d.example.ops[0]["kwargs"].get("strict"))
            and _call(d) == "getresponse"
            and _raised(d.ours) == "BadStatusLine"
        ),
    ),
    (
        "a code that is not understood",
        lambda d: (
            _odd(d, "status line", "noise", "tunnel")
            and _call(d) == "getresponse"
            and _raised(d.ours) == "BadStatusLine"
            and re.match(rb"\s*\S+\s+" + _GOOD_CODE, _detail(d.ours, "line").encode("latin-1"))
            is None
        ),
    ),
    (
        "interim responses",
        lambda d: (
            _call(d) in ("getresponse", "status") and _seen(d, rb"^HTTP/1\.\S*\s+1(?!00|01)\d\d")
        ),
    ),
    (
        "version",
        lambda d: (
            _is_refusal(d, "UnknownProtocol", "getresponse")
            and _seen(d, rb"^HTTP/(?!1\.)\S*\s+100")
        ),
    ),
    (
        "101",
        lambda d: _seen(d, rb"^\s*HTTP/\S*\s+101") and (_framings(d) or _is_fresh_connection(d)),
    ),
    (
        "persistence",
        lambda d: (
            _odd(d, "fields") and _call(d) == "will_close" and _seen(d, rb"^[\w-]*connection:")
        ),
    ),
    (
        # The page has an exception for it. 2.7 counts a request that it could not send as sent, and
        # reads the response from a socket that is None.
        "`putrequest` · `putheader`, `endheaders` · `getresponse` out of turn",
        lambda d: (
            _call(d) == "getresponse"
            and (_raised(d.ours), _raised(d.theirs)) == ("ResponseNotReady", "AttributeError")
        ),
    ),
    (
        # After the head of a successful response to CONNECT the socket is the caller's: no body.
        "reading `conn.sock` beside the response",
        lambda d: (
            _odd(d, "method")
            and _asks_for_a_tunnel(d)
            and (_framings(d) or _is_fresh_connection(d))
        ),
    ),
    # Headers
    ("obs-fold", lambda d: _call(d) == "getheaders" and _has_more_fields(d, (" ", "\t"))),
    (
        # 2.7 skips them until any other line, READINGS before the first field.
        "odd lines",
        lambda d: _call(d) == "getheaders" and _has_more_fields(d, ("from ", " ", "\t")),
    ),
    # Tunnel
    (
        "CONNECT not answered by an HTTP/1.x status 200 and a whole head",
        lambda d: (
            _odd(d, "tunnel")
            and (_after(d, "request", "endheaders", "send") or _is_of_the_tunnel(d))
        ),
    ),
    # Where the body ends
    (
        "1xx, 204, 304",
        lambda d: (
            _framings(d)
            and _seen(d, rb"^\s*HTTP/\S*\s+(204|304)")
            and _seen(d, rb"^transfer-encoding")
        ),
    ),
    ("Transfer-Encoding", lambda d: _odd(d, "coding", "fields", "noise") and _codings(d)),
    ("`Content-Length`", lambda d: _odd(d, "length", "fields", "noise") and _framings(d)),
    ("`read(n)`, n negative", lambda d: _call(d) == "read" and _args(d) == "-1"),
    (
        "chunked, cut or malformed, `read()`",
        lambda d: _is_cut(d) and _call(d) == "read" and not _args(d),
    ),
    (
        "short body, `read(n)`, length and chunked alike, a bad size line included",
        lambda d: _is_cut(d) and _reads(d),
    ),
    (
        # `isclosed` of chunks becomes true by the call that meets the end. In 2.7 that can be a
        # `read(0)`, which reads the next size line; here a read of nothing needs no byte.
        "`read` after the end",
        lambda d: _reads(d) and _follows_a_read_of_nothing(d) and _seen(d, rb"^transfer-encoding"),
    ),
    (
        "`response.close()` before the end of a kept response",
        lambda d: (
            _odd(d, "order", "sequence")
            and _closed_early(d)
            and (_is_fresh_connection(d) or _call(d) in ("request", "putrequest"))
        ),
    ),
    ("what the client still owes", lambda d: _follows_an_unfinished_request(d)),
    ("leftovers", lambda d: _is_fresh_connection(d) and _second_request(d)),
    # Requests
    (
        "`Content-Length` is correct",
        lambda d: _odd(d, "headers", "body") and _without(d, b"content-length"),
    ),
    (
        "other bodies (list, generator, number)",
        lambda d: _odd(d, "body") and _is_refusal(d, "TypeError", "request"),
    ),
    (
        "a body file that cannot give octets",
        lambda d: _odd(d, "body") and _is_refusal(d, "UnimplementedFileMode", "request"),
    ),
    (
        "header name",
        lambda d: _odd(d, "headers") and _is_refusal(d, "ValueError", "request", "putheader"),
    ),
    (
        "`set_tunnel` headers",
        lambda d: _odd(d, "address") and _is_refusal(d, "ValueError", "set_tunnel"),
    ),
)


def _port_given(difference: Difference) -> Any:
    """The port argument of a constructor; None where there is none."""
    args = [] if difference.op is None else difference.op["args"]
    return args[1] if len(args) > 1 else None


def _is_bad_port(difference: Difference, *calls: str) -> bool:
    return _odd(difference, "address") and _is_refusal(difference, "InvalidURL", *calls)


def _is_cut(difference: Difference) -> bool:
    return _odd(difference, "length", "cut", "chunks", "noise", "coding")


def _has_more_fields(difference: Difference, starts: tuple[str, ...]) -> bool:
    """Whether 2.7 has all the fields that the reference has, and others that begin so."""
    ours, theirs = difference.ours, difference.theirs
    if _raised(ours) or _raised(theirs):
        return False
    return all(pair in theirs for pair in ours) and all(
        pair in ours or pair[0].startswith(starts) for pair in theirs
    )


def _is_of_the_tunnel(difference: Difference) -> bool:
    """Whether the first call that dials was refused here."""
    calls = ("request", "endheaders", "send", "connect")
    return _call(difference) in calls and _raised(difference.ours) in ("OSError", "BadStatusLine")


def _closed_early(difference: Difference) -> bool:
    return any(
        op.get("call") == "close" and op["on"].startswith("r")
        for op in difference.example.ops[: len(difference.before)]
    )


def _asks_for_a_tunnel(difference: Difference) -> bool:
    """Whether the latest request before the call is a CONNECT."""
    before = difference.example.ops[: len(difference.before)]
    methods = [op["args"][0] for op in before if op.get("call") in ("request", "putrequest")]
    return methods[-1:] == ["CONNECT"]


def _follows_a_read_of_nothing(difference: Difference) -> bool:
    """Whether the call, or one before it on the same response, is a ``read(0)``."""
    op = difference.op
    before = difference.example.ops[: len(difference.before) + 1]
    return op is not None and any(
        one.get("call") == "read" and one["args"] == [0] and one["on"] == op["on"] for one in before
    )


def _follows_an_unfinished_request(difference: Difference) -> bool:
    """Whether the caller announced a body, and a response was read before the call.

    The reference then refuses the rest of the body, and sends the next request on a connection of
    its own; 2.7 sends both on the old one, and waits there until its response is read.
    """
    if not (_announced_a_body(difference) and _second_request(difference)):
        return False
    if difference.op is None:
        return difference.ours[0] in ("requests", "after")
    if _call(difference) == "send":
        return _raised(difference.ours) == "NotConnected" and not _raised(difference.theirs)
    if _call(difference) == "getresponse":
        return True
    return difference.op["on"] != "r0" and (_call(difference) in _HEAD_CALLS or _reads(difference))


def _announced_a_body(difference: Difference) -> bool:
    """Whether a caller's own field before the call says that a body follows."""
    before = difference.example.ops[: len(difference.before)]
    words = (str(word).lower() for op in before for word in _texts(op.get("args", ())))
    return any(word in ("content-length", "transfer-encoding") for word in words)


def _second_request(difference: Difference) -> bool:
    """Whether a response was had before: the connection could have been kept."""
    return any(
        op.get("call") == "getresponse" and fact == "HTTPResponse"
        for op, fact in zip(difference.example.ops, difference.before, strict=False)
    )
