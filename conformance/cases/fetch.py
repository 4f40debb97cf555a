"""The client profile: a case as any HTTP client can run it, by one op, `fetch`.

In: the ``fetch`` table of a case, and cases that have one.  Out: what a client may come to, and
cases with one op and one kind of connection.  This is a pure function from case to case, as grids
and sweeps are; what comes behind it knows no profile but by the judge.

A client that repeats its request by itself meets the same octets again, and after `MOST`
connections a closed door: so its result is one of these octets, however often it tries.  Whatever
the script holds for a second connection is about httplib's interface and is not played.

Where the expectation says `may_wait`, nothing tells a client that no more will come: the head does
not end, or an interim response is all there is. There the server ends a connection that the script
leaves open, so that no client is judged by its patience.
"""

import dataclasses
from collections.abc import Iterable

from conformance.cases.errors import CaseError, within
from conformance.cases.model import Accept, Case, Fetch, Op, Reject
from conformance.cases.octets import octets
from conformance.cases.tables import (
    AcceptTable,
    Dimensions,
    FetchResult,
    FetchTable,
    FieldTable,
    ValueTable,
)
from conformance.cases.values import Expected, expected
from mockserver import (
    Close,
    Connection,
    Dispatch,
    ExpectEof,
    ExpectNoBytes,
    ExpectReset,
    ReadEof,
    ReadRequest,
    Reply,
    Script,
    Shutdown,
    Stall,
    Step,
)

FETCH = Op("fetch", {"id": "fetch", "on": "client", "call": "fetch", "args": [], "kwargs": {}})
"""The op of the client profile; the ``run`` message that it comes with names the ``url``."""
MOST = 10
"""Connections that a client gets for one `fetch`."""
_REQUESTS = (ReadRequest, Dispatch)
_WAITING = (ReadEof, ExpectEof, ExpectReset, ExpectNoBytes, Stall)


def expectation(table: FetchTable, rfc: Iterable[str]) -> Fetch:
    """Return what *table* expects of a client; *rfc* are the sections that the case itself cites.

    Raises:
        CaseError: naming the result and its field.
    """
    results = tuple(
        within(f"expect[{index}]", _result, result) for index, result in enumerate(table.expect)
    )
    sections = tuple(table.rfc) or tuple(rfc)
    return Fetch(table.strength, results, sections, may_wait=table.may_wait)


def _result(result: str | FetchResult) -> Accept | Reject:
    if isinstance(result, str):
        return Reject()
    if result.accept is not None:
        return within("accept", _accept, result.accept)
    given = result.reject
    return Reject((given,) if isinstance(given, str) else tuple(given or ()))


def _accept(table: AcceptTable) -> Accept:
    headers = {name.lower(): _field(value) for name, value in table.headers.items()}
    if len(headers) != len(table.headers):
        raise CaseError("two names differ in nothing but case", field="headers")
    return Accept(
        status=table.status,
        reason=None if table.reason is None else within("reason", octets, table.reason),
        body=None if table.body is None else within("body", octets, table.body),
        headers=headers,
    )


def _field(value: str | FieldTable) -> Expected:
    if isinstance(value, str):
        return within("headers", expected, value)
    return within("headers", expected, ValueTable(matches=value.matches))


def client_case(case: Case) -> Case:
    """Return *case* for the client profile.

    Of the dimensions only `cut` is left: read styles are httplib's, and another end of the
    connection is another expectation.

    Raises:
        ValueError: it says nothing about clients of other interfaces.
    """
    if case.fetch is None:
        raise ValueError(f"{case.id} has no expectation for clients of other interfaces")
    if case.profile == "client":
        return case
    return dataclasses.replace(
        case,
        profile="client",
        script=first_answer(case.script, may_wait=case.fetch.may_wait),
        ops=(FETCH,),
        needs=frozenset(),
        certificates=False,
        sweep=Dimensions(cut=case.sweep.cut, read_style=["read()"], end=["fin"], reuse=["fresh"]),
    )


def first_answer(script: Script, *, may_wait: bool) -> Script:
    """Return *script* with nothing but what answers the first request, again and again."""
    if not script.connections:
        return script
    steps = script.connections[0].steps
    asked = [index for index, step in enumerate(steps) if isinstance(step, _REQUESTS)]
    kept = steps[: asked[1]] if len(asked) > 1 else steps
    routes = script.routes if any(isinstance(step, Dispatch) for step in kept) else ()
    if may_wait and not routes:
        kept = _with_an_end(kept)
    return Script((Connection(kept, optional=True, times=MOST),), script.listener, routes)


def _with_an_end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return *steps* with the end of the stream after them, where they leave it open."""
    while steps and isinstance(steps[-1], _WAITING):
        steps = steps[:-1]
    last = steps[-1] if steps else None
    ends = isinstance(last, Close | Shutdown) or (
        isinstance(last, Reply) and last.framing == "close"
    )
    return steps if ends else (*steps, Close())
