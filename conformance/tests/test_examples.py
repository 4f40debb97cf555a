"""What the pages about the mock server show: their tests, what these print, and each word."""

import ast
import importlib.util
import re
import shutil
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme  # noqa: F401 - what it imports cannot be imported again, in each run of `pytester`

import mockserver
from certs import CertificateAuthority

pytest_plugins = ["pytester"]

EXAMPLES = Path(__file__).parents[2] / "examples" / "mock_server"
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "mockserver" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|text)\n(.*?)```", PAGE, re.DOTALL)
FIRST = [one for one in BLOCKS if "\ndef test_" in one[1] or one[0] == "text"][:6]
OTHERS = [code for language, code in BLOCKS if language == "python"][3:]
APP = """
import threading, urllib.request
import pytest
from test_real_server import real_shop

class App:
    spinner = False
    def refresh(self, url):
        self.spinner = True
        self.thread = threading.Thread(target=self.ask, args=(url,))
        self.thread.start()
    def ask(self, url):
        urllib.request.urlopen(url, timeout=10).close()
        self.spinner = False

@pytest.fixture
def app():
    one = App()
    yield one
    one.thread.join()
"""
"""What the page says of the application and the server that its tests use."""
FROM = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^\| .*? \| (.*?) \|$", FROM, re.MULTILINE)
NAIVE = """
import json, ssl, urllib.request

class ShopError(Exception): pass

class Shop:
    def __init__(self, url, context=None):
        self.url = url
    def item(self, number):
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(f"{self.url}/items/{number}", context=context) as answer:
            return json.loads(answer.read())
"""
"""A client that gives up at the first error and trusts every certificate."""
OURS, THEIRS = "test_mock_server.py", "test_pytest_httpserver.py"
REAL = "test_real_server.py"


def lines_of_tests(name: str) -> dict[str, int]:
    """How many lines each test has."""
    tree = ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))
    return {
        one.name: (one.end_lineno or 0) - one.lineno + 1
        for one in tree.body
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    }


def passes(pytester: pytest.Pytester, name: str, count: int = 10) -> None:
    for path in EXAMPLES.glob("*.py"):
        shutil.copy(path, pytester.path)
    pytester.runpytest_inprocess(name).assert_outcomes(passed=count)


def test_the_ten_tests_pass(pytester: pytest.Pytester) -> None:
    passes(pytester, OURS)


def test_the_tests_in_front_of_a_real_server_pass(pytester: pytest.Pytester) -> None:
    passes(pytester, REAL, 5)


@pytest.mark.skipif(
    importlib.util.find_spec("pytest_httpserver") is None,
    reason="pytest-httpserver is not installed: pip install 'httplib-kit[bench]'",
)
def test_the_same_tests_pass_with_pytest_httpserver(pytester: pytest.Pytester) -> None:
    passes(pytester, THEIRS)


def test_no_test_is_longer_than_that_for_pytest_httpserver() -> None:
    ours, theirs = lines_of_tests(OURS), lines_of_tests(THEIRS)
    assert len(ours) == 10
    assert ours.keys() == theirs.keys()
    assert {name for name, lines in ours.items() if lines > theirs[name]} == set()


@pytest.mark.parametrize("number", range(3))
def test_a_test_of_the_page_passes(pytester: pytest.Pytester, number: int) -> None:
    shutil.copy(EXAMPLES / "shop.py", pytester.path)
    pytester.makepyfile(FIRST[number * 2][1])
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize("number", range(3))
def test_a_test_of_the_page_prints_this_for_a_naive_client(
    pytester: pytest.Pytester, number: int
) -> None:
    pytester.makepyfile(shop=NAIVE, test_it=FIRST[number * 2][1])
    result = pytester.runpytest_inprocess("--tb=short", "test_it.py")
    result.assert_outcomes(failed=1)
    printed = iter(result.outlines)
    shown = [line for line in FIRST[number * 2 + 1][1].splitlines() if "…" not in line]
    assert [line for line in shown if line not in printed] == []


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_every_other_block_of_the_page_runs_as_it_is_written(
    pytester: pytest.Pytester, number: int
) -> None:
    code = OTHERS[number]
    if "def test_" not in code:
        code = "def test_it():\n" + textwrap.indent(code, "    ")
    for name in ("shop.py", REAL):
        shutil.copy(EXAMPLES / name, pytester.path)
    pytester.makeconftest(APP)
    pytester.makepyfile(test_page=code)
    result = pytester.runpytest_inprocess("test_page.py")
    result.assert_outcomes(passed=code.count("def test_"))


def test_the_server_without_pytest_of_the_first_page_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n((?:(?!```).)*MockServer\(play\).*?)```", readme, re.DOTALL)
    exec(code, {})
    assert "reset" in capsys.readouterr().out


@pytest.mark.parametrize("word", [one for one in WORDS if "`" in one])
def test_a_word_of_the_page_for_newcomers_exists(word: str) -> None:
    names: dict[str, Any] = {name: getattr(mockserver, name) for name in mockserver.__all__}
    names |= {
        "re": re,
        "mock_server": mockserver.script,
        "CertificateAuthority": CertificateAuthority,
    }
    server = mockserver.MockServer(mockserver.Reply(), patience=0.01).start()
    try:
        for code in re.findall(r"`([^`]+)`", word):
            names["server"] = SimpleNamespace(
                url=server.url,
                requests=(mockserver.Request(1, b"GET / HTTP/1.1\r\n\r\n"),),
                **{name: getattr(server, name) for name in ("add", "stop")},
                **{name: lambda *_, **__: None for name in ("clear", "wait_for", "recorded")},
            )
            if code not in ("mock_server", "optional=True"):
                eval(code, names)
    finally:
        server.current = None
        server.stop()
