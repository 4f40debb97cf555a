"""What implementations that need not be installed did, according to the golden records.

For `show`, the input is a case and the records, and the output is lines; implementations that did
the same share a block under its verdict.  For the matrix of `check`, the input is the runs of
clients that are not installed, and the output is the recorded runs.  For `diff` and `matrix`, the
input is what the user wrote, and the output is `Sides`.
"""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from conformance.cases import Case, Cases, Corpus
from conformance.cli.options import Selection
from conformance.report import NoReport, Run, read_runs
from conformance.results.golden import Book, Judged, judged, load_book, played_for, runs_of


def recorded_clients(runs: Sequence[Run], corpus: Corpus) -> dict[str, Run]:
    """Return the records of the clients of *runs* that are not installed, over the same cases.

    Args:
        runs: of several clients.
        corpus: judges the records.

    Returns:
        Runs, by implementation as the user wrote it; a client without a record of any of the cases
        in their present form is left out.

    Raises:
        BookError: the records cannot be read.
    """
    absent = {
        run.head.implementation: {result.id for result in run.results}
        for run in runs
        if run.is_absent
    }
    if not absent:
        return {}
    book = load_book()
    names = {key: one.written for key, one in book.implementations.items() if one.written in absent}
    ids = set().union(*absent.values())
    cases = corpus.cases.where(lambda listed: listed.id in ids)
    found = {}
    for key, (head, results) in runs_of(book, names, corpus, cases).items():
        met = [result for result in results if result.id in absent[names[key]]]
        if met:
            found[names[key]] = Run(head, met)
    return found


def recorded_lines(case: Case, corpus: Corpus, book: Book) -> Iterator[str]:
    """Yield the lines; empty if there is no record of the present form of the case.

    If clients play another case with the same script in its place, their records are of that one.

    Args:
        case: the case.
        corpus: all cases.
        book: the records.

    Raises:
        BookError: the records cannot be read.
    """
    yield from _groups(book, judged(book, case))
    played = played_for(book, corpus, case)
    if played is not None:
        found = [one for one in judged(book, played) if one.case.profile == "client"]
        if found:
            yield f"  clients play {played.id} in its place, which has the same script:"
        yield from _groups(book, found)


def _groups(book: Book, found: Iterable[Judged]) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        calls = [f"{name:<14} {text}" for name, text in one.calls]
        groups.setdefault((_verdict(one), *calls), []).append(one.key)
    for (verdict, *calls), keys in groups.items():
        versions = (f"{key} ({book.implementations[key].version})" for key in keys)
        yield f"  {verdict}  {', '.join(versions)}"
        yield from (f"    {call}" for call in calls)


def _verdict(one: Judged) -> str:
    judgement = one.judgement
    text = f"{judgement.verdict} ({judgement.basis})" if judgement.basis else str(judgement.verdict)
    miss = judgement.mismatch
    # What was seen at an op is listed among the calls.
    if miss is None or any(op.id == miss.where for op in one.case.ops):
        return text if miss is None else f"{text} at {miss.where}"
    return f"{text} at {miss.where}: {miss.seen}"


@dataclass
class Sides:
    """Implementations that are compared: all are records, or some are runs of result files.

    Args:
        book: the records.
        corpus: the corpus.
        keys: the recorded implementations, in order.
        read: the runs of the files; empty if all are records.
        chosen: the cases that are compared; None for all.
    """

    book: Book
    corpus: Corpus
    keys: list[str]
    read: list[Run]
    chosen: Cases | None

    @cached_property
    def runs(self) -> list[Run]:
        """A run for each, the files first, with only the cases that are compared."""
        found = runs_of(self.book, self.keys, self.corpus, self.chosen)
        recorded = [Run(*found[key]) for key in self.keys]
        if self.chosen is None:
            return [*self.read, *recorded]
        ids = {case.id for case in self.chosen.listed}
        return [
            *(Run(one.head, [each for each in one.results if each.id in ids]) for one in self.read),
            *recorded,
        ]

    @property
    def labels(self) -> list[str]:
        """A name with its version for each."""
        heads = [run.head for run in self.read]
        keys = [(key, self.book.implementations[key].version) for key in self.keys]
        return [f"{one.name} {one.version}".rstrip() for one in heads] + [
            f"{key} {version}".rstrip() for key, version in keys
        ]

    @property
    def cases(self) -> Iterable[Case]:
        """The cases that are compared, of the corpus."""
        return self.corpus.cases if self.chosen is None else self.chosen


def sides(
    written: Sequence[str], corpus: Corpus, chosen: Selection, *, mixed: bool = False
) -> Sides:
    """Return what *written* names; by default every recorded client.

    Args:
        written: result files, and names of recorded implementations: a key, `NAME@VERSION` or a
            glob.
        corpus: the corpus.
        chosen: which cases are compared.
        mixed: whether clients may be mixed with httplib's interface.

    Raises:
        click.UsageError: something names nothing, or clients are mixed with httplib's interface.
    """
    book = load_book()
    found = Sides(book, corpus, [], [], None)
    if chosen:
        found.chosen = chosen.of(corpus)
    for one in written:
        if Path(one).exists():
            try:
                found.read += read_runs([Path(one)])
            except NoReport as error:
                raise click.UsageError(str(error)) from None
        else:
            found.keys += keys_named(book, one)
    if not written:
        found.keys = [key for key, one in book.implementations.items() if "fetch" in one.ops]
    kinds = {run.is_client for run in found.read}
    kinds |= {"fetch" in book.implementations[key].ops for key in found.keys}
    if len(kinds) > 1 and not mixed:
        raise click.UsageError(
            "some are clients and some have httplib's interface, which play different cases"
        )
    if found.chosen is not None and True in kinds:
        found.chosen = _played(found.chosen, corpus)
    return found


def _played(chosen: Cases, corpus: Corpus) -> Cases:
    """Return the cases that clients play in place of *chosen*; say so of those that differ."""
    played = corpus.played(chosen)
    others = {one.id for one in played.listed} - {one.id for one in chosen.listed}
    if others:
        click.echo(
            f"httplib-kit: of cases with one script, clients play one: {', '.join(sorted(others))}",
            err=True,
        )
    return played


def keys_named(book: Book, written: str) -> list[str]:
    """Return the keys of the recorded implementations that *written* names.

    Raises:
        click.UsageError: there is none.
    """
    name, at, version = written.rpartition("@")
    found = [
        key
        for key, one in book.implementations.items()
        if fnmatch.fnmatchcase(key, written)
        or (at and name in (key, one.name) and f"{one.version}.".startswith(f"{version}."))
    ]
    if not found:
        known = ", ".join(book.implementations) or "none"
        raise click.UsageError(
            f"{written!r} is neither a result file nor a recorded implementation; there are {known}"
        )
    return found
