"""The built-in clients and commands: each runs a handful of cases where it is installed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases import Case, client_case
from conformance.cases.casefile import load_text
from conformance.cli import main
from conformance.drivers import Implementation, UnknownImplementation, target, targets
from conformance.drivers.clients import (
    ClientTarget,
    is_present,
    python_client,
    registry,
    starting,
)
from conformance.drivers.clients.command import Command, command_words, response
from conformance.drivers.clients.invocation import Ended
from conformance.drivers.clients.python_client import head_of
from conformance.drivers.clients.readers import taken_by_wget
from conformance.drivers.factory import HttplibClientTarget, Target
from conformance.judge import Observation, Verdict
from conformance.report.standing import EXIT_NOTHING, worst_code
from conformance.results import Result
from conformance.results.golden import (
    Book,
    Judged,
    Recorded,
    judged_one,
    judging,
    load_book,
    read_book,
)
from conformance.run import NOT_WAITED_FOR, Check, Runner
from conformance.run.hangs import MOST
from conformance.tests.support import BY_ID

KNOWN = BY_ID
BUILT_IN = [*registry().client]
THOROUGH = [*BUILT_IN[:8], "curl", "wget", "node-fetch", "node-http", "jdk", "go-net-http"]
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
rfc = ["9112#9.5"]
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


SESSIONS = {
    "session.kept.two-gets": "1 accepts; 2 accepts",
    "session.closing.close": "1 accepts; 2 accepts",
    "session.short.by-length": "1 rejects; 2 accepts",
}
PROGRAM = (
    "client:cmd:curl -q --noproxy * "
    "[ -sS -D {head} -o {out} {url} | --next -sS -o /dev/null file://{pause} --next ]"
)


@pytest.mark.parametrize(
    "written",
    ["client:curl", "client:wget", "client:jdk", "client:httplib:http.client", PROGRAM],
    ids=["curl", "wget", "jdk", "httplib", "command"],
)
def test_programs_and_modules_make_sessions(
    written: str, certificate_authority: CertificateAuthority
) -> None:
    program = "curl" if written == PROGRAM else written.rpartition(":")[2]
    if program != "http.client" and not is_present(program):
        pytest.skip(f"{program} is not installed")
    cases = [KNOWN[one] for one in SESSIONS]
    results = run(target(written), cases, certificate_authority)
    did = [re.sub(r" \([a-z-]+\)", "", one.did) for one in results]
    assert [one.verdict for one in results] == ["PASS"] * len(SESSIONS), results
    assert did == list(SESSIONS.values())


def of_drivers() -> dict[str, list[str]]:
    """Return the clients that make sessions of each driver of the registry, but for commands."""
    found: dict[str, list[str]] = {}
    for name, one in registry().client.items():
        way = registry().way(name)
        if way.kind != "command" and "exchange" in (one.ops or way.ops):
            found.setdefault(one.driver, []).append(name)
    return found


REFUSING = """
import runpy, sys, urllib.request

def refuse(*_, **__):
    raise OSError("half a character: \\udca0")

