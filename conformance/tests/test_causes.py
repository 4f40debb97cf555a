"""Causes: what is one bug is one group, and what is two bugs is two."""

import io
import json
import re
from collections.abc import Sequence

import msgspec
import pytest
from rich.console import Console

from conformance.cases import LEVELS, STRENGTHS, fixtures_directory
from conformance.cli.outputs import document
from conformance.drivers.protocol import Frame
from conformance.judge import Verdict
from conformance.report.junit import junit_xml
from conformance.report.legend import MARKS, WORDS, legend
from conformance.report.runs import Run
from conformance.report.terminal import LINES, STORIES, USUAL, View, plain_lines, print_run
from conformance.results import Result, RunHead
from conformance.results.causes import MOST, grouped
from conformance.results.result import Overlay
from conformance.tests.support import site_of

HEAD = RunHead("1", "c0ffee", "mine", "mine", "1.2.3", [])
LINE = Frame(file="mine.py", line=7, function="read", text="int(line)")
OTHER_LINE = Frame(file="mine.py", line=8, function="read", text="int(line)")


def failure(verdict: str, name: str = "a.b", **more: object) -> Result:
    made = Result(name, 1, verdict, "guard", name.split(".")[0], "A title", [])
    return msgspec.structs.replace(made, **more)


def leak(text: str, name: str = "a.b", call: str = "response.read()", **more: object) -> Result:
    return failure("LEAK", name, where="read", call=call, seen=text, accepted=["'x'"], **more)


def wrong(seen: str, accepted: str, name: str = "a.b", call: str = "response.reason") -> Result:
    return failure("WRONG_VALUE", name, where="x", call=call, seen=seen, accepted=[accepted])


def sent(
    fields: Sequence[str],
    accepted: Sequence[str],
    name: str = "a.b",
    where: str = "request",
    content: str = "",
) -> Result:
    """Return a failure in which a request has *fields* and *content*."""
    texts = [
        "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode() for lines in (fields, accepted)
    ]
    seen, wanted = (str([text]) for text in (texts[0] + content.encode(), texts[1]))
    return failure("WRONG_VALUE", name, where=where, seen=seen, accepted=[wanted])


VALUE_ERROR = "builtins.ValueError: invalid literal for int() with base 16: {}"
TIMED_OUT = "builtins.OSError: cannot read from timed out object"


