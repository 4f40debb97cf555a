"""Judges golden records: the verdict on a stored observation, without the implementation.

The input is a book and a case.  The output is a `Judged` for each implementation that was recorded
with the present form of the case, in the order of the book; or, for some of them and the corpus,
the heads and the results that runs would have.
"""

from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from conformance.cases import Case, Corpus, client_case, key_of_script
from conformance.judge import (
    Judgement,
    Observation,
    Verdict,
    asks,
    did_in,
    entry_text,
    error_text,
    judge,
    judge_late,
    late_entry,
    response_text,
    trace_lines,
)
from conformance.results.bounds import bounded
from conformance.results.golden.book import Book, Recorded
from conformance.results.golden.codec import Codec
from conformance.results.golden.stable import PORT
from conformance.results.golden.usual import ELLIPSIS, STANDARD, Heads
from conformance.results.golden.values import Values
from conformance.results.result import Result, RunHead, result_of, without_port


class Judged(NamedTuple):
    """What one implementation did according to the records, and the verdict on it.

    Args:
        key: the implementation.
        case: the case as it was run; in the client profile if the implementation has that profile.
        judgement: the verdict.
        observation: the observation; None if only a verdict is stored.
    """

    key: str
    case: Case
    judgement: Judgement
    observation: Observation | None

    @property
    def calls(self) -> Iterator[tuple[str, str]]:
        """The id and the result of each call that does more than succeed without a value."""
        if self.observation is None:
            return
        for op in self.case.ops:
            entry = self.observation.trace[op.id]
            value = entry.get("value")
            if isinstance(value, dict) and value.get("type") == "response":
                yield op.id, response_text(value)
            elif "error" in entry and self.case.profile == "client":
                yield op.id, error_text(entry["error"])
            elif "error" in entry or not _says_nothing(value):
                yield op.id, entry_text(entry)


def _says_nothing(value: object) -> bool:
    return value is None or (isinstance(value, dict) and value.get("type") == "object")


def judged(book: Book, case: Case, keys: Collection[str] | None = None) -> Iterator[Judged]:
    """Yield what each recorded implementation did with *case*, judged.

    Implementations with one record, for which a judge cannot differ, share one judgement; so do
    cases with one GET for which it cannot.

    Args:
        book: the records.
        case: the case in its present form.
        keys: those of the implementations; None for all.
    """
    ran = None if case.session is None else client_case(case)
    of_case: dict[Any, _Found] = {}
    of_fetch = of_case if ran is None or ran.fetch is None else _shared(book, ran)
    texts: dict[int, tuple[str, tuple[str, ...]]] = {}
    for key, encoded in _in_order(book, case):
        if keys is not None and key not in keys:
            continue
        recorded = book.implementations[key]
        is_client = recorded.is_client
        played = ran if is_client else None if case.profile == "client" else case
        if played is None:
            continue
        if id(encoded) not in texts:
            names = tuple(dict.fromkeys(_classes(encoded)))
            texts[id(encoded)] = repr(encoded), names
        text, named = texts[id(encoded)]
        raised = tuple(recorded.raises.get(name, name) for name in named)
        bases = tuple(tuple(recorded.classes.get(name, ())) for name in raised)
        heads = tuple(recorded.heads.items()) if ELLIPSIS in text else ()
        alike = (is_client, text, *recorded.judged_by, raised, bases, heads)
        own = (*alike, recorded.name)
        known = of_fetch if is_client else of_case
        found = known.get(own) or known.get(alike)
        if found is None or (named and own not in known):
            one = _judged(key, recorded, played, encoded, None if found is None else found[0])
            found = known[own] = one.judgement, one.observation
            # Without a difference, only the observation names the module.
            if one.judgement.mismatch is None and not recorded.errors:
                known[alike] = found
        yield Judged(key, played, *found)


_Found = tuple[Judgement, Observation | None]
_MOST_BASES = 64
"""Kinds of cases of which judgements are kept: cases that are judged alike follow one another."""


def _shared(book: Book, ran: Case) -> dict[Any, _Found]:
    """Return the judgements on records of fetches that are judged as that of *ran* is."""
    origin = "" if ran.session is None else ran.session.origin("")
    basis = (repr(ran.fetch), origin, ran.host, ran.path, asks(ran.script))
    if len(book.judgements) >= _MOST_BASES:
        book.judgements.clear()
    found: dict[Any, _Found] = book.judgements.setdefault(basis, {})
    return found


def _in_order(book: Book, case: Case) -> Iterator[tuple[str, Any]]:
    seen = book.of(case)
    return ((key, seen[key]) for key in book.implementations if key in seen)


