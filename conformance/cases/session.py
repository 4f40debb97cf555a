"""Sessions: the exchanges of one client, from the tables of a case to `Exchange` values.

The input is the ``session`` or the ``fetch`` table of a case. The output is a `Session`, of which
``fetch`` is the short form: one GET whose response is read. Everything later (the lane, the judge,
the reports) is given exchanges and does not know which form the file has.

A request is recognised on the wire by its request line. So no two exchanges of a session have the
same method and target, and no body has a part that looks like a request line.

The kit is at rest between two exchanges: a client begins one only when the server has nothing left
to do and nothing is in flight. A ``gate`` with the id of an exchange opens when that exchange is
complete. So a server can act while a connection is idle, without a pause and without a race.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from conformance.cases.errors import CaseError, within
from conformance.cases.fetch import expectation, one_get
from conformance.cases.model import (
    Arrivals,
    Ending,
    Exchange,
    Op,
    Placement,
    Session,
)
from conformance.cases.octets import octets_text
from conformance.cases.tables import (
    ArrivesTable,
    CaseTable,
    EndingTable,
    ExchangeTable,
    FetchTable,
    PlacementTable,
    SessionTable,
)
from conformance.cases.words import Strength
from mockserver import Gate, Script, Signal

EXCHANGE = "exchange"
"""The op of a session; its keyword arguments are the request and how the response is consumed."""
WAIT = 0.2
"""Seconds for which a client waits that consumes a response with ``timeout``."""
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""The methods that a client may repeat without being asked (RFC 9110, 9.2.2)."""
_IN_A_REQUEST_LINE = " HTTP/1."


def session(table: CaseTable, script: Script) -> Session | None:
    """Return the session of *table*; None if it states nothing about clients.

    Args:
        table: the case.
        script: what the server plays; its gates are checked.

    Raises:
        CaseError: naming the exchange and its field.
    """
    if table.fetch is not None and table.session is not None:
        raise CaseError("`fetch` is short for a `session`; give one of them", field="fetch")
    if table.fetch is not None:
        fetch = within("fetch", expectation, table.fetch, table.rfc)
        return one_get(fetch, table.fetch.scheme, table.fetch.proxy_to or "")
    if table.session is None:
        return None
    _check_case(table)
    exchanges = tuple(within("session", _exchanges, table.session, tuple(table.rfc)))
    given = table.session
    if given.proxy_user and not given.proxy_to:
        raise CaseError("credentials are for a proxy; add `proxy_to`", field="session.proxy_user")
    made = Session(exchanges, given.scheme, given.proxy_to or "", given.proxy_user or "")
    _check_gates(made, script)
    return made


def is_about_closing(table: SessionTable) -> bool:
    """Return whether a request of the session says ``close``, so that the case is about that."""
    fields = (pair for one in table.exchanges for pair in one.fields.items())
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in fields)


def _check_case(table: CaseTable) -> None:
    """Refuse in a case with a session what is only for the interface of httplib."""
    if table.level != "observe":
        problem = "the level is about httplib's interface; a case with a session has `observe`"
        raise CaseError(problem, field="level")
    for key in ("ops", "outcome"):
        if getattr(table, key):
            problem = f"a case with a session has exchanges, and no `{key}`"
            raise CaseError(problem, field=key)


def _check_gates(made: Session, script: Script) -> None:
    parts = [one.steps for one in script.connections] + [one.steps for one in script.routes]
    steps = [step for one in parts for step in one]
    known = {one.id for one in made.exchanges}
    known.update(step.name for step in steps if isinstance(step, Signal))
    for step in steps:
        if isinstance(step, Gate) and step.name not in known:
            problem = f"nothing opens the gate {step.name!r}: it is no exchange and no signal"
            raise CaseError(problem, field="session")


