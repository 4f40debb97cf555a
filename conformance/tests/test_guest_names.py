"""A repository whose packages have the names of ours still runs its tests, and is told why."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.tests.conftest import ROOT

TEST = "def test_own():\n    import {name}\n\n    assert {name}.own\n"


def run(directory: Path, *args: str, how: tuple[str, ...] = ("-m", "pytest")) -> str:
    done = subprocess.run(
        [sys.executable, *how, "-q", "-p", "no:cacheprovider", *args],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_guest_s_packages_of_those_names_come_first(tmp_path: Path) -> None:
    names = ("certs", "conformance", "httplib_impl", "mockserver")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("own = True\n", encoding="utf-8")
        (tmp_path / f"test_{name}.py").write_text(TEST.format(name=name), encoding="utf-8")
    first, *rest = run(tmp_path).splitlines()
    assert first == (
        f"httplib-kit is left out: other packages have the names of its own ({', '.join(names)})"
        " and come first; rename them, or install the kit into another environment"
    )
    assert rest[-1].startswith("4 passed")


SCRIPT = ("-c", "import sys; sys.path.remove(''); import pytest; sys.exit(pytest.main())")
"""As the program `pytest` does it: the present directory is not on the path."""


@pytest.mark.parametrize(
    ("file", "configuration", "test"),
    [
        ("mockserver/__init__.py", "", "test_own.py"),
        ("mockserver.py", "", "test_own.py"),
        ("mockserver/part.py", "", "test_own.py"),
        ("src/mockserver/__init__.py", 'pythonpath = ["src"]', "tests/test_own.py"),
        ("tests/mockserver/__init__.py", "", "tests/mockserver/test_own.py"),
        ("tests/mockserver.py", "", "tests/test_own.py"),
    ],
    ids=["package", "module", "namespace", "src", "tests", "beside"],
)
def test_a_package_that_pytest_finds_later_comes_first(
    tmp_path: Path, file: str, configuration: str, test: str
) -> None:
    text = f"[tool.pytest.ini_options]\n{configuration}\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    imported = "import mockserver\n\n    assert mockserver.own"
    if (
        "part" in file
    ):  # a package without __init__.py is found after one that has it, if that is ours
        imported = "pass"
    for path, content in (
        (file, "own = True\n"),
        (test, f"def test_own():\n    {imported}\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    first, *_ = run(tmp_path, how=SCRIPT).splitlines()
    assert first.startswith("httplib-kit is left out: ")


def test_a_directory_of_tests_with_such_a_name_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "tests" / "conformance").mkdir(parents=True)
    text = "def test_own(mock_server):\n    assert mock_server\n"
    (tmp_path / "tests" / "conformance" / "test_own.py").write_text(text, encoding="utf-8")
    assert "left out" not in run(tmp_path, how=SCRIPT)


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
