"""Reports: every octet and every character is shown by each of them, and none of them acts."""

import io
import itertools
import json
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from conformance.cases import load_corpus
from conformance.cases.twins import first_difference
from conformance.cli import main
from conformance.cli.outputs import Screen, document, tell_pipeline
from conformance.drivers.protocol import Frame
from conformance.judge import Verdict
from conformance.report.annotations import MOST, annotation_lines
from conformance.report.badge import badge_endpoint, badge_svg
from conformance.report.diff import changes, diff_lines
from conformance.report.junit import junit_xml
from conformance.report.markdown import markdown_text
from conformance.report.matrix import SMALL, matrix
from conformance.report.octets import inert_line, octet_lines, original_text, visible, visible_text
from conformance.report.runs import NoReport, Run, read_runs
from conformance.report.score import score
from conformance.report.standing import Standing, standing
from conformance.report.story import story
from conformance.report.terminal import plain_lines, print_run
from conformance.results import Result, ResultFile, RunHead
from conformance.results.result import Again, Overlay, not_run
from conformance.tests.support import EVERY, site_of

NASTY = [
    "<script>alert(1)</script>",
    "]]>",
    "<!--",
    "-->",
    "</pre></code></details>",
    "&lt;&#60;",
    "::error::forged",
    "::set-output name=a::b",
    "::add-mask::e",
    "::stop-commands::x",
    "\n::group::forged",
    "section_start:1:forged\r\x1b[0K",
    "##teamcity[testFailed name='a']",
    "travis_fold:start:a\r",
    "\\\\|",
    "]]>%0D%0A&#10;",
    "  ::error::forged",
    "##[error]forged",
    "##vso[task.complete]",
    "%0A::error::",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066\u2069\u200b\ufeff",
    "\0",
    "\ud800",
    "\ud83d",
    "\uffff\ufffe",
    "\r\n\n\x85\u2028\u2029\x0b\x0c",
    "```\n````",
    "`|`",
    "\\|",
    "| a | b |",
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1/)",
    "{{ 7 * 7 }}{% raw %}",
    "<U+0041>",
    "<U+003C>",
    "\\x41\\",
    "<style>*{display:none}",
    '" onmouseover="alert(1)',
    "../../etc/passwd",
    " leading and trailing ",
]
ARGUMENTS = [
    *(one for one in NASTY if one.strip() and one.encode(errors="ignore").decode() == one != "\0"),
    "\udc9b31m",
]
"""What an argument of a process can be: octets that are no UTF-8 are lone surrogates."""
texts = st.lists(st.sampled_from(NASTY) | st.text(st.characters()), max_size=4).map("".join)
octets = st.binary(max_size=60) | st.sampled_from(NASTY).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
CONTROL = re.compile(r"\x1b\[[0-9;]*m")
EDGE = 12
"""How far a terminal sets off what a label is about."""
PROPERTY = settings(deadline=None, max_examples=30)
VERDICTS = [verdict.value for verdict in Verdict]


@st.composite
def results(draw: st.DrawFn, verdicts: Sequence[str] = VERDICTS) -> Result:
    sent = draw(st.lists(octets, min_size=1, max_size=2))
    place = first_difference(sent, draw(st.lists(octets, max_size=2)))
    where = draw(texts)
    return Result(
        id=draw(texts),
        rev=1,
        verdict=draw(st.sampled_from(verdicts)),
        level=draw(st.sampled_from(["documented", "guard"])),
        family=draw(texts),
        title=draw(texts),
        spec=[draw(texts)],
        setting=draw(st.dictionaries(texts, texts, max_size=1)),
        basis=draw(texts),
        reason=draw(texts),
        where=where,
        call=draw(texts),
        accepted=draw(st.lists(texts, max_size=2)),
        seen=draw(texts),
        frames=draw(st.lists(st.builds(Frame, texts, st.just(7), texts, texts), max_size=2)),
        trace=draw(st.lists(texts, max_size=2)),
        transcript=draw(texts),
        octets=[one.decode("latin-1") for one in sent],
        twin=draw(texts),
        overlay=draw(st.sampled_from(["", *Overlay])),
        known=draw(texts),
        link=draw(texts),
        again=draw(
            st.none()
            | st.builds(
                Again,
                st.sampled_from(["HANG", "PASS"]),
                st.booleans(),
                texts,
                texts,
                texts,
                texts,
                st.just([]),
                texts,
            )
        ),
        did=draw(texts),
        strength=draw(st.sampled_from(["", "must"])),
        rfc=[draw(texts)],
        differs=[] if place is None else _in(place.connection, place.start, place.end, sent),
    )


