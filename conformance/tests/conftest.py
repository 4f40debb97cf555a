"""What tests of the installed kit share: its distributions, an environment, a third party."""

import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LATE = 600.0
"""Seconds after which a command hangs: it reads the whole corpus, maybe beside twenty others."""


@dataclass(frozen=True)
class Installed:
    """An environment outside the checkout in which the wheel is installed.

    Args:
        directory: the environment.
        distributions: where the wheel and the sdist are.
    """

    directory: Path
    distributions: Path

    @property
    def python(self) -> str:
        """The interpreter."""
        return str(self.directory / "bin" / "python")

    @property
    def site_packages(self) -> Path:
        """Where the wheel is."""
        return next(self.directory.glob("lib/python3*/site-packages"))

    def environment(self) -> dict[str, str]:
        """Return the environment of somebody who knows nothing of this checkout."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "GITHUB_", "COV_"))
            and name not in ("PYTHONPATH", "VIRTUAL_ENV", "CI", "PYTHONDONTWRITEBYTECODE")
        }
        return {
            **kept,
            "PATH": f"{self.directory / 'bin'}{os.pathsep}{kept['PATH']}",
            "PIP_FIND_LINKS": str(self.distributions),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def run(
        self, command: Sequence[str], cwd: Path, **more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run *command* in *cwd*; `python` and `httplib-kit` are those of this environment."""
        return subprocess.run(
            command,
            cwd=cwd,
            env={**self.environment(), **more},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children be interrupted, which a shell forbids to all that it starts behind an `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a directory that the first of xdist's workers to ask for it makes, for all of them."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    directory, finished = root / name, root / f"{name}.finished"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the others wait; the end of a process gives it up
        if not finished.exists():
            make(directory)
            finished.touch()
    return directory


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the sdist of this checkout."""

    def make(directory: Path) -> None:
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(directory)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "distributions", make)


def first_commands() -> list[str]:
    """Return the three commands of the README that lead from nothing to a verdict."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", readme, re.DOTALL)
    assert block
    commands = re.findall(r"^\$ (.*?)(?:  +#.*)?$", block[1], re.MULTILINE)
    assert len(commands) == 3
    return commands


@pytest.fixture(scope="session")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment made as the README says, and what a third party tests with in it."""

    def make(directory: Path) -> None:
        directory.mkdir()
        kit = Installed(directory / "kit", distributions)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        wheel = next(distributions.glob("*.whl"))
        commands = [one.replace("path/to/httplib-kit", str(wheel)) for one in first_commands()[:2]]
        more = "pytest pytest-xdist pytest-randomly tox nox"
        commands.append(f"kit/bin/pip install --quiet --no-compile {more}")
        for command in commands:
            done = kit.run(["bash", "-c", command], directory, PATH=path)
            assert done.returncode == 0, done.stdout + done.stderr

    directory = made_once(tmp_path_factory, "environment", make)
    return Installed(directory / "kit", distributions)


NAMED = {
    *("httplib_kit", "httplib_kit_plugin", "httplib_impl", "mockserver", "conformance", "certs"),
    *("pytest", "_pytest", "pytest_xdist", "xdist", "pytest_randomly", "tox", "nox", "pip"),
}
"""What recipes install by name."""


@pytest.fixture(scope="session")
def dependencies(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for PYTHONPATH with what the packages in `NAMED` depend on, and none of these.

    With it, a new environment gets in a second what a command names, and no more.
    """

    def make(directory: Path) -> None:
        directory.mkdir()
        for path in installed.site_packages.iterdir():
            if re.split(r"[-.]", path.name)[0] not in NAMED:
                (directory / path.name).symlink_to(path)

    return made_once(tmp_path_factory, "dependencies", make)


@pytest.fixture
def third_party(tmp_path: Path) -> Path:
    """A repository that is not ours, with a client in it and habits of its own."""
    root = tmp_path / "third party"
    package = root / "src" / "mypkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    # A star import brings neither the constants nor every exception, as in 2.7.
    (package / "client.py").write_text(
        "import httplib_impl\n"
        "globals().update(\n"
        "    {name: one for name, one in vars(httplib_impl).items() if not name.startswith('_')}\n"
        ")\n",
        encoding="utf-8",
    )
    (package / "wrong.py").write_text(
        "from httplib_impl import *\n"
        "from httplib_impl import HTTPResponse\n"
        "class HTTPConnection(__import__('httplib_impl').HTTPConnection):\n"
        "    class response_class(HTTPResponse):\n"
        "        def isclosed(self):\n"
        "            return not super().isclosed()\n",
        encoding="utf-8",
    )
    (root / "checks").mkdir()
    (root / "checks" / "check_own.py").write_text(
        "def check_nothing():\n    pass\n", encoding="utf-8"
    )
    (root / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        'pythonpath = ["src"]\n'
        'testpaths = ["checks"]\n'
        'python_files = ["check_*.py"]\n'
        'python_functions = ["check_*"]\n'
        'addopts = ["--strict-markers", "--strict-config"]\n'
        'filterwarnings = ["error"]\n'
        "xfail_strict = true\n",
        encoding="utf-8",
    )
    return root
