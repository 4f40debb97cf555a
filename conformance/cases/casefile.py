"""A case file as its parts: each case and each grid as it was written, found without parsing.

The input is the text of a file. The output is an `Authored` for each case and grid in it, which is
parsed when one of its properties is needed, and a `Listed` for each case that it describes, which
is built when it is played or shown. Parsing TOML and building cases take most of the time of a
command, and a selection usually needs a small part of them.

The parts are found by their headers. This is correct for files in the form of the kit's own: the
line ``[[case]]`` or ``[[grid]]``, then the line ``id = "…"``, and no strings over several lines. In
such a text only a header can look like one, the id is always the first key, and a part parsed alone
gives the same table as in the whole file. Any other file, and any part that is found to be invalid,
is parsed as a whole, which gives the same cases, or the error.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from weakref import WeakValueDictionary, ref

import msgspec

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.grids import Choice, Grid
from conformance.cases.parsing import check_plain, parse
from conformance.cases.tables import RESERVED_IDS, CaseTable, FetchTable, FileHead, OwnFileHead
from conformance.cases.words import Level

if TYPE_CHECKING:  # listing cases must not import what builds them
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
    """The properties by which a selection chooses, taken from the table of a case."""

    id: str
    title: str
    level: Level
    spec: tuple[str, ...]
    rev: int = 1
    origin: tuple[str, ...] = ()
    twin: str | None = None


_VARYING = ("rev", "level", "spec", "origin")
"""The columns whose value all cases of a grid share, unless the grid has a hole in one of them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A case of the corpus before it is built, with the properties by which a selection chooses.

    Args:
        columns: its id, title, level, revision, requirements and links.
        part: the case or grid that describes it.
        choice: the combination of axis values; None for a case that is not from a grid.
    """

    columns: _Columns
    part: "Authored"
    choice: Choice | None

    @property
    def table(self) -> Mapping[str, Any]:
        """The table of the case, with a grid's holes filled; made on each use and not kept.

        Raises:
            CaseError: the table does not conform to the format.
        """
        return self.part.table(self.choice)

    @property
    def id(self) -> str:
        """The id."""
        return self.columns.id

    @property
    def rev(self) -> int:
        """The revision."""
        return self.columns.rev

    @property
    def title(self) -> str:
        """The title."""
        return self.columns.title

    @property
    def level(self) -> Level:
        """The level."""
        return self.columns.level

    @property
    def spec(self) -> tuple[str, ...]:
        """The ids of the requirements that the case cites."""
        return self.columns.spec

    @property
    def origin(self) -> tuple[str, ...]:
        """The links to real bugs."""
        return self.columns.origin

    @property
    def twin(self) -> str | None:
        """The id of the well-formed case from which this one differs in one place."""
        return self.columns.twin

    @property
    def family(self) -> str:
        """The family, which its file names."""
        return self.part.file.family

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.part.file.name

    @property
    def line(self) -> int:
        """The line of its file on which its id stands, or that of its grid; 1 if none is found."""
        name = re.escape(self.authored).encode()
        data = self.part.file.data
        found = re.search(rb"""(?m)^[ \t]*id[ \t]*=[ \t]*["']""" + name + rb"""["']""", data)
        return 1 if found is None else data.count(b"\n", 0, found.start()) + 1

    @property
    def is_own(self) -> bool:
        """Whether this is a user's own case and not one of the kit's."""
        return self.part.file.is_own

    @property
    def authored(self) -> str:
        """The id in the file: that of the case, or that of its grid."""
        return self.id if self.part.is_case else self.part.id

    @property
    def for_clients(self) -> bool:
        """Whether the case states what a client of another interface may do."""
        return self.is_session or self.part.has("fetch", self.choice)

    @property
    def is_session(self) -> bool:
        """Whether a client makes more than one GET in it, so that it is no case for httplib."""
        return self.part.has("session", self.choice)

    @property
    def raises(self) -> frozenset[str]:
        """The exceptions that an op must raise, in an outcome of the grade ``pass``.

        Raises:
            CaseError: an outcome does not conform to the format.
        """
        found: set[str] = set()
        with complaints_of(self.file, self.id):
            for outcome in decode(self.table.get("outcome", []), list[dict[str, Any]]):
                if outcome.get("grade", "pass") == "pass":
                    found.update(_raised(outcome))
        return frozenset(found)

    def case(self) -> "Case":
        """Return the case: the existing object while it is in use, otherwise a new one.

        Raises:
            CaseError: the case does not conform to the format.
        """
        return self.part.file.build(self)

    def script(self) -> "Script":
        """Return the server's script of the case, without building the rest.

        Raises:
            CaseError: the script does not conform to the format.
        """
        from conformance.cases.script import script

        with complaints_of(self.file, self.id):
            return script(decode(self.table, CaseTable))

    def fetch(self) -> "Fetch":
        """Return what the case allows a client of another interface to do.

        Raises:
            CaseError: the table ``fetch`` does not conform to the format.
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
        file: the file that contains it.
        kind: ``"case"`` or ``"grid"``.
        id: the id, with the names of axes in braces; if absent, the position in the file.
        text: its part of the file; None where *raw* is given.
        raw: its table, if already parsed.
    """

    def __init__(
        self,
        file: "CaseFile",
        kind: Kind,
        id: str,  # noqa: A002 # the format's own name for it
        text: str | None,
        raw: Mapping[str, Any] | None = None,
    ) -> None:
        self.file = file
        self.kind = kind
        self.id = id
        self.text = text
        self._raw = raw
        self.is_case = kind == "case"
        # Weak references: tests and tools iterate over the whole corpus many times and keep its
        # cases, so that each is built once. A run keeps no case; a strong reference here would
        # keep all of them alive and cost the run hundreds of megabytes.
        self.built: WeakValueDictionary[str, Case] = WeakValueDictionary()
        """The cases built from this part that are still in use, by id."""
        ends = _HOLE.split(id)
        self.start, self.end = ends[0], ends[-1]
        """The common beginning and end of the ids of all its cases."""

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        """The table, not yet checked."""
        return self._parsed() if self._raw is None else self._raw

    def _parsed(self) -> Mapping[str, Any]:
        with contextlib.suppress(ValueError, RecursionError):
            found = parse(str(self.text))
            if found.keys() == {self.kind} and len(found[self.kind]) == 1:
                return cast("Mapping[str, Any]", found[self.kind][0])
        # The text is not the one part that its header suggests: parse the whole file for the error.
        raise self.file.wrong()

    @cached_property
    def cases(self) -> tuple[Listed, ...]:
        """The cases that it describes, in order.

        Raises:
            CaseError: the table does not conform to the format.
        """
        raw, _ = self.raw, self.file.family
        with complaints_of(self.file.name, self.id):
            if self.is_case:
                return (self._listed(raw),)
            grid = self._grid
            # Filling all holes of a grid takes time. If only id, title and twin differ, only they
            # are filled.
            if grid.varies(_VARYING):
                return tuple(self._listed(self.table(one), one) for one in grid.choices)
            same = {key: raw[key] for key in _VARYING if key in raw}
            return tuple(self._listed({**same, **grid.names(one)}, one) for one in grid.choices)

    def _listed(self, table: Mapping[str, Any], choice: Choice | None = None) -> Listed:
        try:
            columns = msgspec.convert(table, _Columns)
        except msgspec.ValidationError:
            # The columns are only a part of the table. Building the whole case gives an error with
            # its place.
            from conformance.cases.build import build_case

            whole = self.table(choice)
            with complaints_of(self.file.name, str(whole.get("id", self.id))):
                build_case(whole, self.file.family, self.file.name)  # raises the full error
            raise
        return Listed(columns, self, choice)

    @cached_property
    def _grid(self) -> Grid:
        return Grid(self.raw)

    @cached_property
    def _plain(self) -> Mapping[str, Any]:
        """The table, after a check that it has only values that a case can use."""
        raw = self.raw
        check_plain(raw)
        return raw

    def table(self, choice: Choice | None) -> Mapping[str, Any]:
        """Return the table of one of its cases.

        Args:
            choice: the combination of axis values if this is a grid, else None.

        Raises:
            CaseError: the table does not conform to the format.
        """
        with complaints_of(self.file.name, self.id):
            plain = self._plain
            return plain if choice is None else self._grid.table(choice)

    def has(self, key: str, choice: Choice | None) -> bool:
        """Return whether the case of *choice* has *key*."""
        return key in self.raw if choice is None else self._grid.has(key, choice)


