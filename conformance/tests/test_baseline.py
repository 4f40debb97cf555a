"""Baselines: what a file may say, what that means for results, and how a run changes it."""

import datetime as dt
import fnmatch
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cases import LEVELS, page
from conformance.drivers import Identity
from conformance.report import Run, exit_code
from conformance.report.standing import Standing, standing
from conformance.results import Result, RunHead
from conformance.results.baseline import (
    ANY,
    Baseline,
    BaselineError,
    Entry,
    Failure,
    baseline_text,
    parse_baseline,
    place_of,
    read_baseline,
)
from conformance.results.globs import globs_of
from conformance.results.overlay import Listing
from conformance.results.result import Again, Overlay
from conformance.results.scope import Scope, ScopeError
from conformance.results.shipped import chosen
from conformance.results.update import AGAIN, NEW, Updated, check_width, updated

TODAY = dt.date(2026, 6, 1)
HEAD = RunHead("1", "c0ffee", "some.client", "some.client", "1.2.3", [])


GOOD = "[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = 'x'"


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


def entry(case: str | list[str], verdict: str | list[str] = "HANG", **more: object) -> Entry:
    return Entry(case=case, verdict=verdict, **{"reason": "It waits.", **more})  # type: ignore[arg-type]


def listing(*entries: Entry, **revisions: int) -> Listing:
    known = {name.replace("_", "."): rev for name, rev in revisions.items()}
    return Listing(Baseline(entry=list(entries)), known, TODAY)


