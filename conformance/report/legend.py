"""The legend: what each word of a report means.

The input is the lines of a report.  The output is an `Entry` for each word that occurs in them, so
that a reader never meets a word without its meaning.  README and the HTML pages show all entries;
a test compares README with this table, which is the only place of these texts.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A word, what it means, and the lines in which it is meant."""

    word: str
    meaning: str
    pattern: str


def _name(word: str, meaning: str) -> Entry:
    return Entry(word, meaning, rf"(?<![\w.-]){re.escape(word)}(?![\w.-])")


def _weight(word: str, meaning: str) -> Entry:
    """Return the entry for a level or a strength, in a table or in the heading of a story."""
    return Entry(word, meaning, rf"\[{word}\]$|^family .*\b{word}\b|^[^:\n]*  {word}(?:  |$)")


def _label(word: str, meaning: str) -> Entry:
    """Return the entry for the label at the beginning of a line of a story."""
    return Entry(word, meaning, rf"^  {re.escape(word)} ")


def _mark(word: str, meaning: str) -> Entry:
    """Return the entry for a mark in a cell of the matrix."""
    return Entry(word, meaning, rf"  ?[!~]?{re.escape(word)}(?=\s|$)")


LEVELS = (
    _weight("documented", "level: the documentation of Python 2.7's httplib says so"),
    _weight("precedent", "level: the page is silent; 2.7 does it, and callers rely on it"),
    _weight("guard", "level: the page is silent, and what 2.7 does is unsafe"),
    _weight("observe", "level: recorded, never judged"),
)
STRENGTHS = (
    _weight("must", "strength: RFC 9112 says MUST or MUST NOT; a deviation fails"),
    _weight("should", "strength: RFC 9112 says SHOULD; a deviation is TOLERATED"),
    _weight("may", "strength: RFC 9112 says MAY; a deviation is TOLERATED"),
)
VERDICTS = (
    _name("PASS", "passed: an accepted outcome was seen"),
    _name("TOLERATED", "passed: an outcome that is accepted with a reservation"),
    _name("INFO", "never judged: the case is of level observe"),
    _name("NO_ERROR", "failed: accepted what must be rejected"),
    _name("FALSE_ERROR", "failed: rejected what is valid"),
    _name("WRONG_ERROR", "failed: raised another exception than an accepted one"),
    _name("WRONG_VALUE", "failed: returned a wrong value, or sent wrong bytes"),
    _name("WRONG_CONNECTION", "failed: kept, closed or over-read a connection wrongly"),
    _name("REPLAYED", "failed: sent a request again that may have been processed"),
    _name("LEAK", "failed: an exception that is not documented, and no OSError"),
    _name("HANG", "failed: made no progress for one second (--deadline)"),
    _name("CRASH", "failed: the process ended"),
    _name("UNSUPPORTED", "not run: the client lacks what the case needs"),
    _name("NOT_INSTALLED", "not run: the client is absent"),
    _name("NOT_RUN", "not run: the run ended before, or the case was where others had hung"),
    _name("DRIVER_ERROR", "not run, exit code 2: the driver failed"),
    _name("HARNESS_ERROR", "not run, exit code 2: the kit failed"),
)
OVERLAYS = (
    _name("EXPECTED", "fails as the baseline says"),
    _name("REGRESSION", "fails, and no entry of the baseline says so"),
    _name("STALE", "an entry of the baseline that is no longer true"),
    _name("FLAKY", "passed when it was run again, alone and after the same cases"),
    _name("INCOMPLETE", "results are missing, for the reason that follows"),
)
STORY = (
    Entry("3/4", "3 of 4 judged cases pass; - is none", r"  \d+/\d+(?=  |$)"),
    _label("cause", "failures that look alike, and so probably have one reason"),
    _label("at", "the call, or the fact of the wire, that failed"),
    _label("accepted", "what must be seen there; `or`: another accepted outcome"),
    _label("seen", "what was seen there"),
    _label("raised in", "the line of the client that raised it; `from`: its callers"),
    _label("reason", "why it was not run, or how it hung or died"),
    _label("calls", "what was called before, and the results"),
    _label("hung in", "the call that did not return"),
    _label("at line", "where the client waited; `from`: its callers"),
    _label("level", "the level of the case, if a part of it has another one"),
    _label("known", "what the baseline says about the case"),
    _label("page", "a sentence of the documentation of httplib, with its name"),
    _label("RFC", "the sections that support the expectation"),
    _label("sent", "the bytes that the server sent"),
    Entry(
        "twin", "the well-formed case that differs only at ^", r"(?:differs|ends) here, |here from "
    ),
    _label("wire", "the connection: < from the client, > to it, = an event"),
    Entry("kept", "at the end, the client held the connection open", "= client: kept"),
    Entry("closed", "at the end, the client had closed the connection", "= client: closed"),
    Entry("gone", "the connection was reset, so that its end says nothing", "= client: gone"),
    _label("after", "the earlier cases without which it does not fail"),
    _label("alone", "what it did when it was run again, alone"),
    _label("again", "the command that runs this case alone"),
)
MARKS = (
    _mark("+", "accepts the response"),
    _mark("-", "rejects the response"),
    _mark("H", "hangs"),
    _mark("C", "crashes"),
    _mark("L", "leaks an exception that is not its own"),
    _mark("R", "sends a request again that may have been processed"),
    _mark("W", "uses, keeps or closes a connection wrongly"),
    Entry("!", "before a mark: against a MUST", r"  ?!"),
    Entry("~", "before a mark: against a SHOULD or a MAY, which is tolerated", r"  ?~"),
    _mark(".", "not installed"),
    _mark("?", "not judged"),
    _mark("F", "flaky: passed when it was run again"),
)
WORDS = (*VERDICTS, *OVERLAYS, *LEVELS, *STRENGTHS, *STORY)


def legend(lines: Iterable[str], entries: Iterable[Entry] = WORDS) -> list[Entry]:
    """Return those of *entries* that occur in *lines*."""
    text = "\n".join(lines)
    return [entry for entry in entries if re.search(entry.pattern, text, re.MULTILINE)]


def legend_lines(entries: Sequence[Entry]) -> list[str]:
    """Return *entries* as aligned lines of text."""
    width = max((len(entry.word) for entry in entries), default=0)
    return [f"  {entry.word:<{width}}  {entry.meaning}" for entry in entries]
