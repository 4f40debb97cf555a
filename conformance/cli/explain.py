"""``httplib-kit explain``: a verdict, an exception, a category, a case, or a client and a fault.

The input is a word.  The output is lines: what it means, when it happens, what the recorded clients
did, and the line that catches it.  What clients did is taken from the records of the cases of some
faults that applications meet; nothing is run.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import click

from conformance.atlas import line_of, short_class
from conformance.cases import (
    DOCUMENTED,
    Case,
    Corpus,
    Listed,
    ancestors,
    load_corpus,
    load_requirements,
)
from conformance.cli.outputs import Screen
from conformance.cli.recorded import keys_named, recorded_lines
from conformance.judge import is_late
from conformance.report import WORDS, Entry, essence, visible_text
from conformance.results.golden import Book, judged, load_book, played_for
from conformance.wording import counted, near_clause, wrapped


class Fault(NamedTuple):
    """A fault that applications meet.

    Args:
        text: what the server or the network does.
        when: when that happens.
        cases: globs of the ids of cases that have it.
    """

    text: str
    when: str
    cases: tuple[str, ...]


FAULTS: Mapping[str, Fault] = {
    "end-before-response": Fault(
        "the connection ends without a response",
        "the server dies or restarts, or has closed a kept connection while the request was sent",
        ("exceptions.bad-status-line.nothing",),
    ),
    "reset-before-response": Fault(
        "the connection is reset before a response",
        "the server is overloaded or restarts, or a firewall forgets the connection",
        ("exceptions.not-an-http-exception.reset",),
    ),
    "end-in-head": Fault(
        "the connection ends inside the status line or the fields",
        "the server dies, or a proxy gives up",
        ("faults.end.head.*", "faults.end.fields.*"),
    ),
    "reset-in-head": Fault(
        "the connection is reset inside the status line or the fields",
        "the server dies, or a proxy gives up",
        ("faults.reset.head.inside-*", "faults.offset.reset.head.1*"),
    ),
    "end-in-body": Fault(
        "the connection ends before the announced end of the body",
        "the server or a proxy fails while it sends; half a file arrives",
        ("framing.length.short.*", "chunked.cut.*", "faults.cut.*"),
    ),
    "reset-in-body": Fault(
        "the connection is reset inside the body",
        "the server or a proxy fails while it sends; half a file arrives",
        ("faults.reset.body.*",),
    ),
    "not-http": Fault(
        "something else than a response arrives",
        "another protocol is spoken at this port, or what was left of another response is read",
        ("status-line.not-http.*",),
    ),
    "bad-chunk": Fault(
        "the size of a chunk cannot be read",
        "the server or a proxy has a bug, or someone tries to smuggle a response",
        ("chunked.size.invalid.*", "faults.wiremock.malformed-response-chunk"),
    ),
    "bad-length": Fault(
        "Content-Length is no number, or there are several",
        "the server or a proxy has a bug, or someone tries to smuggle a response",
        ("framing.content-length.invalid.*",),
    ),
    "endless-head": Fault(
        "a line or the fields do not end",
        "the server is hostile or broken; a client without a limit uses up its memory",
        ("limits.endless-*",),
    ),
}
"""The faults that can be named."""

CATEGORIES: Mapping[str, str] = {
    "no-response": "the connection ended, or was reset, before there was a response",
    "bad-status-line": "the status line is malformed",
    "bad-header": "a field is malformed",
    "bad-framing": "the length, a coding or a chunk is malformed",
    "truncated-body": "fewer bytes arrived than were announced",
    "limit-exceeded": "a line, a number or a size exceeds a limit of the client",
    "unsupported-coding": "a well-formed message whose coding the client does not support",
    "unsupported-version": "a well-formed message whose version the client does not support",
    "timeout": "no answer in time: the client's own timeout expired, or the kit's deadline",
    "leak": "an exception that the client's users do not have to expect",
}
"""Why a client rejects a response."""
_SOME = 3


@dataclass(slots=True)
class Deed:
    """What a client did in some cases.

    Args:
        key: the client.
        text: what it did: ``accepts …``, or its category.
        name: the qualified class that it raised; empty if it raised none.
        bases: the qualified bases of the class.
        cases: the ids of the cases.
    """

    key: str
    text: str
    name: str = ""
    bases: tuple[str, ...] = ()
    cases: list[str] = field(default_factory=list)


@click.command()
@click.argument("what")
@click.argument("fault", required=False)
@click.pass_context
def explain(ctx: click.Context, what: str, fault: str | None) -> None:
    """Explain WHAT: what it means, what clients do, what to catch.

    WHAT is a verdict (`NO_ERROR`), an exception (`IncompleteRead`, or one of a client), a category
    (`truncated-body`), a fault (`reset-in-body`), a case, or a recorded client, with or without a
    FAULT: `explain requests reset-in-body`.
    """
    screen = Screen(sys.stdout)
    lines = list(_lines(what, fault, load_corpus(), load_book()))
    shown = (part for line in lines for part in wrapped(visible_text(line), screen.width))
    screen.write("".join(f"{line}\n" for line in shown))
    if screen.has_failed((), ()):
        ctx.exit(2)


def _lines(what: str, fault: str | None, corpus: Corpus, book: Book) -> Iterator[str]:
    """Yield the explanation.

    Raises:
        click.UsageError: nothing is called so.
    """
    if fault is not None:
        if fault not in FAULTS:
            raise click.UsageError(f"no fault is called {fault!r}{_others(fault, FAULTS)}")
        yield from _of_fault(fault, corpus, book, keys_named(book, what))
        return
    for words, told in _KINDS:
        if what in words(book):
            yield from told(what, corpus, book)
            return
    if (listed := corpus.listed(what)) is not None:
        yield from _of_case(listed.case(), corpus, book)
        return
    keys = [key for key in _clients(book) if _last(what) in map(_last, _classes(book, key))]
    found = [one for one in _deeds(corpus, book, keys) if what in _names(one.name)]
    if not found:
        known = [*CATEGORIES, *FAULTS, *DOCUMENTED, *_words(book), *book.implementations]
        known += [listed.id for listed in corpus.every.listed]
        raise click.UsageError(
            f"nothing that can be explained is called {what!r}{near_clause(what, known)}"
        )
    yield f"{what}, which recorded clients raise:"
    yield from _raising(found, book)


def _others(name: str, known: Mapping[str, object]) -> str:
    return near_clause(name, known, f"; there are {', '.join(known)}")


def _words(_: Book) -> dict[str, Entry]:
    return {entry.word: entry for entry in WORDS}


def _clients(book: Book) -> list[str]:
    return [key for key, one in book.implementations.items() if "fetch" in one.ops]


def _of_word(word: str, _: Corpus, book: Book) -> Iterator[str]:
    yield f"{word}: {_words(book)[word].meaning}"


def _of_exception(name: str, corpus: Corpus, _: Book) -> Iterator[str]:
    chain = [one for one in (name, *ancestors(name)) if one != "Exception"]
    yield f"{name}, an exception of httplib; its classes: {', '.join(chain)}"
    for one in load_requirements().values():
        if one.id.startswith(f"exceptions.{name}"):
            yield f"  page: {one.text}"
    cases = [case for case in corpus.every.listed if name in case.raises]
    yield f"  when: {counted(len(cases), 'case')} of the corpus, such as"
    yield from (f"    {case.id}: {case.title}" for case in _spread(cases))
    yield f"  catch: except {name}: or, for all of httplib, except HTTPException:"


def _of_category(name: str, corpus: Corpus, book: Book) -> Iterator[str]:
    yield f"{name}, why a client rejects a response: {CATEGORIES[name]}"
    found = [one for one in _deeds(corpus, book, _clients(book)) if one.text == name]
    yield from _raising(found, book)


def _of_fault(
    name: str, corpus: Corpus, book: Book, keys: Sequence[str] | None = None
) -> Iterator[str]:
    fault = FAULTS[name]
    yield f"{name}: {fault.text}"
    yield f"  when: {fault.when}"
    yield from _raising(_deeds(corpus, book, keys or _clients(book), [fault]), book)


def _of_client(name: str, corpus: Corpus, book: Book) -> Iterator[str]:
    one = book.implementations[name]
    yield f"{name}: {one.name} {one.version}, recorded as {one.written}"
    if "fetch" in one.ops:
        yield from _raising([deed for deed in _deeds(corpus, book, [name]) if deed.name], book)
    else:
        yield "  it has the interface of httplib; `httplib-kit explain IncompleteRead` and the like"


def _of_case(case: Case, corpus: Corpus, book: Book) -> Iterator[str]:
    yield f"{case.id}: {case.title}"
    yield f"  why: {case.why}"
    yield f"  page: {', '.join(case.spec)}"
    yield from [f"  RFC: {', '.join(case.rfc)}"] if case.rfc else []
    yield "  what each recorded implementation did:"
    yield from (f"  {line}" for line in recorded_lines(case, corpus, book))
    yield f"  `httplib-kit show {case.id}` shows the bytes and what is accepted"


_KINDS: Sequence[
    tuple[Callable[[Book], Mapping[str, Any]], Callable[[str, Corpus, Book], Iterator[str]]]
] = (
    (_words, _of_word),
    (lambda _: dict.fromkeys(DOCUMENTED), _of_exception),
    (lambda _: CATEGORIES, _of_category),
    (lambda _: FAULTS, _of_fault),
    (lambda book: book.implementations, _of_client),
)
"""How to find the names of a kind, and how to explain one."""


def _deeds(
    corpus: Corpus, book: Book, keys: Sequence[str], faults: Sequence[Fault] | None = None
) -> list[Deed]:
    """Return what clients did in the cases of *faults*, by default of all."""
    globs = [glob for fault in faults or FAULTS.values() for glob in fault.cases]
    found: dict[tuple[str, str, str], Deed] = {}
    selected = (case for case in corpus.select(globs) if case.fetch is not None)
    played = (played_for(book, corpus, case) or case for case in selected)
    for case in {case.id: case for case in played}.values():
        for one in judged(book, case, keys):
            if one.observation is None:
                continue
            error = one.observation.trace["fetch"].get("error", {})
            late = is_late(one.observation.trace["fetch"])
            name, text = "" if late else str(error.get("class", "")), str(error.get("category", ""))
            if not error:
                text = essence(next(iter(one.calls), ("", "accepts"))[1])
            made = Deed(one.key, text, name, tuple(error.get("bases", ())))
            found.setdefault((one.key, text, name), made).cases.append(case.id)
    order = {key: at for at, key in enumerate(keys)}
    return sorted(found.values(), key=lambda one: (order[one.key], -len(one.cases)))


def _raising(deeds: Sequence[Deed], book: Book) -> Iterator[str]:
    """Yield for each client what it did, in how many cases, and the lines that catch it."""
    if not deeds:
        yield "  no record has it"
    for key in dict.fromkeys(one.key for one in deeds):
        own = [one for one in deeds if one.key == key]
        yield ""
        yield f"{key} {book.implementations[key].version}"
        for one in own:
            verb = "ends with" if one.name.startswith("exit-") else "raises"
            did = f"{verb} {short_class(one.name)} ({one.text})" if one.name else one.text
            yield f"  {len(one.cases):>4}  {did}"
            yield f"        {', '.join(one.cases[:_SOME])}"
        raising = [one for one in own if one.name]
        written = book.implementations[key].written
        found = (line_of(one.name, written) for one in raising)
        lines = [*dict.fromkeys(filter(None, found))]
        shared = line_of(_shared(raising), written)
        if len(lines) > 1 and shared:
            yield f"  all of these: {shared}"
        else:
            yield from (f"  catch: {line}" for line in lines)


def _shared(deeds: Sequence[Deed]) -> str:
    """Return the nearest class that all of *deeds* have in common; empty if there is none."""
    chains = [(one.name, *one.bases) for one in deeds]
    usual = {"object", "BaseException", "Exception", "StandardError"}
    wanted = (one for one in (chains[0] if chains else ()) if short_class(one) not in usual)
    return next((one for one in wanted if all(one in chain for chain in chains)), "")


def _classes(book: Book, key: str) -> Iterable[str]:
    return book.implementations[key].classes


def _last(name: str) -> str:
    """Return the name of a class without its module."""
    return name.rpartition(".")[2]


def _names(name: str) -> set[str]:
    """Return the names by which a user may know the class called *name*."""
    return {name, short_class(name), _last(name)} - {""}


def _spread(cases: Sequence[Listed]) -> list[Listed]:
    """Return a few of *cases*, of different families where there are some."""
    first = {one.family: one for one in reversed(cases)}
    return list(first.values())[-_SOME:]
