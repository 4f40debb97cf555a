"""The start of the one file of ``make zipapp``: it unpacks itself once, and runs what it unpacked.

It is unpacked into the user's cache, or, where there is none that can be written, into a temporary
directory that is removed at the end.  It imports nothing but the standard library.
"""

import atexit
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path


def run(digest: str, machine: str, pythons: tuple[str, ...]) -> None:
    """Run the command; never returns.

    Args:
        digest: of all that is packed.
        machine: the system and processor for which compiled modules are packed.
        pythons: the versions of Python for which they are packed.
    """
    here, python = f"{sys.platform}-{platform.machine()}", ".".join(map(str, sys.version_info[:2]))
    if here != machine or python not in pythons:
        sys.exit(
            f"httplib-kit: this file is for {machine} with Python {', '.join(pythons)}, and this is"
            f" {here} with Python {python}; install the wheel instead"
        )
    sys.path[0] = str(_unpacked(Path(sys.path[0]), digest))
    from conformance.__main__ import run as run_command

    run_command()


def _unpacked(archive: Path, digest: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    home = os.environ.get("HOME")
    place = Path(cache) if cache else Path(home, ".cache") if home else None
    if place is not None:
        directory = place / "httplib-kit" / digest
        if directory.is_dir():
            return directory
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            made = _unpack(archive, directory.parent)
        except OSError:  # it cannot be written, or is full
            pass
        else:
            return _placed(made, directory)
    made = _unpack(archive, None)
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(made, True) if os.getpid() == owner else None)
    return made / "kit"


def _unpack(archive: Path, parent: Path | None) -> Path:
    made = Path(tempfile.mkdtemp(prefix="httplib-kit-", dir=parent))
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(made, [one for one in packed.namelist() if one.startswith("kit/")])
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def _placed(made: Path, directory: Path) -> Path:
    """Give what was unpacked its name, unless another process was first."""
    try:
        (made / "kit").rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return directory
