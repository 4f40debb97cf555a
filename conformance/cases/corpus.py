"""The corpus: all cases of all files, in a stable order, with a digest.

In: a directory of case files.  Out: a `Corpus`.  Results, golden records and baselines carry its
digest, so that what was recorded against one corpus is not read as if it had been recorded against
another.
"""

import fnmatch
import functools
import gc
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from conformance.cases.documented import documented_part
from conformance.cases.errors import CaseError
from conformance.cases.loader import load_file
from conformance.cases.model import Case
from conformance.cases.places import fixtures_directory

LEVELS = ("documented", "precedent", "guard", "observe")
JUDGED_LEVELS = LEVELS[:3]
STRENGTHS = ("must", "should", "may")


@dataclass(frozen=True, slots=True)
class Corpus:
    """All cases, in the order of their files.

    Args:
        cases: the cases, grids expanded, no sweep applied.
        digest: the first 16 hexadecimal digits of a SHA-256 over the files.
    """

    cases: tuple[Case, ...]
    digest: str

    def select(
        self,
        globs: Iterable[str] = (),
        levels: Iterable[str] = LEVELS,
        exclude: Iterable[str] = (),
    ) -> tuple[Case, ...]:
        """Return the cases of *levels* whose id matches one of *globs*; without globs, all do.

        Those whose id matches one of *exclude* are left out.  Without the level
        ``precedent``, documented cases compare only what the page says.
        """
        wanted, patterns, left_out = frozenset(levels), tuple(globs), tuple(exclude)
        return tuple(
            case if "precedent" in wanted else documented_part(case)
            for case in self.cases
            if case.level in wanted
            and (not patterns or _matches(case.id, patterns))
            and not _matches(case.id, left_out)
        )


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def load_corpus(directory: Path | None = None) -> Corpus:
    """Return the corpus of *directory*, by default that of the fixtures, which is loaded once.

    Raises:
        CaseError: a file is not a case file, there is none, or two cases share an id or a title.
    """
    return _fixtures() if directory is None else _load(directory)


@functools.cache
def _fixtures() -> Corpus:
    # Nothing of a corpus is ever freed: looking for garbage in it takes a quarter of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _load(fixtures_directory() / "cases")
    finally:
        if was_enabled:
            gc.enable()


def _load(directory: Path) -> Corpus:
    files = sorted(directory.glob("*.toml"))
    if not files:
        raise CaseError("no case files here", file=str(directory))
    cases: list[Case] = []
    digest = hashlib.sha256()
    for path in files:
        cases.extend(load_file(path))
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    _check_unique(cases)
    return Corpus(tuple(cases), digest.hexdigest()[:16])


def _check_unique(cases: Iterable[Case]) -> None:
    ids: dict[str, Case] = {}
    titles: dict[str, Case] = {}
    for case in cases:
        first = ids.setdefault(case.id, case)
        if first is not case:
            problem = f"this id is taken by a case in {first.file}"
            raise CaseError(problem, file=case.file, case=case.id, field="id")
        named = titles.setdefault(case.title, case)
        if named is not case:
            problem = f"this title is taken by {named.id} in {named.file}"
            raise CaseError(problem, file=case.file, case=case.id, field="title")
