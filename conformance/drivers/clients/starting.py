"""From a client of the registry to its driver: found, built where needed, and started.

The input is the name of a client; the output is its driver, or `NotInstalled`, which says what is
missing and how to get it. What has to be compiled is built once, into the user's cache (or
``HTTPLIB_KIT_CACHE``), never into the project; what was built from other sources or by another
command has another place there.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from conformance.drivers.base import Driver, DriverError, Identity, Message, NotInstalled, Trace
from conformance.drivers.clients.command import Command, as_written
from conformance.drivers.clients.readers import READERS
from conformance.drivers.clients.registry import HERE, filled, registry
from conformance.drivers.clients.sessions import SESSIONS
from conformance.drivers.environment import MEMORY, child_environment
from conformance.drivers.worker import Worker

KITS = HERE.parent / "kits"
"""The drivers that `httplib-kit new-driver` copies; the kit's own adapters use the same files."""
ABSENT = "NotInstalled"
"""The class of the error by which a driver answers ``start`` if its client is not installed."""
_BUILD_PATIENCE = 300.0
_VERSION_PATIENCE = 20.0
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class Adapted(Worker):
    """The worker of a client of the registry, which knows what its errors mean.

    Args:
        written: the client as the user wrote it.
        name: its name in the registry.
        command: the program of its driver.
    """

    def __init__(self, written: str, name: str, command: Sequence[str]) -> None:
        self._name = name
        self._client = registry().client[name]
        self._table = registry().table(name)
        super().__init__(written, command, locates=self._client.driver == "python")

    @property
    def identity(self) -> Identity:
        """The client, by its name in the registry and with the features that this names."""
        ops = self._client.ops or registry().way(self._name).ops
        features = frozenset(self._client.features)
        return replace(self._identity, name=self._name, ops=frozenset(ops), features=features)

    @property
    def allowance(self) -> float:
        """Seconds to the first connection."""
        return self._client.allowance or super().allowance

    def run(self, message: Message) -> Trace:
        """Execute the ops of *message*; each error gets its category."""
        return [self._classified(entry) for entry in super().run(message)]

    def _classified(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        error = entry.get("error")
        if error is None or error.get("category"):
            return entry
        category = self._table.category(error, self._client.families)
        return {**entry, "error": {**error, "category": category}}


def started(name: str, written: str) -> Driver:
    """Return the driver of the client *name*.

    Raises:
        DriverError: it cannot be started.
        NotInstalled: its client is not there; the message says how to get it.
    """
    client, way = registry().client[name], registry().way(name)
    missing = lacking(name)
    if missing:
        raise NotInstalled(f"{missing}; {remedy(name)}")
    if way.kind == "command":
        words = [_program(client.run[0]), *client.run[1:]]
        return Command(
            written,
            name,
            version_of(name),
            words,
            registry().table(name),
            client.answered,
            READERS.get(client.reader, as_written),
            sessions=SESSIONS[client.sessions](words) if client.sessions else None,
            features=client.features,
        )
    try:
        return Adapted(written, name, command_of(name))
    except DriverError as error:
        _, absent, what = str(error).partition(f" {ABSENT}: ")
        if absent:
            raise NotInstalled(f"{what}; {remedy(name)}") from None
        raise


def command_of(name: str) -> list[str]:
    """Return the command of the driver of the client *name*, which is built if it has to be.

    Raises:
        NotInstalled: a program is missing, or its client cannot be built.
    """
    client, way = registry().client[name], registry().way(name)
    values = _values(name)
    steps = [*way.build, *client.build]
    if steps:
        values["built"] = str(_built([filled(step, values) for step in steps], name))
    words = filled(way.run, values)
    if way.kind == "lines":
        lines = [sys.executable, str(KITS / "line_driver.py"), name]
        words = [*lines, _program(words[0]), *words[1:]]
    return [_program(words[0]), *words[1:]]


def _values(name: str) -> dict[str, str]:
    client = registry().client[name]
    return {
        "adapter": client.adapter or name,
        "module": client.module,
        "package": _requirement(client.pypi[0]) if client.pypi else "",
        "python": sys.executable,
        "here": str(HERE),
        "kits": str(KITS),
        "memory": str(MEMORY),
    }


def _requirement(text: str) -> str:
    """Return the name of the distribution in a requirement."""
    return re.split(r"[<>=!~\[; ]", text, maxsplit=1)[0]


def _program(word: str) -> str:
    path = shutil.which(word)
    if path is None:
        raise NotInstalled(f"there is no program {word}")
    return path


def lacking(name: str) -> str:
    """Return what the client *name* lacks, as far as that is found without starting anything."""
    client, way = registry().client[name], registry().way(name)
    steps = [*way.build, *client.build, client.run or way.run]
    words = [step[0] for step in steps] + client.version[:1]
    for word in filled(words, _values(name)):
        if "{" not in word and shutil.which(word) is None:
            return f"there is no program {word}"
    if client.driver == "python" and client.module:
        top = client.module.partition(".")[0]
        if PathFinder.find_spec(top) is None:
            return f"this Python has no package {client.module}"
    return ""


def is_present(name: str) -> bool:
    """Return whether the client *name* is there, as far as that is found without starting it."""
    return name in registry().client and not lacking(name)


def remedy(name: str) -> str:
    """Return how to get the client *name*, as a clause."""
    client, way = registry().client[name], registry().way(name)
    ways = []
    if client.pypi:
        ways.append(f"pip install {' '.join(repr(one) for one in client.pypi)}".replace("'", ""))
    if client.npm:
        ways.append(f"npm install {' '.join(client.npm)}")
    debian = [*dict.fromkeys([*way.debian, *client.debian])]
    if debian and not ways:
        ways.append(f"Debian: apt install {' '.join(debian)}")
    return " or ".join(ways) or "its driver has to find it"


def version_of(name: str) -> str:
    """Return the version that the program of the client *name* prints; empty if it has none."""
    client = registry().client[name]
    words = client.version or [*client.run[:1], "--version"]
    if not words[0].strip("-"):
        return ""
    try:
        done = subprocess.run(
            filled(words, _values(name)),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=child_environment(),
            timeout=_VERSION_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _NUMBER.search(done.stdout) or _NUMBER.search(done.stderr)
    return found[0] if found else ""


def _built(steps: Sequence[Sequence[str]], name: str) -> Path:
    """Return the directory with what *steps* build, now or before.

    Raises:
        NotInstalled: a step fails; the message has its last line.
    """
    digest = hashlib.sha256(repr(steps).encode())
    sources = {
        Path(word) for step in steps for word in step if word.startswith((str(HERE), str(KITS)))
    }
    for source in sorted(sources):
        digest.update(source.read_bytes())
    place = _cache() / f"{name}-{digest.hexdigest()[:16]}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as directory:
        for step in steps:
            _run(filled(step, {"built": directory}), directory, name)
        made = Path(directory, "made")
        made.mkdir()
        for one in [*Path(directory).iterdir()]:
            if one != made:
                one.rename(made / one.name)
        try:
            made.rename(place)
        except OSError:  # another process has built the same meanwhile
            if not place.is_dir():
                raise
    return place


def _run(words: Sequence[str], directory: str, name: str) -> None:
    """Run a step of a build in *directory*."""
    environment = {**child_environment(), "GOCACHE": str(_cache() / "go"), "HOME": directory}
    try:
        done = subprocess.run(
            [_program(words[0]), *words[1:]],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BUILD_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{name} was not built in {_BUILD_PATIENCE:g} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise NotInstalled(f"{name} cannot be built: {said[0].strip()}")


def _cache() -> Path:
    given = os.environ.get("HTTPLIB_KIT_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else home / "httplib-kit"
