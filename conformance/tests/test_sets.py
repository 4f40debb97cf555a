"""Sets: what a release froze stays judged, and what no longer can be is reported."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner

import tools.freeze
from conformance.cases import (
    CaseError,
    CaseSet,
    Corpus,
    Member,
    fixtures_directory,
    load_corpus,
    load_set,
    present_set,
    set_names,
    sets,
)
from conformance.cases.casefile import CaseFile
from conformance.cli import main
from conformance.results import read_results

pytest_plugins = ["pytester"]

GLOB = "chunked.grammar.extension.the-first-size.*"
CHANGED, RETIRED, ADDED = (f"{GLOB[:-1]}{name}" for name in ("no-name", "gone", "no-value"))
OTHER = "chunked.gone-as-well"
CHANGES = """
[[change]]
cases = ["chunked.grammar.*.no-name"]
rev = 2
why = "The RFC allows it."
[[change]]
cases = ["chunked.grammar.*.gone", "nothing.*"]
why = "It was the same as another."
"""


def old_set(
    cases: Iterable[str] = (CHANGED, RETIRED, OTHER), left: Iterable[str] = (ADDED,)
) -> CaseSet:
    """Return a set before some changes: *cases* of then, and what the kit has without *left*."""
    now = {
        name: one
        for name, one in present_set(load_corpus().every.listed).cases.items()
        if name not in left
    }
    then = {name: now.get(name, now[CHANGED]) for name in cases}
    then = {name: msgspec.structs.replace(one, rev=1) for name, one in then.items()}
    return CaseSet("0.0.9", {**now, **then})


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file of an old set; the reasons are those of `CHANGES`."""
    directory = tmp_path / "sets"
    directory.mkdir()
    (directory / "changes.toml").write_text(CHANGES, encoding="utf-8")
    file = directory / "0.0.9.json"
    file.write_text(tools.freeze.text_of(old_set()), encoding="utf-8")
    monkeypatch.setattr(sets, "sets_directory", lambda: directory)
    sets.load_changes.cache_clear()
    yield file
    sets.load_changes.cache_clear()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


LINES = [
    f"changed  {CHANGED}: revision 1 -> 2: The RFC allows it.",
    f"retired  {RETIRED}: It was the same as another.",
]


@pytest.mark.usefixtures("frozen")
def test_check_judges_the_cases_of_a_set_and_reports_what_it_cannot(tmp_path: Path) -> None:
    results, page = tmp_path / "r.jsonl", tmp_path / "r.md"
    code, text = run(
        *("check", "--set", "0.0.9", "--select", GLOB),
        *("--results", str(results), "--markdown", str(page)),
    )
    assert code == 0
    ((head, judged),) = read_results(results)
    everything = {one.id for one in load_corpus().select([GLOB]).listed}
    assert {one.id for one in judged} == everything - {CHANGED, ADDED}
    assert head.set == "0.0.9"
    assert head.outside == LINES
    assert head.cases == len(judged)
    for shown in (text, page.read_text(encoding="utf-8")):
        assert "set 0.0.9: 2 cases of it not judged; `httplib-kit changes` says why" in shown
        assert all(f"not judged: {line}" in shown for line in LINES)


def test_many_cases_that_are_not_judged_are_counted(frozen: Path) -> None:
    gone = [f"chunked.gone-{number}" for number in range(9)]
    frozen.write_text(tools.freeze.text_of(old_set(gone)), encoding="utf-8")
    code, text = run(
        "check", "--set", "0.0.9", "--select", "chunked.two-chunks", "--select", "chunked.gone*"
    )
    assert code == 0
    assert (
        "9 cases of it not judged; `httplib-kit changes` says why, the first 5 of them below"
        in text
    )
    assert text.count("not judged: retired  chunked.gone-") == 5


