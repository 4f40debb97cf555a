"""A fault in front of a real server: what passes, what is changed, and what goes wrong."""

import http.client
import http.server
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Drain,
    Dribble,
    Fill,
    Gate,
    Interim,
    Listener,
    MockServer,
    Play,
    Proxy,
    Read,
    ReadRequest,
    Reply,
    ScriptError,
    ScriptPart,
    Send,
    Stall,
    Starttls,
    connection,
    route,
    script,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import REQUEST, exactly, is_reset, to_end

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HEAD = HELLO[:-5]
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
)
CHANGED = HELLO.replace(b"Content-Length: 5", b"CONTENT-LENGTH: 3")
KEPT = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\n\r\nup to the end"
MANY = 1 << 26
WRONG: Any = "reset"


@pytest.fixture
def upstream(authority: CertificateAuthority) -> Iterator[MockServer]:
    """The other server, which is one of ours, so that it can do everything."""
    with MockServer(tls=authority.server_context, patience=5.0) as one:
        yield one


def url(play: Play, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{play.address[1]}"


def proxied(server: MockServer, upstream: MockServer, *parts: ScriptPart, **changes: Any) -> Play:
    """A play in front of another; all requests are passed on."""
    return server.play(script(Proxy(url(upstream.play(script(*parts))), **changes)))


def answer_of(
    server: MockServer, upstream: MockServer, connect: Connect, raw: bytes, **changes: Any
) -> tuple[bytes, Play]:
    """Everything that a client gets when the other server answers with these bytes and closes."""
    play = proxied(server, upstream, route(Send(raw), Close()), **changes)
    client = connect(play.address)
    client.sendall(REQUEST)
    client.shutdown(socket.SHUT_WR)
    return to_end(client), play


# ---------------------------------------------------------------------------- unchanged


@pytest.mark.parametrize(
    "raw",
    [
        HELLO,
        CHUNKED,
        KEPT,
        CLOSING,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + HELLO,
        b"HTTP/1.1 200\nContent-Length: 1\n Folded: x\n\n!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na-b\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nany",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nany",
    ],
)
def test_an_answer_passes_unchanged(
    server: MockServer, upstream: MockServer, connect: Connect, raw: bytes
) -> None:
    seen, play = answer_of(server, upstream, connect, raw)
    assert seen == raw
    assert play.finish().complaints() == ()


def test_a_request_passes_unchanged_but_for_its_host(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    play = proxied(server, upstream, route(Reply(), times=2))
    other = upstream.address[1]
    client = connect(play.address)
    client.sendall(b"POST /a?b HTTP/1.1\r\nA: Host: x\r\nhOST:  x\r\nContent-Length: 3\r\n\r\nabc")
    exactly(client, 38)
    client.sendall(b"GET http://other/c HTTP/1.0\r\n\r\n")
    exactly(client, 38)
    first, second = (request.raw for request in upstream.requests)
    assert first == (
        b"POST /a?b HTTP/1.1\r\nA: Host: x\r\nhOST:  127.0.0.1:%d\r\nContent-Length: 3\r\n\r\nabc"
        % other
    )
    assert second == b"GET /c HTTP/1.0\r\n\r\n"
    client.close()
    assert play.finish().complaints() == ()


def test_a_path_of_the_other_server_comes_first(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    other = upstream.play(script(Reply()))
    play = server.play(script(Proxy(url(other) + "/v1/")))
    client = connect(play.address)
    client.sendall(b"GET /a HTTP/1.1\r\n\r\n")
    exactly(client, 38)
    assert upstream.requests[0].target == "/v1/a"


def test_a_connection_is_kept_as_the_other_server_keeps_it(
    server: MockServer, upstream: MockServer
) -> None:
    answers = (Reply(body=b"hello"), Reply(204), Reply(body=b"x", framing="chunked"))
    play = proxied(server, upstream, *answers, Reply(body=b"end", framing="close"))
    client = http.client.HTTPConnection(*play.address)
    seen = []
    for method in ("HEAD", "GET", "GET", "GET"):
        client.request(method, "/")
        seen.append(client.getresponse().read())
    assert seen == [b"", b"", b"x", b"end"]
    client.close()
    record = play.finish()
    assert (len(record.connections), record.complaints()) == (1, ())


def test_it_works_with_routes_times_and_steps_of_a_connection(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    there = Proxy(url(upstream.play(script(route(Reply(body=b"hello"), times=3)))))
    for parts in (
        (Reply(503), there),
        (route(Reply(503)), route(there, path="/")),
        (connection(ReadRequest(), Reply(503), ReadRequest(), there),),
    ):
        play = server.play(script(*parts))
        client = connect(play.address)
        client.sendall(REQUEST * 2)
        expected = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" + HELLO
        assert exactly(client, len(expected)) == expected
        client.close()
        assert play.finish().complaints() == ()


def test_it_works_inside_tls_on_both_sides(
    server: MockServer,
    upstream: MockServer,
    connect: Connect,
    authority: CertificateAuthority,
    tmp_path: Path,
) -> None:
    trust = tmp_path / "ca.pem"
    trust.write_bytes(authority.ca_pem)
    other = upstream.play(script(Starttls(), Reply(body=b"hello")))
    play = server.play(script(Starttls(), Proxy(url(other, "https"), trust=str(trust))))
    context = authority.client_context()
    with context.wrap_socket(connect(play.address), server_hostname="127.0.0.1") as client:
        client.sendall(REQUEST)
        assert exactly(client, len(HELLO)) == HELLO
    assert play.finish().complaints() == ()
    assert other.finish().complaints() == ()


def test_a_body_is_passed_on_while_it_comes(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    play = proxied(server, upstream, route(Send(HEAD + b"he"), Gate("more"), Send(b"llo")))
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(HEAD) + 2) == HEAD + b"he"
    upstream.release("more")
    assert exactly(client, 3) == b"llo"
    client.close()
    assert play.finish().complaints() == ()


def test_a_request_body_is_passed_on_while_it_comes(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    other = upstream.play(script(connection(ReadRequest(), Reply(body=b"hello"))))
    play = server.play(script(route(Proxy(url(other), keep=4), body="none")))
    client = connect(play.address)
    client.sendall(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n")
    client.sendall(b"abc\r\n")
    client.sendall(b"0\r\n\r\n")
    assert exactly(client, len(HELLO)) == HELLO
    assert upstream.requests[0].body == b"abc"
    client.close()
    assert play.finish().complaints() == ()


@pytest.mark.parametrize("status", [100, 417])
def test_a_client_that_waits_for_100_gets_what_the_other_server_says(
    server: MockServer, upstream: MockServer, connect: Connect, status: int
) -> None:
    steps = (Interim(100), Read(3), Reply()) if status == 100 else (Reply(417), Close())
    other = upstream.play(script(connection(ReadRequest("none"), *steps)))
    play = server.play(script(route(Proxy(url(other)), body="none")))
    client = connect(play.address)
    client.sendall(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    if status == 417:
        assert b" 417 " in to_end(client)
        return
    assert exactly(client, 25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"abc")
    assert exactly(client, 38).startswith(b"HTTP/1.1 200 OK\r\n")
    client.close()
    assert play.finish().complaints() == ()


def test_a_large_answer_takes_little_memory_and_the_record_has_its_beginning(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY
    play = proxied(server, upstream, route(Send(head), Fill(MANY)), keep=1 << 17)
    client = connect(play.address)
    came = 0
    tracemalloc.start()
    try:
        client.sendall(REQUEST)
        while came < len(head) + MANY:
            came += len(client.recv(1 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MANY // 8
    client.close()
    (one,) = play.finish().connections
    assert 0 < len(one.sent) <= 1 << 17
    assert f"{came - len(one.sent)} more bytes were passed on and are not kept" in [
        event.role for event in one.events
    ]


def test_it_blocks_no_other_connection(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    other = upstream.play(script(route(Gate("go"), Reply(body=b"hello"))))
    play = server.play(script(route(Proxy(url(other)), path="/slow"), route(Reply(), times=None)))
    first, second = connect(play.address), connect(play.address)
    first.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
    for _ in range(20):
        second.sendall(REQUEST)
        assert exactly(second, 38).startswith(b"HTTP/1.1 200 OK\r\n")
    upstream.release("go")
    assert exactly(first, len(HELLO)) == HELLO


# ---------------------------------------------------------------------------- changed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": 503}, HELLO.replace(b"200 OK", b"503 Service Unavailable")),
        ({"status": 200, "reason": b"Fine"}, HELLO.replace(b"OK", b"Fine")),
        ({"headers": {"CONTENT-LENGTH": "3"}}, CHANGED),
        ({"headers": {"ETag": "x"}}, HELLO.replace(b"\r\n\r\n", b"\r\nETag: x\r\n\r\n")),
        ({"without": ("CONTENT-LENGTH",)}, HELLO.replace(b"Content-Length: 5\r\n", b"")),
        ({"cut_at": 10}, HELLO[:10]),
        ({"cut_at": 0}, b""),
        ({"cut_at": "body+2"}, HEAD + b"he"),
        ({"cut_at": "end-of-head"}, HEAD[:-2]),
        ({"cut_at": len(HELLO)}, HELLO),
        ({"inject_at": "field-line", "data": b"A: b\r\n"}, HELLO.replace(b"Con", b"A: b\r\nCon")),
        ({"inject_at": len(HELLO), "data": b"!"}, HELLO + b"!"),
        ({"inject_at": "body+1", "data": b"!", "cut_at": "body+1"}, HEAD + b"h!"),
        ({"pause_at": "body+1", "seconds": 0.001}, HELLO),
        ({"end": "fin"}, HELLO),
    ],
)
def test_a_change_is_made_at_its_place(
    server: MockServer, upstream: MockServer, connect: Connect, changes: Any, expected: bytes
) -> None:
    play = proxied(server, upstream, route(Reply(body=b"hello")), **changes)
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(expected)) == expected
    client.shutdown(socket.SHUT_WR)
    assert to_end(client) == b""
    assert play.finish().complaints() == ()


def test_a_field_is_lost_with_the_lines_that_continue_it(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    raw = HELLO.replace(b"\r\nC", b"\r\nA: b\r\n  and: c\r\nC")
    seen, _ = answer_of(server, upstream, connect, raw, without=["a"])
    assert seen == HELLO


def test_a_connection_ends_after_an_answer_of_http_1_0(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    raw = KEPT.replace(b"Connection: keep-alive\r\n", b"")
    play = proxied(server, upstream, route(Send(raw), Stall()))
    client = connect(play.address)
    client.sendall(REQUEST)
    assert to_end(client) == raw
    assert play.finish().complaints() == ()


def test_marks_count_what_passes_in_any_segments(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    steps = (Dribble(CHUNKED, 1), Close())
    play = proxied(server, upstream, route(*steps), inject_at="chunk-data:2+1", data=b"!")
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(CHUNKED) + 1) == CHUNKED.replace(b"de", b"d!e")


def test_a_reset_comes_after_what_was_passed_on(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    play = proxied(server, upstream, route(Reply(body=b"hello")), cut_at="body+2", end="rst")
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(HEAD) + 2) == HEAD + b"he"
    assert is_reset(client)
    assert play.finish().complaints() == ()


def test_a_stall_lasts_until_the_client_closes(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    play = proxied(server, upstream, route(Reply(body=b"hello")), cut_at="body+2", end="stall")
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(HEAD) + 2) == HEAD + b"he"
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.close()
    assert play.finish().complaints() == ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cut_at": 99}, "cut_at=99 is beyond the 43 bytes of the answer"),
        (
            {"pause_at": "chunk-size:2", "seconds": 1},
            "pause_at='chunk-size:2' is not in the answer, which has status-line:1 to 1, "
            "field-line:1 to 1, end-of-head:1 to 1, body:1 to 1",
        ),
    ],
)
def test_a_place_that_the_answer_does_not_have_is_reported(
    server: MockServer, upstream: MockServer, connect: Connect, changes: Any, text: str
) -> None:
    play = proxied(server, upstream, route(Reply(body=b"hello")), **changes)
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(HELLO)) == HELLO
    client.close()
    where = "connection 1, route 1, step 1 (proxy)"
    assert play.finish().complaints() == (f"{where}: {text}",)


# ---------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (script(listener=Listener("refuse")), "refused the connection"),
        (script(listener=Listener("accept_rst")), "reset the connection"),
        (script(route(Stall())), "sent nothing for 0.2 s"),
        (script(route(Send(b"HTTP/1.1 200 OK\r\nA"), Stall())), "sent nothing for 0.2 s"),
        (script(route(Close())), "ended its stream before it had answered"),
        (
            script(route(Send(b"HTTP/1.1 200 OK\r\nA"), Close())),
            "ended its stream before a whole head, after b'HTTP/1.1 200 OK\\r\\nA'",
        ),
        (
            script(route(Send(b"SSH-2.0-x\r\n"), Stall())),
            "does not answer in HTTP: b'SSH-2.0-x\\r\\n' is no status line",
        ),
        (
            script(route(Send(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200_000), Stall())),
            "does not answer in HTTP: the head is longer than 1048576 bytes",
        ),
        (
            script(route(Reply(101, headers={"Upgrade": "x"}))),
            "switches protocols, which is not passed on",
        ),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_what_the_other_server_does_wrong_is_a_502_and_a_problem(
    server: MockServer,
    upstream: MockServer,
    connect: Connect,
    other: Any,
    text: str,
    method: bytes,
) -> None:
    behind = upstream.play(other)
    there = url(behind)
    play = server.play(script(Proxy(there, timeout=0.2 if "0.2 s" in text else 60)))
    client = connect(play.address)
    client.sendall(REQUEST.replace(b"GET", method))
    client.shutdown(socket.SHUT_WR)
    answer = to_end(client)
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    sentence = f"{there} {text}"
    body = f"proxy: {sentence}\n".encode() if method == b"GET" else b""
    assert answer.partition(b"\r\n\r\n")[2] == body
    where = "connection 1, route 1, step 1 (proxy)"
    assert play.finish().complaints() == (f"{where}: {sentence}",)
    behind.abort()


@pytest.mark.parametrize("cert", ["untrusted", "expired", "wrong-host"])
def test_a_certificate_that_is_not_trusted_is_a_502(
    server: MockServer,
    upstream: MockServer,
    connect: Connect,
    authority: CertificateAuthority,
    tmp_path: Path,
    cert: str,
) -> None:
    trust = tmp_path / "ca.pem"
    trust.write_bytes(authority.ca_pem)
    other = upstream.play(script(Starttls(cert, refused=True)))
    play = server.play(script(Proxy(url(other, "https"), trust=str(trust))))
    client = connect(play.address)
    client.sendall(REQUEST)
    assert b" has a certificate that is not trusted: " in client.recv(4096)
    assert other.finish().complaints() == ()


@pytest.mark.parametrize(
    ("end", "text", "resets"),
    [
        (Close("fin"), "ended its stream before the body was whole", False),
        (Close("rst"), "reset the connection", True),
    ],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_client(
    server: MockServer, upstream: MockServer, connect: Connect, end: Any, text: str, resets: bool
) -> None:
    there = url(upstream.play(script(route(Send(HEAD + b"he"), Drain(), end))))
    play = server.play(script(Proxy(there)))
    client = connect(play.address)
    client.sendall(REQUEST)
    assert exactly(client, len(HEAD) + 2) == HEAD + b"he"
    assert is_reset(client) == resets
    where = "connection 1, route 1, step 1 (proxy)"
    assert play.finish().complaints() == (f"{where}: {there} {text}",)


def test_a_client_that_gives_up_is_no_complaint(
    server: MockServer, upstream: MockServer, connect: Connect
) -> None:
    other = upstream.play(script(route(Stall())))
    play = server.play(script(Proxy(url(other), timeout=600)))
    client = connect(play.address)
    client.sendall(REQUEST)
    upstream.wait_for(1)
    client.close()
    assert play.finish().complaints() == ()
    assert other.finish().complaints() == ()


def test_a_server_that_stops_does_not_wait_for_the_other(
    upstream: MockServer, connect: Connect
) -> None:
    other = upstream.play(script(route(Stall())))
    server = MockServer(Proxy(url(other), timeout=600)).start()
    client = connect(server.address)
    client.sendall(REQUEST)
    upstream.wait_for(1)
    server.stop()
    assert is_reset(client)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Proxy("127.0.0.1:9000"), "must be a URL such as 'http://127.0.0.1:9000', not"),
        (lambda: Proxy("http://127.0.0.1:x"), "proxy: upstream is no URL (Port could not be"),
        (lambda: Proxy("http://127.0.0.1/?a"), "must be scheme, host and port, and at most a path"),
        (lambda: Proxy("http://example.org"), "must be on this machine, unless remote=True is"),
        (lambda: Proxy("https://localhost"), "https needs trust: a file with authorities, or"),
        (lambda: Proxy("https://[::1]", trust="/none"), "trust must be 'system' or a file, not"),
        (lambda: Proxy("http://[::1]:1", cut_at=-1), "cut_at must be at least 0, not -1"),
        (lambda: Proxy("http://[::1]", cut_at="the body"), "must be an offset, or a mark like"),
        (lambda: Proxy("http://[::1]", inject_at=1), "inject_at and data need each other"),
        (lambda: Proxy("http://[::1]", seconds=1), "pause_at and seconds need each other"),
        (
            lambda: Proxy("http://[::1]", end=WRONG),
            "end must be 'upstream' or 'fin' or 'rst' or 'stall', not 'reset'",
        ),
        (lambda: script(connection(Proxy("http://[::1]"))), "no request has been read by then"),
        (
            lambda: script(route(Proxy("http://[::1]", cut_at=1), Reply())),
            "the connection is closed by then",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(make: Any, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        make()
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_machine_can_be_allowed() -> None:
    assert Proxy("https://example.org/a", trust="system", remote=True).remote


# ---------------------------------------------------------------------------- a real server


@contextmanager
def live_server() -> Iterator[str]:
    """A server of the standard library, with a few kinds of answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"from live")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()
        thread.join()


def test_a_server_of_the_standard_library(server: MockServer) -> None:
    with live_server() as there:
        play = server.play(script(Proxy(there, status=202)))
        client = http.client.HTTPConnection(*play.address)
        for _ in range(3):
            client.request("GET", "/")
            response = client.getresponse()
            assert (response.status, response.read()) == (202, b"from live")
        client.close()
    assert play.finish().complaints() == ()
    assert len(play.requests) == 3
