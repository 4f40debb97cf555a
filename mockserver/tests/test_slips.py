"""Each slip that people make is answered in one line, which names the mistake and the remedy."""

# Most slips are values of another type than the one that is asked for.
# mypy: disable-error-code="arg-type,list-item,misc"

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from certs import CertificateAuthority
from mockserver import (
    Chunk,
    Close,
    Connection,
    Dribble,
    Expect,
    Fill,
    Gate,
    HeldClock,
    Interim,
    Listener,
    MockServer,
    MockServerError,
    Pause,
    Proxy,
    ReadRequest,
    Reply,
    Send,
    Starttls,
    connection,
    cut_at,
    fault_on,
    route,
    script,
)

REAL = "http://127.0.0.1:9000"


def answer(request: Any) -> Reply:
    """A function as people give it to `respond`."""
    return Reply(body=request.body)


def yielding(_: Any) -> Any:
    """A generator function, which `respond` does not follow."""
    yield Reply()


async def later(_: Any) -> Reply:
    """A coroutine function, which `respond` cannot call."""
    return Reply()


def playing(use: Callable[[MockServer], object], *parts: Any) -> object:
    """What a server that plays these parts answers to a use."""
    tls = CertificateAuthority().server_context
    server = MockServer(*(parts or (route(Reply(), optional=True),)), tls=tls, patience=0.05)
    try:
        return use(server.start())
    finally:
        server.stop()


