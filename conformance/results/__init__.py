"""Results: what a run stores, and how it compares with a baseline.

The input is judged cases.  The output is `Result` values and the files that keep them: result
files, baselines of known failures, and golden records (`golden`).  Nothing here runs a case.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.results.result import Result, RunHead
    from conformance.results.result_file import ResultFile, read_results

__all__ = ["Result", "ResultFile", "RunHead", "read_results"]

__getattr__ = loader(
    __name__,
    {
        **dict.fromkeys(("Result", "RunHead"), "result"),
        **dict.fromkeys(("ResultFile", "read_results"), "result_file"),
    },
)
