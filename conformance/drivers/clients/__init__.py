"""Clients with interfaces of their own: each fetches a URL, and accepts or rejects the response.

The input is the name of a client as a user writes it. The output is an `Implementation` whose
driver has only the op `fetch`. Every client is optional; the driver of one that is not installed
raises `NotInstalled`, which says what is missing.

=========================  ====================================================================
written as                 driver
=========================  ====================================================================
`client:requests`          a built-in adapter: a worker with many clients' adapters in one file
                           for each language, or a program run for each case
`client:cmd:curl {url}`    any program, run for each case
`client:browser:chromium`  a browser that the command starts, in which a page fetches each case
`client:all`               all built-in clients
=========================  ====================================================================
"""

import importlib.util
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.drivers.base import (
    FETCH,
    Driver,
    Identity,
    Implementation,
    Message,
    NotInstalled,
    Trace,
    UnknownImplementation,
    program_path,
)
from conformance.drivers.clients.command import Command, command_words
from conformance.drivers.clients.programs import curl, program, wget
from conformance.drivers.clients.python_client import CLIENTS as PYTHON_CLIENTS
from conformance.drivers.environment import MEMORY
from conformance.drivers.worker import Worker
from conformance.wording import near_clause

PREFIX = "client:"
ALL = "client:all"
COMMAND = "cmd:"
BROWSER = "browser:"
Start = Callable[[str], Driver]
"""A function that makes the driver of the client named so; it raises `NotInstalled`."""
_HERE = Path(__file__).parent


class Absent(Driver):
    """The driver of a client that is not installed.

    Args:
        written: the client as the user wrote it.
        reason: what is missing.
    """

    def __init__(self, written: str, reason: str) -> None:
        self._reason = reason
        name = written.removeprefix(PREFIX)
        self._identity = Identity(written, name, "", frozenset(), frozenset({FETCH}))

    @property
    def identity(self) -> Identity:
        """The client that is not installed."""
        return self._identity

    def run(self, message: Message) -> Trace:  # noqa: ARG002 # the message does not matter
        """Raise `NotInstalled`."""
        raise NotInstalled(self._reason)

    def release(self) -> None:
        """Do nothing: there are no objects."""

    def kill(self) -> bool:
        """Return True: no process is running."""
        return True

    def stop(self) -> None:
        """Do nothing: no process is running."""


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """A client that has not been started.

    Args:
        written: the client as the user wrote it.
        start: a function that returns its driver; it raises `NotInstalled`.
    """

    written: str
    start: Start

    @property
    def is_reference(self) -> bool:
        """Return False: the reference has the interface of httplib."""
        return False

    def make(self) -> Driver:
        """Start a driver; if the client is not installed, return an `Absent` with the reason."""
        try:
            return self.start(self.written)
        except NotInstalled as error:
            return Absent(self.written, str(error))


def _python(name: str) -> Start:
    def start(written: str) -> Driver:
        package = PYTHON_CLIENTS[name].package
        if package and importlib.util.find_spec(package) is None:
            how = "pip install 'httplib-kit[clients]' installs what there is"
            raise NotInstalled(f"this Python has no package {package}; {how}")
        program = str(_HERE / "python_client.py")
        command = [sys.executable, program, name, str(MEMORY)]
        return Worker(written, command, locates=True)

    return start


def _node(name: str) -> Start:
    def start(written: str) -> Driver:
        return Worker(written, [program("node"), str(_HERE / "node_client.js"), name])

    return start


def _jdk(written: str) -> Driver:
    program("javac")  # without the compiler, the runtime cannot run the worker from its source
    return Worker(written, [program("java"), str(_HERE / "JdkClient.java")])


BUILT_IN: Mapping[str, Start] = {
    **{name: _python(name) for name in PYTHON_CLIENTS},
    "curl": curl,
    "wget": wget,
    "node-fetch": _node("fetch"),
    "node-http": _node("http"),
    "jdk": _jdk,
}


_PROGRAMS = {"curl": "curl", "wget": "wget", "jdk": "javac"}


def is_installed(name: str) -> bool:
    """Return whether the built-in client *name* is installed, as far as can be found unstarted."""
    if name in PYTHON_CLIENTS:
        package = PYTHON_CLIENTS[name].package
        return not package or importlib.util.find_spec(package) is not None
    return shutil.which(_PROGRAMS.get(name, "node")) is not None


def client_target(written: str, title: str = "", version: str = "") -> Implementation:
    """Return the client that *written*, with its prefix, names.

    Args:
        written: the client as the user wrote it.
        title: what a command is called in reports; by default its own text.
        version: its version.

    Raises:
        UnknownImplementation: no client has this name.
    """
    name = written.removeprefix(PREFIX)
    if name.startswith(COMMAND):
        return ClientTarget(written, _command(name.removeprefix(COMMAND), title, version))
    if name.startswith(BROWSER):
        return ClientTarget(written, _browser(name.removeprefix(BROWSER)))
    start = BUILT_IN.get(name)
    if start is None:
        known = ", ".join(
            (*BUILT_IN, "cmd:COMMAND with {url}", "browser:COMMAND", "httplib:MODULE")
        )
        hint = near_clause(name, BUILT_IN)
        raise UnknownImplementation(f"no client is called {name!r}{hint}; there are {known}")
    return ClientTarget(written, start)


def _command(text: str, title: str, version: str) -> Start:
    try:
        words = command_words(text)
    except ValueError as error:
        raise UnknownImplementation(f"{PREFIX}{COMMAND}{text}: {error}") from None
    program_path(words[0], text)
    return lambda written: Command(written, title or text, version, words)


def _browser(text: str) -> Start:
    try:
        words = shlex.split(text) or [""]
    except ValueError as error:
        raise UnknownImplementation(f"{PREFIX}{BROWSER}{text}: {error}") from None
    path = shutil.which(words[0])
    if path is None:
        raise UnknownImplementation(f"{PREFIX}{BROWSER}{text}: no program called {words[0]!r}")

    def start(written: str) -> Driver:
        from conformance.drivers.clients.browser import launched  # its server imports much

        return launched(written, [path, *words[1:]])

    return start


def all_clients() -> list[Implementation]:
    """Return every built-in client, in a fixed order."""
    return [ClientTarget(PREFIX + name, start) for name, start in BUILT_IN.items()]
