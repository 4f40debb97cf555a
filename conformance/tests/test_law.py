"""One law for the same bytes, and for bytes of the same kind: what the cases expect of any client.

Two readings check each other. The scripts of all cases are grouped by what the server does, and
cases of one group must expect the same. And an independent parser names the rules that each
response breaks; strength and results must be those of the law for these rules.
"""

import gzip
import re
import zlib
from collections import defaultdict

import pytest

from conformance.cases import (
    ACCEPTED,
    EITHER,
    LAW,
    REJECTED,
    UNSAID,
    Case,
    client_case,
    client_cases,
    fixtures_directory,
    law_of,
    load_corpus,
    rules_broken,
    sections_of,
)
from conformance.cases.casefile import load_text
from conformance.cases.grammar import (
    CHUNKS,
    FIELDS,
    INTERIM,
    LAST_CHUNKS,
    LEFTOVERS,
    ODD_CHUNKS,
    ODD_CODINGS,
    ODD_FIELDS,
    ODD_INTERIM,
    ODD_LAST_CHUNKS,
    ODD_LENGTHS,
    ODD_STATUS_LINES,
    STATUS_LINES,
)
from conformance.cases.law import Reading, reading_of
from conformance.cases.model import Accept, Fetch, Reject
from conformance.cases.octets import fill
from conformance.cases.scripts import script_key
from conformance.tests.support import EVERY
from mockserver import (
    Close,
    Drain,
    ExpectEof,
    Pause,
    ReadRequest,
    Reply,
    Shutdown,
    Step,
    WritingStep,
    pieces_of,
)

CASES = [case for case in EVERY if case.fetch is not None]
MOST = 200_000
"""Bytes of a response that is read here; longer ones are long bodies."""
ENDS = {"fin": "fin", "rst": "rst", "abandon": "open"}


def answer(case: Case) -> tuple[bytes, str] | None:
    """Return what the server sends in answer to one request, and how it ends; None if unclear."""
    connections = client_case(case).script.connections
    if not connections:  # which route answers depends on the request
        return None
    first, *steps = connections[0].steps
    sent: list[bytes] = []
    end = "open"
    for step in steps if isinstance(first, ReadRequest) else [first]:
        if isinstance(step, WritingStep):
            sent += [piece.data for piece in pieces_of(step)]
        elif not isinstance(step, Close | Shutdown | Drain | Pause | ExpectEof):
            return None
        end = ended(step) or end
    octets = b"".join(sent)
    return (octets, end) if len(octets) <= MOST else None


def ended(step: Step) -> str:
    if isinstance(step, Close):
        return ENDS[step.how]
    closes = isinstance(step, Reply) and step.framing == "close"
    return "fin" if closes or isinstance(step, Shutdown) else ""


def results_of(fetch: Fetch) -> frozenset[str]:
    kinds = ["reject" if isinstance(one, Reject) else "accept" for one in fetch.results]
    return frozenset(kinds)


def difference(one: Fetch, other: Fetch) -> str:
    """Return in what two expectations for the same bytes contradict each other; else nothing."""
    if one.strength != other.strength:
        return f"{one.strength}, {other.strength}"
    if results_of(one) != results_of(other):
        return "other results"
    rejects = [{r.categories for r in f.results if isinstance(r, Reject)} for f in (one, other)]
    if rejects[0] != rejects[1]:
        return "other categories"
    accepts = [[r for r in f.results if isinstance(r, Accept)] for f in (one, other)]
    if len(accepts[0]) != len(accepts[1]):
        return "other responses"
    pairs = zip(*accepts, strict=True)
    return "" if all(agree(*pair) for pair in pairs) else "other responses"


def agree(one: Accept, other: Accept) -> bool:
    parts: list[tuple[object, object]] = [
        (one.status, other.status),
        (one.reason, other.reason),
        (one.body, other.body),
    ]
    shared = one.headers.keys() & other.headers.keys()
    parts += [(one.headers[name], other.headers[name]) for name in shared]
    return all(left == right or None in (left, right) for left, right in parts)


