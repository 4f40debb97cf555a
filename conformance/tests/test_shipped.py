"""The shipped baselines: of this corpus, each entry explained, and what the golden records say."""

import datetime as dt

import pytest

from conformance.cases import load_corpus
from conformance.drivers import Identity
from conformance.run.baseline import is_glob, read_baseline
from conformance.run.golden import load_book
from conformance.run.golden.results import run_of
from conformance.run.overlay import Listing, is_unexpected
from conformance.run.shipped import directory, shipped
from conformance.run.update import AGAIN, NEW

NAMES = sorted(path.stem for path in directory().glob("*.toml"))
RECORDED = ["py2.7", "jython2.7", *(f"py3.{minor}" for minor in range(8, 14)), "pypy3.9"]
NEVER = dt.date(9999, 1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_is_explained_and_about_a_case_of_this_corpus(name: str) -> None:
    corpus, baseline = load_corpus(), read_baseline(directory() / f"{name}.toml")
    assert baseline.corpus == corpus.digest
    assert name.endswith((baseline.version, ".".join(baseline.version.split(".")[:2])))
    listing = Listing(baseline, {case.id: case.rev for case in corpus.cases}, NEVER)
    assert list(listing.nowhere()) == []
    for entry in baseline.entry:
        assert not entry.reason.startswith((NEW, AGAIN))
        assert not any(map(is_glob, entry.globs))


@pytest.mark.parametrize("key", RECORDED)
def test_a_baseline_says_what_the_records_say(key: str) -> None:
    corpus, book = load_corpus(), load_book()
    one = book.implementations[key]
    identity = Identity(
        one.written, one.name, one.version, frozenset(one.features), runtime=one.runtime
    )
    baseline = read_baseline(shipped(identity))
    listing = Listing(baseline, {case.id: case.rev for case in corpus.cases}, NEVER)
    _, results = run_of(book, key, corpus)
    judged = [result for result in results if result.level != "observe"]
    assert [told.name for told in listing.over(judged) if is_unexpected(told)] == []


def test_what_2_7_does_against_the_page_is_known_by_subject() -> None:
    subjects = set()
    corpus, levels = load_corpus(), {}
    for case in corpus.cases:
        levels[case.id] = case.level
    for entry in read_baseline(directory() / "httplib-2.7.18.toml").entry:
        if any(levels[name] == "documented" for name in entry.globs):
            subjects.add(entry.reason.partition(":")[0])
    assert subjects == {
        "Port in the host text",
        "Port argument",
        "Port of set_tunnel",
        "Certificate verification",
        "Host name of a verified certificate",
        "strict",
        "Content-Length of a body",
    }
