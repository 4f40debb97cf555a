"""From the text that names an implementation to a driver.

========================  =====================================================================
written as                driver
========================  =====================================================================
`httplib_impl`            in-process: it is ours
`http.client`             a worker under this interpreter
`python2.7:httplib`       split at the last colon: a worker under that interpreter
`client:requests`         a client with another interface, built in
`client:cmd:curl {url}`   any program that fetches a URL
========================  =====================================================================
"""

import re
import shutil
import sys
from dataclasses import dataclass

from conformance.drivers import clients
from conformance.drivers.base import Driver, Implementation, UnknownImplementation
from conformance.drivers.environment import MEMORY
from conformance.drivers.in_process import InProcess
from conformance.drivers.worker import AGENT, Worker

OURS = "httplib_impl"
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A module with the interface of httplib.

    Args:
        written: as the user wrote it.
        interpreter: the program that runs the agent; None for in-process.
        module: the import name.
    """

    written: str
    interpreter: str | None
    module: str

    @property
    def is_reference(self) -> bool:
        """Whether it is the project's own, which has to meet every case without tolerance."""
        return self.written == OURS

    def make(self) -> Driver:
        """Start a driver for it.

        Raises:
            DriverError: the implementation cannot be imported or started.
        """
        if self.interpreter is None:
            return InProcess(self.module)
        return Worker(self.written, [self.interpreter, str(AGENT), self.module, f"memory={MEMORY}"])


def target(written: str) -> Implementation:
    """Return the implementation that *written* names.

    Raises:
        UnknownImplementation: it names none.
    """
    if written.startswith(clients.PREFIX):
        return clients.client_target(written)
    return module_target(written)


def module_target(written: str) -> Target:
    """Return the module with the interface of httplib that *written* names.

    Raises:
        UnknownImplementation: it names none.
    """
    interpreter, colon, module = written.rpartition(":")
    if not _DOTTED.fullmatch(module):
        raise UnknownImplementation(f"{written!r} is not the name of an implementation")
    if not colon:
        return Target(written, None if module == OURS else sys.executable, module)
    program = shutil.which(interpreter)
    if program is None:
        raise UnknownImplementation(f"{written!r}: no program called {interpreter!r}")
    return Target(written, program, module)


def targets(written: str) -> list[Implementation]:
    """Return the implementation that *written* names, or all that it stands for.

    Raises:
        UnknownImplementation: it names none.
    """
    if written == clients.ALL:
        return clients.all_clients()
    return [target(written)]
