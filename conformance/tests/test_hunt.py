"""The hunter, with implementations that are functions: no server, no process, no chance."""

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
from conformance.cli.hunt import _hunted, finding_lines, law_text
from conformance.cli.main import main
from conformance.drivers import DriverError
from conformance.hunt import Deed, Drawn, Finding, Hunter, Signature, signature_of
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
        ([], "well-formed: RFC 9112, section 6.3: must accept"),
        (["fold"], "fold: RFC 9112, section 5.2: must accept"),
        (
            ["bare-lf", "chunk-line-end"],
            "bare-lf, chunk-line-end: RFC 9112, section 2.2; RFC 9112, section 7.1: should reject",
        ),
        (["other"], "other: no single rule of RFC 9112 applies"),
    ],
)
def test_the_law_of_a_finding(rules: list[str], text: str) -> None:
    assert law_text(rules) == text


@pytest.fixture
def finding() -> Finding:
    one = hunter(accepts, refuses("content-length.invalid"))
    one.stopped = lambda: one.found > 0
    (found,) = one.findings()
    return found


def test_no_line_is_wider_than_the_terminal(finding: Finding) -> None:
    long = [Trial(f"client:{'x' * n}", {"fetch": "word " * 30}, Verdict.INFO) for n in (4, 30)]
    wide = Finding(
        Drawn(b"x" * 200, "fin"), finding.signature, finding.case, long, "chunked." + "y" * 60
    )
    lines = [*finding_lines(1, wide, Path("z" * 70), 80)]
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
    assert done.output.splitlines()[-1].startswith("1 difference in 100 responses drawn")
    text = (tmp_path / "status-line-invalid-1.toml").read_text(encoding="utf-8")
    assert text.startswith("# status-line.invalid: RFC 9112, section 4: should reject\n")
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
    assert last.startswith("1 difference in ")
    assert last.endswith("; interrupted")


def test_two_of_a_kind_do_not_differ() -> None:
    done = kit("httplib_impl", "httplib_impl", "--seed", "3", "--draws", "8")
    assert done.exit_code == 0, done.output
    assert "nothing differs in 8 responses drawn and 8 played" in done.output
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