@pytest.mark.parametrize(
    "pair",
    [
        # A line of the client, whatever the call, the text and the family.
        (
            leak(VALUE_ERROR.format("b'5;x'"), frames=[LINE]),
            leak(VALUE_ERROR.format("''"), "c.d", "first.read(3)", frames=[LINE]),
        ),
        (leak("a.MemoryError: ", frames=[LINE]), leak("a.OverflowError: x", frames=[LINE])),
        # The field of a request, whatever the fact, the family and the other fields.
        (
            sent(("Host: a", "X: 1"), ("Host: a:8080", "X: 1")),
            sent(("Y: 2", "Host: b"), ("Y: 2", "Host: b:1"), "c.d", "received"),
        ),
        (sent((), ("Content-Length: 0",)), sent(("X: 1",), ("X: 1", "Content-Length: 5"), "c.d")),
        # A name that is looked up and not found; an interim response that is not skipped.
        (
            wrong("None", "'x'", call="response.getheader('a')"),
            wrong("None", "'5'", "c.d", "first.getheader('Content-Length')"),
        ),
        (wrong("100", "200", call="x.status"), wrong("103", "404", "c.d", "y.status")),
        # A documented exception that is missing, whatever the call.
        (
            failure("NO_ERROR", call="a.f()", where="x", accepted=["InvalidURL"], seen="1"),
            failure("NO_ERROR", "c.d", call="b.g()", where="y", accepted=["InvalidURL"], seen="1"),
        ),
        # The text of an error without its literals.
        (leak(VALUE_ERROR.format("b'5;x'")), leak(VALUE_ERROR.format("'zz'"), "c.d")),
        (leak("builtins.KeyError: 'x-a'"), leak("builtins.KeyError: 'content-length'", "c.d")),
        (leak(f"a.E: b'{'x' * 900}' of 17"), leak("a.E: b'y' of 4", "c.d")),
        (
            leak("builtins.AttributeError: module 'm' has no attribute 'OK'", call="module.OK"),
            leak("builtins.AttributeError: module 'm' has no attribute 'GONE'", call="module.GONE"),
        ),
        # A value that is cut, in every family.
        (wrong("'Not'", "'Not Found'"), wrong("'I'", '"I\'m a teapot"', "c.d", "second.reason")),
        (wrong("'Ok'", "'OK'"), wrong("'Not found'", "'Not Found'", "c.d", "second.reason")),
        (wrong("True", "False"), wrong("True", "False (tolerated: rfc)", "c.d")),
        # An exception that is missing.
        (
            failure("NO_ERROR", call="a.read()", where="x", accepted=["E with x"], seen="1"),
            failure(
                "NO_ERROR",
                "c.d",
                call="b.read(7)",
                where="y",
                accepted=["E (tolerated: precedent)"],
                seen="1",
            ),
        ),
        (
            failure("WRONG_CONNECTION", where="after", accepted=["['closed']"], seen="['kept']"),
            failure(
                "WRONG_CONNECTION",
                "c.d",
                where="after",
                accepted=["['kept', 'closed']"],
                seen="['kept', 'kept']",
            ),
        ),
        (
            failure("HANG", reason="gave up after 1.03 s", frames=[LINE]),
            failure("HANG", "c.d", reason="gave up after 2.1 s", frames=[LINE]),
        ),
        (
            failure("HANG", frames=[LINE, LINE, LINE, LINE]),
            failure("HANG", "c.d", frames=[LINE, LINE, LINE, OTHER_LINE]),
        ),
        (
            failure("HANG", reason="gave up", frames=[LINE]),
            failure("NOT_RUN", "c.d", reason="not waited for: it was where a.b", frames=[LINE]),
        ),
        (
            failure("CRASH", reason="the worker (pid 7) ended with 3; it said: x"),
            failure("CRASH", "c.d", reason="the worker (pid 812) ended with 3; it said: x"),
        ),
    ],
)
def test_one_bug_is_one_cause(pair: Sequence[Result]) -> None:
    (cause,) = grouped(pair)
    assert list(cause.results) == list(pair)


@pytest.mark.parametrize(
    "pair",
    [
        (leak("a.E: x", frames=[LINE]), leak("a.E: x", frames=[OTHER_LINE])),
        (leak("a.E: x"), leak("a.E: y")),
        (leak("a.E: x"), leak("a.E: x", call="conn.getresponse()")),
        (sent(("Host: a",), ("Host: b",)), sent(("X: a",), ("X: b",))),
        (sent(("Host: a",), ("Host: b",)), sent((), ("Host: b",))),
        (sent((), (), content="a"), sent(("X: a",), ("X: b",))),
        (
            wrong("None", "'x'", call="response.read()"),
            wrong("None", "'x'", "c.d", call="response.read()"),
        ),
        (wrong("100", "200", call="x.status"), wrong("408", "200", call="x.status")),
        (
            failure("NO_ERROR", call="a.f()", where="x", accepted=["OSError"], seen="1"),
            failure("NO_ERROR", call="a.g()", where="x", accepted=["OSError"], seen="1"),
        ),
        (
            leak("builtins.AttributeError: 'C' object has no attribute 'send'"),
            leak("builtins.AttributeError: 'C' object has no attribute 'recv'"),
        ),
        (
            leak("builtins.TypeError: f() got an unexpected keyword argument 'strict'"),
            leak("builtins.TypeError: f() got an unexpected keyword argument 'timeout'"),
        ),
        (wrong("'Not'", "'Not Found'"), wrong("'Not'", "'Not Found'", call="response.read()")),
        (wrong("'Not'", "'Not Found'"), wrong("'NOT FOUND'", "'Not Found'")),
        (wrong("'stale'", "'next'"), wrong("'stale'", "'next'", "c.d")),
        (wrong("None", "'x'"), wrong("'y'", "'x'")),
        (wrong("True", "False"), wrong("False", "True")),
        (failure("HANG", frames=[LINE]), failure("HANG", frames=[OTHER_LINE])),
        (failure("HANG", frames=[LINE, LINE]), failure("HANG", frames=[LINE, OTHER_LINE])),
        (failure("HANG", frames=[LINE]), leak("a.E: x", frames=[LINE])),
        (leak("a.E: x"), leak("a.E: x", overlay=Overlay.FLAKY)),
        (
            failure("WRONG_CONNECTION", where="after", accepted=["['closed']"], seen="['kept']"),
            failure("WRONG_CONNECTION", where="after", accepted=["['kept']"], seen="['closed']"),
        ),
        (
            failure("NO_ERROR", call="a.read()", where="x", accepted=["E"], seen="'x'"),
            failure("NO_ERROR", call="a.read()", where="x", accepted=["F"], seen="'x'"),
        ),
    ],
)
def test_two_bugs_are_two_causes(pair: Sequence[Result]) -> None:
    assert len(grouped(pair)) == 2


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("strength", ["", "must"])
def test_every_failure_has_a_cause_and_a_line_of_text(verdict: str, strength: str) -> None:
    bare = failure(verdict, strength=strength)
    (cause,) = grouped([bare])
    assert cause.text.startswith(f"{verdict}: ")
    assert "\n" not in cause.text


