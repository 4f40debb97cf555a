"""The fixtures that the plugin gives to other people's tests."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver import Close, MockServer, ReadRequest, Reply, Script, connection, script

pytest_plugins = ["pytester"]

ANSWERED = script(connection(ReadRequest(), Reply(204), Close()))


def test_a_script_is_played_for_a_test(mock_server: Callable[..., MockServer]) -> None:
    server = mock_server(ANSWERED)
    with socket.create_connection(server.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 204 ")


def test_two_scripts_are_played_side_by_side(mock_server: Callable[..., MockServer]) -> None:
    nothing = Script(connections=())
    assert mock_server(nothing).address != mock_server(nothing).address


def test_a_script_that_is_not_met_is_an_error_with_its_transcript(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        from mockserver import ReadRequest, connection, script

        def test_it(mock_server):
            mock_server(script(connection(ReadRequest())))
        """
    )
    result = pytester.runpytest_subprocess("-p", "conformance.plugin")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*connection 1: never opened*"])


def test_loading_the_plugin_imports_nothing_of_the_kit() -> None:
    code = """
import sys, pytest
before = set(sys.modules)
import conformance.plugin
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(tops - set(sys.stdlib_module_names)))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout == "['conformance']\n"
