"""The corpus as one JSON document, for runners in other languages.

The input is cases. The output is the document of `schema`, a line for each case: nothing is left to
expand, and a runner needs none of the kit. Grids and shorthand are expanded, transforms applied;
what a step writes is a ``send`` of exactly these bytes; each case has the script of every profile
in which it is played, and every default of an expectation is written out.

Bytes are a string, each character from U+0000 to U+00FF one byte; ``{"repeat", "times"}``, so that
a body of megabytes is a short text; ``{"address"}``, the server's address; or an array of these.
The text of the document is ASCII, and the same for the same corpus and selection. Cases are built
one after the other, and none is kept.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.cases import (
    LONG,
    Accept,
    AddressHole,
    Case,
    Cases,
    Containing,
    Exchange,
    Expectation,
    Expected,
    Items,
    Matching,
    ObjectOf,
    Octets,
    Outcome,
    Pairs,
    Part,
    Reject,
    Scalar,
    Session,
    WireExpectation,
    client_case,
    in_parts,
    load_requirements,
)
from mockserver import (
    Close,
    Connection,
    Dribble,
    Fill,
    Pause,
    Recipe,
    Reply,
    Route,
    Script,
    Send,
    Step,
    Tunnel,
    WritingStep,
    script_tables,
)

FORMAT = 1
"""Raised when a runner for the earlier format would misread a document."""
KEPT_WRITES = (Dribble, Tunnel)
"""Steps that write and do more than that; all others become ``send``."""
_DEFAULTS = {"optional": False, "times": 1}


def export_lines(cases: Cases, *, kit: str, corpus: str, frozen: str = "") -> Iterator[str]:
    """Yield the lines of the document about *cases*.

    Args:
        cases: the cases, of both profiles.
        kit: the version of the kit.
        corpus: the digest of the corpus.
        frozen: the name of the set to which the cases belong; empty for none.

    Raises:
        CaseError: a case does not conform to the format.
    """
    counted = {one.id for one in cases.for_clients().listed}
    head = {
        "format": FORMAT,
        "kit": kit,
        "corpus": corpus,
        "set": frozen,
        "requirements": {name: one.text for name, one in load_requirements().items()},
    }
    yield f'{_text(head)[:-1]},"cases":[\n'
    last = len(cases) - 1
    for index, case in enumerate(cases):
        yield f"{_text(exported(case, counts=case.id in counted))}{',' * (index < last)}\n"
    yield "]}\n"


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def exported(case: Case, *, counts: bool = True) -> dict[str, Any]:
    """Return *case* as in the document.

    Args:
        case: the case, of the profile in which the corpus has it.
        counts: whether the client profile counts it, and not another one with the same script.
    """
    words = {key: getattr(case, key) for key in ("id", "rev", "title", "level", "family", "why")}
    lists = {key: list(getattr(case, key)) for key in ("spec", "rfc", "origin")}
    parts: dict[str, Any] = {} if case.twin is None else {"twin": case.twin}
    if case.profile == "httplib":
        parts["httplib"] = _for_httplib(case)
    if case.session is not None:
        parts["client"] = {"counts": counts, **_for_client(client_case(case), case.session)}
    return {**words, **lists, **parts}


def _for_httplib(case: Case) -> dict[str, Any]:
    return {
        **_play(case),
        "ops": [_op(op.message) for op in case.ops],
        "outcomes": [_outcome(one) for one in case.outcomes],
        "sweep": case.sweep.given(),
    }


def _for_client(case: Case, session: Session) -> dict[str, Any]:
    given = {"proxy_to": session.proxy_to, "proxy_user": session.proxy_user}
    proxy = {key: value for key, value in given.items() if value}
    exchanges = [_exchange(one, case.path) for one in session.exchanges]
    return {"scheme": session.scheme, **proxy, **_play(case), "exchanges": exchanges}


# The server's side.


def _play(case: Case) -> dict[str, Any]:
    """Return what the client needs, and host, listener, connections and routes of *case*."""
    script = _lowered(case)
    tables = {"connections": [], "routes": [], **script_tables(script)}
    server = {"host": case.host, "listener": "accept", **tables.pop("server", {})}
    parts = {key: [_bytes({**_DEFAULTS, **one}) for one in tables[key]] for key in tables}
    needs = sorted(case.needs)
    return {"needs": needs, "server": {**server, "closes_on_request": script.obliging}, **parts}


def _lowered(case: Case) -> Script:
    """Return the script of *case*, in which every step that only writes is a ``send``."""
    asks_head = any(_asks_head(op.message) for op in case.ops)

    def lowered(one: Connection | Route) -> Any:
        method = one.method if isinstance(one, Route) else None
        to_head = method == "HEAD" if method or not asks_head else None
        steps = tuple(made for step in one.steps for made in _sends(step, to_head))
        return dataclasses.replace(one, steps=steps)

    script = case.script
    return dataclasses.replace(
        script,
        connections=tuple(map(lowered, script.connections)),
        routes=tuple(map(lowered, script.routes)),
    )


def _asks_head(message: Mapping[str, Any]) -> bool:
    methods = [*message.get("args", ())[:1], message.get("kwargs", {}).get("method")]
    return "HEAD" in methods


def _sends(step: Step, to_head: bool | None) -> Iterator[Step]:
    """Yield what *step* does as an answer to HEAD, to another method, or (None) to either."""
    is_kept = not isinstance(step, WritingStep) or isinstance(step, KEPT_WRITES)
    depends = isinstance(step, Reply) and step.framing != "none"
    if is_kept or isinstance(step, Send) or (depends and to_head is None):
        yield step
        return
    if silence := getattr(step, "delay", 0):
        yield Pause(silence)
    if isinstance(step, Fill):
        whole, rest = divmod(step.n, len(step.pattern))
        yield Send(Recipe(((step.pattern, whole), (step.pattern[:rest], 1))))
        return
    assert isinstance(step, WritingStep)
    writes = [step.head()] if isinstance(step, Reply) and depends and to_head else step.writes()
    yield Send(b"".join(piece.data for pieces in writes for piece in pieces))
    if isinstance(step, Reply) and step.framing == "close":
        yield Close()


# What a client of any interface is asked to do, and what must be seen.


def _exchange(one: Exchange, path: str) -> dict[str, Any]:
    asked = {key: value for key, value in one.op.message["kwargs"].items() if key != "fields"}
    fields = one.op.message["kwargs"].get("fields", {"value": []})["value"]
    request = {"method": one.method, "target": one.target or path, "fields": fields}
    if "body" in asked:
        request["body"] = octets_json(one.body)
    given = {key: value for key, value in asked.items() if key not in (*request, "body")}
    given.setdefault("consume", "read")
    found = {
        "id": one.id,
        **request,
        **given,
        "parallel": one.parallel,
        "strength": one.fetch.strength,
        "rfc": one.fetch.rfc,
        "expect": [_result(result) for result in one.fetch.results],
        "arrives": dataclasses.asdict(one.arrivals),
    }
    parts = {"on": one.placement, "ends": one.ending}
    return found | {
        key: dataclasses.asdict(part) for key, part in parts.items() if part is not None
    }


def _result(result: Accept | Reject) -> dict[str, Any]:
    if isinstance(result, Reject):
        return {"reject": list(result.categories)}
    parts: dict[str, Any] = {} if result.status is None else {"status": result.status}
    if result.reason is not None:
        parts["reason"] = octets_json(*result.reason.pieces)
    if result.body is not None:
        parts["body"] = octets_json(*result.body.pieces)
    headers = {name: _value(value) for name, value in result.headers.items()}
    return {"accept": parts | ({"headers": headers} if headers else {})}


# What an observation in the profile of httplib is compared with.


def _outcome(one: Outcome) -> dict[str, Any]:
    parts = {"grade": one.grade, "basis": one.basis, "when": one.when, "wire": _wire(one.wire)}
    found = {key: part for key, part in parts.items() if part}
    return {"exact": one.exact, **found, "ops": {key: _entry(op) for key, op in one.ops.items()}}


def _wire(one: WireExpectation) -> dict[str, Any]:
    given = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    for key in ("request", "received", "source"):
        if given[key] is not None:
            given[key] = [octets_json(*part) for part in given[key]]
    return {key: part for key, part in given.items() if part is not None}


def _entry(one: Expectation) -> dict[str, Any]:
    if one.anything:
        return {"any": True}
    if one.has_value:
        return {"value": _value(one.value)}
    attributes = {key: _value(value) for key, value in one.attributes.items()}
    return (
        {"raises": one.raises, "attributes": attributes} if attributes else {"raises": one.raises}
    )


def _value(value: Expected) -> Any:
    match value:
        case Octets(parts, kind):
            found = octets_json(*parts)
            plain = found if isinstance(found, str) else {"concat": found}
            return {kind: found} if kind else plain
        case Scalar(None):
            return {"none": True}
        case Scalar(plain):
            return plain
        case Items(kind, items):
            inner = [*map(_value, items)]
            return inner if kind == "list" else {kind: inner}
        case Pairs(pairs):
            return {"mapping": [[_value(key), _value(item)] for key, item in pairs]}
        case ObjectOf(name):
            return {"object": name}
        case Containing(part):
            return {"contains": part}
        case Matching(pattern):
            return {"matches": pattern}


# Bytes.


def octets_json(*parts: Part) -> Any:
    """Return the bytes of *parts* in the notation of the document."""
    found = [one for part in parts for one in _notated(part) if one]
    return found[0] if len(found) == 1 else found or ""


def _notated(part: Part) -> Iterable[Any]:
    if isinstance(part, AddressHole):
        return ({"address": part.part},)
    if isinstance(part, bytes):
        text = part.decode("latin-1")
        return ((text,) if len(text) <= LONG else in_parts(text)) or (text,)
    texts = ((unit.decode("latin-1"), times) for unit, times in part.parts if unit and times)
    return [text if times == 1 else {"repeat": text, "times": times} for text, times in texts]


def _bytes(value: Any) -> Any:
    """Return *value*, the part of a script, with its bytes in the notation of the document."""
    if isinstance(value, bytes | Recipe):
        return octets_json(value)
    if value == {"close": {}}:
        return {"close": "fin"}
    if isinstance(value, Mapping):
        return {key: _bytes(one) for key, one in value.items()}
    return [*map(_bytes, value)] if isinstance(value, list | tuple) else value


def _op(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the call of *message*, without arguments where it has none."""
    return {key: _short(value) for key, value in message.items() if value not in ([], {})}


def _short(value: Any) -> Any:
    """Return *value*, the part of an op, with each long string as ``{"concat": [...]}``."""
    if isinstance(value, str) and len(value) > LONG:
        found = in_parts(value)
        return value if found in (None, [value]) else {"concat": found}
    if isinstance(value, Mapping):
        return {key: _short(one) for key, one in value.items()}
    return [*map(_short, value)] if isinstance(value, list | tuple) else value