def _classes(encoded: Any) -> Iterator[str]:
    """Yield the name of each class in a record, or the category for which it is the usual one."""
    if isinstance(encoded, list):
        for item in encoded:
            yield from _classes(item)
    elif isinstance(encoded, dict):
        if "category" in encoded and "raises" not in encoded:
            yield encoded["category"]
        for name, item in encoded.items():
            if name in ("raises", "class", "object") and isinstance(item, str):
                yield item
            else:
                yield from _classes(item)


def judged_one(book: Book, key: str, case: Case) -> Judged | None:
    """Return what the implementation with this *key* did with *case*; None if it is not recorded.

    Args:
        book: the records.
        key: one of the book's implementations.
        case: the case in its present form.
    """
    encoded, recorded = book.of(case).get(key), book.implementations[key]
    # A record may be older than an expectation: the case may since have left the client profile.
    has_profile = case.session is not None if recorded.is_client else case.profile == "httplib"
    if encoded is None or not has_profile:
        return None
    return _judged(key, recorded, client_case(case) if recorded.is_client else case, encoded)


def played_for(book: Book, corpus: Corpus, case: Case) -> Case | None:
    """Return the case that clients play in place of *case*; None if they play this one, or none.

    A case of which a client has a record is played. For any other the corpus is asked, which costs
    a second at the first time, for it compares all scripts.

    Args:
        book: the records.
        corpus: all cases.
        case: the case in its present form.
    """
    if any(book.implementations[key].is_client for key in book.of(case)):
        return None
    return corpus.played_for(case)


def _judged(
    key: str, recorded: Recorded, ran: Case, encoded: object, known: Judgement | None = None
) -> Judged:
    """Return what one record says, judged unless the judgement is *known*."""
    if encoded == Verdict.HANG and ran.profile == "client":
        # Only that is stored, and not where it was when the kit reset it.
        entries = {op.id: late_entry(op.id, "the kit gave up") for op in ran.ops}
        late = Observation(entries, "", 0, ())
        return Judged(key, ran, judge_late(ran, late), late)
    if not isinstance(encoded, list):
        return Judged(key, ran, Judgement(Verdict(str(encoded))), None)
    features = frozenset(recorded.features)
    values = Values(recorded.name, "python3" in features or recorded.is_client, recorded.classes)
    heads = Heads(recorded.heads) if recorded.is_client else STANDARD
    observation = Codec(values, heads, recorded.raises).full(ran, encoded)
    if known is None:
        known = judge(ran, observation, features, recorded.errors)
    return Judged(key, ran, known, observation)


def runs_of(
    book: Book, keys: Iterable[str], corpus: Corpus, cases: Iterable[Case] | None = None
) -> dict[str, tuple[RunHead, list[Result]]]:
    """Return the runs that correspond to the records of the implementations with these *keys*.

    A case is built, and judged for those that did the same, once for all of them.

    Args:
        book: the records.
        keys: some of the book's implementations.
        corpus: the corpus.
        cases: those of the runs; by default all of the corpus.

    Returns:
        The head and the results of each, by key, in the order of *keys*.
    """
    found = {key: (_head(key, book.implementations[key], corpus), list[Result]()) for key in keys}
    if not found:
        return found
    for case in corpus.cases if cases is None else cases:
        scripts: dict[str, str] = {}  # the httplib and the client profile play different ones
        # Those who share a judgement share a result; `judged` keeps what it yields until it ends.
        known: dict[tuple[int, int], Result] = {}
        for one in judged(book, case, found):
            profile, shared = one.case.profile, (id(one.judgement), id(one.observation))
            if profile not in scripts:
                scripts[profile] = key_of_script(one.case.script)
            if shared not in known:
                known[shared] = _result(one, scripts[profile])
            found[one.key][1].append(known[shared])
    return found


def _head(key: str, one: Recorded, corpus: Corpus) -> RunHead:
    return RunHead(
        kit=version("httplib-kit"),
        corpus=corpus.digest,
        implementation=one.written,
        name=one.name,
        version=one.version,
        features=one.features,
        label=key,
        runtime=one.runtime,
    )


def _result(judged: Judged, script: str) -> Result:
    case, seen = judged.case, judged.observation
    trace: list[str] = []
    did = ""
    if seen is not None:
        trace = trace_lines(case, seen)
        did = did_in([seen.trace[op.id] for op in case.ops]) if case.profile == "client" else ""
    result = without_port(result_of(case, judged.judgement, trace=trace, did=did), PORT)
    return msgspec.structs.replace(bounded(result), script=script)