SLIPS: list[tuple[str, Callable[[], object], str]] = [
    ("no parts", lambda: script(), "script: is empty; give it a connection(...), a route(...) or"),
    ("a list", lambda: script([route(Reply())]), "script: got a list; write script(*parts)"),
    ("text", lambda: script("hello"), "not 'hello'; write Reply(text=...)"),
    ("bytes", lambda: script(b"HTTP/1.1 200"), "not b'HTTP/1.1 200'; write Send(...)"),
    ("a dict", lambda: script({"a": 1}), "not {'a': 1}; write Reply(json=...)"),
    ("a status", lambda: script(404), "not 404; write Reply(...)"),
    ("a function", lambda: script(answer), "or steps; write route(respond=answer)"),
    ("a class", lambda: script(Reply), "script: got the class Reply; write Reply(...)"),
    (
        "a class among steps",
        lambda: connection(ReadRequest, Reply()),
        "connection: got the class ReadRequest; write ReadRequest(...)",
    ),
    (
        "a list of steps",
        lambda: connection([ReadRequest(), Reply()]),
        "connection: got a list of steps; write connection(*steps)",
    ),
    (
        "a route in a connection",
        lambda: connection(Starttls(), route(Reply())),
        "connection: has a route inside; give both to script(...) side by side",
    ),
    (
        "a function among steps",
        lambda: route(answer),
        "route: must have steps, such as Reply(); write route(respond=answer)",
    ),
    (
        "steps next to routes",
        lambda: script(Reply(), route(Reply())),
        "script: reply stands next to connections and routes; write connection(...) or route(...)",
    ),
    ("no answer", lambda: route(path="/"), "route: has no steps, so the client would wait; give"),
    (
        "a request read twice",
        lambda: route(ReadRequest(), Reply()),
        "route: begins after its request has been read; leave ReadRequest() out",
    ),
    ("no slash", lambda: route(Reply(), target="a"), "does not begin with a slash; write '/a'"),
    ("a path without", lambda: route(Reply(), path="a/b"), "with a slash; write '/a/b'"),
    ("a prefix without", lambda: route(Reply(), prefix="api"), "with a slash; write '/api'"),
    (
        "a query in a path",
        lambda: route(Reply(), path="/a?b=1"),
        "route: path='/a?b=1' has a query, which is not part of a path; use target or query",
    ),
    ("a fragment", lambda: route(Reply(), target="/a#b"), "has a fragment, which no client sends"),
    (
        "a space",
        lambda: route(Reply(), target="/a b"),
        "has a space, which ends a target; write %20",
    ),
    (
        "text not sent so",
        lambda: route(Reply(), target="/ä"),
        "is not ASCII; write it as it is sent",
    ),
    (
        "target and query",
        lambda: route(Reply(), target="/a", query={"b": 1}),
        "cannot be given with target, which is compared whole; use path",
    ),
    (
        "target and path",
        lambda: route(Reply(), target="/a", path="/a"),
        "route: path='/a' stands next to target; give one of them",
    ),
    (
        "query as text",
        lambda: route(Reply(), query="a=1"),
        "must be a mapping, such as {'page': '2'}",
    ),
    ("a boolean", lambda: route(Reply(), query={"a": True}), "is not sent as such; write the text"),
    (
        "a bad pattern",
        lambda: route(Reply(), pattern="/(a"),
        "is not a regular expression: missing )",
    ),
    (
        "a pattern for no path",
        lambda: route(Reply(), pattern=r"orders/\d+"),
        r"does not begin with a slash, as every path does",
    ),
    (
        "no method",
        lambda: route(Reply(), method="GET /"),
        "is not the name of a method, such as 'GET'",
    ),
    (
        "no field name",
        lambda: route(Reply(), headers={"Accept:": "a"}),
        "is not the name of a field",
    ),
    (
        "outer blanks",
        lambda: route(Reply(), headers={"A": " b"}),
        "has outer blanks, which are not",
    ),
    (
        "fields as text",
        lambda: route(Reply(), headers="A: b"),
        "must be a mapping, such as {'Accept'",
    ),
    (
        "not JSON",
        lambda: route(Reply(), json={1, 2}),
        "is not JSON: Object of type set is not JSON",
    ),
    (
        "JSON without a body",
        lambda: route(Reply(), json=1, body="none"),
        "route: json needs the body, which body='none' does not read",
    ),
    (
        "times of nothing",
        lambda: route(Reply(), times=0),
        "times must be at least 1, or None, not 0",
    ),
    (
        "times as text",
        lambda: route(Reply(), times="2"),
        "times must be at least 1, or None, not '2'",
    ),
    (
        "a route after one for all",
        lambda: script(route(Reply(), times=None), route(Reply(), path="/a")),
        "route 2: route 1 takes all its requests; change their order",
    ),
    (
        "the same route again",
        lambda: script(route(Reply(), path="/a", times=None), route(Reply(), path="/a")),
        "route 2: route 1 takes all its requests; change their order",
    ),
    (
        "a fixed answer",
        lambda: route(respond=Reply()),
        "respond: must be a function; a fixed answer is route(Reply())",
    ),
    (
        "two answers",
        lambda: route(Reply(), respond=answer),
        "has steps and respond; give one of them",
    ),
    ("no argument", lambda: route(respond=lambda: Reply()), "must take one argument, the request"),
    (
        "a coroutine",
        lambda: route(respond=later),
        "later is a coroutine function; write it with def",
    ),
    ("text for a status", lambda: Reply("a"), "must be int (for content write text=...), not 'a'"),
    ("JSON for a status", lambda: Reply({}), "must be int (for content write json=...), not {}"),
    ("text for a phrase", lambda: Reply(200, "a"), "(for content write text=...), not 'a'"),
    ("a path for a step", lambda: route("/a", Reply()), "write route(..., path='/a')"),
    ("a URL for a path", lambda: route(Reply(), path="http://h/a?b"), "is a whole URL; write '/a'"),
    ("methods in a list", lambda: route(Reply(), method=["GET"]), "such as re.compile('a|b')"),
    ("a number for a field", lambda: route(Reply(), headers={"A": 1}), "must be text, bytes, or"),
    ("a number for a path", lambda: route(Reply(), path=7), "must be text, bytes, or a pattern"),
    (
        "no expression",
        lambda: route(Reply(), pattern=["/"]),
        "must be a regular expression, as text",
    ),
    (
        "an authority for its contexts",
        lambda: MockServer(Reply(), tls=CertificateAuthority()),
        "tls must make contexts; write tls=authority.server_context",
    ),
    (
        "a class for a clock",
        lambda: MockServer(clock=HeldClock),
        "clock must be a HeldClock(), not",
    ),
    ("a body as text", lambda: Reply(body="a"), "reply: body must be bytes (as .encode() makes of"),
    (
        "two bodies",
        lambda: Reply(text="a", json=1),
        "has more than one of body, text and json; give",
    ),
    ("no JSON", lambda: Reply(json=object()), "reply: json must be what json.dumps takes"),
    (
        "fields in one",
        lambda: Reply(headers="A: b"),
        "must be a mapping, such as {'Retry-After': '0'}",
    ),
    (
        "fields in lines",
        lambda: Reply(headers=["A: b"]),
        "must have a name and a value in each pair",
    ),
    ("a number", lambda: Reply(headers={"Age": 1}), "reply: headers must be text or bytes, not 1"),
    (
        "a line end",
        lambda: Reply(headers={"A": "b\r\nC: d"}),
        "has a line end in 'b\\r\\nC: d'; use bytes",
    ),
    (
        "other letters",
        lambda: Reply(headers={"A": "→"}),
        "has '→', which is not Latin-1; use bytes",
    ),
    ("text to send", lambda: Send("GET"), "bytes (as .encode() makes of text), not 'GET'"),
    ("text to chunk", lambda: Chunk("a"), "chunk: data must be bytes (as .encode() makes of text)"),
    (
        "how to close",
        lambda: Close("reset"),
        "how must be 'fin' or 'rst' or 'abandon', not 'reset'",
    ),
    ("seconds as text", lambda: Pause("1"), "pause: seconds must be float, not '1'"),
    (
        "time that runs back",
        lambda: Dribble(b"a", every=-1),
        "every must be from 0 to a million, not",
    ),
    ("half a byte", lambda: Fill(0.5), "fill: n must be int, not 0.5"),
    ("nothing read", lambda: script(connection(Expect())), "(expect): no request has been read by"),
    (
        "after the end",
        lambda: script(connection(Close(), Reply())),
        "the connection is closed by then",
    ),
    (
        "TLS too late",
        lambda: script(connection(ReadRequest(), Starttls())),
        "(starttls): must be the first step, or inside a tunnel",
    ),
    ("a listener", lambda: Listener("refused"), "mode must be 'accept' or 'refuse' or"),
    ("no request", lambda: fault_on(0, Close()), "fault_on: n must be at least 1, not 0"),
    (
        "a mark that is not there",
        lambda: cut_at(script(connection(Reply())), "chunk-data"),
        "at: there is no 'chunk-data:1', only status-line:1",
    ),
    (
        "no such certificate",
        lambda: playing(str, Starttls("expird")),
        "'expird'; known: server, names,",
    ),
    (
        "no such version",
        lambda: playing(str, Starttls(versions=("1.2",))),
        "known: TLSv1, TLSv1.1, TLSv1.2",
    ),
    (
        "no authority",
        lambda: MockServer(Starttls()).start(),
        "no TLS provider; write MockServer(..., tls=certs.CertificateAuthority().server_context)",
    ),
    (
        "patience",
        lambda: MockServer(patience=0),
        "patience must be from 0 to a million seconds, not 0",
    ),
    (
        "not started",
        lambda: MockServer(route(Reply())).url,
        "the server is not running; write `with MockServer(...) as server:`, or start()",
    ),
    (
        "no such gate",
        lambda: playing(lambda server: server.release("c"), route(Gate("b"), Reply())),
        "release: no gate is called 'c'; there is 'b'",
    ),
    (
        "a signal that does not come",
        lambda: playing(lambda server: server.wait_for("ready")),
        "wait_for: the signal 'ready' did not come in 0.05 s; there were 0 requests",
    ),
    (
        "no routes to add to",
        lambda: playing(lambda server: server.add(Reply()), connection(ReadRequest())),
        "add: the script has no routes, so there is no place for more",
    ),
    (
        "a connection to add",
        lambda: playing(lambda server: server.add(connection(ReadRequest()))),
        "add: takes routes; a connection belongs into the script",
    ),
    ("an unknown end", lambda: script(Reply(), unmatched="404"), "write 'reply' or 'reset'"),
    ("a part", lambda: script(Connection), "must have connections, routes or steps, not <class"),
    (
        "no pause",
        lambda: HeldClock(patience=0.01).advance(1),
        "no step has begun a pause in 0.01 s",
    ),
    # Names of other mock servers, and of this one with a slip of the finger.
    *(
        (f"server.{name}", lambda name=name: playing(lambda server: getattr(server, name)), text)
        for name, text in [
            (
                "expect_request",
                "a MockServer has no 'expect_request'; write server.add(route(Reply(",
            ),
            ("url_for", "a MockServer has no 'url_for'; write server.url + '/path'"),
            ("log", "a MockServer has no 'log'; write server.requests"),
            ("check_assertions", "write server.clear(), or let the test end"),
            ("port", "write server.address, a pair of both"),
            ("shutdown", "write server.stop()"),
            ("takeRequest", "write server.wait_for(1), then server.requests[0]"),
            ("reqests", "a MockServer has no 'reqests'; write server.requests"),
        ]
    ),
    *(
        (
            f"an argument {name} of {str(call)[1:20]}",
            lambda call=call, name=name: call(**{name: 1}),
            text,
        )
        for call, name, text in [
            (Reply, "status_code", "reply: has no argument 'status_code'; write status=..."),
            (Reply, "content_type", "write headers={'Content-Type': ...}"),
            (Reply, "data", "reply: has no argument 'data'; write body=... or text=..."),
            (Reply, "heders", "reply: has no argument 'heders'; write headers=..."),
            (route, "url", "route: has no argument 'url'; write path=..."),
            (route, "query_string", "route: has no argument 'query_string'; write query={...}"),
            (route, "callback", "route: has no argument 'callback'; write respond=..."),
            (script, "timeout", "script: has no argument 'timeout'; write patience=..."),
            (MockServer, "port", "MockServer: has no argument 'port'; write nothing: the system"),
            (MockServer, "ssl_context", "write a Starttls() before the other steps"),
            (Starttls, "refuse", "starttls: has no argument 'refuse'; write refused=..."),
            (
                Expect,
                "path",
                "there is method, target, headers, absent, body, raw, connection, json",
            ),
        ]
    ),
    (
        "a status of no kind",
        lambda: Reply(1000),
        "from 100 to 999 (StatusLine sends any), not 1000",
    ),
    ("a final interim", lambda: Interim(200), "from 100 to 199 (a Reply has the others), not 200"),
    ("a colon in a name", lambda: Reply(headers={"A:": "b"}), "'A:', which is no field name"),
    (
        "a number to mend",
        lambda: Reply(headers={"Age": 1}),
        "must be text or bytes, not 1; write '1'",
    ),
    (
        "a coding by hand",
        lambda: Reply(headers={"Transfer-Encoding": "chunked"}),
        "reply: headers have Transfer-Encoding; write framing='chunked', or framing='none'",
    ),
    (
        "no number",
        lambda: Reply(json=float("nan")),
        "reply: json must be what json.dumps takes (Out",
    ),
    (
        "a method first",
        lambda: route("GET", "/a"),
        "such as Reply(); write route(..., method='GET')",
    ),
    ("routes in a dict", lambda: script({"/a": Reply()}), "write route(Reply(...), path='/path')"),
    ("a template", lambda: route(Reply(), path="/items/{id}"), "write pattern=r'/a/[^/]+'"),
    (
        "a converter",
        lambda: route(Reply(), path="/items/<int:id>"),
        "is compared as it is; for any",
    ),
    (
        "a pattern as path",
        lambda: route(Reply(), path="/items/.*"),
        "is compared as it is; for any",
    ),
    ("a glob", lambda: route(Reply(), path="/items/*"), "is compared as it is; for any of several"),
    (
        "a query in a pattern",
        lambda: route(Reply(), pattern=r"/a\?b=\d"),
        "has a query, which is not part of a path; use query={...}",
    ),
    ("a tree of queries", lambda: route(Reply(), query={"a": {}}), "route: query={} must be text"),
    ("perhaps", lambda: route(Reply(), optional="no"), "optional must be True or False, not 'no'"),
    (
        "a class to call",
        lambda: route(respond=Reply),
        "got the class Reply; write route(Reply(...))",
    ),
    ("a generator", lambda: route(respond=yielding), "respond: yielding yields; return a list"),
    ("parts that are made", lambda: script(iter([Reply()])), "got a list; write script(*parts)"),
    (
        "a listener by name",
        lambda: script(listener="refuse"),
        "script: listener must be a Listener('refuse')",
    ),
    (
        "a listener as a part",
        lambda: script(Listener("refuse")),
        "script: got a listener; write script(..., listener=Listener(...))",
    ),
    ("patience as text", lambda: MockServer(patience="1"), "from 0 to a million seconds, not '1'"),
    (
        "a route to play",
        lambda: playing(lambda server: server.play(route(Reply()))),
        "play: takes a script; write server.play(script(...))",
    ),
    (
        "seconds to wait for",
        lambda: playing(lambda server: server.wait_for(0.5)),
        "not 0.5; seconds are wait_for(..., seconds=1)",
    ),
    (
        "a number in text",
        lambda: cut_at(Reply(), "10"),
        "a mark is like 'chunk-size:2+1', and an offset is a number",
    ),
    ("half an offset", lambda: cut_at(Reply(), 0.5), "at: must be an offset or a mark, not 0.5"),
    (
        "an answer that is not known",
        lambda: cut_at(route(respond=answer), 3),
        "at: nothing is written here before it is played; break what respond returns",
    ),
    ("a number of a request", lambda: fault_on("1", Close()), "n must be at least 1, not '1'"),
    ("one name", lambda: Expect(absent="A"), "absent must be a list of text, such as ['Accept']"),
    (
        "a server for its URL",
        lambda: Proxy(MockServer()),
        "must be str (for a MockServer its .url)",
    ),
    ("a port for a URL", lambda: Proxy("localhost:9000"), "such as 'http://127.0.0.1:9000'"),
    (
        "a place and its bytes",
        lambda: Proxy(REAL, inject_at=(1, b"a")),
        "must be int or str or None (what is written there is data=...)",
    ),
]


