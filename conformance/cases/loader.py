"""One case file, from text to cases.

In: the path of a TOML file.  Out: its cases in file order, each grid expanded in place behind the
plain cases. Every complaint is a `CaseError` that names the file, the case and the field; nothing
is skipped.
"""

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from conformance.cases.build import Built, build
from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError
from conformance.cases.grids import expand
from conformance.cases.model import Case
from conformance.cases.plain import check_plain
from conformance.cases.tables import FileHead


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
    except CaseError as error:
        raise error.within(file=file) from None
    except ValueError as error:  # not TOML, or a number of more digits than Python reads
        raise CaseError(f"is not TOML: {error}", file=file) from None
    except RecursionError:
        raise CaseError("is nested too deep", file=file) from None
    return list(_cases(head, file))


def _cases(head: FileHead, file: str) -> Iterator[Case]:
    for index, raw in enumerate(head.case):
        name = str(raw.get("id", f"case[{index}]"))
        with _complaints_of(file, name):
            check_plain(raw)
            case = build(raw, family=head.family, file=file)
        yield case
    for index, grid in enumerate(head.grid):
        name = str(grid.get("id", f"grid[{index}]"))
        with _complaints_of(file, name):
            check_plain(grid)
            tables = list(expand(grid))
        like: Built | None = None
        for raw in tables:
            with _complaints_of(file, str(raw.get("id", name))):
                case = build(raw, family=head.family, file=file, authored=name, like=like)
            like = raw, case
            yield case


@contextlib.contextmanager
def _complaints_of(file: str, case: str) -> Iterator[None]:
    """Put *file* and *case* before the place in any complaint."""
    try:
        yield
    except CaseError as error:
        raise error.within(file=file, case=case) from None
    # What no rule has foreseen is still the file's fault and not the kit's: whoever wrote it is
    # told in one line where to look, and the cause hangs on the error for whoever wrote the kit.
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise CaseError(f"{type(error).__name__}: {error}", file=file, case=case) from error