class CaseFile:
    """One case file.

    Args:
        data: the content.
        name: the name of the file.
        is_own: whether it is a user's own file, whose family may have any name.

    Raises:
        CaseError: the content is not UTF-8; or it is not in the form of the kit's own files and
            does not conform to the format.
    """

    def __init__(self, data: bytes, name: str, *, is_own: bool = False) -> None:
        self.data = data
        self.name = name
        self.is_own = is_own
        self._kind: type[FileHead | OwnFileHead] = OwnFileHead if is_own else FileHead
        try:
            text = data.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            problem = f"is not UTF-8: {error.reason} at byte {error.start}"
            raise CaseError(problem, file=name) from None
        self._text = text
        self._latest: tuple[Authored, Mapping[str, Any], ref[Case]] | None = None
        parts = _parts(text)
        self.parts: tuple[Authored, ...]
        """Its cases, followed by its grids, each in the order of the file."""
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
            CaseError: the file cannot be read, or one of the errors of the constructor.
        """
        try:
            return cls(path.read_bytes(), path.name)
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror}", file=path.name) from None

    @cached_property
    def family(self) -> str:
        """The family of all cases in it.

        Raises:
            CaseError: the file does not name one of the families.
        """
        with contextlib.suppress(ValueError, RecursionError, CaseError):
            found = parse(self._head)
            if found.keys() == {"family"}:
                return decode(found, self._kind).family
        raise self.wrong()

    def wrong(self) -> CaseError:
        """Return the error in the file as a whole, which is known to contain one."""
        try:
            self._whole()
        except CaseError as error:
            return error
        return CaseError("has a part that cannot be separated from the others", file=self.name)

    def _whole(self) -> list[Authored]:
        """Return the parts of the file, after parsing it as a whole."""
        try:
            head = decode(parse(self._text), self._kind)
        except CaseError as error:
            raise error.within(file=self.name) from None
        except ValueError as error:  # not TOML, or a number with more digits than `int()` accepts
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
            CaseError: the case does not conform to the format.
        """
        from conformance.cases.build import build_case

        authored = listed.part
        built = authored.built.get(listed.id)
        if built is not None:
            return built
        # A case shares what is equal with the previous case of its grid, which is usually in use:
        # grids are built in order.
        latest = self._latest
        like: Built | None = None
        if latest is not None and latest[0] is authored and (previous := latest[2]()) is not None:
            like = latest[1], previous
        name = listed.authored
        table = listed.table
        with complaints_of(self.name, listed.id):
            case = build_case(table, self.family, self.name, authored=name, like=like)
        if not authored.is_case:
            self._latest = authored, table, ref(case)
        authored.built[listed.id] = case
        return case


