"""A repository whose packages have the names of ours still runs its tests, and is told why."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.tests.conftest import ROOT

TEST = "def test_own():\n    import {name}\n\n    assert {name}.own\n"


def run(directory: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["certs", "conformance", "httplib_impl", "mockserver"])
def test_a_guest_s_package_of_that_name_comes_first(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("own = True\n", encoding="utf-8")
    (tmp_path / "test_own.py").write_text(TEST.format(name=name), encoding="utf-8")
    first, *_ = run(tmp_path).splitlines()
    assert first == (
        f"httplib-kit is left out: other packages have the names of its own ({name}) and come"
        " first; rename them, or install the kit into another environment"
    )


def test_a_guest_without_such_a_package_has_the_kit(tmp_path: Path) -> None:
    text = "def test_own(mock_server):\n    assert mock_server\n"
    (tmp_path / "test_own.py").write_text(text, encoding="utf-8")
    assert "left out" not in run(tmp_path)


def test_every_package_is_looked_for() -> None:
    from httplib_kit_plugin import PACKAGES

    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "tools",
        "benchmarks",
    } == set(PACKAGES)
