"""The book of golden records: a file of implementations, and a file of observations for each topic.

The input is a directory.  The output is a `Book`, which can be written as files again; equal books
give equal files.  ``implementations.json`` has a line for each implementation, and the file of a
topic the records of each case (`topic`): a change of one case changes its record and nothing else.
A topic has the name of the file of its cases, and is read when one of them is asked for: to read
all of them takes seconds.

An observation is valid while its case plays the same; if a case plays something else, the
observations that are not made again are dropped.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from conformance.cases import Case, fixtures_directory
from conformance.results.golden.topic import case_text, line, observations
from conformance.results.golden.usual import Usual, usual_of
from conformance.results.golden.values import lengthened

HEAD = "implementations.json"


class BookError(ValueError):
    """A file of the book is not valid; the message is one line that names it."""


class Recorded(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, dict=True
):
    """An implementation that was recorded.

    Args:
        written: as it is written on the command line.
        name: its own name.
        version: its own version.
        runtime: the name that its interpreter reports.
        features: the optional features that it has.
        ops: the names of the ops that it has.
        errors: maps its own names of exceptions to those of the page.
        classes: the bases of each class that the records name.
        heads: the usual heads of its requests, by method.
        raises: the usual class of its errors, by category.
    """

    written: str
    name: str
    version: str
    runtime: str = ""
    features: list[str] = []
    ops: list[str] = []
    errors: dict[str, str] = {}
    classes: dict[str, list[str]] = {}
    heads: dict[str, str] = {}
    raises: dict[str, str] = {}

    @property
    def is_client(self) -> bool:
        """Whether it has the client profile."""
        return "fetch" in self.ops

    @property
    def usual(self) -> Usual:
        """What a client does in most cases."""
        return Usual(self.heads, self.raises)

    @functools.cached_property
    def judged_by(self) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
        """What a judge uses of it, apart from names and classes: features and a map of errors."""
        return _JUDGED.intersection(self.features), tuple(self.errors.items())


_JUDGED = frozenset({"python3", "lowercase-names"})
"""The features on which a judgement depends; the others decide what is run."""


class _Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cases: dict[str, list[Any]]


@dataclass
class Book:
    """All golden records.

    Args:
        implementations: the recorded implementations, by key.
        played: the digest of what was played in each recorded case.
        seen: observations by case and key: each is a list of calls and wire, or a verdict.
        judgements: those that more than one case shares, as `judged` made them.
        unread: the files of the topics that were not yet asked for.
    """

    implementations: dict[str, Recorded] = field(default_factory=dict)
    played: dict[str, str] = field(default_factory=dict)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    judgements: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    unread: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    def of(self, case: Case) -> dict[str, Any]:
        """Return the observations of *case*, by key; empty if the case now plays something else.

        Raises:
            BookError: the file of its topic is not valid.
        """
        self._read(Path(case.file).stem)
        return self.seen.get(case.id, {}) if self.played.get(case.id) == case.played else {}

    def whole(self) -> "Book":
        """Return this book, with all its topics read.

        Raises:
            BookError: a file is not valid.
        """
        for topic in list(self.unread):
            self._read(topic)
        return self

    def _read(self, topic: str) -> None:
        """Read a topic, unless that was done; threads may do it at once, and each the whole."""
        if topic in self.unread:
            _add(self, self.unread[topic])
            self.unread.pop(topic, None)

    def put(
        self, key: str, recorded: Recorded, seen: Iterable[tuple[Case, Any]], *, whole: bool = True
    ) -> None:
        """Replace the observations of one implementation by *seen*.

        Args:
            key: the key of the implementation.
            recorded: its identity.
            seen: its observation of each case.
            whole: whether these are all cases; if not, the observations of other cases are kept.

        Raises:
            BookError: a file of the book is not valid.
        """
        self.whole()
        for by_key in self.seen.values() if whole else ():
            by_key.pop(key, None)
        before = self.implementations.get(key)
        if before is not None and not whole:
            classes = dict(sorted({**before.classes, **recorded.classes}.items()))
            recorded = msgspec.structs.replace(recorded, classes=classes)
        seen = list(seen)
        if recorded.is_client:
            usual = usual_of(one for _, one in seen)
            if before is not None and (not whole or before.version == recorded.version):
                # What is usual stays, so that only what differs is rewritten.
                raises = dict(sorted({**usual.raises, **before.raises}.items()))
                usual = Usual(before.heads or usual.heads, raises)
            recorded = msgspec.structs.replace(recorded, **usual._asdict())
        self.implementations[key] = recorded
        for case, encoded in seen:
            if self.played.get(case.id) != case.played:
                self.played[case.id] = case.played
                self.seen[case.id] = {}
            self.seen.setdefault(case.id, {})[key] = self.stored(key, case, encoded)

    def stored(self, key: str, case: Case, encoded: Any) -> Any:
        """Return an observation of *case*, as `Codec` encodes it, in the form that is stored."""
        one = self.implementations[key]
        return one.usual.short(encoded, case.host) if one.is_client else encoded

    def has(self, key: str, case: Case, encoded: Any) -> bool:
        """Return whether an observation of *case*, as `Codec` encodes it, is the stored one.

        What differs between two runs of one client is not compared: of exchanges that begin at the
        same time, which connection each gets; of a content that the server cuts, how much was sent.
        """
        stored = self.of(case).get(key)
        same = (_without_races(case, one) for one in (stored, self.stored(key, case, encoded)))
        return stored is not None and next(same) == next(same)


def _without_races(case: Case, stored: Any) -> Any:
    if case.session is None or not isinstance(stored, list):
        return stored
    calls, connections, *rest = (*stored, []) if len(stored) == 1 else stored
    if any(len(group) > 1 for group in case.session.groups):
        return [calls, sorted(line(it) for one in connections for it in one.get("requests", ()))]
    if not any(one.body for one in case.session.exchanges):
        return stored
    return [calls, [_as_far_as_read(one) for one in connections], *rest]


def _as_far_as_read(connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection without the bytes that arrived and that the server did not read."""
    made = {name: value for name, value in connection.items() if name != "unread"}
    if "received" in made and "unread" in connection:
        made["received"] = lengthened(made["received"]).removesuffix(
            lengthened(connection["unread"])
        )
    return made


