"""The pages of a case: what is shown of it, and the context of its template.

The input is an `Entry`, its neighbours and the corpus.  The output is the context.  Bytes and text
from anywhere are made visible here and escaped by the templates.
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from conformance.atlas.facts import Entry
from conformance.atlas.wire import Line, Span, events
from conformance.cases import (
    Case,
    Corpus,
    Outcome,
    Place,
    first_difference,
    load_regressions,
    load_requirements,
    rules_about,
    sent_by,
)
from conformance.judge import expectation_text, expectations, result_text
from conformance.report import OctetRuns, octet_runs, split_lines, visible_text
from conformance.reproduce import NotReproducible, reproduce
from conformance.reproduce import entry_of as reached
from conformance.results import Clipped, Result, kept_parts, left_out

_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,150}")
_MOST_TEXT = 1_000
"""Characters of a command, and of the arguments of all calls, that a page shows."""
_LONGEST_FORM = 20_000
"""Characters of a way to reproduce a case that a page shows."""
_AROUND = 24
"""Bytes that are shown on each side of a difference from the twin."""
_MOST_LINES = 40


def file_name(name: str) -> str:
    """Return a file name for any id: it is never a path, and never too long."""
    if _PLAIN_ID.fullmatch(name):
        return f"{name}.html"
    return f"{hashlib.sha256(visible_text(name).encode()).hexdigest()}.html"


class Question(NamedTuple):
    """A question that a reader answers before the outcome is shown."""

    text: str
    options: tuple[str, ...]
    answer: str


class Twin(NamedTuple):
    """The well-formed twin of a case, with both sides of the first difference."""

    id: str
    title: str
    file: str
    own: list[tuple[str, OctetRuns, OctetRuns, OctetRuns]]


class CasePages:
    """Makes the contexts.

    Args:
        corpus: where twins come from.
        listed: the ids and titles of all cases of the site, in order.
    """

    def __init__(self, corpus: Corpus, listed: Mapping[str, str]) -> None:
        self._corpus = corpus
        self._titles = listed
        names = list(listed)
        self._before = dict(zip(names[1:], names, strict=False))
        self._after = dict(itertools.pairwise(names))
        self._texts = {name: one.text for name, one in load_requirements().items()}
        self._threads = [(one.symptom, set(one.threads)) for one in load_regressions()]
        self._sent = functools.lru_cache(16)(self._sent_by)

    def _sent_by(self, name: str) -> tuple[bytes, ...] | None:
        listed = self._corpus.listed(name)
        return None if listed is None else sent_by(listed.script())

    def context(self, one: Entry) -> dict[str, Any]:
        """Return what the template of a case needs."""
        case = one.case
        texts = [(name, self._text(name, one)) for name in one.spec]
        found: dict[str, Any] = {
            "one": one,
            "case": case,
            "results": [(head, result) for _, head, result in one.results],
            "texts": texts,
            "before": self._neighbour(self._before.get(one.id)),
            "after": self._neighbour(self._after.get(one.id)),
            "played": file_name(one.played) if one.played in self._titles else "",
            "events": [],
            "sent": [],
            "twin": None,
            "outcomes": [],
            "fetch": None,
            "rules": [],
            "sections": [],
            "bugs": [],
            "forms": [],
            "question": None,
        }
        if case is None:
            return {**found, "sent": list(_sent_lines(one)), "twin": _twin_of_results(one)}
        if any(result.setting for _, _, result in one.results):
            found["sent"] = list(_sent_lines(one))
        twin, place = self._twin(case, one.sent)
        rules = list(rules_about(case.id))
        there = {rule.section for rule in rules}
        return {
            **found,
            "events": events(case, place),
            "twin": twin,
            "outcomes": [_accepted(outcome) for outcome in case.outcomes],
            "fetch": _fetch(case),
            "rules": rules,
            "sections": [(section_name(name), link(name)) for name in one.rfc if name not in there],
            "bugs": list(self._bugs(case)),
            "forms": list(_forms(case, sum(map(len, one.sent)))),
            "question": question(case),
        }

    def _text(self, name: str, one: Entry) -> str:
        for _, head, _ in one.results:
            if name in head.requirements:
                return head.requirements[name]
        return self._texts.get(name, "")

    def _neighbour(self, name: str | None) -> tuple[str, str] | None:
        return None if name is None else (file_name(name), self._titles[name])

    def _twin(self, case: Case, own: tuple[bytes, ...]) -> tuple[Twin | None, Place | None]:
        """Return the twin, and where the bytes of *case* differ from it."""
        name = case.twin
        other = None if name is None else self._sent(name)
        if name is None or other is None:
            return None, None
        place = first_difference(own, other)
        listed = self._corpus.listed(name)
        title = "" if listed is None else listed.title
        file = file_name(name) if name in self._titles else ""
        shown = [] if place is None else list(_both(own, other, place))
        return Twin(name, title, file, shown), place

    def _bugs(self, case: Case) -> Iterator[tuple[str, list[str]]]:
        if not case.origin:
            return
        left = dict.fromkeys(case.origin)
        for symptom, threads in self._threads:
            here = [one for one in case.origin if one in threads]
            if here:
                yield symptom, here
            for one in here:
                left.pop(one, None)
        if left:
            yield "", list(left)


def _both(
    own: Sequence[bytes], other: Sequence[bytes], place: Place
) -> Iterator[tuple[str, OctetRuns, OctetRuns, OctetRuns]]:
    """Yield both sides of a difference: its name, the bytes before, the difference, the rest."""
    here, there = (
        sent[place.connection] if place.connection < len(sent) else b"" for sent in (own, other)
    )
    end = len(there) - (len(here) - place.end)
    for name, octets, last in (("this case", here, place.end), ("the twin", there, end)):
        before = octets[max(place.start - _AROUND, 0) : place.start]
        after = octets[last : last + _AROUND]
        yield name, octet_runs(before), _shortened(octets[place.start : last]), octet_runs(after)


def _shortened(octets: bytes, most: int = 160) -> OctetRuns:
    if len(octets) <= most:
        return octet_runs(octets)
    return [
        *octet_runs(octets[: most // 2]),
        (f" … {len(octets) - most} bytes … ", ""),
        *octet_runs(octets[-most // 2 :]),
    ]


def _accepted(outcome: Outcome) -> tuple[str, list[tuple[str, str]]]:
    """Return the grade of an outcome, if it needs words, and its rows."""
    grade = f"tolerated, {outcome.basis}" if outcome.grade == "tolerated" else ""
    for key, values in outcome.when.items():
        grade += f"{', ' if grade else ''}with {key} {' or '.join(values)}"
    rows = [(name, expectation_text(wanted)) for name, wanted in outcome.ops.items()]
    wire = outcome.wire
    for key in ("connections", "after", "left"):
        value = getattr(wire, key)
        if value is not None:
            text = str(value) if isinstance(value, int) else ", ".join(map(str, value))
            rows.append((f"wire.{key}", text))
    return grade, rows


def _fetch(case: Case) -> dict[str, Any] | None:
    if case.session is None:
        return None
    if case.fetch is None:
        lines = [
            f"{one.id} {one.op.text}: {'; '.join(expectations(one))}"
            for one in case.session.exchanges
        ]
        return {"strength": case.session.strength, "exchanges": lines, "results": []}
    results = [result_text(one) for one in case.fetch.results]
    return {"strength": case.fetch.strength, "exchanges": [], "results": results}


def question(case: Case) -> Question | None:
    """Return the question of *case*; None if nothing is expected of it."""
    accepted = case.accepted()
    wanted = {} if not accepted else accepted[0].ops
    for name, one in wanted.items():
        if one.raises:
            others = [other for other in _USUAL if other not in one.raises][:2]
            answer = f"it raises {' or '.join(one.raises)}"
            options = sorted([answer, *(f"it raises {other}" for other in others)])
            call = next((op.text for op in case.ops if op.id == name), name)
            return Question(
                f"What does {visible_text(call)} do?", (*options, "it raises nothing"), answer
            )
    return may_do(case)


def may_do(case: Case) -> Question | None:
    """Return what any client may do with the bytes of *case*, as a question; None if unknown."""
    if case.fetch is None:
        return None
    kinds = {result_text(one).split(" ")[0] for one in case.fetch.results}
    answer = _ANSWERS[2] if len(kinds) > 1 else _ANSWERS["rejects" in kinds]
    return Question("What may an HTTP client do with these bytes?", _ANSWERS, answer)


_USUAL = ("IncompleteRead", "BadStatusLine", "UnknownProtocol", "LineTooLong", "ResponseNotReady")
_ANSWERS = ("accept the response", "reject the response", "either")


def section_name(name: str) -> str:
    """Return a cited section in words.

    >>> section_name("9112#7.1")
    'RFC 9112, section 7.1'
    """
    rfc, _, section = name.partition("#")
    kind = "section" if section[:1].isdigit() else "appendix"
    return f"RFC {rfc}, {kind} {section}"


def link(name: str) -> str:
    """Return the address of a cited section."""
    rfc, _, section = name.partition("#")
    kind = "section" if section[:1].isdigit() else "appendix"
    return f"https://www.rfc-editor.org/rfc/rfc{rfc}#{kind}-{section}"


def _forms(case: Case, sent: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each way to reproduce *case* that is short enough."""
    program = f"httplib-kit show {case.id} --reproduce script  # one file, for a bug report"
    yield "With the kit", f"httplib-kit check --select {case.id} --level all\n{program}"
    entry = reached(case)
    calls = sum(len(repr(op.message)) for op in case.ops)
    for name, form, size in (
        ("At a URL, after httplib-kit serve", "curl", 0),
        ("Raw bytes", "raw", sent),
        ("Python", "python", calls),
    ):
        if size <= _MOST_TEXT:
            try:
                text = reproduce(entry, form).rstrip("\n")
            except NotReproducible:
                continue
            if len(text) <= _LONGEST_FORM:  # what routes send is not counted in advance
                yield name, text


