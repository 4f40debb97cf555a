"""Families of behaviour, distances, and differences in words, from deeds written by hand."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from click.testing import Result as Done

from conformance.cli.main import main
from conformance.report import Run, deed_of_result, distances, families, marks, matrix
from conformance.report.behaviour import essence
from conformance.report.diff import changes, diff_lines
from conformance.report.summary import fitted
from conformance.tests.test_matrix import result, run

PATTERNS = {
    "framing.one": ["accepts", "accepts", "rejects", "-"],
    "framing.two": ["accepts", "accepts", "rejects", "rejects"],
    "headers.one": ["accepts", "rejects", "rejects", "accepts"],
}


def test_a_distance_is_a_share_of_the_cases_that_both_ran() -> None:
    apart = distances(Counter(map(tuple, PATTERNS.values())), range(4))
    assert apart[0] == [0.0, 1 / 3, 1.0, 0.5]
    assert [row[0] for row in apart] == apart[0]


def test_no_two_members_of_a_family_differ_more_than_they_may() -> None:
    line = [[abs(a - b) / 10 for b in range(4)] for a in range(4)]
    assert families(line, 0.1) == [[0, 1], [2, 3]]
    assert families(line, 0.2) == [[0, 1], [2, 3]]  # 0 and 3 differ by 0.3
    assert families(line, 0.3) == [[0, 1, 2, 3]]
    assert families(line, 0.0) == [[0], [1], [2], [3]]


def test_a_mark_is_a_case_in_which_all_members_did_what_no_other_did() -> None:
    (one,) = marks([0, 1], [2, 3], PATTERNS)
    assert (one.case, one.deed, one.others) == ("framing.two", "accepts", {"rejects": [2, 3]})
    assert [mark.case for mark in marks([0], [2], PATTERNS)] == list(PATTERNS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rejects (bad-header): requests.X: told", "rejects"),
        ("accepts status 200, reason 'it\\'s', body 'a'", "accepts status 200, body 'a'"),
        ("http.client.IncompleteRead: 3 bytes", "IncompleteRead"),
        ("'a value'", "'a value'"),
    ],
)
def test_wording_makes_no_other_deed(text: str, said: str) -> None:
    assert essence(text) == said


def test_a_result_is_what_was_done_and_not_whether_it_may_be() -> None:
    must, should = result(1, "NO_ERROR", "accepts"), result(1, "TOLERATED", "accepts")
    assert deed_of_result(must) == deed_of_result(should) == "accepts"
    assert deed_of_result(result(1, "PASS", "rejects (bad-header)")) == "rejects"
    assert deed_of_result(result(1, "UNSUPPORTED")) == "-"
    seen = msgspec.structs.replace(must, seen="accepts status 200, reason 'OK', body 'x'")
    assert deed_of_result(seen) == "accepts status 200, body 'x'"


@pytest.mark.parametrize("small", [True, False])
def test_no_line_of_a_matrix_is_wider_than_the_terminal(small: bool) -> None:
    names = [f"client number {number}" for number in range(13)]
    cases = range(3 if small else 80)
    many: list[Run] = [
        run(
            name,
            *(result(at, "NO_ERROR", "accepts", f"family-{at % 20}.{'long-' * 8}") for at in cases),
        )
        for name in names
    ]
    wide, narrow = matrix(many), matrix(many, width=80)
    assert max(map(len, wide)) > 80
    assert max(map(len, narrow)) <= 80
    for word in (*names, " !+", "0/4"):
        assert "".join(narrow).count(word) >= "".join(wide).count(word)


def test_columns_without_room_follow_in_further_blocks() -> None:
    rows = [["name", *map(str, range(10))], ["x", *["mark"] * 10]]
    lines = fitted(rows, 30)
    assert max(map(len, lines)) <= 30
    assert lines[:4] == [
        "name     0     1     2     3",
        "x     mark  mark  mark  mark",
        "",
        lines[3],
    ]
    assert sum(line.count("mark") for line in lines) == 10


def test_a_matrix_without_a_terminal_has_lines_of_any_width() -> None:
    one = run("one", result(1, "PASS", "accepts", "f" * 100))
    assert matrix([one, one], width=None) == matrix([one, one])


def test_the_kinds_of_differences_are_listed_in_words() -> None:
    was = run("one", *(result(at, "PASS", "rejects (bad-header)") for at in range(5)))
    now = run("two", *(result(at, "NO_ERROR", "accepts") for at in range(4)), result(4, "HANG"))
    lines = list(diff_lines(was, now, changes(was, now)))
    at = lines.index("in words")
    assert lines[at:] == [
        "in words",
        "      4  one rejects (bad-header), two accepts (NO_ERROR)",
        "         framing.case-0, framing.case-1, framing.case-2 and 1 more",
        "      1  one rejects (bad-header), two is HANG",
        "         framing.case-4",
        "",
        "5 of 5 cases differ: 5 fail now, 0 fail no more",
    ]


def kit(*arguments: str) -> Done:
    return CliRunner().invoke(main, arguments)


SOME = ("--select", "chunked.size.invalid.*")


def test_families_are_of_records_and_their_distances_are_json(tmp_path: Path) -> None:
    path = tmp_path / "distances.json"
    names = ["curl", "urllib3", "urllib3-stream", "wget"]
    done = kit("matrix", *names, *SOME, "--cluster", "--within", "0", "--distances", str(path))
    assert done.exit_code == 0, done.output
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [label.partition(" ")[0] for label in document["implementations"]] == names
    assert document["distances"][1][2] == 0.0
    assert [1, 2] in document["families"]
    assert done.output.splitlines()[2].startswith("1  urllib3 2")


def test_a_name_with_a_version_or_a_glob_names_records() -> None:
    done = kit("matrix", "py3.1?", "httplib@2.7", *SOME)
    assert done.exit_code == 0, done.output
    assert "httplib 2.7.18" in done.output
    assert done.output.count("http.client 3.1") == 4
    assert kit("diff", "curl@7", "wget@1.21", *SOME).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["matrix", "curl@1", *SOME], "'curl@1' is neither a result file nor a recorded"),
        (["matrix", "curl", "py3.11", *SOME], "some are clients and some have httplib's interface"),
        (["diff", "py3.*", "curl", *SOME], "py3.*: names "),
    ],
)
def test_what_names_no_side_is_refused(arguments: list[str], problem: str) -> None:
    done = kit(*arguments)
    assert done.exit_code == 2
    assert problem in done.output
