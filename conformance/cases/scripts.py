"""Whether two cases have the same script: a key for what the server does on the wire.

The input is a case. The output is a short text, equal for cases whose servers do the same, however
their scripts are written: ``reply`` or ``send``, one ``send`` or three, a stall or a script that
ends without ``close``. A client plays each key once, so that no score counts a script twice. The
lint of the corpus compares what the cases of one key expect of a client, because the same bytes
must have the same expectation.

The key is of the script that the client profile plays, if the case has an expectation for that
profile. What the server only checks or records is not part of the key, because the client cannot
observe it. Large bodies are hashed while they are made and never stored.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from conformance.cases.fetch import client_case
from conformance.cases.model import Accept, Case, Fetch
from mockserver import (
    Close,
    Connection,
    Dispatch,
    Drain,
    Dribble,
    Expect,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    ReadEof,
    ReadRequest,
    Recipe,
    Reply,
    Route,
    Script,
    Send,
    Shutdown,
    Stall,
    Step,
    Tunnel,
    WritingStep,
)

_OPEN = "open"
_FIN = "fin"
_SILENT = (ReadEof, ExpectEof, ExpectReset, ExpectNoBytes, Stall)
"""Steps that send nothing until the client ends the connection."""
_BOUNDARY = "segment"

_Act = tuple[Any, ...]
_T = TypeVar("_T")


def script_key(case: Case, *, segments: bool = True) -> str:
    """Return the key of what the server does in *case*, equal for equal behaviour on the wire.

    Args:
        case: a case of either profile; if it states what a client may do, its script for the
            client profile is used.
        segments: whether the places matter at which the server waits until the client has received
            everything sent. They have no meaning in HTTP but find clients that read too much.
    """
    if case.session is not None:
        case = client_case(case)
    return key_of_script(case.script, segments)


def client_cases(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield those of *cases* that state what a client may do, each for the client profile.

    Of several cases with one GET and the same script, the one whose expectation compares most is
    yielded.
    """
    found = [case for case in cases if case.session is not None]
    return map(client_case, each_script_once(found, _key, _detail).values())


def _key(case: Case) -> str:
    return case.id if case.fetch is None else script_key(case)


def each_script_once(
    cases: Iterable[_T], key: Callable[[_T], str], detail: Callable[[_T], int]
) -> dict[str, _T]:
    """Return one of *cases* for each *key*: the first of those with the most *detail*."""
    found: dict[str, _T] = {}
    for case in cases:
        known = found.setdefault(key(case), case)
        if known is not case and detail(case) > detail(known):
            found[key(case)] = case
    return found


def _detail(case: Case) -> int:
    return 0 if case.fetch is None else detail_of(case.fetch)


def detail_of(fetch: Fetch) -> int:
    """Return how many parts of a response *fetch* compares."""
    accepts = [result for result in fetch.results if isinstance(result, Accept)]
    return sum(
        len(one.headers) + sum(part is not None for part in (one.status, one.reason, one.body))
        for one in accepts
    )


def key_of_script(script: Script, segments: bool = True) -> str:
    """Return the key of what *script* does; see `script_key`."""
    listener = (script.listener.mode, script.listener.receive_buffer)
    routed = any(isinstance(step, Dispatch) for one in script.line for step in one.steps)
    acts = (
        listener,
        tuple(_connection(one, segments) for one in script.line),
        tuple(_route(one, segments) for one in script.routes) if routed else (),
    )
    return hashlib.sha256(repr(acts).encode()).hexdigest()[:16]


def _connection(one: Connection, segments: bool) -> _Act:
    return one.times, _normal(one.steps, segments)


def _route(one: Route, segments: bool) -> _Act:
    others = (one.path, one.prefix, one.pattern, one.query, one.headers, one.json)
    more = others if others != (None, None, None, None, None, ...) else ()
    return one.method, one.target, one.times, one.body, _normal(one.steps, segments), *more


def _normal(steps: Iterable[Step], segments: bool) -> tuple[_Act, ...]:
    """Return what the server does by *steps*: each run of bytes as one digest, then its end."""
    normal: list[_Act] = []
    run, length = hashlib.sha256(), 0
    for act in _acts(steps):
        if act[0] == "write":
            run.update(act[1])
            length += len(act[1])
            continue
        if act[0] == _BOUNDARY and (not segments or not length):
            continue
        if length:
            normal.append(("write", length, run.hexdigest()))
            run, length = hashlib.sha256(), 0
        normal.append(act)
    if length:
        normal.append(("write", length, run.hexdigest()))
    return tuple(_with_end(normal))


def _with_end(acts: list[_Act]) -> list[_Act]:
    """Return *acts* with the end of the connection in a canonical form."""
    # At the end of a script, a shutdown looks like a FIN to the client, and a wait does not show.
    while acts and acts[-1][0] in (_BOUNDARY, _OPEN):
        acts = acts[:-1]
    if acts and acts[-1][0] == "shutdown":
        acts = [*acts[:-1], (_FIN,)]
    if acts and acts[-1] == (_FIN,) and acts[-2:-1] == [(_BOUNDARY,)]:
        acts = [*acts[:-2], (_FIN,)]
    return acts if acts and acts[-1] in ((_FIN,), ("rst",)) else [*acts, (_OPEN,)]


def _acts(steps: Iterable[Step]) -> Iterator[_Act]:
    for step in steps:
        if isinstance(step, WritingStep):
            yield from _written(step)
        elif isinstance(step, Close):
            yield (_OPEN if step.how == "abandon" else step.how,)
        elif isinstance(step, _SILENT):
            yield (_OPEN,)
        elif isinstance(step, Drain):
            yield (_BOUNDARY,)
        elif isinstance(step, ReadRequest):
            yield "read_request", step.body
        elif isinstance(step, Shutdown):
            yield ("shutdown",)
        elif not isinstance(step, Expect):
            yield (repr(step),)


def _written(step: WritingStep) -> Iterator[_Act]:
    if isinstance(step, Tunnel):
        yield ("tunnel",)  # the server reads CONNECT before it answers
    if silence := getattr(step, "delay", 0) or getattr(step, "every", 0):
        yield "silence", silence
    if isinstance(step, Send) and isinstance(step.data, Recipe):
        yield from (("write", block) for block in step.data.blocks())
        return
    for pieces in step.writes():
        for piece in pieces:
            yield "write", piece.data
        if isinstance(step, Dribble):
            yield (_BOUNDARY,)
    if isinstance(step, Reply) and step.framing == "close":
        yield (_FIN,)
