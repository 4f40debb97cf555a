"""The run: every case played against a real server by a driver, judged, and written down.

In: an `Implementation`, cases in any number, and a certificate authority.  Out: a `Result` for each
case, in order.

An implementation that hangs or dies costs its own verdict and about two seconds, never the run.
A `Check` is the whole of it: cases side by side, what a baseline says of the results, and second
runs of what was not expected.  The runner knows neither grids nor sweeps, needs no pytest, and
prints nothing.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.run.result_file import ResultFile, read_results
    from conformance.run.results import Result, RunHead
    from conformance.run.runner import Runner

__all__ = ["Result", "ResultFile", "RunHead", "Runner", "read_results"]

__getattr__ = loader(
    __name__,
    {
        **dict.fromkeys(("Result", "RunHead"), "results"),
        **dict.fromkeys(("ResultFile", "read_results"), "result_file"),
        "Runner": "runner",
    },
)
