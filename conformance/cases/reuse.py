"""The dimension `reuse`: the same exchange as the second one on a kept connection.

The input is a case. The output is the case with another exchange before its first request, or the
case unchanged if that is not possible: if its first call is not a request, or is a request that is
refused; if the server does not begin by reading a request; if a tunnel is opened, or the program
opens or closes the connection before there is a response; or if the case checks what the calls
print.

The meaning of a response must not depend on what the connection carried before it. This dimension
finds clients that read ahead or keep state from one response to the next.
"""

import dataclasses

from conformance.cases.model import Case, Expectation, Op, Outcome, WireExpectation
from conformance.cases.octets import AddressHole, Pieces
from conformance.cases.values import Octets
from mockserver import Connection, ReadRequest, Send, Starttls, Step

_REQUEST: Pieces = (
    b"GET /kept HTTP/1.1\r\nHost: ",
    AddressHole("server"),
    b"\r\nAccept-Encoding: identity\r\n\r\n",
)
_BODY = b"kept open"
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_READ = "kept.read"
_OPS = (
    Op(
        "kept.request",
        {"id": "kept.request", "call": "request", "on": "conn", "args": ["GET", "/kept"]},
    ),
    Op(
        "kept.getresponse",
        {"id": "kept.getresponse", "call": "getresponse", "on": "conn", "args": [], "as": "kept"},
    ),
    Op(_READ, {"id": _READ, "call": "read", "on": "kept", "args": []}),
)
_OPENING_CALLS = ("request", "putrequest")
_BY_HAND = frozenset({"connect", "close"})


def on_a_kept_connection(case: Case) -> Case:
    """Return *case* after another exchange on its first connection, or *case* unchanged."""
    if not can_be_second(case):
        return case
    first, *others = case.script.connections
    connections = (dataclasses.replace(first, steps=_behind_another(first)), *others)
    new, *ops = case.ops
    calls = [Op(op.id, {"kwargs": {}, **op.message}) for op in _OPS]
    return dataclasses.replace(
        case,
        script=dataclasses.replace(case.script, connections=connections),
        ops=(new, *calls, *ops),
        outcomes=tuple(_with_the_other(outcome) for outcome in case.outcomes),
    )


def can_be_second(case: Case) -> bool:
    """Return whether *case* can follow another exchange on its first connection."""
    return _begins_with_a_request(case) and _is_read_first(case)


def _begins_with_a_request(case: Case) -> bool:
    """Return whether the first call on the new object is a request to the server itself."""
    new, *ops = case.ops
    usual = str(new.message["call"]).endswith("Connection") and all(
        isinstance(argument, dict) and argument["type"] == "address"
        for argument in new.message["args"]
    )
    if not usual or not ops or ops[0].message.get("call") not in _OPENING_CALLS:
        return False
    calls = [str(op.message.get("call")) for op in ops]
    early = calls[: calls.index("getresponse")] if "getresponse" in calls else calls
    by_hand = not _BY_HAND.isdisjoint(early) or "set_tunnel" in calls
    return (
        not by_hand
        and all(op.message["on"] != "agent" for op in ops)
        and not any(_is_refused(outcome, ops[0].id) for outcome in case.outcomes)
    )


def _is_refused(outcome: Outcome, request: str) -> bool:
    wanted = outcome.ops.get(request)
    refused = wanted is not None and bool(wanted.raises or wanted.anything)
    return refused or outcome.wire.connections == 0


def _is_read_first(case: Case) -> bool:
    """Return whether the server begins by reading a request, on a connection made only once."""
    script = case.script
    if script.routes or script.listener.mode != "accept" or not script.connections:
        return False
    first = script.connections[0]
    steps = _behind_tls(first)
    return first.times == 1 and not first.optional and bool(steps) and steps[0] == ReadRequest()


def _behind_tls(connection: Connection) -> tuple[Step, ...]:
    steps = connection.steps
    return steps[1:] if steps and isinstance(steps[0], Starttls) else steps


def _behind_another(connection: Connection) -> tuple[Step, ...]:
    own = _behind_tls(connection)
    before = connection.steps[: len(connection.steps) - len(own)]
    return (*before, ReadRequest(), Send(_RESPONSE), *own)


def _with_the_other(outcome: Outcome) -> Outcome:
    read = Expectation(has_value=True, value=Octets((_BODY,)))
    return dataclasses.replace(
        outcome, ops={**outcome.ops, _READ: read}, wire=_with_its_request(outcome.wire)
    )


def _with_its_request(wire: WireExpectation) -> WireExpectation:
    request, received = wire.request, wire.received
    if request is not None:
        request = (_REQUEST, *request)
    if received:
        received = ((*_REQUEST, *received[0]), *received[1:])
    return dataclasses.replace(wire, request=request, received=received)
