"""The command `httplib-kit`: what a person or a pipeline types.

In: arguments.  Out: text on standard output, progress and errors on standard error, and an exit
code: 0 ok, 1 failures, 2 an error of the kit, the driver or the usage, 3 nothing ran.

An error is one line that names the place; nothing is half-written.
"""

from conformance.cli.main import main

__all__ = ["main"]
