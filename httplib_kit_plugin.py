"""What pytest loads where the kit is installed: its plugin, unless a guest's package hides it.

`conformance`, `mockserver` and `certs` are also names that other repositories give to packages of
their own, and those come first on a guest's path.  Then the guest's tests are run without the kit,
and one line says why.
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("certs", "conformance", "httplib_impl", "mockserver")
HERE = Path(__file__).resolve().parent
ROOTS = (".git", "pyproject.toml", "pytest.ini", "setup.cfg", "setup.py", "tox.ini")
"""One of these is in the directory in which a repository begins."""


def places() -> Iterator[Path]:
    """Yield the directories that pytest, its configuration or a conftest put on the path later."""
    given = (Path(word.partition("::")[0]) for word in sys.argv[1:] if not word.startswith("-"))
    for start in (Path.cwd(), *(path.resolve() for path in given if path.exists())):
        for directory in (start, *start.parents):
            yield from (directory, directory / "src", directory / "tests", directory / "test")
            if any((directory / name).exists() for name in ROOTS):
                break


def foreign(directory: Path, name: str) -> bool:
    """Return whether a Python file in *directory* imports something else as *name*."""
    package = directory / name
    if directory == HERE or (directory / "__init__.py").exists():
        return False
    if package.with_suffix(".py").is_file() or (package / "__init__.py").is_file():
        return True
    return directory.name not in ("test", "tests") and any(package.glob("*.py"))


def hidden() -> list[str]:
    """Return those of the kit's packages in whose place another one is, or will be, found."""
    specs = {name: find_spec(name) for name in PACKAGES}
    later = {*places()}
    return [
        name
        for name, spec in specs.items()
        if spec is None
        or Path(spec.origin or "").resolve() != HERE / name / "__init__.py"
        or any(foreign(directory, name) for directory in later)
    ]


HIDDEN = hidden()
if not HIDDEN:
    pytest_plugins = ["conformance.plugin"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say why the kit is not there; a worker of pytest-xdist has no terminal to say it on."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if HIDDEN and terminal is not None:
        terminal.write_line(
            f"httplib-kit is left out: other packages have the names of its own"
            f" ({', '.join(HIDDEN)}) and come first; rename them,"
            " or install the kit into another environment"
        )
