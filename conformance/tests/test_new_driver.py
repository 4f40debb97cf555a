"""`httplib-kit new-driver`: each driver that it writes is built, checked and judged if possible."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases import client_case
from conformance.cli import main
from conformance.drivers import target
from conformance.drivers.clients import registry
from conformance.run import Runner
from conformance.tests.support import BY_ID

KITS = registry().kit
HEADERS = {"c": "curl/curl.h"}
"""The header that the driver of a language includes and that is not part of its compiler."""
LINE_DRIVER = Path(__file__).parents[1] / "drivers" / "kits" / "line_driver.py"
SOME = {
    "faults.whole.by-length": "accepts",
    "chunked.two-chunks": "accepts",
    "exceptions.bad-status-line.nothing": "rejects",
}


def lacking(language: str) -> str:
    kit = KITS[language]
    programs = [kit.run[0], *kit.build[:1], *(one for one in kit.run if one in ("java", "mono"))]
    for program in programs:
        if not program.startswith("./") and shutil.which(program) is None:
            return f"there is no program {program}"
    if header := HEADERS.get(language):
        ask = ["cc", "-fsyntax-only", "-x", "c", "-include", header, "/dev/null"]
        if subprocess.run(ask, capture_output=True, check=False).returncode:
            return f"there is no header {header}"
    return ""


@pytest.mark.parametrize("language", KITS)
def test_a_new_driver_is_built_passes_its_check_and_is_judged(
    language: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate_authority: CertificateAuthority,
) -> None:
    if why := lacking(language):
        pytest.skip(why)
    written = CliRunner().invoke(main, ["new-driver", str(tmp_path), "--language", language])
    assert written.exit_code == 0, written.output
    assert written.output.splitlines()[0] == f"cd {tmp_path}"
    monkeypatch.chdir(tmp_path)
    kit = KITS[language]
    if kit.build:
        built = subprocess.run(kit.build, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
    checked = CliRunner().invoke(main, ["driver-check", *kit.run])
    assert checked.exit_code == 0, checked.output
    assert f"httplib-kit driver-check {' '.join(kit.run)}" in written.output
    if kit.run[1:2] == ["line_driver.py"] and language != "c":  # that of C takes only a URL
        for line in ("GET http://127.0.0.1:1/ x", "GET http://127.0.0.1:1/ 0 -1 read x 5000 -"):
            ended = subprocess.run(kit.run[3:], input=f"{line}\n".encode(), capture_output=True)
            assert ended.returncode
            assert ended.stderr
    with Runner(target(f"exec:{' '.join(kit.run)}"), certificate_authority, deadline=5) as runner:
        results = [runner.run_case(client_case(BY_ID[name])) for name in SOME]
    assert {one.id: one.did.partition(" ")[0] for one in results} == SOME
    assert {one.verdict for one in results} == {"PASS"}


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "client.rb").write_text("mine")
    done = CliRunner().invoke(main, ["new-driver", str(tmp_path), "--language", "ruby"])
    assert done.exit_code == 2
    assert done.output == (
        f"httplib-kit: {tmp_path}/client.rb exists already: give another directory\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["client.rb"]


def test_a_language_without_a_driver_is_an_error_in_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["new-driver", str(tmp_path), "--language", "cobol"])
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "'python', 'javascript', 'ruby'" in done.output


SESSION = "printf 'S 1\\tpart\\n'; read request"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("printf 'V 1\\n'; read url; printf 'R 200 2 5\\nOKhello'", ""),
        ("printf 'V 1\\n'; read url; printf 'R -200 2 5\\nOKhello'", ""),
        ("printf 'N no such library\\n'", "NotInstalled: no such library"),
        ("echo hello", "began with 'hello'"),
        ("printf 'V 1\\n'; read url; printf 'R 200\\n'", "said b'R 200"),
        ("printf 'V 1\\n'; read url; exit 3", "ended: 3"),
        (f"{SESSION}; printf 'R 20O 2 5\\nOKhello'", "said b'R 20O 2 5"),
        (f"{SESSION}; printf 'R 200 2\\n'", "said b'R 200 2"),
        (f"{SESSION}; printf 'R 200 2 -5\\nOK'", "said b'R 200 2 -5"),
        (f"{SESSION}; printf 'R 200 2 50\\nOKhello'; exit", "ended after 5 of 50 bytes"),
        (f"{SESSION}; printf 'OK\\n'", "said b'OK\\n', where `R status head-length"),
        (f"{SESSION}; printf 'E no\\n'; read word; exit 4", "ended: 4"),
        (f"{SESSION}; printf 'E no\\n'; printf 'R 200 0 0\\n'", "where `released` was due"),
    ],
)
def test_the_line_driver_reports_what_its_program_does_wrong(said: str, problem: str) -> None:
    done = subprocess.run(
        ["python3", str(LINE_DRIVER), "mine", "sh", "-c", f"{said}; cat >/dev/null"],
        input='{"type":"start","serial":1}\n{"type":"stop","serial":2}\n',
        capture_output=True,
        text=True,
        check=False,
    )
    if problem.startswith("NotInstalled"):
        assert '{"error": {"class": "NotInstalled", "message": "no such library"}' in done.stdout
    elif problem:
        assert problem in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        declared = '"ops": ["fetch"], "features": [], "serial": 1'
        assert f'"name": "mine", "version": "1", {declared}' in done.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no program node")
def test_a_part_of_more_than_there_is_ends_with_the_content() -> None:
    kit = Path(__file__).parents[1] / "drivers" / "kits" / "javascript" / "client.mjs"
    asked = '{ url: "data:,hello", method: "GET", fields: [], timeout: 5000, '
    asked += 'consume: "part", amount: 9 }'
    program = f"const {{ exchange }} = await import('{kit.as_uri()}');"
    program += f"console.log(String((await exchange({asked})).at(-1)));"
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "hello\n", done.stderr


def test_the_kit_reads_a_response_of_fetch_as_the_clients_that_are_built_in() -> None:
    """The kit is copied for others to change, so it cannot import what the adapters have."""
    drivers = Path(__file__).parents[1] / "drivers"
    copies = set()
    for path in (drivers / "kits/javascript/client.mjs", drivers / "clients/adapters/node.mjs"):
        _, start, rest = path.read_text(encoding="utf-8").partition("  const head = [answer.status")
        copies.add(start + rest.partition("\n}\n")[0])
    (copy,) = copies
    assert "getReader" in copy


SPEAKS = """
import ast, re, sys
for kind, text in re.findall(r"(?m)^([<>]) (.*)$", sys.argv[1]):
    text = ast.literal_eval(f'b"{text}"')
    if kind == "<":
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    elif (came := sys.stdin.buffer.read(len(text))) != text:
        sys.exit(f"{text} was due, and {came} came")
