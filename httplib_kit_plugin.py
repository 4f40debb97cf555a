"""What pytest loads where the kit is installed: its plugin, unless a guest's package hides it.

`conformance`, `mockserver` and `certs` are also names that other repositories give to packages of
their own, and those come first on a guest's path.  Then the guest's tests are run without the kit,
and one line says why.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("certs", "conformance", "httplib_impl", "mockserver")


def hidden() -> list[str]:
    """Return those of the kit's packages in whose place another one is found."""
    here = Path(__file__).resolve().parent
    specs = {name: find_spec(name) for name in PACKAGES}
    return [
        name
        for name, spec in specs.items()
        if spec is None or Path(spec.origin or "").resolve() != here / name / "__init__.py"
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