def _exchanges(table: SessionTable, rfc: tuple[str, ...]) -> Iterator[Exchange]:
    lines: set[tuple[str, str]] = set()
    ids: list[str] = []
    for index, one in enumerate(table.exchanges):
        name = one.id or str(index + 1)
        place = f"exchanges[{index}]"
        if (one.method, one.target) in lines:
            problem = f"an earlier exchange is {one.method} {one.target} too; change the target"
            raise CaseError(problem, field=f"{place}.target")
        if name in ids:
            raise CaseError(f"the id {name!r} is taken", field=f"{place}.id")
        if one.parallel and not ids:
            raise CaseError("the first exchange has none to be parallel to", field=place)
        sections = tuple(one.rfc) or tuple(table.rfc) or rfc
        strength = one.strength or table.strength
        yield within(place, _exchange, one, name, ids, strength, sections)
        ids.append(name)
        lines.add((one.method, one.target))


def _exchange(
    one: ExchangeTable, name: str, before: list[str], strength: Strength, rfc: tuple[str, ...]
) -> Exchange:
    wanted = FetchTable(strength=strength, expect=one.expect)
    message = {"id": name, "on": "client", "call": EXCHANGE, "args": [], "kwargs": _request(one)}
    return Exchange(
        Op(name, message),
        expectation(wanted, rfc),
        _arrivals(one, rfc),
        None if one.on is None else within("on", _placement, one.on, before, strength, rfc),
        None if one.ends is None else _ending(one.ends, strength, rfc),
        one.parallel,
    )


def _request(one: ExchangeTable) -> dict[str, Any]:
    """Return the keyword arguments of the op; what is usual is left out."""
    given: dict[str, Any] = {"method": one.method, "target": one.target}
    if one.fields:
        given["fields"] = {"type": "mapping", "value": [[*pair] for pair in one.fields.items()]}
    if one.body is not None:
        text = within("body", octets_text, one.body)
        if _IN_A_REQUEST_LINE in text:
            raise CaseError("a part of it looks like a request line", field="body")
        given["body"] = {"type": "bytes", "value": text}
    for key in ("streamed", "expect_continue"):
        if getattr(one, key):
            given[key] = True
    if one.consume != "read":
        given["consume"] = one.consume
    if one.amount is not None:
        given["amount"] = one.amount
    if one.consume == "timeout":
        given["timeout"] = WAIT
    return given


def _arrivals(one: ExchangeTable, rfc: tuple[str, ...]) -> Arrivals:
    """Return how often the request arrives; *rfc* are the sections of the exchange."""
    given = one.arrives
    table = given if isinstance(given, ArrivesTable) else ArrivesTable(times=given)
    least, most = _number(table.times, one.method)
    strength: Strength = "must" if one.method in IDEMPOTENT else "should"
    sections = rfc if one.method in IDEMPOTENT else ("9110#9.2.2",)
    return Arrivals(
        least, most, table.partial, table.strength or strength, tuple(table.rfc) or sections
    )


def _number(times: int | list[int] | str | None, method: str) -> tuple[int, int | None]:
    """Return how often a request may arrive at least and at most."""
    if times is None:
        return 1, None if method in IDEMPOTENT else 1
    if isinstance(times, str):
        return 0, None
    return (times, times) if isinstance(times, int) else (min(times), max(times))


def _placement(
    given: str | PlacementTable, before: Iterable[str], strength: Strength, rfc: tuple[str, ...]
) -> Placement:
    table = given if isinstance(given, PlacementTable) else PlacementTable(same=True)
    known = list(before)
    if not known:
        raise CaseError("the first exchange has none before it")
    of = table.of or known[-1]
    if of not in known:
        raise CaseError(f"no earlier exchange has the id {of!r}", field="of")
    return Placement(of, table.new, table.strength or strength, tuple(table.rfc) or rfc)


def _ending(given: str | EndingTable, strength: Strength, rfc: tuple[str, ...]) -> Ending:
    if isinstance(given, EndingTable):
        return Ending(given.state, given.strength or strength, tuple(given.rfc) or rfc)
    return Ending("closed" if given == "closed" else "kept", strength, rfc)
