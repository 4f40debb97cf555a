"""From the name of an implementation to a driver.

========================  =====================================================================
written as                driver
========================  =====================================================================
`httplib_impl`            in-process: the project's own implementation
`http.client`             a worker under this interpreter
`python2.7:httplib`       split at the last colon: a worker under that interpreter
`gevent:http.client`      the same, under this interpreter or another, patched before the import
`exec:./my-driver --flag` a program of the user that speaks the driver protocol
`client:requests`         a client with another interface, of the registry
`client:cmd:curl {url}`   any program that fetches a URL
`client:browser:chromium` a page in a browser that the command starts
`client:httplib:MODULE`   a module with the interface of httplib, as a client like any other
========================  =====================================================================
"""

import importlib.util
import os
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from conformance.drivers import clients
from conformance.drivers.base import (
    EXEC,
    Driver,
    Implementation,
    UnknownImplementation,
    program_path,
)
from conformance.drivers.clients.httplib_client import HTTPLIB, HttplibClient
from conformance.drivers.environment import MEMORY
from conformance.drivers.in_process import InProcess
from conformance.drivers.worker import AGENT, Worker

OURS = "httplib_impl"
PATCHING = ("gevent", "eventlet")
"""Libraries that replace parts of the standard library with cooperative ones."""
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A module with the interface of httplib.

    Args:
        written: the implementation as the user wrote it.
        interpreter: the program that runs the agent; None for in-process.
        module: the import name.
        patch: the library that patches the standard library before the module is imported.
        path: further directories in which modules are searched.
    """

    written: str
    interpreter: str | None
    module: str
    patch: str = ""
    path: tuple[str, ...] = ()

    @property
    def is_reference(self) -> bool:
        """Whether it is the project's own, which must pass every case without tolerance."""
        return self.written == OURS

    def make(self) -> Driver:
        """Start a driver for it.

        Raises:
            DriverError: the implementation cannot be imported or started.
        """
        if self.interpreter is None:
            return InProcess(self.module)
        options = [f"memory={MEMORY}"] + ([f"patch={self.patch}"] if self.patch else [])
        options += [f"path={os.pathsep.join(self.path)}"] if self.path else []
        command = [self.interpreter, str(AGENT), self.module, *options]
        return Worker(self.written, command, locates=True)


@dataclass(frozen=True, slots=True)
class ProgramTarget:
    """A driver program of the user.

    Args:
        written: the implementation as the user wrote it.
        command: the program and its arguments.
    """

    written: str
    command: tuple[str, ...]

    @property
    def is_reference(self) -> bool:
        """Return False: the reference is a module."""
        return False

    def make(self) -> Driver:
        """Start it.

        Raises:
            DriverError: it cannot be started, or does not follow the protocol.
        """
        return Worker(self.written, self.command, locates=True)


@dataclass(frozen=True, slots=True)
class HttplibClientTarget:
    """A module with the interface of httplib, which is judged as a client.

    Args:
        written: the client as the user wrote it.
        module: the module.
    """

    written: str
    module: Implementation

    @property
    def is_reference(self) -> bool:
        """Return False: only the drop-in is judged without tolerance."""
        return False

    def make(self) -> Driver:
        """Start the driver of the module.

        Raises:
            DriverError: the module cannot be imported or started.
        """
        return HttplibClient(self.written, self.module.make())


def apart(one: Implementation) -> Implementation:
    """Return *one* in a process of its own, even if it would run in-process."""
    if isinstance(one, Target) and one.interpreter is None:
        return replace(one, interpreter=sys.executable)
    return one


def with_path(one: Implementation, directories: Iterable[str]) -> Implementation:
    """Return *one*; a module that runs under this interpreter is searched in *directories* too."""
    if isinstance(one, HttplibClientTarget):
        return replace(one, module=with_path(one.module, directories))
    if isinstance(one, Target) and one.interpreter == sys.executable:
        return replace(one, path=tuple(directories))
    return one


