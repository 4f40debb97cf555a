"""Plays of `serve`: who may begin them, what is played, what is reported, and how they end."""

import contextlib
import http.client
import json
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from certs import CertificateAuthority
from conformance.cases import CaseError, fixtures_directory
from conformance.cli.main import main
from conformance.serve import Server
from conformance.serve.api import OPERATIONS, PLAYS, description
from conformance.serve.gate import Refused
from conformance.serve.plays import Plays, PlaysBounds
from conformance.tests.conftest import LATE
from conformance.tests.support import CORPUS
from conformance.tests.test_serve import ANY, HOST, body, dial, exactly, get, rest
from mockserver.tests.support import listens

TOKEN = "of-these-tests"
JSON = {"Content-Type": "application/json"}
HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ONE = {"respond": HELLO}
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(CORPUS, ANY, token=TOKEN) as running:
        yield running


@pytest.fixture
def plays() -> Iterator[Plays]:
    with own_plays() as made:
        yield made


@contextlib.contextmanager
def own_plays(**bounds: Any) -> Iterator[Plays]:
    made = Plays(CertificateAuthority(), PlaysBounds(**bounds))
    try:
        yield made
    finally:
        made.stop()


Answer = tuple[int, http.client.HTTPMessage, Any]


def call(
    server: Server,
    method: str,
    path: str,
    content: Any = None,
    fields: Mapping[str, str | None] | None = None,
) -> Answer:
    """Send a request with the token, unless *fields* say otherwise."""
    data = (
        content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
    )
    sent = {"Authorization": f"Bearer {TOKEN}", **JSON, **(fields or {})}
    connection = http.client.HTTPConnection(HOST, server.ports.control, timeout=LATE)
    with contextlib.closing(connection):
        headers = {name: value for name, value in sent.items() if value is not None}
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        received = answer.read()
    if "application/json" in (answer.headers["Content-Type"] or "") and received:
        return answer.status, answer.headers, checked(method, path, answer.status, received)
    return answer.status, answer.headers, received


def checked(method: str, path: str, status: int, received: bytes) -> Any:
    """Return the JSON of an answer, which the description has for it."""
    document = json.loads(description())
    (one,) = [
        one for one in OPERATIONS if one.method == method and one.values(path) is not None
    ] or [OPERATIONS[0]]
    answers = document["paths"][one.path][one.method.lower()]["responses"]
    schema = answers[str(status)]["content"]["application/json"]["schema"]
    value = json.loads(received)
    jsonschema.validate(value, {**schema, "components": document["components"]})
    return value


def begun(server: Server, script: Any) -> dict[str, Any]:
    status, _, play = call(server, "POST", PLAYS, script)
    assert status == 201, play
    return dict(play)


def reported(server: Server, play: Mapping[str, Any]) -> dict[str, Any]:
    status, _, report = call(server, "GET", f"{PLAYS}/{play['id']}")
    assert status == 200, report
    return dict(report)


def asked(play: Mapping[str, Any], octets: bytes = REQUEST) -> bytes:
    with dial(play["port"]) as sock:
        sock.sendall(octets)
        return rest(sock)


# ---- a play, from its beginning to its end


def test_a_script_is_played_reported_and_ended(server: Server) -> None:
    status, fields, play = call(server, "POST", PLAYS, ONE)
    assert status == 201
    assert fields["Location"] == f"{PLAYS}/{play['id']}"
    assert play["url"] == play["urls"]["http"] == f"http://{HOST}:{play['port']}"
    assert play["ended"] is False
    assert reported(server, play)["complaints"] == ["connection 1: never opened"]

    assert asked(play) == HELLO.encode()
    report = reported(server, play)
    assert report["complaints"] == []
    assert report["record"].startswith("connection 1\n  <      0  request         GET / HTTP/1.1")
    (request,) = report["requests"]
    assert request["method"] == "GET"
    assert request["headers"] == [["Host", "x"]]
    assert play in call(server, "GET", PLAYS)[2]

    assert call(server, "DELETE", fields["Location"])[0] == 204
    assert call(server, "GET", fields["Location"])[0] == 404
    assert call(server, "DELETE", fields["Location"])[0] == 404
    assert not listens(play["port"])


