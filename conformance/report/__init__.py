"""Reports: what a person or a pipeline reads, made from results alone.

In: a `RunHead` and `Result` values.  Out: text.  Nothing here runs a case, and the same results
always give the same report: no times, no port numbers, no order but that of the cases.

Results come from strangers: an implementation, a server's record, a file.  Every report shows every
character of them (`octets`) and lets none of them act.
"""

from conformance.report.matrix import matrix
from conformance.report.octets import visible
from conformance.report.runs import NoReport, Run, read_runs
from conformance.report.standing import exit_code
from conformance.report.story import story
from conformance.report.summary import summary

__all__ = ["NoReport", "Run", "exit_code", "matrix", "read_runs", "story", "summary", "visible"]
