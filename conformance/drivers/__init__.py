"""Drivers: programs and modules that execute ops against one implementation and report facts.

The input is the name of an implementation and the messages of the driver protocol. The output is an
`Identity`, and for each run a trace: for every op a value, an error, or that it was skipped.

There is one op interpreter, the single-file agent: the in-process driver imports it, and a worker
runs the same file under its interpreter (any Python from 2.7 on) and exchanges JSON lines with it.

A driver never receives an expectation and never judges. It imports an implementation only by the
name that it was given.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.drivers.base import (
        EXCHANGE,
        EXEC,
        FETCH,
        NO_RESTART,
        Driver,
        DriverDied,
        DriverError,
        Identity,
        Implementation,
        Message,
        NotInstalled,
        NotShown,
        Trace,
        UnknownImplementation,
    )
    from conformance.drivers.clients.browser import Browser, browser_identity
    from conformance.drivers.clients.channel import Channel
    from conformance.drivers.effort import Effort, effort_of
    from conformance.drivers.environment import child_environment
    from conformance.drivers.factory import (
        OURS,
        ProgramTarget,
        Target,
        apart,
        command_in,
        installed,
        target,
        targets,
        with_path,
    )
    from conformance.drivers.program import NotALine, Program, ProgramEnded, TooLate
    from conformance.drivers.protocol import (
        ANY_OP,
        PROBE,
        Frame,
        NotStarted,
        NotTheProtocol,
        Started,
        answer_in,
        checked_trace,
        op_name,
        started,
    )
    from conformance.drivers.schema import driver_schema
    from conformance.drivers.worker import START_PATIENCE

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "base": (
                "Driver DriverDied DriverError EXCHANGE EXEC FETCH Identity Implementation "
                "Message NO_RESTART NotInstalled NotShown Trace UnknownImplementation"
            ),
            "clients.browser": "Browser browser_identity",
            "clients.channel": "Channel",
            "effort": "Effort effort_of",
            "environment": "child_environment",
            "factory": (
                "OURS ProgramTarget Target apart command_in installed target targets with_path"
            ),
            "program": "NotALine Program ProgramEnded TooLate",
            "protocol": (
                "ANY_OP Frame NotStarted NotTheProtocol PROBE Started answer_in "
                "checked_trace op_name started"
            ),
            "schema": "driver_schema",
            "worker": "START_PATIENCE",
        },
    )
