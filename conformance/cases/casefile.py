"""A case file as its parts: each case and each grid as it was written, found without parsing.

In: the text of a file.  Out: an `Authored` for each case and grid in it, which is parsed when
something of it is asked for, and a `Listed` for each case that it stands for, which is built when
it is played or shown.

The parts are found by their headers.  That is true for files in the form in which the kit's own
are written: the line ``[[case]]`` or ``[[grid]]``, then the line ``id = "…"``, and no strings over
several lines.  In such a text a header is nothing else, an id stands where it must, and a part
means alone what it means in its file.  Any other file, and any that turns out to be wrong, is
parsed as a whole, which gives the same cases, or the complaint.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from weakref import WeakValueDictionary

import msgspec

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.grids import Choice, Grid
from conformance.cases.parsing import parse
from conformance.cases.plain import check_plain
from conformance.cases.tables import RESERVED_IDS, CaseTable, FetchTable, FileHead, OwnFileHead
from conformance.cases.words import Level

if TYPE_CHECKING:  # who only asks which cases there are does not wait for what builds them
    from conformance.cases.build import Built
    from conformance.cases.model import Case, Fetch
    from mockserver import Script

Kind = Literal["case", "grid"]
_PART = re.compile(r'^\[\[(case|grid)\]\][ \t]*\nid[ \t]*=[ \t]*"([^"\\\n]*)"', re.MULTILINE)
_LIKE_A_PART = re.compile(
    r"""^[ \t]*\[\[[ \t]*(?:case|grid|"[^"\n]*"|'[^'\n]*')[ \t]*\]""", re.MULTILINE
)
_OVER_LINES = '"""', "'''"
_HOLE = re.compile(r"\{[a-z_]+\}")


class _Columns(msgspec.Struct, frozen=True):
    """What a selection asks about, taken from the table of a case."""

    id: str
    title: str
    level: Level
    spec: tuple[str, ...]
    rev: int = 1
    origin: tuple[str, ...] = ()
    twin: str | None = None


_VARYING = ("rev", "level", "spec", "origin")
"""The columns that a grid names once, and in which it seldom has a hole."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A case of the corpus before it is built, with what a selection asks about.

    Args:
        columns: its id, title, level, revision, requirements and links.
        part: the case or grid in which it was written.
        choice: which case of the grid it is; None for a case.
    """

    columns: _Columns
    part: "Authored"
    choice: Choice | None

    @property
    def table(self) -> Mapping[str, Any]:
        """Its table, filled anew.

        Raises:
            CaseError: it is not what the format allows.
        """
        return self.part.table(self.choice)

    @property
    def id(self) -> str:
        """Its id."""
        return self.columns.id

    @property
    def rev(self) -> int:
        """Its revision."""
        return self.columns.rev

    @property
    def title(self) -> str:
        """Its title."""
        return self.columns.title

    @property
    def level(self) -> Level:
        """Its level."""
        return self.columns.level

    @property
    def spec(self) -> tuple[str, ...]:
        """The requirements that it cites."""
        return self.columns.spec

    @property
    def origin(self) -> tuple[str, ...]:
        """The links to real bugs."""
        return self.columns.origin

    @property
    def twin(self) -> str | None:
        """The id of the well-formed case from which it differs in one place."""
        return self.columns.twin

    @property
    def family(self) -> str:
        """The family of its file."""
        return self.part.file.family

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.part.file.name

    @property
    def is_own(self) -> bool:
        """Whether it is a user's own case."""
        return self.part.file.is_own

    @property
    def authored(self) -> str:
        """The id under which it was written: its own, or that of its grid."""
        return self.id if self.part.is_case else self.part.id

    @property
    def for_clients(self) -> bool:
        """Whether it says what a client of another interface may do."""
        return self.part.has("fetch", self.choice)

    @property
    def raises(self) -> frozenset[str]:
        """The exceptions that an op must raise, in an outcome that passes.

        Raises:
            CaseError: an outcome is not what the format allows.
        """
        found: set[str] = set()
        with complaints_of(self.file, self.id):
            for outcome in decode(self.table.get("outcome", []), list[dict[str, Any]]):
                if outcome.get("grade", "pass") == "pass":
                    found.update(_raised(outcome))
        return frozenset(found)

    def case(self) -> "Case":
        """Return the case: the same object as long as it is in use, else a new one.

        Raises:
            CaseError: the format does not allow it.
        """
        return self.part.file.build(self)

    def script(self) -> "Script":
        """Return what the server plays in it, and build nothing else.

        Raises:
            CaseError: the format does not allow it.
        """
        from conformance.cases.script import script

        with complaints_of(self.file, self.id):
            return script(decode(self.table, CaseTable))

    def fetch(self) -> "Fetch":
        """Return what it says that a client may do.

        Raises:
            CaseError: the format does not allow it.
        """
        from conformance.cases.fetch import expectation

        raw = self.table
        with complaints_of(self.file, self.id):
            table = decode(raw["fetch"], FetchTable)
            return within("fetch", expectation, table, raw.get("rfc", ()))


def _raised(outcome: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in outcome.items():
        if name not in RESERVED_IDS and isinstance(entry, dict):
            raised = entry.get("raises", ())
            yield from (raised,) if isinstance(raised, str) else raised


class Authored:
    """A case or a grid, as it was written.

    Args:
        file: the file that it stands in.
        kind: which of the two.
        id: its id, in which the names of axes are in braces; its place where it has none.
        text: its part of the file; None where *raw* is given.
        raw: its table.
    """

    def __init__(
        self,
        file: "CaseFile",
        kind: Kind,
        id: str,  # noqa: A002 # what it is called everywhere
        text: str | None,
        raw: Mapping[str, Any] | None = None,
    ) -> None:
        self.file = file
        self.kind = kind
        self.id = id
        self.text = text
        self._raw = raw
        self.is_case = kind == "case"
        # Tests and tools go through the whole corpus many times and keep its cases; a run keeps
        # none, so a reference that holds a case alive would cost it hundreds of megabytes.
        self.built: WeakValueDictionary[str, Case] = WeakValueDictionary()
        """Those of its cases that are in use, by id."""
        ends = _HOLE.split(id)
        self.start, self.end = ends[0], ends[-1]
        """What the ids of all its cases begin and end with."""

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        """The table, plain and not yet checked."""
        return self._parsed() if self._raw is None else self._raw

    def _parsed(self) -> Mapping[str, Any]:
        with contextlib.suppress(ValueError, RecursionError):
            found = parse(str(self.text))
            if found.keys() == {self.kind} and len(found[self.kind]) == 1:
                return cast("Mapping[str, Any]", found[self.kind][0])
        # Parsed alone it is not what it seems to be: the file says why.
        raise self.file.wrong()

    @cached_property
    def cases(self) -> tuple[Listed, ...]:
        """The cases that it stands for, in order.

        Raises:
            CaseError: it is not what the format allows.
        """
        raw, _ = self.raw, self.file.family
        with complaints_of(self.file.name, self.id):
            if self.is_case:
                return (self._listed(raw),)
            grid = self._grid
            if grid.varies(_VARYING):
                return tuple(self._listed(self.table(one), one) for one in grid.choices)
            same = {key: raw[key] for key in _VARYING if key in raw}
            return tuple(self._listed({**same, **grid.names(one)}, one) for one in grid.choices)

    def _listed(self, table: Mapping[str, Any], choice: Choice | None = None) -> Listed:
        try:
            columns = msgspec.convert(table, _Columns)
        except msgspec.ValidationError:
            from conformance.cases.build import build

            whole = self.table(choice)
            with complaints_of(self.file.name, str(whole.get("id", self.id))):
                build(whole, self.file.family, self.file.name)  # says it in full
            raise
        return Listed(columns, self, choice)

    @cached_property
    def _grid(self) -> Grid:
        return Grid(self.raw)

    @cached_property
    def _plain(self) -> Mapping[str, Any]:
        """The table, in which nothing is that a case has no use for."""
        raw = self.raw
        check_plain(raw)
        return raw

    def table(self, choice: Choice | None) -> Mapping[str, Any]:
        """Return the table of one of its cases.

        Args:
            choice: which, where this is a grid.

        Raises:
            CaseError: it is not what the format allows.
        """
        with complaints_of(self.file.name, self.id):
            plain = self._plain
            return plain if choice is None else self._grid.table(choice)

    def has(self, key: str, choice: Choice | None) -> bool:
        """Tell whether one of its cases has *key*."""
        return key in self.raw if choice is None else self._grid.has(key, choice)


class CaseFile:
    """One case file.

    Args:
        data: what it holds.
        name: its name.
        is_own: whether it is a user's, and its family may have any name.

    Raises:
        CaseError: it is not UTF-8; or it is not in the form of the kit's own files, and not what
            the format allows.
    """

    def __init__(self, data: bytes, name: str, *, is_own: bool = False) -> None:
        self.data = data
        self.name = name
        self.is_own = is_own
        self._kind: type[FileHead | OwnFileHead] = OwnFileHead if is_own else FileHead
        try:
            text = data.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            problem = f"is not UTF-8: {error.reason} at octet {error.start}"
            raise CaseError(problem, file=name) from None
        self._text = text
        self._latest: tuple[Authored, Built] | None = None
        parts = _parts(text)
        self.parts: tuple[Authored, ...]
        """Its cases, and behind them its grids, each in the order of the file."""
        if parts is None:
            self.parts = tuple(self._whole())
        else:
            self._head, found = parts
            authored = [Authored(self, kind, name, part) for kind, name, part in found]
            authored.sort(key=lambda one: one.kind)
            self.parts = tuple(authored)

    @classmethod
    def read(cls, path: Path) -> "CaseFile":
        """Return the file at *path*.

        Raises:
            CaseError: it cannot be read, or see above.
        """
        try:
            return cls(path.read_bytes(), path.name)
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror}", file=path.name) from None

    @cached_property
    def family(self) -> str:
        """The family of all cases in it.

        Raises:
            CaseError: there is no such family.
        """
        with contextlib.suppress(ValueError, RecursionError, CaseError):
            found = parse(self._head)
            if found.keys() == {"family"}:
                return decode(found, self._kind).family
        raise self.wrong()

    def wrong(self) -> CaseError:
        """Return what is wrong with the file as a whole."""
        try:
            self._whole()
        except CaseError as error:
            return error
        return CaseError("has a part that cannot be told from the others", file=self.name)

    def _whole(self) -> list[Authored]:
        """Return the parts of the file from all its tables."""
        try:
            head = decode(parse(self._text), self._kind)
        except CaseError as error:
            raise error.within(file=self.name) from None
        except ValueError as error:  # not TOML, or a number of more digits than Python reads
            raise CaseError(f"is not TOML: {error}", file=self.name) from None
        except RecursionError:
            raise CaseError("is nested too deep", file=self.name) from None
        self.family = head.family
        kinds: Iterable[tuple[Kind, list[dict[str, Any]]]] = (
            ("case", head.case),
            ("grid", head.grid),
        )
        return [
            Authored(self, kind, str(raw.get("id", f"{kind}[{index}]")), None, raw)
            for kind, tables in kinds
            for index, raw in enumerate(tables)
        ]

    def build(self, listed: Listed) -> "Case":
        """Return the case that *listed* describes.

        Raises:
            CaseError: the format does not allow it.
        """
        from conformance.cases.build import build

        authored = listed.part
        built = authored.built.get(listed.id)
        if built is not None:
            return built
        latest = self._latest
        like = latest[1] if latest is not None and latest[0] is authored else None
        name = listed.authored
        table = listed.table
        with complaints_of(self.name, listed.id):
            case = build(table, self.family, self.name, authored=name, like=like)
        if not authored.is_case:
            self._latest = authored, (table, case)
        authored.built[listed.id] = case
        return case


def _parts(text: str) -> tuple[str, list[tuple[Kind, str, str]]] | None:
    """Return the head of *text*, and kind, id and text of each part; None for another form."""
    if any(quotes in text for quotes in _OVER_LINES):
        return None
    found = list(_PART.finditer(text))
    if not found or len(found) != sum(1 for _ in _LIKE_A_PART.finditer(text)):
        return None
    ends = [*(match.start() for match in found[1:]), len(text)]
    parts = [
        (cast("Kind", match[1]), match[2], text[match.start() : end])
        for match, end in zip(found, ends, strict=True)
    ]
    return text[: found[0].start()], parts


@contextlib.contextmanager
def complaints_of(file: str, case: str) -> Iterator[None]:
    """Put *file* and *case* before the place in any complaint."""
    try:
        yield
    except CaseError as error:
        raise error.within(file=file, case=case) from None
    # What no rule has foreseen is still the file's fault and not the kit's: its author gets one
    # line that names the place, and the cause hangs on the error for the authors of the kit.
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise CaseError(f"{type(error).__name__}: {error}", file=file, case=case) from error