def _parts(text: str) -> tuple[str, list[tuple[Kind, str, str]]] | None:
    """Return the head of *text*, and kind, id and text of each part; None for any other form."""
    # A string over several lines could contain a line that looks like a header.
    if any(quotes in text for quotes in _OVER_LINES):
        return None
    found = list(_PART.finditer(text))
    # Every line that TOML might read as a header must have the usual form, or a part would be
    # missed.
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
    """Add *file* and *case* to the place of any `CaseError` raised inside."""
    try:
        yield
    except CaseError as error:
        raise error.within(file=file, case=case) from None
    # An error that no check foresees is still caused by the file and not by the kit: the author of
    # the file gets one line that names the place. The cause is kept for the authors of the kit.
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise CaseError(f"{type(error).__name__}: {error}", file=file, case=case) from error


def load_file(path: Path) -> list["Case"]:
    """Return the cases of the file at *path*.

    Raises:
        CaseError: the file cannot be read, is not TOML, or contains a case that does not conform
            to the format.
    """
    return _cases(CaseFile.read(path))


def load_text(text: str, file: str) -> list["Case"]:
    """Return the cases of a case file with the content *text*.

    Raises:
        CaseError: as `load_file`.
    """
    return _cases(CaseFile(text.encode(), file))


def _cases(file: CaseFile) -> list["Case"]:
    return [listed.case() for authored in file.parts for listed in authored.cases]