def contradictions(cases: list[Case]) -> dict[str, str]:
    """Return what is wrong with each case that contradicts an earlier one with the same script."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[script_key(case, segments=False)].append(case)
    return {
        case.id: f"{found}: {first.id}"
        for first, *others in groups.values()
        for case in others
        if first.fetch and case.fetch and (found := difference(first.fetch, case.fetch))
    }


def test_no_two_cases_expect_other_things_of_a_client_for_the_same_bytes() -> None:
    assert not contradictions(CASES)


def test_the_expectation_for_broken_bytes_is_that_of_the_rule_they_break() -> None:
    found = {}
    for case in CASES:
        told = answer(case)
        if case.fetch is None or told is None:
            continue
        rules = rules_broken(*told)
        law, own = law_of(rules), (case.fetch.strength, results_of(case.fetch))
        if law is not None and law != own:
            found[case.id] = (rules, law, own)
    assert not found


def test_an_expectation_cites_a_section_of_the_rule_that_is_broken() -> None:
    found = {}
    for case in CASES:
        told = answer(case)
        rules = rules_broken(*told) if told is not None else []
        if case.fetch is None or len(rules) != 1 or rules[0] in UNSAID:
            continue
        sections = LAW[rules[0]].sections
        if not any(cites(one, section) for one in case.fetch.rfc for section in sections):
            found[case.id] = (rules, case.fetch.rfc)
    assert not found


def cites(section: str, wanted: str) -> bool:
    return section == wanted or section.startswith(f"{wanted}.")


def test_every_rule_is_broken_by_some_case() -> None:
    used = {tuple(rules_broken(*told)) for case in CASES if (told := answer(case)) is not None}
    assert set(LAW) - {rule for rules in used for rule in rules} == {"well-formed"}
    assert () in used


def test_most_expectations_are_covered_by_the_law() -> None:
    named = [law_of(rules_broken(*told)) for case in CASES if (told := answer(case)) is not None]
    assert sum(law is not None for law in named) > 0.9 * len(CASES)


def test_a_client_plays_each_script_once() -> None:
    played = list(client_cases(CASES))
    assert len({script_key(case) for case in played}) == len(played)
    assert {script_key(case) for case in played} == {script_key(case) for case in CASES}
    chosen = [case for case in load_corpus().select().for_clients() if case.fetch is not None]
    assert [case.id for case in chosen] == [case.id for case in played]


def test_of_the_cases_with_one_script_the_one_that_compares_most_is_played() -> None:
    same = ["chunked.one-chunk", "status-line.valid.1-1.off", "headers.getheaders.tuples"]
    chosen = [case for case in CASES if case.id in same]
    assert [case.id for case in client_cases(chosen)] == same[:2]


TWO = """
family = "chunked"
[[case]]
id = "chunked.a"
title = "One"
level = "guard"
spec = ["HTTPResponse.read"]
why = "x"
respond = "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n"
fetch = { strength = "must", expect = ["reject"] }
[[case.outcome]]
read = "x"
[[case]]
id = "chunked.b"
title = "Two"
level = "guard"
spec = ["HTTPResponse.read"]
why = "x"
connections = [[
  { read_request = {} }, { send = "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" },
  { send = "zz\\r\\n" }, { close = "fin" },
]]
fetch = EXPECTATION
[[case.outcome]]
read = "x"
"""


@pytest.mark.parametrize(
    ("expectation", "wrong"),
    [
        ('{ strength = "must", expect = ["reject"] }', False),
        ('{ strength = "should", expect = ["reject"] }', True),
        ('{ strength = "must", expect = ["reject", { accept = { status = 200 } }] }', True),
        ('{ strength = "must", expect = [{ accept = { status = 200 } }] }', True),
        ('{ strength = "must", expect = [{ reject = "bad-framing" }] }', True),
    ],
)
def test_a_contradiction_is_found_however_the_bytes_are_written(
    expectation: str, wrong: bool
) -> None:
    cases = load_text(TWO.replace("EXPECTATION", expectation), "x.toml")
    assert bool(contradictions(list(cases))) == wrong


def gzipped(content: bytes) -> bytes:
    """Return the same bytes at any time: they are part of the names of tests."""
    return gzip.compress(content, mtime=0)


HEAD = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n\r\nhello"
TWICE = gzipped(zlib.compress(b"a"))
CODED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
AFTER = b"\r\n\r\nhello"
BROKEN = {
    b"HTTP/1.1 2": "no-final-status",
    b"HTTP/1.1 100 Continue\r\n\r\n": "no-final-status",
    b"HTTP/1.1 100 Continue\r\nX-In": "no-final-status",
    b"HTTP/1.1 200 O": "head.cut",
    HEAD + b"Content-Le": "head.cut",
    b"HTTP/1.1  200 OK\r\n" + FIVE: "status-line.whitespace",
    b"HTTP/1.1 200\r\n" + FIVE: "status-line.whitespace",
    b" HTTP/1.1 200 OK\r\n" + FIVE: "status-line.whitespace",
    b"HTTP/1.1 20 OK\r\n" + FIVE: "status-line.invalid",
    b"HTTP/1.1 200.0 OK\r\n" + FIVE: "status-line.invalid",
    b"ICY 200 OK\r\n" + FIVE: "status-line.invalid",
    b"HTTP/1.7 200 OK\r\n" + FIVE: "version.higher-minor",
    b"HTTP/2.0 200 OK\r\n" + FIVE: "version.other",
    b"http/1.1 200 OK\r\n" + FIVE: "version.other",
    b"HTTP/1.1 099 OK\r\n" + FIVE: "code.outside-the-classes",
    b"HTTP/1.1 600 OK\r\n" + FIVE: "code.outside-the-classes",
    b"HTTP/1.1 200 OK\n" + FIVE: "bare-lf",
    HEAD + b"A: 1\n" + FIVE: "bare-lf",
    HEAD + b"A: 1\rB: 2\r\n" + FIVE: "bare-cr-or-nul",
    HEAD + b"A: \x00\r\n" + FIVE: "bare-cr-or-nul",
    b"HTTP/1.1 200 O\rK\r\n" + FIVE: "bare-cr-or-nul",
    HEAD + b"A: \x01\r\n" + FIVE: "control-character",
    HEAD + b" A: 1\r\n" + FIVE: "blank-before-fields",
    HEAD + b"A : 1\r\n" + FIVE: "field-line.invalid",
    HEAD + b"no colon\r\n" + FIVE: "field-line.invalid",
    HEAD + b": 1\r\n" + FIVE: "field-line.invalid",
    HEAD + b"A: 1\r\n 2\r\n" + FIVE: "fold",
    HEAD + b"A: 1\r\n" * 100 + FIVE: "limit",
    HEAD + b"A: " + b"a" * 5_000 + b"\r\n" + FIVE: "limit",
    b"HTTP/1.0 100 Continue\r\n\r\n" + HEAD + FIVE: "interim.http-1-0",
    b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + HEAD + FIVE: "interim.close",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n": "switching",
    HEAD + b"Content-Length: 5_0\r\n\r\nhello": "content-length.invalid",
    HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello": "content-length.invalid",
    HEAD + b"Content-Length: 5\r\n" + FIVE: "content-length.repeated",
    HEAD + b"Transfer-Encoding: gzip\r\n\r\nhello": "coding.unknown",
    HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n": "coding.unknown",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "coding.http-1-0",
    HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n": "coding-and-length",
    b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n": "coding-without-body",
    HEAD + b"Content-Length: 5\r\n\r\nhell": "body.cut",
    CODED + b"5\r\nhel": "body.cut",
    CODED + b"5\r\nhello\r\n": "body.cut",
    CODED + b"zz\r\n": "chunk-size.unreadable",
    CODED + b"-5\r\nhello\r\n0\r\n\r\n": "chunk-size.unreadable",
    CODED + b"\r\n": "chunk-size.unreadable",
    CODED + b"0x5\r\nhello\r\n0\r\n\r\n": "chunk-size.readable",
    CODED + b"5_0\r\nhello\r\n0\r\n\r\n": "chunk-size.readable",
    CODED + b" 5\r\nhello\r\n0\r\n\r\n": "chunk-size.readable",
    CODED + b"5 \r\nhello\r\n0\r\n\r\n": "chunk-size.blank-after",
    CODED + b"5\nhello\r\n0\r\n\r\n": "chunk-line-end",
    CODED + b"5\r\nhelloXX0\r\n\r\n": "chunk-data-end",
    CODED + b"5;=\r\nhello\r\n0\r\n\r\n": "chunk-extension",
    CODED + b"5\r\nhello\r\n0\r\n": "last-chunk.cut",
    CODED + b"0\r\nContent-Length: 5\r\n\r\n": "trailer.forbidden",
    HEAD + b"Content-Encoding: br\r\n" + FIVE: "content-coding.not-examined",
    HEAD + b"Content-Encoding: identity\r\n" + FIVE: "content-coding.unknown",
    HEAD + b"Content-Encoding: gzip\r\n" + FIVE: "content-coding.damaged",
    HEAD + b"Content-Encoding: gzip\r\n\r\n": "content-coding.damaged",
    HEAD + b"Content-Encoding: X-GZIP\r\n\r\n" + gzipped(b"a"): "content-coding",
    HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b"a") * 2: "content-coding",
    HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b"a")[:-1]: "content-coding.damaged",
    HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b"a") + b"b": "content-coding.damaged",
    HEAD + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"a"): "content-coding",
    HEAD + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"a") * 2: "content-coding.damaged",
    HEAD + b"Content-Encoding: deflate, gzip\r\n\r\n" + TWICE: "content-coding",
    HEAD + b"Content-Encoding: gzip, deflate\r\n\r\n" + TWICE: "content-coding.damaged",
    HEAD + FIVE + b"more": "leftovers",
    b"HTTP/1.1 100 Continue\r\n\r\nhello\r\n": "interim.no-status-line-after",
    HEAD + b"Content-Length: 5\rX: 1\r\n\r\nhello": "bare-cr-or-nul.name-or-framing",
    HEAD + b"Content-Type: a/b\r\nContent-Type: c/d\r\n" + FIVE: "singleton.repeated",
    HEAD + b"Content-MD5: AAAA\r\n" + FIVE: "content-digest",
    b"HTTP/1.1 206 Partial Content\r\n" + FIVE: "range.not-asked-for",
    b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-4/9\r\n" + FIVE: "range.not-asked-for",
    b"HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n": "content-length.without-body",
    HEAD + b"Content-Length: 5,\r\n\r\nhello": "content-length.empty-item",
    HEAD + b"Content-Length: 5, 05\r\n\r\nhello": "content-length.zeros",
    HEAD + b"Content-Length: " + b"0" * 30 + b"5\r\n\r\nhello": "content-length.zeros",
    CODED + b"zz": "chunk-size.cut",
    CODED + b"0" * 30 + b"\r\n\r\n": "chunk-size.zeros",
}
WELL_FORMED = [
    HEAD + FIVE,
    HEAD + b"\r\nhello",
    b"HTTP/1.0 200 \r\n" + FIVE,
    b"HTTP/1.1 200  OK \r\n" + FIVE,
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + HEAD + FIVE,
    HEAD + b'transfer-encoding: , ChUnKeD ,\r\n\r\n5;a="b;c"\r\nhello\r\n00\r\nT: 1\r\n\r\n',
]


@pytest.mark.parametrize(("sent", "rule"), BROKEN.items())
def test_the_rule_that_bytes_break_is_named(sent: bytes, rule: str) -> None:
    assert rules_broken(sent, "fin") == [rule]


@pytest.mark.parametrize("sent", WELL_FORMED)
def test_a_well_formed_response_breaks_none(sent: bytes) -> None:
    assert not rules_broken(sent, "fin")


def test_content_of_more_than_100_times_its_coded_size_can_be_beyond_a_limit() -> None:
    sent = HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b"a" * 10_000)
    assert rules_broken(sent, "fin") == ["limit"]


def test_the_bodies_that_are_accepted_of_coded_content_are_the_decoded_and_the_sent() -> None:
    found = 0
    for case in CASES:
        told = answer(case)
        if case.fetch is None or told is None:
            continue
        reading = reading_of(*told)
        bodies = [one.body for one in case.fetch.results if isinstance(one, Accept)]
        if "content-coding" in reading.broken and None not in bodies:
            plain, sent = (fill(one.pieces, "", 0) for one in bodies if one is not None)
            assert (plain, sent) == (reading.contents[-1], reading.contents[0]), case.id
            found += 1
    assert found > 20


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_stored_blocks_show_the_text_that_a_decoder_returns(coding: str) -> None:
    cases = [case for case in CASES if case.id.startswith(f"codings.whole.{coding}.")]
    for case in cases:
        assert case.fetch is not None
        plain, sent = (
            fill(one.body.pieces, "", 0)
            for one in case.fetch.results
            if isinstance(one, Accept) and one.body is not None
        )
        assert plain in sent
    assert cases


def test_nothing_is_said_of_text_for_which_http_1_0_announces_chunks() -> None:
    sent = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"
    assert "coding.http-1-0.not-chunks" in rules_broken(sent, "fin")


def test_a_reset_is_told_from_an_end() -> None:
    assert rules_broken(HEAD + b"Content-Length: 5\r\n\r\nhell", "rst") == ["reset"]
    assert rules_broken(HEAD + b"\r\nhello", "rst") != []
    assert rules_broken(HEAD + FIVE, "rst") == ["reset.after-the-end"]
    chunks = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    assert rules_broken(chunks, "rst") == ["reset"]
    assert rules_broken(chunks + b"0\r\nT: 1\r\n", "rst") == ["last-chunk.cut"]
    assert rules_broken(HEAD + b"Content-Length: 5\r\n\r\nhell", "open") == ["stays-open"]


def test_a_fold_after_what_is_no_field_belongs_to_nothing() -> None:
    rules = ["field-line.invalid", "fold.after-invalid-line"]
    assert rules_broken(HEAD + b"no colon\r\n folded\r\n" + FIVE, "fin") == rules


PRODUCTIONS = {
    **{f"status line {line!r}": line + b"\r\n\r\n" for line in STATUS_LINES + ODD_STATUS_LINES},
    **{f"interim {head!r}": head + HEAD + FIVE for head in INTERIM + ODD_INTERIM},
    **{f"field {line!r}": HEAD + line + FIVE for line in FIELDS + ODD_FIELDS},
    **{f"length {one!r}": HEAD + b"Content-Length: " + one + AFTER for one in ODD_LENGTHS},
    **{f"coding {one!r}": HEAD + b"Transfer-Encoding: " + one + AFTER for one in ODD_CODINGS},
    **{f"chunk {one!r}": CODED + one + b"0\r\n\r\n" for one in CHUNKS + ODD_CHUNKS},
    **{f"last chunk {one!r}": CODED + one for one in LAST_CHUNKS + ODD_LAST_CHUNKS},
    **{f"leftovers {one!r}": HEAD + FIVE + one for one in LEFTOVERS},
}
"""A response for each production of the grammar that `hunt` draws from."""


@pytest.mark.parametrize("production", PRODUCTIONS)
def test_each_production_of_the_grammar_has_a_law_however_the_connection_ends(
    production: str,
) -> None:
    sent = PRODUCTIONS[production]
    for octets in (sent, sent[: len(sent) * 2 // 3], sent + b"\0", INTERIM[0] + sent):
        for end in ENDS.values():
            rules = rules_broken(octets, end)
            assert all(sections_of(rule) for rule in rules)
            assert (law_of(rules) is None) == any(rule in UNSAID for rule in rules)


def test_a_rule_without_a_law_is_an_error() -> None:
    with pytest.raises(KeyError):
        Reading(b"", "fin").breaks("not-in-the-table")


def test_of_several_faults_the_one_that_must_be_refused_decides() -> None:
    assert law_of(["bare-lf", "body.cut"]) == ("must", REJECTED)
    assert law_of(["bare-lf", "fold"]) == ("may", EITHER)
    assert law_of([]) == ("must", ACCEPTED)
    assert law_of(["content-length.repeated", "leftovers"]) == ("must", EITHER)
    assert law_of(["leftovers"]) == ("must", EITHER)
    assert law_of(["fold", "stays-open"]) is None


def test_the_readme_shows_the_law() -> None:
    text = (fixtures_directory() / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([a-z0-9.-]+)` \| [^|]+\| `(\w+)` \| ([a-z ]+) \| ([^|]+) \|$", text, re.MULTILINE
    )
    words = {ACCEPTED: "accept", REJECTED: "reject", EITHER: "accept or reject"}
    shown = {name: (strength, results, told.strip()) for name, strength, results, told in rows}
    assert shown == {
        name: (law.strength, words[law.results], ", ".join(law.sections))
        for name, law in LAW.items()
    }
    free = re.findall(r"^\| `([a-z0-9.-]+)` \| [^|]+ \| ([0-9#., ]+) \|$", text, re.MULTILINE)
    assert dict(free) == {name: ", ".join(sections) for name, sections in UNSAID.items()}


def test_what_the_readme_says_nothing_about_is_used() -> None:
    named = {*BROKEN.values(), "fold.after-invalid-line", "stays-open"}
    named.add("coding.http-1-0.not-chunks")
    assert set(UNSAID) <= named
