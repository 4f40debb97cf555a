"""Broken cases beside their well-formed twins.

A broken case is one whose server sends an answer that an independent parser refuses.  It names a
twin, whose answers that parser takes, and its broken answer differs from one of the twin's in one
place: there is one run of octets that stands for another.
"""

from collections import defaultdict
from functools import cache

import pytest

from conformance.cases import Case
from conformance.tests.answers import answers, problem
from conformance.tests.support import BY_ID, EVERY

TWINS = sorted({case.twin for case in EVERY if case.twin is not None})

NOT_FOR_H11 = {
    "framing.content-length.equal.two-fields": "octets behind the body show where it ended",
    "headers.frames-nothing.the-field-itself": "octets behind the body show where it ended",
    "interface.http-class.old-server": "an HTTP/0.9 response",
    "interim.101.refused-behind-an-unread-response": "an answer goes on behind the next request",
    "limits.body-line.leading-zeros.65536": "h11 takes at most 20 digits of a size",
    "limits.body-line.trailer-without-colon.65536": "as long as a line without colon may be",
    "limits.body-line.zeros-of-the-last-chunk.65536": "h11 takes at most 20 digits of a size",
    "limits.connect.line.line-without-colon.65536": "as long as a line without colon may be",
    "limits.connect.lines.lines-without-colon.100": "as many lines without colon as may be",
    "limits.header-lines-in-pieces.lines-without-colon.100": "as many lines as may be",
    "limits.header-lines.blank-lines-before-a-field.100": "as many lines as may be",
    "limits.header-lines.empty-names.100": "as many lines as may be",
    "limits.header-lines.from-lines.100": "as many lines as may be",
    "limits.header-lines.lines-without-colon-before-a-field.100": "as many lines as may be",
    "limits.header-lines.lines-without-colon.100": "as many lines as may be",
    "limits.header-lines.shortest-lines.100": "as many lines as may be",
    "limits.interim-lines.empty-names.100": "as many lines as may be",
    "limits.interim-lines.lines-without-colon.100": "as many lines as may be",
    "limits.line.interim-line-without-colon.65536": "as long as a line without colon may be",
    "limits.line.line-without-colon.65536": "as long as a line without colon may be",
    "limits.line.old-body.65536": "an HTTP/0.9 response",
    "limits.trailers.folds.100": "as many lines as may be",
    "limits.trailers.lines-without-colon.100": "as many lines as may be",
}
"""Twins that are well-formed for httplib, or the last step before a limit, and not for h11."""

PLACES = {
    "bodies-in-parts.reset.read-again.{body}": "the rest of the body",
    "chunked.large-row-broken.{fault}.{place}": "what is between two chunks, and those behind",
    "chunked.long-row-broken.{row}": "the size and the data of every chunk",
    "chunked.size-line.too-long.{form}": "the size line",
    "connection-state.failed-response.then-close.{fault}": "the status line, and the body",
    "connection-state.failed-response.timeout-inside.{place}": "a silence inside the head",
    "connection-state.failed-response.{fault}": "the status line, and the body",
    "faults.timeout.stored-ahead.{framing}": "a silence inside the body",
    "faults.timeout.stored.{framing}": "a silence inside the body",
    "faults.wiremock.random-data-then-close": "the whole response",
    "framing.code-of-four-digits.{code}": "the status code, and the body",
    "framing.content-length.not-the-field.{name}": "the field, and the body behind it",
    "framing.field-in-a-status-line.{place}": "the status line, and the body",
    "framing.http-1-0-not-chunked.{length}": "the version, and the body",
    "framing.no-body.101.{header}": "a field, and the body behind it",
    "framing.no-body.{status}.{header}": "the status code, and a field",
    "framing.odd-first-line.{octets}": "the whole response",
    "framing.transfer-encoding.none.{form}": "a field, and octets behind the body",
    "framing.transfer-encoding.unknown-then-close": "the coding, and the body",
    "framing.unknown-coding-and-length.{form}": "the coding, a field, and the body",
    "headers.end.{place}": "a field line, cut",
    "headers.leading-blank.every-line": "the start of every field line",
    "headers.reset.{place}": "a field line, cut",
    "interface.default-timeout.waiting.{place}": "a silence inside the head or the body",
    "interface.msg.cut.{lines}": "the header lines, cut",
    "interim.101.behind-an-unread-response": "the second response",
    "interim.101.unasked.{behind}": "the whole response",
    "interim.behind-the-answer": "the order of answer and interim head",
    "interim.end-behind-103.{place}": "the interim head, cut",
    "interim.end.{place}.{strict}": "the interim head, cut",
    "interim.reset.{place}": "the interim head, cut",
    "limits.endless-body-line.{place}": "a line of the body that does not end",
    "limits.endless-head.{kind}": "a head that does not end",
    "limits.endless-line.{place}": "a line of the head that does not end",
    "limits.number-of-digits.{number}": "the number, and the body",
    "limits.stall.{place}": "a line, cut by silence",
    "limits.then-request.quiet.{fault}": "a line or a head that is too long",
    "persistence.one-segment.{body}": "one answer ends where the next begins",
    "persistence.response-close-early.{how}": "a silence inside the body",
    "responses-by-hand.two-in-chunks-on-one-socket": "the framing, and the second response",
    "status-line.then-request.{fault}.{strict}": "the status line, and the body",
    "tls.body.timeout.{body}": "a silence inside the body",
    "tls.client.handshake.{fault}": "the handshake",
}
"""Broken cases whose place is declared here: more than one run of octets differs from the twin."""

