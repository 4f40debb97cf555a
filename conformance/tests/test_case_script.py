"""The server's side of a case file: what becomes of it, and the one line that refuses it."""

from dataclasses import replace

import pytest

from conformance.cases import Case, CaseError
from conformance.cases.casefile import load_text
from conformance.cases.scripts import key_of_script
from mockserver import (
    ADDRESS,
    FAULTS,
    Close,
    Connection,
    Dribble,
    Expect,
    Goto,
    Interim,
    Label,
    Listener,
    Proxy,
    ReadRequest,
    Reply,
    Route,
    Script,
    Send,
    Starttls,
    connection,
    cut_at,
    inject_at,
    pause_at,
    route,
    script,
    script_text,
)

CASE = """
family = "faults"
[[case]]
id = "faults.one"
title = "One case"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It is one."
{server}
[[case.outcome]]
read = "hello"
"""


def case_of(server: str) -> Case:
    (case,) = load_text(CASE.replace("{server}", server), "test.toml")
    return case


def script_of(server: str) -> Script:
    return case_of(server).script


def complaint(server: str) -> str:
    with pytest.raises(CaseError) as caught:
        case_of(server)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_connection_can_be_optional_and_repeat() -> None:
    steps = "steps = [{ read_request = {} }, { reply = 200 }]"
    assert script_of(
        f"connections = [[], {{ {steps}, times = 2 }},"
        f" {{ {steps}, times = 'any', optional = true }}]"
    ).connections == (
        Connection(),
        Connection((ReadRequest(), Reply()), times=2),
        Connection((ReadRequest(), Reply()), optional=True, times=None),
    )


def test_routes_answer_by_method_and_target() -> None:
    assert script_of(
        'routes = [{ method = "PUT", target = "/a", body = "none", steps = [{ reply = 404 }] },'
        ' { steps = [{ close = "rst" }], times = "any", optional = true }]'
    ).routes == (
        Route((Reply(404),), method="PUT", target="/a", body="none"),
        Route((Close("rst"),), times=None, optional=True),
    )


def test_a_route_compares_what_a_table_can_say() -> None:
    found = script_of(
        """
        server = { unmatched = "reply" }
        routes = [
            { path = "/a", query = { n = "1", m = ["x", "y"] },
              steps = [{ reply = { json = { b = [1] } } }] },
            { prefix = "/p", headers = { Accept = "a/b" },
              steps = [{ reply = { text = "c", delay = 2 } }] },
            { pattern = "/[0-9]+", json = { d = [] },
              steps = [{ dribble = { data = "e", every = 0.5 } }] },
        ]
        """
    )
    expected = script(
        route(Reply(json={"b": [1]}), path="/a", query={"n": "1", "m": ["x", "y"]}),
        route(Reply(text="c", delay=2), prefix="/p", headers={"Accept": "a/b"}),
        route(Dribble(b"e", every=0.5), pattern="/[0-9]+", json={"d": []}),
    )
    assert found == replace(expected, obliging=False)


def test_a_route_passes_requests_on_to_a_server_of_this_machine_only() -> None:
    step = (
        '{ proxy = { upstream = "URL", cut_at = "body+1", end = "rst", headers = [["A", "b"]] } }'
    )
    routes = f'routes = [{{ steps = [{step}], times = "any" }}]'
    proxy = Proxy("http://[::1]:1", cut_at="body+1", end="rst", headers={"A": "b"})
    assert script_of(routes.replace("URL", "http://[::1]:1")).routes == (route(proxy, times=None),)
    short = 'routes = [{ steps = [{ proxy = "http://127.0.0.1:9000" }] }]'
    assert script_of(short).routes == (route(Proxy("http://127.0.0.1:9000")),)
    said = complaint(routes.replace("URL", "http://example.org"))
    assert "upstream must be on this machine, unless remote=True is given" in said
    assert "`remote`" in complaint(
        routes.replace("URL", "http://example.org").replace("end", "remote = true, end")
    )


def test_a_script_that_was_written_as_toml_is_the_same() -> None:
    noise = Send(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)) + b"a" * 200 + b'\n"\\')
    routes = (route(noise, Close("rst"), method="GET", target="/a?b"), route(Reply(), times=None))
    inside = script(Starttls("expired"), *routes)
    for one in (inside, script(listener=Listener("refuse")), script(connection(ReadRequest()))):
        assert script_of(script_text(one, "toml")) == replace(one, obliging=False)


