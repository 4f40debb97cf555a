"""The built-in clients and commands: each runs a handful of cases where it is installed."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases import Case, client_case
from conformance.cases.casefile import load_text
from conformance.cli import main
from conformance.drivers import Implementation, UnknownImplementation, target, targets
from conformance.drivers.clients import BUILT_IN
from conformance.drivers.clients.command import Ended, command_words, response
from conformance.drivers.clients.programs import _taken_by_wget as taken_by_wget
from conformance.drivers.clients.python_client import CLIENTS, head_of
from conformance.drivers.factory import HttplibClientTarget, Target
from conformance.judge import Verdict
from conformance.report.standing import EXIT_NOTHING, worst_code
from conformance.results import Result
from conformance.results.golden import load_book
from conformance.run import Runner
from conformance.tests.support import BY_ID

KNOWN = BY_ID
SMOKE = {
    "framing.length.short.5": "rejects",
    "exceptions.bad-status-line.nothing": "rejects",
    "faults.whole.by-length": "accepts",
    "chunked.two-chunks": "accepts",
    "headers.name.sent-upper-case.asked-lower-case": "accepts",
    "status-codes.404.1-1.registered.get-body": "accepts",
}
SHORT = 0.5
"""A deadline for clients that are made to wait."""
SILENT = """
family = "framing"
[[case]]
id = "clients.silent"
title = "Nothing comes"
level = "observe"
spec = ["HTTPResponse.read"]
why = "A client may wait for ever."
connections = [[{ read_request = {} }]]
[case.fetch]
strength = "must"
expect = ["reject"]
"""


def run(
    one: Implementation, cases: Iterable[Case], authority: CertificateAuthority, wait: float = 3.0
) -> list[Result]:
    with Runner(one, authority, deadline=wait) as runner:
        return list(runner.run(map(client_case, cases)))


def whole() -> list[Case]:
    return [KNOWN["faults.whole.by-length"]]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_client_takes_and_refuses_what_every_client_does(
    name: str, certificate_authority: CertificateAuthority
) -> None:
    results = run(target(f"client:{name}"), [KNOWN[one] for one in SMOKE], certificate_authority)
    if results[0].verdict == Verdict.NOT_INSTALLED:
        pytest.skip(results[0].reason)
    assert [one.verdict for one in results] == ["PASS"] * len(SMOKE)
    assert [one.did.partition(" ")[0] for one in results] == list(SMOKE.values())


@pytest.mark.parametrize("module", ["httplib_impl", "http.client", "python2.7:httplib"])
def test_a_module_with_the_interface_of_httplib_is_a_client_as_well(
    module: str, certificate_authority: CertificateAuthority
) -> None:
    interpreter = module.rpartition(":")[0] or sys.executable
    # A launcher may have the name of an interpreter that is not installed.
    program = shutil.which(interpreter)
    if program is None or subprocess.run([program, "--version"], capture_output=True).returncode:
        pytest.skip(f"{interpreter} is not installed")
    one = target(f"client:httplib:{module}")
    results = run(one, [KNOWN[name] for name in SMOKE], certificate_authority)
    assert [result.verdict for result in results] == ["PASS"] * len(SMOKE)
    assert [result.did.partition(" ")[0] for result in results] == list(SMOKE.values())


HTTPLIB_LIKE = """
from http.client import HTTPConnection as Usual, HTTPException
class Response:
    def __init__(self, response):
        self.status, self.reason = response.status, response.reason
        self.getheaders = response.getheaders
        self.read = response.read
        {change}
class HTTPConnection:
    def __init__(self, host, port):
        self.usual = Usual(host, port)
    def request(self, method, url):
        self.usual.request(method, url)
    def getresponse(self):
        return Response(self.usual.getresponse())
    def close(self):
        self.usual.close()