def _in(connection: int, start: int, end: int, sent: list[bytes]) -> list[int]:
    return [connection, start, end] if connection < len(sent) else []


@st.composite
def runs(draw: st.DrawFn, verdicts: Sequence[str] = VERDICTS) -> Run:
    found = draw(st.lists(results(verdicts), min_size=1, max_size=2, unique_by=lambda one: one.id))
    return Run(_head(draw(texts), {found[0].spec[0]: draw(texts)}), found)


def _head(name: str, requirements: dict[str, str]) -> RunHead:
    return RunHead(
        kit="0",
        corpus=name,
        implementation=name,
        name=name,
        version=name,
        features=[name],
        requirements=requirements,
        label=name,
        baseline=name,
        stale=[name],
    )


def of_octets(shown: str) -> bytes:
    """Return the octets that `visible` has shown."""
    names = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
    parts = re.findall(r"\\x([0-9a-f]{2})|\\([rnt\\])|([ -~])", shown)
    assert sum(4 if code else 2 if name else 1 for code, name, _ in parts) == len(shown)
    return b"".join(
        bytes.fromhex(code) if code else names[name] if name else plain_.encode()
        for code, name, plain_ in parts
    )


def is_inert(line: str) -> bool:
    return (
        line.isprintable()
        and not line.lstrip().startswith("::")
        and not re.search(r"##\w*\[", line, re.ASCII)
    )


@PROPERTY
@given(texts)
def test_visible_text_is_the_text_and_does_nothing(text: str) -> None:
    shown = visible_text(text)
    assert original_text(shown) == text
    assert is_inert(shown)


@PROPERTY
@given(octets, st.integers(1, 40))
def test_visible_octets_are_the_octets_in_one_line_or_in_many(data: bytes, width: int) -> None:
    assert of_octets(visible(data)) == data
    assert is_inert(visible(data))
    assert all(is_inert(line) for line in octet_lines(data, width))


@PROPERTY
@given(runs())
def test_junit_holds_every_value(run: Run) -> None:
    suite = ET.fromstring(junit_xml([run]))[0]
    assert len(suite.findall("testcase")) == len(run.results)
    for case, result in zip(suite.findall("testcase"), run.results, strict=True):
        found: dict[str, list[str]] = {}
        for one in case.findall("properties/property"):
            found.setdefault(str(one.get("name")), []).append(str(one.get("value")))
        assert [of_octets(one) for one in found["bytes"]] == [
            one.encode("latin-1") for one in map(str, result.octets)
        ]
        assert original_text(found["title"][0]) == result.title
        assert original_text(found.get("seen", [""])[0]) == result.seen
        assert list(map(original_text, found.get("accepted", []))) == result.accepted
        assert original_text(found["case"][0]) == result.id
        assert original_text(found["requirement"][0]).startswith(result.spec[0])


def test_a_story_names_the_lines_of_the_client() -> None:
    frames = [Frame("client.py", 7, "read", "x = 1/0"), Frame("client.py", 3)]
    one = not_run(next(iter(load_corpus().cases)), Verdict.LEAK, "")
    told = story(msgspec.structs.replace(one, frames=frames), _head("a", {}))
    assert "  raised in client.py:7 in read: x = 1/0" in told
    assert "  from      client.py:3" in told
    hang = msgspec.structs.replace(
        one, verdict="HANG", call="conn.b()", trace=["conn.a() -> 1"], frames=frames
    )
    told = story(hang, _head("a", {}))
    assert "  calls     conn.a() -> 1" in told
    assert "  hung in   conn.b()" in told
    assert "  at line   client.py:7 in read: x = 1/0" in told
    told = story(msgspec.structs.replace(hang, frames=[]), _head("a", {}))
    assert "  at line   not known: the driver did not report where its client was" in told


@PROPERTY
@given(runs())
def test_json_holds_every_value(run: Run) -> None:
    told = json.loads(document([run]))["runs"][0]
    assert told["name"] == run.head.name
    for one, result in zip(told["results"], run.results, strict=True):
        assert one["octets"] == result.octets
        assert one["title"] == result.title
        assert one.get("seen", "") == result.seen