urllib.request.OpenerDirector.open = refuse
path = sys.argv[1]
sys.argv[1:] = ["urllib.request", "urllib.request", "", "0"]
runpy.run_path(path, run_name="__main__")
"""


def test_what_a_client_says_in_half_a_character_is_reported() -> None:
    ops = [{"id": "fetch", "call": "fetch", "on": "agent", "kwargs": {}}]
    message = {"type": "run", "id": "a", "serial": 1, "url": "http://127.0.0.1:1/", "ops": ops}
    done = subprocess.run(
        [sys.executable, "-c", REFUSING, python_client.__file__],
        input=json.dumps(message) + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    (entry,) = msgspec.json.decode(done.stdout)["trace"]
    assert entry["error"]["message"] == "half a character: \ufffd"


KEPT = ["session.kept.two-gets", "session.no-content.of-post.204", "session.idle.fin.get"]


@pytest.mark.parametrize(("driver", "clients"), of_drivers().items())
def test_the_driver_of_each_language_makes_sessions(
    driver: str, clients: list[str], certificate_authority: CertificateAuthority
) -> None:
    name = next(filter(is_present, clients), None)
    if name is None:
        pytest.skip(f"no client of {driver} is installed")
    came: list[list[tuple[bytes, ...]]] = []

    def note(_: Case, seen: Observation) -> None:
        came.append([one.requests for one in seen.connections])

    with Runner(target(f"client:{name}"), certificate_authority, deadline=5, witness=note) as one:
        results = list(one.run(KNOWN[each] for each in KEPT))
    if results[0].verdict == Verdict.NOT_INSTALLED:
        pytest.skip(results[0].reason)
    assert [one.did for one in results] == ["1 accepts; 2 accepts"] * len(KEPT)
    assert {one.verdict for one in results} <= {"PASS", "TOLERATED"}
    kept, posted, ended = came
    assert [*map(len, kept)] == ([1, 1] if name == "urllib.request" else [2])  # it keeps none
    session = KNOWN[KEPT[1]].session
    assert session is not None
    assert posted[0][0].endswith(b"\r\n\r\n" + session.exchanges[0].body)
    assert [*map(len, ended)] == [1, 1]


@pytest.mark.parametrize(
    ("written", "case", "reason"),
    [
        ("client:wget", "session.idle.fin.post", "all requests of one run of wget are alike"),
        ("client:curl", "session.parallel.two", "the implementation has no parallel"),
        (PROGRAM, "session.idle.fin.post", "the command says how to GET a URL, and nothing more"),
        ("client:httplib:http.client", "session.unread.dropped", "the implementation has no drop"),
    ],
)
def test_what_a_program_cannot_do_is_not_asked_of_it(
    written: str, case: str, reason: str, certificate_authority: CertificateAuthority
) -> None:
    program = "curl" if written == PROGRAM else written.rpartition(":")[2]
    if program != "http.client" and not is_present(program):
        pytest.skip(f"{program} is not installed")
    (result,) = run(target(written), [KNOWN[case]], certificate_authority)
    assert (result.verdict, result.reason[: len(reason)]) == ("UNSUPPORTED", reason)


SEVERAL = """
import sys, urllib.request
for number, word in enumerate(sys.argv[1:]):
    if word.startswith("http"):
        print(end=urllib.request.urlopen(word).read().decode(), flush=True)
    else:
        {waits}
