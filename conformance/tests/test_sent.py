"""Shown is what was sent: the bytes of a result are those of its own run, under every setting."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, client_cases, load_corpus, swept
from conformance.cases.sweeps import DIMENSIONS
from conformance.drivers import target
from conformance.report.runs import Run
from conformance.report.story import story
from conformance.results import Result, RunHead
from conformance.results.bounds import Clipped, kept_octets
from conformance.run import Runner
from conformance.run.background import Background
from conformance.tests.support import EVERY, RecordingRunner, site_of
from mockserver import Dispatch, Record

CORPUS = load_corpus()
FAMILIES = sorted({case.family for case in EVERY})
_LINE = re.compile(r"  > +(\d+)  .{14}  (.*)\Z")
_ESCAPE = re.compile(r"\\([rnt\\])")
_OCTETS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_DUMP = re.compile(r"[0-9a-f]{2}( [0-9a-f]{2})* +\|.*\|\Z")


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


def sample(family: str) -> Iterator[Case]:
    """Yield cases of *family* under settings, so that each value of each dimension is there."""
    wanted = {(name, value) for name, values in DIMENSIONS.items() for value in values[1:]}
    for case in (one for one in EVERY if one.family == family):
        found = list(swept(case, "each"))
        new = {pair for one in found for pair in one.setting.items()} & wanted
        if new:
            wanted -= new
            yield from found
        if not wanted:
            return


def ran(written: str, cases: list[Case], authority: CertificateAuthority) -> Iterator[Any]:
    for thorough in (False, True):
        with RecordingRunner(target(written), authority, thorough=thorough) as runner:
            results = list(Background(CORPUS).applied(runner.run(iter(cases))))
            records = runner.records
        yield from ((one, records[one.name]) for one in results if one.name in records)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_bytes_of_a_result_are_those_of_its_run(
    family: str, authority: CertificateAuthority
) -> None:
    cases = list(sample(family))
    checked = 0
    for result, record in ran("httplib_impl", cases, authority):
        checked += compare(result, record)
    assert checked or not any(case.script.connections for case in cases)


def test_the_bytes_of_a_client_s_result_are_those_of_its_run(
    authority: CertificateAuthority,
) -> None:
    cases = list(client_cases(case for case in EVERY if case.family == "persistence"))[:20]
    several = [one for one in EVERY if one.fetch and len(one.script.connections) > 1]
    cases += client_cases(several[:10])
    varied = [one for case in cases for one in swept(case, "each")]
    done = [
        compare(result, record)
        for result, record in ran("client:urllib.request", varied, authority)
    ]
    assert sum(done) > len(varied) / 2


def compare(result: Result, record: Record) -> bool:
    """Hold what *result* shows against *record*; tell whether there was anything to compare."""
    sent = [one.sent for one in record.connections]
    shown = result.octets
    if result.transcript:
        assert shown == [kept_octets(one) for one in sent], result.name
        told = transcribed(result.transcript)
        for kept, text in zip(shown, told, strict=True):
            if text is not None and not isinstance(kept, Clipped):
                assert kept == text, result.name
    elif shown:
        # A client may leave while the server writes; what it was about to write counts.
        pairs = zip(shown, sent, record.connections, strict=True)
        for kept, octets, connection in pairs:
            text = octets.decode("latin-1")
            cut = connection.unplayed and not isinstance(connection.unplayed[0], Dispatch)
            assert isinstance(kept, str)
            assert kept.startswith(text) if cut else kept == text, result.name
    return any(sent) and bool(shown)


def transcribed(transcript: str) -> Iterator[str | None]:
    """Yield what *transcript* says that was sent on each connection; None for what is a dump."""
    for part in re.split(r"(?m)^connection \d+\n", transcript)[1:]:
        found = [match for match in map(_LINE.match, part.split("\n")) if match]
        if "left out, SHA-256" in part or any(map(is_no_text, found)):
            yield None
        else:
            yield "".join(_ESCAPE.sub(lambda one: _OCTETS[one[1]], one[2]) for one in found)


def is_no_text(line: re.Match[str]) -> bool:
    return bool(_DUMP.match(line[2])) or "bytes more" in line[2]


@pytest.mark.parametrize(
    ("dimension", "value"),
    [(name, value) for name, all_ in DIMENSIONS.items() for value in all_[1:]],
)
def test_a_story_shows_the_exchange_that_came_before(
    dimension: str, value: str, authority: CertificateAuthority
) -> None:
    cases = [
        one
        for case in CORPUS.select(["chunked.size-line.*"])
        for one in swept(case, "each")
        if one.setting == {dimension: value}
    ]
    assert cases or dimension == "end"
    with Runner(target("httplib_impl"), authority, thorough=True) as runner:
        head = RunHead.of(runner.identity, kit="0", corpus="0")
        for result in Background(CORPUS).applied(runner.run(iter(cases[:5]))):
            text = "\n".join(story(result, head))
            page = site_of([Run(head, [result])])
            page_text = page[f"cases/{result.id}.html"]
            assert ("kept open" in text) == (value == "kept")
            assert ("kept open" in page_text.partition("The wire")[0]) == (value == "kept")


def test_where_nothing_was_sent_nothing_is_shown(authority: CertificateAuthority) -> None:
    case = next(one for one in EVERY if one.needs and one.script.connections)
    with Runner(target("client:urllib.request"), authority) as runner:
        result = runner.run_case(case)
    (told,) = Background(CORPUS).applied([result])
    assert told.verdict in ("UNSUPPORTED", "PASS")
    assert bool(told.octets) == (told.verdict == "PASS")