def test_a_script_with_other_routes_has_another_key() -> None:
    routes = (
        "{ path = '/a', steps = [{ reply = 200 }] }",
        "{ prefix = '/a', steps = [{ reply = 200 }] }",
        "{ path = '/a', json = 1, steps = [{ reply = 200 }] }",
        "{ path = '/a', steps = [{ reply = { delay = 1 } }] }",
    )
    assert len({key_of_script(script_of(f"routes = [{one}]")) for one in routes}) == 4


def test_a_handshake_and_an_expectation_have_what_python_has() -> None:
    (one,) = script_of(
        """
        connections = [[
            { starttls = { cert = "expired", refused = true, versions = ["TLSv1.2"] } },
            { read_request = {} },
            { expect = { json = [1, { a = "b" }], headers = [["A", "b"]] } },
        ]]
        """
    ).connections
    assert one.steps == (
        Starttls("expired", refused=True, versions=("TLSv1.2",)),
        ReadRequest(),
        Expect(json=(1, {"a": "b"}), headers={"A": "b"}),
    )


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_has_the_name_that_wiremock_gave_it(name: str) -> None:
    (one,) = script_of(f'connections = [[{{ read_request = {{}} }}, {{ fault = "{name}" }}]]').line
    assert one.steps == (ReadRequest(), *FAULTS[name]())


def test_transforms_are_made_one_after_the_other() -> None:
    reply = 'connections = [[{ read_request = {} }, { reply = { body = "hello" } }]]\n'
    plain = script_of(reply)
    assert script_of(
        f'{reply}transforms = [{{ inject_at = {{ at = "body", data = {{ hex = "00" }} }} }},'
        ' { pause_at = { at = 4, seconds = 0.5 } }, { cut_at = { at = "body+2", how = "rst" } }]'
    ) == cut_at(pause_at(inject_at(plain, "body", b"\0"), 4, 0.5), "body+2", "rst")


def test_a_transform_can_be_of_a_route() -> None:
    reply = 'routes = [{ steps = [{ reply = { body = "hello" } }] }]\n'
    assert script_of(f'{reply}transforms = [{{ cut_at = {{ at = "body+2", route = 1 }} }}]') == (
        cut_at(script_of(reply), "body+2", route=1)
    )


def test_a_listener_can_reset_and_have_a_small_queue() -> None:
    assert script_of('server = { listener = "accept_rst" }').listener == Listener("accept_rst")
    assert script_of("connections = [[]]\nserver = { receive_buffer = 4096 }").listener == Listener(
        receive_buffer=4096
    )


def test_a_loop_can_be_without_end() -> None:
    (one,) = script_of(
        'connections = [[{ label = "a" }, { read_request = { optional = true } }, { reply = 200 },'
        ' { goto = { label = "a", times = "any" } }]]'
    ).connections
    assert (one.steps[0], one.steps[-1]) == (Label("a"), Goto("a", times=None))


def test_several_interim_responses_are_one_step() -> None:
    (one,) = script_of("connections = [[{ interim = { times = 3 } }]]").connections
    assert one.steps == (Interim(times=3),)


