"""``httplib-kit try``: any bytes, without a case, and what each implementation does with them.

The input is a file of bytes, and implementations.  The output is their calls side by side, and, if
requested, a case file with these bytes to edit.
"""

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from certs import CertificateAuthority
from conformance.cases import Accept, Case, Fetch, Reject, load_text, page
from conformance.cli.options import deadline_option
from conformance.drivers import OURS, targets
from conformance.judge import (
    ERRORS,
    NOT_RUN,
    Observation,
    Verdict,
    entry_text,
    error_text,
    response_text,
)
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_NOTHING,
    EXIT_OK,
    Refused,
    WholeFile,
    inert_line,
    visible_text,
)
from conformance.results.golden import stable_observation
from conformance.run import Runner

MOST = 16 * 1024 * 1024
"""Bytes that are played at most; a case file may contain a few times as many."""
_COLUMN = 44
_SKELETON = """\
family = "framing"

[[case]]
id = {id}
title = {title}
level = "observe"                          # documented, precedent or guard, once it has outcomes
spec = ["HTTPConnection.getresponse"]      # the requirements that it is about
why = "to be said"
connections = [ [ {{ read_request = {{}} }}, {{ send = {octets} }}, {end} ] ]
ops = [
  {{ call = "request", args = [{method}, "/"] }},
  {{ call = "getresponse" }},
  {{ get = "version" }},
  {{ get = "status" }},
  {{ get = "reason" }},
  {{ call = "getheaders" }},
  {{ call = "read" }},
  {{ call = "isclosed" }},
]
# [[case.outcome]]                         # what must be seen, for each op that is compared
# status = 200
# read = "hello"
"""
_ENDS = {"fin": '{ close = "fin" }', "rst": '{ drain = {} }, { close = "rst" }', "open": ""}


@click.command("try")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option(
    "--impl",
    "implementations",
    multiple=True,
    metavar="IMPL",
    help="An implementation, written as for check (repeatable); by default httplib_impl.",
)
@deadline_option
@click.option("--method", default="GET", show_default=True, help="The method of the request.")
@click.option(
    "--end",
    type=click.Choice([*_ENDS]),
    default="fin",
    show_default=True,
    help="How the connection ends after the bytes: FIN, a reset, or not at all.",
)
@click.option(
    "--save-case",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the bytes as a new case file for you to edit; no file is replaced.",
)
@click.pass_context
def try_octets(
    ctx: click.Context,
    file: Any,
    implementations: tuple[str, ...],
    deadline: float,
    method: str,
    end: str,
    save_case: Path | None,
) -> None:
    """Send the bytes of FILE to each IMPL; compare what they do.

    FILE is `-` for standard input. The kit reads one request and answers it with these bytes.
    Nothing is judged: the result of each call is shown, one column for each IMPL. An IMPL that
    makes no progress hangs: the kit resets its connection. Exit codes: 0 all calls ended, 1 an IMPL
    hung or crashed, 2 an error of the kit, of a driver or in the usage, 3 nothing was run.
    """
    if save_case is not None and save_case.is_file():  # it may be FILE
        raise click.UsageError(f"--save-case: {save_case} is there already")
    octets = file.read(MOST + 1)
    if len(octets) > MOST:
        raise click.UsageError(f"{file.name}: more than {MOST} bytes")
    found = [one for written in implementations or (OURS,) for one in targets(written)]
    name = save_case.stem if save_case is not None else "tried"
    text = case_text(octets, name, method, end)
    case = load_text(text, f"{name}.toml")[0]
    if save_case is not None:
        _save(save_case, text)
    tried = [_tried(one, case, deadline, method) for one in found]
    _tell(case, tried)
    if save_case is not None:
        click.echo(
            f"\n{save_case} is a case file now; {page('fixtures/README.md')} describes the format"
        )
    ctx.exit(_exit_code(tried))


def case_text(octets: bytes, name: str, method: str, end: str) -> str:
    """Return a case file with one case, which plays *octets*.

    Args:
        octets: the bytes that the server sends.
        name: the name of the file, from which the id is made.
        method: the method of the request.
        end: how the connection ends: ``fin``, ``rst`` or ``open``.
    """
    slug = "-".join(
        "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()
    )
    return _SKELETON.format(
        id=_string(f"tried.{slug or 'bytes'}"),
        title=_string(f"Bytes of {slug or 'a file'}"[:70]),
        octets=_string(octets.decode("latin-1")),
        end=_ENDS[end],
        method=_string(method),
    )


