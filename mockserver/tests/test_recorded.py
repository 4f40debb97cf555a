"""What has passed through to a real server, written down, and played again byte by byte."""

import http.server
import re
import socket
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from certs import CertificateAuthority
from mockserver import (
    Close,
    Drain,
    Fill,
    Label,
    Listener,
    MockServer,
    MockServerError,
    Proxy,
    ReadRequest,
    Reply,
    Respond,
    Script,
    ScriptError,
    Send,
    Stall,
    Starttls,
    connection,
    route,
    routes_from,
    script,
    script_from,
    script_text,
)
from mockserver.tests.conftest import Connect
from mockserver.tests.support import exactly, to_end

LISP: Any = "lisp"
BINARY = bytes(range(256)) * 3
ASKED = [
    b"GET /text HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /text HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /binary?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /text HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi",
    b"GET /missing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with and without a length; by HTTP/1.0, so each answer ends its connection."""

    def do_GET(self) -> None:
        if self.path == "/missing":
            return self.send_error(404, "Not here")
        body = BINARY if self.path.startswith("/binary") else b"line\n" * 40
        self.send_response(200)
        self.send_header("X-Count", str(self.counted()))
        if self.path == "/text":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return None

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def counted(self) -> int:
        self.server.count = getattr(self.server, "count", 0) + 1  # type: ignore[attr-defined]
        return self.server.count  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def live() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()
        thread.join()


def answers(address: tuple[str, int], connect: Connect, asked: list[bytes]) -> list[bytes]:
    """All bytes that come for each request, on a connection of its own."""
    seen = []
    for raw in asked:
        client = connect(address)
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        seen.append(to_end(client))
    return seen


def played_by(text: str) -> Script:
    names: dict[str, Any] = {}
    exec(text, names)
    assert isinstance(names["recorded"], Script)
    return names["recorded"]


def test_what_passed_from_a_live_server_is_played_again(live: str, connect: Connect) -> None:
    asked = [*ASKED, *ASKED[:1]]  # the same twice: its count says that they come in their order
    with MockServer(Proxy(live)) as server:
        seen = answers(server.address, connect, asked)
        text = server.recorded()
    assert BINARY in seen[2]
    assert seen[0] != seen[5]
    with MockServer(played_by(text)) as server:
        assert answers(server.address, connect, asked) == seen
    with MockServer(played_by(text)) as server:  # and in another order
        order = [4, 3, 2, 1, 0, 5]
        again = answers(server.address, connect, [asked[one] for one in order])
        assert again == [seen[one] for one in order]


def test_a_record_as_python_is_a_module_that_people_can_read() -> None:
    steps = (Send(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\x00\xff" + b"a" * 10), Close())
    text = script_text(script(route(*steps, method="GET", target="/a", times=2)))
    assert text == (
        "from mockserver import Close, Send, route, script\n"
        "\n"
        "recorded = script(\n"
        "    route(\n"
        "        Send(\n"
        "            (\n"
        "                b'HTTP/1.1 200 OK\\r\\n'\n"
        "                b'Content-Length: 12\\r\\n'\n"
        "                b'\\r\\n'\n"
        "                b'\\x00\\xffaaaaaaaaaa'\n"
        "            ),\n"
        "        ),\n"
        "        Close(),\n"
        "        method='GET',\n"
        "        target='/a',\n"
        "        times=2,\n"
        "    ),\n"
        ")\n"
    )


SCRIPTS = [
    script(route(Send(b"a" * 200 + b"\n" + BINARY), Drain(), Close("rst"), target="/a?b")),
    script(route(Send(b""), Stall(), method="PUT", path="/ä", optional=True, times=None)),
    script(Starttls("expired", alpn=("h2", "http/1.1")), Reply(404, headers={"A": "\xff"})),
    script(connection(Label("x"), ReadRequest("none", optional=True), Fill(9), times=None)),
    script(route(Reply(delay=0.5, body=b'"\\'), json={"a": [1, None]}), unmatched="reset"),
    script(listener=Listener("refuse")),
    replace(script(connection(ReadRequest())), obliging=False),
    script(route(Reply(), headers={"Accept": "a/b"}, query={"a": ["1", "2"]})),
]


@pytest.mark.parametrize("one", SCRIPTS)
def test_a_script_is_the_same_after_it_was_written_as_python(one: Script) -> None:
    assert played_by(script_text(one)) == one


def test_a_script_as_toml_is_the_keys_of_a_case() -> None:
    text = script_text(SCRIPTS[0], "toml")
    (one,) = tomllib.loads(text)["routes"]
    assert one["target"] == "/a?b"
    assert one["steps"][1:] == [{"drain": {}}, {"close": "rst"}]
    assert one["steps"][0]["send"][:2] == ["a" * 72, "a" * 72]


def test_a_connection_that_breaks_off_breaks_off_again(
    server: MockServer, connect: Connect
) -> None:
    behind = MockServer(route(Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Close()))
    with behind:
        play = server.play(script(Proxy(behind.url, cut_at="body+2", end="rst")))
        client = connect(play.address)
        client.sendall(ASKED[0])
        exactly(client, 40)
        client.close()
        (one,) = routes_from(play.finish()).routes
    sent = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    assert one == route(sent, Drain(), Close("rst"), method="GET", target="/text")


def test_a_client_that_gave_up_is_kept_waiting_again(
    server: MockServer, connect: Connect, authority: CertificateAuthority
) -> None:
    with MockServer(route(Stall())) as behind:
        play = server.play(script(Starttls(), Proxy(behind.url)))
        context = authority.client_context()
        with context.wrap_socket(connect(play.address), server_hostname="127.0.0.1") as client:
            client.sendall(ASKED[0])
            behind.wait_for(1)
        written = script_text(routes_from(play.finish()))
    assert "Starttls()" in written
    assert "Stall()" in written


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: script_text(SCRIPTS[0], LISP), "form must be 'python' or 'toml', not 'lisp'"),
        (lambda: script_text(script(Respond(print))), "there are no words for respond"),
        (lambda: script_text(script(Respond(print)), "toml"), "there are no words for respond"),
        (
            lambda: script_text(script(route(Reply(), path=re.compile("/a"))), "toml"),
            r"TOML has no words for re.compile\('/a'\)",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(make: Any, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        make()


def test_an_answer_that_was_not_kept_is_not_written(connect: Connect, live: str) -> None:
    with MockServer(Proxy(live, keep=100)) as server:
        answers(server.address, connect, ASKED[:1])
        with pytest.raises(ScriptError, match=r"not kept; give Proxy a larger keep$"):
            server.recorded()


def test_nothing_is_not_written() -> None:
    with MockServer() as server:
        with pytest.raises(MockServerError, match="nothing is played"):
            server.recorded()
        server.add(route(Reply(), optional=True))
        with pytest.raises(ScriptError, match="the record has no request"):
            server.recorded()


def test_a_record_of_connections_can_be_written_too(server: MockServer, connect: Connect) -> None:
    play = server.play(script(connection(ReadRequest(), Send(b"abc"), Close())))
    answers(play.address, connect, ASKED[:1])
    again = script_from(play.finish())
    assert played_by(script_text(again)) == again
    written = tomllib.loads(script_text(again, "toml"))["connections"][0]["steps"]
    assert written == [{"read_request": {}}, {"send": "abc"}, {"close": {}}]
