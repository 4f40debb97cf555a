"""Reports: what a person or a pipeline reads, made from results alone.

In: a `RunHead` and `Result` values.  Out: text.  Nothing here runs a case, and the same results
always give the same report: no times, no port numbers, no order but that of the cases.
"""

from conformance.report.octets import visible
from conformance.report.summary import exit_code, story, summary

__all__ = ["exit_code", "story", "summary", "visible"]
