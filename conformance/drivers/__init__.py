"""Drivers: what executes ops against one implementation, and reports facts, never judgements.

In: the name of an implementation, and the messages of the driver protocol.  Out: an `Identity`, and
for each run a trace: for every op a value, an error, or that it was skipped.

There is one op interpreter, the single-file agent: the in-process driver imports it, a worker runs
the same file under its interpreter (any Python from 2.7 on) and speaks JSON lines with it.

No driver ever sees an expectation, and none of them imports an implementation except by the name it
was given.
"""

from typing import TYPE_CHECKING

from conformance.drivers.base import (
    Driver,
    DriverDied,
    DriverError,
    Identity,
    Implementation,
    NotInstalled,
    UnknownImplementation,
)
from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.drivers.factory import Target, target, targets

__all__ = [
    "Driver",
    "DriverDied",
    "DriverError",
    "Identity",
    "Implementation",
    "NotInstalled",
    "Target",
    "UnknownImplementation",
    "target",
    "targets",
]

__getattr__ = loader(__name__, dict.fromkeys(("Target", "target", "targets"), "factory"))
