"""The comparison for a pull request: what it says, and that it always fits into a comment."""

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from conformance.cli import main
from conformance.judge import Verdict
from conformance.report import Run, comment_text, diff_markdown, markdown, paired
from conformance.report.comment import KINDS, MARK, MOST
from conformance.report.legend import legend
from conformance.report.markdown import markdown_text
from conformance.report.story import story
from conformance.results import Result, ResultFile
from conformance.results.seen import normal
from conformance.tests.test_formats import HEAD, result
from conformance.tests.test_reports import PROPERTY, runs

BOTH = Run(
    HEAD,
    [
        result("chunked.two-chunks"),
        result("headers.none", Verdict.LEAK),
        result("headers.two-fields", Verdict.LEAK),
        result("headers.three-fields"),
        result("chunked.size-line.not-hex"),
        result("framing.bare-cr.no-second-field"),
    ],
)


def changed(one: Result, **fields: object) -> Result:
    return msgspec.structs.replace(one, **fields)


def after() -> Run:
    same, better, other, revised, retired, unsupported = BOTH.results
    found = [
        changed(same, verdict=Verdict.NO_ERROR, where="read", seen="'x'"),
        changed(better, verdict=Verdict.PASS),
        changed(other, verdict=Verdict.HANG, overlay="STALE"),
        changed(revised, rev=9, verdict=Verdict.LEAK),
        changed(unsupported, verdict=Verdict.UNSUPPORTED),
        changed(retired, id="a.new-case"),
    ]
    return Run(msgspec.structs.replace(HEAD, version="3", stale=["known.toml:7: no case"]), found)


def counts(text: str) -> dict[str, int]:
    """Return the table of counts as a Markdown reader reads it."""
    tokens = MarkdownIt().enable("table").parse(text)
    cells = [one.content for one in tokens if one.type == "inline"]
    rows = {cell.strip("*"): cells[at + 1] for at, cell in enumerate(cells[:-1]) if "**" in cell}
    return {kind: int(rows[kind]) for kind in KINDS}


def test_each_kind_of_difference_is_counted_first_and_listed_once() -> None:
    text = diff_markdown([(BOTH, after())])
    assert counts(text) == {
        "worse": 1,
        "stale": 2,
        "otherwise": 1,
        "new": 1,
        "better": 1,
        "revised": 1,
        "retired": 1,
        "other": 1,
    }
    assert text.startswith(f"{MARK}\n## `x 2` → `x 3`\n")
    assert "<summary>worse: 1</summary>" in text
    assert "| `chunked.two-chunks` | `PASS` | `NO_ERROR at wire: read: 'x'` |" in text
    assert "| `known.toml:7: no case` |" in text
    assert text.count("<details>") == text.count("</details>") == 8
    assert "no room" not in text


def test_equal_runs_have_no_difference() -> None:
    text = diff_markdown([(BOTH, BOTH)])
    assert set(counts(text).values()) == {0}
    assert "<details>" not in text


@pytest.mark.parametrize("length", [1, 100, 10_000])
def test_a_comment_never_exceeds_the_limit_and_says_what_is_left_out(length: int) -> None:
    names = [f"case.{index}.{'n' * length}" for index in range(3000)]
    before = [changed(BOTH.results[0], id=name) for name in names]
    now = [changed(one, verdict=Verdict.LEAK, seen="s" * length, where="read") for one in before]
    every = [*now[:2000], *(changed(one, id=f"new.{one.id}") for one in now[2000:])]
    text = diff_markdown([(Run(HEAD, before), Run(HEAD, every))])
    assert MOST * 3 // 4 < len(text) <= MOST
    found = counts(text)
    assert (found["worse"], found["new"], found["retired"]) == (2000, 1000, 1000)
    assert "There is no room here for " in text
    shown = text.count("| `case.")
    assert f"{found['worse'] - text.count('| `PASS` | `LEAK')} worse" in text
    assert shown > 50


def test_many_implementations_share_a_comment() -> None:
    def named(name: str) -> Run:
        return Run(msgspec.structs.replace(HEAD, implementation=name, name=name), BOTH.results)

    pairs, notes = paired([named("a"), named("b"), named("c")], [named("b"), named("d")])
    assert [one.head.name for pair in pairs for one in pair] == ["b", "b"]
    assert notes == ["only before: a", "only before: c", "only now: d"]
    text = diff_markdown(pairs, notes)
    assert all(f"- `{note}`" in text for note in notes)
    many = diff_markdown([(BOTH, after())] * 200)
    assert len(many) <= MOST
    assert "more implementations." in many


