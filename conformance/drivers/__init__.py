"""Drivers: programs and modules that execute ops against one implementation and report facts.

The input is the name of an implementation and the messages of the driver protocol. The output is an
`Identity`, and for each run a trace: for every op a value, an error, or that it was skipped.

There is one op interpreter, the single-file agent: the in-process driver imports it, and a worker
runs the same file under its interpreter (any Python from 2.7 on) and exchanges JSON lines with it.

A driver never receives an expectation and never judges. It imports an implementation only by the
name that it was given.
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
