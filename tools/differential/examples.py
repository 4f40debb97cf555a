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

from tools.differential import parts

Op = dict[str, Any]

DIMENSIONS = (
    "nothing", "status line", "interim", "fields", "length", "coding", "chunks", "cut", "noise",
    "leftovers", "strict", "method", "url", "headers", "body", "order",
)  # fmt: skip
"""What may be odd about an exchange."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response, as bytes.

    Args:
        octets: as they are sent.
        definite: whether any client finds its end while the connection stays open.
    """

    octets: bytes
    definite: bool = False


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


def _pick(odd: bool, usual: Sequence[Any], others: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of *usual*; where this is the odd thing, most often one of *others*."""
    return st.sampled_from([*usual, *others, *others]) if odd else st.sampled_from(usual)


@st.composite
def _framed(draw: st.DrawFn, odd: str) -> tuple[bytes, bytes, bool]:
    """A framing field, a body, and whether its end is definite."""
    kind = {"length": 0, "leftovers": 0, "coding": 1, "chunks": 1}.get(odd)
    kind = draw(st.integers(0, 3)) if kind is None else kind
    if kind == 0:
        length = draw(_pick(odd == "length", [b"5", b" 5\t", b"05"], parts.ODD_LENGTHS))
        more = (
            draw(st.sampled_from([b"!", b"HTTP/1.1 200 Evil\r\n\r\n"]))
            if odd == "leftovers"
            else b""
        )
        return b"Content-Length: " + length + b"\r\n", b"hello" + more, odd != "length"
    if kind == 1:
        coding = draw(_pick(odd == "coding", parts.CODINGS, parts.ODD_CODINGS))
        chunks = draw(st.lists(_pick(odd == "chunks", parts.CHUNKS, parts.ODD_CHUNKS), max_size=4))
        last = draw(_pick(odd == "chunks", parts.LAST_CHUNKS, parts.ODD_LAST_CHUNKS))
        length = b"Content-Length: 5\r\n" if odd == "coding" and draw(st.booleans()) else b""
        definite = odd not in ("coding", "chunks") and last.endswith(b"\r\n\r\n")
        return (
            length + b"Transfer-Encoding: " + coding + b"\r\n",
            b"".join([*chunks, last]),
            definite,
        )
    if kind == 2:
        return b"Content-Length: 0\r\n", b"", True
    return b"", draw(st.sampled_from([b"", b"hello", b"a\r\nb"])), False


@st.composite
def responses(draw: st.DrawFn, odd: str) -> Response:
    """One response, interim ones in front."""
    interim = draw(st.lists(_pick(odd == "interim", parts.INTERIM, parts.ODD_INTERIM), max_size=2))
    if odd not in ("interim", "nothing"):
        interim = []
    plain = odd in ("status line", "strict", "interim")
    status = draw(
        _pick(plain, parts.STATUS_LINES, parts.ODD_STATUS_LINES if odd != "interim" else ())
    )
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b" \r\n"]))
    fields = draw(st.lists(_pick(odd == "fields", parts.FIELDS, parts.ODD_FIELDS), max_size=4))
    framing, body, definite = draw(_framed(odd))
    lines = b"".join(draw(st.permutations([*fields, framing])))
    blank = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]))
    octets = b"".join([*interim, status, end, lines, blank, body])
    if odd == "cut":
        octets = octets[: draw(st.integers(0, len(octets)))]
    if odd == "noise":
        place, noise = draw(st.integers(0, len(octets))), draw(_NOISE)
        octets = octets[:place] + noise.encode("latin-1") + octets[place:]
    definite = definite and odd in (
        "nothing",
        "leftovers",
        "method",
        "url",
        "headers",
        "body",
        "order",
    )
    return Response(octets, definite)


_NOISE = st.text(alphabet="HTP/1.0 25:;,\r\n\tax-\x00\x85\xa0", min_size=1, max_size=12)


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
    method = draw(_pick(odd == "method", parts.METHODS, parts.ODD_METHODS))
    url = draw(_pick(odd == "url", parts.URLS, parts.ODD_URLS))
    headers = draw(_pick(odd == "headers", parts.HEADERS, parts.ODD_HEADERS))
    if draw(st.integers(0, 3)):
        body = draw(_pick(odd == "body", parts.BODIES, parts.ODD_BODIES))
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
    return Example("address", _numbered(ops), ())


@st.composite
def tunnels(draw: st.DrawFn) -> Example:
    """A CONNECT, its response, and a request after it."""
    status = draw(_pick(True, parts.STATUS_LINES, parts.ODD_STATUS_LINES))
    fields = draw(st.lists(st.sampled_from(parts.FIELDS), max_size=3))
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
