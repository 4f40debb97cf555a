"""Hangs with one cause are not waited for again and again, and no verdict is guessed."""

import sys
import time
from pathlib import Path

import click.testing
import msgspec
import pytest

from certs import CertificateAuthority
from conformance.cases import Case, load_text
from conformance.cli import main
from conformance.drivers import Target
from conformance.report import Run, exit_code
from conformance.report.terminal import View, plain_lines
from conformance.results import Result, RunHead
from conformance.run import DEADLINE, NOT_WAITED_FOR, Check
from conformance.run.hangs import MOST, Hangs

CASE = """
[[case]]
id = "hangs.c{number}"
title = "Case {number}"
level = "guard"
spec = ["HTTPResponse.read"]
why = "It hangs, or it does not."
connections = [[{{ read_request = {{}} }}, {steps}]]
ops = [{ops}]
[[case.outcome]]
"""
SILENT = "{ read_eof = {} }"
SLOW = "{ pause = 0.4 }, { reply = {} }"
MODULE = """
import http.client, socket
class HTTPConnection(http.client.HTTPConnection):
    def act(self):
        self.request("GET", "/")
        self.sock.recv(1)
    def act_otherwise(self):
        self.request("GET", "/")
        self.sock.recv(1)
    def loop(self):
        self.request("GET", "/")
        while True: pass
    def set_up(self):
        raise KeyError("set up")
"""


def text_of(*made: tuple[str, str]) -> str:
    return 'family = "framing"\n' + "".join(
        CASE.format(number=number, steps=steps, ops=ops) for number, (steps, ops) in enumerate(made)
    )


def cases(*made: tuple[str, str]) -> list[Case]:
    return load_text(text_of(*made), "test.toml")


def checked(
    tmp_path: Path,
    authority: CertificateAuthority,
    made: list[Case],
    *,
    patient: bool = False,
    deadline: float = DEADLINE,
) -> list[Result]:
    (tmp_path / "hanging.py").write_text(MODULE)
    one = Target("hanging", sys.executable, "hanging", path=(str(tmp_path),))
    with Check(one, authority, patient=patient, deadline=deadline) as check:
        check.run(made)
        return check.results


ACT = '{ call = "act" }'
OTHER = '{ call = "act_otherwise" }'
SET_UP = '{ call = "set_up" }'


def test_at_one_place_a_few_cases_are_waited_for(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    made = cases(*[(SILENT, ACT)] * (MOST + 2), (SLOW, ACT), (SILENT, OTHER), (SILENT, ACT))
    found = checked(tmp_path, certificate_authority, made)
    verdicts = [one.verdict for one in found]
    assert verdicts == ["HANG"] * MOST + ["NOT_RUN"] * 2 + ["PASS", "HANG", "NOT_RUN"]
    spared = found[MOST]
    assert spared.reason == "not waited for: it was where hangs.c0 and others had hung"
    assert (spared.call, spared.frames[0].function) == ("conn.act()", "act")
    assert exit_code(found) == 1


def test_a_client_that_loops_is_ended_at_once_where_others_were(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    made = cases(*[(SILENT, '{ call = "loop" }')] * (MOST + 1))
    found = checked(tmp_path, certificate_authority, made, deadline=0.5)
    assert [one.verdict for one in found] == ["HANG"] * MOST + ["NOT_RUN"]
    assert "stuck even 0.5 s later" in found[0].reason
    assert "stuck even 0.0625 s later" in found[-1].reason


def test_a_run_in_which_not_every_case_was_waited_for_is_not_ok() -> None:
    fine = Result("a.b", 1, "PASS", "guard", "f", "A title", [])
    spared = Result("a.c", 1, "NOT_RUN", "guard", "f", "Another", [])
    assert exit_code([fine]) == 0
    assert exit_code([fine, spared]) == 1


def test_a_report_names_the_cases_that_were_not_waited_for() -> None:
    reason = f"{NOT_WAITED_FOR}: it was where a.b and others had hung"
    found = [
        Result(f"a.{name}", 1, "NOT_RUN", "guard", "f", name, [], reason=reason) for name in "wxyz"
    ]
    run = Run(RunHead("0", "c", "six", "six", "1", []), found)
    found[0] = msgspec.structs.replace(found[0], reason=f"{NOT_WAITED_FOR}: it was where c.d")
    lines = list(plain_lines(run))
    assert f"  4 NOT_RUN: {NOT_WAITED_FOR}, because others had hung at the same place" in lines
    assert any(
        line.startswith("not waited for: 4 cases (--all names them); --wait") for line in lines
    )
    assert f"a.x, a.y, a.z: {reason}" in list(plain_lines(run, View(every=True)))


def test_with_patience_every_case_is_waited_for(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    made = cases(*[(SILENT, ACT)] * (MOST + 1))
    found = checked(tmp_path, certificate_authority, made, patient=True)
    assert [one.verdict for one in found] == ["HANG"] * (MOST + 1)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ((), f"{MOST} HANG"),
        (("--wait-for-hangs",), f"{MOST + 2} HANG"),
        (("--baseline", "known.toml"), f"{MOST + 2} HANG"),
    ],
    ids=["usual", "waiting", "baseline"],
)
def test_a_baseline_and_an_option_give_every_case_the_whole_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    Path("hanging.py").write_text(MODULE)
    Path("cases.toml").write_text(text_of(*[(SILENT, ACT)] * (MOST + 2)))
    Path("known.toml").write_text("")
    args = ["check", "hanging", "-q", "--deadline", "0.5", "--cases", "cases.toml", *option]
    done = click.testing.CliRunner().invoke(main, args)
    assert done.exit_code == 1
    assert f"{told}" in done.stdout


def test_a_place_is_a_call_its_lines_and_whether_the_client_has_a_timeout() -> None:
    timed = '{ set = "timeout", value = 5 }, ' + ACT
    plain, with_timeout = cases((SILENT, ACT), (SILENT, timed))
    frames = [{"file": "client.py", "line": line} for line in (7, 5, 3, 1)]
    here, made = {"trace": [{}], "frames": frames}, {"trace": [{}, {}], "frames": frames}
    hangs = Hangs()
    for _ in range(MOST):
        assert not hangs.known(plain, here)
        hangs.note(plain, here)
    assert hangs.known(plain, {**here, "frames": frames[:3]}) == "hangs.c0"
    assert not hangs.known(plain, {**here, "frames": frames[1:]})
    assert not hangs.known(with_timeout, made)
    assert not hangs.known(plain, {})


def test_without_lines_more_cases_of_one_family_are_waited_for() -> None:
    (one,) = cases((SILENT, ACT))
    hangs = Hangs()
    for count in range(10):
        assert not hangs.known(one, {}), count
        hangs.note(one, {})
    assert hangs.known(one, {}) == "hangs.c0"


def test_a_case_whose_set_up_fails_ends_at_once(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    made = cases((SILENT, f"{SET_UP}, {ACT}"), (SLOW, ACT))
    begun = time.monotonic()
    first, second = checked(tmp_path, certificate_authority, made, deadline=30)
    assert time.monotonic() - begun < 30
    assert (first.verdict, first.where) == ("LEAK", "set_up")
    assert first.reason == "the kit ended the case, because conn.set_up() had failed"
    assert [line.partition(" ->")[0] for line in first.trace][-1] == "conn.set_up()"
    assert first.frames[0].text == 'raise KeyError("set up")'
    assert second.verdict == "PASS"