def overlay(one: Result, *entries: Entry, revisions: Mapping[str, int] | None = None) -> str:
    known = {one.name: one.rev} if revisions is None else revisions
    return Listing(Baseline(entry=list(entries)), known, TODAY).applied(one).overlay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not TOML"),
        ("version = 1", "version"),
        ("unknown = 1", "unknown"),
        ("entry = 1", "entry"),
        ("levels = ['observe']", "levels: 'observe' is none of documented"),
        ("select = 'a'", "select"),
        ("[[entry]]\nverdict = 'HANG'\nreason = 'x'", "line 1: case: names no case"),
        ("[[entry]]\ncase = 'a'\nreason = 'x'", "line 1: verdict: is empty"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'", "line 1: .*reason"),
        ("[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = ' '", "line 1: reason"),
        (GOOD.replace("'a'", "''"), "line 1: case"),
        (GOOD.replace("'a'", "[]"), "line 1: case"),
        (GOOD.replace("'a'", "[1]"), "line 1: .*case"),
        (GOOD + "\n" + GOOD.replace("'a'", "''"), "line 5: case"),
        (GOOD.replace("HANG", "BAD"), "line 1: verdict: 'BAD' is not a failing verdict"),
        (GOOD.replace("HANG", "PASS"), "line 1: verdict: 'PASS'"),
        (GOOD.replace("HANG", "HARNESS_ERROR"), "not a failing verdict"),
        (GOOD.replace("HANG", "DRIVER_ERROR"), "not a failing verdict"),
        (GOOD.replace("HANG", "UNSUPPORTED"), "not a failing verdict"),
        (GOOD.replace("'HANG'", "[]"), "verdict: is empty"),
        (GOOD.replace("'HANG'", "['HANG', 'BAD']"), "verdict: 'BAD' is not a failing verdict"),
        (GOOD.replace("'HANG'", "['HANG', 'any']"), "verdict: 'any' is not a failing verdict"),
        (f"{GOOD}\nrev = 0", "line 1: rev"),
        (f"{GOOD}\nexpires = 'soon'", "expires"),
        (f"{GOOD}\nexpires = 2027-01-31T00:00:00", "line 1: .*date.*expires"),
        (f"{GOOD}\nmore = 1", "line 1: .*more"),
        (
            f"{GOOD}\nfails = [{{ verdict = 'HANG', case = 'b' }}]",
            "fails: is given, and so is case",
        ),
        (
            "[[entry]]\nreason = 'x'\nfails = [{ verdict = 'NO', case = 'b' }]",
            r"fails\[0\]: verdict",
        ),
        ("entry = [{ reason = 'x', verdict = 'HANG', case = '' }]", "entry 1: case"),
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
    with pytest.raises(BaselineError, match=r"some\.toml:1: "):
        read_baseline(path)


def test_a_baseline_is_written_as_it_is_read() -> None:
    baseline = Baseline(
        implementation="some.client",
        version="1.2.3",
        entry=[
            entry("a.b"),
            entry(["a.*", "b\\c"], "LEAK", rev=2, link="https://example.org", reason='"x"\n\x7f'),
            entry("c", expires=dt.date(2027, 1, 31)),
            Entry(
                reason="x",
                fails=[
                    Failure(case="d.*", verdict=["LEAK", "CRASH"]),
                    Failure(case=[f"e.{index:02}" for index in range(30)], verdict="HANG", rev=3),
                ],
            ),
            entry("f.*", ANY),
        ],
        levels=["documented", "guard"],
        select=["a.*"],
        exclude=["a.b.*"],
        cases=["mine.toml"],
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
    told = listing(entry("a.b"), a_b=2).applied(result("a.b", "HANG", rev=2))
    assert told.overlay == Overlay.REGRESSION
    assert "revision 1, now at 2" in told.known
    assert overlay(result("a.b", "PASS", rev=2), entry("a.b"), revisions={"a.b": 2}) == ""


def test_what_is_listed_and_is_nowhere_is_told() -> None:
    later = [entry(f"{name}@cut=bytes", rev=2) for name in ("a.b", "a.*", "x", "x.*")]
    listed = [entry(name) for name in ("a.b", "a.b@cut=bytes", "gone", "no.*")]
    found = listing(*listed, *later, a_b=2)
    update = "or run with --update-baseline"
    assert list(found.nowhere()) == [
        f"entry 1: a.b: listed at revision 1, and it is at 2: review it, {update}",
        f"entry 2: a.b@cut=bytes: listed at revision 1, and it is at 2: review it, {update}",
        f"entry 3: gone: there is no such case: remove it, {update}",
        f"entry 4: no.*: there is no such case at revision 1: remove it, {update}",
        f"entry 7: x@cut=bytes: there is no such case: remove it, {update}",
        f"entry 8: x.*@cut=bytes: there is no such case at revision 2: remove it, {update}",
    ]


def test_two_entries_about_one_case_are_refused() -> None:
    problem = r"entry 2: 'a\.b' is about a\.b, as is 'a\.b' in entry 1; keep one of the two"
    with pytest.raises(BaselineError, match=problem):
        listing(entry("a.b"), entry("a.b", "LEAK"), a_b=1)
    with pytest.raises(BaselineError, match=r"as is '\*\.b' in entry 1"):
        listing(entry("*.b"), entry("a.*", "LEAK"), a_b=1)


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
    told = listing(entry("a.b", expires=dt.date(2026, 1, 1)), a_b=1).applied(result("a.b", "HANG"))
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


def after(
    baseline: Baseline,
    *results: Result,
    others: Mapping[str, int] | None = None,
    head: RunHead = HEAD,
) -> Baseline:
    return changed(baseline_text(baseline), *results, others=others, head=head).baseline


def changed(
    text: str,
    *results: Result,
    others: Mapping[str, int] | None = None,
    head: RunHead = HEAD,
) -> Updated:
    """Return the baseline in *text* after a run; *others* are cases that are not run."""
    revisions = {**(others or {}), **{one.name: one.rev for one in results}}
    run = Scope.of(head)
    known = Listing(parse_baseline(text), revisions, TODAY, run, text=text, name="known.toml")
    return updated(known, head, results)


def test_what_fails_is_listed_by_cause() -> None:
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
    ways = [
        Failure(case=["a.1", "a.3"], verdict="HANG"),
        Failure(case="a.4", verdict="HANG", rev=2),
    ]
    assert found.entry == [
        Entry(reason=NEW, fails=ways),
        entry("a.2", "LEAK", reason=NEW),
        entry("b.1", reason=NEW),
    ]


def test_cases_that_fail_alike_are_listed_by_a_glob_that_matches_no_other() -> None:
    run = [result(name, "HANG") for name in ("a.b.1", "a.b.2", "a.c.1", "a.c.3")]
    found = after(Baseline(), *run, others={"a.c.2": 1, "x": 1})
    assert found.entry == [entry(["a.b.*", "a.c.1", "a.c.3"], reason=NEW)]


def test_what_still_holds_stays_as_it_is() -> None:
    kept = [
        entry("b.*", "LEAK", link="https://example.org"),
        entry("a.1", expires=dt.date(2026, 1, 1)),
        entry("c.*", ANY),
        entry(["d.1", "d.2"], ["HANG", "LEAK"]),
    ]
    run = [result("a.1", "HANG"), result("b.1", "LEAK"), result("b.2", "LEAK")]
    run += [result("c.1", "CRASH"), result("c.2")]
    run += [result("d.1", "HANG"), result("d.2", "LEAK")]
    assert after(Baseline(entry=kept), *run).entry == kept


def test_what_passes_is_listed_no_more() -> None:
    gone = [entry("a.3"), entry("gone"), entry("b.*", ANY), entry("c", ANY)]
    before = Baseline(entry=[entry(["a.1", "a.2"]), *gone])
    run = [result("a.1", "HANG"), result("a.2"), result("a.3"), result("b.1"), result("c")]
    found = after(before, *run)
    assert found.entry == [entry(["a.1"])]


def test_a_glob_that_holds_in_part_is_narrowed() -> None:
    run = [result("a.1", "HANG"), result("a.2"), result("a.3", "HANG"), result("a.4", "LEAK")]
    found = after(Baseline(entry=[entry("a.*")]), *run)
    assert found.entry == [
        entry(["a.1", "a.3"]),
        entry("a.4", "LEAK", reason=f"{AGAIN}: It waits."),
    ]


def test_what_fails_in_another_way_asks_for_another_look() -> None:
    before = Baseline(entry=[entry(["a.1", "a.2"], link="https://example.org")])
    found = after(before, result("a.1", "LEAK"), result("a.2", "HANG", rev=2))
    again: dict[str, Any] = {"reason": f"{AGAIN}: It waits.", "link": "https://example.org"}
    ways = [Failure(case="a.1", verdict="LEAK"), Failure(case="a.2", verdict="HANG", rev=2)]
    assert found.entry == [Entry(fails=ways, **again)]
    # A second time, the words are not put before themselves.
    third = after(found, result("a.1", "CRASH"), result("a.2"))
    assert third.entry == [entry("a.1", "CRASH", **again)]


def test_what_could_not_be_run_stays_listed() -> None:
    kept = [entry("a.*"), entry("b.*", ANY)]
    run = [result("a.1", "HANG"), result("a.2", "UNSUPPORTED"), result("b.1", "UNSUPPORTED")]
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


def test_a_glob_over_twenty_cases_that_compares_the_verdict_alone_is_refused() -> None:
    def check(count: int, verdict: str, **more: object) -> None:
        known = Baseline(entry=[entry("a.*", verdict, **more)])
        check_width(Listing(known, {f"a.{index}": 1 for index in range(count)}, TODAY))

    check(20, "LEAK")
    check(21, "HANG")
    check(21, ANY)
    check(21, "LEAK", where="read", seen="x")
    with pytest.raises(BaselineError, match=r"entry 1: 'a\.\*' matches 21 cases, .*\bany\b"):
        check(21, "LEAK")


# An update changes what it has to, and nothing else.

FILE = """\
# Ours; ask the team before you change it.
implementation = "some.client"   # the package
version = "1.2.3"
runtime = ""

# Tunnels.

# No proxies.
[[entry]]
reason = '''
[[entry]] is not the start of one here.
'''
verdict = "any"      # they all fail
case = "t.*"

# What waits.
[[entry]]
verdict = "HANG"
case = [
    "a.1",   # the first
    "a.2",   # the second
    "a.3",
]
reason = "It waits."

# The rest.

# Two ways.
[[entry]]
reason = "It shouts."
fails = [
    # Loudly.
    { verdict = "LEAK", case = ["b.1", "b.2"] },
    { verdict = "CRASH", case = "b.3" },   # very loudly
]
# The end.
"""
RUN = {
    "t.1": "LEAK",
    "t.2": "PASS",
    **dict.fromkeys(("a.1", "a.2", "a.3"), "HANG"),
    **dict.fromkeys(("b.1", "b.2"), "LEAK"),
    "b.3": "CRASH",
}


def run_of(**changes: str) -> list[Result]:
    verdicts = {**RUN, **{name.replace("_", "."): verdict for name, verdict in changes.items()}}
    return [result(name, verdict) for name, verdict in verdicts.items()]


def part(first: str, end: str) -> str:
    return FILE[FILE.index(first) : FILE.index(end)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_that_is_true_is_not_changed(newline: str) -> None:
    text = FILE.replace("\n", newline)
    after = changed(text, *run_of())
    assert (after.text, after.added, after.removed, after.unexplained) == (text, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"a_2": "PASS"}, '    "a.2",   # the second\n', ""),
        ({"b_3": "PASS"}, '    { verdict = "CRASH", case = "b.3" },   # very loudly\n', ""),
        ({"b_1": "PASS"}, '["b.1", "b.2"]', '["b.2"]'),
        ({"t_1": "PASS"}, part("# No proxies", "# What waits"), ""),
        (dict.fromkeys(("a_1", "a_2", "a_3"), "PASS"), part("# What waits", "\n# The rest"), ""),
        (dict.fromkeys(("b_1", "b_2", "b_3"), "PASS"), part("# Two ways", "# The end"), ""),
    ],
)
def test_comments_and_order_survive_an_update(changes: dict[str, str], old: str, new: str) -> None:
    after = changed(FILE, *run_of(**changes))
    assert after.text == FILE.replace(old, new)
    assert (after.added, after.unexplained) == (0, 0)
    assert after.removed


