"""The story of one result: what was sent, which call, what is accepted, what was seen, and why.

The input is a result with its background, and the head of its run.  The output is rows, each a
label and spans of visible text, which a terminal shows in colours and a log as plain lines.

Long text is shortened in the middle, with a note of how much is left out; nothing is left out
without a note.
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conformance.cases import FRESH
from conformance.judge import Verdict
from conformance.report.octets import inert, split_lines, visible, visible_text
from conformance.results import Again, Kept, Result, RunHead, differing_lines, kept_parts
from conformance.run import DEADLINE
from conformance.wording import counted

_MOST_TEXT = 2_000
_MOST_WIRE = 400
_MOST_LINES = 24
_PART = "the case is {}; this part of it is {}: the page does not say it"
_AROUND = 4
"""Lines that are shown before and after a mark."""
_WIDTH = 96
LABEL = 9
"""The width of the labels."""
OCTETS = ("sent", "wire")
"""The labels of rows that show bytes.  These rows have a border, as have rows without a label."""


class Span(NamedTuple):
    """Some visible text, and its kind."""

    text: str
    kind: str = ""


class Row(NamedTuple):
    """A row of a story; the first has no label, and no row has a line end."""

    label: str
    spans: tuple[Span, ...]

    @property
    def text(self) -> str:
        """The row as a plain line."""
        shown = "".join(span.text for span in self.spans)
        edge = "" if self.label and self.label not in OCTETS else "| "
        return inert(f"  {self.label:<{LABEL}} {edge}{shown}".rstrip())


def story(result: Result, head: RunHead, note: str = "") -> list[str]:
    """Return the story of *result* as plain lines."""
    return lines_of(rows(result, head, note))


def lines_of(story: Iterable[Row]) -> list[str]:
    """Return the rows of a story as plain lines."""
    first, *rest = story
    return ["".join(span.text for span in first.spans), *(row.text for row in rest)]


def rows(result: Result, head: RunHead, note: str = "", again: str = "") -> Iterator[Row]:
    """Yield the rows of the story of *result*; the first is its heading.

    Args:
        result: the result.
        head: the head of its run.
        note: what the story says about the cause of the failure; empty for nothing.
        again: the command line that runs the case again; by default one of `check`.
    """
    weight = Span(f"  [{visible_text(result.weight)}]", "dim")
    verdict = Span(f"{result.overlay} {result.verdict}".lstrip(), "verdict")
    yield Row("", (verdict, Span("  "), Span(visible_text(result.name), "name"), weight))
    yield from _rows(title=result.title, cause=note, reason=result.reason)
    yield from _difference(result)
    level = _PART.format(result.case_level, result.level) if result.case_level else ""
    yield from _rows(level=level, known=result.known, see=result.link)
    if result.strength:
        yield _row("RFC", ", ".join(result.rfc))
    for name in () if result.strength else result.spec:
        text = head.requirements.get(name, "")
        yield Row("page", (Span(visible_text(name), "dim"), Span(_shortened(f"  {text}".rstrip()))))
    yield from _sent(result)
    for index, line in enumerate(_wire(result)):
        yield Row("" if index else "wire", (Span(line, "octets"),))
    if result.after:
        yield _row("after", f"seen only when run after {', '.join(result.after)}")
    if result.again is not None:
        yield from _second_run(result.again)
    text = again or command(result, head)
    yield Row("again", (Span(visible_text(text), "command"),))


def _difference(result: Result) -> Iterator[Row]:
    if result.where:
        accepted, seen = (one or "(no line)" for one in differing_lines(result) or ("", ""))
        differs = f", from the line {seen} on, in place of {accepted}" if accepted != seen else ""
        yield _row("at", place(result) + differs)
        for index, accepted in enumerate(result.accepted):
            yield _row("or" if index else "accepted", accepted, "accepted")
        yield _row("seen", result.seen, "seen")
    if result.strength and len(result.trace) > 1 and result.verdict != Verdict.HANG:
        for index, line in enumerate(result.trace):
            decided = bool(result.where) and line.split(" ")[0] == result.where.split(":")[0]
            mark = "  <- here" if decided else ""
            yield _row("" if index else "session", f"{line}{mark}")
    if result.verdict == Verdict.HANG:
        for index, line in enumerate(result.trace):
            yield _row("" if index else "calls", line)
        if result.call:
            yield _row("hung in", result.call, "seen")
    for label, text in frame_lines(result):
        yield _row(label, text)


def _second_run(again: Again) -> Iterator[Row]:
    """Yield the result of the second run, alone."""
    yield Row("alone", (Span(visible_text(again.verdict), "verdict"),))
    if again.reason:
        yield _row("reason", again.reason)
    if again.where:
        yield _row("at", place(again))
        yield _row("seen", again.seen, "seen")
    for index, line in enumerate(_wire(again)):
        yield Row("" if index else "wire", (Span(line, "octets"),))


def frame_lines(result: Result) -> Iterator[tuple[str, str]]:
    """Yield a label and a line for each frame of *result*: file, line, function and text.

    A hang without frames is said to have none: what a program is doing, no driver can report.
    """
    label = "at line" if result.verdict == Verdict.HANG else "raised in"
    for one in result.frames:
        yield label, one.shown
        label = "from"
    if result.verdict == Verdict.HANG and not result.frames:
        yield label, "not known: the driver did not report where its client was"


def place(result: Result | Again) -> str:
    """Return the call, or the fact of the wire, at which *result* left what is accepted."""
    return f"{result.where}: {result.call}" if result.call else f"wire: {result.where}"


def command(result: Result, head: RunHead) -> str:
    """Return one command line that runs the case of *result* again, under the same settings."""
    own = "".join(
        f" --fresh {name.removeprefix(FRESH)}"
        if name.startswith(FRESH)
        else f" --cases {shlex.quote(name)}"
        for name in head.own
    )
    usual = head.deadline in (0, DEADLINE)
    given = "" if usual else f" --deadline {head.deadline:g}"
    given += "" if head.tolerant else " --no-tolerance"
    given += " --error-map FILE" if head.error_map else ""
    sweep = " --sweep product" if len(result.setting) > 1 else " --sweep each"
    level = " --level observe" if result.weight == "observe" else ""
    return (
        f"httplib-kit check {shlex.quote(head.implementation)}{own} "
        f"--select {shlex.quote(result.id)}{level}{sweep if result.setting else ''}{given}"
    )


def transcript_lines(result: Result | Again) -> list[str]:
    """Return the lines of the transcript, made visible."""
    return [visible_text(line) for line in result.transcript.split("\n") if line]


def _wire(result: Result | Again) -> list[str]:
    """Return the lines of the transcript for a story; a long transcript without its middle."""
    return [_shortened(line, _MOST_WIRE) for line in result.transcript.split("\n") if line]


def _rows(**texts: str) -> Iterator[Row]:
    """Yield a row for each of *texts* that is not empty, with its name as the label."""
    return (_row(label, text) for label, text in texts.items() if text)


def _row(label: str, text: str, kind: str = "") -> Row:
    return Row(label, (Span(_shortened(text), kind),))


def _shortened(text: str, most: int = _MOST_TEXT) -> str:
    """Return *text*, made visible; a long text without its middle."""
    if len(text) <= most:
        return visible_text(text)
    end = most // 8
    left_out = len(text) - most
    first, last = visible_text(text[: most - end]), visible_text(text[-end:])
    return f"{first} … {left_out} characters … {last}"


def _sent(result: Result) -> Iterator[Row]:
    """Yield what the server sends, with the place marked where it differs from the twin."""
    label = "sent"
    for number, kept in enumerate(result.octets):
        start, end = (-1, -1)
        if result.differs and result.differs[0] == number:
            start, end = result.differs[1:]
        if len(result.octets) > 1:
            yield Row(label, (Span(f"connection {number + 1}", "dim"),))
            label = ""
        for spans in marked_lines(kept, start, end, result.twin):
            yield Row(label, spans)
            label = ""


def marked_lines(kept: Kept, start: int, end: int, twin: str) -> Iterator[tuple[Span, ...]]:
    """Yield bytes as visible lines, with a line of carets under those that are marked.

    Args:
        kept: the bytes, as a result keeps them.
        start: the first marked byte; -1 for none.
        end: the byte after the last marked one; equal to *start* if bytes are missing.
        twin: the twin, from which the marked bytes differ.
    """
    found = [line for at, part in kept_parts(kept) for line in _numbered_lines(part, at)]
    shown = _chosen(found, start)
    left_out, pointed, expected = 0, False, 0
    for index, (at, line) in enumerate(found):
        left_out += at - expected  # bytes that the result does not keep
        expected = at + len(line)
        if index not in shown:
            left_out += len(line)
            continue
        if left_out:
            yield (Span(f"… {counted(left_out, 'byte')}", "dim"),)
            left_out = 0
        first, last = max(start - at, 0), min(max(end, start + 1) - at, len(line))
        here = start >= 0 and first < last
        yield _marked(line, first, last) if here else (Span(visible(line), "octets"),)
        if here and not pointed:
            carets = "^" * max(1, len(visible(line[first:last])))
            note = f"  differs here from {visible_text(twin)}"
            yield (Span(" " * len(visible(line[:first])) + carets + note, "mark"),)
            pointed = True
    if left_out:
        yield (Span(f"… {counted(left_out, 'byte')}", "dim"),)
    if start >= 0 and not pointed:
        yield (Span(f"^  ends here, where {visible_text(twin)} goes on", "mark"),)


def _marked(line: bytes, first: int, last: int) -> tuple[Span, ...]:
    parts = (line[:first], "octets"), (line[first:last], "marked"), (line[last:], "octets")
    return tuple(Span(visible(part), kind) for part, kind in parts if part)


def _numbered_lines(octets: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield pieces of at most one line each, with their offsets; the first offset is *at*."""
    for line in split_lines(octets):
        for start in range(0, len(line), _WIDTH):
            piece = line[start : start + _WIDTH]
            yield at, piece
            at += len(piece)


def _chosen(found: list[tuple[int, bytes]], start: int) -> frozenset[int]:
    """Return the indices of the lines that are shown: the first ones, and those at the mark."""
    if len(found) <= _MOST_LINES:
        return frozenset(range(len(found)))
    chosen = set(range(_MOST_LINES // 2))
    for index, (at, line) in enumerate(found):
        if start >= 0 and at <= start < at + len(line):
            chosen |= set(range(max(0, index - _AROUND), min(len(found), index + _AROUND + 1)))
    return frozenset(chosen)
