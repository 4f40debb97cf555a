"""Wrong usages: each is one line on standard error that names place and remedy, and exit code 2."""

import ast
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cases import fixtures_directory, page
from conformance.cli import main
from conformance.tests.support import OWN_CASE

ROOT = fixtures_directory().parent
FILES = {
    "empty": b"",
    "bytes": b"HTTP/1.1 200 OK\r\n\r\n",
    "not-utf8": b"\xff\xfe",
    "bad.toml": b"x = [",
    "bad.json": b"{",
    "map.toml": b"A = 'B'\n",
    "case.toml": b"family = 'x'\n[[case]]\nid = 'own.x'\n",
    "mine.toml": OWN_CASE.encode(),
    "no-reason.toml": b"# ours\n[[entry]]\ncase = 'a'\nverdict = 'HANG'\n",
    "no-verdict.toml": b"[[entry]]\ncase = 'a'\nverdict = 'BAD'\nreason = 'x'\n",
    "twice.toml": b"[[entry]]\ncase = 'chunked.two-chunks'\nverdict = 'HANG'\nreason = 'x'\n" * 2,
    "wide.toml": b"[[entry]]\ncase = 'chunked.*'\nverdict = 'LEAK'\nreason = 'x'\n",
    "other.toml": b"implementation = 'other'\n",
    "guard.toml": b"implementation = 'httplib_impl'\nlevels = ['precedent', 'guard']\n",
    "level.toml": b"levels = ['observe']\n",
    "wrong-type.toml": b"levels = 3\n",
    "number.toml": b"[[entry]]\ncase = 5\nverdict = 'HANG'\nreason = 'x'\n",
    "no-text.toml": b"[[entry]]\ncase = 'a'\nverdict = 'HANG'\nreason = ''\n",
    "unknown.toml": b"[[entries]]\n",
    "number-map.toml": b"[errors]\n'a.B' = 3\n",
    "script": b"#!/bin/sh\n",
    "here/divides.py": b"1 / 0\n",
    "here/leaves.py": b"raise SystemExit(0)\n",
    "here/broken.py": b"def f(:\n",
    "here/bare.py": b"x = 1\n",
    "here/needs.py": b"import nothing_of_this_name\n",
    "here/half.py": b"class HTTPConnection:\n    pass\n",
}
WRONG = """\
frobnicate
    no command is called 'frobnicate'; there are
check --frobnicate
    No such option '--frobnicate'
check no_such_module
    no_such_module cannot be imported
check no_such_module
    a module of another Python is written path/to/python:module
check here/divides.py
    'here/divides.py' is a file: give the import name divides, in the directory here
check :divides
    ':divides' is not the name of an implementation
check 'client:cmd:./script {url}'
    './script' is not executable: `chmod +x ./script`
check client:httplib:a:b:c
    no program called 'a:b': give its path, or install it
check --markdown loop --junit ./loop
    --junit and --markdown both write loop: give two files
check --results here/bare.py/x
    --results: cannot write here/bare.py/x: Not a directory
check --html bytes/x
    --html: cannot write bytes/x: Not a directory
check --baseline wrong-type.toml
    wrong-type.toml: Expected `array`, got `int` - at `$.levels`
check --baseline number.toml
    number.toml:1: Expected `str | array`, got `int` - at `$.case`
check --baseline no-text.toml
    no-text.toml:1: reason: is empty; say why these cases fail
check --baseline unknown.toml
    unknown.toml: Object contains unknown field `entries`
check --baseline loop
    loop: cannot be read: Too many levels of symbolic links
check --error-map number-map.toml
    errors.a.B: 3 is neither an exception of the page nor a category
check --error-map empty
    empty: the table [errors] is missing
check --select
    Option '--select' requires an argument
check --family ''
    no family is called ''; there are interface, exceptions
check --level all,guard
    'all' is not one of documented, precedent, guard, observe, all
check --level DOCUMENTED
    'DOCUMENTED' is not one of documented
check -j -3
    -3 is not in the range 1<=x<=64
check --deadline nan
    'nan' is not a number of seconds from 0.05 to 60
check --shard 1/0
    '1/0' is not I/N
check --cause x
    'x' is not a valid integer range
check --cause 2 --all
    --quiet, --all and --cause exclude each other
report empty
    empty, so it is not a result file
report bytes
    so it is not a result file
report here
    File 'here' is a directory
driver-check ./script
    './script' is not executable: `chmod +x ./script`
list --family nope
    no family is called 'nope'; there are interface
show chunked.two-chunks --reproduce nope
    'nope' is not one of 'curl', 'raw', 'python', 'script', 'all'
chek httplib_impl
    no command is called 'chek'; near names: check
serve --port 99999
    99999 is not in the range 0<=x<=65535
check ./module.py
    './module.py' is not the name of an implementation: give a module by its
check 'a b'
    'a b' is not the name of an implementation
check bare
    a client with another interface is written client:NAME
check needs
    No module named 'nothing_of_this_name'; at needs.py:1: import nothing_of_this_name
check divides
    divides cannot be imported: ZeroDivisionError: division by zero; at divides.py:1: 1 / 0
check leaves
    leaves cannot be imported: SystemExit: 0; at leaves.py:1: raise SystemExit(0)
check broken
    cannot be imported: SyntaxError: invalid syntax (broken.py, line 1); at broken.py:1: def f(:
check half
    half cannot be judged:
check no-such-python:httplib
    no program called 'no-such-python': give its path
check gevent:
    'gevent:' is not the name of an implementation
check exec:
    as in exec:./my-driver --flag
check "exec:'"
    is not a command: no closing quotation
check exec:./script
    './script' is not executable: `chmod +x ./script`
check exec:./here
    './here' is a directory: give a program in it
check exec:./missing
    no program called './missing'
check exec:/bin/false
    `httplib-kit driver-check`
check client:
    no client is called ''; `httplib-kit clients` lists them
check client:requsts
    no client is called 'requsts'; near names: requests
check client:httplib:
    client:httplib: needs a module, as in client:httplib:http.client
check client:httplib:no_such
    no_such cannot be imported
check client:httplib:no-python:httplib
    no program called 'no-python'
check client:cmd:curl
    a command has {url} among its arguments
check 'client:cmd:no-such-program {url}'
    no program called 'no-such-program'
check httplib_impl no_such_module
    no_such_module cannot be imported
check --level documnted
    'documnted' is not one of documented, precedent, guard, observe, all
check --level ''
    '' is not one of documented
check --sweep every
    'every' is not one of 'none', 'each', 'product'
check --family chunkd
    no family is called 'chunkd'; near names: chunked
check --deadline 0
    '0' is not a number of seconds from 0.05 to 60
check --deadline soon
    'soon' is not a number of seconds
check --shard 3/2
    '3/2' is not I/N
check --shard x
    'x' is not I/N
check -j 0
    0 is not in the range 1<=x<=64
check -j many
    'many' is not a valid integer range
check --cause 0
    0 is not in the range x>=1
check --quiet --all
    --quiet, --all and --cause exclude each other
check --results r.json --json r.json
    --results and --json both write r.json: give two files
check --junit r --markdown ./r
    --junit and --markdown both write r: give two files
check --baseline b --update-baseline --junit b
    --baseline and --junit both write b: give two files
check --results here
    File 'here' is a directory
check --results missing/x
    --results: cannot write missing/x: No such file or directory
check --junit here
    File 'here' is a directory
check --junit missing/x
    --junit: cannot write missing/x
check --badge missing/x.svg
    --badge: cannot write missing/x.svg
check --html bytes
    Directory 'bytes' is a file
check --html here
    cannot write here: it exists and is not a report of this kit
check --baseline missing.toml
    missing.toml: cannot be read: No such file or directory; --update-baseline writes a new one
check --baseline here
    here: cannot be read: Is a directory
check --baseline not-utf8
    not-utf8: is not UTF-8 at byte 0
check --baseline bad.toml
    bad.toml: is not TOML
check --baseline no-reason.toml
    no-reason.toml:2: Object missing required field `reason`
check --baseline no-verdict.toml
    no-verdict.toml:1: verdict: 'BAD' is not a failing verdict; those are
check --baseline twice.toml
    twice.toml:6: 'chunked.two-chunks' is about chunked.two-chunks, as is
check --baseline level.toml
    level.toml: levels: 'observe' is none of documented, precedent, guard
check --baseline other.toml
    is about the implementation other, and this is httplib_impl; write one of its own
check --baseline shipped
    no baseline is shipped for httplib_impl
check no_such_module --baseline shipped
    no_such_module cannot be imported
check http.client httplib_impl --baseline shipped
    no baseline is shipped for httplib_impl
check http.client httplib_impl --baseline b
    b is about one implementation, and 2 are judged: run `check` once for each
check --baseline b --today soon
    'soon' does not match the format
check --update-baseline
    --update-baseline needs --baseline
check --baseline b --update-baseline -x
    leave -x out
check --baseline b --update-baseline --shard 1/2
    leave --shard out
check --baseline b --update-baseline --cases mine.toml
    --update-baseline with --cases needs --select
check --baseline here --update-baseline
    here: cannot be read: Is a directory
check --baseline missing/x --update-baseline
    cannot write missing/x
check --baseline wide.toml --update-baseline
    wide.toml:2: 'chunked.*' matches
check --baseline guard.toml --update-baseline --level documented
    guard.toml is about --level precedent,guard, and this run about --level documented
check --error-map missing.toml
    missing.toml: cannot be read: No such file or directory
check --error-map here
    here: cannot be read: Is a directory
check --error-map not-utf8
    not-utf8: is not UTF-8 at byte 0
check --error-map bad.toml
    bad.toml: is not TOML
check --error-map map.toml
    `A` is not part of an error map; its one table is [errors]
check --cases missing
    Path 'missing' does not exist
check --cases here
    here: no case files here
check --cases empty
    empty: Object missing required field `family`
check --cases not-utf8
    not-utf8: is not UTF-8
check --cases bad.toml
    bad.toml: is not TOML
check --cases case.toml
    case.toml: own.x: Object missing required field `title`
list --requirement no.such
    no requirement is called 'no.such'; `list --coverage` shows them all
list --exception Nonsense
    'Nonsense' is not one of 'AssertionError'
list --level x
    'x' is not one of documented
list --family chunkd
    near names: chunked
show
    Missing argument 'CASE'
show no.such.case
    no case is called 'no.such.case'; `httplib-kit list` shows them all
show chunked.two-chunkz
    near names: chunked.two-chunks
show chunked.two-chunks --reproduce nonsense
    'nonsense' is not one of 'curl', 'raw', 'python', 'script', 'all'
show chunked.two-chunks extra
    Got unexpected extra argument (extra)
serve no.such.case
    no case is called 'no.such.case'
serve --port 99999
    99999 is not in the range 0<=x<=65535
serve --stall -1
    is not in the range 0.01<=x<=3600
try
    Missing argument 'FILE'
try missing
    'missing': No such file or directory
try here
    'here': Is a directory
try bytes --impl no_such_module
    no_such_module cannot be imported
try bytes --end later
    'later' is not one of 'fin', 'rst', 'open'
try bytes --save-case bytes
    --save-case: bytes is there already
try bytes --save-case missing/x.toml
    --save-case: cannot write missing/x.toml
try bytes --impl client:urllib.request --method HEAD
    --method: client:urllib.request sends GET and nothing else
report
    Missing argument 'RESULTS...'
report missing
    File 'missing' does not exist
report here
    File 'here' is a directory
report empty
    empty: empty, so it is not a result file
report not-utf8
    not-utf8: line 1: JSON is malformed
report bad.json
    bad.json: line 1: Input data was truncated, so it is not a result file
diff
    Missing argument 'A'
diff py3.11 py9.99
    'py9.99' is neither a result file nor a recorded implementation; there are
diff empty empty
    empty: empty, so it is not a result file
diff here here
    here: cannot be read: Is a directory
record
    record needs an IMPL, or --all
record no_such_module
    httplib-kit: no_such_module cannot be imported
record exec:./missing
    no program called './missing'
driver-check
    Missing argument 'CMD'
driver-check ./missing
    no program called './missing'
driver-check ./script
    './script' is not executable
driver-check ''
    a command is missing
"""
"""A usage on each line, and below it a part of what is said."""
LINES = WRONG.splitlines()
ROWS = list(zip(LINES[::2], map(str.strip, LINES[1::2]), strict=True))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("usages")
    for name, content in FILES.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(content)
    (place / "loop").symlink_to("loop")
    return place