_SMALL = 24
"""Octets of the shorter of two runs that stand for each other, and half of those replaced."""


@cache
def broken_answers(case_id: str) -> tuple[bytes, ...]:
    case = BY_ID[case_id]
    return tuple(answer for answer in answers(case) if problem(answer, case))


def differing(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Return the run of octets in each that is left when both ends that agree are taken off."""
    start = _agreeing(one, other)
    one, other = one[start:], other[start:]
    end = _agreeing(one[::-1], other[::-1])
    return one[: len(one) - end], other[: len(other) - end]


def _agreeing(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def differs_in_one_place(case: Case) -> bool:
    """Tell whether *case* breaks one answer, in one place of an answer of its twin."""
    assert case.twin is not None
    theirs = answers(BY_ID[case.twin])
    broken = [answer for answer in broken_answers(case.id) if answer not in theirs]
    if len(broken) != 1:
        return not broken
    return any(is_one_place(*differing(broken[0], answer)) for answer in theirs)


def is_one_place(run: bytes, replaced: bytes) -> bool:
    """Tell whether *run* in the place of *replaced* is one change: little, or a cut."""
    return not run or (len(replaced) <= 2 * _SMALL and min(len(run), len(replaced)) <= _SMALL)


@pytest.mark.parametrize("twin", TWINS)
def test_an_independent_parser_takes_a_twin(twin: str) -> None:
    found = [problem(answer, BY_ID[twin]) for answer in answers(BY_ID[twin])]
    assert any(found) == (twin in NOT_FOR_H11), found


def test_every_broken_case_has_a_twin() -> None:
    judged = [case for case in EVERY if case.level != "observe" and case.id not in TWINS]
    without = [case.id for case in judged if case.twin is None and broken_answers(case.id)]
    assert not without


def test_a_broken_case_differs_from_its_twin_in_one_place() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for case in EVERY:
        if case.twin is not None and not differs_in_one_place(case):
            found[case.authored].append(case.id)
    assert sorted(found) == sorted(PLACES)


@pytest.mark.parametrize(
    ("one", "other", "runs"),
    [
        (b"5\r\nhello", b"5\nhello", (b"\r", b"")),
        (b"abc", b"abc", (b"", b"")),
        (b"aXa", b"aYYa", (b"X", b"YY")),
        (b"HTTP/1.1 2", b"HTTP/1.1 200 OK", (b"", b"00 OK")),
    ],
)
def test_what_differs_is_what_stands_between_the_ends_that_agree(
    one: bytes, other: bytes, runs: tuple[bytes, bytes]
) -> None:
    assert differing(one, other) == runs


@pytest.mark.parametrize(
    ("run", "replaced", "little"),
    [(b"", b"a" * 500, True), (b"a" * 500, b"b", True), (b"a" * 25, b"b" * 25, False)],
)
def test_one_place_is_a_cut_or_little(run: bytes, replaced: bytes, little: bool) -> None:
    assert is_one_place(run, replaced) == little


def test_the_parser_refuses_what_is_broken() -> None:
    broken = BY_ID["chunked.size.0x"]
    assert [bool(problem(answer, broken)) for answer in answers(broken)] == [True]
