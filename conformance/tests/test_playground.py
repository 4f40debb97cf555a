"""The playground of `serve`: who may use it, what it shows, and what it plays."""

import html
import re
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.cases import sent_octets
from conformance.cli.main import main
from conformance.drivers import installed
from conformance.report import octets_of
from conformance.reproduce import Ports
from conformance.serve import PlayBounds, Playground, Server
from conformance.serve.gate import Gate, Refused, Turnstile, is_local, reaches_loopback
from conformance.serve.playground import form_of, visible_lines
from conformance.tests.support import BY_ID, CORPUS, EVERY
from mockserver import Connection, Request, Route

HOST = "127.0.0.1"
ANY = Ports(HOST, 0, 0, 0, 0)
OFFERED = ("httplib_impl", "http.client", "client:urllib.request")
PAGE = "/_/playground"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"
HUNG = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
NASTY = (
    b"</textarea><script>alert(1)</script>",
    b'"><img src=x onerror=alert(1)>&lt;&amp;',
    b"\0\x1b[2J\xff\xe2\x80\xae::error::x",
    b"HTTP/1.1 200 OK\r\nA: </span><b>\\x41\r\n\r\n{{ token }}\xed\xa0\x80",
)
Answer = tuple[int, dict[str, str], str]


def running(**bounds: Any) -> Server:
    made = partial(Playground, bounds=PlayBounds(**bounds), offered=OFFERED)
    return Server(CORPUS, ANY, playground=made)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(deadline=0.5, per_minute=1000) as one:
        yield one


def exchanged(port: int, octets: bytes) -> Answer:
    """Return status, fields and body of the reply to *octets*."""
    with socket.create_connection((HOST, port), timeout=60) as sock:
        sock.sendall(octets)
        received = b""
        while data := sock.recv(65536):
            received += data
    head, _, body = received.decode().partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    fields = {one.partition(":")[0].lower(): one.partition(":")[2].strip() for one in lines}
    return int(line.split()[1]), fields, body


def asked(port: int, target: str, host: str = "", method: str = "GET") -> Answer:
    lines = f"{method} {target} HTTP/1.1\r\nHost: {host or f'{HOST}:{port}'}\r\n\r\n"
    return exchanged(port, lines.encode("latin-1"))


def get(server: Server, query: str = "", host: str = "") -> Answer:
    return asked(server.ports.control, PAGE + query, host)


