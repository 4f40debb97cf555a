"""The judge: a pure function from a case and an observation to a verdict.

`judge` takes a `Case`, the `Observation` of one run of it, and, for the profile ``httplib``, the
features that the driver declared. It returns a `Judgement`. The judge opens no file or socket, does
not wait, and treats every implementation alike.
"""

from typing import TYPE_CHECKING

from conformance.judge.arrivals import CONNECT
from conformance.judge.client import (
    NO_ANSWER,
    did_in,
    did_of,
    error_text,
    is_late,
    late_entry,
    response_text,
    result_text,
)
from conformance.judge.judge import entry_text, expectation_text, judge, trace_lines
from conformance.judge.observation import ConnectionFacts, Observation
from conformance.judge.session import asks, expectations, judge_late
from conformance.judge.verdicts import ERRORS, FAILURES, NOT_RUN, OK, Judgement, Mismatch, Verdict
from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.judge.error_map import (
        KNOWN_ERRORS,
        ErrorMapError,
        checked_error_map,
        parse_error_map,
        read_error_map,
    )
    from conformance.judge.forms import error_names

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "error_map": (
                "ErrorMapError KNOWN_ERRORS checked_error_map parse_error_map read_error_map"
            ),
            "forms": "error_names",
        },
    )
