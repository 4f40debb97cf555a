"""The matrix of many clients, from results written by hand."""

import msgspec

from conformance.report import Run, matrix
from conformance.results import Result, RunHead


def run(name: str, *results: Result) -> Run:
    head = RunHead(
        kit="0", corpus="c0", implementation=f"client:{name}", name=name, version="1", features=[]
    )
    return Run(head, results)


def result(number: int, verdict: str, did: str = "", family: str = "framing") -> Result:
    return Result(
        id=f"{family}.case-{number}",
        rev=1,
        verdict=verdict,
        level="guard",
        family=family,
        title="t",
        spec=[],
        strength="must",
        did=did,
    )


def test_a_small_selection_has_a_row_for_each_case_and_a_mark_for_each_client() -> None:
    one = run(
        "one", result(1, "PASS", "accepts"), result(2, "NO_ERROR", "accepts"), result(3, "HANG")
    )
    two = run(
        "two",
        result(1, "FALSE_ERROR", "rejects (bad-header)"),
        result(2, "PASS", "rejects"),
        result(3, "TOLERATED", "rejects"),
    )
    three = run("three", *(result(number, "NOT_INSTALLED") for number in (1, 2, 3)))
    lines = matrix([one, two, three])
    assert lines[:4] == ["corpus c0", "  1  one 1", "  2  two 1", "  3  three 1"]
    assert lines[5:9] == [
        "case                   1   2  3",
        "framing.case-1  must   +  !-  .",
        "framing.case-2  must  !+   -  .",
        "framing.case-3  must  !H  ~-  .",
    ]


def test_a_run_that_stopped_leaves_the_rest_of_its_column_empty() -> None:
    short = run("one", result(1, "NO_ERROR", "accepts"))
    whole = run("two", result(1, "PASS", "rejects"), result(2, "LEAK", "rejects (leak)"))
    lines = matrix([short, whole])
    assert lines[5] == "framing.case-1  must  !+   -"
    assert lines[6] == "framing.case-2  must      !L"


def test_a_large_selection_has_a_row_for_each_client_and_a_column_for_each_family() -> None:
    def many(name: str, verdict: str) -> Run:
        framing = [result(number, "PASS", "accepts") for number in range(60)]
        return run(name, *framing, result(0, verdict, "accepts", "headers"))

    absent = run("three", *(result(number, "NOT_INSTALLED") for number in range(61)))
    assert matrix([many("one", "PASS"), many("two", "NO_ERROR"), absent]) == [
        "corpus c0",
        "",
        "client   framing  headers            all",
        "one 1      60/60      1/1          61/61",
        "two 1      60/60      0/1          60/61",
        "three 1        -        -  NOT_INSTALLED",
        "",
        "two 1 fails 1 case:",
        "     1  NO_ERROR: t",
        "        headers.case-0",
        "",
        "  NO_ERROR       failed: accepted what must be rejected",
        "  NOT_INSTALLED  not run: the client is absent",
        "  3/4            3 of 4 judged cases pass; - is none",
    ]


def test_a_large_selection_names_all_cases_of_few_failures_and_some_of_many() -> None:
    def failing(count: int) -> list[str]:
        passing = [result(number, "PASS", "accepts") for number in range(61)]
        failed = [result(100 + number, "LEAK", family="tls") for number in range(count)]
        one = run("one", *passing, *failed)
        return [line.strip() for line in matrix([one, one]) if line.startswith("        ")]

    every = ", ".join(f"tls.case-{100 + number}" for number in range(20))
    assert failing(20) == [every, every]
    assert failing(21) == 2 * ["tls.case-100, tls.case-101, tls.case-102 and 18 more"]


def test_a_large_selection_shows_the_first_causes_of_many_failures() -> None:
    families = [f"f{number}" for number in range(7) for _ in range(4)]
    failed = [
        msgspec.structs.replace(result(at, "LEAK", family=family), where="fetch", seen="x")
        for at, family in enumerate(families)
    ]
    one = run("one", *(result(number, "PASS", "accepts") for number in range(61)), *failed)
    lines = matrix([one, one])
    assert lines.count("     4  LEAK: x; accepted: ") == 2 * 5
    assert lines.count("     8  of 2 other causes") == 2


def test_only_marks_that_occur_are_explained() -> None:
    lines = matrix([run("one", result(1, "HANG"))])
    at = lines.index("framing.case-1  must  !H")
    assert [line.split()[0] for line in lines[at + 2 :]] == ["must", "H", "!"]


def test_a_recorded_run_stands_in_for_a_client_that_is_not_installed_alone() -> None:
    absent = run("one", result(1, "NOT_INSTALLED"))
    here = run("two", result(1, "PASS", "accepts"))
    known = {f"client:{name}": run(name, result(1, "HANG")) for name in ("one", "two")}
    lines = matrix([absent, here], known)
    assert lines[1:3] == ["  1  one 1 (NOT_INSTALLED, as recorded)", "  2  two 1"]
    assert lines[5] == "framing.case-1  must  !H  +"
