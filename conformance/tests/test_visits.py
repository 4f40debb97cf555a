"""The judge of visiting browsers: what a visitor can do, and what becomes of one that leaves."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from conformance.report import read_runs
from conformance.reproduce import Ports
from conformance.serve import Bounds, Server, VisitBounds
from conformance.tests.support import CORPUS
from conformance.tests.test_browser_client import PAGE

CASE = "framing.content-length.invalid.empty"
"""A case that the program accepts and must not."""
Answer = tuple[int, HTTPMessage, str]


@contextmanager
def serving(only: str | None = CASE, **bounds: Any) -> Iterator[Server]:
    visits = VisitBounds(**{"deadline": 10.0, **bounds})
    ports = Ports("127.0.0.1", 0, 0, 0, 0)
    with Server(CORPUS, ports, only=only, bounds=Bounds(visits=visits), playground=None) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", server.ports.control, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def begin(server: Server) -> str:
    """Begin a visit; return the path of its page, with the key."""
    origin = f"http://127.0.0.1:{server.ports.control}"
    status, headers, text = ask(server, "/_/judge", "POST", Origin=origin)
    assert status == 303, text
    return headers["Location"]


def frame_of(server: Server, path: str) -> str:
    found = re.search(r'<iframe src="(.*?)"', ask(server, path)[2])
    assert found is not None
    return unescape(found[1])


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Starts a program that opens a page, as a browser would."""
    path = tmp_path / "page.py"
    path.write_text(PAGE, encoding="utf-8")
    started: list[subprocess.Popen[bytes]] = []
    yield lambda url: started.append(subprocess.Popen([sys.executable, path, "honest", url]))
    for one in started:
        one.kill()
        one.wait()


