"""Clients with interfaces of their own: each fetches a URL, and takes the response or refuses it.

In: the name of a client as a user writes it.  Out: an `Implementation` whose driver has the one op
`fetch`.  Every client is optional; one that is not installed has a driver that says so.

=======================  ======================================================================
written as               driver
=======================  ======================================================================
`client:requests`        a built-in adapter: a worker with many clients' adapters in one file for
                         each language, or a program run for each case
`client:cmd:curl {url}`  any program, run for each case
`client:all`             stands for all that are built in
=======================  ======================================================================
"""

import importlib.util
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
)
from conformance.drivers.clients.python_client import CLIENTS as PYTHON_CLIENTS
from conformance.drivers.worker import Worker

PREFIX = "client:"
ALL = "client:all"
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
        """Who would be judged."""
        return self._identity

    def run(self, message: Message) -> Trace:  # noqa: ARG002 # every message has the same answer
        """Raise `NotInstalled`."""
        raise NotInstalled(self._reason)

    def release(self) -> None:
        """Do nothing: there are no objects."""

    def kill(self) -> bool:
        """Return True: nothing runs."""
        return True

    def stop(self) -> None:
        """Do nothing: there is no process."""


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """A client, not yet started.

    Args:
        written: as the user wrote it.
        start: returns its driver; raises `NotInstalled`.
    """

    written: str
    start: Callable[[str], Driver]

    @property
    def is_reference(self) -> bool:
        """Return False: the reference has the interface of httplib."""
        return False

    def make(self) -> Driver:
        """Start a driver, or one that says that the client is not installed."""
        try:
            return self.start(self.written)
        except NotInstalled as error:
            return Absent(self.written, str(error))


def _python(name: str) -> Callable[[str], Driver]:
    package = PYTHON_CLIENTS[name].package

    def start(written: str) -> Driver:
        if package and importlib.util.find_spec(package) is None:
            raise NotInstalled(f"this Python has no package {package}")
        return Worker(written, [sys.executable, str(_HERE / "python_client.py"), name])

    return start


def _program(name: str) -> str:
    """Return the path of the program *name*.

    Raises:
        NotInstalled: there is none.
    """
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"there is no program {name}")
    return path


BUILT_IN: Mapping[str, Callable[[str], Driver]] = {name: _python(name) for name in PYTHON_CLIENTS}


def client_target(written: str) -> Implementation:
    """Return the client that *written* names, with the prefix.

    Raises:
        UnknownImplementation: it names none.
    """
    name = written.removeprefix(PREFIX)
    start = BUILT_IN.get(name)
    if start is None:
        known = ", ".join((*BUILT_IN, "cmd:COMMAND with {url}"))
        raise UnknownImplementation(f"no client is called {name!r}; there are {known}")
    return ClientTarget(written, start)


def all_clients() -> list[Implementation]:
    """Return every built-in client, in a fixed order."""
    return [ClientTarget(PREFIX + name, start) for name, start in BUILT_IN.items()]