sys.stdin.read()
"""


def test_the_lines_of_the_page_are_those_that_the_line_driver_speaks() -> None:
    path = Path(__file__).parents[2] / "docs" / "driver-protocol.md"
    page = path.read_text(encoding="utf-8")
    lines = page.partition("\n## Lines")[2].partition("```text\n")[2].partition("```")[0]
    post = {
        "method": "POST",
        "target": "/2",
        "fields": {"type": "mapping", "value": [["X-Id", "abc"]]},
        "body": {"type": "bytes", "value": "x=1"},
        "consume": "part",
        "amount": 8,
    }
    late = {"method": "GET", "target": "/3", "consume": "timeout", "timeout": 0.3}
    messages: list[dict[str, Any]] = [{"type": "start"}]
    for asked in (post, late):
        op = {"id": "1", "on": "client", "call": "exchange", "args": [], "kwargs": asked}
        messages.append({"type": "run", "ops": [op], "url": "http://127.0.0.1:40001/"})
    messages += [{"type": "release"}, {"type": "stop"}]
    done = subprocess.run(
        [sys.executable, str(LINE_DRIVER), "mine", sys.executable, "-c", SPEAKS, lines],
        input="".join(json.dumps({**one, "serial": 1}) + "\n" for one in messages),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,  # a line that is too short would be waited for
    )
    assert done.stderr == ""
    start, posted, refused, _ = map(json.loads, done.stdout.splitlines())
    assert start["features"] == ["part", "drop"]
    assert posted["trace"][0]["value"] == {
        "type": "response",
        "status": 200,
        "reason": "OK",
        "headers": [["Content-Type", "text/plain"]],
        "body": "second p",
    }
    error = {"class": "TimeoutError", "message": "no answer", "causes": ["OSError: timed out"]}
    assert refused["trace"][0]["error"] == error
