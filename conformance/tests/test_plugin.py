"""The fixtures that the plugin gives to other people's tests."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.cases import load_corpus
from conformance.cases.names import PARENTS
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


WRONG = """
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        def read(self, *args):
            return super().read(*args).upper()
"""
BASELINE = """
[[entry]]
case = "framing.length.*"
verdict = "{verdict}"
reason = "It shouts."
"""


@pytest.fixture
def judged(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Give a call that judges a client which is wrong whenever a body has letters."""
    pytester.makepyfile(wrong_client=WRONG)
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")

    def run(*args: str) -> pytest.RunResult:
        plugin = ("-p", "conformance.plugin", "--strict-markers")
        return pytester.runpytest_subprocess(*plugin, "--httplib-impl", "wrong_client", *args)

    return run


def test_a_wrong_client_fails_with_calls_octets_and_wire(
    judged: Callable[..., pytest.RunResult],
) -> None:
    result = judged("--httplib-select", "framing.length.zero", "--httplib-select", "framing.head.*")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*accepted  *",
            "*seen      *",
            "*sent      | HTTP/1.1 200 OK\\r\\n",
            "*wire      | connection 1",
            "*httplib-kit check wrong_client --select framing.*",
        ]
    )


def test_a_known_deviation_is_a_strict_expected_failure_with_its_reason(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    known.write_text(BASELINE.format(verdict="WRONG_VALUE"), encoding="utf-8")
    cases = ("--httplib-select", "framing.length.*", "-rxX")
    result = judged("--httplib-baseline", str(known), *cases)
    result.stdout.fnmatch_lines(["XFAIL *WRONG_VALUE: It shouts."])
    result.stdout.fnmatch_lines(["*XPASS(strict)*WRONG_VALUE: It shouts."])
    assert result.ret == pytest.ExitCode.TESTS_FAILED  # some of them pass: these entries are stale


def test_a_known_deviation_that_fails_in_another_way_is_a_failure(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    known.write_text(BASELINE.format(verdict="HANG"), encoding="utf-8")
    result = judged("--httplib-baseline", str(known), "--httplib-select", "framing.length.*")
    assert result.parseoutcomes().get("xfailed", 0) == 0
    result.stdout.fnmatch_lines(["*STALE*"])


def test_a_baseline_about_no_case_fails_the_session(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    entry = BASELINE.replace("framing.length.*", "no.such.case").format(verdict="HANG")
    known.write_text(entry, encoding="utf-8")
    result = judged("--httplib-baseline", str(known), "-k", "nothing-of-this-name")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*no.such.case: there is no such case"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--httplib-impl", "no-such-python:httplib"), "*no program called 'no-such-python'*"),
        (("--httplib-impl", "a b"), "*'a b' is not the name of an implementation*"),
        (("--httplib-level", "nonsense"), "*'nonsense' is none of documented*"),
        (("--httplib-baseline", "no-such-file"), "*no-such-file*No such file*"),
        (("--httplib-baseline", "pyproject.toml"), "*pyproject.toml*"),
        (("--httplib-error-map", "no-such-file"), "*no-such-file*"),
    ],
)
def test_an_option_that_leads_nowhere_is_one_line(
    pytester: pytest.Pytester, args: tuple[str, ...], said: str
) -> None:
    pytester.makepyprojecttoml("x = 1")
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess("-p", "conformance.plugin", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_an_implementation_that_cannot_be_imported_ends_the_session_in_one_line(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    args = ("-p", "conformance.plugin", "--httplib-impl", "no_such_module")
    result = pytester.runpytest_subprocess(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*no_such_module cannot be imported*"])
    assert result.stdout.str().count("no_such_module cannot be imported") == 1


def test_marks_and_names_choose_cases(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.wire_cases("status-line.*", "framing.length.*")
        def test_it(wire_case):
            assert wire_case.case.level == "documented"
            assert wire_case.run().verdict == "PASS"
        """
    )
    args = ("-p", "conformance.plugin", "--strict-markers", "-v")
    chosen = ("-m", "level_documented and exception_BadStatusLine and family_status_line")
    result = pytester.runpytest_subprocess(*args, *chosen, "-k", "strict")
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["deselected"] > 10
    result.stdout.fnmatch_lines(["*::test_it[[]status-line.*] PASSED*"])


def test_several_implementations_are_judged_side_by_side(
    judged: Callable[..., pytest.RunResult],
) -> None:
    cases = ("--httplib-select", "framing.length.zero", "--httplib-sweep", "each")
    result = judged("--httplib-impl", "httplib_impl", *cases, "-v")
    result.stdout.fnmatch_lines_random(
        ["*[[]wrong_client-framing.length.zero*", "*[[]httplib_impl-framing.length.zero*"]
    )


def test_every_mark_is_registered(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess("-p", "conformance.plugin", "--markers").stdout.str()
    corpus = load_corpus().cases
    names = {f"family_{case.family.replace('-', '_')}" for case in corpus}
    names |= {f"level_{case.level}" for case in corpus}
    names |= {f"exception_{name}" for name in PARENTS}
    for name in names:
        assert f"@pytest.mark.{name}:" in shown


def test_a_client_with_another_interface_is_judged_by_what_it_fetches(
    pytester: pytest.Pytester,
) -> None:
    fetched = next(case for case in load_corpus().cases if case.fetch is not None)
    pytester.makepyfile("def test_it(wire_case): assert wire_case.run().did")
    args = ("-p", "conformance.plugin", "--httplib-impl", "client:urllib.request")
    result = pytester.runpytest_subprocess(*args, "--httplib-select", fetched.id)
    assert result.parseoutcomes() == {"passed": 1}


def test_options_that_choose_nothing_are_told_once(pytester: pytest.Pytester) -> None:
    args = ("-p", "conformance.plugin", "--httplib-select", "no.such.case")
    result = pytester.runpytest_subprocess(*args, "--pyargs", "conformance")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.stdout.str().count("no case matches no.such.case") == 1
    assert "Traceback" not in result.stdout.str()
