"""The list of differences from 2.7, held against the corpus, and against 2.7 where there is one."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.drivers import target
from conformance.run import Runner
from conformance.tests.support import EVERY

LEVELS = {"D": "documented", "G": "guard", "X": "observe"}
INTERPRETER = "python2.7"
DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"

ROW = re.compile(r"\| ([DGX]) \| ([^|]+) \|.*\| ([^|]+) \|")


def rows() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return kind, subject and cases of each row."""
    found = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = ROW.fullmatch(line)
        if row:
            found.append((row[1], row[2], tuple(re.findall(r"`([^`]+)`", row[3]))))
    return found


ROWS = rows()
PROOFS = sorted({case for kind, _, cases in ROWS if kind != "X" for case in cases})


def test_every_row_is_read() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    body = [line for line in lines if line.startswith("| ") and not line.startswith("| |")]
    assert len(ROWS) == len(body) > 40


@pytest.mark.parametrize(("kind", "subject", "cases"), ROWS, ids=[row[1] for row in ROWS])
def test_a_difference_names_cases_of_its_level(
    kind: str, subject: str, cases: tuple[str, ...]
) -> None:
    levels = {case.id: case.level for case in EVERY}
    assert cases, subject
    assert {levels.get(case, f"no case {case}") for case in cases} == {LEVELS[kind]}


@cache
def is_here() -> bool:
    """Tell whether 2.7 is here, and not only a launcher for one that is not."""
    program = shutil.which(INTERPRETER)
    command = [program or "", "-c", "import httplib"]
    return program is not None and subprocess.run(command, capture_output=True).returncode == 0


@cache
def verdicts() -> dict[str, str]:
    cases = [case for case in EVERY if case.id in PROOFS]
    under_test = target(f"{INTERPRETER}:httplib")
    with Runner(under_test, CertificateAuthority(), tolerant=False) as runner:
        return {result.id: result.verdict for result in runner.run(cases)}


@pytest.mark.parametrize("case", PROOFS)
def test_2_7_does_not_do_what_the_reference_does(case: str) -> None:
    if not is_here():
        pytest.skip(f"no {INTERPRETER} here")
    assert verdicts()[case] not in ("PASS", "UNSUPPORTED", "HARNESS_ERROR", "DRIVER_ERROR")