def observed_directory() -> Path:
    """Return the directory of the golden records."""
    return fixtures_directory() / "observed"


@functools.cache
def load_book() -> Book:
    """Return the book among the fixtures.

    Raises:
        BookError: as `read_book`.
    """
    return read_book(observed_directory())


def read_book(directory: Path) -> Book:
    """Return the book in *directory*; an empty one if the directory has none.

    Raises:
        BookError: the file of the implementations is not valid.
    """
    book = Book()
    head = directory / HEAD
    if head.exists():
        book.implementations = _read(head, dict[str, Recorded])
        paths = sorted(path for path in directory.glob("*.json") if path.name != HEAD)
        book.unread = {path.stem: path for path in paths}
    return book


def _add(book: Book, path: Path) -> None:
    keys = list(book.implementations)
    clients = [key for key in keys if book.implementations[key].is_client]
    for case_id, record in _read(path, _Topic).cases.items():
        try:
            book.played[case_id], book.seen[case_id] = observations(record, keys, clients)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise BookError(f"{path}: {case_id}: {error}") from None


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BookError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BookError(f"{path}: {error}") from None


def write_book(directory: Path, book: Book, corpus: Iterable[Case]) -> None:
    """Write to *directory* what *book* has about the present form of the cases of *corpus*.

    Raises:
        OSError: it cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    keys = sorted(book.implementations, key=functools.partial(_order, book))
    clients = {key for key in keys if book.implementations[key].is_client}
    files = {HEAD: _head_text(book, keys)}
    topics: dict[str, list[Case]] = {}
    for case in corpus:
        topics.setdefault(Path(case.file).stem, []).append(case)
    for topic, cases in topics.items():
        lines = [
            f"{json.dumps(case.id)}: {case_text(case.played, seen, keys, clients)}"
            for case in cases
            if (seen := book.of(case))
        ]
        if lines:
            joined = ",\n".join(lines)
            files[f"{topic}.json"] = f'{{"cases": {{\n{joined}\n}}}}\n'
    for name, text in files.items():
        partial = directory / f".{name}.partial"
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(directory / name)
    for path in directory.glob("*.json"):
        if path.name not in files:
            path.unlink()


def _order(book: Book, key: str) -> tuple[Any, ...]:
    """Return the sort key of *key*: httplib's interface first, by runtime and version."""
    one = book.implementations[key]
    version = tuple(int(part) if part.isdigit() else 0 for part in one.version.split("."))
    standard = one.name in ("httplib", "http.client")
    return (one.is_client, not standard, one.name if not standard else "", version, key)


def _head_text(book: Book, keys: Iterable[str]) -> str:
    lines = [
        f"{json.dumps(key)}: {line(msgspec.to_builtins(book.implementations[key]))}" for key in keys
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
