"""The command `httplib-kit`, for people and CI pipelines.

The input is arguments.  The output is text on standard output, progress and errors on standard
error, and an exit code: 0 ok, 1 failures, 2 an error of the kit, the driver or the usage, 3 nothing
ran.

An error is one line that names the place.  No file is left half-written.
"""

from conformance.cli.main import main

__all__ = ["main"]
