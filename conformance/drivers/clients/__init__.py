"""Clients with interfaces of their own: each fetches a URL, and accepts or rejects the response.

The input is the name of a client as a user writes it. The output is an `Implementation`. Every
client is optional; of one that is not installed, the driver says what is missing and runs nothing.

=========================  ====================================================================
written as                 driver
=========================  ====================================================================
`client:requests`          a client of the registry: a worker with the adapters of all clients of
                           a language, or a program run for each case
`client:ruby-*`            the clients of the registry with such a name; `client:all` for every
                           one; `client:engine=undici`, `client:language=perl`
`client:cmd:curl {url}`    any program, run for each case
`client:browser:chromium`  a browser that the command starts, in which a page fetches each case
=========================  ====================================================================
"""

import functools
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from conformance.drivers.base import (
    FETCH,
    Driver,
    DriverError,
    Identity,
    Implementation,
    Message,
    NotInstalled,
    Trace,
    UnknownImplementation,
    program_path,
)
from conformance.drivers.clients.command import Command, command_words
from conformance.drivers.clients.invocation import CA, PAUSE, PROXY, Template
from conformance.drivers.clients.places import Installer
from conformance.drivers.clients.registry import is_pattern, registry
from conformance.drivers.clients.starting import (
    KITS,
    is_present,
    lacking,
    remedy,
    started,
    versions,
)

__all__ = [
    "COMMAND",
    "KITS",
    "PREFIX",
    "ClientTarget",
    "Installer",
    "client_target",
    "clients_named",
    "is_pattern",
    "is_present",
    "lacking",
    "registry",
    "remedy",
    "versions",
]

PREFIX = "client:"
COMMAND = "cmd:"
BROWSER = "browser:"
Start = Callable[[str], Driver]
"""A function that makes the driver of the client named so; it raises `NotInstalled`."""


class Absent(Driver):
    """The driver of a client that is not installed.

    Args:
        written: the client as the user wrote it.
        reason: what is missing.
    """

    def __init__(self, written: str, reason: str) -> None:
        self.absent = reason
        name = written.removeprefix(PREFIX)
        self._identity = Identity(written, name, "", frozenset(), frozenset({FETCH}))

    @property
    def identity(self) -> Identity:
        """The client that is not installed."""
        return self._identity

    def run(self, message: Message) -> Trace:  # noqa: ARG002 # the message does not matter
        """Raise `DriverError`: there is no client."""
        raise DriverError(self.absent)

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
    found = clients_named(name)
    if len(found) != 1 or is_pattern(name):
        raise UnknownImplementation(f"{written} is not one client; `check` takes several")
    return found[0]


def clients_named(pattern: str) -> list[Implementation]:
    """Return the clients of the registry that *pattern* selects, in its order.

    Raises:
        UnknownImplementation: it selects none.
    """
    names = registry().chosen(pattern)
    return [ClientTarget(PREFIX + name, functools.partial(started, name)) for name in names]


def _command(text: str, title: str, version: str) -> Start:
    try:
        words = command_words(text)
    except ValueError as error:
        raise UnknownImplementation(f"{PREFIX}{COMMAND}{text}: {error}") from None
    program_path(words[0], text)
    can = {"tls": [CA], "proxy": [PROXY], "connect": [CA, PROXY]}
    features = [name for name, marks in can.items() if all(one in text for one in marks)]
    repeated = Template(words) if any(PAUSE in word for word in words) else None
    single = words if repeated is None else repeated.single
    return lambda written: Command(
        written, title or text, version, single, sessions=repeated, features=features
    )


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
