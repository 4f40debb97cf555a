"""Writes a case as a program: a few lines for a running server, or one stand-alone script.

The input is a case.  The output is Python source.  The stand-alone script contains a server thread,
the bytes, and the client's calls; it needs the standard library only, so that it can be pasted
unchanged into a bug report.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from conformance.cases import Case
from conformance.reproduce import standalone
from conformance.reproduce.catalogue import Entry, Ports, is_silent
from conformance.reproduce.code import (
    NotReproducible,
    checked_statement,
    octets_code,
    statement,
)
from mockserver import (
    Close,
    Drain,
    Dribble,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    Gate,
    Goto,
    Label,
    Pause,
    Read,
    ReadEof,
    ReadRequest,
    ReadUntil,
    Reply,
    Shutdown,
    Signal,
    Stall,
    Step,
    Tunnel,
    WritingStep,
)

_TAKEN = "wait until it is taken"
_HEAD = b"\r\n\r\n"
_OPTIONAL = {"opened(": standalone.opened, "SocketLike(": standalone.SocketLike}
_ALWAYS = (
    standalone.listen,
    standalone.play,
    standalone.wait,
    standalone.read,
    standalone.Missing,
    standalone.step,
    standalone.shown,
)
_MODULE = re.compile(
    r"\b(array|fcntl|io|os|socket|ssl|struct|tempfile|termios|threading|time|urllib\.request)\."
)
"""A use of a module that a program may need."""
_NAMES = "Plan = list[list[tuple[Any, ...]]]\nNAMES: dict[str, threading.Event] = {}"
_CONTEXT = '''
def context(kind):
    """Return a context that trusts the certificate authority of the server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
    made = ssl.create_default_context(cadata=opener.open("{ca}").read().decode())
    made.check_hostname = kind == "verify"
    made.verify_mode = ssl.CERT_NONE if kind == "unverified" else ssl.CERT_REQUIRED
    return made
