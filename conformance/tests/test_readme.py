"""The first screen of the README is what the commands really print."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.tests.documents import ELLIPSIS, ROOT, Block, blocks, commands, missing, run
from conformance.tests.support import BY_ID
from mockserver import MockServer

SHOP = """\
import urllib.request

def download(url):
    try:
        return urllib.request.urlopen(url, timeout=5).read()
    except OSError:
        return None
"""


def block(language: str, containing: str) -> Block:
    """Return the first block of the README in *language* that contains *containing*."""
    return next(one for one in blocks(ROOT / "README.md", language) if containing in one.code)


def test_the_story_is_what_check_prints() -> None:
    ((command, shown),) = commands(block("text", "NO_ERROR"))
    assert missing(shown, run(command, ROOT, code=1)) == []


def test_the_failure_of_the_mock_server_is_what_pytest_prints(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    test = block("python", "from shop import download").code
    (tmp_path / "test_shop.py").write_text(test, encoding="utf-8")
    ((command, shown),) = commands(block("text", "never opened"))
    assert missing(shown, run(f"{command} -p no:cacheprovider", tmp_path, code=1)) == []


def test_a_play_without_pytest_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python", "with MockServer(play)").code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "[Errno 104] Connection reset by peer\n"


def test_the_reference_reads_the_case_as_shown(
    capsys: pytest.CaptureFixture[str], mock_server: Callable[..., MockServer]
) -> None:
    server = mock_server(BY_ID["chunked.two-chunks"].script)
    code = block("python", "import httplib_impl as httplib").code
    exec(compile(code.replace("8080", str(server.address[1])), "README.md", "exec"), {})
    assert capsys.readouterr().out == "200 OK b'helloworld'\n"


def test_a_line_that_is_not_printed_is_missing() -> None:
    assert missing(["one", ELLIPSIS, "three"], "one\ntwo\nthree\n") == []
    assert missing(["one", "four"], "one\ntwo\n") == ["four"]
    assert missing([f"t{ELLIPSIS}o"], "one\ntwo\n") == []
    assert missing([f"t{ELLIPSIS}r"], "one\ntwo\n") == [f"t{ELLIPSIS}r"]
    assert missing(["two", "one"], "one\ntwo\n") == ["one"]
