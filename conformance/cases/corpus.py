"""The corpus: all cases of all files, in a stable order, each built when it is needed.

The input is case files, the output a `Corpus`. Its digest is part of every result, so that results
of different corpora are not compared as if they were of the same one.

The cost of a command depends on what it selects: all files are read, only parts that can contain
selected cases are parsed, and a case is built when it is played or shown and not kept afterwards.
"""

import fnmatch
import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from conformance.cases.casefile import Authored, CaseFile, Listed
from conformance.cases.errors import CaseError
from conformance.cases.first import first_look
from conformance.cases.places import fixtures_directory
from conformance.cases.words import LEVELS

if TYPE_CHECKING:  # listing cases must not import what builds them
    from conformance.cases.model import Case
    from conformance.cases.sets import CaseSet
    from conformance.cases.sweeps import Sweep

_WILD = re.compile(r"[*?\[]")


class Cases(Sequence["Case"]):
    """Some cases of the corpus, each built when it is accessed and not kept afterwards.

    Args:
        listed: the cases before they are built.
        make: a function applied to each case after it is built, such as `client_case`.
    """

    def __init__(self, listed: Sequence[Listed], make: "Callable[[Case], Case]") -> None:
        self.listed = listed
        self._make = make

    def __len__(self) -> int:
        return len(self.listed)

    @overload
    def __getitem__(self, index: int) -> "Case": ...

    @overload
    def __getitem__(self, index: slice) -> "Cases": ...

    def __getitem__(self, index: int | slice) -> "Case | Cases":
        if isinstance(index, slice):
            return Cases(self.listed[index], self._make)
        return self._make(self.listed[index].case())

    def __iter__(self) -> "Iterator[Case]":
        return (self._make(one.case()) for one in self.listed)

    def named(self, name: str) -> "Case":
        """Return the case with the name *name*.

        Raises:
            KeyError: none of these cases has this name.
        """
        return self._make(self._by_id[name].case())

    @functools.cached_property
    def _by_id(self) -> dict[str, Listed]:
        return {one.id: one for one in self.listed}

    def by_name(self) -> Iterator[tuple[str, Listed]]:
        """Yield the name and the `Listed` of each case, without building any."""
        return ((one.id, one) for one in self.listed)

    def where(self, wanted: Callable[[Listed], bool]) -> "Cases":
        """Return the cases for which *wanted* returns true."""
        return Cases([one for one in self.listed if wanted(one)], self._make)

    def looking_first(self, features: frozenset[str]) -> "tuple[Cases, int]":
        """Return these cases with those of a first look at the beginning, and how many these are.

        Args:
            features: what the implementation has; a case that needs more shows nothing of it.
        """
        first = first_look(self.listed, lambda one: self._make(one.case()).needs <= features)
        chosen = {id(one) for one in first}
        rest = (one for one in self.listed if id(one) not in chosen)
        return Cases([*first, *rest], self._make), len(first)

    def for_clients(self) -> "Cases":
        """Return the cases that state what a client may do, for the client profile.

        Of several cases with one GET and the same script, one is returned.

        Raises:
            CaseError: the script or the expectation of a case does not conform to the format.
        """
        from conformance.cases.fetch import client_case

        found = (one for one in self.listed if one.for_clients)
        return Cases([*_each_script_once(found).values()], client_case)

    def for_profile(self, *, is_client: bool) -> "Cases":
        """Return the cases for clients of other interfaces, or those for the interface of httplib.

        Raises:
            CaseError: as `for_clients`.
        """
        if is_client:
            return self.for_clients()
        return self.where(lambda one: not one.is_session)

    def swept(self, sweep: "Sweep") -> "Cases | SweptCases":
        """Return these cases and their variations, each built when it is accessed."""
        return self if sweep == "none" else SweptCases(self, sweep)


