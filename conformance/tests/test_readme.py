"""The first screen of the README is what the commands really print."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from conformance.cases.places import fixtures_directory

ROOT = fixtures_directory().parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ELLIPSIS = "…"
SHOP = """\
import urllib.request

def download(url):
    try:
        return urllib.request.urlopen(url, timeout=5).read()
    except OSError:
        return None
"""


def block(language: str, containing: str) -> list[str]:
    """Return the lines of the first block in *language* that contains *containing*."""
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (first, *_) = (one for one in found if containing in one)
    lines: list[str] = first.splitlines()
    return lines


def python(*arguments: str, directory: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def missing(shown: list[str], printed: str) -> list[str]:
    """Return the first of the lines *shown* that does not follow in *printed*, and those after."""
    rest = iter(line.rstrip() for line in printed.splitlines())
    wanted = [line.rstrip() for line in shown if line != ELLIPSIS]
    return next((wanted[at:] for at, line in enumerate(wanted) if line not in rest), [])


def test_the_story_is_what_check_prints() -> None:
    command, *shown = block("text", "NO_ERROR")
    _, kit, *arguments = shlex.split(command)
    assert kit == "httplib-kit"
    assert missing(shown, python("-m", "conformance", *arguments)) == []


def test_the_failure_of_the_mock_server_is_what_pytest_prints(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    test = "\n".join(block("python", "from shop import download"))
    (tmp_path / "test_shop.py").write_text(test, encoding="utf-8")
    command, *shown = block("text", "never opened")
    _, pytest, *arguments = shlex.split(command)
    printed = python("-m", pytest, *arguments, "-p", "no:cacheprovider", directory=tmp_path)
    assert missing(shown, printed) == []


def test_a_line_that_is_not_printed_is_missing() -> None:
    assert missing(["one", ELLIPSIS, "three"], "one\ntwo\nthree\n") == []
    assert missing(["one", "four"], "one\ntwo\n") == ["four"]
    assert missing(["two", "one"], "one\ntwo\n") == ["one"]