def test_the_weightiest_cause_is_first_and_the_strongest_level_is_told() -> None:
    guards = [leak("a.E: x")] * 3
    documented = [leak("a.F: x", level="documented")]
    mixed = [leak("a.G: x"), leak("a.G: x", level="precedent")] * 3
    found = grouped([*guards, *documented, *mixed])
    assert [one.example.seen for one in found] == ["a.G: x", "a.F: x", "a.E: x"]
    assert [one.weight for one in found] == ["precedent", "documented", "guard"]


def test_the_example_is_well_formed_and_short() -> None:
    long = leak("a.E: x", "a.long", transcript="x" * 900)
    broken = leak("a.E: x", "a.broken", twin="a.whole")
    plain_ = leak("a.E: x", "a.plain", transcript="x" * 90)
    assert grouped([long, broken, plain_])[0].example is plain_


def test_a_case_that_was_not_waited_for_counts_and_is_no_example() -> None:
    hung = failure("HANG", "a.hung", reason="gave up", frames=[LINE], transcript="x" * 5_000)
    left = failure("NOT_RUN", "a.left", reason="not waited for", frames=[LINE])
    run = Run(HEAD, [left, hung, failure("NOT_RUN", "a.other", reason="the driver failed")])
    (cause,) = run.causes
    assert cause.example is hung
    assert [one.id for one in cause.results] == ["a.left", "a.hung"]


def many(count: int) -> list[Result]:
    """Return failures of *count* causes, the first with the most cases."""
    return [
        leak("a.E: x", f"a.{number}", f"conn.c{number}()")
        for number in range(count)
        for _ in range(count - number)
    ]


def test_small_causes_are_one_so_that_there_are_never_many() -> None:
    assert len(grouped(many(MOST))) == MOST
    found = grouped(many(MOST + 1))
    assert len(found) == MOST
    assert found[-1].text == "2 other causes, of at most 2 cases each"
    assert [len(part.results) for part in found[-1].parts] == [2, 1]
    assert sum(len(cause.results) for cause in found) == len(many(MOST + 1))


# The reports.


def shown(results: Sequence[Result], view: View = USUAL) -> list[str]:
    return list(plain_lines(Run(HEAD, results), view))


def stories(lines: Sequence[str]) -> list[str]:
    return [line.split()[1] for line in lines if re.match(r"LEAK  a\.\d+  \[", line)]


def test_a_few_failures_have_a_story_each_and_no_table() -> None:
    lines = shown([leak("a.E: x", "a.1"), leak("a.F: x", "a.2")])
    assert stories(lines) == ["a.1", "a.2"]
    assert not [line for line in lines if "what was seen, with an example" in line]