"""


@pytest.mark.parametrize(
    ("waits", "verdict", "reason"),
    [
        ("open(word).read()", "PASS", ""),
        ("sys.stderr.write('no'); sys.stderr.flush(); open(word).read()", "FALSE_ERROR", ""),
        ("sys.exit(3)", "CRASH", "ended with 3 in exchange 1"),
        ("import os; os.kill(os.getpid(), 11)", "CRASH", "was ended by SIGSEGV"),
        ("print(end='more', flush=True); open(word).read()", "WRONG_VALUE", ""),
    ],
)
def test_what_a_program_writes_before_it_waits_belongs_to_the_exchange(
    tmp_path: Path,
    certificate_authority: CertificateAuthority,
    waits: str,
    verdict: str,
    reason: str,
) -> None:
    script = tmp_path / "several.py"
    script.write_text(SEVERAL.replace("{waits}", waits), encoding="utf-8")
    one = target(f"client:cmd:{sys.executable} {script} [ {{url}} | {{pause}} ]")
    # This client closes each connection, so only a case that requires none of them is right.
    (result,) = run(one, [KNOWN["session.closing.close"]], certificate_authority)
    assert result.verdict == verdict, result
    assert reason in result.reason


class NoModules:
    """Finds no module, in place of what finds those of clients."""

    @staticmethod
    def find_spec(*_: object) -> None:
        return None


def whole() -> list[Case]:
    return [KNOWN["faults.whole.by-length"]]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_client_of_the_registry_takes_and_refuses_what_every_client_does(
    name: str, certificate_authority: CertificateAuthority
) -> None:
    # What a client does with a broken response is its own; each takes a whole one.
    expected = SMOKE if name in THOROUGH else {"faults.whole.by-length": "accepts"}
    results = run(target(f"client:{name}"), [KNOWN[one] for one in expected], certificate_authority)
    if results[0].verdict == Verdict.NOT_INSTALLED:
        pytest.skip(results[0].reason)
    assert [one.verdict for one in results] == ["PASS"] * len(expected)
    assert [one.did.partition(" ")[0] for one in results] == list(expected.values())


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
    monkeypatch.setattr(starting, "PathFinder", NoModules)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    absent = [name for name in BUILT_IN if name != "urllib.request"][:12]
    written = [f"client:{name}" for name in absent]
    swept = ["--sweep", "each"]  # what was recorded was recorded without
    told = CliRunner().invoke(main, ["check", *written, "--select", "chunked.si*", *swept])
    assert told.exit_code == 3
    rows = [line for line in told.output.splitlines() if line.endswith("NOT_INSTALLED")]
    assert [row.split()[0] for row in rows] == absent


@pytest.mark.parametrize("name", ["requests", "curl", "jdk", "lynx"])  # a driver of each kind
def test_what_a_client_that_is_not_installed_could_do_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, certificate_authority: CertificateAuthority, name: str
) -> None:
    monkeypatch.setattr(starting, "PathFinder", NoModules)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    needs: dict[frozenset[str], Case] = {}  # a case of each feature, and a fetch
    for case in (KNOWN["chunked.two-chunks"], *BY_ID.values()):
        if case.profile == "client" or not needs:
            needs.setdefault(case.needs, case)
    assert len(needs) > 5
    results = run(target(f"client:{name}"), needs.values(), certificate_authority)
    assert {one.verdict for one in results} == {Verdict.NOT_INSTALLED}
    assert len({one.reason for one in results}) == 1


def test_of_sessions_a_client_that_is_not_installed_is_shown_as_it_was_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "PathFinder", NoModules)
    ask = ["check", "client:requests", "client:urllib.request", "--select", "session.kept.two-gets"]
    told = CliRunner().invoke(main, ask)
    assert "(NOT_INSTALLED, as recorded)" in told.output


def test_of_all_those_that_are_neither_installed_nor_recorded_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "PathFinder", NoModules)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    recorded = {one.written for one in load_book().implementations.values()}
    built: list[str] = []

    def judged(book: Book, case: Case, keys: Collection[str] | None = None) -> Iterator[Judged]:
        built.append(case.id)
        return usual(book, case, keys)

    usual = judging.judged
    monkeypatch.setattr(judging, "judged", judged)
    told = CliRunner().invoke(main, ["check", "client:all", "--select", "chunked.two-chunks"])
    assert built == ["chunked.two-chunks"]  # once, and no other, for all records
    rows = [
        f"client:{line.split()[1]}" for line in told.stdout.splitlines() if "as recorded" in line
    ]
    assert set(rows) <= recorded
    assert len(rows) > 10
    (line,) = (line for line in told.stderr.splitlines() if "left out" in line)
    assert re.fullmatch(
        r"left out: \d+ clients not installed; `httplib-kit clients` says how to get them", line
    )


@pytest.mark.parametrize("selected", ["chunked.*", "chunked.size-line.not-hex"])
def test_a_client_that_is_not_installed_is_shown_as_it_was_recorded(
    monkeypatch: pytest.MonkeyPatch, selected: str
) -> None:
    monkeypatch.setattr(starting, "PathFinder", NoModules)
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
    monkeypatch.setattr(starting, "PathFinder", NoModules)
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
        "httplib-kit: no client is called 'foo'; `httplib-kit clients` lists them"
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
        ("client:cmd:curl {url} {pause}", "is to stand in [ REQUEST | WAIT ]"),
        ("client:cmd:curl [ {url} {pause} | x ]", "is to stand in [ REQUEST | WAIT ]"),
        ("client:cmd:no-such-program-here {url}", "no program called 'no-such-program-here'"),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error(written: str, problem: str) -> None:
    with pytest.raises(UnknownImplementation, match=re.escape(problem)):
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


ACCEPTS = "{ accept = { status = 200 } }"


@pytest.mark.parametrize(
    ("strength", "expect", "verdict", "basis"),
    [
        ("must", '"reject"', "PASS", ""),
        ("must", ACCEPTS, "HANG", ""),
        ("should", ACCEPTS, "TOLERATED", "should 9112#9.5"),
        ("may", ACCEPTS, "TOLERATED", "may 9112#9.5"),
        ("must", '{ reject = ["bad-framing"] }', "WRONG_ERROR", ""),
    ],
)
@pytest.mark.parametrize("sleeps", ["", "time.sleep(60)"], ids=["late", "none"])
def test_no_answer_is_judged_with_the_strength_of_the_case(
    tmp_path: Path,
    certificate_authority: CertificateAuthority,
    sleeps: str,
    strength: str,
    expect: str,
    verdict: str,
    basis: str,
) -> None:
    # Once its socket is reset, the client ends at once, or not even then.
    asks = f"urllib.request.urlopen(sys.argv[1])\nexcept OSError:\n    {sleeps or 'raise'}"
    one = program(tmp_path, f"try:\n    {asks}")
    silent = SILENT.replace('"must"', f'"{strength}"').replace('"reject"', expect)
    (result,) = run(one, load_text(silent, "x.toml"), certificate_authority, wait=SHORT)
    assert (result.verdict, result.basis, result.did) == (verdict, basis, "rejects (timeout)")
    assert result.reason.startswith("the kit gave up after")
    assert ("the kit ended its process" in result.reason) == bool(sleeps)


def test_a_slow_start_is_not_held_against_a_client(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    body = "print(end=urllib.request.urlopen(sys.argv[1]).read().decode())"
    one = program(tmp_path, f"time.sleep({4 * SHORT})\n{body}")
    (result,) = run(one, whole(), certificate_authority, wait=SHORT)
    assert result.verdict == "PASS"


def test_a_client_that_makes_no_connection_is_a_fault_of_its_driver(
    certificate_authority: CertificateAuthority,
) -> None:
    words = [sys.executable, "-c", "import time; time.sleep(60)", "{url}"]
    one = ClientTarget("client:cmd:x", lambda name: Command(name, "x", "", words, allowance=0.5))
    silent = load_text(SILENT, "x.toml")
    results = run(one, [*silent, *whole()], certificate_authority, wait=SHORT)
    assert [one.verdict for one in results] == ["DRIVER_ERROR"] * 2
    assert {one.reason for one in results} == {"no connection was made in 0.5 s"}


LOGS = """
with open({log!r}, "a") as log:
    print(os.environ["HTTPLIB_KIT_CASE"], file=log)