def test_routes_connections_and_transforms_are_played(server: Server) -> None:
    play = begun(
        server,
        {
            "routes": [
                {"steps": [{"reply": 503}], "method": "GET"},
                {"steps": [{"reply": {"json": {"id": 7}}}], "path": "/7", "times": "any"},
            ],
            "transforms": [{"cut_at": {"at": "field-line", "route": 1}}],
        },
    )
    assert asked(play) == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert body(asked(play, b"GET /7 HTTP/1.1\r\nConnection: close\r\n\r\n")) == b'{"id": 7}'
    assert reported(server, play)["complaints"] == []


def test_a_script_can_be_toml(server: Server) -> None:
    toml = b"""
        lifetime = 30.5
        [[routes]]
        prefix = "/a"
        steps = [{ send = { hex = "ff00" } }, { close = "fin" }]
    """
    status, _, play = call(server, "POST", PLAYS, toml, {"Content-Type": "application/toml"})
    assert status == 201
    assert play["lifetime"] == 30.5
    assert asked(play, b"GET /ab HTTP/1.1\r\n\r\n") == b"\xff\x00"


def test_an_unknown_path_is_explained_to_the_client(server: Server) -> None:
    play = begun(server, {"routes": [{"path": "/orders", "steps": [{"reply": 200}]}]})
    answer = asked(play, b"GET /order HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"/orders" in answer
    assert "no route fits" in " ".join(reported(server, play)["complaints"])


def test_a_play_speaks_tls_with_the_certificates_of_the_server(server: Server) -> None:
    play = begun(
        server, {"connections": [[{"starttls": {}}, {"read_request": {}}, {"reply": 204}]]}
    )
    assert play["url"].startswith("https://")
    assert play["urls"] == {"https": play["url"]}
    pem = body(get(server.ports.control, "/_/ca.pem")).decode()
    context = ssl.create_default_context(cadata=pem)
    with dial(play["port"]) as sock, context.wrap_socket(sock, server_hostname=HOST) as tls:
        tls.sendall(REQUEST)
        assert exactly(tls, 12) == b"HTTP/1.1 204"


def test_a_tunnel_has_urls_of_both_schemes(server: Server) -> None:
    steps = [{"tunnel": 200}, {"starttls": "server"}, {"read_request": {}}, {"reply": 200}]
    assert set(begun(server, {"connections": [steps]})["urls"]) == {"http", "https"}


def test_a_port_can_refuse(server: Server) -> None:
    play = begun(server, {"server": {"listener": "refuse"}})
    with pytest.raises(ConnectionRefusedError):
        dial(play["port"])
    assert reported(server, play)["complaints"] == []


def test_a_client_that_is_done_finds_no_complaint(server: Server) -> None:
    steps = [{"read_request": {}}, {"reply": 200}, {"drain": {}}, {"close": "fin"}]
    for _ in range(20):
        play = begun(server, {"connections": [steps]})
        asked(play)
        assert reported(server, play)["complaints"] == []
        assert call(server, "DELETE", f"{PLAYS}/{play['id']}")[0] == 204


def test_requests_are_objects(server: Server) -> None:
    play = begun(server, ONE)
    asked(play, b"POST /a%20b?n=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    (request,) = reported(server, play)["requests"]
    assert request["path"] == "/a b"
    assert request["query"] == [["n", "1"]]
    assert request["body"]["text"] == "{}"
    assert request["connection"] == 1


# ---- gates and signals

GATED = {
    "connections": [[{"read_request": {}}, {"signal": "asked"}, {"gate": "go"}, {"reply": 204}]]
}


def test_a_gate_is_opened_and_a_signal_waited_for(server: Server) -> None:
    play = begun(server, GATED)
    here = f"{PLAYS}/{play['id']}"
    assert call(server, "GET", f"{here}/signals/asked?seconds=0")[2] == {"given": False}
    with dial(play["port"]) as sock:
        sock.sendall(REQUEST)
        assert call(server, "GET", f"{here}/signals/asked")[2] == {"given": True}
        assert reported(server, play)["complaints"] == [
            "connection 1, step 3 (gate): not played",
            "connection 1, step 4 (reply): not played",
        ]
        assert call(server, "POST", f"{here}/gates/go")[0] == 204
        assert exactly(sock, 12) == b"HTTP/1.1 204"
    assert reported(server, play)["complaints"] == []


def test_a_signal_ends_the_wait_for_it(server: Server) -> None:
    play = begun(server, GATED)
    found: list[Any] = []
    where = f"{PLAYS}/{play['id']}/signals/asked?seconds=10"
    waiting = threading.Thread(target=lambda: found.append(call(server, "GET", where)[2]))
    waiting.start()
    with dial(play["port"]) as sock:
        sock.sendall(REQUEST)
        waiting.join(LATE)
        assert found == [{"given": True}]


def test_a_play_that_ends_gives_no_signal(plays: Plays) -> None:
    summary = plays.begin({**GATED, "lifetime": 0.01})
    assert plays.await_signal(summary.id, "asked", 10).given is False


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "gates/no", "no gate of this play is called 'no'; there are 'go'"),
        ("GET", "signals/no", "no signal of this play is called 'no'; there are 'asked'"),
        ("GET", "signals/a%2Fb", "no signal of this play is called 'a/b'; there are 'asked'"),
    ],
)
def test_a_name_that_the_script_has_not_is_not_found(
    server: Server, method: str, path: str, said: str
) -> None:
    play = begun(server, GATED)
    status, _, problem = call(server, method, f"{PLAYS}/{play['id']}/{path}")
    assert (status, problem["error"]) == (404, said)
    assert call(server, method, f"{PLAYS}/none/{path}")[0] == 404