def post(
    server: Server, values: dict[str, Any], fields: dict[str, str | None] | None = None
) -> Answer:
    """Send a form with the token of the page, unless *values* or *fields* say otherwise."""
    assert server.playground is not None
    port = server.ports.control
    body = urlencode({"token": server.playground.gate.token, **values}, doseq=True).encode()
    sent = {
        "Host": f"{HOST}:{port}",
        "Origin": f"http://{HOST}:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        **(fields or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
    return exchanged(port, f"POST {PAGE} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)


def play(octets: bytes, *chosen: str, **more: str) -> dict[str, Any]:
    return {"do": "play", "bytes": visible_lines(octets), "impl": chosen or OFFERED[:2], **more}


def edited(body: str) -> bytes:
    """Return the bytes in the text area of a page, as a browser reads and sends it."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", body, re.DOTALL)
    assert found is not None
    return octets_of(html.unescape(found[1]).replace("\n", "\r\n").encode())


def coloured(body: str) -> bytes:
    """Return the bytes in the table of bytes by role."""
    table = body[body.index('id="shown"') : body.index('class="three"')]
    cells = re.findall(r'<b class="?r-[^>]*>(.*?)</b>', table, re.DOTALL)
    return octets_of(html.unescape(re.sub(r"</?i>", "", "".join(cells))).encode())


def problem(body: str) -> str:
    found = re.search(r'id="problem"[^>]*>(.*?)</p>', body, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


# ---- who may use it


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}"],
)
def test_another_host_gets_no_page_and_no_token(server: Server, host: str) -> None:
    status, _, body = get(server, host=host.format(port=server.ports.control))
    assert status == 403
    assert body == "the Host is not an address of the control port\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_names_of_this_machine_are_its_hosts(server: Server, host: str) -> None:
    assert get(server, host=f"{host}:{server.ports.control}")[0] == 200


def test_a_request_with_two_hosts_is_refused(server: Server) -> None:
    assert get(server, host=f"{HOST}:{server.ports.control}\r\nHost: evil.example")[0] == 403


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:{http}"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
    ],
)
def test_a_form_from_elsewhere_plays_nothing(
    server: Server, fields: dict[str, str | None], status: int
) -> None:
    ports = {"port": server.ports.control, "http": server.ports.http}
    sent = {name: value and value.format(**ports) for name, value in fields.items()}
    found, named, body = post(server, play(CHUNKED), sent)
    assert found == status
    assert named["content-type"].startswith("text/plain")
    assert body.count("\n") == 1


@pytest.mark.parametrize("token", ["", "x" * 43, "\xff"])
def test_a_wrong_token_plays_nothing(server: Server, token: str) -> None:
    status, _, body = post(server, {**play(CHUNKED), "token": token})
    assert status == 403
    assert body == "the token is not that of this server; load the page again\n"


def test_the_token_differs_between_servers() -> None:
    assert Gate(ANY).token != Gate(ANY).token


def test_another_method_is_refused(server: Server) -> None:
    assert asked(server.ports.control, PAGE, method="PUT")[0] == 405


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),
        ("example.test", False),
    ],
)
def test_only_loopback_is_this_machine(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_a_client_on_another_machine_is_refused() -> None:
    request = Request(1, f"GET {PAGE} HTTP/1.1\r\nHost: 127.0.0.1:8083\r\n\r\n".encode())
    gate = Gate(Ports("0.0.0.0", 8080, 8081, 8082, 8083))
    gate.check(request, "127.0.0.1")
    with pytest.raises(Refused, match="on this machine only"):
        gate.check(request, "192.0.2.7")


@pytest.mark.parametrize(
    ("host", "reaches"),
    [("127.0.0.2", True), ("::", True), ("0.0.0.0", True), ("192.0.2.1", False)],
)
def test_only_where_loopback_reaches_it_is_there_a_playground(host: str, reaches: bool) -> None:
    assert reaches_loopback(host) is reaches


@pytest.mark.parametrize(
    ("host", "found"),
    [("127.0.0.2", "127.0.0.2:8"), ("0.0.0.0", "127.0.0.1:8"), ("::1", "[::1]:8")],
)
def test_the_page_has_an_address_of_this_machine(host: str, found: str) -> None:
    assert Gate(Ports(host, 5, 6, 7, 8)).host == found


def test_only_what_is_installed_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("curl", "python9"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    here = ["httplib_impl", "python9:httplib", "client:urllib.request", "client:curl"]
    absent = ["no_such_module.client", "python8:httplib", "client:wget", "client:jdk"]
    assert installed([*here, *absent]) == here


def test_the_port_of_the_cases_leads_to_the_origin_of_the_page(server: Server) -> None:
    """A case may be a page with a script, which could read a token in its own origin."""
    status, fields, body = asked(server.ports.http, f"{PAGE}?case=a%20b")
    assert (status, body) == (302, "")
    assert fields["location"] == f"http://{HOST}:{server.ports.control}{PAGE}?case=a%20b"


@pytest.mark.parametrize("path", ["/c/chunked.two-chunks", "/c/bytes?text=hello"])
def test_no_bytes_of_a_case_are_served_in_the_origin_of_the_page(server: Server, path: str) -> None:
    status, fields, body = asked(server.ports.control, path, host="evil.example")
    assert (status, body) == (302, "")
    assert fields["location"] == f"http://{HOST}:{server.ports.http}{path}"


def test_without_the_playground_there_is_no_page_and_no_link() -> None:
    with Server(CORPUS, ANY, playground=None) as one:
        assert get(one)[0] == 404
        for path in ("/_/", "/_/cases/chunked.two-chunks.html"):
            status, _, body = asked(one.ports.control, path)
            assert status == 200
            assert "playground?" not in body
            assert "Playground" not in body


def test_the_page_of_a_case_leads_to_its_bytes(server: Server) -> None:
    _, _, body = asked(server.ports.control, "/_/cases/chunked.two-chunks.html")
    assert 'href="/_/playground?case=chunked.two-chunks"' in body


def test_the_command_can_leave_the_playground_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def noted(*_: Any, playground: Any, **__: Any) -> Server:
        made.append(playground)
        raise KeyboardInterrupt

    monkeypatch.setattr("conformance.cli.serve.Server", noted)
    for options in ([], ["--no-playground"]):
        CliRunner().invoke(main, ["serve", "--port", "0", *options])
    assert made == [Playground, None]


# ---- bounds


def test_a_form_that_is_too_long_is_refused(server: Server) -> None:
    status, _, body = post(server, {"bytes": "x" * (1 << 19)})
    assert status == 413
    assert body == f"the request is longer than {1 << 19} bytes\n"


def test_bytes_beyond_the_bound_are_not_played(server: Server) -> None:
    status, _, body = post(server, play(b"x" * ((1 << 16) + 1)))
    assert status == 413
    assert problem(body) == "65537 bytes; at most 65536 are played"
    assert "What each did" not in body


def test_the_most_bytes_fit_into_a_form_and_are_played(server: Server) -> None:
    status, _, body = post(server, play(b"\xff" * (1 << 16), "httplib_impl"))
    assert status == 200
    assert edited(body) == b"\xff" * (1 << 16)
    assert "What each did" in body
    assert len(body) < 1 << 19


def test_more_plays_than_a_minute_allows_are_refused() -> None:
    with running(per_minute=1) as one:
        assert post(one, play(CHUNKED, "httplib_impl"))[0] == 200
        status, _, body = post(one, play(CHUNKED, "httplib_impl"))
        assert status == 429
        assert problem(body).startswith("at most 1 play may begin in a minute; try again in ")
        assert coloured(body) == CHUNKED
        assert post(one, {"do": "show", "bytes": "x"})[0] == 200


def test_a_minute_later_there_are_plays_again() -> None:
    now = [0.0]
    turnstile = Turnstile(1, 2, lambda: now[0])
    for at in (0.0, 30.0, 60.0, 90.0):
        now[0] = at
        with turnstile.play():
            pass
    now[0] = 100.0
    with pytest.raises(Refused, match="try again in 21 s"), turnstile.play():
        pass


def test_more_plays_at_once_than_the_bound_are_refused() -> None:
    with running(plays=1, deadline=1.5) as one:
        found: list[int] = []
        hung = play(HUNG, "httplib_impl", end="open")
        threads = [
            threading.Thread(target=lambda: found.append(post(one, hung)[0])) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [200, 503, 503]


def test_a_play_that_is_refused_gives_its_place_back() -> None:
    turnstile = Turnstile(1, 1, lambda: 0.0)
    with turnstile.play():
        pass
    for _ in range(2):
        with pytest.raises(Refused, match="in a minute"), turnstile.play():
            pass


def test_a_play_starts_nothing_after_its_time() -> None:
    with running(seconds=-1.0) as one:
        status, _, body = post(one, play(CHUNKED))
        assert status == 200
        assert body.count("not started: the time of the play is over") == 2


def test_a_server_that_stops_starts_nothing_more() -> None:
    with running() as one:
        assert one.playground is not None
        one.playground.stop()
        assert "not started" in post(one, play(CHUNKED, "httplib_impl"))[2]


@pytest.mark.parametrize(
    "written", ["exec:touch /tmp/x", "client:cmd:touch /tmp/x {url}", "json", "client:curl"]
)
def test_an_implementation_that_was_not_offered_is_not_started(
    server: Server, written: str
) -> None:
    status, _, body = post(server, play(CHUNKED, written))
    assert status == 400
    assert problem(body) == "choose one to 8 implementations"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"method": "G T"}, "'G T' is not a valid method"),
        ({"method": "GET\r\nX: y"}, "is not a valid method"),
        ({"end": "never"}, "'never' is not a valid end of the connection"),
        ({"name": "../x"}, "'../x' is not a valid name (letters"),
        ({"do": "delete"}, "'delete' is not a valid act"),
        ({"bytes": "a\r\nb\\q"}, "line 2, character 2: a backslash begins"),
    ],
)
def test_a_value_that_is_not_valid_is_one_line(
    server: Server, values: dict[str, str], said: str
) -> None:
    status, _, body = post(server, {**play(CHUNKED), **values})
    assert status == 400
    assert said in problem(body)
    assert "\n" not in problem(body)
    assert "What each did" not in body


# ---- what it shows


def test_the_page_lets_nothing_act_but_its_own_script(server: Server) -> None:
    status, fields, body = get(server)
    policy = fields["content-security-policy"]
    assert status == 200
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["cache-control"] == "no-store"
    scripts = re.findall(r"<script[^>]*>", body)
    named = [one.replace('"', "") for one in scripts]
    assert named == [f"<script src=/_/{name}.js defer>" for name in ("atlas", "served")]
    assert " style=" not in body


@pytest.mark.parametrize("name", ["atlas.css", "atlas.js"])
def test_the_style_sheet_and_the_script_are_those_of_the_atlas(server: Server, name: str) -> None:
    status, fields, body = asked(server.ports.control, f"/_/{name}")
    source = Path(__file__).parents[1] / "atlas" / "templates" / name
    assert (status, body) == (200, source.read_text(encoding="utf-8"))
    assert fields["x-content-type-options"] == "nosniff"


@given(octets=st.binary(max_size=300) | st.text(max_size=80).map(str.encode))
def test_the_notation_stands_for_the_same_bytes(octets: bytes) -> None:
    assert octets_of(visible_lines(octets)) == octets
    assert octets_of(visible_lines(octets).replace(b"\n", b"\r\n")) == octets


@settings(max_examples=40, deadline=None)
@given(octets=st.sampled_from(NASTY) | st.binary(max_size=200))
def test_any_bytes_are_shown_faithfully_and_never_as_markup(server: Server, octets: bytes) -> None:
    shown = visible_lines(octets)
    pages = [post(server, {"do": "show", "bytes": shown}), get(server, f"?bytes={quote(shown)}")]
    for status, _, body in pages:
        assert status == 200
        assert edited(body) == coloured(body) == octets
        for tag in ("<script>", "<img", "<b>"):
            assert tag not in body


@settings(max_examples=40, deadline=None)
@given(text=st.sampled_from(NASTY) | st.binary(max_size=100))
def test_a_text_that_no_browser_sends_keeps_its_meaning(server: Server, text: bytes) -> None:
    raw = text.replace(b"\\", b"")
    status, _, body = get(server, f"?bytes={quote(raw)}")
    assert status == 200
    assert edited(body) == octets_of(raw)


def test_the_bytes_of_every_case_can_be_edited() -> None:
    for case in EVERY[::7]:
        parts: list[Connection | Route] = [*case.script.connections, *case.script.routes]
        form = form_of(case, 4096)
        assert octets_of(form.text) == (sent_octets(parts[0])[:4096] if parts else b""), case.id


def test_a_case_gives_its_bytes_end_and_name(server: Server) -> None:
    case = BY_ID["chunked.size-line.not-hex"]
    status, _, body = get(server, f"?case={case.id}")
    assert status == 200
    assert edited(body) == coloured(body) == sent_octets(case.script.connections[0])
    assert f'name="name" value="{case.id}"' in body
    assert '<option value="fin" selected>' in body
    assert "class=r-chunk-size>" in body


def test_an_unknown_case_is_not_found_and_near_ones_are_named(server: Server) -> None:
    status, _, body = get(server, "?case=chunked.two-chunk")
    assert status == 404
    assert problem(body).startswith("no case is called 'chunked.two-chunk'; near names: ")
    assert "chunked.two-chunks" in problem(body)


def test_the_link_leads_to_the_same_form_and_plays_nothing(server: Server) -> None:
    octets = CHUNKED + b"&=+%\xff"
    _, _, body = post(server, play(octets, OFFERED[2], do="show", end="rst"))
    found = re.search(r'id="link" href="playground(.*?)"', body)
    assert found is not None
    link = html.unescape(found[1])
    assert parse_qs(urlsplit(link).query)["impl"] == [OFFERED[2]]
    _, _, again = get(server, link)
    assert edited(again) == octets
    assert '<option value="rst" selected>' in again
    assert re.findall(r'value="([^"]*)" checked', again) == [OFFERED[2]]
    assert "What each did" not in again


# ---- what it plays


def test_implementations_are_shown_side_by_side_with_the_wire(server: Server) -> None:
    status, _, body = post(server, play(CHUNKED, *OFFERED))
    assert (status, problem(body)) == (200, "")
    heads = re.findall(r'<th scope="col">([^<]*)</th>', body)
    assert [head.split(" ")[0] for head in heads] == ["call", *OFFERED]
    (row,) = (one for one in re.findall(r"<tr.*?</tr>", body) if "response.read()" in one)
    cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)]
    assert ["IncompleteRead" in cell for cell in cells] == [True, True, False]
    (row,) = (one for one in re.findall(r"<tr.*?</tr>", body) if "<code>fetch</code>" in one)
    assert "rejects" in row
    for wire in re.findall(r'<pre class="wire".*?</pre>', body, re.DOTALL):
        assert "GET / HTTP/1.1" in wire
        assert r"zz\r\n" in wire
    assert body.count('<pre class="wire"') == len(OFFERED)


def test_a_result_in_which_they_differ_is_marked_in_words(server: Server) -> None:
    _, _, body = post(server, play(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"))
    rows = re.findall(r"<tr.*?</tr>", body)
    (fields,) = (one for one in rows if "response.getheaders()" in one)
    (status,) = (one for one in rows if "response.status" in one)
    assert ">differ<" in fields
    assert ">differ<" not in status


def test_what_hangs_is_shown_as_hung(server: Server) -> None:
    status, _, body = post(server, play(HUNG, "httplib_impl", end="open"))
    assert status == 200
    assert "HANG: the kit gave up after 0.5 s" in body
    assert "still waiting when the kit gave up" in body


def test_a_client_that_cannot_take_part_leaves_the_others_alone(server: Server) -> None:
    _, _, body = post(server, play(CHUNKED, "httplib_impl", OFFERED[2], method="HEAD"))
    assert "client:urllib.request sends GET and nothing else" in body
    assert "response.status" in body


@pytest.mark.parametrize("octets", [CHUNKED, *NASTY, b"", b'"\x7f\\'])
def test_a_saved_case_is_the_one_that_try_saves_and_runs(
    server: Server, octets: bytes, tmp_path: Path
) -> None:
    saved, tried = tmp_path / "mine.toml", tmp_path / "tried" / "mine.toml"
    tried.parent.mkdir()
    (tmp_path / "octets").write_bytes(octets)
    status, _, body = post(server, {"do": "save", "bytes": visible_lines(octets), "name": "mine"})
    found = re.search(r'<pre id="toml"[^>]*>\n(.*?)</pre>', body, re.DOTALL)
    assert status == 200
    assert found is not None
    saved.write_text(html.unescape(found[1]))
    done = CliRunner().invoke(main, ["try", str(tmp_path / "octets"), "--save-case", str(tried)])
    assert done.exit_code == 0, done.output
    assert saved.read_text() == tried.read_text()
    done = CliRunner().invoke(main, ["check", "--cases", str(saved)])
    assert done.exit_code == 0, done.output
    assert "1 INFO" in done.output
