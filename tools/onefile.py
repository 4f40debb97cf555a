"""``make zipapp``: the kit and all that it needs, as one file for any Python that it supports.

The input is a wheel of the kit and what `requirements/kit.txt` locks; the output is an archive that
Python runs.  Compiled modules cannot be imported from an archive, and the kit's data are files, so
the archive unpacks itself where it is first run; see :mod:`tools.onefile_start`.  The same input
makes the same bytes.
"""

import argparse
import hashlib
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_SKIPPED = {"__pycache__", "bin"}
_MAIN = """\
import sys
if sys.version_info < (3, 11):
    sys.exit("httplib-kit needs Python 3.11 or newer; this is " + sys.version.split()[0])
from onefile_start import run
run({digest!r}, {machine!r}, {pythons!r})
"""
"""The first lines can be read by any Python."""


def machine() -> str:
    """Return what compiled modules depend on, next to the version of Python."""
    return f"{sys.platform}-{platform.machine()}"


def _platforms() -> list[str]:
    """Return pip's options for wheels that older systems of this kind can load too."""
    if sys.platform != "linux":
        return []
    kinds = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    return [part for kind in kinds for part in ("--platform", f"{kind}_{platform.machine()}")]


def _install(directory: Path, python: str) -> None:
    """Put what is locked, in the builds for *python*, into *directory*."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-compile"]
    command += ["--python-version", python, *_platforms(), "--target", str(directory)]
    subprocess.run([*command, "-r", str(ROOT / "requirements" / "kit.txt")], check=True)


def build(wheel: Path, target: Path, pythons: tuple[str, ...] = PYTHONS) -> None:
    """Write the archive *target* from *wheel*, for *pythons*.

    Raises:
        subprocess.CalledProcessError: a package has no build for one of them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch, "whole")
        for python in pythons:
            _install(Path(scratch, python), python)
            shutil.copytree(Path(scratch, python), whole, dirs_exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(whole)
        files = {
            str(path.relative_to(whole)): path.read_bytes()
            for path in sorted(whole.rglob("*"))
            if path.is_file() and not _SKIPPED & set(path.relative_to(whole).parts)
        }
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(b"%d %s %d " % (len(name), name.encode(), len(data)) + data)
    main = _MAIN.format(digest=digest.hexdigest()[:16], machine=machine(), pythons=pythons)
    start = Path(__file__).with_name("onefile_start.py").read_bytes()
    _write(target, {"__main__.py": main.encode(), "onefile_start.py": start}, files)


def _write(target: Path, first: dict[str, bytes], packed: dict[str, bytes]) -> None:
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, data in {**first, **{f"kit/{one}": packed[one] for one in packed}}.items():
                entry = zipfile.ZipInfo(name)  # its time is a constant
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
    target.chmod(0o755)


def main() -> None:
    """Build the wheel, and from it the archive, in a directory."""
    parser = argparse.ArgumentParser(description="Write the kit as one file.")
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(scratch).glob("*.whl")
        version = wheel.name.split("-")[1]
        directory.mkdir(parents=True, exist_ok=True)
        target = directory / f"httplib-kit-{version}-{machine()}.pyz"
        build(wheel, target)
    print(target)


if __name__ == "__main__":
    main()