def test_a_run_in_which_all_of_a_set_is_judged_says_so(frozen: Path) -> None:
    code, text = run("check", "--set", str(frozen), "--select", "chunked.two-chunks")
    assert code == 0
    assert "set 0.0.9: each of its cases that was chosen was judged in the same revision" in text


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("limits", "count"),
    [
        ({"select": ["chunked.*"]}, 3),
        ({"select": ["chunked.*"], "exclude": ["*.gone"]}, 2),
        ({"select": [RETIRED]}, 1),
        ({"family": ["chunked"]}, 3),
        ({"family": ["framing"]}, 0),
        ({"levels": ["documented"]}, 0),
    ],
)
def test_only_what_a_run_selects_is_missing_in_it(limits: dict[str, Any], count: int) -> None:
    corpus = load_corpus().limited_to(load_set("0.0.9"))
    levels = limits.pop("levels", ["guard"])
    assert len(corpus.not_judged(levels, is_client=False, **limits)) == count
    assert load_corpus().not_judged(levels, is_client=False, **limits) == []


@pytest.mark.usefixtures("frozen")
def test_what_a_profile_does_not_judge_is_not_missing_in_it() -> None:
    member = Member("session", 1, "observe", "client")
    corpus = load_corpus().limited_to(CaseSet("x", {"session.gone": member}))
    assert len(corpus.not_judged(["observe"], is_client=True)) == 1
    assert corpus.not_judged(["observe"], is_client=False) == []


@pytest.mark.usefixtures("frozen")
def test_a_client_is_judged_by_a_set(tmp_path: Path) -> None:
    results = tmp_path / "r.jsonl"
    run(
        "check",
        "client:httplib:httplib_impl",
        "--set",
        "0.0.9",
        "--select",
        GLOB,
        "--results",
        str(results),
    )
    ((head, judged),) = read_results(results)
    assert head.outside == LINES
    assert judged
    assert not {one.id for one in judged} & {CHANGED, ADDED}


@pytest.mark.usefixtures("frozen")
def test_a_matrix_and_junit_name_what_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    clients = ("client:httplib:httplib_impl", "client:httplib:http.client")
    _, text = run("check", *clients, "--set", "0.0.9", "--select", GLOB, "--junit", str(file))
    assert text.count(f"not judged: {LINES[0]}") == 1
    found = [
        (one.get("name"), one.get("value"))
        for suite in ET.parse(file).getroot().iter("testsuite")
        for one in suite.findall("properties/property")
    ]
    assert found.count(("set", "0.0.9")) == found.count(("not-judged", LINES[1])) == 2


@pytest.mark.usefixtures("frozen")
def test_a_selection_of_retired_cases_runs_nothing_and_says_why() -> None:
    code, text = run("check", "--set", "0.0.9", "--select", RETIRED, "--select", ADDED)
    assert code == 3
    assert f"no case matches '{RETIRED}'" in text
    assert f"no case of the set 0.0.9 matches '{ADDED}'" in text
    assert f"httplib-kit: not as in the set: {LINES[1]}" in text


