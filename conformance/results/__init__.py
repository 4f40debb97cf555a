"""Results: what a run stores, and how it compares with a baseline.

The input is judged cases.  The output is `Result` values and the files that keep them: result
files, baselines of known failures, and golden records (`golden`).  Nothing here runs a case.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.results.baseline import (
        Baseline,
        BaselineError,
        Entry,
        baseline_source,
        baseline_text,
        parse_baseline,
        read_baseline,
    )
    from conformance.results.bounds import (
        Clipped,
        Kept,
        bounded,
        kept_frames,
        kept_length,
        kept_octets,
        kept_parts,
        left_out,
    )
    from conformance.results.causes import Cause, differing_lines, grouped
    from conformance.results.overlay import Listing, is_unexpected
    from conformance.results.result import (
        Again,
        Overlay,
        Result,
        RunHead,
        not_run,
        result_of,
        with_script,
        without_port,
    )
    from conformance.results.result_file import ResultFile, read_results, stamped
    from conformance.results.scope import Scope, ScopeError
    from conformance.results.shard import Shard
    from conformance.results.shipped import shipped_baseline, shipped_directory
    from conformance.results.update import check_width, updated

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "baseline": (
                "Baseline BaselineError Entry baseline_source baseline_text parse_baseline "
                "read_baseline"
            ),
            "bounds": (
                "Clipped Kept bounded kept_frames kept_length kept_octets kept_parts left_out"
            ),
            "causes": "Cause differing_lines grouped",
            "overlay": "Listing is_unexpected",
            "result": ("Again Overlay Result RunHead not_run result_of with_script without_port"),
            "result_file": "ResultFile read_results stamped",
            "scope": "Scope ScopeError",
            "shard": "Shard",
            "shipped": "shipped_baseline shipped_directory",
            "update": "check_width updated",
        },
    )
