"""The kit names its own acts: what it does to a client is never told as an act of the server."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases.casefile import load_text
from conformance.cli import main
from conformance.cli.outputs import document
from conformance.drivers import Implementation, target
from conformance.judge import Verdict
from conformance.report.annotations import annotation_lines
from conformance.report.junit import headline, junit_xml
from conformance.report.markdown import markdown_text
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.story import story
from conformance.results import Result, RunHead
from conformance.run import Runner
from conformance.tests.support import site_of

UNFINISHED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
GAVE_UP = "the kit gave up after 0.3 s without progress and reset its sockets"
CASE = """
family = "framing"
[[case]]
id = "acts.case"
title = "A body that does not come"
level = "documented"
spec = ["HTTPResponse.read"]
why = "Something is waited for."
connections = [ [ {{ read_request = {{}} }}, {{ send = {sent} }}, {{ stall = {{}} }} ] ]
[[case.outcome]]
read = "hello"
[case.fetch]
strength = "must"
expect = [{{ accept = {{ status = 200 }} }}]
"""
CLIENTS = ["httplib_impl", "http.client", "client:urllib.request"]
CLIENTS += [f"client:{name}" for name in ("curl", "wget") if shutil.which(name)]


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


def run(
    one: Implementation, authority: CertificateAuthority, sent: str, deadline: float = 0.3
) -> tuple[RunHead, Result]:
    (case,) = load_text(CASE.format(sent=sent), "test.toml")
    with Runner(one, authority, deadline=deadline) as runner:
        head = RunHead.of(runner.identity, kit="0", corpus="0", deadline=0.3)
        return head, runner.run_case(case)


@pytest.mark.parametrize("written", CLIENTS)
def test_a_reset_at_the_deadline_is_the_kit_s_in_every_report(
    written: str, authority: CertificateAuthority
) -> None:
    head, result = run(
        target(written), authority, r'"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"'
    )
    assert result.verdict == Verdict.HANG
    assert result.reason == GAVE_UP
    assert f"  = {GAVE_UP}\n" in result.transcript
    runs = [Run(head, [result])]
    reports = {
        "story": "\n".join(story(result, head)),
        "headline": headline(result),
        "junit": junit_xml(runs).decode(),
        "markdown": markdown_text(runs),
        "json": document(runs).decode(),
        "html": "".join(site_of(runs).values()),
        "annotations": "\n".join(annotation_lines(runs)),
    }
    for name, text in reports.items():
        assert visible_text(GAVE_UP) in text, name
        assert "ConnectionResetError" not in text, name


def test_an_end_that_never_comes_is_given_up_in_other_words(
    authority: CertificateAuthority,
) -> None:
    endless = r'"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" }, '
    endless += '{ dribble = { data = { repeat = "a", times = 1000000 }, every = 0.01 }'
    _, result = run(target("httplib_impl"), authority, endless)
    assert result.verdict == Verdict.HANG
    assert result.reason.startswith(
        "the kit gave up after 6 s without an end and reset its sockets"
    )


@pytest.mark.parametrize(
    ("written", "act"),
    [("httplib_impl", "abandoned its thread"), ("http.client", "ended its process")],
)
def test_a_client_that_is_stuck_for_good_is_ended_by_the_kit(
    written: str,
    act: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    authority: CertificateAuthority,
) -> None:
    name = f"stuck_{written.replace('.', '_')}"
    (tmp_path / f"{name}.py").write_text(
        f"from {written} import *\nimport threading\nimport {written} as real\n"
        "class HTTPConnection(real.HTTPConnection):\n"
        "    def getresponse(self, *args):\n        threading.Event().wait(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from conformance.drivers import Target

    one = Target(name, None, name) if written == "httplib_impl" else target(name)
    _, result = run(one, authority, '"HTTP/1.1 200 OK\\r\\n"')
    assert result.verdict == Verdict.HANG
    assert result.reason == f"{GAVE_UP}; the client was stuck even 0.3 s later, and the kit {act}"


def tried(file: Path, *args: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["try", str(file), "--deadline", "0.3", *args])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("written", CLIENTS)
def test_try_says_that_the_kit_gave_up(written: str, tmp_path: Path) -> None:
    file = tmp_path / "octets"
    file.write_bytes(UNFINISHED)
    code, output = tried(file, "--end", "open", "--impl", written)
    assert code == 1
    assert "Reset" not in output
    assert "still waiting when the kit gave up" in output
    assert "reset by the kit" in output
    assert "HANG: the kit gave up after 0.3 s without" in output


def test_try_says_that_the_server_has_reset_where_it_has(tmp_path: Path) -> None:
    file = tmp_path / "octets"
    file.write_bytes(UNFINISHED)
    code, output = tried(file, "--end", "rst")
    assert code == 0
    assert "ConnectionResetError" in output
    assert "reset by the server" in output
    assert "kit" not in output


def test_try_keeps_an_error_that_was_raised_before_the_kit_gave_up(tmp_path: Path) -> None:
    file = tmp_path / "octets"
    file.write_bytes(b"HTTP/1.1 two\r\n")
    _, output = tried(file, "--end", "open")
    assert "BadStatusLine" in output


@pytest.mark.parametrize("written", [one for one in CLIENTS if one.startswith("client:")])
def test_try_sends_the_method_that_was_asked_for_or_refuses(written: str, tmp_path: Path) -> None:
    file = tmp_path / "octets"
    file.write_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    code, output = tried(file, "--method", "HEAD", "--impl", written)
    assert code == 2
    assert output == (
        f"httplib-kit: --method: {written} sends GET and nothing else; "
        "leave 'HEAD' or this --impl out"
    )
    assert tried(file, "--method", "HEAD")[0] == 0


def test_a_program_that_the_kit_ends_for_what_it_writes_is_not_said_to_have_died(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    script = tmp_path / "client.sh"
    script.write_text("exec head -c 100000000 /dev/zero\n")
    _, result = run(target(f"client:cmd:sh {script} {{url}}"), authority, '"HTTP/1.1 200 OK"', 10)
    assert result.verdict == Verdict.CRASH
    assert result.reason.endswith("was ended by SIGXFSZ: the kit lets it write 64 MiB")
