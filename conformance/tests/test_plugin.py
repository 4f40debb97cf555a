"""The fixtures that the plugin gives to other people's tests."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from conformance.cases.names import PARENTS
from conformance.cli import main
from conformance.tests.support import EVERY
from conformance.tests.wrong import LEAKY, flaky
from mockserver import Close, MockServer, ReadRequest, Reply, Script, connection, script

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _without_hypothesis(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Hypothesis, which its plugin imports at each session's end, out of the children."""
    assert pytester.path.is_dir()
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")


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
    result.stdout.fnmatch_lines(
        ["XFAIL *WRONG_VALUE: It shouts.; if it passes, remove it from *known.toml:3"]
    )
    result.stdout.fnmatch_lines(
        ["*XPASS(strict)*WRONG_VALUE: It shouts.; if it passes, remove it from *"]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED  # some of them pass: these entries are stale


def test_a_known_deviation_that_fails_in_another_way_is_a_failure(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    known.write_text(BASELINE.format(verdict="HANG"), encoding="utf-8")
    result = judged("--httplib-baseline", str(known), "--httplib-select", "framing.length.*")
    assert result.parseoutcomes().get("xfailed", 0) == 0
    result.stdout.fnmatch_lines(["*STALE*"])


SEEN = BASELINE.replace("reason", "where = 'read'\nseen = \"{seen}\"\nreason")


def test_a_known_deviation_is_what_was_seen_and_no_other(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    one = SEEN.replace("length.*", "length.connection-close")
    args = ("--httplib-baseline", known.name, "--httplib-select", "framing.length.connection-close")
    known.write_text(one.format(verdict="WRONG_VALUE", seen="'HELLO'"), encoding="utf-8")
    assert judged(*args).parseoutcomes() == {"xfailed": 1}
    known.write_text(one.format(verdict="WRONG_VALUE", seen="'Hello'"), encoding="utf-8")
    result = judged(*args)
    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*STALE WRONG_VALUE*"])


def test_a_baseline_of_another_client_is_refused(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    entry = BASELINE.format(verdict="WRONG_VALUE")
    known.write_text(f"implementation = 'another'\n{entry}", encoding="utf-8")
    result = judged("--httplib-baseline", known.name)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*is about the implementation another, and this is wrong_client*"])


def test_a_baseline_about_no_case_fails_the_session(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    entry = BASELINE.replace("framing.length.*", "no.such.case").format(verdict="HANG")
    known.write_text(entry, encoding="utf-8")
    result = judged("--httplib-baseline", str(known), "-k", "length.zero", "-n", "1")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["*known.toml:3: no.such.case: there is no such case: remove it, or *"]
    )


@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_flake_is_told_with_both_transcripts_and_neither_passes_nor_fails(
    pytester: pytest.Pytester, how: tuple[str, ...]
) -> None:
    pytester.makepyfile(flaky_client=flaky())
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    args = ("-p", "conformance.plugin", "--httplib-impl", "flaky_client", *how)
    result = pytester.runpytest_subprocess(*args, "--httplib-select", "framing.length.*")
    assert result.parseoutcomes()["xfailed"] == 1
    assert set(result.parseoutcomes()) == {"passed", "xfailed"}
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "*flaky cases*",
            "FLAKY WRONG_VALUE *",
            "  wire      |*",
            "  alone     PASS",
            "  wire      |*",
        ]
    )


@pytest.mark.parametrize("how", ["option", "ini"])
def test_a_flake_fails_where_that_is_asked_for(pytester: pytest.Pytester, how: str) -> None:
    pytester.makepyfile(flaky_client=flaky())
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    if how == "ini":
        pytester.makeini("[pytest]\nhttplib_fail_on_flaky = true\n")
    option = ("--httplib-fail-on-flaky",) if how == "option" else ()
    args = ("-p", "conformance.plugin", "--httplib-impl", "flaky_client", *option)
    result = pytester.runpytest_subprocess(*args, "--httplib-select", "framing.length.all-octets")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes() == {"failed": 1}


@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_leaks_from_case_to_case_is_a_failure_that_names_the_first(
    pytester: pytest.Pytester, how: tuple[str, ...]
) -> None:
    pytester.makepyfile(leaky_client=LEAKY)
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    args = ("-p", "conformance.plugin", "--httplib-impl", "leaky_client", *how)
    result = pytester.runpytest_subprocess(*args, "--httplib-select", "framing.length.*")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not result.parseoutcomes().get("xfailed", 0)
    result.stdout.fnmatch_lines(
        ["*after     seen only when run after framing.length.*", "*alone     PASS"]
    )


def test_a_flake_of_a_case_that_is_known_to_fail_is_an_expected_failure(
    pytester: pytest.Pytester,
) -> None:
    wrong_but_once = flaky().replace('return octets + b"?"', "return octets")
    wrong_but_once = wrong_but_once.replace("return octets\n", 'return octets + b"?"\n', 1)
    pytester.makepyfile(flaky_client=wrong_but_once)
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    known = pytester.path / "known.toml"
    entry = BASELINE.replace("framing.length.*", "framing.length.all-octets")
    known.write_text(entry.format(verdict="WRONG_VALUE"), encoding="utf-8")
    args = ("-p", "conformance.plugin", "--httplib-impl", "flaky_client")
    chosen = ("--httplib-baseline", known.name, "--httplib-select", "framing.length.all-octets")
    result = pytester.runpytest_subprocess(*args, *chosen)
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["*flaky cases*", "FLAKY PASS *", "  alone     WRONG_VALUE"])


def test_the_verdicts_are_those_of_check(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    known = pytester.path / "known.toml"
    known.write_text(BASELINE.format(verdict="WRONG_VALUE"), encoding="utf-8")
    chosen = ("framing.*", "--httplib-baseline", known.name, "--junitxml", "junit.xml")
    judged("--httplib-select", *chosen)
    arguments = ["check", "wrong_client", "--select", "framing.*", "--baseline", str(known)]
    CliRunner().invoke(main, [*arguments, "--results", "results.jsonl"])
    found = {}
    for test in ET.parse("junit.xml").iter("testcase"):
        properties = {one.get("name"): one.get("value") for one in test.iter("property")}
        found[properties["httplib_kit.case"]] = properties["httplib_kit.verdict"]
    _, *lines = Path("results.jsonl").read_bytes().splitlines()
    checked = [json.loads(line) for line in lines]
    assert found == {
        one["id"]: f"{one.get('overlay', '')} {one['verdict']}".lstrip() for one in checked
    }
    assert {"PASS", "EXPECTED WRONG_VALUE", "REGRESSION WRONG_VALUE", "STALE PASS"} <= set(
        found.values()
    )


def test_a_baseline_leaves_tests_alone_that_do_not_check(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(wire_case): assert wire_case.run().overlay == 'EXPECTED'\n")
    known = pytester.path / "known.toml"
    known.write_text(BASELINE.format(verdict="WRONG_VALUE"), encoding="utf-8")
    chosen = ("--httplib-select", "framing.length.all-octets")
    result = judged("--httplib-baseline", str(known), *chosen)
    assert result.parseoutcomes() == {"passed": 1}


def test_each_implementation_has_a_baseline_of_its_own(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    (pytester.path / "known.toml").write_text(
        BASELINE.replace("length.*", "length.all-octets").format(verdict="WRONG_VALUE"),
        encoding="utf-8",
    )
    (pytester.path / "none.toml").touch()
    two = ("--httplib-impl", "httplib_impl", "--httplib-select", "framing.length.all-octets")
    baselines = ("--httplib-baseline", "known.toml", "--httplib-baseline", "none.toml")
    assert judged(*two, *baselines).parseoutcomes() == {"passed": 1, "xfailed": 1}
    result = judged(*two, *baselines[:2])
    result.stderr.fnmatch_lines(["*known.toml is about one implementation*one for each*"])
    result = judged(*two, *baselines, *baselines[:2])
    result.stderr.fnmatch_lines(["*3 of them for 2 implementations*"])


def test_a_worker_far_away_gets_options_baseline_and_error_map(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(wrong_client=WRONG)
    pytester.makeini("[pytest]\nhttplib_impl = wrong_client\nhttplib_baseline = known.toml\n")
    known = BASELINE.replace("length.*", "length.all-octets").format(verdict="WRONG_VALUE")
    (pytester.path / "known.toml").write_text(known, encoding="utf-8")
    (pytester.path / "map.toml").write_text("[errors]\n'a.B' = 'OSError'\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    far = pytester.mkdir("far")
    args = ("-p", "conformance.plugin", "-rx", "--httplib-error-map=map.toml")
    chosen = ("--httplib-select", "framing.length.all-octets")
    tx = ("--dist", "load", "--tx", f"popen//chdir={far}")
    ours = ("--pyargs", "conformance.test_corpus")
    result = pytester.runpytest_subprocess(*args, *chosen, *tx, *ours)
    result.assert_outcomes(xfailed=1)


def test_words_of_a_baseline_do_nothing_in_a_log(
    judged: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    nasty = r"\n::error::forged\u001b[2J\u202e##[error]x"
    known = pytester.path / "known.toml"
    entry = BASELINE.replace("It shouts.", nasty).replace("length.*", "length.all-octets")
    nowhere = '[[entry]]\ncase = "\\n::error::a"\nverdict = "HANG"\nreason = "x"\n'
    known.write_text(entry.format(verdict="WRONG_VALUE") + nowhere, encoding="utf-8")
    result = judged("--httplib-baseline", known.name, "-k", "all-octets", "-rx", "-vv")
    assert result.parseoutcomes()["xfailed"] == 1
    shown = result.stdout.str()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "##[" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]
    assert "forged" in shown
    assert "<U+000A>::error::a: there is no such case" in shown


def test_a_session_that_judged_nothing_of_an_implementation_is_not_green(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        conftest="""
        import msgspec
        from conformance.drivers.clients import registry
        known = registry().client
        known["requests"] = msgspec.structs.replace(known["requests"], module="no_such_package")
        """
    )
    pytester.makepyfile("def test_it(wire_case): wire_case.check()\n")
    chosen = ("--httplib-impl", "client:requests", "--httplib-select", "framing.length.zero")
    result = pytester.runpytest_subprocess("-p", "conformance.plugin", *chosen)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["*of which no case was judged*", "client:requests: *"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--httplib-impl", "no-such-python:httplib"), "*no program called 'no-such-python'*"),
        (("--httplib-impl", "a b"), "*'a b' is not the name of an implementation*"),
        (("--httplib-level", "nonsense"), "*'nonsense' is not one of documented*"),
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


def test_an_implementation_that_cannot_be_imported_ends_workers_as_well(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("FAMILY = 'framing'\ndef test_it(wire_case): wire_case.check()\n")
    args = ("-p", "conformance.plugin", "--httplib-impl", "no_such_module", "-n", "2")
    result = pytester.runpytest_subprocess(*args)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    result.stdout.fnmatch_lines(["*Interrupted: httplib-kit: no_such_module cannot be imported*"])


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
    corpus = EVERY
    names = {f"family_{case.family.replace('-', '_')}" for case in corpus}
    names |= {f"level_{case.level}" for case in corpus}
    names |= {f"exception_{name}" for name in PARENTS}
    for name in names:
        assert f"@pytest.mark.{name}:" in shown


def test_a_client_with_another_interface_is_judged_by_what_it_fetches(
    pytester: pytest.Pytester,
) -> None:
    fetched = next(case for case in EVERY if case.fetch is not None)
    pytester.makepyfile("def test_it(wire_case): assert wire_case.run().did")
    args = ("-p", "conformance.plugin", "--httplib-impl", "client:urllib.request")
    result = pytester.runpytest_subprocess(*args, "--httplib-select", fetched.id)
    assert result.parseoutcomes() == {"passed": 1}


def test_options_that_choose_nothing_are_told_once(pytester: pytest.Pytester) -> None:
    args = ("-p", "conformance.plugin", "--httplib-select", "no.such.case")
    result = pytester.runpytest_subprocess(*args, "--pyargs", "conformance.test_corpus")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.stdout.str().count("no case matches no.such.case") == 1
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("family", "outcome"), [("no-such", {"errors": 1}), ("chunked", {"skipped": 1})]
)
def test_a_family_that_does_not_exist_is_no_family_without_selected_cases(
    pytester: pytest.Pytester, family: str, outcome: dict[str, int]
) -> None:
    pytester.makepyfile(f"FAMILY = {family!r}\ndef test_it(wire_case): wire_case.check()\n")
    chosen = ("--httplib-select", "framing.length.zero")
    result = pytester.runpytest_subprocess("-p", "conformance.plugin", *chosen)
    result.assert_outcomes(**outcome)
    assert (f"no case belongs to FAMILY '{family}'" in result.stdout.str()) == ("errors" in outcome)
