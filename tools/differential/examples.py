"""Examples: what a server plays and what a client does, all usual but for one thing.

Each example is odd in one *dimension* alone, so that a difference has one possible cause: the
status line of one response, its fields, the order of the calls, and so on. A connection is kept
open after a response only where any client finds that response's end; otherwise a read would not
come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from conformance.cases import (
    FIELDS,
    ODD_RESPONSES,
    ODD_STATUS_LINES,
    STATUS_LINES,
    Response,
    pick,
    responses,
)
from tools.differential import parts

Op = dict[str, Any]

DIMENSIONS = (*ODD_RESPONSES, "strict", "method", "url", "headers", "body", "order")
"""What may be odd about an exchange."""


@dataclass(frozen=True, slots=True)
class Example:
    """One run.

    Args:
        odd: the dimension in which it is odd.
        ops: messages of the driver protocol, the constructor first.
        connections: for each connection, in order, the responses to its requests.
        silent: whether the server answers nothing and reads every byte until the client closes.
    """

    odd: str
    ops: tuple[Op, ...]
    connections: tuple[tuple[Response, ...], ...]
    silent: bool = False

    @property
    def octets(self) -> bytes:
        """All that the server has to say."""
        return b"\n\n".join(one.octets for answers in self.connections for one in answers)


def called(name: str, *args: Any, on: str = "conn", **kwargs: Any) -> Op:
    """The message of a call; None at the end of the arguments is left away."""
    given = list(args)
    while given and given[-1] is None:
        given.pop()
    shown = [{"type": "none", "value": None} if item is None else item for item in given]
    return {"on": on, "call": name, "args": shown, "kwargs": kwargs}


def _mapping(pairs: Sequence[tuple[str, Any]]) -> Op | None:
    return {"type": "mapping", "value": [list(pair) for pair in pairs]} if pairs else None


@st.composite
def _request(draw: st.DrawFn, odd: str) -> list[Op]:
    method = draw(pick(odd == "method", parts.METHODS, parts.ODD_METHODS))
    url = draw(pick(odd == "url", parts.URLS, parts.ODD_URLS))
    headers = draw(pick(odd == "headers", parts.HEADERS, parts.ODD_HEADERS))
    if draw(st.integers(0, 3)):
        body = draw(pick(odd == "body", parts.BODIES, parts.ODD_BODIES))
        return [called("request", method, url, body, _mapping(headers))]
    ops = [called("putrequest", method, url, *draw(st.sampled_from([(), (1,), (0, 1), (1, 1)])))]
    for name, value in headers:
        more = draw(st.sampled_from([(), ("more",), (5, "x")]))
        ops.append(called("putheader", name, value, *more))
    ops.append(called("endheaders", draw(st.sampled_from([None, None, "text"]))))
    if draw(st.integers(0, 3)) == 0:
        ops.append(called("send", draw(st.sampled_from(["more", {"type": "bytes", "value": "x"}]))))
    return ops


_LOOKS = ("status", "reason", "version", "will_close", "chunked", "length")


@st.composite
def _response_ops(draw: st.DrawFn, name: str) -> list[Op]:
    """``getresponse`` and what is done with the response."""
    ops: list[Op] = [{**called("getresponse"), "as": name}]
    ops += [{"on": name, "get": attribute} for attribute in _LOOKS]
    ops.append(called("getheaders", on=name))
    reads = [
        *[called("read", on=name)] * 4,
        *[called("read", amount, on=name) for amount in (0, 1, 3, 100)],
        {"on": name, "get": "length"},
        called("isclosed", on=name),
    ]
    ops += draw(st.lists(st.sampled_from(reads), max_size=4))
    if draw(st.integers(0, 2)):
        ops.append(called("read", on=name))
    return [*ops, called("isclosed", on=name)]


_STRAY = [
    called("close"),
    called("close"),
    called("connect"),
    called("endheaders"),
    called("putheader", "X-Late", "1"),
    called("putrequest", "GET", "/"),
    called("send", "stray"),
    called("getresponse"),
    {"on": "conn", "set": "auto_open", "value": 0},
    called("close", on="r0"),
    called("read", -1, on="r0"),
    called("begin", on="r0"),
]


@st.composite
def _calls(draw: st.DrawFn, odd: str) -> list[Op]:
    ops: list[Op] = []
    for number in range(draw(st.integers(1, 3))):
        phrases = [draw(_request(odd)), draw(_response_ops(f"r{number}"))]
        if odd == "order":
            for stray in draw(st.lists(st.sampled_from(_STRAY), max_size=2)):
                phrases.insert(draw(st.integers(0, len(phrases))), [stray])
            del phrases[: draw(st.sampled_from([0, 0, 0, 1]))]
        ops += [op for phrase in phrases for op in phrase]
    return ops


_ADDRESS = [{"type": "address", "value": "host"}, {"type": "address", "value": "port"}]


@st.composite
def exchanges(draw: st.DrawFn, odd: str) -> Example:
    """Requests and responses over one connection object."""
    kwargs = {"strict": 1} if odd == "strict" else draw(st.sampled_from([{}, {"strict": 0}]))
    new = {
        **called("HTTPConnection", on="module"),
        "args": _ADDRESS,
        "kwargs": kwargs,
        "as": "conn",
    }
    odd_one = draw(st.integers(0, 1))
    connections = []
    for number in range(4):
        answers: list[Response] = []
        while not answers or (answers[-1].definite and len(answers) < 3):
            is_odd = number * 3 + len(answers) <= odd_one
            answers.append(draw(responses(odd if is_odd else "nothing")))
        connections.append(tuple(answers))
    return Example(odd, _numbered([new, *draw(_calls(odd))]), tuple(connections))


def _numbered(ops: Sequence[Op]) -> tuple[Op, ...]:
    whole = ({"kwargs": {}, "args": [], **op, "id": f"op{index}"} for index, op in enumerate(ops))
    return tuple(whole)


@st.composite
def constructions(draw: st.DrawFn) -> Example:
    """Constructor and ``set_tunnel`` arguments; nothing is dialled."""
    name = draw(st.sampled_from(["HTTPConnection", "HTTPConnection", "HTTPSConnection"]))
    address = draw(st.sampled_from(parts.HOSTS)), draw(st.sampled_from(parts.PORTS))
    ops: list[Op] = [{**called(name, *address, on="module"), "as": "conn"}]
    ops += [{"on": "conn", "get": name} for name in ("host", "port", "strict", "default_port")]
    if draw(st.booleans()):
        headers = draw(st.sampled_from([*parts.HEADERS, *parts.ODD_HEADERS]))
        endpoint = draw(st.sampled_from(parts.HOSTS)), draw(st.sampled_from(parts.PORTS))
        ops += [
            called("set_tunnel", *endpoint, _mapping(headers)),
            called("putrequest", "GET", "/"),
        ]
    return Example("address", _numbered(ops), ((),))  # no script is empty


@st.composite
def tunnels(draw: st.DrawFn) -> Example:
    """A CONNECT, its response, and a request after it."""
    status = draw(pick(True, STATUS_LINES, ODD_STATUS_LINES))
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=3))
    answer = b"".join([status, b"\r\n", *fields, b"\r\n"])
    if draw(st.integers(0, 3)) == 0:
        answer = answer[: draw(st.integers(0, len(answer)))]
    host, port = draw(
        st.sampled_from([("h", None), ("h:8080", None), ("[::1]:80", None), ("h", 81)])
    )
    headers: list[tuple[str, Any]] = draw(
        st.sampled_from([[], [("X-A", "1")], [("X-Number", 7)], [("Host", "other")]])
    )
    kwargs = draw(st.sampled_from([{}, {"strict": 1}]))
    new = {
        **called("HTTPConnection", on="module"),
        "args": _ADDRESS,
        "kwargs": kwargs,
        "as": "conn",
    }
    ops = [new, called("set_tunnel", host, port, _mapping(headers))]
    ops += [*draw(_request("nothing")), *draw(_response_ops("r0"))]
    connection = Response(answer), draw(responses("nothing"))
    return Example("tunnel", _numbered(ops), (connection, connection))


@st.composite
def requests(draw: st.DrawFn) -> Example:
    """Requests without a response, each on its own connection; every byte is compared."""
    odd = draw(st.sampled_from(["nothing", "method", "url", "headers", "body"]))
    ops: list[Op] = [{**called("HTTPConnection", on="module"), "args": _ADDRESS, "as": "conn"}]
    for _ in range(draw(st.integers(1, 3))):
        ops += [*draw(_request(odd)), called("close")]
    return Example(odd, _numbered(ops), ((),) * 3, silent=True)


_KEPT = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
]
_CLOSED = [
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\n\r\nhello",
]


@st.composite
def sequences(draw: st.DrawFn) -> Example:
    """Calls in any order at all, over connections whose responses have nothing odd."""
    ops: list[Op] = [{**called("HTTPConnection", on="module"), "args": _ADDRESS, "as": "conn"}]
    responses = 0
    for _ in range(draw(st.integers(1, 9))):
        latest = f"r{max(responses - 1, 0)}"
        op = draw(st.sampled_from(_CALLS))
        if op.get("call") == "getresponse":
            op = {**op, "as": f"r{responses}"}
            responses += 1
        ops.append({**op, "on": latest} if op["on"] == "response" else op)
    kept = draw(st.lists(st.sampled_from(_KEPT), min_size=4, max_size=4))
    last = draw(st.sampled_from([*_KEPT, *_CLOSED]))
    answers = tuple(Response(octets, definite=True) for octets in [*kept, last])
    first = draw(st.integers(0, len(answers) - 1))
    return Example("sequence", _numbered(ops), (answers[first:], *(answers,) * 8))


_CALLS: list[Op] = [
    called("request", "GET", "/"),
    called("request", "GET", "/"),
    called("request", "POST", "/", "text"),
    called("request", "HEAD", "/"),
    called("putrequest", "GET", "/"),
    called("putheader", "X-A", "1"),
    called("endheaders"),
    called("endheaders", "text"),
    called("send", "x"),
    called("getresponse"),
    called("getresponse"),
    called("connect"),
    called("close"),
    {"on": "conn", "set": "auto_open", "value": 0},
    {"on": "conn", "set": "auto_open", "value": 1},
    called("read", on="response"),
    called("read", on="response"),
    called("read", 3, on="response"),
    called("close", on="response"),
    called("begin", on="response"),
    called("isclosed", on="response"),
    {"on": "response", "get": "length"},
    called("getheaders", on="response"),
]
