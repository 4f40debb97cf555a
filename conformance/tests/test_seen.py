"""What a baseline compares: the place, and what was seen there in a form that does not vary."""

from pathlib import Path
from typing import Any

import click.testing
import msgspec
import pytest

from conformance.cli import main
from conformance.drivers import Identity
from conformance.report import read_runs
from conformance.results import Result, RunHead
from conformance.results.baseline import (
    ANY,
    Baseline,
    BaselineError,
    Entry,
    Failure,
    baseline_text,
    parse_baseline,
    read_baseline,
)
from conformance.results.result import Overlay
from conformance.results.seen import LONGEST, normal, seen_in
from conformance.results.update import AGAIN
from conformance.tests.test_baseline import after, entry, overlay

HEAD = RunHead("1", "c0ffee", "some.client", "some.client", "1.2.3", [], runtime="CPython")


def kit(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, args, catch_exceptions=False)


def result(name: str = "a.b", verdict: str = "WRONG_VALUE", **more: str) -> Result:
    made = Result(name, 1, verdict, "guard", "f", "A title", [])
    return msgspec.structs.replace(made, **more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<a.Sock object at 0x7f3a2b>", "<a.Sock object at 0x1>"),
        ("java.net.Socket@1b2c3d4e", "java.net.Socket@5e6f7a8b"),
        ("a.Error: to 127.0.0.1:45001", "a.Error: to 127.0.0.1:39999"),
        ("laddr=('127.0.0.1', 45001)", "laddr=('127.0.0.1', 39999)"),
        ("refused on port 45001", "refused on port 39999"),
        ("the worker (pid 812) died", "the worker (pid 4711) died"),
        ("<socket fd=5, open>", "<socket fd=17, open>"),
        ("no such file: '/tmp/tmpabc/x'", "no such file: '/tmp/tmpxyz/y'"),
        ("gave up after 1.03 s", "gave up after 1.1 s"),
        ("x.E: [Errno 104] Connection reset (errno 104)", "x.E: Verbindung weg (errno 104)"),
        (
            "ssl.SSLError: [SSL: BAD] failed: self-signed (_ssl.c:1006) (errno 1)",
            "ssl.SSLError: [SSL: BAD] (errno 1)",
        ),
        ("ssl.SSLError: cut (_ssl.c:10)", "ssl.SSLError: cut"),
        ("ssl.SSLError: ('_ssl.c:711: timed out',)", "ssl.SSLError: ('_ssl.c: timed out',)"),
        ("id 01234567-89ab-cdef-0123-456789abcdef", "id ffffffff-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_what_differs_from_run_to_run_is_not_compared(one: str, other: str) -> None:
    assert normal(one) == normal(other)
    assert normal(normal(one)) == normal(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("200", "500"),
        ("b'HELLO'", "b'hello'"),
        ("a.BadStatusLine: x", "b.BadStatusLine: x"),
        ("a.Error: x", "a.Other: x"),
        ("x.E: gone (errno 104)", "x.E: gone (errno 32)"),
        ("ssl.SSLError: [SSL: BAD] x", "ssl.SSLError: [SSL: WORSE] x"),
        ("port 80", "port 8080"),
        ("a" * LONGEST + "b", "a" * LONGEST + "c"),
        ("a" * 500 + "b" + "a" * 500, "a" * 500 + "c" + "a" * 500),
    ],
)
def test_what_an_implementation_does_is_compared(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_a_long_text_is_short_and_its_own_normal_form() -> None:
    assert len(normal("ab" * 5_000)) <= LONGEST
    assert normal(normal("ab" * 5_000)) == normal("ab" * 5_000)


def test_a_death_has_no_place_and_a_hang_nothing_at_all() -> None:
    died = result(
        verdict="CRASH", reason="the worker (pid 7) ended with 3; it said: Traceback\nmore"
    )
    assert seen_in(died) == ("", "the worker (pid N) ended with 3")
    assert seen_in(result(verdict="HANG", reason="not done within its deadline")) == ("", "")


def test_of_a_rejection_category_and_class_are_compared_and_the_message_is_not() -> None:
    texts = (
        "rejects (bad-framing): a.ChunkError",
        "rejects (bad-framing): a.ChunkError: 0x is no size",
        "rejects (bad-framing): a.ChunkError: invalid chunk:\nnothing",
    )
    told = {seen_in(result(where="fetch", seen=text)) for text in texts}
    assert told == {("fetch", texts[0])}
    others = ("rejects (timeout): a.ChunkError: 0x", "rejects (bad-framing): a.OtherError: 0x")
    assert not told & {seen_in(result(where="fetch", seen=text)) for text in others}
    raised = result(where="read", seen="a.ChunkError: 0x is no size")
    assert seen_in(raised) == ("read", "a.ChunkError: 0x is no size")


# The overlay.

LISTED = entry("a.b", "WRONG_VALUE", where="read", seen="b'HELLO'")


@pytest.mark.parametrize(
    ("one", "stands"),
    [
        (result(where="read", seen="b'HELLO'"), Overlay.EXPECTED),
        (result(where="read", seen="b'hell'"), Overlay.STALE),
        (result(where="status", seen="500"), Overlay.STALE),
        (result(where="read2", seen="b'HELLO'"), Overlay.STALE),
        (result(verdict="LEAK", where="read", seen="b'HELLO'"), Overlay.STALE),
        (result(verdict="HANG"), Overlay.STALE),
    ],
)
def test_an_entry_covers_what_was_seen_and_nothing_else(one: Result, stands: Overlay) -> None:
    assert overlay(one, LISTED) == stands


def test_an_entry_of_an_earlier_kit_compares_the_verdict_alone() -> None:
    vague = entry("a.b", "WRONG_VALUE")
    entries = (vague, LISTED, entry("a.b", "HANG"), entry("a.b", ANY))
    assert [one.failures[0].is_vague for one in entries] == [True, False, False, False]
    assert overlay(result(where="status", seen="500"), vague) == Overlay.EXPECTED


# The file.


def test_what_was_seen_is_written_as_it_is_read() -> None:
    baseline = Baseline(
        implementation="some.client", version="1", runtime="CPython", entry=[LISTED, entry("c")]
    )
    assert parse_baseline(baseline_text(baseline)) == baseline


def test_an_update_adds_what_was_seen_and_keeps_the_words() -> None:
    vague = entry(["a", "b", "c", "gone@cut=bytes"], "WRONG_VALUE", reason="It shouts.", link="l")
    same: dict[str, Any] = {"where": "read", "seen": "b'A'"}
    found = [result("a", **same), result("b", **same), result("c", where="read", seen="b'C'")]
    made = after(Baseline(entry=[vague]), *found, head=HEAD, others={"gone": 1})
    assert (made.implementation, made.runtime) == ("some.client", "CPython")
    ways = [
        Failure(case=["a", "b"], verdict="WRONG_VALUE", **same),
        Failure(case="c", verdict="WRONG_VALUE", where="read", seen="b'C'"),
        Failure(case="gone@cut=bytes", verdict="WRONG_VALUE"),
    ]
    assert made.entry == [Entry(reason="It shouts.", link="l", fails=ways)]
    assert after(made, *found, head=HEAD, others={"gone": 1}) == made


def test_an_update_leaves_an_entry_with_a_glob_as_it_is() -> None:
    tunnels = entry("a.*", "WRONG_VALUE", reason="We have no tunnels.")
    found = [result("a.b", where="read", seen="1"), result("a.c", where="read", seen="2")]
    assert after(Baseline(entry=[tunnels]), *found).entry == [tunnels]


def test_what_fails_differently_is_listed_anew_by_an_update() -> None:
    (made,) = after(Baseline(entry=[LISTED]), result(where="status", seen="500")).entry
    assert (made.where, made.seen) == ("status", "500")
    assert made.reason == f"{AGAIN}: {LISTED.reason}"


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        (
            Baseline(implementation="other", version="1"),
            "the implementation other, and this is mine",
        ),
        (Baseline(implementation="mine", runtime="PyPy"), "the runtime PyPy, and this is CPython"),
    ],
)
def test_a_baseline_of_another_implementation_is_refused(baseline: Baseline, said: str) -> None:
    with pytest.raises(BaselineError, match=said):
        baseline.check_is_about(Identity("m", "mine", "2", frozenset(), runtime="CPython"))


