"""One case file, from text to cases.

In: the path of a TOML file.  Out: its cases in file order, each grid expanded in place behind the
plain cases. Every complaint is a `CaseError` that names the file, the case and the field; nothing
is skipped.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.cases.build import build
from conformance.cases.errors import CaseError
from conformance.cases.grids import expand
from conformance.cases.model import Case
from conformance.cases.tables import FileHead, decode

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+")
_TITLE_LENGTH = 70


def load_file(path: Path) -> list[Case]:
    """Return the cases of the file at *path*.

    Raises:
        CaseError: the file cannot be read, is not TOML, or holds a case that the format does not
            allow.
    """
    try:
        return load_text(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror}", file=path.name) from None
    except UnicodeDecodeError as error:
        raise CaseError(
            f"is not UTF-8: {error.reason} at octet {error.start}", file=path.name
        ) from None


def load_text(text: str, file: str) -> list[Case]:
    """Return the cases of a case file with the content *text*.

    Raises:
        CaseError: as `load_file`.
    """
    try:
        head = decode(tomllib.loads(text), FileHead)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"is not TOML: {error}", file=file) from None
    except CaseError as error:
        raise error.within(file=file) from None
    return list(_cases(head, file))


def _cases(head: FileHead, file: str) -> Iterator[Case]:
    for index, raw in enumerate(head.case):
        yield _case(raw, head.family, file, f"case[{index}]")
    for index, grid in enumerate(head.grid):
        name = str(grid.get("id", f"grid[{index}]"))
        try:
            tables = list(expand(grid))
        except CaseError as error:
            raise error.within(file=file, case=name) from None
        for raw in tables:
            yield _case(raw, head.family, file, name, authored=name)


def _case(raw: dict[str, Any], family: str, file: str, place: str, authored: str = "") -> Case:
    name = str(raw.get("id", place))
    try:
        case = build(raw, family=family, file=file, authored=authored)
        _check_words(case)
    except CaseError as error:
        raise error.within(file=file, case=name) from None
    return case


def _check_words(case: Case) -> None:
    """Refuse what no type expresses: the form of ids and titles, and empty texts."""
    if not _ID.fullmatch(case.id):
        raise CaseError("an id is a dotted slug, such as chunked.size-line.not-hex", field="id")
    if not 0 < len(case.title) <= _TITLE_LENGTH:
        problem = f"a title has 1 to {_TITLE_LENGTH} characters, not {len(case.title)}"
        raise CaseError(problem, field="title")
    if re.search(r"\bshould\b", case.title, re.IGNORECASE):
        raise CaseError("a title states a fact, so it has no `should`", field="title")
    if case.rev < 1:
        raise CaseError("a revision is 1 or more", field="rev")
    for field in ("spec", "why"):
        if not getattr(case, field):
            raise CaseError("must not be empty", field=field)