def over(server: Server, number: int = 1) -> str:
    """The page of a visit when it has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        text = ask(server, f"/_/judge/{number}")[2]
        if "data-over" in text:
            return text
        time.sleep(0.05)  # between two looks at what another process does
    raise AssertionError(f"visit {number} does not end")


def test_a_visit_is_judged_as_a_check_and_gives_a_file_and_a_badge(
    server: Server, visitor: Callable[[str], None], tmp_path: Path
) -> None:
    visitor(frame_of(server, begin(server)))
    text = over(server)
    assert "NO_ERROR" in text
    assert CASE in text
    status, headers, lines = ask(server, "/_/judge/1/results.jsonl")
    assert (status, headers["Content-Type"]) == (200, "application/jsonl; charset=utf-8")
    path = tmp_path / "results.jsonl"
    path.write_text(lines, encoding="utf-8")
    (run,) = read_runs([path])
    assert [(one.id, str(one.verdict)) for one in run.results] == [(CASE, "NO_ERROR")]
    assert run.exit_code == 1
    assert run.head.incomplete == ""
    status, headers, badge = ask(server, "/_/judge/1/badge.svg")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml")
    assert "0/1" in badge


def test_two_devices_are_judged_at_once_each_by_what_it_does(
    server: Server, visitor: Callable[[str], None]
) -> None:
    frames = [frame_of(server, begin(server)) for _ in range(2)]
    assert len(set(frames)) == 2
    for frame in frames:
        visitor(frame)
    assert all("NO_ERROR" in over(server, number) for number in (1, 2))
    assert ask(server, "/_/judge")[2].count("1 of 1") == 2


def test_the_page_that_fetches_is_shown_only_once_and_only_to_who_began_it(server: Server) -> None:
    path = begin(server)
    assert "<iframe" not in ask(server, path.partition("?")[0])[2]
    assert "<iframe" not in ask(server, f"{path}x")[2]
    assert "<iframe" in ask(server, path)[2]
    assert "<iframe" not in ask(server, path)[2]


@pytest.mark.parametrize("origin", [None, "null", "http://example.org", "https://127.0.0.1"])
def test_a_page_of_another_origin_begins_no_visit(server: Server, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    status, _, text = ask(server, "/_/judge", "POST", **headers)
    assert (status, text) == (403, "the Origin is not this page\n")
    assert ask(server, "/_/judge/1")[0] == 404


@pytest.mark.parametrize(
    ("bounds", "status", "reason"),
    [
        ({"at_once": 1}, 503, "other visits are running"),
        ({"per_minute": 1}, 429, "at most 1 visit"),
    ],
)
def test_visits_are_bounded(bounds: dict[str, Any], status: int, reason: str) -> None:
    with serving(**bounds) as server:
        begin(server)
        origin = f"http://127.0.0.1:{server.ports.control}"
        found, _, text = ask(server, "/_/judge", "POST", Origin=origin)
        assert (found, text.startswith(reason)) == (status, True), text


def test_a_visitor_who_closes_the_page_ends_the_visit_and_makes_room() -> None:
    with serving(at_once=1) as server:
        url = frame_of(server, begin(server))
        channel = _channel(url)
        _post(channel, b'{"number": 0, "origin": "o", "gone": true}\n')
        assert "ended early: the page was closed" in over(server)
        begin(server)


@pytest.mark.parametrize(
    ("bounds", "why"),
    [({"patience": 0.2}, "no sign of the page for 0.2 s"), ({"seconds": 0.2}, "the time of a vis")],
)
def test_a_visitor_who_does_not_come_ends_the_visit(bounds: dict[str, Any], why: str) -> None:
    with serving(**bounds) as server:
        begin(server)
        assert f"ended early: {why}" in over(server)


def test_only_the_latest_visits_are_kept() -> None:
    with serving(kept=2, per_minute=9) as server:
        for number in (1, 2, 3):
            channel = _channel(frame_of(server, begin(server)))
            _post(channel, b'{"number": 0, "origin": "o", "gone": true}\n')
            over(server, number)
        assert [ask(server, f"/_/judge/{number}")[0] for number in (1, 2, 3)] == [404, 200, 200]


def test_a_server_that_stops_ends_its_visits() -> None:
    with serving() as server:
        url = frame_of(server, begin(server))
        begun = time.monotonic()
    assert time.monotonic() - begun < 30
    with pytest.raises(OSError, match="refused"):
        _channel(url)


@pytest.mark.parametrize(
    "path",
    ["/_/judge/2", "/_/judge/x", "/_/judge/1/results.jsonl", "/_/judge/1/other"],
)
def test_what_is_not_there_is_not_found(server: Server, path: str) -> None:
    begin(server)
    assert ask(server, path)[0] == 404


def test_a_digit_that_is_no_number_is_not_found(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.ports.control), timeout=60) as sock:
        sock.sendall(b"GET /_/judge/\xb2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(12) == b"HTTP/1.1 404"


def test_the_other_port_leads_to_the_control_port() -> None:
    with serving(only=None) as server:
        connection = HTTPConnection("127.0.0.1", server.ports.http, timeout=60)
        connection.request("GET", "/_/judge")
        answer = connection.getresponse()
        there = f"http://127.0.0.1:{server.ports.control}/_/judge"
        assert (answer.status, answer.headers["Location"]) == (302, there)
        connection.close()


def test_a_page_of_the_judge_runs_only_its_own_script(server: Server) -> None:
    policy = ask(server, "/_/judge")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def _channel(url: str) -> str:
    """The address at which the page at *url* takes its orders."""
    host = url.removeprefix("http://").rstrip("/")
    connection = HTTPConnection(host, timeout=60)
    try:
        connection.request("GET", "/")
        found = re.search(r'CHANNEL = "(.*?)"', connection.getresponse().read().decode())
    finally:
        connection.close()
    assert found is not None
    return found[1]


def _post(channel: str, body: bytes) -> None:
    host, _, path = channel.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=60)
    connection.request("POST", f"/{path}", body)
    connection.getresponse().read()
    connection.close()