def test_what_is_new_follows_at_the_end() -> None:
    after = changed(FILE, *run_of(c_1="LEAK"), head=msgspec.structs.replace(HEAD, version="1.3"))
    new = '\n[[entry]]\nreason = "not explained yet"\nverdict = "LEAK"\ncase = "c.1"\n'
    assert after.text == FILE.replace('"1.2.3"', '"1.3"') + new
    assert (after.added, after.removed, after.unexplained) == (1, 0, 1)


def test_entries_in_another_form_are_not_changed() -> None:
    text = "entry = [{ reason = 'x', verdict = 'HANG', case = 'a' }]"
    with pytest.raises(BaselineError, match=r"known\.toml: write each entry as \[\[entry\]\]"):
        changed(text, result("a"))


@pytest.mark.parametrize(
    ("index", "glob", "line"),
    [(0, "t.*", 14), (1, "", 17), (1, "a.2", 21), (2, "b.2", 33), (2, "b.3", 34), (2, "other", 29)],
)
def test_the_place_of_an_entry_is_its_line_or_that_of_its_glob(
    index: int, glob: str, line: int
) -> None:
    assert place_of(FILE, "known.toml", index, glob) == f"known.toml:{line}"


# Several ways to fail, and several entries about one case.


def test_an_entry_with_several_verdicts_covers_each_of_them() -> None:
    one = entry("a.b", ["HANG", "LEAK"])
    assert overlay(result("a.b", "HANG"), one) == Overlay.EXPECTED
    assert overlay(result("a.b", "LEAK"), one) == Overlay.EXPECTED
    assert overlay(result("a.b", "CRASH"), one) == Overlay.STALE
    assert overlay(result("a.b"), one) == Overlay.STALE