OURS = re.compile(
    r"<details><summary>(\d+\. \w+ <code>[^<>]*</code>: [^<>]*|the words of this report)"
    r"</summary>\n?|</details>\n?",
    re.ASCII,
)


@PROPERTY
@given(runs(["WRONG_VALUE", "LEAK"]))
def test_markdown_is_code_and_tables_and_nothing_else(run: Run) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_text([run]))
    every = [one for token in tokens for one in (token, *(token.children or ()))]
    kinds = {token.type for token in every}
    assert not kinds & {"html_inline", "link_open", "image", "em_open", "code_block", "hr"}
    assert all(OURS.fullmatch(one.content) for one in every if one.type == "html_block")
    fences = [one.content.split("\n\n")[0].rstrip("\n") for one in every if one.type == "fence"]
    assert fences == ["\n".join(story(cause.example, run.head)) for cause in run.causes]
    _, *rows = (one for one in every if one.type == "tr_open")
    words = markdown_text([run]).partition("| word | meaning |\n| --- | --- |\n")[2]
    causes = len(run.causes) + bool(run.causes)
    families = len({result.family for result in run.results})
    assert len(rows) == families + causes + len(words.partition("\n\n")[0].splitlines()) + 1


def test_markdown_explains_its_words() -> None:
    one = not_run(next(iter(load_corpus().cases)), Verdict.HANG, "it waits")
    failed = Run(_head("a", {}), [msgspec.structs.replace(one, call="conn.b()")])
    text = markdown_text([failed])
    words = re.findall(r"^\| `(.+?)` \| ", text.partition("| word | meaning |")[2], re.MULTILINE)
    assert {"HANG", one.level, "cause", "hung in", "at line", "again", "3/4"} <= {*words}
    assert "LEAK" not in words


class Tags(HTMLParser):
    """Collects the tags, and the text inside the elements of each class."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.open: list[str] = []
        self.classes: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.octets: list[str] = []
        """The bytes in each table of them."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        if tag in ("meta", "link", "input", "br", "wbr"):
            return
        self.open.append(tag)
        self.classes.append(str(dict(attrs).get("class")))
        self.texts.setdefault(self.classes[-1], []).append("")
        if self.classes[-1] == "octets":
            self.octets.append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:  # cells and items need no end
            self.classes.pop()
        self.classes.pop()

    def handle_data(self, data: str) -> None:
        for name in {one for one in self.classes if one in self.texts}:
            self.texts[name][-1] += data
        if any(len(name) > 2 and name.startswith("r-") for name in self.classes):
            self.octets[-1] += data


