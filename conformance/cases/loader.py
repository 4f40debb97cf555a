"""Whole case files: every case is built, and the first error is raised.

The input is the path or the text of a TOML file. The output is its cases in file order: first the
plain cases, then those of each grid. Every error is a `CaseError` that names the file, the case and
the field; nothing is skipped.
"""

from pathlib import Path

from conformance.cases.casefile import CaseFile
from conformance.cases.model import Case


def load_file(path: Path) -> list[Case]:
    """Return the cases of the file at *path*.

    Raises:
        CaseError: the file cannot be read, is not TOML, or contains a case that does not conform
            to the format.
    """
    return _cases(CaseFile.read(path))


def load_text(text: str, file: str) -> list[Case]:
    """Return the cases of a case file with the content *text*.

    Raises:
        CaseError: as `load_file`.
    """
    return _cases(CaseFile(text.encode(), file))


def _cases(file: CaseFile) -> list[Case]:
    return [listed.case() for authored in file.parts for listed in authored.cases]
