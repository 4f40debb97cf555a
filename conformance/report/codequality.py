"""Code quality as GitLab reads it: each failure, at the line of its case.

The input is runs.  The output is one JSON document, as bytes: a list, which GitLab compares with
that of the target branch by the fingerprints, so that a merge request shows what is new and what is
gone.  A failure that a baseline lists is left out, as is an error of the kit or of the driver.
"""

import json
from collections.abc import Iterator, Sequence

from conformance.cases import Corpus
from conformance.report.junit import effective, headline
from conformance.report.locations import location_of
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.sarif import fingerprint, risk_of
from conformance.report.standing import Standing

_SEVERITIES = {
    "documented": "major",
    "must": "major",
    "guard": "major",
    "precedent": "minor",
    "should": "minor",
}
"""The severity of a failure by its weight; one that is a risk for security is ``critical``."""


def code_quality_json(runs: Sequence[Run], corpus: Corpus) -> bytes:
    """Return the document."""
    found = [entry for run in runs for entry in _entries(run, corpus)]
    return json.dumps(found, indent=1).encode("ascii") + b"\n"


def _entries(run: Run, corpus: Corpus) -> Iterator[dict[str, object]]:
    for result in run.results:
        stands = effective(result, run.head)
        if stands not in (Standing.FAILED, Standing.FLAKY):
            continue
        place, name = location_of(corpus, result, run.head), visible_text(run.head.name)
        severity = _SEVERITIES.get(result.weight, "info")
        if risk_of(result):
            severity = "critical"
        yield {
            "description": visible_text(f"{name}: {result.name}: {headline(result)}"),
            "check_name": result.verdict,
            "fingerprint": fingerprint(run.head.implementation, result.name, result.verdict),
            "severity": "info" if stands is Standing.FLAKY else severity,
            "location": {
                "path": visible_text(place.path) or ".",
                "lines": {"begin": place.line},
            },
        }