def parsed(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    found.close()
    return found


def tame(run: Run) -> Run:
    """Return a run of the same shape without anything nasty in it."""

    def harmless(value: object) -> object:
        if isinstance(value, str):
            return "x" if value else ""
        if isinstance(value, list):
            return [harmless(one) for one in value]
        return dict.fromkeys(map(harmless, value), "x") if isinstance(value, dict) else value

    kept = {"id", "verdict", "level", "strength", "differs", "octets"}
    tamed = [
        msgspec.structs.replace(
            one,
            id=f"id{number}",
            octets=[re.sub(r"[ -\[\]-~]", "a", str(text)) for text in one.octets],
            **{
                name: harmless(getattr(one, name))
                for name in one.__struct_fields__
                if name not in kept
            },
        )
        for number, one in enumerate(run.results)
    ]
    return Run(_head("x", {"x": "x"}), tamed)


@PROPERTY
@given(runs(["WRONG_VALUE", "NO_ERROR"]))
def test_html_has_the_tags_of_a_harmless_run_and_holds_every_value(run: Run) -> None:
    found, harmless = site_of([run]), site_of([tame(run)])
    assert [parsed(text).tags for text in cases_of(found)] == [
        parsed(text).tags for text in cases_of(harmless)
    ]
    for name, result in zip(
        [name for name in found if name.startswith("cases/")], run.results, strict=True
    ):
        assert re.fullmatch(r"cases/[a-z0-9][a-z0-9._-]*\.html", name)
        texts_ = parsed(found[name]).texts
        if result.where:
            assert original_text(texts_["seen"][0]) == result.seen
        assert list(map(of_octets, parsed(found[name]).octets)) == [
            one.encode("latin-1") for one in map(str, result.octets)
        ]


def cases_of(found: dict[str, str]) -> list[str]:
    return [text for name, text in found.items() if name.startswith("cases/")]


ANNOTATION = re.compile(r"(::error|::warning|::notice) title=([^:,]*)::(.*)")


@PROPERTY
@given(st.lists(results(), max_size=3), texts)
def test_annotations_are_one_line_for_each_cause(found: list[Result], name: str) -> None:
    run = Run(_head(name, {}), found)
    told = list(annotation_lines([run]))
    if score(found).not_judged:
        *told, notice = told
        assert re.fullmatch(r"::notice title=[^:,]*::\d+ of \d+ .*", notice)
        assert notice.isprintable()
    assert len(told) == len(run.causes)
    for line, cause in zip(told, run.causes, strict=True):
        begin, title, text = re.fullmatch(
            r"(::error|::warning) title=([^:,]*)::(.*)", line
        ).groups()  # type: ignore[union-attr]
        assert (begin == "::warning") is (standing(cause.example) is Standing.FLAKY)
        assert line.isprintable()
        wanted = visible_text(f"{name}: {cause.example.name}")
        if len(wanted) < 500:
            assert _unescaped(title).startswith(wanted)
        assert visible_text(cause.example.title) in _unescaped(text).split("\n")


def _unescaped(text: str) -> str:
    for code in ("%0A", "%0D", "%3A", "%2C", "%25"):
        text = text.replace(code, chr(int(code[1:], 16)))
    return text


def test_of_many_causes_the_last_annotation_says_how_many_there_are() -> None:
    case = EVERY[0]
    failed = [not_run(case, Verdict.HANG, "stuck " + "x" * count) for count in range(25)] * 2
    told = list(annotation_lines([Run(_head("x", {}), failed)]))
    assert len(told) == MOST
    assert told[-1] == "::error title=httplib-kit::5 more causes, of 32 failing cases"


def test_an_annotation_says_how_many_cases_have_the_same_cause() -> None:
    failed = [not_run(EVERY[0], Verdict.HANG, "stuck")] * 25
    (told,) = annotation_lines([Run(_head("x", {}), failed)])
    assert told.startswith(f"::error title=x%3A {EVERY[0].id} and 24 more cases::")


@PROPERTY
@given(runs())
def test_a_log_has_no_line_that_acts(run: Run) -> None:
    for line in plain_lines(run):
        assert is_inert(line), line


@PROPERTY
@given(st.lists(runs(), min_size=1, max_size=2), st.sampled_from([1, SMALL + 1]))
def test_a_matrix_and_a_comparison_have_no_line_that_acts(found: list[Run], times: int) -> None:
    many = [Run(run.head, [*run.results] * times) for run in found]
    for line in (*matrix(many), *diff_lines(found[0], found[-1], changes(found[0], found[-1]))):
        assert is_inert(line), line


@pytest.mark.slow
@PROPERTY
@given(runs(), st.sampled_from([20, 40, 80, 200]))
def test_a_narrow_terminal_loses_nothing(run: Run, width: int) -> None:
    def told(width: int) -> "Counter[str]":
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=width, no_color=True)
        print_run(console, run)
        return Counter("".join(CONTROL.sub("", out.getvalue()).split()))

    assert told(width) == told(100_000)


@PROPERTY
@given(runs(["WRONG_VALUE"]), st.text(" a", max_size=200), st.integers(20, 80))
def test_a_narrow_terminal_shows_every_blank_of_the_wire(run: Run, octets: str, width: int) -> None:
    line = f"x{octets}x"
    plain = msgspec.structs.replace(run.results[0], overlay="", within="", again=None)
    result = msgspec.structs.replace(plain, transcript=line)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, no_color=True)
    print_run(console, Run(run.head, [result]))
    shown = CONTROL.sub("", out.getvalue()).split("\n")
    told = shown[max(place for place, one in enumerate(shown) if one.startswith("  wire")) :]
    rows = [told[0], *itertools.takewhile(lambda one: not one[:EDGE].strip(), told[1:])]
    assert "".join(row[EDGE:] for row in rows).rstrip() == f"| {line}"


@PROPERTY
@given(runs())
def test_a_pipeline_gets_annotations_and_a_summary_and_no_other_command(
    tmp_path_factory: pytest.TempPathFactory, run: Run
) -> None:
    summary = tmp_path_factory.mktemp("step") / "summary.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        tell_pipeline([run])
    told = out.getvalue().splitlines()
    assert len(told) == len(run.causes) + bool(score(run.results).not_judged)
    assert all(ANNOTATION.fullmatch(line) for line in told)
    assert summary.read_text(encoding="utf-8") == markdown_text([run])