@pytest.mark.parametrize(
    ("slip", "remedy"), [one[1:] for one in SLIPS], ids=[one[0] for one in SLIPS]
)
def test_a_slip_is_named_in_one_line(slip: Callable[[], object], remedy: str) -> None:
    kinds = (ValueError, MockServerError, TimeoutError, AttributeError)
    with pytest.raises(kinds, match=re.escape(remedy)) as caught:
        slip()
    assert "\n" not in str(caught.value).partition("\n\n")[0]


def test_there_are_enough_of_them() -> None:
    assert len(SLIPS) >= 29


def test_what_is_clear_is_taken() -> None:
    assert Reply(HTTPStatus.NOT_FOUND) == Reply(404)
    assert Expect(absent=["A"]).absent == ("A",)
    cookies = Reply(headers={"Set-Cookie": ["a=1", "b=2"]}).headers
    assert cookies == ((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))
    assert route(Reply(), query={"käse": "1"}).conditions


def test_a_length_that_is_given_is_not_added_again() -> None:
    whole = b"".join(
        piece.data for piece in Reply(text="abc", headers={"content-length": "9"}).pieces()
    )
    assert whole.lower().count(b"content-length") == 1


@pytest.mark.parametrize(
    ("parts", "meant"),
    [
        ((Reply(503), Reply()), script(route(Reply(503)), route(Reply()))),
        ((Send(b"a"), Close()), script(route(Send(b"a"), Close()))),
        ((ReadRequest(), Reply()), script(connection(ReadRequest(), Reply()))),
        ((Proxy(REAL),), script(route(Proxy(REAL), times=None))),
        (
            (Proxy(REAL, cut_at=1), Reply(), Proxy(REAL)),
            script(route(Proxy(REAL, cut_at=1)), route(Reply()), route(Proxy(REAL), times=None)),
        ),
        ((Starttls("expired"),), script(connection(Starttls("expired")))),
        (
            (Starttls(), ReadRequest(), Reply()),
            script(connection(Starttls(), ReadRequest(), Reply())),
        ),
        ((Starttls(), Reply()), script(Starttls(), route(Reply()))),
        ((script(route(Reply())),), script(route(Reply()))),
    ],
)
def test_bare_steps_mean_the_obvious_script(parts: Any, meant: Any) -> None:
    assert script(*parts) == meant