@pytest.mark.parametrize(("usage", "said"), ROWS, ids=[usage for usage, _ in ROWS])
def test_a_wrong_usage_is_one_line_that_names_place_and_remedy(
    directory: Path, monkeypatch: pytest.MonkeyPatch, usage: str, said: str
) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PYTHONPATH", str(directory / "here"))
    before = sorted(directory.rglob("*"))
    done = CliRunner().invoke(main, shlex.split(usage), catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("httplib-kit: ")
    assert said in done.stderr
    after = [path for path in sorted(directory.rglob("*")) if "__pycache__" not in path.parts]
    assert after == [path for path in before if "__pycache__" not in path.parts]


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        ("check --select no.such.case", "--select: no case matches 'no.such.case'"),
        ("check --exclude *", "no case is selected; `httplib-kit list` shows them"),
    ],
)
def test_a_selection_of_no_case_is_one_line_and_ends_with_3(usage: str, said: str) -> None:
    done = CliRunner().invoke(main, usage.split(), catch_exceptions=False)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)
    assert said in done.stderr


def test_a_file_that_may_not_be_read_is_one_line(directory: Path) -> None:
    secret = directory / "secret.toml"
    secret.write_bytes(b"")
    secret.chmod(0)
    try:
        secret.read_bytes()
    except PermissionError:
        for option in ("--baseline", "--error-map", "--cases"):
            done = CliRunner().invoke(main, ["check", option, str(secret)])
            assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
            assert "secret.toml" in done.stderr
            assert "Permission denied" in done.stderr
    else:
        pytest.skip("this user may read every file")
    finally:
        secret.chmod(stat.S_IRUSR | stat.S_IWUSR)
        secret.unlink()