def test_an_entry_with_any_covers_every_failure_at_every_revision() -> None:
    one = entry("a.*", ANY)
    for verdict in ("HANG", "LEAK", "CRASH", "WRONG_VALUE"):
        assert overlay(result("a.b", verdict, rev=3), one) == Overlay.EXPECTED
    assert overlay(result("a.b"), one) == ""
    assert overlay(result("a.b", "DRIVER_ERROR"), one) == ""
    assert overlay(result("a.b"), entry("a.b", ANY)) == Overlay.STALE
    assert overlay(result("a.b", "HANG", rev=3), entry("a.*", ANY, rev=2)) == Overlay.REGRESSION


def test_an_entry_with_any_is_stale_once_no_case_fails() -> None:
    known = listing(entry("a.*", ANY), a_1=1, a_2=1)
    assert list(known.passed([result("a.1", "LEAK"), result("a.2")])) == []
    assert list(known.passed([result("a.1", "UNSUPPORTED")])) == []
    (line,) = known.passed([result("a.1"), result("a.2", "UNSUPPORTED")])
    assert line.startswith("entry 1: a.*: of these cases none fails any more: remove it, ")


@pytest.mark.parametrize("turned", [False, True])
def test_a_name_comes_before_a_glob_and_a_verdict_before_any(turned: bool) -> None:
    entries = [entry("a.*", ANY), entry("a.b.*", "LEAK"), entry("a.b.c", "CRASH")]
    entries = entries[::-1] if turned else entries
    known = listing(*entries, a_b_c=1, a_b_d=1, a_e=1)
    found = [known.entry(name) for name in ("a.b.c", "a.b.d", "a.e")]
    assert [one and one.failure.verdict for one in found] == ["CRASH", "LEAK", ANY]


