"""Sizes are bounded: no text of an implementation, and no body, makes a report large."""

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import CertificateAuthority
from conformance.cases import load_corpus
from conformance.cli.outputs import document
from conformance.drivers import target
from conformance.judge import Verdict
from conformance.report.diff import changes
from conformance.report.junit import junit_xml
from conformance.report.markdown import markdown_text
from conformance.report.runs import Run, read_runs
from conformance.report.story import story
from conformance.results import Result, ResultFile, RunHead
from conformance.results.bounds import (
    MOST,
    MOST_FRAMES,
    bounded,
    kept_frames,
    kept_length,
    kept_lines,
    kept_octets,
    kept_parts,
    kept_text,
)
from conformance.results.result import not_run
from conformance.run import Runner
from conformance.run.background import Background
from conformance.tests.support import EVERY, site_of

CORPUS = load_corpus()
LOUD = """from http.client import *
import http.client
class HTTPConnection(http.client.HTTPConnection):
    def getresponse(self):
        raise HTTPException("A" + "x" * (8 << 20) + "Z")
"""
FILLER = "x" * (8 << 20)


def test_of_frames_the_innermost_are_kept_and_long_texts_shortened() -> None:
    told = [{"file": "x" * 5_000, "line": line, "text": "y" * 5_000} for line in range(100)]
    kept = kept_frames(told)
    assert [one.line for one in kept] == list(range(MOST_FRAMES))
    assert max(len(text) for one in kept for text in (one.file, one.text)) < MOST


@given(st.text(), st.integers(2, 40))
def test_of_a_long_text_both_ends_and_the_digest_are_kept(text: str, most: int) -> None:
    kept = kept_text(text, most)
    if len(text) <= most:
        assert kept == text
    else:
        half = most // 2
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        assert kept.startswith(text[:half])
        assert kept.endswith(text[-half:])
        assert digest in kept
        assert f"{len(text) - 2 * half} of {len(text)} characters left out" in kept


@given(st.binary(max_size=3 * MOST))
def test_of_many_bytes_both_ends_and_the_length_are_kept(octets: bytes) -> None:
    kept = kept_octets(octets)
    assert kept_length(kept) == len(octets)
    for at, part in kept_parts(kept):
        assert octets[at : at + len(part)] == part


def test_long_lines_are_kept_as_lines() -> None:
    text = "".join(f"  > {number:>6}  line\n" for number in range(10_000))
    kept = kept_lines(text)
    assert len(kept) < 8 * MOST
    lines = kept.splitlines()
    assert all(
        re.fullmatch(r"  > +\d+  line|  … \d+ of \d+ .*, SHA-256 \w{64}", one) for one in lines
    )
    assert (lines[0], lines[-1]) == ("  >      0  line", "  >   9999  line")


def sizes(run: Run, directory: Path) -> dict[str, int]:
    """Return how large *run* is in each format."""
    file = directory / "results.jsonl"
    with ResultFile(file) as written:
        written.write([(run.head, run.results)])
    return {
        "results": file.stat().st_size,
        "junit": len(junit_xml([run])),
        "markdown": len(markdown_text([run]).encode()),
        "json": len(document([run])),
        "html": sum(
            len(text.encode())
            for name, text in site_of([run]).items()
            if name.startswith("cases/") or name == "data.js"
        ),
    }


def test_exceptions_of_eight_megabytes_are_small_in_every_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud_http.py").write_text(LOUD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    cases = [one for one in EVERY if one.family == "chunked"][:10]
    with Runner(target("loud_http"), CertificateAuthority()) as runner:
        head = RunHead.of(runner.identity, kit="0", corpus="0")
        results = list(Background(CORPUS).applied(runner.run(iter(cases))))
    assert any(one.failed for one in results)
    run = Run(head, results)
    for name, size in sizes(run, tmp_path).items():
        assert size < 200_000, name
    seen = "".join(one.seen for one in results)
    assert "characters left out, SHA-256 " in seen
    assert max(len("\n".join(story(one, head))) for one in results) < 20_000


def huge(result: Result) -> Result:
    """Return *result* with eight megabytes in each text that an implementation can write."""
    return msgspec.structs.replace(
        result,
        reason=FILLER,
        where="read",
        seen=FILLER,
        accepted=[FILLER],
        trace=[FILLER] * 3,
        transcript=FILLER,
        octets=[kept_octets(FILLER.encode())] * 2,
        did=FILLER,
    )


def test_a_result_is_bounded_whatever_is_in_it(tmp_path: Path) -> None:
    case = EVERY[0]
    result = bounded(huge(not_run(case, Verdict.WRONG_VALUE, "")))
    head = RunHead(kit="0", corpus="0", implementation="x", name="x", version="1", features=[])
    for name, size in sizes(Run(head, [result]), tmp_path).items():
        assert size < 60_000, name


def test_a_name_and_a_version_are_bounded() -> None:
    with Runner(target("httplib_impl"), CertificateAuthority()) as runner:
        identity = runner.identity
    import dataclasses

    loud = dataclasses.replace(identity, name=FILLER, version=FILLER)
    assert len(json.dumps(msgspec.to_builtins(RunHead.of(loud, kit="0", corpus="0")))) < 30_000


def test_clipped_bytes_are_read_back_and_compared(tmp_path: Path) -> None:
    case = EVERY[0]
    found = []
    for index, last in enumerate((b"a", b"b")):
        octets = b"x" * 100_000 + last + b"y" * 100_000
        result = msgspec.structs.replace(
            not_run(case, Verdict.WRONG_VALUE, ""),
            where="read",
            seen=octets.decode(),
            octets=[kept_octets(octets)],
            differs=[0, 0, 200_001],
        )
        head = RunHead(kit="0", corpus="0", implementation="x", name="x", version="1", features=[])
        file = tmp_path / f"{index}.jsonl"
        with ResultFile(file) as written:
            written.write([(head, [bounded(result)])])
        found += read_runs([file])
    before, after = found
    assert before.results[0].octets[0] != after.results[0].octets[0]
    assert len(changes(before, after)) == 1
    text = "\n".join(story(before.results[0], before.head))
    assert f"… {200_001 - MOST} bytes" in text


def test_a_case_that_passes_takes_little_in_every_report(tmp_path: Path) -> None:
    """A whole run has some five thousand cases, and is to be at most 10 MB in each format.

    The site shows what corpus and records say of each case, and is to be at most 60 MB.
    """
    cases = [one for one in EVERY if one.level != "observe"][::60]
    with Runner(target("httplib_impl"), CertificateAuthority()) as runner:
        head = RunHead.of(runner.identity, kit="0", corpus="0")
        results = list(Background(CORPUS).applied(runner.run(iter(cases))))
    alone = sizes(Run(head, []), tmp_path)
    for name, size in sizes(Run(head, results), tmp_path).items():
        assert (size - alone[name]) / len(results) < {"html": 9_000}.get(name, 1_850), name