class SweptCases(Sequence["Case"]):
    """Cases and their variations; to count them, each case is built once, and no variation.

    Args:
        cases: the cases.
        sweep: how they are varied.
        skipped: how many variations to leave out at the beginning.
    """

    def __init__(self, cases: Cases, sweep: "Sweep", skipped: int = 0) -> None:
        self._cases = cases
        self._sweep = sweep
        self._skipped = skipped

    def __iter__(self) -> "Iterator[Case]":
        from conformance.cases.sweeps import swept

        every = (varied for case in self._cases for varied in swept(case, self._sweep))
        return itertools.islice(every, self._skipped, None)

    def by_name(self) -> Iterator[tuple[str, Listed]]:
        """Yield the name of each variation with the `Listed` of its case."""
        from conformance.cases.sweeps import swept

        for name, listed in self._cases.by_name():
            for one in swept(self._cases.named(name), self._sweep):
                yield one.name, listed

    def __len__(self) -> int:
        return self._count

    def named(self, name: str) -> "Case":
        """Return the case with the name *name*: an id, and the setting.

        Raises:
            KeyError: none of these cases has this name.
        """
        from conformance.cases.sweeps import swept

        case = self._cases.named(name.partition("@")[0])
        found = next((one for one in swept(case, self._sweep) if one.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @functools.cached_property
    def _count(self) -> int:
        from conformance.cases.sweeps import swept_count

        every = sum(swept_count(case, self._sweep) for case in self._cases)
        return max(0, every - self._skipped)

    @overload
    def __getitem__(self, index: int) -> "Case": ...

    @overload
    def __getitem__(self, index: slice) -> Sequence["Case"]: ...

    def __getitem__(self, index: int | slice) -> "Case | Sequence[Case]":
        if isinstance(index, int):
            return next(itertools.islice(self, range(len(self))[index], None))
        if index.start is not None and index.start >= 0 and index.stop is index.step is None:
            return SweptCases(self._cases, self._sweep, self._skipped + index.start)
        return list(self)[index]


class Corpus:
    """Some cases and grids, as they were written.

    Args:
        parts: the cases and grids, in order.
        digest: identifies their content.
        frozen: the set to which the cases of the kit are limited where some are selected; None for
            no limit.
    """

    def __init__(
        self, parts: Iterable[Authored], digest: str, frozen: "CaseSet | None" = None
    ) -> None:
        self.digest = digest
        self.set = frozen
        self.parts = tuple(parts)
        self._own = tuple(one for one in self.parts if one.file.is_own)
        self._known: dict[str, Listed] = {}

    @property
    def cases(self) -> Cases:
        """All cases of the kit; if there are a user's own cases, only those."""
        return self.select()

    @functools.cached_property
    def every(self) -> Cases:
        """All cases: those of the kit, then a user's own, whatever the set."""
        return (self if self.set is None else Corpus(self.parts, self.digest)).select(("*",))

    def played_for(self, case: "Case") -> "Case | None":
        """Return the case that a run against a client plays in place of *case*; None for itself.

        Of the kit's cases with one GET and the same script, a run plays one, whose results and
        records stand for the others.

        Raises:
            CaseError: as `Cases.for_clients`.
        """
        listed = self.listed(case.id)
        played = None if listed is None else self._played(listed)
        return None if played is None or played.id == case.id else played.case()

    def played(self, cases: Cases) -> Cases:
        """Return the cases that a run against a client plays in place of *cases*.

        Raises:
            CaseError: as `Cases.for_clients`.
        """
        found = {played.id for one in cases.listed if (played := self._played(one))}
        return self.every.where(lambda one: one.id in found)

    def _played(self, listed: Listed) -> Listed | None:
        """Return the case that clients play in place of *listed*; None if they play none."""
        if listed.is_session or listed.is_own:
            return listed
        return self._by_script[_client_key(listed)] if listed.for_clients else None

    @functools.cached_property
    def _by_script(self) -> dict[str, Listed]:
        """The kit's cases that are played with clients, by the keys of their scripts."""
        found = (one for one in self.every.listed if one.for_clients)
        return _each_script_once(one for one in found if not (one.is_own or one.is_session))

    @property
    def own_files(self) -> list[str]:
        """The names of the files with a user's own cases."""
        return list(dict.fromkeys(one.file.name for one in self._own))

    def joined_by(self, files: Sequence[CaseFile]) -> "Corpus":
        """Return this corpus with the cases of *files* after its own."""
        parts = (*self.parts, *(part for file in files for part in file.parts))
        return Corpus(parts, _digest(files, self.digest), self.set)

    def limited_to(self, frozen: "CaseSet | None") -> "Corpus":
        """Return this corpus, of which only the cases of the set *frozen* are selected."""
        return self if frozen is None else Corpus(self.parts, self.digest, frozen)

    def select(
        self,
        globs: Iterable[str] = (),
        levels: Iterable[str] = LEVELS,
        exclude: Iterable[str] = (),
        own_levels: Iterable[str] | None = None,
    ) -> Cases:
        """Return the cases of *levels* whose id matches one of *globs*.

        Without globs, every id matches; if there are a user's own cases, only theirs. Cases whose
        id matches one of *exclude* are left out. Without the level ``precedent``, documented cases
        compare only what the page says.

        Args:
            globs: patterns of `fnmatch` for ids.
            levels: the levels to include.
            exclude: patterns for the ids to leave out.
            own_levels: the levels to include of a user's own cases; by default *levels*.

        Raises:
            CaseError: a case or grid that could be selected does not conform to the format, or two
                of them share an id or a title.
        """
        wanted, patterns, left_out = frozenset(levels), tuple(globs), tuple(exclude)
        of_own = wanted if own_levels is None else frozenset(own_levels)
        found = [
            one
            for authored in (self.parts if patterns else self._own or self.parts)
            if not patterns or any(_could_match(authored, glob) for glob in patterns)
            for one in authored.cases
        ]
        _check_unique(found)
        self._known.update((one.id, one) for one in found)
        chosen = [
            one
            for one in found
            if one.level in (of_own if one.is_own else wanted)
            and (self.set is None or one.is_own or self.set.has(one))
            and (not patterns or _matches(one.id, patterns))
            and not _matches(one.id, left_out)
        ]
        if "precedent" in wanted:
            return Cases(chosen, _unchanged)
        from conformance.cases.documented import documented_part

        return Cases(chosen, documented_part)

    def not_judged(self, levels: Iterable[str], **limits: Any) -> list[str]:
        """Return a line for each case of the set that a run selects and cannot judge.

        Args:
            levels: the levels of the run.
            limits: the further arguments of `conformance.cases.sets.not_judged`.
        """
        if self.set is None or (self._own and not limits.get("select")):
            return []
        from conformance.cases.sets import not_judged

        return not_judged(self.set, self.every.listed, levels, **limits)

    def case(self, name: str) -> "Case | None":
        """Return the case with the id *name*; None if no case has it.

        Raises:
            CaseError: as `select`.
        """
        found = self.listed(name)
        return None if found is None else found.case()

    def listed(self, name: str) -> Listed | None:
        """Return the case with the id *name* before it is built; None if no case has it.

        Raises:
            CaseError: as `select`.
        """
        if name in self._known:
            return self._known[name]
        could = (one for one in self.parts if _could_be(one, name))
        found = [one for authored in could for one in authored.cases if one.id == name]
        _check_unique(found)
        self._known.update((one.id, one) for one in found)
        return found[0] if found else None


def load_corpus(directory: Path | None = None) -> Corpus:
    """Return the corpus in *directory*; by default that of the fixtures, which is loaded once.

    Raises:
        CaseError: a file cannot be read, or the directory has no case files.
    """
    return _fixtures() if directory is None else _load(directory)


@functools.cache
def _fixtures() -> Corpus:
    return _load(fixtures_directory() / "cases")


def _load(directory: Path) -> Corpus:
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        raise CaseError("no case files here", file=str(directory))
    files = [CaseFile.read(path) for path in paths]
    return Corpus((part for file in files for part in file.parts), _digest(files))


def _digest(files: Iterable[CaseFile], before: str = "") -> str:
    """Return 16 hexadecimal digits of a SHA-256 over *files*, after the digest *before*."""
    digest = hashlib.sha256(before.encode())
    for file in files:
        digest.update(Path(file.name).name.encode() + b"\0" + file.data + b"\0")
    return digest.hexdigest()[:16]


def _each_script_once(found: "Iterable[Listed]") -> dict[str, Listed]:
    from conformance.cases.scripts import each_script_once

    return each_script_once(found, _client_key, _client_detail)


def _client_key(listed: Listed) -> str:
    from conformance.cases.fetch import first_answer
    from conformance.cases.scripts import key_of_script

    if listed.is_session:
        return listed.id
    return key_of_script(first_answer(listed.script(), may_wait=listed.fetch().may_wait))


def _client_detail(listed: Listed) -> int:
    from conformance.cases.scripts import detail_of

    if listed.is_session:
        return 0
    return detail_of(listed.fetch())


def _unchanged(case: "Case") -> "Case":
    return case


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def _could_match(authored: Authored, glob: str) -> bool:
    """Return whether some case of *authored* could have an id that matches *glob*."""
    if authored.is_case:
        return fnmatch.fnmatchcase(authored.id, glob)
    # Of the ids of a grid, only the text before the first hole and after the last one is known. It
    # is compared with the text of the glob before its first wildcard and after its last; the latter
    # is unknown if the glob has a character class.
    fixed = _WILD.split(glob)
    if len(fixed) == 1:
        return _could_be(authored, glob)
    last = "" if "[" in glob else fixed[-1]
    return _agree(authored.start, fixed[0]) and _agree(authored.end[::-1], last[::-1])


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _could_be(authored: Authored, name: str) -> bool:
    """Return whether some case of *authored* could have the id *name*."""
    if authored.is_case:
        return authored.id == name
    return name.startswith(authored.start) and name.endswith(authored.end)


def _check_unique(cases: Iterable[Listed]) -> None:
    ids: dict[str, Listed] = {}
    titles: dict[tuple[bool, str], Listed] = {}
    for case in cases:
        first = ids.setdefault(case.id, case)
        if first is not case:
            problem = f"this id is taken by a case in {first.file}"
            raise CaseError(problem, file=case.file, case=case.id, field="id")
        named = titles.setdefault((case.is_own, case.title), case)
        if named is not case:
            problem = f"this title is taken by {named.id} in {named.file}"
            raise CaseError(problem, file=case.file, case=case.id, field="title")