def test_an_update_keeps_a_wide_entry_next_to_an_exact_one() -> None:
    known = [entry("a.*", ANY), entry("a.1", "HANG")]
    run = [result("a.1"), result("a.2", "LEAK")]
    assert after(Baseline(entry=known), *run).entry == [entry("a.*", ANY)]


def test_an_update_leaves_a_glob_whose_other_case_has_an_entry_of_its_own() -> None:
    known = [entry("a.*", "LEAK"), entry("a.1", "HANG")]
    run = [result("a.1", "HANG"), result("a.2", "LEAK")]
    assert after(Baseline(entry=known), *run).entry == known
    # Without that entry, the glob has to be true of this case, too.
    passed = after(
        Baseline(entry=known), result("a.1"), result("a.2", "LEAK"), result("a.3", "LEAK")
    )
    assert passed.entry == [entry(["a.2", "a.3"], "LEAK")]


# The scope.


def head_of(**limits: list[str]) -> RunHead:
    return msgspec.structs.replace(HEAD, **limits)


def test_a_baseline_has_the_scope_from_which_it_was_written() -> None:
    head = head_of(levels=["documented", "observe"], select=["a.*"], exclude=["a.b.*"])
    found = changed("", result("a.1", "HANG"), head=head).baseline
    assert (found.levels, found.select, found.exclude) == (["documented"], ["a.*"], ["a.b.*"])
    whole = changed("", result("a.1", "HANG"), head=head_of(levels=list(LEVELS))).baseline
    assert (whole.levels, whole.select, whole.exclude) == ([], [], [])


def leveled(name: str, verdict: str, level: str, case_level: str = "") -> Result:
    return msgspec.structs.replace(result(name, verdict), level=level, case_level=case_level)


DOCUMENTED = Scope(["documented"])
PARTLY = Baseline(levels=["documented"], entry=[entry("a.b", "LEAK")])
FULL = Baseline(entry=[entry("a.b", "LEAK")])


@pytest.mark.parametrize(
    ("one", "baseline", "run", "stands"),
    [
        # Not listed, and not in the scope: not a regression, but still a failure.
        (leveled("x", "HANG", "guard"), PARTLY, Scope(), ""),
        (leveled("x", "HANG", "documented"), PARTLY, Scope(), Overlay.REGRESSION),
        (leveled("x", "HANG", "documented"), FULL, DOCUMENTED, Overlay.REGRESSION),
        (result("x", "HANG"), Baseline(select=["y.*"]), Scope(), ""),
        (result("x", "HANG"), Baseline(exclude=["x"]), Scope(), ""),
        # The whole case fails at a part that the baseline is not about.
        (leveled("a.b", "HANG", "precedent", "documented"), PARTLY, Scope(), ""),
        (leveled("a.b", "HANG", "documented"), PARTLY, Scope(), Overlay.STALE),
        (leveled("a.b", "PASS", "documented"), PARTLY, Scope(), Overlay.STALE),
        # The part passes, or fails elsewhere; the baseline is about the whole case.
        (leveled("a.b", "PASS", "documented"), FULL, DOCUMENTED, ""),
        (leveled("a.b", "HANG", "documented"), FULL, DOCUMENTED, ""),
        (leveled("a.b", "LEAK", "documented"), FULL, DOCUMENTED, Overlay.EXPECTED),
        (leveled("a.b", "PASS", "guard"), FULL, Scope(["guard"]), Overlay.STALE),
    ],
)
def test_a_run_of_another_scope_neither_confirms_nor_contradicts(
    one: Result, baseline: Baseline, run: Scope, stands: str
) -> None:
    found = Listing(baseline, {one.name: one.rev}, TODAY, run).applied(one)
    assert found.overlay == stands
    if one.failed and not stands:
        assert "about" in found.known


