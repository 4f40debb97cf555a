"""Lying and broken clients and drivers: none passes a case that it did not earn.

Each row is a driver that changes an honest one in one place, and what has to become of it: refused
before any case, with exit code 2, or judged, with none of the verdicts that let a case pass.
"""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases import Case, client_cases, load_corpus
from conformance.cli import main
from conformance.drivers import DriverError, Target
from conformance.drivers.factory import ProgramTarget, module_target
from conformance.judge.verdicts import OK
from conformance.results import Result
from conformance.run import Runner

CLIENT = """
import json, os, socket, sys
from http.client import HTTPConnection, HTTPException
earlier, count = [], 0
def fetch(address, path, count):
    conn = HTTPConnection(*address, timeout=5)
    try:
        conn.request("GET", path)
        got = conn.getresponse()
        headers = [[a, b] for a, b in got.getheaders()]
        return answer(got.status, got.reason, headers, got.read())
    finally:
        conn.close()
def answer(status, reason, headers, body):
    body = None if body is None else body.decode("latin-1")
    parts = {"status": status, "reason": reason, "headers": headers, "body": body}
    return {"value": {"type": "response", **parts}}
def error(name="Refused"):
    return {"error": {"class": name, "message": "no"}}
def ask(address, start=b"GET /", host=None):
    host = b"%s:%d" % (address[0].encode(), address[1]) if host is None else host
    raw(address, start + b" HTTP/1.1\\r\\nHost: " + host + b"\\r\\n\\r\\n")
def elsewhere(address):
    earlier.append(address)
    try:
        ask(earlier[0] if earlier[0] != address else ("127.0.0.1", 9))
    except OSError:
        pass
def raw(address, data, read=True):
    with socket.create_connection(address) as sock:
        sock.sendall(data)
        while read and sock.recv(4096):
            pass
for line in sys.stdin:
    message = json.loads(line)
    serial, ops = message["serial"], message.get("ops", ())
    said = {"serial": serial}
    if message["type"] == "start":
        said.update(name="liar", version="1", ops=["fetch"])
    elif message["type"] == "run" and ops[0].get("call") != "fetch":
        said["trace"] = [{"id": op["id"], "unsupported": True} for op in ops]
    elif message["type"] == "run":
        count += 1
        address, case = tuple(message["address"]), message["id"]
        exam = case.startswith("exchange.")
        path = message["url"].partition("%s:%d" % address)[2]
        try:
            fact = fetch(address, path, count)
        except (HTTPException, OSError) as problem:
            fact = error(type(problem).__name__)
        HOOK
        said["trace"] = [{"id": "fetch", **fact}]
    elif message["type"] == "stop":
        break
    print(json.dumps(said), flush=True)
"""
HONEST = "fact = fetch(address, path, count)"
# What takes the place of the honest fetch from the beginning, and only once cases are judged.
CLIENTS = {
    "always takes, every part null, no socket": "fact = answer(None, None, None, None)",
    "always takes, every part null": f"{HONEST}; fact = answer(None, None, None, None)",
    "always takes 200, no socket": "fact = answer(200, 'OK', [], b'hello')",
    "always refuses, no socket": "fact = error()",
    "always refuses": f"{HONEST}; fact = error()",
    "connects and never sends": "raw(address, b'', False); fact = error()",
    "sends half a request": "raw(address, b'GET / HTTP/1.1\\r\\nHo', False); fact = error()",
    "sends DELETE": "ask(address, b'DELETE /'); fact = error()",
    "asks for another path": "fact = fetch(address, '/other', count)",
    "makes the content up": f"{HONEST}; fact['value']['body'] = 'hello'",
    "loses the content": f"{HONEST}; fact['value']['body'] = ''",
    "takes the serial of another message": f"said['serial'] = 1; {HONEST}",
    "dies at once": "os._exit(0)",
}
AFTER = {
    "takes all, every part null": "fact = answer(None, None, None, None)",
    "takes all, no socket": "fact = answer(200, 'OK', [], b'hello')",
    "refuses all, no socket": "fact = error()",
    "connects and never sends": "raw(address, b'', False); fact = error()",
    "sends half a request": "raw(address, b'GET / HTTP/1.1\\r\\nHo', False); fact = error()",
    "sends a whole request without Host": "raw(address, b'GET / HTTP/1.1\\r\\n\\r\\n'); "
    "fact = error()",
    "sends DELETE": "ask(address, b'DELETE /'); fact = error()",
    "asks for another path": "fetch(address, '/other', 1); fact = error()",
    "sends a foreign Host": "ask(address, host=b'example.org'); fact = error()",
    "asks the server of an earlier case": "elsewhere(address); fact = error()",
    "opens connections for nothing": "held = [socket.create_connection(address) for _ in (1, 2)]; "
    "ask(address); fact = error()",
    "opens more connections than there are": "[ask(address) for _ in range(12)]; fact = error()",
    "says unsupported for what it has done": "fact = {'unsupported': True}",
    "dies": "os._exit(0)",
    "answers with no response": "fact = {'value': None}",
    "has another serial": "said['serial'] = 1; fact = error()",
    "is not JSON": "print('hello'); fact = error()",
    "has no fact": "fact = {}",
    "has two facts": "fact = {**error(), **answer(200, 'OK', [], b'')}",
}
CASES = ("framing.length.short.5", "chunked.two-chunks", "chunked.size-line.not-hex")


