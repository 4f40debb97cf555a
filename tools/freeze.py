"""Freezes a release: writes the set of all cases with their revisions.

``python -m tools.freeze`` writes ``fixtures/sets/VERSION.json`` of this version. Until the
changelog says that it is released, the set is a draft and is written again; from then on it never
changes. A test asks for `problems`: a draft must be up to date, and a case of a released set that
has changed needs a higher revision and a reason, one that is gone a reason.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from conformance.cases import (
    CaseSet,
    Corpus,
    Member,
    differences,
    fixtures_directory,
    load_corpus,
    load_set,
    present_set,
    set_names,
    sets_directory,
)
from conformance.export import exported


def digest_of(corpus: Corpus, name: str) -> str:
    """Return a digest of what the case called *name* plays and expects."""
    case = corpus.case(name)
    assert case is not None
    parts = {
        key: one for key, one in exported(case).items() if key in ("level", "httplib", "client")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def frozen(corpus: Corpus, name: str) -> CaseSet:
    """Return the cases of *corpus* as the set called *name*, with digests."""
    cases = {
        name: _digested(member, digest_of(corpus, name))
        for name, member in present_set(corpus.every.listed).cases.items()
    }
    return CaseSet(name, cases)


def _digested(one: Member, digest: str) -> Member:
    return Member(one.family, one.rev, one.level, one.profiles, digest)


def unrecorded(old: CaseSet, now: CaseSet) -> Iterator[str]:
    """Yield a line for each change since *old* that breaks the policy.

    Args:
        old: the set of the latest release.
        now: the corpus as it is, with digests.
    """
    for one in differences(old, now):
        if one.kind != "added" and not one.why:
            yield f"{one.text}; add it to fixtures/sets/changes.toml"
        if one.kind == "changed" and (one.after or 0) < (one.before or 0):
            yield f"{one.text}; a revision is never lowered"
    for name, member in old.cases.items():
        other = now.cases.get(name, member)
        if other.rev == member.rev and other.digest != member.digest:
            yield f"{name}: has changed since {old.set}; raise its rev, and add the reason"


def is_draft(name: str) -> bool:
    """Return whether the release called *name* is still to come."""
    text = (fixtures_directory().parent / "CHANGELOG.md").read_text(encoding="utf-8")
    return f"## {name} (unreleased)" in text


def problems(corpus: Corpus) -> list[str]:
    """Return what is wrong with the draft of a set, or with *corpus* since the latest release."""
    now, names = frozen(corpus, ""), set_names()
    drafts = [name for name in names if is_draft(name)]
    found = [
        f"the draft {name} is out of date: make freeze"
        for name in drafts
        if load_set(name).cases != now.cases
    ]
    released = [name for name in names if name not in drafts]
    return [*found, *(unrecorded(load_set(released[-1]), now) if released else ())]


def text_of(one: CaseSet) -> str:
    """Return the text of the file of a set: a line for each case."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(_columns(member))}" for name, member in one.cases.items()
    )
    head = f'{{"format": {one.format}, "set": {json.dumps(one.set)}, "cases": {{\n'
    return head + ",\n".join(lines) + "\n}}\n"


def _columns(member: Member) -> list[Any]:
    return [getattr(member, name) for name in Member.__struct_fields__]


def main(name: str, directory: Path) -> None:
    """Write the set called *name* into *directory*."""
    path = directory / f"{name}.json"
    if path.exists() and not is_draft(name):
        sys.exit(f"{path} is there: a set is never changed after its release")
    path.write_text(text_of(frozen(load_corpus(), name)), encoding="utf-8")


if __name__ == "__main__":
    main(version("httplib-kit"), sets_directory())
