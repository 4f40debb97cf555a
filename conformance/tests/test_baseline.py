"""Baselines: what a file may say, what that means for results, and how a run changes it."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from conformance.drivers import Identity
from conformance.report import Run, exit_code
from conformance.report.standing import Standing, standing
from conformance.results import Result, RunHead
from conformance.results.baseline import (
    Baseline,
    BaselineError,
    Entry,
    baseline_text,
    parse_baseline,
    read_baseline,
)
from conformance.results.overlay import Listing
from conformance.results.result import Again, Overlay
from conformance.results.shipped import chosen
from conformance.results.update import AGAIN, NEW, check_width, updated

TODAY = dt.date(2026, 6, 1)
HEAD = RunHead("1", "c0ffee", "some.client", "some.client", "1.2.3", [])


def result(name: str, verdict: str = "PASS", *, rev: int = 1, family: str = "f") -> Result:
    case, _, setting = name.partition("@")
    settings = dict(part.split("=") for part in setting.split(",")) if setting else {}
    return Result(
        id=case,
        rev=rev,
        verdict=verdict,
        level="guard",
        family=family,
        title="A title",
        spec=[],
        setting=settings,
    )


def entry(case: str | list[str], verdict: str = "HANG", **more: object) -> Entry:
    return Entry(case=case, verdict=verdict, **{"reason": "It waits.", **more})  # type: ignore[arg-type]


def listing(*entries: Entry, **revisions: int) -> Listing:
    known = {name.replace("_", "."): rev for name, rev in revisions.items()}
    return Listing(Baseline(entry=list(entries)), known, TODAY)


def overlay(one: Result, *entries: Entry, revisions: Mapping[str, int] | None = None) -> str:
    known = {one.name: one.rev} if revisions is None else revisions
    return Listing(Baseline(entry=list(entries)), known, TODAY).told(one).overlay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not TOML"),
        ("version = 1", "version"),
        ("unknown = 1", "unknown"),
        ("entry = 1", "entry"),
        ("[[entry]]\nverdict = 'HANG'\nreason = 'x'", "entry 1: .*case"),
        ("[[entry]]\ncase = 'a'\nreason = 'x'", "entry 1: .*verdict"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'", "entry 1: .*reason"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = ' '", "entry 1: reason"),
        ("[[entry]]\ncase = ''\nverdict = 'HANG'\nreason = 'x'", "entry 1: case"),
        ("[[entry]]\ncase = []\nverdict = 'HANG'\nreason = 'x'", "entry 1: case"),
        ("[[entry]]\ncase = [1]\nverdict = 'HANG'\nreason = 'x'", "entry 1: .*case"),
        ("[[entry]]\ncase = 'a'\nverdict = 'BAD'\nreason = 'x'", "entry 1: verdict: 'BAD'"),
        ("[[entry]]\ncase = 'a'\nverdict = 'PASS'\nreason = 'x'", "entry 1: verdict: 'PASS'"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HARNESS_ERROR'\nreason = 'x'", "not a failing verdict"),
        ("[[entry]]\ncase = 'a'\nverdict = 'DRIVER_ERROR'\nreason = 'x'", "not a failing verdict"),
        ("[[entry]]\ncase = 'a'\nverdict = 'UNSUPPORTED'\nreason = 'x'", "not a failing verdict"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = 'x'\nrev = 0", "entry 1: rev"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = 'x'\nexpires = 'soon'", "expires"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = 'x'\nmore = 1", "entry 1: .*more"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(BaselineError, match=said) as caught:
        parse_baseline(text)
    assert "\n" not in str(caught.value)


def test_a_refused_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    with pytest.raises(BaselineError, match=r"some\.toml: cannot be read"):
        read_baseline(path)
    path.write_bytes(b"\xff")
    with pytest.raises(BaselineError, match=r"some\.toml: is not UTF-8"):
        read_baseline(path)
    path.write_text("[[entry]]\ncase = 1")
    with pytest.raises(BaselineError, match=r"some\.toml: entry 1"):
        read_baseline(path)


def test_a_baseline_is_written_as_it_is_read() -> None:
    baseline = Baseline(
        implementation="some.client",
        version="1.2.3",
        entry=[
            entry("a.b"),
            entry(["a.*", "b\\c"], "LEAK", rev=2, link="https://example.org", reason='"x"\n\x7f'),
            entry("c", expires=dt.date(2027, 1, 31)),
        ],
    )
    assert parse_baseline(baseline_text(baseline)) == baseline


def test_what_fails_as_listed_is_expected() -> None:
    assert overlay(result("a.b", "HANG"), entry("a.b")) == Overlay.EXPECTED
    assert overlay(result("a.b", "HANG"), entry("a.*")) == Overlay.EXPECTED
    assert overlay(result("a.b", "HANG"), entry(["x", "a.?"]), revisions={"a.b": 1, "x": 1})


def test_what_is_not_listed_and_fails_is_a_regression() -> None:
    assert overlay(result("a.b", "HANG"), entry("a.c"), revisions={"a.b": 1, "a.c": 1}) == (
        Overlay.REGRESSION
    )


@pytest.mark.parametrize("verdict", ["PASS", "TOLERATED", "INFO", "LEAK", "CRASH"])
def test_what_passes_or_fails_differently_is_stale(verdict: str) -> None:
    assert overlay(result("a.b", verdict), entry("a.b")) == Overlay.STALE


@pytest.mark.parametrize("verdict", ["HARNESS_ERROR", "DRIVER_ERROR", "UNSUPPORTED"])
def test_what_was_not_run_says_nothing_about_an_entry(verdict: str) -> None:
    assert overlay(result("a.b", verdict), entry("a.b")) == ""


def test_what_passes_and_is_not_listed_has_no_overlay() -> None:
    assert overlay(result("a.b"), entry("a.c"), revisions={"a.b": 1, "a.c": 1}) == ""


def test_an_entry_is_about_its_revision_alone() -> None:
    told = listing(entry("a.b"), a_b=2).told(result("a.b", "HANG", rev=2))
    assert told.overlay == Overlay.REGRESSION
    assert "revision 1, now at 2" in told.known
    assert overlay(result("a.b", "PASS", rev=2), entry("a.b"), revisions={"a.b": 2}) == ""


def test_what_is_listed_and_is_nowhere_is_told() -> None:
    later = [entry(f"{name}@cut=bytes", rev=2) for name in ("a.b", "a.*", "x", "x.*")]
    listed = [entry(name) for name in ("a.b", "a.b@cut=bytes", "gone", "no.*")]
    found = listing(*listed, *later, a_b=2)
    assert list(found.nowhere()) == [
        "a.b: listed at revision 1, and it is at 2",
        "a.b@cut=bytes: listed at revision 1, and it is at 2",
        "gone: there is no such case",
        "no.*: there is no such case at revision 1",
        "x@cut=bytes: there is no such case",
        "x.*@cut=bytes: there is no such case at revision 2",
    ]


def test_two_entries_about_one_case_are_refused() -> None:
    with pytest.raises(BaselineError, match=r"two entries are about a\.b"):
        listing(entry("a.b"), entry("a.*", "LEAK"), a_b=1)


def test_two_globs_of_one_entry_may_overlap() -> None:
    assert listing(entry(["a.b", "a.*"]), a_b=1).entry("a.b") is not None


@pytest.mark.parametrize(
    ("expires", "fails", "passes"),
    [
        (TODAY, Overlay.EXPECTED, Overlay.STALE),
        (TODAY - dt.timedelta(days=1), Overlay.REGRESSION, Overlay.STALE),
        (TODAY + dt.timedelta(days=1), Overlay.EXPECTED, Overlay.STALE),
    ],
)
def test_an_entry_holds_through_its_last_day(
    expires: dt.date, fails: Overlay, passes: Overlay
) -> None:
    assert overlay(result("a.b", "HANG"), entry("a.b", expires=expires)) == fails
    assert overlay(result("a.b"), entry("a.b", expires=expires)) == passes


def test_an_expired_entry_says_so() -> None:
    told = listing(entry("a.b", expires=dt.date(2026, 1, 1)), a_b=1).told(result("a.b", "HANG"))
    assert "expired on 2026-01-01" in told.known


def test_a_setting_is_listed_by_itself() -> None:
    varied = result("a.b@cut=bytes", "HANG")
    assert overlay(varied, entry("a.b"), revisions={"a.b": 1, varied.name: 1}) == Overlay.REGRESSION
    assert overlay(varied, entry("a.b*"), revisions={"a.b": 1, varied.name: 1}) == (
        Overlay.REGRESSION
    )
    assert overlay(varied, entry("a.b@*")) == Overlay.EXPECTED
    assert overlay(varied, entry("a.b@cut=bytes")) == Overlay.EXPECTED
    assert overlay(result("a.b"), entry("a.b@*"), revisions={"a.b": 1, varied.name: 1}) == ""


def over(verdict: str, over: str = "", again: Again | None = None) -> Result:
    return msgspec.structs.replace(result("a.b", verdict), overlay=over, again=again)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([over("PASS")], 0),
        ([over("PASS"), over("HANG", "EXPECTED")], 0),
        ([over("HANG", "EXPECTED")], 0),
        ([over("HANG", "REGRESSION")], 1),
        ([over("PASS", "STALE")], 1),
        ([over("HANG", "STALE")], 1),
        ([over("HANG", "FLAKY", Again("PASS", True))], 0),
        ([over("HANG", "FLAKY", Again("LEAK", False))], 1),
        ([over("HANG", "FLAKY", Again("LEAK", True))], 0),
        ([over("HARNESS_ERROR"), over("HANG", "REGRESSION")], 2),
        ([over("DRIVER_ERROR"), over("PASS")], 2),
        ([over("UNSUPPORTED")], 3),
        ([over("UNSUPPORTED"), over("HANG", "EXPECTED")], 0),
    ],
)
def test_the_exit_code_says_what_a_pipeline_has_to_know(results: list[Result], code: int) -> None:
    assert exit_code(results) == code


def test_an_entry_about_nothing_fails_the_run() -> None:
    head = msgspec.structs.replace(HEAD, stale=["gone: there is no such case"])
    assert Run(head, [over("PASS")]).exit_code == 1
    assert Run(head, [over("DRIVER_ERROR")]).exit_code == 2


def test_a_flake_that_came_to_nothing_good_is_a_failure() -> None:
    assert standing(over("HANG", "FLAKY", Again("LEAK", False))) is Standing.FAILED
    assert standing(over("HANG", "FLAKY", Again("PASS", True))) is Standing.FLAKY


# The update.


def after(baseline: Baseline, *results: Result) -> Baseline:
    return updated(baseline, HEAD, results)


def test_what_fails_is_listed_by_family_and_verdict() -> None:
    found = after(
        Baseline(),
        result("a.1", "HANG"),
        result("a.2", "LEAK"),
        result("a.3", "HANG"),
        result("b.1", "HANG", family="g"),
        result("a.4", "HANG", rev=2),
        result("a.5"),
        result("a.6", "UNSUPPORTED"),
    )
    assert (found.implementation, found.version) == ("some.client", "1.2.3")
    assert found.entry == [
        entry(["a.1", "a.3"], reason=NEW),
        entry("a.2", "LEAK", reason=NEW),
        entry("b.1", reason=NEW),
        entry("a.4", reason=NEW, rev=2),
    ]


def test_what_still_holds_stays_as_it_is() -> None:
    kept = [
        entry("b.*", "LEAK", link="https://example.org"),
        entry("a.1", expires=dt.date(2026, 1, 1)),
    ]
    run = [result("a.1", "HANG"), result("b.1", "LEAK"), result("b.2", "LEAK")]
    assert after(Baseline(entry=kept), *run).entry == kept


def test_what_passes_is_listed_no_more() -> None:
    before = Baseline(entry=[entry(["a.1", "a.2"]), entry("a.3"), entry("gone")])
    found = after(before, result("a.1", "HANG"), result("a.2"), result("a.3"))
    assert found.entry == [entry(["a.1"])]


def test_a_glob_that_holds_in_part_is_spelled_out() -> None:
    run = [result("a.1", "HANG"), result("a.2"), result("a.3", "HANG"), result("a.4", "LEAK")]
    found = after(Baseline(entry=[entry("a.*")]), *run)
    assert found.entry == [entry(["a.1", "a.3"]), entry("a.4", "LEAK", reason=NEW)]


def test_what_fails_in_another_way_asks_for_another_look() -> None:
    before = Baseline(entry=[entry(["a.1", "a.2"], link="https://example.org")])
    found = after(before, result("a.1", "LEAK"), result("a.2", "HANG", rev=2))
    again = {"reason": f"{AGAIN}: It waits.", "link": "https://example.org"}
    assert found.entry == [entry("a.1", "LEAK", **again), entry("a.2", rev=2, **again)]
    # A second time, the words are not put before themselves.
    third = after(found, result("a.1", "CRASH"))
    assert third.entry == [entry("a.1", "CRASH", **again)]


def test_what_could_not_be_run_stays_listed() -> None:
    kept = [entry("a.*")]
    run = [result("a.1", "HANG"), result("a.2", "UNSUPPORTED")]
    assert after(Baseline(entry=kept), *run).entry == kept


def test_what_came_to_two_verdicts_is_not_written_down() -> None:
    flaky = over("HANG", "FLAKY", Again("LEAK", False))
    assert after(Baseline(), flaky).entry == []
    kept = [entry("a.b", "LEAK")]
    assert after(Baseline(entry=kept), flaky).entry == kept


def test_what_is_listed_of_a_sweep_stays_after_a_run_without() -> None:
    kept = [entry("a.b@cut=bytes")]
    assert after(Baseline(entry=kept), result("a.b")).entry == kept
    assert after(Baseline(entry=kept), result("a.b"), result("a.b@cut=bytes")).entry == []


def test_an_update_says_the_same_twice() -> None:
    run = [result("a.1", "HANG"), result("a.2", "LEAK"), result("b.1", "HANG", family="g")]
    once = after(Baseline(), *run)
    assert after(once, *run) == once


def test_a_glob_over_twenty_cases_is_refused() -> None:
    wide = Baseline(entry=[entry("a.*")])
    check_width(wide, {f"a.{index}": 1 for index in range(20)})
    with pytest.raises(BaselineError, match=r"'a\.\*' matches 21 cases"):
        check_width(wide, {f"a.{index}": 1 for index in range(21)})


# The shipped ones.


@pytest.mark.parametrize(
    ("name", "version", "runtime", "found"),
    [
        ("http.client", "3.11.7", "CPython", "http.client-3.11"),
        ("http.client", "3.12.1", "CPython", "http.client-3.12.1"),
        ("http.client", "3.12.9", "CPython", "http.client-3.12.1"),
        ("http.client", "3.13.9", "CPython", "http.client-3.13.8"),
        ("http.client", "3.13.2", "", "http.client-3.13.3"),
        ("http.client", "3.9.16", "PyPy", "http.client-pypy-3.9.16"),
        ("http.client", "3.9.16", "CPython", None),
        ("http.client", "3.1", "CPython", None),
        ("httplib", "2.7.18", "CPython", "httplib-2.7.18"),
        ("other", "1", "", None),
    ],
)
def test_the_shipped_baseline_is_that_of_the_version_or_the_nearest_of_its_minor_version(
    name: str, version: str, runtime: str, found: str | None
) -> None:
    names = [
        "http.client-3.11",
        "http.client-3.11.2",
        "http.client-3.12.1",
        "http.client-3.13.3",
        "http.client-3.13.8",
        "http.client-pypy-3.9.16",
        "httplib-2.7.18",
    ]
    identity = Identity("x", name, version, frozenset(), runtime=runtime)
    assert chosen(identity, names) == found