"""


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("pass", "PASS"),
        ("self.status = '200'", "WRONG_VALUE"),
        ("self.getheaders = list", "WRONG_VALUE"),
        ("self.getheaders = lambda: {'content-length': '5'}", "WRONG_VALUE"),
        ("self.reason = b'OK'", "PASS"),
        ("self.reason = object()", "WRONG_VALUE"),
        ("self.read = lambda: [104]", "WRONG_VALUE"),
        ("self.read = lambda: b'hell'", "WRONG_VALUE"),
        ("del self.read", "LEAK"),
        ("raise HTTPException('no')", "FALSE_ERROR"),
        ("raise OSError('no')", "FALSE_ERROR"),
        ("raise type('HTTPException', (Exception,), {})('no')", "LEAK"),
    ],
)
def test_a_module_that_is_wrong_is_wrong_as_a_client(
    tmp_path: Path, certificate_authority: CertificateAuthority, change: str, verdict: str
) -> None:
    (tmp_path / "some.py").write_text(HTTPLIB_LIKE.replace("{change}", change))
    one = Target("some", sys.executable, "some", path=(str(tmp_path),))
    case = KNOWN["headers.name.sent-upper-case.asked-lower-case"]
    (result,) = run(HttplibClientTarget("client:httplib:some", one), [case], certificate_authority)
    assert result.verdict == verdict, result


def test_a_module_that_does_not_complete_an_exchange_is_not_judged_as_a_client() -> None:
    done = CliRunner().invoke(main, ["check", "client:httplib:json"])
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "json cannot be imported: ImportError: it has no HTTPConnection" in done.output


@pytest.mark.parametrize(
    ("written", "law"),
    [
        ("http.client", ", judged as a drop-in for the httplib of Python 2.7 · corpus "),
        ("client:httplib:http.client", ", judged as an HTTP/1.x client, by RFC 9112 · corpus "),
    ],
)
def test_the_first_line_says_by_what_an_implementation_is_judged(written: str, law: str) -> None:
    done = CliRunner().invoke(main, ["check", written, "-q", "--select", "chunked.two-chunks"])
    assert law in done.output.splitlines()[0]


def test_every_client_that_is_not_installed_is_a_row_of_the_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    absent = [name for name in BUILT_IN if name != "urllib.request"]
    written = [f"client:{name}" for name in absent]
    # With settings: what was recorded was recorded without.
    told = CliRunner().invoke(main, ["check", *written, "--select", "chunked.*", "--sweep", "each"])
    assert told.exit_code == 3
    rows = [line for line in told.output.splitlines() if line.endswith("NOT_INSTALLED")]
    assert [row.split()[0] for row in rows] == absent


@pytest.mark.parametrize("selected", ["chunked.*", "chunked.size-line.not-hex"])
def test_a_client_that_is_not_installed_is_shown_as_it_was_recorded(
    monkeypatch: pytest.MonkeyPatch, selected: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    version = load_book().implementations["requests"].version
    ask = ["check", "client:requests", "client:urllib.request", "--select", selected]
    told = CliRunner().invoke(main, ask)
    alone = CliRunner().invoke(main, [*ask[:1], *ask[2:]])
    assert told.exit_code == worst_code([alone.exit_code, EXIT_NOTHING])
    row = next(line for line in told.output.splitlines() if "requests" in line)
    assert f"requests {version} (NOT_INSTALLED, as recorded)" in row
    if selected == "chunked.*":
        well, judged = map(int, row.split()[-1].split("/"))
        assert 0 < well < judged


def test_what_was_recorded_stands_in_for_nothing_that_ran_and_where_nobody_is_tolerant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = ["check", "client:urllib.request", "client:requests", "--select", "chunked.two-chunks"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    here = CliRunner().invoke(main, ask)
    assert "urllib.request" in here.output
    assert here.output.count("as recorded") == 1
    assert "as recorded" not in CliRunner().invoke(main, [*ask, "--no-tolerance"]).output


def test_a_report_shows_the_matrix_of_the_run_again(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    asks = (
        "import sys,urllib.request as r;body=r.urlopen(sys.argv[1]).read();"
        "sys.stdout.buffer.write(body);sys.exit(3 if len(body) < 20 else 0)"
    )
    kit = f"client:cmd:{sys.executable} -c '{asks}' {{url}}"
    ask = ["check", "client:urllib.request", kit, "--select", "chunked.two-chunks"]
    seen = CliRunner().invoke(main, [*ask, "--results", str(file)])
    told = CliRunner().invoke(main, ["report", str(file), "--exit-code"])
    assert "chunked.two-chunks  must  +  !-" in seen.output
    assert (told.output, told.exit_code) == (seen.output, seen.exit_code)


def test_an_unknown_client_is_an_error_that_names_those_that_exist() -> None:
    told = CliRunner().invoke(main, ["check", "client:foo"])
    assert told.exit_code == 2
    assert told.output.splitlines() == [
        f"httplib-kit: no client is called 'foo'; there are {', '.join(BUILT_IN)}, "
        "cmd:COMMAND with {url}, browser:COMMAND, httplib:MODULE"
    ]


def test_all_stands_for_every_built_in_client_in_a_fixed_order() -> None:
    assert [one.written for one in targets("client:all")] == [f"client:{name}" for name in BUILT_IN]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("client:cmd:curl -sS", "a command has {url} among its arguments"),
        ("client:cmd:", "a command has {url} among its arguments"),
        ("client:cmd:{url}", "a command has {url} among its arguments"),
        ("client:cmd:curl '{url}", "not a command line"),
        ("client:cmd:no-such-program-here {url}", "no program called 'no-such-program-here'"),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error(written: str, problem: str) -> None:
    with pytest.raises(UnknownImplementation, match=problem.replace("{", r"\{")):
        target(written)


def program(path: Path, body: str) -> Implementation:
    """Return a command that asks, and runs *body* as Python, with the URL as its argument."""
    script = path / "client.py"
    imports = "import os, sys, time, urllib.request"
    asks = "" if "urlopen" in body else "urllib.request.urlopen(sys.argv[1]).read()"
    script.write_text("\n".join((imports, asks, body, "")), encoding="utf-8")
    return target(f"client:cmd:{sys.executable} {script} {{url}} {{head}}")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("print(end=urllib.request.urlopen(sys.argv[1]).read().decode())", "PASS"),
        ("print(end='hell')", "WRONG_VALUE"),
        ("sys.exit('no')", "FALSE_ERROR"),
        ("os.kill(os.getpid(), 11)", "CRASH"),
        ("while True: sys.stdout.write('x' * (1 << 20))", "FALSE_ERROR"),
        (
            "print(end='hello'); open(sys.argv[2], 'w').write('HTTP/1.1 404 No\\n\\n')",
            "WRONG_VALUE",
        ),
        ("print(end='hello'); open(sys.argv[2], 'w').write('HTTP/1.1 200 OK\\n\\n')", "PASS"),
        ("if os.fork() == 0: time.sleep(60)\nprint(end='hello', flush=True); os._exit(0)", "PASS"),
        (
            "os.listdir(os.environ['HOME']) and sys.exit(1); print(end='hello')",
            "PASS",
        ),
    ],
)
def test_a_command_is_judged_by_how_it_ends_and_what_it_writes(
    tmp_path: Path, certificate_authority: CertificateAuthority, body: str, verdict: str
) -> None:
    one = program(tmp_path, body)
    (result,) = run(one, whole(), certificate_authority)
    assert result.verdict == verdict


def test_a_command_that_waits_costs_its_own_verdict(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    one = program(tmp_path, "time.sleep(60)")
    results = run(one, [*whole(), *whole()], certificate_authority, wait=SHORT)
    assert [result.verdict for result in results] == ["HANG", "HANG"]


def test_a_client_that_waits_for_a_silent_server_hangs(
    certificate_authority: CertificateAuthority,
) -> None:
    one = target("client:urllib.request")
    results = run(one, [*load_text(SILENT, "x.toml"), *whole()], certificate_authority, wait=SHORT)
    assert [result.verdict for result in results] == ["HANG", "PASS"]


def test_a_client_that_repeats_its_request_meets_the_same_octets(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    body = "for _ in range(3): text = urllib.request.urlopen(sys.argv[1]).read().decode()"
    one = program(tmp_path, f"{body}\nprint(end=text)")
    (result,) = run(one, whole(), certificate_authority)
    assert result.verdict == Verdict.PASS


READS_TO_THE_END = """
host, _, port = sys.argv[1].removeprefix("http://").rstrip("/").partition(":")
with socket.create_connection((host, int(port))) as sock:
    sock.sendall(f"GET / HTTP/1.1\\r\\nHost: {{host}}:{{port}}\\r\\n{asks}\\r\\n".encode())
    body = b"".join(iter(lambda: sock.recv(65536), b"")).partition(b"\\r\\n\\r\\n")[2]
