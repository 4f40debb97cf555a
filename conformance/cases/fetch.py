"""The client profile: a case in a form that any HTTP client can run.

The input is the accepted results of one exchange, and cases that state what a client may do. The
output is the `Fetch` of an exchange, and cases of the client profile. A case with a ``session`` has
that profile from the beginning; one with ``fetch`` is reduced here to one op and one kind of
connection. As in grids and sweeps, these are pure functions from case to case; of the later stages,
only the judge treats profiles differently.

A client that repeats its request automatically gets the same bytes again, on up to `MOST`
connections; further ones are refused. So its result always depends on the same bytes, however often
it repeats. The script's answers to later requests, and on later connections, test the interface of
httplib and are not played.

`may_wait` means that the client has no way to detect that nothing more will be sent: the head does
not end, or the only response is an interim one. In such a case the server closes a connection that
the script leaves open, so that the verdict does not depend on a client's timeout.
"""

import dataclasses
from collections.abc import Iterable

from conformance.cases.errors import CaseError, within
from conformance.cases.model import Accept, Case, Exchange, Fetch, Op, Reject, Session
from conformance.cases.octets import Bytes, short_or_recipe
from conformance.cases.tables import (
    AcceptTable,
    Dimensions,
    FetchResult,
    FetchTable,
    FieldTable,
    ValueTable,
)
from conformance.cases.values import Expected, Octets, expected
from conformance.cases.words import Scheme
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
"""The op of the client profile; the ``run`` message that contains it also has the ``url``."""
MOST = 10
"""The number of connections that the server accepts for one `fetch`."""
_REQUESTS = (ReadRequest, Dispatch)
_WAITING = (ReadEof, ExpectEof, ExpectReset, ExpectNoBytes, Stall)


def expectation(table: FetchTable, rfc: Iterable[str]) -> Fetch:
    """Return the expectation in *table*; *rfc* are the sections that the case itself cites.

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
        reason=None if table.reason is None else within("reason", _octets, table.reason),
        body=None if table.body is None else within("body", _octets, table.body),
        headers=headers,
    )


def _octets(spec: Bytes) -> Octets:
    return Octets((short_or_recipe(spec),))


def _field(value: str | FieldTable) -> Expected:
    if isinstance(value, str):
        return within("headers", expected, value)
    return within("headers", expected, ValueTable(matches=value.matches))


def one_get(fetch: Fetch, scheme: Scheme = "http", proxy_to: str = "") -> Session:
    """Return the session of one GET whose response is read."""
    return Session((Exchange(FETCH, fetch),), scheme, proxy_to)


def needs(one: Session) -> frozenset[str]:
    """Return the optional features of a client that *one* uses."""
    found: set[str] = set()
    for exchange in one.exchanges:
        given = exchange.op.message["kwargs"]
        found.update(name for name in ("streamed", "expect_continue") if name in given)
        found.update([given["consume"]] if "consume" in given else ())
        found.update(["parallel"] if exchange.parallel else ())
    if one.proxy_to:
        found.add("connect" if one.is_secure else "proxy")
    elif one.is_secure:
        found.add("tls")
    if one.proxy_user:
        found.add("proxy_credentials")
    return frozenset(name.replace("_", "-") for name in found)


def client_case(case: Case) -> Case:
    """Return *case* for the client profile.

    Of the dimensions of a sweep only `cut` remains: read styles exist only in httplib's interface,
    and a different end of the connection would require a different expectation.

    Raises:
        ValueError: the case states nothing about clients of other interfaces.
    """
    if case.session is None:
        raise ValueError(f"{case.id} has no expectation for clients of other interfaces")
    if case.profile == "client":
        return case
    (exchange,) = case.session.exchanges
    return dataclasses.replace(
        case,
        profile="client",
        script=first_answer(case.script, may_wait=exchange.fetch.may_wait),
        ops=(FETCH,),
        needs=needs(case.session),
        certificates=case.session.is_secure,
        sweep=Dimensions(cut=case.sweep.cut, read_style=["read()"], end=["fin"], reuse=["fresh"]),
    )


def first_answer(script: Script, *, may_wait: bool) -> Script:
    """Return *script* reduced to the answer to the first request, repeated on each connection."""
    if not script.connections:
        return script
    steps = script.connections[0].steps
    # The steps from the second request on belong to a later exchange.
    asked = [index for index, step in enumerate(steps) if isinstance(step, _REQUESTS)]
    kept = steps[: asked[1]] if len(asked) > 1 else steps
    routes = script.routes if any(isinstance(step, Dispatch) for step in kept) else ()
    if may_wait and not routes:
        kept = _with_an_end(kept)
    return Script((Connection(kept, optional=True, times=MOST),), script.listener, routes)


def _with_an_end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return *steps* with a close after them, if they leave the connection open."""
    while steps and isinstance(steps[-1], _WAITING):
        steps = steps[:-1]
    last = steps[-1] if steps else None
    ends = isinstance(last, Close | Shutdown) or (
        isinstance(last, Reply) and last.framing == "close"
    )
    return steps if ends else (*steps, Close())
