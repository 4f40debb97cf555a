"""Annotations: commands in the log of a CI run that show a failure in the service's overview.

The input is runs.  The output is a line for each cause of failures, in the form that GitHub's
runner reads (``::error title=…::…``).  The runner shows at most ten for each step, so the tenth
line gives the number of further causes and cases.  All text is escaped: it cannot end its line, its
property or its command.
"""

from collections.abc import Iterator, Sequence

from conformance.report.junit import headline
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.standing import Standing, standing
from conformance.report.story import command
from conformance.report.summary import INCOMPLETE
from conformance.wording import counted

MOST = 10
_LONGEST = 1_000


def annotation_lines(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the lines of annotations."""
    found = [(run, cause) for run in runs for cause in run.causes]
    for run in runs:
        if run.head.incomplete:
            title = _property(visible_text(_short(run.head.implementation)))
            problem = visible_text(_short(f"{INCOMPLETE}: {run.head.incomplete}"))
            yield f"::error title={title}::{_data(problem)}"
    shown = found if len(found) <= MOST else found[: MOST - 1]
    for run, cause in shown:
        result, others = cause.example, len(cause.results) - 1
        title = f"{run.head.implementation}: {result.name}"
        title += f" and {counted(others, 'more case')}" if others else ""
        parts = (_short(headline(result)), result.title, command(result, run.head))
        lines = "%0A".join(_data(visible_text(line)) for line in parts)
        kind = "warning" if standing(result) is Standing.FLAKY else "error"
        yield f"::{kind} title={_property(visible_text(_short(title)))}::{lines}"
    rest = found[len(shown) :]
    if rest:
        cases = sum(len(cause.results) for _, cause in rest)
        more = f"{counted(len(rest), 'more cause')}, of {counted(cases, 'failing case')}"
        yield f"::error title=httplib-kit::{more}"
    for run in runs:
        amount = run.score
        if amount.not_judged:
            lines = "%0A".join(map(_data, (amount.text, *amount.reasons)))
            name = _property(visible_text(_short(run.head.implementation)))
            yield f"::notice title={name}::{lines}"


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]} … {len(text) - _LONGEST} characters more"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
