"""The one file of ``make zipapp`` and the image, as far as they can be tried here."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.tests.conftest import ROOT, dependencies, distributions, installed, made_once
from tools.onefile import build, machine
from tools.onefile_start import run as start

__all__ = ["dependencies", "distributions", "installed"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def one_file(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive for this Python, alone in a directory that cannot be written."""

    def make(directory: Path) -> None:
        directory.mkdir()
        python = ".".join(map(str, sys.version_info[:2]))
        build(next(distributions.glob("*.whl")), directory / "kit.pyz", (python,))
        directory.chmod(0o555)

    return made_once(tmp_path_factory, "one file", make) / "kit.pyz"


def run(file: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run *file* with no more than *environment*."""
    return subprocess.run(
        [sys.executable, "-I", str(file), *arguments],
        env=environment,
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_without_a_home_and_leaves_nothing(one_file: Path, tmp_path: Path) -> None:
    select = ("--select", "chunked.two-chunks", "--select", "tls.trust.*")
    judged = ("httplib_impl", "http.client")
    done = run(one_file, "check", *judged, *select, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name} " in done.stdout for name in judged)
    assert list(tmp_path.iterdir()) == []


def test_it_is_unpacked_once(one_file: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(one_file, "--help", HOME=str(tmp_path)).stdout.startswith("Usage: httplib-kit")
    (made,) = (tmp_path / ".cache" / "httplib-kit").iterdir()
    assert (made / "conformance" / "fixtures" / "cases").is_dir()
    unwritable = tmp_path / "a file"
    unwritable.touch()
    assert run(one_file, "--version", XDG_CACHE_HOME=str(unwritable)).returncode == 0


def test_another_python_is_one_line() -> None:
    with pytest.raises(SystemExit, match=r"is for plan9-mips with Python 3\.11, and this is"):
        start("", "plan9-mips", ("3.11",))
    with pytest.raises(SystemExit, match=r"with Python 2\.7; install the wheel|with Python 3\.\d"):
        start("", machine(), ("2.7",))
    assert platform.machine() in machine()


def instructions() -> Iterator[tuple[str, str]]:
    """Yield the instructions of the Dockerfile, in order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for line in text.replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def test_the_base_is_pinned_and_the_user_is_not_root() -> None:
    bases = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert all(re.search(r":\d+\.\d+\.\d+-|@sha256:", base) for base in bases)
    users = [rest for name, rest in instructions() if name == "USER"]
    assert users
    assert users[-1] not in ("root", "0")


def builder() -> str | None:
    """Return a program that can build an image here."""
    for name in ("docker", "podman", "buildah"):
        ask = [name, "info"]
        if (
            shutil.which(name)
            and not subprocess.run(ask, capture_output=True, check=False).returncode
        ):
            return name
    return None


def test_the_image_is_built_where_there_is_a_builder() -> None:
    name = builder()
    if name is None:
        pytest.skip("no program that builds images works here; the next test runs the instructions")
    subprocess.run([name, "build", "--tag", "httplib-kit-test", str(ROOT)], check=True)


def test_the_instructions_of_the_image_do_what_they_are_for(
    tmp_path: Path, dependencies: Path
) -> None:
    source, kit = tmp_path / "source", tmp_path / "kit"
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line.startswith("!"):
            origin, target = ROOT / line[1:], source / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            skipped = shutil.ignore_patterns("__pycache__", "tests")
            if origin.is_dir():
                shutil.copytree(origin, target, ignore=skipped)
            else:
                shutil.copy(origin, target)
    known = {**os.environ, "PATH": f"{kit / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    # What is locked is all that the kit needs: the one file has nothing else.
    known["PYTHONPATH"] = str(dependencies)

    def done(command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=source, env=known, check=True, capture_output=True, text=True
        )

    given = dict(instructions())
    for name, rest in instructions():
        if name == "RUN" and "useradd" not in rest:
            done(["sh", "-c", rest.replace("/opt/httplib-kit", str(kit))])
    entry, command = (json.loads(given[one]) for one in ("ENTRYPOINT", "CMD"))
    assert "passes" in done([*entry, "check", "--select", "chunked.two-chunks"]).stdout
    health = json.loads(given["HEALTHCHECK"].partition("CMD ")[2])
    port = command[command.index("--port") + 1]
    assert f":{int(port) + 3}/_/" in health[-1]
    command[command.index("0.0.0.0")] = "127.0.0.1"
    command[command.index(port)] = "0"
    serving = subprocess.Popen([*entry, *command], cwd=source, env=known, stdout=subprocess.PIPE)
    with serving:
        try:
            assert serving.stdout is not None
            control = json.loads(serving.stdout.readline())["control"]
            # Its patience is for a machine that does nothing else.
            health[-1] = health[-1].replace(str(int(port) + 3), str(control))
            health[-1] = health[-1].replace("timeout=5", "timeout=100")
            done(health)
        finally:
            serving.kill()
    assert subprocess.run(health, env=known, capture_output=True, check=False).returncode == 1
