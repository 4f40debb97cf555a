"""The command line: what it prints, and what its exit code says."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from conformance.cases import Case, load_corpus
from conformance.cases.casefile import load_text
from conformance.cli import main
from conformance.cli.main import COMMANDS
from conformance.tests.conftest import LATE
from conformance.tests.support import EVERY


def kit(*args: str) -> Result:
    return CliRunner().invoke(main, args, catch_exceptions=False)


def process(*args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", "conformance", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_check_passes_on_the_reference(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    done = process("check", "--select", "framing.*", "--results", str(results))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    head, *rows = [msgspec.json.decode(line) for line in results.read_bytes().splitlines()]
    assert head["corpus"] == load_corpus().digest
    assert {row["verdict"] for row in rows} <= {"PASS", "TOLERATED"}


def test_check_says_the_same_twice() -> None:
    one = kit("check", "--select", "chunked.*")
    assert process("check", "--select", "chunked.*").stdout == one.stdout  # with other hashes


def test_check_fails_on_an_implementation_that_differs() -> None:
    done = kit("check", "http.client", "--select", "status-line.*", "--level", "documented")
    assert done.exit_code == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(
        r"^(NO_ERROR|WRONG_ERROR|WRONG_VALUE|FALSE_ERROR|LEAK) ", done.stdout, re.MULTILINE
    )


def test_results_are_written_to_what_is_no_file_without_replacing_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDWR), "rb", buffering=0) as reader:
        done = process("check", "--select", "framing.head.*", "--results", str(pipe))
        assert done.returncode == 0
        assert reader.read(65536).startswith(b'{"kit":')
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/stderr").exists(), reason="this system has no /dev/stderr")
@pytest.mark.parametrize("option", ["--results", "--json"])
def test_a_report_is_written_to_a_pipe_that_has_no_path_of_its_own(option: str) -> None:
    done = process("check", "-q", "--select", "chunked.two-chunks", option, "/dev/stderr")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr.splitlines()[0] if option == "--results" else done.stderr)


def test_no_part_of_a_result_file_is_left_by_a_run_that_fails(tmp_path: Path) -> None:
    process("check", "no_such_module", "--results", str(tmp_path / "results.jsonl"))
    assert not list(tmp_path.iterdir())


def test_list_piped_is_one_case_a_line() -> None:
    listed = kit("list", "--level", "all").stdout.splitlines()
    assert listed == [case.id for case in EVERY]


def test_list_names_the_option_where_only_the_level_hides_what_is_selected() -> None:
    hidden = kit("list", "--select", "session.kept.two-gets")
    assert hidden.stdout == ""
    line = "httplib-kit: not listed: 1 case of the level observe; add --level all\n"
    assert hidden.stderr == line
    assert kit("list", "--select", "session.kept.two-gets", "--level", "all").stderr == ""


def test_list_authored_counts_a_grid_once() -> None:
    listed = kit("list", "--authored", "--level", "all").stdout.splitlines()
    assert len(listed) == len(set(listed))
    assert set(listed) == {case.authored for case in EVERY}


def test_list_by_exception_names_cases_that_raise_it() -> None:
    listed = kit("list", "--exception", "UnknownTransferEncoding", "--level", "all").stdout.split()
    assert listed
    corpus = {case.id: case for case in EVERY}
    for name in listed:
        raised = [e.raises for o in corpus[name].outcomes for e in o.ops.values()]
        assert any("UnknownTransferEncoding" in names for names in raised)


def test_show_tells_bytes_calls_and_outcomes() -> None:
    case = next(case for case in EVERY if case.family == "framing" and case.outcomes)
    shown = kit("show", case.id).stdout
    assert case.title in shown
    assert case.why in shown
    for op in case.ops:
        assert op.text in shown


def test_show_tells_what_any_client_may_do() -> None:
    shown = kit("show", "codings.second-stream.br").stdout
    assert (
        "any client (may 9110#8.4)\n  accepts status 200, body 'hello hello hello hello'\n" in shown
    )
    assert shown.rstrip().endswith("\n  or rejects") or "\n  or rejects\n\nrecorded" in shown


def test_a_case_of_each_kind_can_be_shown() -> None:
    """The kinds differ in their expectations; `test_shown` goes through the bytes of all cases."""

    def kind(case: Case) -> object:
        return case.family, case.level, case.fetch is None, len(case.outcomes)

    for case in {kind(case): case for case in EVERY}.values():
        done = CliRunner().invoke(main, ["show", case.id])
        assert done.exit_code == 0, case.id
        assert case.title in done.output


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m conformance list | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_try_saves_a_case_where_there_is_no_file_yet(tmp_path: Path) -> None:
    octets, saved = tmp_path / "octets", tmp_path / "mine.toml"
    octets.write_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    done = kit("try", str(octets), "--save-case", str(saved))
    assert done.exit_code == 0, done.stderr
    assert [case.id for case in load_text(saved.read_text(), "mine.toml")] == ["tried.mine"]


def test_try_writes_no_case_over_a_file_that_is_there(tmp_path: Path) -> None:
    octets = tmp_path / "octets"
    octets.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n")
    done = kit("try", str(octets), "--save-case", str(octets))
    assert done.exit_code == 2
    assert done.stderr == f"httplib-kit: --save-case: {octets} is there already\n"
    assert octets.read_bytes() == b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_is_one_line_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "conformance", "check", "http.client"]
    results = tmp_path / "results.jsonl"
    with subprocess.Popen(
        [*command, "--results", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches every process of the terminal's group
    ) as process:
        while not any(tmp_path.iterdir()):  # opened before the first case is run
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=LATE)
    assert process.returncode == 130
    assert errors == "httplib-kit: interrupted\n"
    assert not list(tmp_path.iterdir())


INTERRUPTED = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "conformance.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from conformance.__main__ import run
run()
"""


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_the_kit_is_loaded_is_one_line() -> None:
    command = [sys.executable, "-c", INTERRUPTED, "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "httplib-kit: interrupted\n"


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-W", "error", "-m", "conformance", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("httplib-kit, version ")


@pytest.mark.parametrize(
    ("encoding", "args"),
    [
        ("ascii", ["check", "http.client", "--select", "status-line.no-blank.before-*.nbsp.*"]),
        ("latin-1", ["check", "http.client", "--select", "status-line.no-blank.before-*.nbsp.*"]),
        ("ascii", ["show", "headers.value.high-octets"]),
        ("ascii", ["try", "octets", "--impl", "http.client"]),
        ("latin-1", ["check", "no_such_m\u0151dule"]),
    ],
    ids=lambda part: part if isinstance(part, str) else part[0],
)
def test_what_the_output_s_encoding_lacks_is_shown_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, args: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("octets").write_bytes(b"HTTP/1.1 200 \xff\r\nX: \xc3\xa9\r\n\r\n\xe2\x82\xac")
    whole = CliRunner().invoke(main, args)
    lacking = named(whole.output, encoding)
    # click writes UTF-8 where it is told to write ASCII, which loses nothing either.
    shown = (lacking.encode(encoding), whole.output_bytes if encoding == "ascii" else b"")
    again = CliRunner(charset=encoding).invoke(main, args)
    assert not isinstance(again.exception, UnicodeError)
    assert again.exit_code == whole.exit_code
    assert again.output_bytes in shown


def named(text: str, encoding: str) -> str:
    """Return *text* with the names of the characters that *encoding* lacks."""
    most = {"ascii": 128, "latin-1": 256}[encoding]
    return "".join(one if ord(one) < most else f"<U+{ord(one):04X}>" for one in text)


def test_what_the_encoding_of_a_process_lacks_is_shown_by_name() -> None:
    command = [sys.executable, "-m", "conformance", "check", "no_such_m\u0151dule"]
    known = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, check=False, env=known)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no_such_m<U+0151>dule" in done.stderr
    assert b"Traceback" not in done.stderr


