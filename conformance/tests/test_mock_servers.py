"""The fixtures with mock servers: how long they live, and what their reports say."""

import gc
import sys

import pytest

pytest_plugins = ["pytester"]
# A client whose request fails, as urllib does with a status of 503, may well forget its socket.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

IMPORTS = """
import socket, urllib.request, pytest
from mockserver import *

def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()
"""


def run(pytester: pytest.Pytester, code: str, *options: str) -> pytest.RunResult:
    """Run tests in a session of their own, with nothing but this plugin."""
    pytester.makepyfile(IMPORTS + code)
    result = pytester.runpytest_inprocess("-p", "conformance.plugin", *options)
    # A test that failed is kept for a debugger, with the sockets that its client has not closed.
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    gc.collect()
    return result


def test_parts_are_played_without_a_script(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(mock_server):
    server = mock_server(Reply(text="a"), Reply(text="b"))
    assert [get(server.url), get(server.url)] == [b"a", b"b"]
""",
    )
    result.assert_outcomes(passed=1)


def test_a_script_that_is_not_met_is_reported_in_a_few_lines(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(mock_server):
    mock_server(route(Reply(), path="/a"))
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["the script was not met", "- route 1: answered 0 of 1 requests"])
    assert "mock_servers.py" not in result.stdout.str()
    assert len(result.outlines) <= 60


def test_a_test_that_has_failed_gets_a_section_and_no_error(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(mock_server):
    server = mock_server(route(Reply(), path="/orders"))
    assert get(server.url + "/order") == b""
""",
        "--tb=short",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- mock server -*",
            "- connection 1, step 1 (dispatch): no route fits 'GET /order HTTP/1.1'",
            "  route 1: the path is '/order', expected '/orders'",
        ]
    )
    assert len(result.outlines) <= 60


@pytest.mark.parametrize(
    ("options", "unmatched", "shortened"),
    [
        ((), "reply", True),
        ((), "reset", True),
        (("--tb=long",), "reply", False),
        (("--tb=native",), "reply", False),
    ],
)
def test_a_client_is_not_printed_that_fails_because_of_an_unknown_path(
    pytester: pytest.Pytester, options: tuple[str, ...], unmatched: str, shortened: bool
) -> None:
    code = f"""
def test_it(mock_server):
    orders = route(Reply(), path="/orders")
    server = mock_server(script(orders, unmatched="{unmatched}"))
    get(server.url + "/order")
"""
    result = run(pytester, code, *options)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "HTTPError: HTTP Error 500" in text or "ConnectionResetError: " in text
    assert ("orders = route(Reply()" in text) == (options != ("--tb=native",))
    assert len(result.outlines) <= 60 or not shortened
    assert ("def do_open(" in text or "def http_error_default(" in text) == (
        options == ("--tb=long",)
    )


def test_a_client_is_printed_that_fails_because_of_the_script(pytester: pytest.Pytester) -> None:
    code = """
def test_it(mock_server):
    get(mock_server(Reply(503)).url)
"""
    result = run(pytester, code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*def http_error_default(*"])


def test_a_truncated_body_is_reported_in_a_few_lines(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(mock_server):
    cut = cut_at(Reply(text="abcdefghi"), "body+3")
    server = mock_server(cut)
    assert get(server.url) == b"abcdefghi"
""",
        "--tb=short",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*IncompleteRead*", "*- mock server -*", "*body*abc"])
    assert len(result.outlines) <= 60


@pytest.mark.parametrize("scope", ["module", "session"])
def test_a_server_for_several_tests(pytester: pytest.Pytester, scope: str) -> None:
    result = run(
        pytester,
        f"""
@pytest.fixture(scope="{scope}")
def server({scope}_mock_server):
    return {scope}_mock_server()

@pytest.mark.parametrize("path", ["/a", "/b"])
def test_it(server, path):
    server.add(route(Reply(text=path), path=path))
    assert get(server.url + path) == path.encode()
    server.clear()

def test_nothing_is_asked(server):
    server.add(route(Reply(), path="/c"))
    with pytest.raises(MockServerError, match="route 1: answered 0 of 1 requests"):
        server.clear()
""",
    )
    result.assert_outcomes(passed=3)


def test_each_worker_of_xdist_has_its_own_server(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.fixture(scope="session")
def server(session_mock_server):
    return session_mock_server(route(Reply(text="a"), times=None))

@pytest.mark.parametrize("number", range(8))
def test_it(server, number):
    assert get(server.url) == b"a"
""",
        "-n",
        "2",
    )
    result.assert_outcomes(passed=8)


def test_the_function_is_not_the_server(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(mock_server):
    mock_server.url
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*mock_server is a function and has no url; "
            "write server = mock_server(...), then server.url"
        ]
    )


PATIENT = """
def test_it(mock_server):
    server = mock_server(connection(ReadRequest(), Reply()))
    assert server.patience == {patience}
    assert mock_server(Reply(), patience=3).patience == 3
    for one in mock_server.running:
        one.clear(check=False)
"""


def test_patience_is_an_option_of_the_configuration(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmock_server_patience = 7.5\n")
    run(pytester, PATIENT.format(patience=7.5)).assert_outcomes(passed=1)


def test_a_patience_that_is_no_number_is_named(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmock_server_patience = much\n")
    result = run(pytester, PATIENT.format(patience=1))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*mock_server_patience: 'much' is not a number of seconds *"])


def test_nothing_expires_while_a_person_debugs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        IMPORTS
        + """
def test_it(mock_server):
    server = mock_server(connection(ReadRequest(), Reply(text="a")), patience=0.2)
    with socket.create_connection(server.address) as client:
        client.sendall(b"GET / HT")
        breakpoint()
        client.sendall(b"TP/1.1\\r\\n\\r\\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
"""
    )
    command = (sys.executable, "-m", "pytest", "-p", "conformance.plugin", "-s")
    result = pytester.run(*command, stdin=b"import time; time.sleep(0.5)\nc\n")
    result.assert_outcomes(passed=1)