def _string(text: str) -> str:
    """Return *text* as a TOML basic string, whose escapes are those of JSON except for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def _save(path: Path, text: str) -> None:
    try:
        WholeFile(path).write(text.encode())
    except Refused as error:
        raise click.UsageError(f"--save-case: {error}") from None


@dataclass(frozen=True, slots=True)
class _Tried:
    """What one implementation did with the bytes.

    Args:
        label: the name of the implementation.
        calls: the result of each call, by op.
        ended: why there are no calls, or why they ended early.
        verdict: the verdict on a judged run with these calls.
    """

    label: str
    calls: Mapping[str, str]
    verdict: Verdict
    ended: str = ""


def _tried(one: Any, case: Case, deadline: float, method: str) -> _Tried:
    seen: list[Observation] = []
    anything = dataclasses.replace(case, fetch=Fetch("may", (Reject(), Accept()), ()))
    with Runner(
        one,
        CertificateAuthority(),
        deadline=deadline,
        witness=lambda _, what: seen.append(what),
    ) as runner:
        if runner.identity.is_client and method != "GET":
            problem = f"{one.written} sends GET and nothing else"
            raise click.UsageError(f"--method: {problem}; leave {method!r} or this --impl out")
        label = f"{one.written} {runner.identity.version}".rstrip()
        result = runner.run_case(anything)
    verdict = Verdict(result.verdict)
    if not seen:
        return _Tried(label, {}, verdict, f"{result.verdict}: {result.reason}")
    observation = stable_observation(seen[0])
    calls = {name: _entry_text(entry) for name, entry in observation.trace.items()}
    ends = [_ENDS_SEEN.get(str(one.after), str(one.after)) for one in observation.connections]
    ended = ""
    if verdict is Verdict.HANG:
        ended = f"{verdict}: {result.reason}"
        calls.update(_after_the_reset(observation.trace.values()))
        ends = ["reset by the kit" for _ in ends]
    calls["connection"] = ", ".join(ends) or "none was made"
    return _Tried(label, calls, verdict, ended)


_ENDS_SEEN = {"gone": "reset by the server", "None": "cannot be seen"}
_WAITED = "still waiting when the kit gave up"
_FAILED = "fails, as the kit had reset the connection"


def _after_the_reset(trace: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the calls whose errors come from the kit's own reset, with the text shown instead.

    The first of these errors is the result of the call that hung.  An error that is not of a socket
    was raised before the kit gave up, unless nothing else can have ended the case.
    """
    failed = [entry for entry in trace if "error" in entry]
    of_sockets = [entry for entry in failed if _is_of_a_socket(entry["error"])]
    for index, entry in enumerate(of_sockets or failed[-1:]):
        yield str(entry["id"]), _FAILED if index else _WAITED


def _is_of_a_socket(error: Mapping[str, Any]) -> bool:
    """Return whether *error* or one of its bases is an error of the system or of TLS."""
    names = [str(error.get("class", "")), *map(str, error.get("bases", ()))]
    return "category" in error or any(name.rpartition(".")[2] in _SOCKET_ERRORS for name in names)


_SOCKET_ERRORS = frozenset({"OSError", "IOError", "EnvironmentError", "error", "SSLError"})


def _exit_code(tried: Iterable[_Tried]) -> int:
    """Return 2 after an error of kit or driver, 1 if one hung or died, 3 if none ran."""
    verdicts = {one.verdict for one in tried}
    if verdicts & ERRORS:
        return EXIT_ERROR
    if verdicts & {Verdict.HANG, Verdict.CRASH}:
        return EXIT_FAILED
    return EXIT_OK if verdicts - NOT_RUN else EXIT_NOTHING


def _entry_text(entry: Mapping[str, Any]) -> str:
    if "error" in entry and "category" in entry["error"]:
        return error_text(entry["error"])
    value = entry.get("value")
    if isinstance(value, dict) and value.get("type") == "response":
        return response_text(value)
    return entry_text(entry)


def _tell(case: Case, tried: Sequence[_Tried]) -> None:
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 20 + (_COLUMN + 2) * len(tried)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for one in tried:
        table.add_column(Text(visible_text(one.label)), overflow="fold", max_width=_COLUMN)
    texts = {"fetch": "fetch", **{op.id: op.text for op in case.ops}, "connection": "connection"}
    for name, text in texts.items():
        if any(name in one.calls for one in tried):
            cells = [Text(visible_text(one.calls.get(name, ""))) for one in tried]
            table.add_row(Text(_call(text)), *cells)
    if any(one.ended for one in tried):
        table.add_row(Text("outcome"), *(Text(visible_text(one.ended)) for one in tried))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(inert_line(line.rstrip()))


def _call(text: str) -> str:
    return "new connection" if text.startswith("module.") else text