def _sent_lines(one: Entry) -> Iterator[list[Line]]:
    """Yield what each connection sent, according to the results; a difference is marked."""
    first = max((result for _, _, result in one.results), key=lambda result: len(result.octets))
    for number, kept in enumerate(first.octets):
        start, end = _mark(first, number)
        found: list[Line] = []
        for offset, octets in kept_parts(kept):
            if offset and isinstance(kept, Clipped):
                found.append(Line(offset, [Span("", b"", note=f"… {left_out(kept)} …")]))
            found += _kept_lines(octets, offset, start, end)
        yield found


def _mark(first: Result, number: int) -> tuple[int, int]:
    if first.differs and first.differs[0] == number:
        return first.differs[1], first.differs[2]
    return -1, -1


def _kept_lines(octets: bytes, at: int, start: int, end: int) -> Iterator[Line]:
    for line in split_lines(octets):
        first, last = max(start - at, 0), min(max(end - at, 0), len(line))
        spans = [Span("data", line)]
        if start >= 0 and first <= len(line) and end >= at:
            spans = [
                Span("data", line[:first]),
                Span("data", line[first:last], marked=True),
                Span("data", line[last:]),
            ]
        yield Line(at, spans)
        at += len(line)


def _twin_of_results(one: Entry) -> Twin | None:
    name = next((result.twin for _, _, result in one.results if result.twin), "")
    return Twin(name, "its twin", "", []) if name else None
