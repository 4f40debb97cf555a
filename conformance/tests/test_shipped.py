"""The shipped baselines: of this corpus, each entry explained, and what the golden records say."""

import datetime as dt

import msgspec
import pytest

from conformance.cases import load_corpus
from conformance.results.baseline import baseline_text, matching, read_baseline
from conformance.results.golden import load_book
from conformance.results.golden.baselines import renewed
from conformance.results.golden.judging import runs_of
from conformance.results.overlay import Listing
from conformance.results.result import Overlay
from conformance.results.shipped import shipped_directory
from conformance.results.update import AGAIN, NEW

NAMES = sorted(path.stem for path in shipped_directory().glob("*.toml"))
NEVER = dt.date(9999, 1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_is_explained_and_about_a_case_of_this_corpus(name: str) -> None:
    corpus, baseline = load_corpus(), read_baseline(shipped_directory() / f"{name}.toml")
    assert name.endswith((baseline.version, ".".join(baseline.version.split(".")[:2])))
    listing = Listing(baseline, {case.id: case.rev for case in corpus.cases}, NEVER)
    assert list(listing.nowhere()) == []
    for entry in baseline.entry:
        assert not entry.reason.startswith((NEW, AGAIN))
        assert not any(one.is_vague or one.is_any for one in entry.failures)


def test_a_baseline_says_what_the_records_say() -> None:
    found = list(renewed(load_book(), load_corpus()))
    assert {path.stem for path, _ in found} == set(NAMES)
    for path, baseline in found:
        assert baseline_text(baseline) == path.read_text(encoding="utf-8")


CLIENTS = (
    *("aiohttp", "curl", "httplib2", "httpx", "jdk", "node-fetch", "node-http", "pycurl"),
    *("requests", "urllib.request", "urllib3", "urllib3-stream", "wget"),
)


@pytest.mark.parametrize("key", CLIENTS)
def test_the_client_has_a_baseline_of_the_recorded_version(key: str) -> None:
    assert f"{key}-{load_book().implementations[key].version}" in NAMES


@pytest.mark.parametrize(
    ("key", "name", "least"),
    [("py3.11", "http.client-3.11", 500), ("requests", "requests-2.34.2", 100)],
)
def test_a_shipped_baseline_covers_what_was_recorded_and_no_other_failure(
    key: str, name: str, least: int
) -> None:
    book, corpus = load_book(), load_corpus()
    revisions = {case.id: case.rev for case in corpus.every.listed}
    _, results = runs_of(book, [key], corpus)[key]
    listing = Listing(read_baseline(shipped_directory() / f"{name}.toml"), revisions, NEVER)
    judged = [one for one in results if one.strength or one.level != "observe"]
    assert sum(one.failed for one in judged) > least
    assert {one.family for one in judged} >= ({"session"} if key == "requests" else set())
    for one in judged:
        assert listing.applied(one).overlay == (Overlay.EXPECTED if one.failed else "")
        assert (listing.entry(one.name) is not None) is one.failed
        planted = msgspec.structs.replace(one, verdict="WRONG_VALUE", where="planted", seen="1")
        stands = Overlay.STALE if one.failed else Overlay.REGRESSION
        assert listing.applied(planted).overlay == stands


def test_what_2_7_does_against_the_page_is_known_by_subject() -> None:
    subjects = set()
    baseline = read_baseline(shipped_directory() / "httplib-2.7.18.toml")
    levels = {case.id: case.level for case in load_corpus().every.listed}
    for entry in baseline.entry:
        globs = [glob for one in entry.failures for glob in one.globs]
        names = [name for glob in globs for name in matching(glob, levels)]
        if any(levels[name] == "documented" for name in names):
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