@pytest.mark.parametrize("nasty", ARGUMENTS)
@pytest.mark.parametrize("before", [["check"], ["check", "--select"], ["show"], ["report"]])
def test_no_argument_acts_in_a_message(before: list[str], nasty: str) -> None:
    told = CliRunner().invoke(main, [*before, "--", nasty] if len(before) < 2 else [*before, nasty])
    assert told.exit_code in (2, 3)
    for line in told.output.split("\n"):
        assert is_inert(line), line


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("verdict", "\n::error::x", "is not a verdict"),
        ("overlay", "\n::error::x", "is not an overlay"),
        ("level", "\n::error::x", "is not a level"),
        ("strength", "\n::error::x", "is not a strength"),
        ("again", Again(verdict="\n::error::x", fine=True), "is not a verdict"),
    ],
)
def test_a_result_file_with_a_word_that_is_none_is_refused(
    tmp_path: Path, field: str, value: object, said: str
) -> None:
    result = not_run(EVERY[0], Verdict.HANG, "stuck")
    path = tmp_path / "results.jsonl"
    with ResultFile(path) as file:
        _write(file, _head("x", {}), [msgspec.structs.replace(result, **{field: value})])
    with pytest.raises(NoReport, match=said):
        read_runs([path])


def test_a_bar_in_a_table_is_shown_by_name() -> None:
    result = not_run(EVERY[0], Verdict.HANG, "stuck")
    run = Run(_head("x", {}), [msgspec.structs.replace(result, family="a\\|b")])
    assert "`a\\<U+007C>b`" in markdown_text([run])


@PROPERTY
@given(runs(["WRONG_VALUE"]), st.integers(20, 200))
def test_a_terminal_gets_colours_and_no_other_control(run: Run, width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system="standard")
    print_run(console, run)
    shown = CONTROL.sub("", out.getvalue()).split("\n")
    assert all(line.isprintable() for line in shown)


@PROPERTY
@given(runs())
def test_a_badge_is_well_formed(run: Run) -> None:
    picture = ET.fromstring(badge_svg([run, run]))
    told = json.loads(badge_endpoint([run, run]))
    assert picture.get("role") == "img"
    assert {one.tag.rpartition("}")[2] for one in picture.iter()} <= {
        "svg",
        "title",
        "rect",
        "g",
        "text",
    }
    assert told["schemaVersion"] == 1
    label = f"{told['label']}: {told['message']}"
    assert picture.get("aria-label") == picture[0].text == label
    if score(run.results).judged:
        rest = label.removesuffix(score(run.results).short)
        assert original_text(rest).endswith(f": {run.head.name} ")


@PROPERTY
@given(runs())
@example(Run(_head("x", {}), []))
def test_the_same_run_is_the_same_report(run: Run) -> None:
    for render in (
        junit_xml,
        markdown_text,
        document,
        badge_svg,
        badge_endpoint,
        site_of,
    ):
        assert render([run]) == render([run])