print(end=body.decode())
"""
OPEN = """
family = "framing"
[[case]]
id = "clients.open"
title = "The server leaves the connection open"
level = "observe"
spec = ["HTTPResponse.read"]
rfc = ["9112#9.6"]
why = "A client that asks for the end of the connection may wait for it."
connections = [[{ read_request = {} }, { reply = { body = "hello" } }%s]]
[case.fetch]
strength = "must"
expect = [{ accept = { status = 200, body = "hello" } }]
"""


@pytest.mark.parametrize(
    ("asks", "stays", "verdict"),
    [
        ("Connection: close\\r\\n", "", "PASS"),
        ("", "", "HANG"),
        ("Connection: close\\r\\n", ", { expect_eof = {} }", "HANG"),
        ("Connection: close\\r\\n", ', { close = "abandon" }', "HANG"),
    ],
    ids=["asks", "does not ask", "the case waits for the client", "the case stays"],
)
def test_a_client_that_asks_for_the_end_of_its_connection_gets_it(
    tmp_path: Path,
    certificate_authority: CertificateAuthority,
    asks: str,
    stays: str,
    verdict: str,
) -> None:
    script = tmp_path / "client.py"
    script.write_text("import socket, sys\n" + READS_TO_THE_END.format(asks=asks))
    one = target(f"client:cmd:{sys.executable} {script} {{url}}")
    (result,) = run(one, load_text(OPEN % stays, "x.toml"), certificate_authority, wait=1.0)
    assert result.verdict == verdict


def test_a_case_that_says_nothing_of_clients_is_not_for_them(
    certificate_authority: CertificateAuthority,
) -> None:
    silent = next(case for case in KNOWN.values() if case.fetch is None)
    with Runner(target("client:urllib.request"), certificate_authority) as runner:
        assert runner.run_case(silent).verdict == Verdict.UNSUPPORTED


def test_the_head_is_the_last_one_and_no_trailer() -> None:
    lines = [
        b"HTTP/1.1 100 Continue\r\n",
        b"X: no\r\n",
        b"\r\n",
        b"HTTP/1.1 200 All  right\r\n",
        b"X-A: 1 \r\n",
        b"X-B:\r\n",
        b" 2\r\n",
        b"\r\n",
        b"X-Trailer: 3\r\n",
    ]
    assert head_of(lines) == (200, b"All  right", [(b"X-A", b"1"), (b"X-B", b" 2")])


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ("X: 1|\r\n \t|\r\nY: 2|", [("X", "1"), ("Y", "2")]),
        ("X: 1|\r\n \r\n 3|\r\nY: 2|", [("X", "1 3"), ("Y", "2")]),
        (" \r\nY: 2|", [("Y", "2")]),
        ("X: 1|\r\n\r\nY: 2|", [("X", "1")]),
        ("X: 1|\n\nY: 2|", [("X", "1")]),
        ("X: 1|\r\n\r\nHTTP/1.1 404 Not Found|\r\nY: 2|", [("X", "1")]),
    ],
)
def test_a_line_of_blanks_is_part_of_the_head_and_an_empty_one_ends_it(
    lines: str, fields: list[tuple[str, str]]
) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + lines.replace("|", "").encode() + b"\r\n\r\n"
    value = response(head, b"")
    assert (value["status"], value["reason"]) == (200, "OK")
    assert [tuple(pair) for pair in value["headers"]] == fields


def test_after_a_head_that_leads_to_another_request_comes_another_head() -> None:
    for code in (100, 103, 302, 401, 407):
        head = f"HTTP/1.1 {code} Wait\r\nX: 1\r\n\r\nHTTP/1.1 204 Done\r\nY: 2\r\n\r\n"
        value = response(head.encode(), b"")
        assert (value["status"], value["headers"]) == (204, [["Y", "2"]])


SAID = "--date--  URL\nHTTP request sent, awaiting response... \n"


@pytest.mark.parametrize(
    ("code", "output", "said", "status", "body", "headers"),
    [
        (
            8,
            "",
            "  HTTP/1.1 302 Found\n  Location: /2\nLocation: /2\n",
            302,
            None,
            [["Location", "/2"]],
        ),
        (6, "", "  HTTP/1.1 401 No\n\nUsername/Password Authentication Failed.\n", 401, None, []),
        (0, "", "  HTTP/1.1 200 OK\nLength: 0\nSaving to: 'STDOUT'\n", 200, "", []),
        (8, "a\r\n\r\nb", "  HTTP/1.1 404 No\nSaving to: 'STDOUT'\n", 404, "a\r\n\r\nb", []),
        (
            0,
            "a\r\n\r\nb",
            "Length: unspecified\nSaving to: 'STDOUT'\n\n   0K   \n",
            None,
            "a\r\n\r\nb",
            None,
        ),
        (
            0,
            "hi",
            "  HTTP/1.1 200 OK\n  X: \\351\\t\\\\1\nSaving to: -\n",
            200,
            "hi",
            [["X", "\xe9\t\\1"]],
        ),
    ],
    ids=["a redirect", "credentials", "no content", "an error", "no head", "escapes"],
)
def test_wget_writes_the_content_alone_and_tells_the_head(
    code: int, output: str, said: str, status: int | None, body: str | None, headers: Any
) -> None:
    taken = taken_by_wget(Ended(code, output.encode(), f"{SAID}{said}".encode(), None))
    assert taken is not None
    value = response(*taken)
    assert (value["status"], value["body"], value["headers"]) == (status, body, headers)
    assert taken_by_wget(Ended(4, b"", b"", None)) is None


FOLLOWED = """
family = "framing"
[[case]]
id = "clients.followed"
title = "Content after a head of an unusual form"
level = "observe"
spec = ["HTTPResponse.read"]
rfc = ["9112#2.2"]
why = "What an adapter cannot read of a head is not a fault of its client."
respond = %s
[case.fetch]
strength = "must"
expect = [{ accept = { status = %s, body = "a\\r\\n\\r\\nb" } }, "reject"]
"""


@pytest.mark.parametrize(
    ("name", "head", "status", "did"),
    [
        ("wget", "HTTP/1.1 200 OK\\r\\nX: 1\\u00002\\r\\n\\r\\n", 200, "accepts"),
        ("wget", "HTTP/1.1 101 On\\r\\n\\r\\n", 101, "accepts"),
        ("wget", "", 200, "accepts"),
        ("wget", "HTTP/1.1 200 OK\\r\\n \\r\\n\\r\\n", 200, "accepts"),
        ("curl", "HTTP/1.1 200 OK\\r\\nX: 1\\r\\n \\r\\nY: 2\\r\\n\\r\\n", 200, ""),
        ("pycurl", "HTTP/1.1 200 OK\\r\\nX: 1\\r\\n \\r\\nY: 2\\r\\n\\r\\n", 200, ""),
        (
            "node-http",
            "HTTP/1.1 101 On\\r\\nUpgrade: e\\r\\nConnection: Upgrade\\r\\n\\r\\n",
            101,
            "accepts",
        ),
    ],
    ids=["NUL", "101", "no head", "blanks", "curl", "pycurl", "upgrade"],
)
def test_no_adapter_loses_what_follows_a_head_of_an_unusual_form(
    name: str, head: str, status: int, did: str, certificate_authority: CertificateAuthority
) -> None:
    text = FOLLOWED % (f'"{head}a\\r\\n\\r\\nb"', status)
    (result,) = run(target(f"client:{name}"), load_text(text, "x.toml"), certificate_authority)
    if result.verdict == Verdict.NOT_INSTALLED:
        pytest.skip(result.reason)
    assert result.verdict == "PASS"
    assert result.did.startswith(did)


def test_words_of_a_command_are_those_of_a_shell() -> None:
    assert command_words("curl -H 'A: b c' {url}") == ["curl", "-H", "A: b c", "{url}"]


@pytest.mark.parametrize("name", CLIENTS)
def test_every_category_of_a_table_is_one_of_the_ten(name: str) -> None:
    from typing import get_args

    from conformance.cases.words import Category

    assert {category for _, category in CLIENTS[name].rows} <= {*get_args(Category)}
