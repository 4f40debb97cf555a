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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.machinery import PathFinder
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec

from conformance.drivers.base import Driver, DriverError, Identity, Message, NotInstalled, Trace
from conformance.drivers.clients.command import Command, Ways, as_written
from conformance.drivers.clients.places import PLACE, npm, python_paths, wheels
from conformance.drivers.clients.readers import READERS
from conformance.drivers.clients.registry import HERE, filled, registry
from conformance.drivers.clients.sessions import SESSIONS
from conformance.drivers.environment import MEMORY, child_environment
from conformance.drivers.worker import Worker

KITS = HERE.parent / "kits"
"""The drivers that `httplib-kit new-driver` copies; the kit's own adapters use the same files."""
ABSENT = "NotInstalled"
"""The class of the error by which a driver answers ``start`` if its client is not installed."""
_BUILD_PATIENCE = 900.0
_VERSION_PATIENCE = 20.0
_AT_A_TIME = 8
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
            ways=Ways(client.direct, client.proxied, client.trusting),
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
    if client.driver == "python":
        words += python_paths(name)
    return [_program(words[0]), *words[1:]]


def _values(name: str) -> dict[str, str]:
    client = registry().client[name]
    return {
        "adapter": client.adapter or name,
        "module": client.module,
        "package": _requirement((client.pypi or client.debian or [""])[0]),
        "python": sys.executable,
        "here": str(HERE),
        "kits": str(KITS),
        "memory": "0" if client.reserves else str(MEMORY),
        "npm": npm(),
        "wheels": wheels(),
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
        paths = python_paths(name)
        if client.alone and not paths:
            return f"it needs a place of its own, in which {PLACE} names others"
        if PathFinder.find_spec(client.module, [*paths, *sys.path]) is None:
            return f"this Python has no package {client.module}"
    if client.driver == "npm" and not Path(npm(), "node_modules", client.module).is_dir():
        return f"there is no package {client.module} in {npm()}"
    for file in client.module.split(":"):
        if file.startswith("/") and not Path(file).exists():
            return f"there is no {file}"
    return ""


def is_present(name: str) -> bool:
    """Return whether the client *name* is there, as far as that is found without starting it."""
    return name in registry().client and not lacking(name)


def remedy(name: str) -> str:
    """Return how to get the client *name*, as a clause."""
    client, way = registry().client[name], registry().way(name)
    if client.alone:
        return "`httplib-kit clients --install DIR` makes a place of its own for it"
    ways = []
    if client.pypi:
        ways.append(f"pip install {' '.join(map(_quoted, client.pypi))}")
    if client.npm:
        ways.append(f"npm install {' '.join(client.npm)}")
    debian = [*dict.fromkeys([*way.debian, *client.debian])]
    if debian and not ways:
        ways.append(f"Debian: apt install {' '.join(debian)}")
    return " or ".join(ways) or "it is part of this Python"


def _quoted(requirement: str) -> str:
    return f"'{requirement}'" if re.search(r"[<>]", requirement) else requirement


def versions(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each of *names* that is there, ``unknown`` where it reports none.

    Programs are asked at the same time, and those of a language by one process.
    """
    here = [name for name in names if not lacking(name)]
    asked: dict[tuple[str, ...], list[str]] = {}
    for name in here:
        asked.setdefault(_question(name), []).append(name)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        answers = pool.map(lambda one: _answers(*one), asked.items())
        found = {name: version for some in answers for name, version in some.items()}
    return {name: found[name] for name in here if name in found}


def _question(name: str) -> tuple[str, ...]:
    """Return the command that reports the version of the client *name*, without its modules."""
    client, way = registry().client[name], registry().way(name)
    if client.driver in ("python", "npm"):
        return (client.driver,)
    values = _values(name)
    if way.probe and client.module:
        return tuple(filled(way.probe, values))
    program = (client.run or (way.build[0] if way.build else way.run))[0]
    return tuple(filled(client.version or way.version or [program, "--version"], values))


def _answers(question: tuple[str, ...], names: Sequence[str]) -> dict[str, str]:
    known = registry().client
    if question == ("python",):
        return {name: _version_of_python(name) for name in names}
    if question == ("npm",):
        return {name: _version_of_npm(known[name].module) for name in names}
    modules = {name: known[name].module for name in names}
    if registry().way(names[0]).probe and modules[names[0]]:
        said = _said([*question, *dict.fromkeys(modules.values())])
        lines = dict(line.split(None, 1) for line in said.splitlines() if len(line.split()) > 1)
        return {
            name: _number(lines[module].strip())
            for name, module in modules.items()
            if module in lines
        }
    return dict.fromkeys(names, _number(_said(question)))


def _number(text: str) -> str:
    found = _NUMBER.search(text)
    return found[0] if found else "unknown"


def _version_of_python(name: str) -> str:
    package = _values(name)["package"]
    if not package:
        return ".".join(map(str, sys.version_info[:3]))
    found = distributions(name=package, path=[*python_paths(name), *sys.path])
    return next((one.version for one in found), "unknown")


def _version_of_npm(module: str) -> str:
    text = Path(npm(), "node_modules", module, "package.json").read_bytes()
    return str(msgspec.json.decode(text).get("version", "unknown"))


def version_of(name: str) -> str:
    """Return the version that the program of the client *name* prints; empty if it has none."""
    found = _number(_said(_question(name)))
    return "" if found == "unknown" else found


def _said(words: Sequence[str]) -> str:
    """Return the output of a program that is asked for versions; empty if it cannot be run."""
    try:
        done = subprocess.run(
            words,
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
    return done.stdout or done.stderr


def _built(steps: Sequence[Sequence[str]], name: str) -> Path:
    """Return the directory with what *steps* build, now or before.

    Raises:
        NotInstalled: a step fails; the message has its last line.
    """
    digest = hashlib.sha256(repr(steps).encode())
    sources = {
        Path(word) for step in steps for word in step if word.startswith((str(HERE), str(KITS)))
    }
    for source in sorted({file for one in sources for file in (one, *one.rglob("*.rs"))}):
        digest.update(source.read_bytes() if source.is_file() else b"")
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
    environment = {
        "RUSTUP_HOME": str(Path.home() / ".rustup"),
        **child_environment(),
        "GOCACHE": str(_cache() / "go"),
        "HOME": directory,
    }
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
        said = [one.strip() for one in (done.stderr or done.stdout).splitlines() if one.strip()]
        errors = [one for one in said if "error" in one.lower()]
        raise NotInstalled(f"{name} cannot be built: {(errors or said or ['no output'])[0]}")


def _cache() -> Path:
    given = os.environ.get("HTTPLIB_KIT_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else home / "httplib-kit"
