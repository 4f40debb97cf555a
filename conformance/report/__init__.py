"""Reports for people and for CI services, made from results alone.

The input is a `RunHead` and `Result` values.  The output is text.  Nothing here runs a case, and
the same results always give the same report: it contains no times and no port numbers, and its
order is that of the cases.

Results contain untrusted text: from an implementation, a server's record, or a file.  Every report
shows each character of it visibly (`octets`), and none of it can act as markup or as a command.
"""

from conformance.report.matrix import matrix
from conformance.report.octets import visible
from conformance.report.runs import NoReport, Run, read_runs
from conformance.report.standing import exit_code
from conformance.report.story import story
from conformance.report.summary import summary

__all__ = ["NoReport", "Run", "exit_code", "matrix", "read_runs", "story", "summary", "visible"]