def test_all_implementations_are_started_before_the_first_one_is_run() -> None:
    for later in (["no_such_module"], ["http.client", "exec:/bin/false"]):
        done = kit("check", "httplib_impl", *later)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1


def test_a_baseline_that_a_later_implementation_lacks_is_missed_before_the_first_run() -> None:
    done = kit("check", "http.client", "httplib_impl", "--baseline", "shipped")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no baseline is shipped for httplib_impl" in done.stderr


def test_to_try_nothing_at_all_is_not_green(tmp_path: Path) -> None:
    octets = tmp_path / "octets"
    octets.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n")
    code = "from importlib.machinery import PathFinder as Finder; found = Finder.find_spec\n"
    code += "Finder.find_spec = lambda name, *at: name != 'requests' and found(name, *at) or None\n"
    code += "from conformance.__main__ import run; run()"
    absent = ["try", str(octets), "--impl", "client:requests"]
    for more, status in (([], 3), (["--impl", "httplib_impl"], 0)):
        command = [sys.executable, "-c", code, *absent, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert "NOT_INSTALLED: this Python has no package" in done.stdout


def test_a_closed_output_is_one_that_nobody_reads() -> None:
    shell = 'exec "$0" -m conformance check --select chunked.two-chunks >&-'
    done = subprocess.run(
        ["/bin/sh", "-c", shell, sys.executable], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_results_for_which_there_is_no_room_are_an_error_that_names_the_place() -> None:
    done = process("check", "--select", "chunked.two-chunks", "--results", "/dev/full")
    assert done.returncode == 2
    assert (
        done.stderr == "httplib-kit: --results: cannot write /dev/full: No space left on device\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_all_commands_has_the_first_sentence_of_each(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    first = " ".join((command.help or "").split("\n\n", 1)[0].split())
    assert first.startswith(COMMANDS[name][2])


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        (["--help"], {"conformance.cases", "msgspec", "rich", "jinja2", "trustme", "mockserver"}),
        (["list"], {"mockserver", "rich", "jinja2", "trustme", "conformance.judge"}),
        (["show", "chunked.two-chunks"], {"jinja2", "trustme", "asyncio"}),
        (
            ["check", "--select", "chunked.two-chunks"],
            {"jinja2", "trustme", "asyncio", "hypothesis"},
        ),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], modules: set[str]) -> None:
    program = (
        "import atexit, sys\n"
        "from conformance.__main__ import run\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['httplib-kit', *{arguments!r}]\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert not modules & set(done.stderr.split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ["httplib_impl", "--select", "session.kept.*"],
            "httplib_impl: no selected case is for the interface of httplib; ",
        ),
        (
            ["client:httplib:httplib_impl", "--select", "interface.has.*"],
            "client:httplib:httplib_impl: no selected case asks a client; ",
        ),
    ],
)
def test_a_selection_of_cases_of_the_other_kind_is_explained(args: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["check", *args])
    assert done.exit_code == 3
    (line,) = [line for line in done.stderr.splitlines() if said in line]
    command = "`httplib-kit check client:httplib:httplib_impl --select 'session.kept.*'`"
    assert (command in line) is (args[0] == "httplib_impl")