def target(written: str) -> Implementation:
    """Return the implementation that *written* names.

    Raises:
        UnknownImplementation: it does not name an implementation.
    """
    prefix = clients.PREFIX + HTTPLIB
    if written.startswith(prefix):
        module = written.removeprefix(prefix)
        if not module:
            raise UnknownImplementation(f"{written} needs a module, as in {prefix}http.client")
        return HttplibClientTarget(written, apart(module_target(module)))
    if written.startswith(clients.PREFIX):
        return clients.client_target(written)
    if written.startswith(EXEC):
        return ProgramTarget(written, command_in(written.removeprefix(EXEC)))
    return module_target(written)


def module_target(written: str) -> Target:
    """Return the module with the interface of httplib that *written* names.

    Raises:
        UnknownImplementation: it does not name a module.
    """
    interpreter, colon, module = written.rpartition(":")
    file = Path(module)
    if file.suffix == ".py" and file.is_file():
        how = f"give the import name {file.stem}, in the directory {file.parent}"
        raise UnknownImplementation(f"{written!r} is a file: {how}")
    if not _DOTTED.fullmatch(module) or (colon and not interpreter):
        how = f"a module by its import name, {EXEC}COMMAND, or {clients.PREFIX}NAME"
        raise UnknownImplementation(f"{written!r} is not the name of an implementation: give {how}")
    rest, _, last = interpreter.rpartition(":")
    patch = last if last in PATCHING else ""
    if patch:
        interpreter = rest or sys.executable
    if not colon:
        return Target(written, None if module == OURS else sys.executable, module)
    return Target(written, program_path(interpreter, written), module, patch)


def command_in(text: str) -> tuple[str, ...]:
    """Return the command in *text*, split as by a shell; only ``~`` is expanded.

    Raises:
        UnknownImplementation: the text has no command, or its program was not found.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        problem = str(error).lower()
        raise UnknownImplementation(f"{text!r} is not a command: {problem}") from None
    if not words:
        raise UnknownImplementation("a command is missing, as in exec:./my-driver --flag")
    return (program_path(words[0], text), *words[1:])


def targets(
    *written: str, names: Sequence[str] = (), versions: Sequence[str] = ()
) -> list[Implementation]:
    """Return the implementations that each of *written* names: one, or those of a group.

    Args:
        written: implementations, or groups, as a user writes them.
        names: what the commands among them are called in reports, in their order.
        versions: the versions of these commands.

    Raises:
        UnknownImplementation: one does not name an implementation, or more names or versions are
            given than commands.
    """
    command = clients.PREFIX + clients.COMMAND
    commands = [one for one in written if one.startswith(command)]
    for option, given in (("--name", names), ("--client-version", versions)):
        if len(given) > len(commands):
            count = f"{len(given)} given, and {len(commands)} {command}COMMAND to judge"
            raise UnknownImplementation(f"{option}: {count}; each is for one of them, in order")
        if wrong := [one for one in given if not one.strip() or not one.isprintable()]:
            raise UnknownImplementation(f"{option}: {wrong[0]!r} is not a line of text")
    titles = iter(zip_longest(names, versions, fillvalue=""))
    found: list[Implementation] = []
    for one in written:
        pattern = one.removeprefix(clients.PREFIX)
        if pattern != one and ":" not in pattern and clients.is_pattern(pattern):
            found += clients.clients_named(pattern)
        elif one.startswith(command):
            found.append(clients.client_target(one, *next(titles, ("", ""))))
        else:
            found.append(target(one))
    return found


def installed(names: Iterable[str]) -> list[str]:
    """Return those of *names* that are installed, as far as can be found without starting them.

    Args:
        names: implementations as a user writes them: built-in clients, and modules.
    """
    return [one for one in names if _is_installed(one)]


def _is_installed(written: str) -> bool:
    if written.startswith(clients.PREFIX):
        return clients.is_present(written.removeprefix(clients.PREFIX))
    try:
        one = module_target(written)
    except UnknownImplementation:
        return False
    own = one.interpreter in (None, sys.executable)
    return not own or importlib.util.find_spec(one.module.partition(".")[0]) is not None