@pytest.mark.parametrize("seconds", ["11", "-1", "nan", "soon", ""])
def test_a_wait_has_a_bound(server: Server, seconds: str) -> None:
    play = begun(server, GATED)
    where = f"{PLAYS}/{play['id']}/signals/asked?seconds={seconds}"
    status, _, problem = call(server, "GET", where)
    assert status == 400
    assert problem["error"] == f"seconds is a number from 0 to 10, not {seconds!r}"


# ---- who may


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer other", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", PLAYS), ("GET", PLAYS), ("DELETE", f"{PLAYS}/1")]
)
def test_without_the_token_nothing_is_done(
    server: Server, method: str, path: str, given: str | None
) -> None:
    status, fields, problem = call(server, method, path, ONE, {"Authorization": given})
    assert status == 401
    assert fields["WWW-Authenticate"] == "Bearer"
    assert problem["error"] == "send Authorization: Bearer TOKEN; serve prints it when it starts"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Host": "evil.example"}, "the Host is not an address of the control port"),
        ({"Origin": "http://evil.example"}, "the Origin is another site"),
        ({"Origin": "null"}, "the Origin is another site"),
    ],
)
def test_a_page_of_another_site_begins_nothing(
    server: Server, fields: dict[str, str | None], said: str
) -> None:
    status, _, problem = call(server, "POST", PLAYS, ONE, fields)
    assert (status, problem["error"]) == (403, said)


def test_a_page_of_this_port_may(server: Server) -> None:
    own = {"Origin": f"http://{HOST}:{server.ports.control}"}
    assert call(server, "GET", PLAYS, None, own)[0] == 200


def test_plays_are_on_the_control_port_alone(server: Server) -> None:
    for port in (server.ports.http, server.ports.proxy):
        answer = get(port, PLAYS, "POST")
        assert answer.startswith(b"HTTP/1.1 421 ")
        assert f"http://{HOST}:{server.ports.control}{PLAYS}".encode() in answer


def test_the_token_is_drawn_or_given() -> None:
    with Server(CORPUS, ANY, playground=None) as one, Server(CORPUS, ANY, playground=None) as other:
        assert len({one.gate.token, other.gate.token, TOKEN}) == 3