def test_entries_about_no_case_are_reported_by_runs_that_cover_the_scope() -> None:
    def is_whole(run: Scope, **scope: list[str]) -> bool:
        return Listing(Baseline(**scope), {}, TODAY, run).is_whole  # type: ignore[arg-type]

    assert is_whole(Scope())
    assert is_whole(DOCUMENTED, levels=["documented"])
    assert is_whole(Scope(select=["a", "b"]), select=["a"])
    assert is_whole(Scope(), select=["a"], exclude=["b"])
    assert not is_whole(DOCUMENTED)
    assert not is_whole(Scope(select=["a"]))
    assert not is_whole(Scope(exclude=["a"]))
    assert not is_whole(Scope(), cases=["mine.toml"])
    assert not is_whole(Scope(cases=["mine.toml"]))


def test_an_update_from_some_cases_leaves_the_rest() -> None:
    before = Baseline(entry=[entry(["a.1", "b.1"]), entry("b.*", "LEAK"), entry("gone")])
    run = [result("a.1"), result("a.2", "HANG")]
    found = after(before, *run, others={"b.1": 1, "b.2": 1}, head=head_of(select=["a.*"]))
    assert found.entry == [entry(["b.1"]), *before.entry[1:], entry("a.2", reason=NEW)]
    assert found.select == []


@pytest.mark.parametrize(
    ("before", "run", "joined"),
    [
        (Scope(), DOCUMENTED, None),
        (Scope(), Scope(["precedent"]), Scope()),
        (Scope(), Scope(["guard"]), Scope()),
        (DOCUMENTED, Scope(), Scope()),
        (Scope(["guard"]), Scope(["precedent"]), Scope(["precedent", "guard"])),
        (Scope(["precedent", "guard"]), DOCUMENTED, None),
        (DOCUMENTED, Scope(["precedent"]), None),
        (DOCUMENTED, Scope(["guard"]), Scope(["documented", "guard"])),
        (Scope(select=["a"]), Scope(select=["b"]), Scope(select=["a", "b"])),
        (
            Scope(select=["a"]),
            Scope(select=["b"], cases=["c"]),
            Scope(select=["a", "b"], cases=["c"]),
        ),
        (Scope(select=["a"]), Scope(exclude=["b"], select=["c"]), None),
        (Scope(exclude=["b"]), Scope(select=["a"]), None),
        (Scope(exclude=["b"]), Scope(select=["a"], exclude=["b"]), Scope(exclude=["b"])),
    ],
)
def test_the_scope_after_an_update_has_the_cases_of_both(
    before: Scope, run: Scope, joined: Scope | None
) -> None:
    if joined is None:
        with pytest.raises(ScopeError):
            before.joined(run)
    else:
        found = before.joined(run)
        assert set(found.levels) == set(joined.levels)
        for limit in ("select", "exclude", "cases"):
            assert list(getattr(found, limit)) == list(getattr(joined, limit))


# Globs.


@given(st.sets(st.integers(0, 59), min_size=1), st.sampled_from(["a.{}.{}", "a.b-{}.c-{}"]))
def test_globs_match_the_given_names_and_no_other(chosen: set[int], form: str) -> None:
    ids = sorted(form.format(index % 6, index // 6) for index in range(60))
    names = [ids[index] for index in sorted(chosen)]
    globs = globs_of(names, ids)
    assert sorted({one for glob in globs for one in fnmatch.filter(ids, glob)}) == names
    assert len(globs) <= len(names)


def test_globs_name_the_family_and_a_wildcard_stands_for_whole_words() -> None:
    ids = ["a.1", "a.2", "a.30", "a.31", "b.1", "c.x-1.z", "c.x-2.y", "c.x-2.z"]
    assert globs_of(ids[:4], ids) == ["a.*"]
    assert globs_of(["a.30", "a.31"], ids) == ["a.30", "a.31"]
    assert globs_of(["c.x-1.z", "c.x-2.z"], ids) == ["c.*.z"]
    assert globs_of(["a.1@cut=bytes", "a.2@cut=bytes"], ids) == ["a.1@cut=bytes", "a.2@cut=bytes"]


# The documents.


@pytest.mark.parametrize("name", ["docs/pipelines.md", "docs/judge-your-client.md"])
def test_the_baselines_in_the_documents_are_valid(name: str) -> None:
    text = Path(page(name)).read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [one for block in blocks for one in parse_baseline(block).entry]


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
