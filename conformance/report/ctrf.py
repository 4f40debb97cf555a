"""CTRF, the Common Test Report Format: JSON that many dashboards and pull request tools read.

The input is runs.  The output is one document, as bytes, with a test for each result; the first
element of its suite is the implementation.  Times are 0 in a run without ``--times``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.cases import Corpus
from conformance.report.junit import account, effective, examples_of, headline
from conformance.report.locations import location_of
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.standing import Standing
from conformance.report.summary import INCOMPLETE
from conformance.results import Result, RunHead

_STATUS = {
    Standing.OK: "passed",
    Standing.FLAKY: "passed",
    Standing.FAILED: "failed",
    Standing.ERROR: "failed",
    Standing.SKIPPED: "skipped",
    Standing.EXPECTED: "skipped",
}
_STATUSES = ("passed", "failed", "skipped", "pending", "other")


def ctrf_json(runs: Sequence[Run], corpus: Corpus) -> bytes:
    """Return the document."""
    tests = [test for run in runs for test in _tests(run, corpus)]
    counts = Counter(test["status"] for test in tests)
    start = 1000 * min((run.head.started for run in runs), default=0)
    duration = sum(test["duration"] for test in tests)
    document = {
        "reportFormat": "CTRF",
        "specVersion": "0.1.0",
        "generatedBy": "httplib-kit",
        "results": {
            "tool": {"name": "httplib-kit", "version": runs[0].head.kit if runs else ""},
            "summary": {
                "tests": len(tests),
                **{status: counts[status] for status in _STATUSES},
                "flaky": sum("flaky" in test for test in tests),
                "suites": len(runs),
                "start": start,
                "stop": start + duration,
                "duration": duration,
            },
            "tests": tests,
        },
    }
    return json.dumps(document, indent=1).encode("ascii") + b"\n"


def _tests(run: Run, corpus: Corpus) -> Iterator[dict[str, Any]]:
    if run.head.incomplete:
        problem = visible_text(f"{INCOMPLETE}: {run.head.incomplete}")
        suite = [visible_text(run.head.implementation)]
        yield {
            "name": "complete",
            "status": "failed",
            "duration": 0,
            "suite": suite,
            "message": problem,
            "rawStatus": INCOMPLETE,
        }
    examples = dict(examples_of(run))
    for result in run.results:
        yield _test(result, run.head, corpus, examples.get(id(result)))


def _test(result: Result, head: RunHead, corpus: Corpus, example: Result | None) -> dict[str, Any]:
    stands = effective(result, head)
    place = location_of(corpus, result, head)
    test: dict[str, Any] = {
        "name": visible_text(result.name) or "(no name)",
        "status": _STATUS[stands],
        "duration": round(1000 * result.seconds),
        "suite": [visible_text(head.implementation), visible_text(result.family)],
        "rawStatus": f"{result.overlay} {result.verdict}".lstrip(),
        "tags": [result.weight],
        "type": "conformance",
        "filePath": visible_text(place.path),
        "line": place.line,
        "extra": {"rev": result.rev, "title": visible_text(result.title)},
    }
    if stands is not Standing.OK:
        test["message"] = visible_text(headline(result))
    if stands in (Standing.FAILED, Standing.ERROR):
        test["trace"] = "\n".join(account(result, head, example))
    if stands is Standing.FLAKY:
        first = {"attempt": 1, "status": "failed", "message": test.pop("message")}
        first["trace"] = "\n".join(account(result, head, None))
        test |= {"flaky": True, "retries": 1, "retryAttempts": [first]}
    return test
