"""The command, under both of its names: ``httplib-kit`` and ``python -m conformance``.

The input is the arguments of the process, the output its exit code.  Importing the kit takes a
moment; Ctrl-C during that time prints one line, as at any later time, and not a traceback.
"""

import os
import signal
import sys
from types import FrameType

from conformance import EXIT_INTERRUPTED


def run() -> None:
    """Import the kit and run the command; never returns."""
    if os.name != "posix":  # no fcntl, no poll, no process groups
        sys.exit("httplib-kit: this system is not supported; on Windows, install it in WSL")
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, _leave)
    from conformance.cli import main

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main(prog_name="httplib-kit")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"httplib-kit: interrupted\n")
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    run()