'''


def snippet(entry: Entry, ports: Ports) -> str:
    """Return a few lines of Python for use with ``httplib-kit serve CASE``.

    Raises:
        NotReproducible: the case needs something that only the kit has.
    """
    case = entry.case
    if is_silent(case):
        raise NotReproducible("its port is chosen by the server; /_/cases.json lists it")
    if entry.how == "none" and case.script.connections:
        raise NotReproducible(entry.why_not)
    host = "" if case.host == ports.host else f" --host {case.host}"
    calls = [statement(op) for op in case.ops]
    parts = [
        f"# in another terminal: httplib-kit serve {case.id}{host}",
        *_imports(calls, "import httplib_impl as httplib"),
        "",
        f"HOST, PORT = {case.host!r}, {ports.http}",
    ]
    if any("context(" in call for call in calls):
        parts += [_CONTEXT.format(ca=f"http://{ports.at(ports.control)}/_/ca.pem")]
    return "\n".join([*parts, *calls]) + "\n"


def script(entry: Entry) -> str:
    """Return a stand-alone script.

    Raises:
        NotReproducible: the case needs something that only the kit has.
    """
    case = entry.case
    refuse = case.script.listener.mode == "refuse"
    if case.script.listener.mode == "connect_stall":
        raise NotReproducible(f"a listener that does {case.script.listener.mode} needs the kit")
    calls = "\n".join(checked_statement(op) for op in case.ops)
    if "context(" in calls or any("httplib.HTTPS(" in line for line in calls.splitlines()):
        raise NotReproducible("certificates need the kit")
    plan = "\n".join(_plan(case))
    used = [part for sign, part in _OPTIONAL.items() if sign in calls]
    sources = [_source(part) for part in (*_ALWAYS, *used)]
    code = "\n\n".join(sources)
    listen = f"HOST = {case.host!r}\nPORT = listen(HOST, CONNECTIONS{', True' if refuse else ''})"
    importing = 'httplib = importlib.import_module(sys.argv[1] if sys.argv[1:] else "http.client")'
    about = f'"""{case.id}: {case.title}.\n\nUsage: python SCRIPT [MODULE]\n"""'
    views = "Callable, ItemsView, KeysView, ValuesView"
    typing = (f"from collections.abc import {views}", "from typing import Any")
    imports = "\n".join(_imports([*sources, calls], "import importlib", "import sys", *typing))
    return "\n\n".join((about, imports, _NAMES, code, plan, f"{listen}\n{importing}\n{calls}\n"))


def _imports(parts: Iterable[str], *lines: str) -> list[str]:
    needed = {name for part in parts for name in _modules(part)}
    return sorted({*(f"import {name}" for name in needed), *lines})


@functools.lru_cache(maxsize=64)  # the parts that every script has are searched once
def _modules(code: str) -> frozenset[str]:
    more = ("ssl", "urllib.request") if "context(" in code else ()
    return frozenset((*_MODULE.findall(code), *more))


@functools.cache
def _source(part: Any) -> str:
    """Return the source of *part* without comments for linters."""
    return re.sub(r"  # (type|noqa):.*", "", inspect.getsource(part))


def _plan(case: Case) -> Iterator[str]:
    yield "CONNECTIONS = ["
    for connection in case.script.line:
        for _ in range(connection.times or 1):
            yield "    ["
            for one in _unrolled(connection.steps):
                yield from (f"        {line}," for line in _steps(one))
            yield "    ],"
    yield "]"


def _unrolled(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield *steps* with loops written out."""
    for index, step in enumerate(steps):
        if isinstance(step, Goto):
            again = steps[steps.index(Label(step.label)) + 1 : index]
            if step.times is None or any(isinstance(one, Goto) for one in again):
                raise NotReproducible("a loop without end, or in a loop, needs the kit")
            yield from (one for _ in range(step.times) for one in again)
        elif not isinstance(step, Label):
            yield step


def _steps(step: Step) -> Iterator[str]:
    """Yield the entries of a script's plan for *step*."""
    if isinstance(step, Dribble):
        for index, line in enumerate(_sends(step)):
            yield f'("{_TAKEN}",)'
            if index and step.every:
                yield f'("pause", {step.every})'
            yield line
    elif isinstance(step, WritingStep):
        if isinstance(step, Tunnel):
            yield f'("read", {_HEAD!r})'
        if isinstance(step, Reply) and step.delay:
            yield f'("pause", {step.delay})'
        yield from _sends(step)
        if isinstance(step, Reply) and step.framing == "close":
            yield '("end",)'
    elif type(step) in _PLANNED:
        yield from _PLANNED[type(step)](step)
    else:
        raise NotReproducible(f"the step {step.step_name} needs the kit")


def _to_the_end(_: Step) -> list[str]:
    return ['("read to the end",)']


_CLOSES = {"fin": ['("end",)'], "rst": ['("reset",)'], "abandon": []}
_PLANNED: Mapping[type[Step], Callable[[Any], list[str]]] = {
    ReadRequest: lambda _: [f'("read", {_HEAD!r})'],
    Read: lambda step: [f'("read", {step.n})'],
    ReadUntil: lambda step: [f'("read", {step.marker!r})'],
    ReadEof: _to_the_end,
    ExpectEof: _to_the_end,
    ExpectReset: _to_the_end,
    ExpectNoBytes: _to_the_end,
    Stall: _to_the_end,
    Expect: lambda _: [],
    Drain: lambda _: [f'("{_TAKEN}",)'],
    Gate: lambda step: [f'("wait for", {step.name!r})'],
    Signal: lambda step: [f'("signal", {step.name!r})'],
    Pause: lambda step: [f'("pause", {step.seconds})'],
    Shutdown: lambda _: _CLOSES["fin"],
    Close: lambda step: _CLOSES[step.how],
}


def _sends(step: WritingStep) -> Iterator[str]:
    for pieces in step.writes():
        yield f'("send", {octets_code(b"".join(piece.data for piece in pieces))})'
