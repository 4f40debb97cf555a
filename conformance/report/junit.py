"""JUnit XML, for CI servers and their plugins.

The input is runs.  The output is the bytes of one XML document, with a ``testsuite`` for each run
and a ``testcase`` for each result; requirement and bytes sent are properties.  A character that XML
does not allow is shown by its name.  Elements and times are those of Maven's Surefire, which CI
services read: ``flakyFailure`` for a case that is as expected when it is run again, so that it
counts as passed, and ``rerunFailure`` for one that then fails in another way.  Times are 0 in a run
without ``--times``, so the same results give the same document.
"""

from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from conformance.report.octets import visible, visible_text
from conformance.report.runs import Run
from conformance.report.standing import Standing, standing
from conformance.report.story import command, place, story
from conformance.report.summary import INCOMPLETE
from conformance.results import Clipped, Overlay, Result, RunHead, kept_parts, left_out

_ELEMENTS = {
    Standing.FAILED: "failure",
    Standing.ERROR: "error",
    Standing.SKIPPED: "skipped",
    Standing.EXPECTED: "skipped",
    Standing.FLAKY: "flakyFailure",
}


_STORIES = 5
"""Cases of a cause that have a story."""


def junit_xml(runs: Sequence[Run]) -> bytes:
    """Return the document."""
    root = ET.Element("testsuites", name="httplib-kit")
    for run in runs:
        _suite(root, run)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(root: ET.Element, run: Run) -> None:
    found = [effective(result, run.head) for result in run.results]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=visible_text(f"httplib-kit: {run.head.implementation}"),
        tests=str(len(found) + bool(run.head.incomplete)),
        failures=str(found.count(Standing.FAILED)),
        errors=str(found.count(Standing.ERROR) + bool(run.head.incomplete)),
        skipped=str(sum(_ELEMENTS.get(stands) == "skipped" for stands in found)),
        time=_time(sum(result.seconds for result in run.results)),
    )
    _properties(suite, (*_of_run(run.head), *_of_score(run)))
    if run.head.incomplete:
        # An incomplete run is a test that ended in an error, which every service that reads JUnit
        # XML shows.
        name = visible_text(f"{run.head.name}.run")
        case = ET.SubElement(suite, "testcase", classname=name, name="complete", time=_time(0))
        problem = f"{INCOMPLETE}: {visible_text(run.head.incomplete)}"
        ET.SubElement(case, "error", message=problem, type=INCOMPLETE)
    examples = dict(examples_of(run))
    for result, stands in zip(run.results, found, strict=True):
        case = ET.SubElement(
            suite,
            "testcase",
            classname=visible_text(f"{run.head.name}.{result.family}"),
            name=visible_text(result.name),
            time=_time(result.seconds),
        )
        _properties(case, _of_result(result, run.head))
        if stands in _ELEMENTS:
            _complaint(case, _ELEMENTS[stands], result, run.head, examples.get(id(result)))
        if stands is Standing.FAILED and result.again is not None:
            again = result.again
            _run_again(case, "rerunFailure", again.verdict, again.reason or again.seen, [])


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def effective(result: Result, head: RunHead) -> Standing:
    """Return the standing of *result*; a flaky case is a failure if the run has `fail_on_flaky`."""
    stands = standing(result)
    return Standing.FAILED if stands is Standing.FLAKY and head.fail_on_flaky else stands


def _of_run(head: RunHead) -> Iterator[tuple[str, str]]:
    yield "kit", head.kit
    yield "corpus", head.corpus
    yield "implementation", head.implementation
    yield "name", head.name
    yield "version", head.version
    for feature in head.features:
        yield "feature", feature
    for key in ("shard", "set", "incomplete"):
        if getattr(head, key):
            yield key, getattr(head, key)
    for line in head.outside:
        yield "not-judged", line


def _of_score(run: Run) -> Iterator[tuple[str, str]]:
    found = run.score
    yield "score", found.text
    for line in found.reasons:
        yield "not-run", line


def _of_result(result: Result, head: RunHead) -> Iterator[tuple[str, str]]:
    yield "case", result.id
    yield "rev", str(result.rev)
    yield "title", result.title
    yield "verdict", result.verdict
    yield "level", result.level
    for name, value in sorted(result.setting.items()):
        yield name, value
    for name in result.spec:
        text = head.requirements.get(name)
        yield "requirement", f"{name}: {text}" if text else name
    for key in ("basis", "overlay", "known", "link", "where", "call", "seen", "twin"):
        if getattr(result, key):
            yield key, getattr(result, key)
    for accepted in result.accepted:
        yield "accepted", accepted
    for octets in result.octets:
        gap = f" … {left_out(octets)} … " if isinstance(octets, Clipped) else ""
        yield "bytes", gap.join(visible(part) for _, part in kept_parts(octets))


def _properties(parent: ET.Element, named: Iterable[tuple[str, str]]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in named:
        shown = value if name == "bytes" else visible_text(value)
        ET.SubElement(properties, "property", name=visible_text(name), value=shown)


def examples_of(run: Run) -> Iterator[tuple[int, Result]]:
    """Yield each failure that has no story of its own, and the example of its cause.

    A client that is new to the kit may fail thousands of cases of a few causes, and a service
    refuses a document of many megabytes.
    """
    for cause in run.causes:
        for part in cause.parts or (cause,):
            others = [one for one in part.results if one is not part.example]
            yield from ((id(one), part.example) for one in others[_STORIES - 1 :])


def _complaint(
    case: ET.Element, element: str, result: Result, head: RunHead, example: Result | None
) -> None:
    message = visible_text(headline(result))
    if element == "skipped":
        ET.SubElement(case, element, message=message)
    elif element == "flakyFailure":
        _run_again(case, element, result.verdict, headline(result), account(result, head, None))
    else:
        body = ET.SubElement(case, element, message=message, type=result.verdict)
        body.text = "\n".join(account(result, head, example))


def _run_again(
    case: ET.Element, element: str, verdict: str, message: str, lines: Sequence[str]
) -> None:
    """Add an attempt that was not the only one; its text is in an element of its own."""
    body = ET.SubElement(case, element, message=visible_text(message), type=verdict)
    ET.SubElement(body, "stackTrace").text = "\n".join(lines) or visible_text(message)


def account(result: Result, head: RunHead, example: Result | None) -> list[str]:
    """Return the story of *result*; if it has an *example*, one line that names that."""
    if example is None:
        return story(result, head)
    again = f"again: {command(result, head)}"
    return [visible_text(f"the same cause as {example.name}; {again}")]


def headline(result: Result) -> str:
    """Return what is wrong with *result*, in one line."""
    verdict = f"{result.overlay} {result.verdict}".lstrip()
    if result.overlay == Overlay.EXPECTED:
        return f"{verdict}: {result.known}"
    if result.reason:
        return f"{verdict}: {result.reason}"
    if not result.where:
        return f"{verdict}: {result.known or result.title}"
    return f"{verdict} at {place(result)}: {result.seen}"
