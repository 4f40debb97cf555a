"""What `show` tells is what a run sends, and what it gives to paste works."""

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cases import Case, Corpus, load_corpus, sent_octets
from conformance.cli.show import show
from conformance.drivers import target
from conformance.reproduce import FORMS, Catalogue, Entry, NotReproducible, Ports, reproduce
from conformance.reproduce.programs import _steps
from conformance.serve import Server
from conformance.tests.conftest import LATE, ROOT
from conformance.tests.support import EVERY, played_whole
from mockserver import Dribble, Goto, MockServer, Record, Reply, Starttls

ANY = Ports("127.0.0.1", 0, 0, 0, 0)
ROLE = 4 + 15 + 2
"""How far the role of octets is set off by `show`."""


@cache
def corpus() -> Corpus:
    return load_corpus()


def entry(case: Case) -> Entry:
    return Catalogue(corpus(), case.id).entries[case.id]


def case_called(name: str) -> Case:
    return next(iter(corpus().select([name])))


def samples() -> list[Case]:
    """Up to three of every family without certificates, from its beginning, middle and end."""
    found: list[Case] = []
    for _, group in groupby(EVERY, key=lambda case: case.family):
        cases = [case for case in group if case.script.connections and not uses_tls(case)]
        cases = [case for case in cases if not tells_a_descriptor(case)]
        chosen = [cases[0], cases[len(cases) // 2], cases[-1]] if cases else []
        found += filter(has_script, chosen)
    return found


def uses_tls(case: Case) -> bool:
    steps = [step for connection in case.script.connections for step in connection.steps]
    return case.certificates or any(isinstance(step, Starttls) for step in steps)


def tells_a_descriptor(case: Case) -> bool:
    """Whether a call gives a number that differs from process to process."""
    return any(op.message.get("call") == "fileno" for op in case.ops)


def has_loop(case: Case) -> bool:
    """Whether steps are played more often than they are shown."""
    return any(isinstance(step, Goto) for one in case.script.connections for step in one.steps)


def has_script(case: Case) -> bool:
    try:
        return bool(reproduce(entry(case), "script"))
    except NotReproducible:
        return False


SAMPLES = samples()
each_sample = pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case.id)


def test_every_family_is_sampled() -> None:
    on_connections = (case for case in EVERY if case.script.connections)  # others answer by route
    assert {case.family for case in SAMPLES} == {case.family for case in on_connections}


def run(case: Case) -> tuple[list[Mapping[str, Any]], Record]:
    """The trace of the reference, and the server's record."""
    driver = target("httplib_impl").make()
    message = {"type": "run", "id": case.id, "ops": [op.message for op in case.ops]}
    try:
        with MockServer(host=case.host, patience=10.0) as server:
            play = server.play(case.script)
            trace = driver.run({**message, "address": play.address})
            record = play.finish()
    finally:
        driver.stop()
    return list(trace), record


def shown_octets(name: str) -> list[bytes]:
    """The octets of each connection, read back from what `show` prints."""
    done = CliRunner().invoke(show, [name], env={"FORCE_COLOR": None})
    assert done.exit_code == 0, done.output
    connections: list[bytes] = []
    for line in done.output.splitlines():
        if line.startswith("server, connection "):
            connections.append(b"")
        elif line == "client":
            return connections
        elif line.startswith("    "):
            connections[-1] += hidden(line[ROLE:])
    raise AssertionError(done.output)


def hidden(text: str) -> bytes:
    """The octets that visible text stands for."""
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


@pytest.mark.parametrize(
    "case", [case for case in SAMPLES if not has_loop(case)], ids=lambda case: case.id
)
def test_the_octets_shown_are_the_octets_sent(case: Case) -> None:
    _, record = run(case)
    shown = shown_octets(case.id)
    assert shown == [sent_octets(connection) for connection in case.script.connections]
    for seen, told, played in zip(record.connections, shown, case.script.connections, strict=False):
        assert told[: len(seen.sent)] == seen.sent
        assert seen.unplayed or seen.sent in played_whole(played)


@each_sample
def test_the_shell_prints_the_octets_of_the_case(case: Case) -> None:
    command = reproduce(entry(case), "raw")
    done = subprocess.run(["sh"], input=command.encode(), capture_output=True, check=True)
    assert done.stdout == b"".join(map(sent_octets, case.script.connections))


@each_sample
def test_the_stand_alone_script_shows_what_a_run_shows(case: Case, tmp_path: Path) -> None:
    trace, _ = run(case)
    path = tmp_path / "script.py"
    path.write_text(reproduce(entry(case), "script"), encoding="utf-8")
    done = python(str(path), "httplib_impl")
    assert done.stderr == ""
    wanted = "".join(f"{one['id']}: {entry_told(one)}\n" for one in trace)
    assert compared(case, done.stdout) == compared(case, wanted)


def compared(case: Case, printed: str) -> list[str]:
    """The lines of ops that can say only one thing, without ports.

    What the caller keeps is no result of the client: a script has a dict where a run has a mapping.
    """
    loose = {op.id for op in case.ops if op.message["on"] == "agent"}
    loose |= {
        name
        for outcome in case.outcomes
        for name, expectation in outcome.ops.items()
        if expectation.anything
    }
    lines = re.sub(r"\b\d{5}\b", "PORT", printed).splitlines()
    return [line for line in lines if line.partition(":")[0] not in loose]


def entry_told(one: Mapping[str, Any]) -> str:
    if "error" in one:
        return f"{one['error']['class'].rpartition('.')[2]}: {one['error']['message']}"
    return "not called" if "skipped" in one else told(one["value"])


def told(value: Any) -> str:
    """A value of the driver protocol, as the script prints such a value."""
    if isinstance(value, list):
        return "[" + ", ".join(map(told, value)) + "]"
    if not isinstance(value, dict):
        return repr(value)
    match value["type"]:
        case "bytes":
            return repr(value["value"].encode("latin-1"))
        case "text":
            return repr(value["value"])
        case "int":
            return repr(int(value["value"], 16))
        case "tuple":
            return told(value["value"])
        case "mapping":
            return "{" + ", ".join(f"{told(k)}: {told(v)}" for k, v in value["value"]) + "}"
        case _:
            return f"<{value['class'].rpartition('.')[2]}>"


def python(*args: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=LATE
    )


def test_the_stand_alone_script_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    case = case_called("chunked.two-chunks")
    path.write_text(reproduce(entry(case), "script"), encoding="utf-8")
    done = python("-I", "-S", "-W", "error", str(path))
    assert done.stderr == ""
    assert "read: b'helloworld'\n" in done.stdout


def test_the_snippet_runs_against_a_server() -> None:
    case = case_called("chunked.two-chunks")
    with Server(corpus(), ANY, only=case.id) as server:
        done = python("-c", reproduce(entry(case), "python", server.ports))
    assert done.stderr == ""
    assert done.stdout == "False\nb'helloworld'\nTrue\nb''\n"


def test_the_snippet_of_a_verifying_client_knows_the_authority() -> None:
    case = next(
        case
        for case in EVERY
        if case.id.startswith("tls.") and "'verify'" in form_of(case, "python")
    )
    with Server(corpus(), ANY, only=case.id) as server:
        done = python("-c", reproduce(entry(case), "python", server.ports))
    assert "NameError" not in done.stderr
    assert f":{server.ports.control}/_/ca.pem" in reproduce(entry(case), "python", server.ports)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(
    "name", ["framing.to-the-end.large", "tls.exchange.get", "tunnel.exchange.plain"]
)
def test_the_command_gets_the_octets(name: str) -> None:
    case = case_called(name)
    with Server(corpus(), ANY) as server:
        command = reproduce(Catalogue(corpus()).entries[case.id], "curl", server.ports)
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, check=False, timeout=LATE
        )
    assert done.stdout == sent_octets(case.script.connections[0])