@PROPERTY
@given(texts)
def test_a_result_file_holds_what_an_implementation_said(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    result = not_run(EVERY[0], Verdict.CRASH, text)
    path = tmp_path_factory.mktemp("results") / "results.jsonl"
    with ResultFile(path) as file:
        _write(file, _head("x", {}), [result])
    reason = json.loads(path.read_bytes().splitlines()[1]).get("reason", "")
    assert reason == re.sub("[\ud800-\udfff]", lambda one: f"\\u{ord(one[0]):04x}", text)


def _write(file: ResultFile, head: RunHead, found: list[Result]) -> None:
    file.write([(head, found)])


def test_a_megabyte_is_whole_in_documents_and_counted_in_a_log() -> None:
    many = "A" * (1 << 20)
    result = Result(
        id="a.case",
        rev=1,
        verdict="WRONG_VALUE",
        level="guard",
        family="a",
        title="a",
        spec=[],
        where="read",
        seen=many,
        octets=[many],
    )
    run = Run(_head("x", {}), [result])
    assert many.encode() in junit_xml([run])
    assert many.encode() in document([run])
    assert many in site_of([run])["cases/a.case.html"]
    log = "\n".join(plain_lines(run))
    assert len(log) < 10_000
    assert f"… {(1 << 20) - 2000} characters …" in log
    assert len(markdown_text([run])) < 10_000


def test_the_place_that_differs_from_the_twin_is_marked() -> None:
    result = Result(
        id="a",
        rev=1,
        verdict="NO_ERROR",
        level="guard",
        family="a",
        title="a",
        spec=[],
        octets=["5\r\nhello\r\nzz\r\n"],
        twin="the.twin",
        differs=[0, 10, 12],
    )
    told = story(result, _head("x", {}))
    at = next(index for index, line in enumerate(told) if line.endswith(r"| zz\r\n"))
    assert told[at + 1].index("^^") == told[at].index("zz")
    assert told[at + 1].endswith("differs here from the.twin")


def test_every_page_of_a_site_is_linked_and_there() -> None:
    run = Run(_head("x", {}), [not_run(EVERY[0], Verdict.HANG, "stuck")])
    found = site_of([run])
    linked = set()
    for name, text in found.items():
        for target in re.findall(r'(?:href|src)="?([^"#\s>]+)', text):
            if not target.startswith("https://"):
                linked.add(posixpath.normpath(posixpath.join(posixpath.dirname(name), target)))
    assert linked == set(found)


def test_a_failure_says_how_to_have_it_again() -> None:
    case = next(case for case in EVERY if case.family == "chunked")
    told = story(not_run(case, Verdict.HANG, "stuck"), _head("my client", {}))
    assert told[-1].endswith(f"httplib-kit check 'my client' --select {case.id}")


def of_one(text: str, octets: str = "a", differs: Sequence[int] = ()) -> Run:
    """Return a run with one failure in which every text is *text*."""
    fields = ("id", "family", "title", "where", "call", "seen", "known", "link", "twin", "basis")
    harmless = not_run(EVERY[0], Verdict.WRONG_VALUE, text)
    result = msgspec.structs.replace(
        harmless,
        spec=[text],
        accepted=[text],
        transcript=text,
        octets=[octets],
        differs=list(differs),
        **dict.fromkeys(fields, text),
    )
    return Run(_head(text, {text: text}), [result])


@pytest.mark.parametrize("nasty", ["`[x](http://127.0.0.1/)`", "``` <b>", "a`b``c <i>|"])
def test_backticks_end_no_code(nasty: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_text([of_one(nasty)]))
    every = [one for token in tokens for one in (token, *(token.children or ()))]
    assert not {"link_open", "html_inline"} & {one.type for one in every}
    assert nasty in [one.content for one in every if one.type == "code_inline"]


@pytest.mark.parametrize("nasty", ["%0A::error::", "a%3Ab%2Cc", "%250A"])
def test_no_text_writes_the_escapes_of_an_annotation(nasty: str) -> None:
    (line,) = annotation_lines([of_one(nasty)])
    found = ANNOTATION.fullmatch(line)
    assert found
    assert _unescaped(found[2]) == f"{nasty}: {nasty}"
    assert nasty in _unescaped(found[3]).split("\n")


@pytest.mark.parametrize("nasty", NASTY)
def test_a_page_has_no_character_that_acts(nasty: str) -> None:
    for name, page in site_of([of_one(nasty)]).items():
        assert all(line.isprintable() for line in page.split("\n")), name


@pytest.mark.parametrize("octets", ["##[error]x", "##vso[x]"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_a_mark_divides_acts_no_more_than_the_whole(octets: str, at: int) -> None:
    assert all(is_inert(line) for line in plain_lines(of_one("a", octets, (0, at, len(octets)))))


_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@PROPERTY
@given(runs(), st.integers(20, 200))
@example(of_one(" ".join(["word"] * 10) + " ::error::forged"), 40)
def test_no_line_of_a_log_with_colours_is_a_command(run: Run, width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORCE_COLOR", "1")
        patch.setenv("COLUMNS", str(width))
        patch.delenv("NO_COLOR", raising=False)
        out = io.StringIO()
        Screen(out).show(run)
    assert "\x1b[" in out.getvalue()
    for line in re.split(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", out.getvalue()):
        text = _ANSI.sub("", line).strip()
        assert not text.startswith("::")
        assert "##[" not in text


@pytest.mark.parametrize("before", ["", " ", "\x1b[1m", "\x1b[1m  \x1b[31m"])
def test_a_line_that_would_be_a_command_is_none(before: str) -> None:
    for text in ("::error::x", ":\x1b[0m:error::x"):
        assert inert_line(f"{before}{text}") == f"{before}<U+003A>{text[1:]}"
    assert inert_line(f"{before}a::b") == f"{before}a::b"
