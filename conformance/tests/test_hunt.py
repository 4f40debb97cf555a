"""The hunter, with implementations that are functions: no server, no process, no chance."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Done

from conformance.cases import Case, load_text, rules_broken, sent_by
from conformance.cli.ending import Ending
from conformance.cli.hunt import _hunted, finding_lines, law_text, page_text
from conformance.cli.main import main
from conformance.drivers import DriverError
from conformance.hunt import (
    Deed,
    Drawn,
    Finding,
    Hunter,
    Kind,
    Signature,
    at_fault,
    case_of,
    deeds_of,
    kind_of,
    mended,
    parts_of,
    signature_of,
)
from conformance.judge import Observation, Verdict
from conformance.results import Result, not_run
from conformance.run import Trial, Trials

KNOWN = {
    b"HTTP/1.0 200 OK\r\n\r\nhi": "framing.to-the-end",
    b"HTTP/2.0 200 OK\r\n\r\nhi": "status-line.two",
    b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello": "framing.plus",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nh\r\n0\r\n\r\n": "chunked.plus",
}
ROOT = Path(__file__).resolve().parents[2]
Act = Callable[[bytes], Any]


class Bench:
    """An implementation: what *act* returns is the body that it accepts, None a refusal.

    A verdict is how the run ended; an error is the driver's.
    """

    identity = SimpleNamespace(is_client=True)

    def __init__(self, label: str, act: Act) -> None:
        self.label = label
        self.act = act
        self.calls = 0

    def observed(self, case: Case) -> tuple[Result, Observation | None]:
        self.calls += 1
        did = self.act(b"".join(sent_by(case.script)))
        if isinstance(did, Verdict):
            return not_run(case, did, "because"), None
        entry: dict[str, Any] = {"id": "fetch"}
        if did is None:
            entry["error"] = {"class": "Refused", "bases": [], "attributes": {}, "message": ""}
        else:
            entry["value"] = {"type": "response", "status": 200, "body": did}
        seen = Observation(trace={"fetch": entry}, host="127.0.0.1", port=1, connections=())
        return not_run(case, Verdict.INFO, ""), seen

    def trial(self, case: Case) -> Trial:
        did = self.act(b"".join(sent_by(case.script)))
        return Trial(self.label, {"fetch": f"does {did}"}, Verdict.INFO)


def accepts(_: bytes) -> str:
    return "body"


def refuses(*rules: str) -> Act:
    """An implementation that refuses a response that breaks one of *rules*."""
    return lambda octets: None if set(rules) & {*rules_broken(octets, "fin")} else "body"


def hunter(*acts: Act, **bounds: Any) -> Hunter:
    benches: Any = [Bench(f"client:{number}", act) for number, act in enumerate(acts, 1)]
    return Hunter(benches, KNOWN, **{"seed": 1, "draws": 100, **bounds})


def test_each_distinct_difference_is_found_once_and_shrunk_to_the_one_rule() -> None:
    planted = ("chunk-size.readable", "content-length.invalid", "version.other")
    found = list(hunter(accepts, refuses(*planted), draws=200).findings())
    rules = [one.signature.rules for one in found if len(one.signature.rules) == 1]
    assert sorted(rules) == [(rule,) for rule in planted]
    assert all(len(one.drawn.octets) < 120 for one in found)
    assert {one.signature.kinds for one in found} == {("accepts", "rejects")}


def test_equal_seeds_give_equal_findings() -> None:
    one, other = (list(hunter(accepts, refuses("fold", "bare-lf")).findings()) for _ in range(2))
    assert one
    assert [found.drawn for found in one] == [found.drawn for found in other]


def test_no_more_is_drawn_than_was_asked_for() -> None:
    same = hunter(accepts, accepts, draws=30)
    assert list(same.findings()) == []
    assert (same.drawn, same.played) == (30, 30)


def test_the_time_bounds_a_hunt() -> None:
    ticks = iter(range(10**6))
    timed = hunter(accepts, accepts, draws=None, seconds=50, clock=lambda: next(ticks))
    assert list(timed.findings()) == []
    assert 0 < timed.drawn <= 50


def test_a_caller_can_stop_it_and_keeps_what_was_found() -> None:
    one = hunter(accepts, refuses("content-length.invalid", "version.other"), draws=None)
    one.stopped = lambda: one.found > 0
    assert len(list(one.findings())) == 1


def test_a_hang_is_a_difference_that_is_shrunk_by_a_few_steps() -> None:
    def hangs(octets: bytes) -> Any:
        return Verdict.HANG if "fold" in rules_broken(octets, "fin") else "body"

    one = hunter(accepts, hangs, draws=None)
    one.stopped = lambda: one.found > 0
    (found,) = one.findings()
    assert found.signature.kinds == ("", "hangs")
    assert one.hangs <= 8  # one to find it, some to shrink it, one to see it again


def test_a_difference_by_chance_is_counted_and_not_reported() -> None:
    seen: set[bytes] = set()

    def wavers(octets: bytes) -> Any:
        known = octets in seen
        seen.add(octets)
        return "body" if known or b"+" not in octets else None

    one = hunter(accepts, wavers)
    assert list(one.findings()) == []
    assert one.wavering > 0


@pytest.mark.parametrize(
    ("fails", "absent"), [(DriverError("gone"), False), (Verdict.NOT_INSTALLED, True)]
)
def test_a_driver_that_fails_ends_the_hunt(fails: Any, absent: bool) -> None:
    def act(_: bytes) -> Any:
        if isinstance(fails, Exception):
            raise fails
        return fails

    one = hunter(accepts, act)
    assert list(one.findings()) == []
    assert one.problem
    assert (one.drawn, one.is_absent) == (1, absent)


def test_fields_that_one_has_joined_already_are_no_difference() -> None:
    case = case_of(Drawn(b"HTTP/1.1 200 OK\r\n\r\n", "fin"))

    def done(*fields: tuple[str, str]) -> Any:
        value = {"type": "response", "status": 200, "headers": fields}
        entry = {"id": "fetch", "value": value}
        seen = Observation(trace={"fetch": entry}, host="127.0.0.1", port=1, connections=())
        return deeds_of(case, not_run(case, Verdict.INFO, ""), seen)["headers"]

    assert done(("X", "a"), ("X", ""), ("X", "b")) == done(("x", "a,, b"))
    assert done(("X", "a"), ("X", "")) == done(("x", "a, "))
    assert done(("X", "a"), ("X", "")) != done(("x", "a"))
    assert done(("X", "a\x85")) != done(("x", "a"))


def test_the_fields_are_shown_where_only_they_differ() -> None:
    one = hunter(accepts, refuses("content-length.invalid"))
    one.stopped = lambda: one.found > 0
    (found,) = one.findings()
    same = [Trial(f"client:{n}", {"fetch": "accepts"}, Verdict.INFO) for n in (1, 2)]
    differing = dataclasses.replace(
        found,
        trials=same,
        signature=found.signature._replace(call="headers"),
        done=[Deed("a value", (("x", "1"), ("y ", ""))), Deed("a value", ())],
    )
    text = "\n".join(finding_lines(1, differing, 3, None, 80))
    assert "   headers\n     client:1  'x': '1', 'y ': ''\n     client:2  none" in text
    assert "3 draws" in text


def deed(**calls: Any) -> Mapping[str, Deed]:
    return {name: Deed("a value", value) for name, value in calls.items()}


def test_the_first_call_with_other_results_is_the_difference() -> None:
    one, other = deed(status=200, body="a"), deed(status=200, body="b")
    assert signature_of(("fold",), [one, other, one]) == Signature(
        ("fold",), "body", ("a value",) * 3, (0, 1, 0)
    )
    assert signature_of((), [one, one]) is None


def test_what_a_client_does_not_report_is_no_difference() -> None:
    assert signature_of((), [deed(status=200, reason="OK"), deed(status=200)]) is None


def test_further_rules_make_no_other_difference() -> None:
    one = Signature(("fold",), "body", ("accepts", "rejects"), (0, 1))
    assert one.covers(one._replace(rules=("bare-lf", "fold")))
    assert not one.covers(one._replace(rules=("bare-lf",)))
    assert not one.covers(one._replace(call="status"))


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([], "well-formed: RFC 9112, 6.3: must accept"),
        (["fold"], "fold: RFC 9112, 5.2: must accept"),
        (
            ["bare-lf", "chunk-line-end"],
            "bare-lf, chunk-line-end: RFC 9112, 2.2 and 7.1: should reject",
        ),
        (
            ["fold", "range.not-asked-for"],
            "fold, range.not-asked-for: RFC 9112, 5.2; RFC 9110, 15.3.7: "
            "none says what a client does",
        ),
    ],
)
def test_the_law_of_a_finding(rules: list[str], text: str) -> None:
    assert law_text(rules) == text


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding:"


def kind(octets: bytes, end: str = "fin", *results: str, call: str = "response.read()") -> Kind:
    results = results or ("raises IncompleteRead", "a value")
    rules = tuple(rules_broken(octets, end))
    return kind_of(Drawn(octets, end), Signature(rules, call, results, (0, 1)))


def test_what_a_kind_consists_of() -> None:
    assert kind(CHUNKS + b" chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n") == Kind(
        "content",
        ("chunk-size.readable",),
        b"",
        "response.read()",
        ("ends early", "a value"),
        (0, 1),
    )
    blanks = kind(CHUNKS + b"  chunked \r\n\r\n0\r\n\r\n")
    assert blanks[:3] == ("Transfer-Encoding", (), b"a: a \r\n")
    reset = kind(b"HTTP/1.1 200 OK\r\n\r\n", "rst", call="response.isclosed()")
    assert reset[:2] == ("end of the connection", ("reset",))
    assert not reset._replace(rules=()).covers(reset)
    folded = b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 0\r\n\r\n"
    assert kind(folded, call="response.getheaders()").part == "field line"
    assert kind(folded).part == "Content-Length"


PLUS = CHUNKS + b" chunked\r\n\r\n+5\r\nhello\r\n"
ERRORS = ("raises IncompleteRead", "raises OSError")


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        (kind(PLUS), kind(PLUS + b"0\r\n\r\n"), True),
        (kind(PLUS), kind(PLUS, "fin", *ERRORS), True),
        (kind(PLUS, "fin", *ERRORS), kind(PLUS), False),
        (kind(PLUS), kind(PLUS, "fin", "raises IncompleteRead", "raises ValueError"), False),
        (kind(PLUS), kind(PLUS, call="response.isclosed()"), False),
        (kind(PLUS), kind(PLUS.replace(b"+5", b"5\n")), False),
        (kind(CHUNKS + b"gzip\r\n\r\n"), kind(CHUNKS + b"p\r\n\r\n"), True),
        (kind(CHUNKS + b"chunked \r\n\r\n"), kind(CHUNKS + b", chunked\r\n\r\n"), False),
    ],
)
def test_two_differences_are_one_kind_by_the_part_at_fault(
    one: Kind, other: Kind, is_one: bool
) -> None:
    assert one.covers(other) is is_one


def test_differences_of_one_cause_are_one_kind_with_a_count_and_its_shortest_response() -> None:
    """What follows the blank after the coding, and how the connection ends, make no other kind."""

    def blank_matters(octets: bytes) -> Any:
        return octets.rpartition(b"\r\n\r\n")[2].decode() if b"chunked \r\n" in octets else ""

    one = hunter(lambda _: "", blank_matters, draws=150, seed=3)
    list(one.findings())
    of_blanks = [kind for kind in one.kinds if kind.part == "Transfer-Encoding"]
    assert len(of_blanks) == 1
    assert one.counts[of_blanks[0]] > 1
    assert b"chunked \r\n" in one.kinds[of_blanks[0]].drawn.octets
    assert len(one.kinds[of_blanks[0]].drawn.octets) < 70


def test_a_kind_that_is_found_before_one_that_covers_it_becomes_a_part_of_it(
    finding: Finding,
) -> None:
    one = hunter(accepts)
    first, later, other = kind(PLUS, "fin", *ERRORS), kind(PLUS), finding.kind
    one.kinds = dict.fromkeys((first, other), finding)
    one.counts.update({first: 3, other: 2})
    one.known = {finding.signature: (first, 1)}
    one.absorb(later)
    assert list(one.kinds) == [other]
    assert one.counts == {later: 3, other: 2}
    assert one.known == {finding.signature: (later, 1)}


@pytest.mark.parametrize(
    ("octets", "parts"),
    [
        (b"", ["status line", "end of the head"]),
        (b"H", ["status line", "end of the head"]),
        (b"HTTP/1.1 200 OK\r\n\r\n", []),
        (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ["interim response"]),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\nhello",
         ["field line", "Content-Length"]),
        (CHUNKS + b" chunked\r\n\r\nzz", ["content"]),
        (b"HTTP/1.1 101 Switching\r\n\r\n", ["status line"]),
        (b"HTTP/1.1 200 OK\r\n\n", ["end of the head"]),
    ],
)  # fmt: skip
def test_the_parts_that_are_not_plain(octets: bytes, parts: list[str]) -> None:
    assert [part.name for part in parts_of(octets) if any(part.mended(octets))] == parts


def test_each_part_takes_its_plain_forms_after_the_end_and_the_last_part_first() -> None:
    assert [*mended(Drawn(b"H", "fin"))] == [
        Drawn(b"H\r\n", "fin"),
        Drawn(b"HTTP/1.1 200 OK\r\n", "fin"),
    ]
    assert [*mended(Drawn(b"HTTP/1.1 200 OK\r\n\r\n", "rst"))] == [
        Drawn(b"HTTP/1.1 200 OK\r\n\r\n", "fin")
    ]


class Playing(Hunter):
    """A hunter for which each response has given results."""

    def signature(self, drawn: Drawn) -> Signature:
        self._done = [{}, {}]
        results = (
            ERRORS if drawn.octets.endswith(b"hello") else ("raises IncompleteRead", "a value")
        )
        return Signature(tuple(rules_broken(*drawn)), "response.read()", results, (0, 1))

    def finds(self, octets: bytes) -> Finding | None:
        drawn = Drawn(octets, "fin")
        done: Any = SimpleNamespace(found=True, drop_lines=lambda: None)
        done.target = self.signature(drawn)
        done.plainest = lambda: (drawn, done.target)
        return self._finding(done)


@pytest.fixture
def playing() -> Playing:
    benches: Any = [Bench("client:1", accepts), Bench("client:2", accepts)]
    one = Playing(benches, KNOWN, seed=1)
    one._begun = 0.0
    return one


def test_a_kind_keeps_its_shortest_response_and_counts_those_before_it(playing: Playing) -> None:
    weak, long, short = PLUS + b"hello", PLUS + b"0\r\n\r\n", PLUS
    assert playing.finds(weak) is not None
    found = playing.finds(long)
    assert found is not None
    assert playing.counts == {found.kind: 2}
    assert playing.finds(short) is None
    assert playing.finds(long) is None
    assert playing.finds(weak) is None
    assert playing.counts == {found.kind: 5}
    assert [one.drawn.octets for one in playing.kinds.values()] == [short]


def test_a_signature_is_looked_into_until_it_has_led_to_a_known_kind_twice(
    playing: Playing,
) -> None:
    signature = playing.signature(Drawn(PLUS, "fin"))
    playing.finds(PLUS)
    assert not playing.is_known(signature)
    playing.finds(PLUS)
    assert playing.is_known(signature)
    assert [*playing.counts.values()] == [3]


@pytest.mark.parametrize(("late", "known"), [("", 2), ("the time is over", 1)])
def test_a_part_for_whose_reduction_there_was_no_time_is_no_kind_of_its_own(
    playing: Playing, late: str, known: int
) -> None:
    playing.finds(CHUNKS + b"chunked \r\n\r\n0\r\n\r\n")
    playing.problem = late
    playing.finds(CHUNKS + b" chunked \r\n\r\n0\r\n\r\n")
    assert len(playing.kinds) == known


def test_a_repeated_field_is_one_part_and_takes_one_plain_form() -> None:
    lengths = b"Content-Length: 5\r\nX: 1\r\nContent-Length: 0\r\n"
    part = at_fault(b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nhello")
    assert part is not None
    assert [*part.mended(b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nhello")] == [
        b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\n\r\nhello",
    ]


@pytest.mark.parametrize("call", ["conn.getresponse()", "response.read()", "response.status"])
def test_a_difference_of_modules_names_the_entry_of_the_page(call: str) -> None:
    assert page_text(call).startswith("; page: HTTP")


@pytest.fixture
def finding() -> Finding:
    one = hunter(accepts, refuses("content-length.invalid"))
    one.stopped = lambda: one.found > 0
    (found,) = one.findings()
    return found


def test_no_line_is_wider_than_the_terminal(finding: Finding) -> None:
    long = [Trial(f"client:{'x' * n}", {"fetch": "word " * 30}, Verdict.INFO) for n in (4, 30)]
    wide = dataclasses.replace(
        finding, drawn=Drawn(b"x" * 200, "fin"), trials=long, near="chunked." + "y" * 60
    )
    lines = [*finding_lines(1, wide, 12, Path("z" * 70), 80)]
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("word") == 60


def kit(*arguments: str) -> Done:
    return CliRunner().invoke(main, ["hunt", *arguments])


def test_a_saved_case_has_the_law_and_what_each_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observed(self: Trials, case: Case) -> tuple[Result, Observation | None]:
        return Bench(self.label, acts[self.label.partition(" ")[0]]).observed(case)

    acts = {"httplib_impl": accepts, "http.client": refuses("status-line.invalid")}
    monkeypatch.setattr(Trials, "observed", observed)
    done = kit(*acts, "--seed", "1", "--draws", "100", "--save", str(tmp_path))
    assert done.exit_code == 1, done.output
    assert done.output.splitlines()[-1].startswith("1 kind of difference in 100 draws, ")
    text = (tmp_path / "status-line-invalid-1.toml").read_text(encoding="utf-8")
    assert text.startswith("# status-line.invalid: RFC 9112, 4: should reject\n")
    notes = [line for line in text.splitlines() if line.startswith("#   ")]
    assert ["http.client" in line for line in notes] == [False, True]
    (case,) = load_text(text, "x.toml")
    assert case.rfc == ("9112#4", "9112#2.3")
    assert case.fetch is not None
    assert case.fetch.strength == "should"


def test_an_interrupted_hunt_keeps_what_was_found_and_is_not_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ending = Ending()

    class Interrupting(Hunter):
        @property
        def is_late(self) -> bool:
            ending.reason = "interrupted" if self.found else ""
            return super().is_late

    benches: Any = [Bench("client:1", accepts), Bench("client:2", refuses("status-line.invalid"))]
    assert _hunted(Interrupting(benches, KNOWN, 1), ending, None) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("1 kind of difference in ")
    assert last.endswith("; interrupted")


def test_two_of_a_kind_do_not_differ() -> None:
    done = kit("httplib_impl", "httplib_impl", "--seed", "3", "--draws", "8")
    assert done.exit_code == 0, done.output
    assert "nothing differed in 8 draws, 8 responses played" in done.output
    assert "--seed 3 --draws 8 does it again" in done.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["httplib_impl"], "hunt needs two or more implementations"),
        (["httplib_impl", "client:urllib.request"], "is written client:httplib:MODULE"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(arguments: list[str], problem: str) -> None:
    done = kit(*arguments, "--draws", "1")
    assert done.exit_code == 2
    assert problem in done.output
    assert done.output.count("\n") == 1


def test_nothing_of_hypothesis_is_left_in_the_directory(tmp_path: Path) -> None:
    """In a process of its own: this one has a home for Hypothesis already."""
    command = [sys.executable, "-m", "conformance", "hunt", "httplib_impl", "httplib_impl"]
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--draws", "5"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
