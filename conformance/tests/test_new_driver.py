"""`httplib-kit new-driver`: each driver that it writes is built, checked and judged if possible."""

import shutil
import subprocess
from pathlib import Path

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


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("printf 'V 1\\n'; read url; printf 'R 200 2 5\\nOKhello'", ""),
        ("printf 'N no such library\\n'", "NotInstalled: no such library"),
        ("echo hello", "began with 'hello'"),
        ("printf 'V 1\\n'; read url; printf 'R 200\\n'", "said b'R 200"),
        ("printf 'V 1\\n'; read url; exit 3", "ended: 3"),
    ],
)
def test_the_line_driver_reports_what_its_program_does_wrong(said: str, problem: str) -> None:
    line_driver = Path(__file__).parents[1] / "drivers" / "kits" / "line_driver.py"
    done = subprocess.run(
        ["python3", str(line_driver), "mine", "sh", "-c", f"{said}; cat >/dev/null"],
        input='{"type":"start","serial":1}\n{"type":"stop","serial":2}\n',
        capture_output=True,
        text=True,
        check=False,
    )
    if problem.startswith("NotInstalled"):
        assert '{"error": {"class": "NotInstalled", "message": "no such library"}' in done.stdout
    elif problem:
        assert problem in done.stderr
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
