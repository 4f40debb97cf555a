"""A user's own cases, beside those of the kit.

In: files, or directories of files, in the format of the kit's case files.  Out: a `Corpus` of both,
in which a selection without globs is of the user's own cases.  Their family may have any name.

They are few, and they are being written: all of them are built at once, so that every complaint
comes before anything is run.
"""

from collections.abc import Iterable
from pathlib import Path

from conformance.cases.casefile import CaseFile
from conformance.cases.corpus import Corpus
from conformance.cases.errors import CaseError

OwnFile = tuple[str, bytes]
"""The name of a file, as the user knows it, and what it holds."""


def own_files(places: Iterable[Path]) -> list[OwnFile]:
    """Return the case files at *places*: files, and directories whose ``*.toml`` files are meant.

    Raises:
        CaseError: there is nothing to read in one of them.
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
    """Return *corpus* with the cases of *files*; unchanged where there are none.

    Raises:
        CaseError: one of them is not what the format allows, or has the id of another case.
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
    both.select()  # which finds ids that two of them have
    return both