@PROPERTY
@given(st.lists(st.tuples(runs(), runs()), min_size=1, max_size=2))
def test_hostile_text_is_no_markup_and_the_comment_fits(pairs: list[tuple[Run, Run]]) -> None:
    text = diff_markdown(pairs)
    assert len(text) <= MOST
    for token in MarkdownIt().enable("table").parse(text):
        if token.type == "html_block":
            assert "<script" not in token.content
            assert token.content.split("\n")[0].startswith(("<details><summary>", "</", "<!--"))
        for child in token.children or ():
            assert child.type not in ("html_inline", "image", "link_open")


@pytest.mark.parametrize("count", [1, 40, 1200])
def test_a_summary_for_a_comment_fits_too_and_tells_each_story_once(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def counting(result: Result, *others: Any) -> list[str]:
        told.append(result.id)
        return story(result, *others)

    monkeypatch.setattr(markdown, "story", counting)
    some = [
        changed(BOTH.results[0], id=f"case.{index}", family=f"f{index}", verdict=Verdict.LEAK)
        for index in range(count)
    ]
    some = [changed(one, where="read", seen=f"{one.id}.X: {'y' * 400}") for one in some]
    text = comment_text([Run(HEAD, some)])
    assert text.startswith(f"{MARK}\n## `x 2`: 0 of {count} judged case")
    assert len(text) <= MOST
    assert ("There is no room" in text) is (count > 1000)
    assert len(told) == len(set(told)) > 0
    shown = [markdown_text([Run(HEAD, some)], most).count("<details>") for most in (0, 3_000)]
    assert shown[0] == 1 < shown[1] < 10  # the words of the report, and a few stories


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time that *work* takes, the least of three."""
    found = []
    for _ in range(3):
        begun = process_time()
        work()
        found.append(process_time() - begun)
    return min(found)


@pytest.mark.parametrize(
    ("work", "unit"),
    [(lambda lines: legend(["leak  x"] * lines), 1_000), (lambda n: normal("y" * n), 2_000)],
    ids=["legend", "normal form"],
)
def test_ten_times_as_much_to_read_takes_about_ten_times_as_long(
    work: Callable[[int], object], unit: int
) -> None:
    assert seconds(lambda: work(10 * unit)) < 40 * seconds(lambda: work(unit))


def write(path: Path, *found: Run) -> str:
    with ResultFile(path) as file:
        file.write((run.head, run.results) for run in found)
    return str(path)


def test_the_command_writes_the_comment_to_standard_output_or_a_file(tmp_path: Path) -> None:
    names = write(tmp_path / "a", BOTH), write(tmp_path / "b", after())
    printed = CliRunner().invoke(main, ["diff", *names, "--markdown"])
    assert printed.exit_code == 1
    assert printed.output == diff_markdown([(BOTH, after())])
    path = tmp_path / "comment.md"
    assert CliRunner().invoke(main, ["diff", *names, "--markdown", str(path)]).exit_code == 1
    assert path.read_text(encoding="utf-8") == printed.output
    same = CliRunner().invoke(main, ["diff", names[0], names[0], "--markdown"])
    assert same.exit_code == 0


def test_a_comment_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    name = write(tmp_path / "a", BOTH)
    done = CliRunner().invoke(main, ["diff", name, name, "--markdown", str(tmp_path)])
    assert done.exit_code == 2
    assert done.output.startswith(f"httplib-kit: --markdown: cannot write {tmp_path}: ")


def test_files_of_several_implementations_are_compared_one_by_one(tmp_path: Path) -> None:
    other = Run(msgspec.structs.replace(HEAD, implementation="client:y", name="y"), BOTH.results)
    client = [changed(one, strength="must") for one in BOTH.results]
    mixed = Run(msgspec.structs.replace(HEAD, implementation="z", name="z"), client)
    names = write(tmp_path / "a", BOTH, other, mixed), write(tmp_path / "b", after(), mixed)
    done = CliRunner().invoke(main, ["diff", *names])
    assert done.exit_code == 1
    assert "- x 2 · corpus c\n+ x 3 · corpus c\n" in done.output
    assert done.output.endswith("0 of 6 cases differ\nonly before: client:y\n")