def test_an_expected_request_can_hold_the_address() -> None:
    (one,) = script_of(
        'connections = [[{ read_request = {} }, { expect = { raw = ["Host: ", { address = "server"'
        ' }], headers = [["Host", { address = "server" }]] } }]]'
    ).connections
    assert one.steps[1] == Expect(raw=b"Host: " + ADDRESS, headers=((b"Host", ADDRESS),))


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("connections = [[{ sned = '' }]]", "connections[0][0]: no step is called `sned`"),
        ("connections = [{ steps = [{ sned = '' }] }]", "connections[0].steps[0]: no step is"),
        ("connections = [{ steps = [], time = 2 }]", "connections[0]: unknown key `time`"),
        ("connections = [{ steps = [], times = 0 }]", "connections[0].times: Expected `int` >= 1"),
        ("connections = [{ steps = [], times = 'all' }]", "connections[0].times"),
        ("connections = [{ times = 2 }]", "missing required field `steps`"),
        ("connections = [[{ pause = 'x' }]]", "connections[0][0].pause.seconds: Expected `float`"),
        ("connections = [[{ chunk = { data = 1 } }]]", "connections[0][0].chunk.data"),
        (
            "connections = [[{ send = 'a' , close = 'fin' }]]",
            "connections[0][0]: a step is a table",
        ),
        ("connections = [[{ send = '\u20ac' }]]", "connections[0][0].send.data: the character"),
        ("connections = [[{ read = -1 }]]", "connections[0][0].read: read: n must be at least 0"),
        (
            "connections = [[{ close = 'fin' }, { send = 'x' }]]",
            "connections: connection 1, step 2 (send): the connection is closed",
        ),
        ("connections = [[{ goto = 'x' }]]", "connections: connection 1, step 1 (goto): there is"),
        (
            "connections = [[{ fault = 'EMPTY' }]]",
            "connections[0][0].fault: the faults are EMPTY_R",
        ),
        ("connections = [[{ fault = {} }]]", "connections[0][0].fault: the faults are"),
        (
            "connections = [[{ read_request = {} }, { expect = { raw = { address = 'port' } } }]]",
            "connections[0][1].expect.raw: a step has the whole address only",
        ),
        ("connections = [[{ send = { address = 'server' } }]]", "connections[0][0].send.data: the"),
        ("routes = [{ steps = [{ reply = 'x' }] }]", "routes[0].steps[0].reply"),
        ("routes = [{ steps = [], target = '' }]", "routes[0].target"),
        ("routes = [{ steps = [], body = 'some' }]", "routes[0].body"),
        ("routes = [{ steps = [{ dispatch = {} }] }]", "routes: route 1, step 1 (dispatch)"),
        ("routes = [{ steps = [], url = '/' }]", "routes[0]: unknown key `url`"),
        ("routes = [{ steps = [], path = 'a' }]", "routes: route: path='a' does not begin with a"),
        ("routes = [{ steps = [] }]\nconnections = [[]]", "routes: they and a dispatch step need"),
        ("connections = [[{ dispatch = {} }]]", "routes: they and a dispatch step need each other"),
        ("routes = [{ steps = [] }]\nrespond = ''", "respond: `respond` is short for"),
        ("server = { listener = 'accept-rst' }", "server.listener: Invalid enum value"),
        ("server = { receive_buffer = 0 }", "server.receive_buffer: Expected `int` >= 1"),
        (
            "respond = ''\nserver = { listener = 'accept_rst' }",
            "server: listener: a script that is",
        ),
        (
            "respond = 'abc'\ntransforms = [{}]",
            "transforms[0]: a transform is a table with one key",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut = 1 }]",
            "transforms[0]: a transform is a table with",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = 1 }]",
            "transforms[0].cut_at: Expected `object`",
        ),
        ("respond = 'abc'\ntransforms = [{ cut_at = {} }]", "transforms[0].cut_at: Object missing"),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = { at = 4 } }]",
            "transforms[0].cut_at: at: 4 is not within the 3 bytes",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = { at = 'body' } }]",
            "transforms[0].cut_at: at: there is no 'body:1', only data:1",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = { at = 'B ody' } }]",
            "transforms[0].cut_at: at: a mark is like",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = { at = 1, connection = 2 } }]",
            "transforms[0].cut_at: connection: the script has 1",
        ),
        (
            "respond = 'abc'\ntransforms = [{ cut_at = { at = 1, how = 'reset' } }]",
            "transforms[0].cut_at.how: Invalid enum value",
        ),
        (
            "respond = 'abc'\ntransforms = [{ pause_at = { at = 1, seconds = -1 } }]",
            "transforms[0].pause_at: pause: seconds must be from 0",
        ),
        (
            "respond = 'abc'\ntransforms = [{ inject_at = { at = 1, data = '\u20ac' } }]",
            "transforms[0].inject_at.data: the character",
        ),
    ],
)
def test_a_bad_script_is_refused_in_one_line_that_names_the_place(server: str, said: str) -> None:
    text = complaint(server)
    assert text.startswith("test.toml: faults.one: ")
    assert said in text


def test_a_key_of_the_script_is_told_where_it_belongs() -> None:
    assert "`transforms`" in complaint("cut_at = 1")
    assert "a route" in complaint('method = "GET"')
