"""The example of a client that is new to the kit: what its first report says, bug by bug.

Every bug is one cause among few, its story names the line or the call to change, and after each
change the next run says what is left.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cases import fixtures_directory
from conformance.cli import main
from conformance.results.causes import MOST

CLIENT = fixtures_directory().parent / "examples" / "clients" / "small_client.py"
MOST_FAIL = (
    *("chunked.*", "exceptions.*", "framing.*", "interface.*", "interim.*", "limits.*"),
    *("persistence.*", "status-codes.[35]*", "status-codes.no-body.*", "status-line.reason.*"),
    *("connection-state.again.*", "headers.[gns]*", "large-bodies.cut*"),
)
"""Less than half of the corpus, with most of its failures and all causes that have many."""
LINES = 250
"""The most lines on a terminal for a client with thousands of failures."""
SECONDS = 30.0
"""The most processor time for a run; on a quiet machine it needs about a third."""


@dataclass(frozen=True)
class Bug:
    """A bug of the example.

    Args:
        wrong: the text in the source.
        right: the text without the bug.
        case: a case that fails because of the bug alone.
        story: what the story of that case says: the line, or the call with what it must return.
    """

    wrong: str
    right: str
    case: str
    story: str


BUGS = {
    "the reason phrase is cut": Bug(
        'version, status, self.reason = [*line.split(), ""][:3]',
        'version, status, self.reason = [*line.strip().split(None, 2), ""][:3]',
        "status-line.reason.two-words.off",
        "reason: response.reason",
    ),
    "a chunk extension is not removed": Bug(
        "self._left = int(line, 16)",
        'self._left = int(line.partition(b";")[0], 16)',
        "chunked.extension.valid.a-name-and-value",
        "in _read_chunked: self._left = int(line, 16)",
    ),
    "a short body is not reported": Bug(
        "            self.length -= len(body)\n",
        "            self.length -= len(body)\n"
        "            if len(body) < wanted:\n"
        "                self.close()\n"
        "                raise IncompleteRead(body, wanted - len(body))\n",
        "exceptions.incomplete-read.length",
        "accepted  IncompleteRead with expected 5, partial 'hello'",
    ),
    "a connection is kept after Connection: close": Bug(
        "self.will_close = self.version < 11",
        'self.will_close = self.version < 11 or self.getheader("connection", "") == "close"',
        "persistence.http-1-1.closed.close",
        "read2: second.read()",
    ),
    "a response 204 has no body": Bug(
        "self.status in (101, 304)",
        "self.status in (101, 204, 304)",
        "status-codes.no-body.204.1-0.none.unframed.get",
        "in read: body = self._file.read(wanted)",
    ),
    "a missing field has no default": Bug(
        "self.msg[name.lower()] if default is None else self.msg.get(name.lower(), default)",
        "self.msg.get(name.lower(), default)",
        "interface.methods.getheader-default",
        "in getheader: return self.msg[name.lower()]",
    ),
    "a method is missing": Bug(
        "_send(",
        "send(",
        "interface.has.method.send",
        "hasattr(conn, 'send')",
    ),
}


def check(*arguments: str) -> str:
    """Return what `check small_client` prints in the current directory."""
    done = CliRunner().invoke(main, ["check", "small_client", *arguments])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def spent() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def failing(printed: str) -> set[str]:
    """Return the ids of the cases with a story in *printed*."""
    return set(re.findall(r"^[A-Z_]+  (\S+)  \[\w+\]$", printed, re.MULTILINE))


def test_each_bug_is_in_the_source_once_and_the_client_is_small() -> None:
    source = CLIENT.read_text(encoding="utf-8")
    for name, bug in BUGS.items():
        assert source.count(bug.wrong) == (2 if name == "a method is missing" else 1), name
    assert 150 <= len(source.splitlines()) <= 210


@pytest.mark.slow
def test_each_story_names_what_to_change_and_each_change_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = CLIENT.read_text(encoding="utf-8")
    select = [word for bug in BUGS.values() for word in ("--select", bug.case)]
    left = {name: bug.case for name, bug in BUGS.items()}
    for name, bug in BUGS.items():
        (tmp_path / "small_client.py").write_text(source, encoding="utf-8")
        printed = check(*select, "--all")
        assert failing(printed) == set(left.values())
        story = printed.partition(f"  {bug.case}  [")[2].partition("\n\n")[0]
        assert bug.story in story, name
        source = source.replace(bug.wrong, bug.right)
        del left[name]
    (tmp_path / "small_client.py").write_text(source, encoding="utf-8")
    assert failing(check(*select)) == set()


@pytest.mark.slow
def test_the_first_report_has_few_causes_and_few_lines_and_is_cheap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small_client.py").write_text(CLIENT.read_text(encoding="utf-8"), encoding="utf-8")
    before = spent()
    select = [word for glob in MOST_FAIL for word in ("--select", glob)]
    printed = check("-j", "2", "--json", "report.json", *select)
    assert spent() - before <= SECONDS
    assert len(printed.splitlines()) <= LINES
    (run,) = json.loads((tmp_path / "report.json").read_bytes())["runs"]
    causes = run["causes"]
    assert len(causes) <= MOST
    assert sum(len(cause["cases"]) for cause in causes) > 1_000
    homes = {name: at for at, cause in enumerate(causes) for name in cause["cases"]}
    own = [homes[bug.case] for bug in BUGS.values()]
    assert len(set(own)) == len(BUGS), "each bug is a cause of its own"
    assert MOST - 1 not in own, "and none of them is among the small causes"
