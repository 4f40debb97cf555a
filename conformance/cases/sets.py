"""Sets: which cases, and which revisions of them, were frozen by a release.

The input is a file of ``fixtures/sets``, or one of a user, and a corpus. The output is a `CaseSet`,
the cases of a run that the corpus does not have in that revision, and the differences between two
sets. So a pipeline keeps the cases that it began with while the corpus grows, and what it can no
longer judge is reported and never left out silently.

A case whose expectation has changed is not judged under the old set: the expectation of then does
not exist any more, and that of now is not what the set states. Why a revision was raised or a case
retired is written in ``changes.toml``; a test compares the latest set with the corpus.
"""

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from conformance.cases.casefile import Listed
from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory
from conformance.cases.words import Level
from conformance.wording import near_clause

FORMAT = 1
_PROFILES = {"httplib": (False,), "client": (True,), "both": (False, True)}


class Member(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A case of a set, as it was then.

    Args:
        family: the family.
        rev: the revision.
        level: the level.
        profiles: the profiles in which it is judged.
        digest: of what is played and expected; empty if it was not computed.
    """

    family: str
    rev: int
    level: Level
    profiles: Literal["httplib", "client", "both"]
    digest: str = ""


class CaseSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cases that a release froze, by their ids."""

    set: str
    cases: dict[str, Member]
    format: int = FORMAT

    def has(self, case: Listed) -> bool:
        """Return whether *case* is of the set, in the same revision."""
        member = self.cases.get(case.id)
        return member is not None and member.rev == case.rev


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a revision of some cases was raised, or why they were retired.

    Args:
        cases: globs of their ids.
        why: the reason, as one sentence.
        rev: the new revision; None if they were retired.
    """

    cases: tuple[str, ...]
    why: str
    rev: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that differs between two sets.

    Args:
        kind: ``changed`` if its bytes or its expectation did.
        id: the id.
        before: the revision in the old set; None if it was added.
        after: the revision in the new set; None if it was retired.
        why: the reason; empty if it was added, or none is recorded.
    """

    kind: Literal["changed", "retired", "added"]
    id: str
    before: int | None
    after: int | None
    why: str = ""

    @property
    def text(self) -> str:
        """The difference as one line."""
        revisions = f": revision {self.before} -> {self.after}" if self.kind == "changed" else ""
        why = f": {self.why or 'no reason is recorded'}" if self.kind != "added" else ""
        return f"{self.kind:<7}  {self.id}{revisions}{why}"


def sets_directory() -> Path:
    """Return the directory of the sets."""
    return fixtures_directory() / "sets"


def set_names() -> list[str]:
    """Return the names of the sets of this kit, the oldest first."""
    names = [path.stem for path in sets_directory().glob("*.json")]
    return sorted(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])


def load_set(written: str) -> CaseSet:
    """Return a set.

    Args:
        written: the name of a set of this kit, or the path of a file.

    Raises:
        CaseError: there is no such set, or the file is not one.
    """
    names = set_names()
    path = sets_directory() / f"{written}.json" if written in names else Path(written)
    if written not in names and not path.is_file():
        known = f"; there are {', '.join(names)}" if names else "; this kit has none"
        raise CaseError(f"no set is called {written!r}{near_clause(written, names, known)}")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=CaseSet)
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror}", file=str(path)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CaseError(f"not a set: {error}", file=str(path)) from None
    if found.format != FORMAT:
        problem = f"a set of format {found.format}; this kit reads {FORMAT}"
        raise CaseError(problem, file=str(path))
    return found


def present_set(listed: Iterable[Listed]) -> CaseSet:
    """Return those of *listed* that are the kit's as a set without a name, and without digests."""
    return CaseSet("", {one.id: _member(one) for one in listed if not one.is_own})


def _member(one: Listed) -> Member:
    profiles: Literal["httplib", "client", "both"] = "both" if one.for_clients else "httplib"
    return Member(one.family, one.rev, one.level, "client" if one.is_session else profiles)


@functools.cache
def load_changes() -> tuple[Change, ...]:
    """Return the recorded reasons, the latest last.

    Raises:
        CaseError: the file does not conform to its format.
    """
    path = sets_directory() / "changes.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("change", [])
        return tuple(msgspec.convert(found, list[Change]))
    except (OSError, ValueError) as error:
        raise CaseError(str(error), file=path.name) from None


def differences(old: CaseSet, new: CaseSet) -> Iterator[Difference]:
    """Yield the cases that differ: changed, then retired, then added, in the order of the sets."""
    for name, member in old.cases.items():
        now = new.cases.get(name)
        if now is not None and now.rev != member.rev:
            yield Difference("changed", name, member.rev, now.rev, _why(name, now.rev))
    for name, member in old.cases.items():
        if name not in new.cases:
            yield Difference("retired", name, member.rev, None, _why(name, None))
    for name, member in new.cases.items():
        if name not in old.cases:
            yield Difference("added", name, None, member.rev)


def _why(name: str, rev: int | None) -> str:
    found = (
        one.why for one in reversed(load_changes()) if one.rev == rev and _about(name, one.cases)
    )
    return next(found, "")


def _about(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def not_judged(
    frozen: CaseSet,
    listed: Iterable[Listed],
    levels: Iterable[str],
    *,
    is_client: bool,
    select: Iterable[str] = (),
    exclude: Iterable[str] = (),
    family: Iterable[str] = (),
) -> list[str]:
    """Return a line for each case of *frozen* that a run selects and cannot judge.

    Args:
        frozen: the set.
        listed: the cases of the kit.
        levels: the levels of the run.
        is_client: whether clients of any interface are judged.
        select: globs of ids, as those of `Corpus.select`.
        exclude: globs of ids that are left out.
        family: families; empty for all.
    """
    wanted, families, globs, left_out = set(levels), set(family), tuple(select), tuple(exclude)
    return [
        one.text
        for one in differences(frozen, present_set(listed))
        if one.before is not None
        and (member := frozen.cases[one.id]).level in wanted
        and is_client in _PROFILES[member.profiles]
        and (not families or member.family in families)
        and (not globs or _about(one.id, globs))
        and not _about(one.id, left_out)
    ]