"""
HANGS = """
[[case]]
id = "clients.silent-{number}"
title = "Nothing comes, {number}"
level = "observe"
spec = ["HTTPResponse.read"]
rfc = ["9112#9.5"]
why = "A client may wait for ever."
connections = [[{{ read_request = {{}} }}]]
[case.fetch]
strength = "{strength}"
expect = [{{ accept = {{ status = 200 }} }}]
"""


def silent_cases(*strengths: str) -> list[Case]:
    made = (HANGS.format(number=n, strength=one) for n, one in enumerate(strengths))
    return load_text('family = "framing"\n' + "".join(made), "x.toml")


def test_hangs_of_one_cause_are_not_all_waited_for_and_run_again_once(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    log = tmp_path / "log"
    body = "print(end=urllib.request.urlopen(sys.argv[1]).read().decode())"
    one = program(tmp_path, LOGS.format(log=str(log)) + body)
    cases = [*silent_cases("must", "must", "must", "may"), *whole()]
    with Check(one, certificate_authority, deadline=2.0, patient=False) as check:
        check.run([client_case(case) for case in cases])
        found = check.results
    assert [result.verdict for result in found] == ["HANG"] * 3 + ["TOLERATED", "PASS"]
    assert [result.reason.startswith(NOT_WAITED_FOR) for result in found[:4]] == [
        *[False] * MOST,
        *[True] * (4 - MOST),
    ]
    ran = [name for name in log.read_text().split() if name.startswith("clients.silent")]
    assert ran == [*(f"clients.silent-{number}" for number in range(4)), "clients.silent-0"]


KEEPS = """
import http.client
host, _, rest = sys.argv[1].removeprefix("http://").partition("/")
kept = http.client.HTTPConnection(host)
kept.request("GET", f"/{rest}")
print(end=kept.getresponse().read().decode(), flush=True)
time.sleep(1)  # and urlopen, which the file of the program needs, is not called
"""


def test_a_client_that_does_nothing_for_a_while_at_each_end_is_waited_for(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    one = program(tmp_path, KEEPS)
    cases = [*silent_cases("must", "must"), *load_text(OPEN % "", "x.toml")]
    with Check(one, certificate_authority, deadline=3.0, patient=False) as check:
        check.run([client_case(case) for case in cases])
        assert [result.verdict for result in check.results] == ["HANG", "HANG", "PASS"]


@pytest.mark.parametrize(
    ("strength", "verdict"), [("must", "HANG"), ("should", "TOLERATED"), ("may", "TOLERATED")]
)
def test_a_recorded_hang_is_judged_with_the_strength_of_the_case(
    strength: str, verdict: str
) -> None:
    (case,) = silent_cases(strength)
    book = Book()
    recorded = Recorded(written="client:x", name="x", version="1", ops=["fetch"])
    book.put("x", recorded, [(case, "HANG")], whole=False)
    judged = judged_one(book, "x", case)
    assert judged is not None
    assert judged.judgement.verdict == verdict
    assert [text for _, text in judged.calls] == ["rejects (timeout): NoAnswer: the kit gave up"]


def test_only_a_client_case_closes_for_a_client_that_asks() -> None:
    for name in ("framing.length.connection-close", "persistence.request-says-close"):
        case = KNOWN[name]
        assert not case.script.obliging
        assert case.fetch is None or client_case(case).script.obliging


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
    assert head_of([b"HTTP/1.1\t204 No\r\n", b"\r\n"]) == (204, b"No", [])


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


def test_a_bare_cr_at_the_start_of_a_line_does_not_end_the_head() -> None:
    value = response(b"HTTP/1.1 200 OK\r\nX: 1\r\n\r 2\r\nY: 2\r\n\r\n", b"")
    assert value["headers"][0] == ["X", "1"]
    assert value["headers"][-1] == ["Y", "2"]


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


ASKS = (
    f"client:cmd:{sys.executable} -c 'import sys, urllib.request as r; "
    "print(end=r.urlopen(sys.argv[1]).read().decode())' {url}"
)


def test_a_command_has_the_name_and_the_version_that_it_is_given(tmp_path: Path) -> None:
    file, known = tmp_path / "results.jsonl", tmp_path / "known.toml"
    named = ["--name", "mine", "--client-version", "1.2", "--name", "other"]
    ask = ["check", ASKS, "client:urllib.request", ASKS.replace("{url}", "{url} x"), *named]
    shown = CliRunner().invoke(
        main, [*ask, "--select", "chunked.two-chunks", "--results", str(file)]
    )
    assert shown.exit_code == 0
    again = CliRunner().invoke(main, ["report", str(file)]).output
    for text in (shown.output, again):
        line = next(line for line in text.splitlines() if "urllib.request" in line)
        assert "mine 1.2" in line or "mine 1.2" in text
        assert "other" in text
        assert "import sys" not in text
    heads = [json.loads(line) for line in file.read_text().splitlines() if '"kit"' in line]
    assert [(head["name"], head["version"]) for head in heads][::2] == [
        ("mine", "1.2"),
        ("other", ""),
    ]
    assert [head["label"] for head in heads][::2] == ["mine-1.2", "other"]
    update = [
        "--select",
        "chunked.size.status-line*",
        "--baseline",
        str(known),
        "--update-baseline",
    ]
    CliRunner().invoke(main, ["check", ASKS, *named[:4], *update])
    assert 'implementation = "mine"' in known.read_text()
    site = tmp_path / "site"
    CliRunner().invoke(
        main, ["check", ASKS, *named[:4], "--select", "chunked.two-chunks", "--html", str(site)]
    )
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    assert any("mine 1.2" in page for page in pages)


def test_a_command_is_recorded_by_the_name_that_it_is_given(tmp_path: Path) -> None:
    ask = ["record", ASKS, "--name", "mine", "--directory", str(tmp_path)]
    done = CliRunner().invoke(main, [*ask, "--select", "chunked.two-chunks"])
    assert done.exit_code == 0, done.output
    assert list(read_book(tmp_path).implementations) == ["mine"]


@pytest.mark.parametrize(
    ("implementations", "options", "problem"),
    [
        (
            ["client:requests"],
            ["--name", "x"],
            "--name: 1 given, and 0 client:cmd:COMMAND to judge",
        ),
        ([ASKS], ["--name", "x", "--name", "y"], "--name: 2 given, and 1 client:cmd:COMMAND"),
        ([ASKS], ["--client-version", "1", "--client-version", "2"], "--client-version: 2 given"),
        ([ASKS], ["--name", " "], "--name: ' ' is not a line of text"),
        ([ASKS], ["--name", "a\nb"], "--name: 'a\\nb' is not a line of text"),
    ],
)
def test_a_name_without_a_command_is_an_error_in_one_line(
    implementations: list[str], options: list[str], problem: str
) -> None:
    for command in ("check", "record"):
        done = CliRunner().invoke(main, [command, *implementations, *options])
        assert done.exit_code == 2
        assert done.output.startswith(f"httplib-kit: {problem}")
        assert len(done.output.splitlines()) == 1


def test_words_of_a_command_are_those_of_a_shell() -> None:
    assert command_words("curl -H 'A: b c' {url}") == ["curl", "-H", "A: b c", "{url}"]


def test_a_client_is_compared_by_the_case_that_it_plays_in_place_of_another(
    tmp_path: Path,
) -> None:
    other, played = "chunked.read-none", "chunked.read-amount.to-the-octet"
    ask = ["record", ASKS, "--directory", str(tmp_path), "--select"]
    assert CliRunner().invoke(main, [*ask, f"{other[:-3]}*", "--select", played]).exit_code == 0
    assert [*read_book(tmp_path).whole().seen] == [played]
    for one in (other, played):
        done = CliRunner().invoke(main, [*ask, one, "--check"])
        assert (done.exit_code, done.output.split(": ")[-1]) == (0, "0 of 1 case differ\n")


@pytest.mark.parametrize(("rejects", "code"), [(1, 0), (9, 1)])
def test_a_difference_from_a_record_is_one_that_is_there_again(
    tmp_path: Path, rejects: int, code: int
) -> None:
    # While there are bytes in the file, the client takes one away and rejects what it is sent.
    left = tmp_path / "left"
    left.write_bytes(b"")
    program = tmp_path / "client.py"
    program.write_text(
        "import pathlib, sys, urllib.request as r\n"
        "data = r.urlopen(sys.argv[1]).read()\n"
        "left = pathlib.Path(sys.argv[0]).with_name('left')\n"
        "some = b'<p>' not in data and left.read_bytes()\n"  # what it is examined with has <p>
        "left.write_bytes(some[1:]) if some else print(end=data.decode())\n"
        "sys.exit(bool(some))\n"
    )
    ask = ["record", f"client:cmd:{sys.executable} {program} {{url}}", "--name", "mine"]
    ask += ["--directory", str(tmp_path / "book"), "--select", "chunked.two-chunks"]
    assert CliRunner().invoke(main, ask).exit_code == 0
    left.write_bytes(rejects * b"x")
    done = CliRunner().invoke(main, [*ask, "--check"])
    assert done.exit_code == code, done.output
    assert done.output.splitlines()[0] == f"mine: {code} of 1 case differ"