def test_many_failures_are_a_table_with_a_story_for_each_of_the_first_causes() -> None:
    lines = shown(many(MOST + 5))
    at = next(at for at, line in enumerate(lines) if line.startswith("cause  cases  level"))
    assert lines[at + 1 : at + 3] == [
        "    1     19  guard       LEAK: c0() raises E: x",
        f"{'':26}a.0",
    ]
    assert stories(lines) == [f"a.{number}" for number in range(STORIES)]
    assert lines[-1].startswith(f"{STORIES} stories for 190 failures of {MOST} causes.")
    assert len(lines) < 250


def test_stories_that_are_long_leave_room_for_others() -> None:
    long = [msgspec.structs.replace(one, transcript="x\n" * 50) for one in many(5)]
    assert stories(shown(long)) == ["a.0", "a.1", "a.2"]
    assert len(shown(long)) <= LINES
    longer = [msgspec.structs.replace(one, transcript="x\n" * 300) for one in many(5)]
    assert stories(shown(longer)) == ["a.0"]


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        (View(none=True), []),
        (View(every=True), ["a.0", "a.0", "a.0", "a.1", "a.1", "a.2"]),
        (View(cause=2), ["a.1"]),
        (View(cause=9), []),
    ],
)
def test_other_stories_are_shown_on_request(view: View, wanted: list[str]) -> None:
    assert stories(shown(many(3), view)) == wanted


def test_the_last_cause_has_a_story_for_each_of_its_parts() -> None:
    lines = shown(many(MOST + 2), View(cause=MOST))
    assert stories(lines) == [f"a.{number}" for number in range(MOST - 1, MOST + 2)]


@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_command_is_one_line_at_every_width(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, no_color=True)
    print_run(console, Run(HEAD, [leak("a.E: x", "a-long-family.with-a-long-name.of-a-case")]))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).split("\n")
    wanted = "httplib-kit check mine --select a-long-family.with-a-long-name.of-a-case"
    assert f"  again     {wanted}" in lines


def test_json_and_pages_have_the_same_causes() -> None:
    run = Run(HEAD, many(MOST + 2))
    (told,) = json.loads(document([run]))["runs"]
    assert [len(one["cases"]) for one in told["causes"]] == [
        len(cause.results) for cause in run.causes
    ]
    assert [one["text"] for one in told["causes"][-1]["parts"]] == [
        part.text for part in run.causes[-1].parts
    ]
    index = site_of([run])["index.html"]
    assert index.count("<details>") == MOST


def test_a_junit_file_has_every_case_and_few_stories() -> None:
    results = [leak("a.E: x", f"a.{number}", transcript="y" * 5_000) for number in range(100)]
    document_ = junit_xml([Run(HEAD, results)])
    assert document_.count(b"<testcase") == 100
    assert document_.count(b"the same cause as a.0; again: httplib-kit check mine") == 95
    assert len(document_) < 100_000


# The legend.


def test_only_words_that_occur_are_explained() -> None:
    told = {entry.word for entry in legend(shown([leak("a.E: x", spec=["x.y"], twin="a.c")]))}
    assert {"LEAK", "guard", "at", "seen", "accepted", "page", "again"} <= told
    assert not {"PASS", "HANG", "documented", "must", "may", "wire", "kept", "twin"} & told


def test_words_of_a_sentence_are_not_taken_for_strengths() -> None:
    head = msgspec.structs.replace(HEAD, requirements={"x.y": "A body may be a file and must not."})
    lines = list(plain_lines(Run(head, [leak("a.E: x", spec=["x.y"])])))
    assert not {"may", "must"} & {entry.word for entry in legend(lines)}


def test_every_verdict_level_strength_and_overlay_has_an_entry() -> None:
    words = [entry.word for entry in (*WORDS, *MARKS)]
    assert {*Verdict, *Overlay, *LEVELS, *STRENGTHS} <= set(words)
    assert len(words) == len(set(words))


def test_readme_explains_the_same_words() -> None:
    readme = (fixtures_directory().parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`|]+)` \| (.*) \|$", readme, re.MULTILINE)
    for entry in (*WORDS, *MARKS):
        assert (entry.word, entry.meaning) in rows