@pytest.mark.parametrize(
    "baseline",
    [
        Baseline(),
        Baseline(implementation="mine", version="1"),
        Baseline(implementation="mine", version="2", runtime="CPython"),
    ],
)
def test_another_version_of_the_same_implementation_is_not_refused(baseline: Baseline) -> None:
    baseline.check_is_about(Identity("m", "mine", "2", frozenset(), runtime="CPython"))


# With the command.

WRONG = """
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        def read(self, *args):
            return super().read(*args).upper()
"""
OTHER = WRONG.replace("return super().read(*args).upper()", "return super().read(*args)[:-1]")


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A baseline of a client that shouts, made from what a run of it saw."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "mine.py").write_text(WRONG)
    done = kit("check", "mine", "--select", "framing.length.*", "-q", "--results", "a.jsonl")
    assert done.exit_code == 1
    (run,) = read_runs([tmp_path / "a.jsonl"])
    path = tmp_path / "known.toml"
    path.write_text(baseline_text(after(Baseline(), *run.results, head=run.head)))
    return path


def check(known: Path, name: str = "mine", *more: str) -> click.testing.Result:
    select = ("--select", "framing.length.*", "--baseline", str(known))
    return kit("check", name, *select, *more)


def test_the_same_failures_are_expected(known: Path) -> None:
    done = check(known)
    assert done.exit_code == 0, done.output
    assert "baseline known.toml, of mine" in done.stdout


@pytest.mark.parametrize("more", [(), ("-j", "2"), ("--shard", "1/1")])
def test_another_failure_of_the_same_verdict_is_stale(known: Path, more: tuple[str, ...]) -> None:
    known.with_name("mine.py").write_text(OTHER)
    done = check(known, "mine", "--all", *more)
    assert done.exit_code == 1
    assert "STALE WRONG_VALUE  framing.length." in done.stdout
    assert "known     WRONG_VALUE at read: 'HELLO': not explained yet" in done.stdout


def test_a_baseline_of_another_client_ends_in_one_line(known: Path) -> None:
    known.with_name("another.py").write_text(WRONG)
    done = check(known, "another")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "known.toml: is about the implementation mine, and this is another" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_version_and_vague_entries_are_named(known: Path) -> None:
    listed = read_baseline(known)
    ways = [one for entry in listed.entry for one in entry.failures]
    vague = [Entry(case=one.case, verdict=one.verdict, reason="x") for one in ways]
    known.write_text(baseline_text(Baseline(implementation="mine", version="0.1", entry=vague)))
    done = check(known)
    assert done.exit_code == 0
    assert ", of mine 0.1, this is " in done.stdout
    assert "of its lines compare the verdict alone" in done.stdout
    known.write_text(baseline_text(Baseline(entry=vague)))
    assert "which names no implementation" in check(known).stdout