@pytest.mark.parametrize("token", ["short", "with space", "1234567\n", "x" * 201])
def test_a_token_that_no_field_can_have_is_refused(token: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--port", "0", "--token", token])
    assert result.exit_code == 2
    assert "8 to 200 letters" in result.output


def test_the_command_prints_the_token_that_it_is_given() -> None:
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0"]
    environment = {"HTTPLIB_KIT_TOKEN": TOKEN, "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        greeting = json.loads(process.stdout.readline())
        process.terminate()
    assert greeting["token"] == TOKEN
    assert greeting["control"] > 0


# ---- what is refused


@pytest.mark.parametrize(
    ("content", "media", "status", "said", "field"),
    [
        (b"{", "application/json", 400, "the script is not JSON: ", ""),
        (b"", "application/json", 400, "the script is not JSON: ", ""),
        (b"\xff", "application/json", 400, "the script is not JSON: ", ""),
        (b"a = ", "application/toml", 400, "the script is not TOML: ", ""),
        (b"[" * 100_000, "application/json", 400, "the script is not JSON: ", ""),
        (b"a = " + b"[" * 100_000, "application/toml", 400, "the script is not TOML: ", ""),
        (b"{}", "text/plain", 415, "a script is application/json or application/toml", ""),
        (b"{}", "", 415, "a script is application/json or application/toml", ""),
        (b"[]", "application/json", 422, "Expected `object`, got `array`", ""),
        (b"{}", "application/json", 422, "the script is empty; give it respond", ""),
        (b'{"lifetime": 4000}', "application/json", 422, "Expected `float` <= 3600", "lifetime"),
        (b'{"route": []}', "application/json", 422, "unknown key `route`", ""),
        (
            b'{"routes": [{"steps": [{"replyy": 200}]}]}',
            "application/json",
            422,
            "no step is called `replyy`; there are ",
            "routes[0].steps[0]",
        ),
        (
            b'{"connections": [[{"read_request": {}}, {"send": "\\u0100"}]]}',
            "application/json",
            422,
            "the character U+0100 is not one byte",
            "connections[0][1].send.data",
        ),
        (
            b'{"routes": [{"steps": [{"reply": null}]}]}',
            "application/json",
            422,
            "null has no meaning here; leave the key out",
            "routes[0].steps[0].reply",
        ),
        (
            b"connections = [[{ close = 'fin' }, { send = 'a' }]]",
            "application/toml",
            422,
            "connection 1, step 2",
            "connections",
        ),
        (
            b'{"respond": {"repeat": "xxxxxxxx", "times": 9000000}}',
            "application/json",
            422,
            "`repeat` makes 0 to 67108864 bytes",
            "respond.times",
        ),
    ],
)
def test_a_script_that_cannot_be_played_is_one_line_with_its_place(
    server: Server, content: bytes, media: str, status: int, said: str, field: str
) -> None:
    found, _, problem = call(server, "POST", PLAYS, content, {"Content-Type": media})
    assert found == status
    assert problem["error"].startswith(said)
    assert problem["field"] == field
    assert problem["error"].isprintable()


def test_what_would_fill_the_memory_is_refused(server: Server) -> None:
    half = {"repeat": "x" * 100, "times": 400_000}
    status, _, problem = call(server, "POST", PLAYS, {"respond": [half, half]})
    assert (status, problem["error"]) == (
        422,
        "the script makes 80000000 bytes; it may make 67108864",
    )
    steps = [{"read_request": {}}, {"interim": {"times": 1 << 40}}]
    assert call(server, "POST", PLAYS, {"connections": [steps]})[0] == 422


def test_a_script_that_is_too_long_is_refused(server: Server) -> None:
    status, _, problem = call(server, "POST", PLAYS, {"respond": "x" * ((1 << 20) + (1 << 17))})
    assert status == 413
    assert problem["error"].startswith("the request is longer than ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", PLAYS, "POST, GET, HEAD"),
        ("OPTIONS", f"{PLAYS}/1", "GET, DELETE, HEAD"),
        ("GET", f"{PLAYS}/1/gates/a", "POST"),
    ],
)
def test_another_method_is_not_allowed(
    server: Server, method: str, path: str, allowed: str
) -> None:
    status, fields, _ = call(server, method, path)
    assert (status, fields["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", [f"{PLAYS}/", f"{PLAYS}/1/2", f"{PLAYS}/1/gates/a/b"])
def test_another_path_is_not_found(server: Server, path: str) -> None:
    assert call(server, "GET", path)[0] == 404


def test_a_head_request_gets_the_fields_alone(server: Server) -> None:
    status, fields, received = call(server, "HEAD", f"{PLAYS}/none")
    assert (status, received) == (404, b"")
    assert int(fields["Content-Length"]) > 0


# ---- bounds


def until(plays: Plays, name: str) -> Any:
    """Return the report of a play when it has ended."""
    deadline = time.monotonic() + LATE
    while not (report := plays.report(name)).ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return report


def test_a_play_ends_with_its_lifetime_and_keeps_its_record(plays: Plays) -> None:
    summary = plays.begin({**GATED, "lifetime": 0.5})
    with dial(summary.port) as sock:
        sock.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            rest(sock)
    report = until(plays, summary.id)
    assert report.reason == "its lifetime of 0.5 s is over"
    assert [one.method for one in report.requests] == ["GET"]
    assert report.complaints == [
        "connection 1, step 3 (gate): not played",
        "connection 1, step 4 (reply): not played",
    ]
    assert report.url == summary.url
    assert not listens(summary.port)


def test_a_pause_does_not_outlive_the_play(plays: Plays) -> None:
    steps = [{"read_request": {}}, {"send": "a"}, {"pause": 3000}]
    summary = plays.begin({"connections": [steps], "lifetime": 0.5})
    with dial(summary.port) as sock:
        sock.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            rest(sock)
    assert until(plays, summary.id).complaints == [
        "connection 1, step 3 (pause): not played",
    ]


def test_what_a_play_sends_is_bounded() -> None:
    steps = [{"read_request": {}}, {"fill": 1 << 40}]
    with own_plays(made=1 << 20) as plays:
        summary = plays.begin({"connections": [steps]})
        with dial(summary.port) as sock:
            sock.sendall(REQUEST)
            with pytest.raises(ConnectionResetError):
                list(iter(lambda: sock.recv(1 << 16), b""))
        assert until(plays, summary.id).reason == "more than 1048576 bytes, the bound"


def test_the_connections_of_a_play_are_bounded() -> None:
    with own_plays(connections=2) as plays:
        summary = plays.begin({"routes": [{"steps": [{"reply": 204}], "times": "any"}]})
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(dial(summary.port))
            assert until(plays, summary.id).reason == "more than 2 connections, the bound"


def test_the_plays_at_once_are_bounded_and_their_places_come_back() -> None:
    with own_plays(plays=2) as plays:
        first, _ = plays.begin(ONE), plays.begin(ONE)
        with pytest.raises(Refused, match="2 plays are running; DELETE one"):
            plays.begin(ONE)
        plays.end(first.id)
        assert plays.begin(ONE).id == "3"


def test_a_script_that_is_refused_takes_no_place() -> None:
    with own_plays(plays=1) as plays:
        for _ in range(3):
            with pytest.raises(CaseError):
                plays.begin({"connections": [[{"starttls": {"ciphers": "NONE"}}]]})
        assert plays.begin(ONE).ended is False


def test_old_records_are_forgotten() -> None:
    with own_plays(plays=2) as plays:
        names = []
        for _ in range(5):
            names.append(plays.begin({**ONE, "lifetime": 0.01}).id)
            until(plays, names[-1])
        deadline = time.monotonic() + LATE
        plays.begin(ONE)
        while len(plays.all()) > 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_server_that_stops_ends_its_plays() -> None:
    with Server(CORPUS, ANY, token=TOKEN) as running:
        play = begun(running, ONE)
        sock = dial(play["port"])
    with sock, contextlib.suppress(ConnectionResetError):
        assert sock.recv(1) == b""
    assert not listens(play["port"])


def test_a_play_ends_while_it_is_reported(plays: Plays) -> None:
    for _ in range(10):
        summary = plays.begin(GATED)
        with dial(summary.port) as sock:
            sock.sendall(REQUEST)
            ending = threading.Thread(target=plays.end, args=(summary.id,))
            ending.start()
            with contextlib.suppress(Refused):
                assert plays.report(summary.id).id == summary.id
            ending.join(LATE)


# ---- the description


def test_the_description_is_served_without_the_token(server: Server) -> None:
    for port in (server.ports.control, server.ports.http):
        assert body(get(port, "/_/openapi.json")) == description()


def test_the_description_has_every_operation_and_is_complete() -> None:
    document = json.loads(description())
    found = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert found == {(one.method, one.path) for one in OPERATIONS}
    schemas = document["components"]["schemas"]
    text = description().decode()
    names = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names <= schemas.keys()
    assert "$defs" not in text
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def described(script: Any) -> bool:
    document = json.loads(description())
    schema = {"$ref": "#/components/schemas/PlayTable", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(script)


@pytest.mark.parametrize(
    "script", [ONE, GATED, {"routes": [{"steps": [{"reply": {"json": [1]}}]}]}]
)
def test_a_script_that_is_played_is_as_described(plays: Plays, script: Any) -> None:
    assert described(script)
    assert not plays.begin(script).ended


@pytest.mark.parametrize(
    "script",
    [
        {"respond": 1},
        {"route": []},
        {"lifetime": 0},
        {"lifetime": None},
        {"routes": [{"steps": [{"reply": None}]}]},
        {"routes": [{"steps": [{"send": "a", "close": "fin"}]}]},
        {"connections": [[{"nothing": 1}]]},
    ],
)
def test_a_script_that_is_not_as_described_is_refused(plays: Plays, script: Any) -> None:
    assert not described(script)
    with pytest.raises(CaseError):
        plays.begin(script)


_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["routes", "connections", "steps", "reply", "send", "server", "respond", "json"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


def refusal(value: Any) -> str:
    with own_plays() as made:
        try:
            made.begin(value)
        except CaseError as error:
            return error.problem
    return ""


@given(_values)
def test_any_value_is_played_or_refused_in_one_line(value: Any) -> None:
    assert refusal(value).isprintable()


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_the_server_is_as_described(server: Server) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"http://{HOST}:{server.ports.control}/_/openapi.json",
        *("--header", f"Authorization: Bearer {TOKEN}"),
        *("--phases", "examples,fuzzing,stateful", "--max-examples", "30", "--no-color"),
        # A schema cannot state the order of steps; what breaks it gets 422, with the place.
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the page and the examples

PAGE = (fixtures_directory().parent / "docs" / "any-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(json|toml)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_names_every_operation() -> None:
    rows = {row.replace("`", "") for row in re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)}
    for one in OPERATIONS:
        path = one.path.replace("{id}", "ID").replace("{name}", "NAME")
        query = "?seconds=5" if one.query else ""
        assert f"{one.method} {path}{query}" in rows


def test_the_scripts_of_the_page_are_played(server: Server) -> None:
    *scripts, _ = BLOCKS
    assert [kind for kind, _ in scripts] == ["json", "toml"]
    for kind, text in scripts:
        fields = {"Content-Type": f"application/{kind}"}
        status, _, play = call(server, "POST", PLAYS, text.encode(), fields)
        assert status == 201, play


def test_the_refusal_of_the_page_is_that_of_a_script(server: Server) -> None:
    script = {"routes": [{"steps": [{"reply": {"stat": 200}}]}]}
    assert call(server, "POST", PLAYS, script)[2] == json.loads(BLOCKS[-1][1])


def test_the_command_of_the_page_begins_a_play(server: Server) -> None:
    found = re.search(r"-d '(.*?)'", PAGE, re.DOTALL)
    assert found is not None
    play = begun(server, json.loads(found[1]))
    answer = asked(play, b"GET /items/7 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")


EXAMPLES = fixtures_directory().parent / "examples" / "plays"
LANGUAGES = {
    "node": (["node", "plays.mjs"], ["node", "--eval", "fetch"]),
    "java": (["java", "Plays.java"], ["java", "--version"]),
    "go": (["go", "run", "plays.go"], ["go", "version"]),
}
"""How the example of each language is run, and what fails where it cannot be."""


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_in_another_language_is_tested(server: Server, language: str) -> None:
    command, probe = LANGUAGES[language]
    if shutil.which(language) is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip(f"{language} is not here, or older than the example")
    arguments = [f"http://{HOST}:{server.ports.control}", TOKEN]
    done = subprocess.run(
        [*command, *arguments], cwd=EXAMPLES, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "got hello\nasked 3 times\ncomplaints []\n", done.stderr
    assert done.returncode == 0