def cases() -> list[Case]:
    found = {case.id: case for case in load_corpus().select(CASES)}
    return list(client_cases(found[name] for name in CASES))


def program(tmp_path: Path, hook: str) -> ProgramTarget:
    path = tmp_path / "driver.py"
    before, after = CLIENT.split("        try:\n            fact = fetch")
    rest = after.partition("        HOOK\n")[2]
    body = "        try:\n            " + hook
    body += "\n        except (HTTPException, OSError) as problem:\n            fact = error()\n"
    path.write_text(before + body + rest, encoding="utf-8")
    return ProgramTarget("exec:liar", (sys.executable, str(path)))


def judged(one: ProgramTarget, authority: CertificateAuthority) -> list[Result]:
    with Runner(one, authority, deadline=2.0) as runner:
        runner.examine()
        return list(runner.run(cases()))


def test_an_honest_driver_passes(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    results = judged(program(tmp_path, HONEST), certificate_authority)
    assert [one.verdict for one in results] == ["PASS"] * len(CASES)
    assert [bool(one.reason) for one in results] == [True, False, True]


@pytest.mark.parametrize("hook", CLIENTS.values(), ids=CLIENTS)
def test_a_client_that_completes_no_exchange_is_refused(
    tmp_path: Path, certificate_authority: CertificateAuthority, hook: str
) -> None:
    with pytest.raises(DriverError, match=r"^exec:liar") as raised:
        judged(program(tmp_path, hook), certificate_authority)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("lie", AFTER.values(), ids=AFTER)
def test_a_client_that_lies_once_it_is_judged_passes_nothing(
    tmp_path: Path, certificate_authority: CertificateAuthority, lie: str
) -> None:
    hook = f"if exam: {HONEST}\n            else:\n              " + lie.replace(
        "\n            ", "\n              "
    )
    results = judged(program(tmp_path, hook), certificate_authority)
    assert not [f"{one.id}: {one.verdict}" for one in results if one.verdict in OK]


READ = """
class HTTPConnection(h.HTTPConnection):
    class response_class(h.HTTPResponse):
        def read(self, *args):
            octets = h.HTTPResponse.read(self, *args)
            return {}
"""
MODULES = {
    "exports another class than it raises": "class IncompleteRead(h.HTTPException): pass",
    "exports nothing in its place": "IncompleteRead = None",
    "reads a bytearray": READ.format("bytearray(octets)"),
    "reads a subclass of bytes": "class B(bytes): pass" + READ.format("B(octets)"),
    "reads text": READ.format("octets.decode('latin-1')"),
    "ends the process": READ.format("__import__('os')._exit(0)"),
    "ends the process by an alarm": READ.format("__import__('signal').raise_signal(14)"),
    "interrupts": READ.format("(_ for _ in ()).throw(KeyboardInterrupt())"),
    "exits": READ.format("__import__('sys').exit(0)"),
    "closes standard output": READ.format("__import__('os').closerange(0, 99)"),
    "replaces the agent's functions": (
        "import __main__\n"
        "facts = getattr(__main__, 'value_facts', None)\n"
        "__main__.value_facts = lambda value, *more: "
        "facts(bytes(value) if type(value) is bytearray else value, *more)"
        + READ.format("bytearray(octets)")
    ),
    "replaces builtins": READ.format(
        "(setattr(__import__('builtins'), 'isinstance', lambda *a: True), bytearray(octets))[1]"
    ),
}


@pytest.mark.parametrize("body", ["", *MODULES.values()], ids=["is honest", *MODULES])
def test_a_module_passes_no_case_that_it_did_not_earn(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate_authority: CertificateAuthority,
    body: str,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = f"import httplib_impl as h\nfrom httplib_impl import *\n{body}\n"
    (tmp_path / "module_that_lies.py").write_text(text, encoding="utf-8")
    # What is wrong with an exception shows where one is raised, all else where a body is read.
    name = "framing.length.short.5" if "IncompleteRead" in body else "chunked.two-chunks"
    (case,) = load_corpus().select([name])
    with Runner(module_target("module_that_lies"), certificate_authority, deadline=2.0) as runner:
        verdict = runner.run_case(case).verdict
    assert (verdict in OK) == (not body), verdict


@pytest.mark.parametrize(
    "body", [READ.format("__import__('os')._exit(0)"), READ.format("__import__('sys').exit(0)")]
)
def test_in_this_process_nothing_ends_the_kit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate_authority: CertificateAuthority,
    body: str,
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    text = f"import httplib_impl as h\nfrom httplib_impl import *\n{body}\n"
    (tmp_path / "module_in_process.py").write_text(text, encoding="utf-8")
    (case,) = load_corpus().select(["chunked.two-chunks"])
    name = "module_in_process"
    with Runner(Target(name, None, name), certificate_authority) as runner:
        assert runner.run_case(case).verdict == "LEAK"
    del sys.modules[name]


def test_a_mistyped_command_is_refused_in_one_line() -> None:
    for command in ("false {url}", f"{sys.executable} no-such-script.py {{url}}"):
        done = CliRunner().invoke(main, ["check", f"client:cmd:{command}", "--select", "framing.*"])
        assert done.exit_code == 2
        assert done.output.count("\n") == 1
        assert "no connection came" in done.output


UNABLE = {
    "a GET whose response is chunked": READ.format("octets if not self.chunked else self.lost"),
    "a POST with a body": (
        "class HTTPConnection(h.HTTPConnection):\n"
        "    def endheaders(self, body=None):\n"
        "        h.HTTPConnection.endheaders(self)"
    ),
    "a GET through a tunnel": (
        "class HTTPConnection(h.HTTPConnection):\n    def set_tunnel(self, *args): raise OSError"
    ),
}


@pytest.mark.parametrize(("title", "body"), UNABLE.items(), ids=UNABLE)
def test_a_module_with_one_broken_feature_is_judged_and_every_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, title: str, body: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    name = f"module_that_is_unable_{len(title)}"
    text = f"import httplib_impl as h\nfrom httplib_impl import *\n{body}\n"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    paths = [str(tmp_path / "summary.md"), str(tmp_path / "results.jsonl")]
    options = ["--deadline", "0.5", "--markdown", paths[0], "--results", paths[1]]
    done = CliRunner().invoke(main, ["check", name, "--select", CASES[0], *options])
    assert done.exit_code == 0, done.output
    told = f"not completed: {title}; a case about a broken one may pass for that reason"
    assert told in done.stdout.splitlines()
    assert told in CliRunner().invoke(main, ["report", paths[1]]).stdout.splitlines()
    assert told in Path(paths[0]).read_text(encoding="utf-8")


def test_a_module_that_completes_no_exchange_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = "from httplib_impl import *\nimport httplib_impl as h\n" + READ.format("octets.lost")
    (tmp_path / "module_that_is_broken.py").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "module_that_is_broken", "--select", CASES[0]])
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert "cannot be judged: a GET whose response has a Content-Length" in done.output
