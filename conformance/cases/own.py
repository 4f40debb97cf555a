"""A user's own cases, in addition to those of the kit.

The input is files, or directories of files, in the format of the kit's case files. The output is a
`Corpus` of both, in which a selection without globs selects the user's own cases only. Their family
may have any name.

All of them are built at once: they are few and often still being written, so every error is
reported before anything runs.
"""

from collections.abc import Iterable
from pathlib import Path

from conformance.cases.casefile import CaseFile
from conformance.cases.corpus import Corpus
from conformance.cases.errors import CaseError

FRESH = "fresh:"
"""The name of a file that was made by a seed begins so; the seed follows."""
OwnFile = tuple[str, bytes]
"""The name of a file, as the user gave it, and its content."""


def own_files(places: Iterable[Path]) -> list[OwnFile]:
    """Return the case files at *places*: the files, and every ``*.toml`` file in the directories.

    Raises:
        CaseError: one of the places contains nothing that can be read.
    """
    found = []
    for place in places:
        paths = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        if not paths:
            raise CaseError("no case files here", file=str(place))
        for path in paths:
            try:
                found.append((str(path), path.read_bytes()))
            except OSError as error:
                raise CaseError(f"cannot be read: {error.strerror}", file=str(path)) from None
    return list(dict(found).items())


def with_own(corpus: Corpus, files: Iterable[OwnFile]) -> Corpus:
    """Return *corpus* with the cases of *files*; unchanged without files.

    Raises:
        CaseError: a case does not conform to the format, or has the id of another case.
    """
    read = [CaseFile(data, name, is_own=True) for name, data in files]
    if not read:
        return corpus
    for listed in (one for file in read for part in file.parts for one in part.cases):
        listed.case()
        shipped = corpus.listed(listed.id)
        if shipped is not None:
            problem = f"this id is taken by a case of the kit, in {shipped.file}"
            raise CaseError(problem, file=listed.file, case=listed.id, field="id")
    both = corpus.joined_by(read)
    both.select()  # raises for an id that two cases share
    for listed in (one for file in read for part in file.parts for one in part.cases):
        twin = listed.twin
        if twin is not None and both.listed(twin) is None:
            problem = f"there is no case {twin}"
            raise CaseError(problem, file=listed.file, case=listed.id, field="twin")
    return both