@pytest.mark.parametrize("case", EVERY[::97], ids=lambda case: case.id)
def test_every_case_has_each_form_or_a_reason(case: Case) -> None:
    for form in FORMS:
        text = form_of(case, form)
        assert text.endswith("\n")
        if form in ("python", "script"):
            compile(text, case.id, "exec")


def form_of(case: Case, form: str) -> str:
    """The form, or the reason why there is none, as a comment."""
    try:
        return reproduce(entry(case), form)
    except NotReproducible as reason:
        return f"# {reason}\n"


def test_show_gives_one_form_or_all_of_them() -> None:
    name = "chunked.two-chunks"
    every = CliRunner().invoke(show, [name, "--reproduce"]).output
    for form in FORMS:
        one = CliRunner().invoke(show, [name, "--reproduce", form]).output
        assert one == reproduce(entry(case_called(name)), form)
        assert f"# {form}\n{one}" in every


def test_a_form_that_a_case_does_not_have_is_an_error_in_one_line() -> None:
    name = next(case.id for case in EVERY if not case.script.line)
    done = CliRunner().invoke(show, [name, "--reproduce", "curl"])
    assert done.exit_code == 2
    assert f"no curl for {name}: " in done.output


def on_a_terminal(name: str, **variables: str) -> str:
    """What `show` writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")
    }
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "conformance", "show", name]
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env=environment):
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # on Linux a terminal ends with EIO
            while data := os.read(ours, 65536):
                written += data
    os.close(ours)
    return written.decode()


def test_a_terminal_gets_colours_and_a_pipe_the_same_text() -> None:
    name = "chunked.two-chunks"
    coloured = on_a_terminal(name)
    assert "\x1b[1;36mHTTP/1.1 200 OK" in coloured
    assert "\x1b[2;31m\\r\\n\x1b[0m\r\n" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace("\r\n", "\n")
    piped = CliRunner().invoke(show, [name]).output
    assert "\x1b" not in piped
    assert plain == piped


def test_no_color_is_honoured() -> None:
    written = on_a_terminal("chunked.two-chunks", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", written)


def test_silence_is_part_of_the_plan() -> None:
    assert next(iter(_steps(Reply(delay=2)))) == '("pause", 2)'
    plan = list(_steps(Dribble(b"ab", every=0.5)))
    assert plan.count('("pause", 0.5)') == 1
    assert plan.index('("pause", 0.5)') == 3