@pytest.mark.usefixtures("frozen")
def test_cases_of_a_user_are_outside_of_every_set(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    mine = '[[case]]\nid = "mine.a"\ntitle = "Mine"\nlevel = "observe"\nwhy = "w"\n'
    file.write_text(f'family = "mine"\n{mine}spec = ["HTTPResponse.read"]\n', encoding="utf-8")
    assert run("list", "--cases", str(file), "--set", "0.0.9", "--level", "all") == (0, "mine.a\n")


@pytest.mark.usefixtures("frozen")
def test_list_and_export_have_the_cases_of_a_set() -> None:
    result = CliRunner().invoke(main, ["list", "--set", "0.0.9", "--select", GLOB])
    ids = result.stdout.split()
    assert ids == [
        one.id for one in load_corpus().select([GLOB]).listed if one.id not in (CHANGED, ADDED)
    ]
    assert result.stderr.splitlines() == [
        f"httplib-kit: not as in the set: {line}" for line in LINES
    ]
    result = CliRunner().invoke(main, ["export", "--set", "0.0.9", "--select", GLOB])
    document = json.loads(result.stdout)
    assert document["set"] == "0.0.9"
    assert [one["id"] for one in document["cases"]] == ids
    assert result.stderr.splitlines() == [
        f"httplib-kit: not as in the set: {line}" for line in LINES
    ]


@pytest.mark.usefixtures("frozen")
def test_a_baseline_of_more_than_a_set_is_not_stale(tmp_path: Path) -> None:
    baseline = tmp_path / "known.toml"
    entry = '[[entry]]\ncase = "%s"\nverdict = "NO_ERROR"\nreason = "r"\n'
    text = f'select = ["{GLOB}"]\n{entry % ADDED}{entry % RETIRED}'
    baseline.write_text(text, encoding="utf-8")
    base = ["check", "--select", GLOB, "--baseline", str(baseline)]
    assert run(*base)[0] == 1  # it is, in a run of all
    assert run(*base, "--set", "0.0.9")[0] == 0
    both = '[[entry]]\ncase = "%s"\nverdict = "any"\nreason = "r"\n'
    baseline.write_text(f'select = ["{GLOB}"]\n{both % GLOB}', encoding="utf-8")
    assert run(*base)[0] == 1  # none of its cases fails; a set lacks some of them
    assert run(*base, "--set", "0.0.9")[0] == 0
    code, text = run(*base, "--set", "0.0.9", "--update-baseline")
    assert (code, "leave --set out" in text) == (2, True)


def test_the_plugin_takes_a_set(frozen: Path, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("FAMILY = 'chunked'\ndef test_it(wire_case): wire_case.check()\n")
    base = ("-p", "conformance.plugin", "--httplib-select", GLOB, "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*base, "--httplib-set", str(frozen))
    count = len(load_corpus().select([GLOB])) - 2
    result.assert_outcomes(passed=count)
    result.stdout.fnmatch_lines(["*cases of the set that were not judged*", f"changed  {CHANGED}*"])
    result = pytester.runpytest_subprocess(*base, "--httplib-set", "nine")
    result.stderr.fnmatch_lines(["*--httplib-set: no set is called 'nine'; there are *"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"{", "not a set"),
        (b"[" * 100_000, "not a set"),
        (b"\xff", "not a set"),
        (b'{"set": "a"}', "missing required field `cases`"),
        (b'{"set": "a", "cases": {"a.b": ["f", 1, "none", "both"]}}', "not a set"),
        (b'{"set": "a", "cases": {}, "format": 2}', "a set of format 2; this kit reads 1"),
        (b'{"set": "a", "cases": {}, "more": 2}', "unknown field `more`"),
    ],
)
def test_a_file_that_is_no_set_is_refused_in_one_line(
    tmp_path: Path, content: bytes, text: str
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    code, output = run("list", "--set", str(file))
    assert code == 2
    assert text in output
    assert output.count("\n") == 1


def test_the_name_of_a_set_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(CaseError, match=r"no set is called '9\.9'; there are 0\.1\.0"):
        load_set("9.9")
    with pytest.raises(CaseError, match=r"no set is called '\.\./spec'"):
        load_set("../spec")


# Differences between two sets.


@pytest.mark.usefixtures("frozen")
def test_what_changed_is_listed_with_the_reasons() -> None:
    code, text = run("changes", "0.0.9")
    count = len(load_corpus().every)
    assert code == 1
    assert text.splitlines() == [
        f"0.0.9 ({count + 1} cases) -> this kit ({count} cases): 1 changed, 2 retired, 1 added",
        *LINES,
        f"retired  {OTHER}: no reason is recorded",
        f"added    {ADDED}",
    ]


@pytest.mark.usefixtures("frozen")
def test_what_changed_is_listed_as_json() -> None:
    code, text = run("changes", "0.0.9", "--json")
    found = json.loads(text)
    assert code == 1
    assert (found["old"], found["new"]) == ("0.0.9", "")
    assert found["changes"][0] == {
        "kind": "changed",
        "id": CHANGED,
        "before": 1,
        "after": 2,
        "why": "The RFC allows it.",
    }
    assert [one["kind"] for one in found["changes"]] == ["changed", "retired", "retired", "added"]


def test_nothing_changed(frozen: Path) -> None:
    code, text = run("changes", "0.0.9", str(frozen))
    assert code == 0
    assert text.endswith(": 0 changed, 0 retired, 0 added\n")


def test_the_sets_of_a_kit_are_in_the_order_of_their_releases(frozen: Path) -> None:
    for name in ("0.10.0", "0.2.0"):
        frozen.with_name(f"{name}.json").write_text("{}")
    assert set_names() == ["0.0.9", "0.2.0", "0.10.0"]


# The project's own.


def test_the_latest_set_and_the_corpus_agree() -> None:
    assert tools.freeze.problems(load_corpus()) == []


def of(**digests: Any) -> CaseSet:
    members = {
        name: Member("f", rev, "guard", "both", digest) for name, (rev, digest) in digests.items()
    }
    return CaseSet("1.0", members)


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ({"a": (1, "x")}, ""),
        ({"a": (1, "x"), "b": (1, "y")}, ""),
        ({"a": (1, "y")}, "a: has changed since 1.0; raise its rev, and add the reason"),
        ({"a": (2, "y")}, "changed  a: revision 1 -> 2: no reason is recorded; add it to"),
        ({}, "retired  a: no reason is recorded; add it to"),
    ],
)
def test_a_change_needs_a_revision_and_a_reason(now: dict[str, Any], text: str) -> None:
    found = list(tools.freeze.unrecorded(of(a=(1, "x")), of(**now)))
    assert [line[: len(text)] for line in found] == ([text] if text else [])


def test_a_draft_is_compared_and_so_is_the_release_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"0.9": of(a=(1, "w")), "1.0": of(a=(1, "x"), b=(1, "y")), "1.1": of(a=(1, "x"))}
    monkeypatch.setattr(tools.freeze, "set_names", lambda: [*kept])
    monkeypatch.setattr(tools.freeze, "load_set", kept.__getitem__)
    monkeypatch.setattr(tools.freeze, "is_draft", lambda name: name == "1.1")
    monkeypatch.setattr(tools.freeze, "frozen", lambda *_: of(a=(1, "z")))
    assert tools.freeze.problems(Corpus((), "")) == [
        "the draft 1.1 is out of date: make freeze",
        "retired  b: no reason is recorded; add it to fixtures/sets/changes.toml",
        "a: has changed since 1.0; raise its rev, and add the reason",
    ]


def _file(path: Path, before: str, after: str) -> CaseFile:
    return CaseFile(path.read_bytes().replace(before.encode(), after.encode()), path.name)


def test_a_digest_is_of_what_is_played_and_expected() -> None:
    name = "chunked.two-chunks"
    path = fixtures_directory() / "cases" / "chunked.toml"
    digests = {
        tools.freeze.digest_of(Corpus(_file(path, *change).parts, ""), name)
        for change in (
            ("", ""),
            ("Two chunks make one body", "Another title"),
            ("helloworld", "hello"),
        )
    }
    assert len(digests) == 2  # a title is no change of the case


def test_a_released_set_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.freeze, "load_corpus", lambda: Corpus((), ""))
    file = tmp_path / "0.0.1.json"
    tools.freeze.main("0.0.1", tmp_path)
    before = file.read_bytes()
    assert msgspec.json.decode(before, type=CaseSet) == CaseSet("0.0.1", {})
    with pytest.raises(SystemExit, match="a set is never changed after its release"):
        tools.freeze.main("0.0.1", tmp_path)
    monkeypatch.setattr(tools.freeze, "is_draft", lambda _: True)
    tools.freeze.main("0.0.1", tmp_path)
    assert file.read_bytes() == before