# What a message points to exists for the user of an installed wheel.


def texts(module: Path) -> Iterator[tuple[ast.AST | None, str]]:
    """Yield the texts in *module* that are no docstrings, each with the call that receives it."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    given = {
        id(argument): node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield given.get(id(node)), node.value


def test_a_message_names_pages_by_their_path_where_they_are_installed() -> None:
    pages, stray = set(), []
    for package in ("conformance", "mockserver", "certs", "httplib_impl"):
        for module in (ROOT / package).rglob("*.py"):
            if "tests" in module.parts:
                continue
            for call, text in texts(module):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "page":
                    pages.add(text)
                elif "docs/" in text or "CONTRIBUTING" in text or "README" in text:
                    stray.append(f"{module.name}: {text}")
    assert not stray
    assert pages == {"docs/driver-protocol.md", "fixtures/README.md"}
    for name in pages:
        assert Path(page(name)).is_file()


def test_a_warning_about_a_hook_names_a_page_that_exists() -> None:
    program = (
        "import warnings, httplib_impl\n"
        "warnings.simplefilter('error')\n"
        "class Mine(httplib_impl.HTTPResponse):\n"
        "    def _read_status(self): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    path = Path(done.stderr.strip().rpartition("see ")[2])
    assert path.is_file()
    assert path.parts[-2:] == ("docs", "porting.md")
